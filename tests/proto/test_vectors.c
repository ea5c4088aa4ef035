/*  The golden messages of proto/vectors: each frame is decoded and its meaning written down again
 * as the line it came from. Whole lines are compared, so this file needs a JSON writer and no
 * reader. */
#include "proto/decode.h"
#include "proto/labels.h"
#include "proto/must.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- writing JSON -- */

static void write_text(FILE *out, text_t text)
{
    if (text.data == NULL) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '\n' || c == '\t')
            fputs(c == '\n' ? "\\n" : "\\t", out);
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

/*  As few digits, from 15 on, as read back to the same number. */
static void write_number(FILE *out, double number)
{
    char digits[40];
    if (isnan(number)) {
        fputs("null", out);
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        double again = strtod(digits, NULL);
        if (memcmp(&again, &number, sizeof number) == 0)
            break;
    }
    fputs(digits, out);
}

static void write_labels(FILE *out, raw_labels_t raw)
{
    static uint8_t buffer[LABELS_MAX_BYTES];
    labels_t labels = labels_canonical(raw, buffer);
    label_t label;
    fputs("{", out);
    for (uint32_t at = 0; labels_next(labels, &at, &label);) {
        write_text(out, label.name);
        fputs(": ", out);
        write_text(out, label.value);
        fputs(at < labels.size ? ", " : "", out);
    }
    fputs("}", out);
}

static void write_values(FILE *out, const metric_event_t *event)
{
    cursor_t cursor =
        cursor_over(event->values, event->values == NULL ? 0 : 9 * event->value_count);
    for (uint32_t i = 0; i < event->value_count; i++) {
        value_t value;
        double number = event->value;
        if (event->values != NULL) {
            assert_true(cursor_read(&cursor, &value));
            assert_true(value_number(&value, &number));
        }
        fputs(i == 0 ? "" : ", ", out);
        write_number(out, number);
    }
}

static void write_metric(FILE *out, const metric_event_t *event)
{
    static const char *const kinds[METRIC_KIND_COUNT] = {"counter", "gauge", "histogram"};
    fputs("{\"name\": ", out);
    write_text(out, event->name);
    fprintf(out, ", \"kind\": \"%s\", \"values\": [", kinds[event->kind]);
    write_values(out, event);
    fputs("], \"labels\": ", out);
    write_labels(out, event->labels);
    fputs(", \"unit\": ", out);
    write_text(out, event->unit);
    fputs(", \"time\": ", out);
    write_number(out, event->time_s);
    fputs("}", out);
}

static void write_request(FILE *out, const request_event_t *event)
{
    static const char *const breakers[BREAKER_COUNT] = {NULL, "closed", "half_open", "open"};
    fputs("{\"operation\": ", out);
    write_text(out, event->operation);
    fputs(", \"duration\": ", out);
    write_number(out, event->duration_s);
    fprintf(out, ", \"error\": %s, \"dependency\": ", event->error ? "true" : "false");
    write_text(out, event->dependency);
    fputs(", \"message\": ", out);
    write_text(out, event->message);
    fputs(", \"labels\": ", out);
    write_labels(out, event->labels);
    fprintf(out, ", \"attempt\": %llu, \"breaker\": ", (unsigned long long)event->attempt);
    write_text(out, text_of(breakers[event->breaker]));
    fputs(", \"time\": ", out);
    write_number(out, event->time_s);
    fputs("}", out);
}

/*  What was refused, in the order of proto/status.h; a frame refused whole is not said again. */
static void write_refused(FILE *out, const tally_t *tally)
{
    const char *between = "";
    fputs("{", out);
    for (int i = STATUS_NOT_A_MAP; i < STATUS_COUNT; i++) {
        if (tally->refused[i] == 0)
            continue;
        fprintf(out, "%s\"%s\": %llu", between, status_reason((status_t)i),
                (unsigned long long)tally->refused[i]);
        between = ", ";
    }
    fputs("}", out);
}

/* -- decoding -- */

typedef struct {
    uint8_t *bytes;
    size_t size;
} frame_t;

static frame_t read_hex(const char *hex, size_t digits)
{
    frame_t frame = {memory_new(digits / 2, 1), digits / 2};
    for (size_t i = 0; i < frame.size; i++) {
        unsigned byte = 0;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        frame.bytes[i] = (uint8_t)byte;
    }
    return frame;
}

static void write_metrics(FILE *out, frame_t frame)
{
    limits_t limits = LIMITS_DEFAULT;
    metric_batch_t batch;
    tally_t tally = {0};
    metric_batch_init(&batch, &limits);
    status_t whole = decode_metrics(&limits, frame.bytes, frame.size, &batch, &tally);
    fprintf(out, "\"whole\": \"%s\", \"accepted\": %zu, \"refused\": ", status_reason(whole),
            batch.count);
    write_refused(out, &tally);
    fputs(", \"events\": [", out);
    for (size_t i = 0; i < batch.count; i++) {
        fputs(i == 0 ? "" : ", ", out);
        write_metric(out, &batch.events[i]);
    }
    fputs("]}\n", out);
    metric_batch_free(&batch);
}

static void write_requests(FILE *out, frame_t frame)
{
    limits_t limits = LIMITS_DEFAULT;
    request_batch_t batch;
    tally_t tally = {0};
    request_batch_init(&batch, &limits);
    status_t whole = decode_requests(&limits, frame.bytes, frame.size, &batch, &tally);
    fprintf(out, "\"whole\": \"%s\", \"accepted\": %zu, \"refused\": ", status_reason(whole),
            batch.count);
    write_refused(out, &tally);
    fputs(", \"events\": [", out);
    for (size_t i = 0; i < batch.count; i++) {
        fputs(i == 0 ? "" : ", ", out);
        write_request(out, &batch.events[i]);
    }
    fputs("]}\n", out);
    request_batch_free(&batch);
}

/* -- comparing -- */

static FILE *open_vectors(const char *name)
{
    static const char here[] = "tests/proto/test_vectors.c";
    char path[4096];
    size_t root = strlen(__FILE__) - (sizeof here - 1);
    snprintf(path, sizeof path, "%.*sproto/vectors/%s", (int)root, __FILE__, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("cannot open %s", path);
    return file;
}

static void check_line(const char *line, void (*write)(FILE *, frame_t))
{
    static const char key[] = "\"frame\": \"";
    const char *hex = strstr(line, key);
    assert_non_null(hex);
    hex += sizeof key - 1;
    const char *end = strchr(hex, '"');
    assert_non_null(end);
    size_t before = (size_t)(end - line) + strlen("\", ");

    char *again = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&again, &size);
    frame_t frame = read_hex(hex, (size_t)(end - hex));
    fwrite(line, 1, before, out);
    write(out, frame);
    fclose(out);
    assert_string_equal(again, line);
    free(frame.bytes);
    free(again);
}

static size_t check_file(const char *name, void (*write)(FILE *, frame_t))
{
    FILE *file = open_vectors(name);
    char *line = NULL;
    size_t room = 0, lines = 0;
    for (; getline(&line, &room, file) > 0; lines++)
        check_line(line, write);
    free(line);
    fclose(file);
    return lines;
}

static void test_vectors__every_metrics_frame_means_what_its_line_says(void **state)
{
    (void)state;
    assert_true(check_file("metrics.jsonl", write_metrics) > 100);
}

static void test_vectors__every_requests_frame_means_what_its_line_says(void **state)
{
    (void)state;
    assert_true(check_file("requests.jsonl", write_requests) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors__every_metrics_frame_means_what_its_line_says),
        cmocka_unit_test(test_vectors__every_requests_frame_means_what_its_line_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
