/*  Hold the library against the golden messages of proto/vectors.
 *
 *      vectors FOLDER [REQUESTS]
 *
 *  Every event that the broker takes is read here with tocsin_value_* and must say what its line
 *  says. With the address of a broker's requests socket, each request is emitted there as well.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tocsin.h>

#define FRAME_BYTES 65536u

/* -- does a value say what the line says? -- */

static bool same_text(tocsin_value_t value, const json_t *expected)
{
    size_t size;
    const char *text = tocsin_value_text(value, &size);
    if (json_is_null(expected))
        return text == NULL || size == 0;
    return text != NULL && size == json_string_length(expected) &&
           memcmp(text, json_string_value(expected), size) == 0;
}

static bool same_number(tocsin_value_t value, const json_t *expected)
{
    double number;
    return tocsin_value_number(value, &number) && number == json_number_value(expected);
}

static bool same_numbers(tocsin_value_t event, const json_t *expected)
{
    tocsin_value_t values = tocsin_value_of(event, "values");
    if (tocsin_value_count(values) == 0)
        return same_number(tocsin_value_of(event, "value"), json_array_get(expected, 0));
    bool same = tocsin_value_count(values) == json_array_size(expected);
    for (size_t i = 0; same && i < json_array_size(expected); i++)
        same = same_number(tocsin_value_at(values, i), json_array_get(expected, i));
    return same;
}

static bool same_labels(tocsin_value_t labels, json_t *expected)
{
    const char *name;
    json_t *value;
    bool same = true;
    json_object_foreach(expected, name, value) same =
        same && same_text(tocsin_value_of(labels, name), value);
    return same;
}

static bool same_metric(tocsin_value_t event, const json_t *expected)
{
    return same_text(tocsin_value_of(event, "name"), json_object_get(expected, "name")) &&
           same_text(tocsin_value_of(event, "kind"), json_object_get(expected, "kind")) &&
           same_text(tocsin_value_of(event, "unit"), json_object_get(expected, "unit")) &&
           same_numbers(event, json_object_get(expected, "values")) &&
           same_labels(tocsin_value_of(event, "labels"), json_object_get(expected, "labels"));
}

static bool same_request(tocsin_value_t event, const json_t *expected)
{
    tocsin_value_t duration = tocsin_value_of(event, "duration");
    size_t size;
    bool is_text = tocsin_value_text(duration, &size) != NULL; /* "250ms": the broker's to read */
    return same_text(tocsin_value_of(event, "operation"), json_object_get(expected, "operation")) &&
           same_text(tocsin_value_of(event, "dependency"),
                     json_object_get(expected, "dependency")) &&
           (is_text || same_number(duration, json_object_get(expected, "duration"))) &&
           same_labels(tocsin_value_of(event, "labels"), json_object_get(expected, "labels"));
}

/* -- a file of vectors -- */

typedef bool same_t(tocsin_value_t event, const json_t *expected);

static tocsin_value_t read_frame(const json_t *vector, unsigned char bytes[FRAME_BYTES])
{
    const char *hex = json_string_value(json_object_get(vector, "frame"));
    size_t size = 0;
    for (unsigned byte; size < FRAME_BYTES && sscanf(hex + 2 * size, "%2x", &byte) == 1; size++)
        bytes[size] = (unsigned char)byte;
    return (tocsin_value_t){bytes, size};
}

/*  One event, or those of a batch. A compact frame is no map of events: it is passed over. */
static bool check_vector(const json_t *vector, same_t *same)
{
    static unsigned char bytes[FRAME_BYTES];
    tocsin_value_t frame = read_frame(vector, bytes);
    const json_t *events = json_object_get(vector, "events");
    bool is_batch = tocsin_value_at(frame, 0).size > 0, good = true;
    if (tocsin_value_of(frame, "samples").size > 0 && tocsin_value_of(frame, "series").size > 0)
        return true;
    for (size_t i = 0; good && i < json_array_size(events); i++)
        good = same(is_batch ? tocsin_value_at(frame, i) : frame, json_array_get(events, i));
    return good;
}

static void emit_request(tocsin_emitter_t *emitter, const json_t *event)
{
    tocsin_label_t labels[32];
    tocsin_request_event_t request = {
        .operation = json_string_value(json_object_get(event, "operation")),
        .duration = json_number_value(json_object_get(event, "duration")),
        .dependency = json_string_value(json_object_get(event, "dependency")),
        .error = json_is_true(json_object_get(event, "error")),
        .message = json_string_value(json_object_get(event, "message")),
        .breaker = json_string_value(json_object_get(event, "breaker")),
        .labels = labels};
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(event, "labels"), name, value)
        labels[request.label_count++] = (tocsin_label_t){name, json_string_value(value)};
    tocsin_emit_request(emitter, &request);
}

/*  How many events were understood; ends the program at the first that was not. */
static size_t check_file(const char *folder, const char *name, same_t *same,
                         tocsin_emitter_t *emitter)
{
    static char path[4096], line[4 * FRAME_BYTES];
    size_t understood = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    while (fgets(line, sizeof line, file) != NULL) {
        json_t *vector = json_loads(line, 0, NULL);
        const json_t *events = json_object_get(vector, "events");
        bool is_taken = strcmp(json_string_value(json_object_get(vector, "whole")), "ok") == 0 &&
                        json_object_size(json_object_get(vector, "refused")) == 0;
        if (is_taken && !check_vector(vector, same)) {
            fprintf(stderr, "%s: %s\n", path, json_string_value(json_object_get(vector, "name")));
            exit(1);
        }
        for (size_t i = 0; is_taken && i < json_array_size(events); i++, understood++)
            if (emitter != NULL)
                emit_request(emitter, json_array_get(events, i));
        json_decref(vector);
    }
    fclose(file);
    return understood;
}

int main(int count, char **arguments)
{
    if (count < 2) {
        fprintf(stderr, "usage: vectors FOLDER [REQUESTS]\n");
        return 64;
    }
    tocsin_emitter_options_t options = {.requests = count > 2 ? arguments[2] : NULL};
    tocsin_emitter_t *emitter = count > 2 ? tocsin_emitter_new(&options) : NULL;
    size_t metrics = check_file(arguments[1], "metrics.jsonl", same_metric, NULL);
    size_t requests = check_file(arguments[1], "requests.jsonl", same_request, emitter);
    printf("%zu metric events and %zu request events are understood\n", metrics, requests);
    tocsin_emitter_destroy(&emitter);
    return 0;
}
