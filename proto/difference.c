#include "proto/difference.h"

#include "proto/must.h"

#include <stdio.h>

static void add(msgpack_sbuffer *out, text_t text)
{
    if (text.size > 0)
        msgpack_sbuffer_write(out, text.data, text.size);
}

static void add_string(msgpack_sbuffer *out, const char *string)
{
    add(out, text_of(string));
}

static void add_scalar(msgpack_sbuffer *out, const value_t *value)
{
    char digits[40] = "";
    if (value->type == VALUE_UINT)
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)value->as.u);
    else if (value->type == VALUE_INT)
        snprintf(digits, sizeof digits, "%lld", (long long)value->as.i);
    else if (value->type == VALUE_FLOAT)
        snprintf(digits, sizeof digits, "%.15g", value->as.f);
    else if (value->type == VALUE_BOOL)
        add_string(out, value->as.boolean ? "true" : "false");
    else if (value->type == VALUE_STR)
        add(out, value->as.text);
    add_string(out, digits);
}

/*  Things nest a few levels deep: a list of records, a map of lists. */
static void add_value(msgpack_sbuffer *out, cursor_t *cursor)
{
    value_t value;
    must(cursor_read(cursor, &value));
    if (value.type != VALUE_ARRAY && value.type != VALUE_MAP) {
        add_scalar(out, &value);
        return;
    }
    for (uint32_t i = 0; i < value.as.count; i++) {
        add_string(out, i == 0 ? "" : ", ");
        add_value(out, cursor);
        if (value.type == VALUE_MAP) {
            add_string(out, "=");
            add_value(out, cursor);
        }
    }
}

static text_t read_aloud(const msgpack_sbuffer *encoded, arena_t *arena)
{
    cursor_t cursor = cursor_over(encoded->data, encoded->size), head = cursor;
    value_t value;
    must(cursor_read(&head, &value));
    if (value.type == VALUE_NIL)
        return TEXT_NONE;
    msgpack_sbuffer words;
    msgpack_sbuffer_init(&words);
    add_value(&words, &cursor);
    text_t copy = arena_copy(arena, (text_t){words.size == 0 ? "" : words.data, words.size});
    msgpack_sbuffer_destroy(&words);
    return copy;
}

text_t field_words(const field_t *field, const void *thing, arena_t *arena)
{
    msgpack_sbuffer encoded;
    msgpack_sbuffer_init(&encoded);
    schema_write_field(field, thing, false, &encoded);
    text_t words = read_aloud(&encoded, arena);
    msgpack_sbuffer_destroy(&encoded);
    return words;
}

static bool differs(const field_t *field, const void *a, const void *b)
{
    const schema_t one = {.name = "", .fields = field, .count = 1};
    return (field->flags & (FIELD_HIDDEN | FIELD_TOLD)) == 0 && field->type != FIELD_TIME &&
           !schema_equal(&one, a, b);
}

bool difference_next(const schema_t *schema, const void *a, const void *b, size_t *at,
                     arena_t *arena, difference_t *difference)
{
    while (*at < schema->count) {
        const field_t *field = &schema->fields[(*at)++];
        if (!differs(field, a, b))
            continue;
        *difference = (difference_t){.key = field->key,
                                     .from = field_words(field, a, arena),
                                     .to = field_words(field, b, arena)};
        return true;
    }
    return false;
}
