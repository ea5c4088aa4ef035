#include "broker/relay_entry.h"

#include "proto/pack.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum { AS_TEXT, AS_NUMBER, AS_NUMBER_OR_TEXT, AS_BOOL } reading_t;

/*  Keys that an entry's fields may become, by kind. */
typedef struct {
    const char *key;
    reading_t reading;
} typed_key_t;

static const typed_key_t metric_keys[] = {{"name", AS_TEXT},    {"kind", AS_TEXT},
                                          {"value", AS_NUMBER}, {"unit", AS_TEXT},
                                          {"time", AS_NUMBER},  {NULL, AS_TEXT}};
static const typed_key_t request_keys[] = {{"operation", AS_TEXT}, {"duration", AS_NUMBER_OR_TEXT},
                                           {"error", AS_BOOL},     {"dependency", AS_TEXT},
                                           {"message", AS_TEXT},   {"attempt", AS_NUMBER},
                                           {"breaker", AS_TEXT},   {"time", AS_NUMBER},
                                           {NULL, AS_TEXT}};
static const typed_key_t command_keys[] = {
    {"do", AS_TEXT},     {"title", AS_TEXT},   {"description", AS_TEXT}, {"severity", AS_TEXT},
    {"key", AS_TEXT},    {"runbook", AS_TEXT}, {"by", AS_TEXT},          {"incident", AS_TEXT},
    {"status", AS_TEXT}, {"text", AS_TEXT},    {"root_cause", AS_TEXT},  {"resolution", AS_TEXT},
    {"policy", AS_TEXT}, {"message", AS_TEXT}, {"alert", AS_TEXT},       {"note", AS_TEXT},
    {NULL, AS_TEXT}};

static const typed_key_t *keys_of(const relay_in_t *settings)
{
    if (text_is(settings->kind, "metrics"))
        return metric_keys;
    return text_is(settings->kind, "requests") ? request_keys : command_keys;
}

static text_t find_field(const entry_field_t *fields, size_t count, text_t name)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(fields[i].name, name))
            return fields[i].value;
    return TEXT_NONE;
}

/* -- fields of their own -- */

/*  The whole of it is a number. */
static bool read_number(text_t text, double *number)
{
    char copy[64], *end;
    if (text.size == 0 || text.size >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *number = strtod(copy, &end);
    return *end == '\0' && isfinite(*number);
}

/*  What cannot be read as what it should be stays text: the decoder says what is wrong with it. */
static void pack_value(text_t value, reading_t reading, msgpack_sbuffer *frame)
{
    double number;
    bool is_number = reading == AS_NUMBER || reading == AS_NUMBER_OR_TEXT;
    if (is_number && read_number(value, &number)) {
        if (number == floor(number) && fabs(number) < 1e15)
            pack_int(frame, (int64_t)number);
        else
            pack_number(frame, number);
    } else if (reading == AS_BOOL && (text_is(value, "true") || text_is(value, "1") ||
                                      text_is(value, "false") || text_is(value, "0"))) {
        pack_bool(frame, text_is(value, "true") || text_is(value, "1"));
    } else {
        pack_text(frame, value);
    }
}

/*  The name that their field has for our key. */
static text_t their_name(const relay_in_t *settings, text_t key)
{
    text_t mapped = labels_get(settings->map, key);
    return mapped.data == NULL ? key : mapped;
}

static bool is_label(text_t name)
{
    return text_begins(name, TEXT_OF("labels.")) && name.size > 7;
}

static void pack_label(text_t name, text_t value, msgpack_sbuffer *labels, uint32_t *count)
{
    if (value.data == NULL)
        return;
    pack_text(labels, (text_t){name.data + 7, name.size - 7});
    pack_text(labels, value);
    ++*count;
}

static uint32_t pack_labels_of(const relay_in_t *settings, const entry_field_t *fields,
                               size_t count, msgpack_sbuffer *labels)
{
    uint32_t packed = 0;
    label_t pair;
    for (uint32_t at = 0; labels_next(settings->map, &at, &pair);)
        if (is_label(pair.name))
            pack_label(pair.name, find_field(fields, count, pair.value), labels, &packed);
    for (size_t i = 0; i < count; i++)
        if (is_label(fields[i].name) && labels_get(settings->map, fields[i].name).data == NULL)
            pack_label(fields[i].name, fields[i].value, labels, &packed);
    return packed;
}

static void pack_fields(const relay_in_t *settings, const entry_field_t *fields, size_t count,
                        msgpack_sbuffer *frame)
{
    msgpack_sbuffer pairs, labels;
    msgpack_sbuffer_init(&pairs);
    msgpack_sbuffer_init(&labels);
    uint32_t packed = 0, label_count = pack_labels_of(settings, fields, count, &labels);
    for (const typed_key_t *key = keys_of(settings); key->key != NULL; key++) {
        text_t value = find_field(fields, count, their_name(settings, text_of(key->key)));
        if (value.data == NULL)
            continue;
        pack_string(&pairs, key->key);
        pack_value(value, key->reading, &pairs);
        packed++;
    }
    pack_map(frame, packed + (label_count > 0));
    if (packed > 0)
        pack_raw(frame, (text_t){pairs.data, pairs.size});
    if (label_count > 0) {
        pack_string(frame, "labels");
        pack_map(frame, label_count);
        pack_raw(frame, (text_t){labels.data, labels.size});
    }
    msgpack_sbuffer_destroy(&pairs);
    msgpack_sbuffer_destroy(&labels);
}

/* -- JSON -- */

/*  jansson reads at most 2,048 containers deep, so this recursion ends. */
static void pack_json(const json_t *value, msgpack_sbuffer *frame) /* NOLINT(misc-no-recursion) */
{
    const char *key;
    json_t *inner;
    size_t i;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        pack_map(frame, json_object_size(value));
        json_object_foreach((json_t *)(uintptr_t)value, key, inner)
        {
            pack_string(frame, key);
            pack_json(inner, frame);
        }
        break;
    case JSON_ARRAY:
        pack_array(frame, json_array_size(value));
        json_array_foreach(value, i, inner)
        {
            pack_json(inner, frame);
        }
        break;
    case JSON_STRING:
        pack_text(frame, (text_t){json_string_value(value), json_string_length(value)});
        break;
    case JSON_INTEGER:
        pack_int(frame, json_integer_value(value));
        break;
    case JSON_REAL:
        pack_number(frame, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        pack_bool(frame, json_is_true(value));
        break;
    case JSON_NULL:
        pack_nil(frame);
        break;
    }
}

static bool read_json(text_t data, msgpack_sbuffer *frame)
{
    json_error_t error;
    json_t *value = json_loadb(data.data, data.size, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL)
        return false;
    pack_json(value, frame);
    json_decref(value);
    return true;
}

bool entry_frame(const relay_in_t *settings, const entry_field_t *fields, size_t count,
                 msgpack_sbuffer *frame, const char **words)
{
    if (text_is(settings->format, "fields")) {
        pack_fields(settings, fields, count, frame);
        return true;
    }
    text_t data = find_field(fields, count, TEXT_OF("data"));
    *words = "it has no field data, or nothing in it";
    if (data.size == 0)
        return false;
    *words = "its field data is no JSON";
    if (!text_is(settings->format, "msgpack"))
        return read_json(data, frame);
    pack_raw(frame, data);
    return true;
}
