#include "proto/json.h"

#include "proto/must.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void put(msgpack_sbuffer *out, const char *text)
{
    msgpack_sbuffer_write(out, text, strlen(text));
}

/*  Points in time, which every thing has several of, at a quarter of the price: at these magnitudes
 *  seven decimals tell any two doubles apart, and no sum below lies so near the middle between two
 *  that it could be rounded to the other one. */
static bool write_time(double number, char out[JSON_NUMBER_BYTES])
{
    if (!(number >= 0x1p30 && number < 0x1p33))
        return false;
    int64_t whole = (int64_t)number, scale = 1;
    double rest = number - (double)whole;
    for (int decimals = 0; decimals <= 7; decimals++, scale *= 10) {
        int64_t parts = (int64_t)(rest * (double)scale + 0.5);
        if ((double)whole + (double)parts / (double)scale != number)
            continue;
        if (decimals == 0)
            snprintf(out, JSON_NUMBER_BYTES, "%" PRId64, whole);
        else
            snprintf(out, JSON_NUMBER_BYTES, "%" PRId64 ".%0*" PRId64, whole, decimals, parts);
        return true;
    }
    return false;
}

const char *json_number(double number, char out[JSON_NUMBER_BYTES])
{
    if (!isfinite(number))
        return "null";
    if (write_time(number, out))
        return out;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, JSON_NUMBER_BYTES, "%.*g", digits, number);
        if (strtod(out, NULL) == number)
            break;
    }
    return out;
}

/*  What may stand in a JSON string as it is. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

static void put_escaped(unsigned char c, msgpack_sbuffer *out)
{
    static const char letters[] = "\"\"\\\\\nn\tt\rr\bb\ff";
    char text[8];
    for (const char *at = letters; *at != '\0'; at += 2)
        if ((unsigned char)*at == c) {
            snprintf(text, sizeof text, "\\%c", at[1]);
            put(out, text);
            return;
        }
    snprintf(text, sizeof text, "\\u%04x", (unsigned)c);
    put(out, text);
}

void json_write_text(text_t text, msgpack_sbuffer *out)
{
    put(out, "\"");
    for (size_t i = 0; i < text.size;) {
        size_t run = i;
        while (run < text.size && is_plain((unsigned char)text.data[run]))
            run++;
        msgpack_sbuffer_write(out, text.data + i, run - i);
        if (run < text.size)
            put_escaped((unsigned char)text.data[run++], out);
        i = run;
    }
    put(out, "\"");
}

static void write_scalar(const value_t *value, msgpack_sbuffer *out)
{
    char text[JSON_NUMBER_BYTES] = "null";
    switch (value->type) {
    case VALUE_BOOL:
        put(out, value->as.boolean ? "true" : "false");
        return;
    case VALUE_STR:
        json_write_text(value->as.text, out);
        return;
    case VALUE_UINT:
        snprintf(text, sizeof text, "%" PRIu64, value->as.u);
        break;
    case VALUE_INT:
        snprintf(text, sizeof text, "%" PRId64, value->as.i);
        break;
    case VALUE_FLOAT:
        put(out, json_number(value->as.f, text));
        return;
    case VALUE_NIL:
    case VALUE_BIN:
    case VALUE_EXT:
        break;
    case VALUE_ARRAY:
    case VALUE_MAP:
        must_not("a container where a scalar is written");
    }
    put(out, text);
}

static void write_key(cursor_t *cursor, msgpack_sbuffer *out)
{
    cursor_t key = *cursor;
    value_t value;
    must(cursor_read(&key, &value));
    if (value.type == VALUE_STR) {
        *cursor = key;
        json_write_text(value.as.text, out);
        return;
    }
    msgpack_sbuffer text;
    msgpack_sbuffer_init(&text);
    json_write(cursor, &text);
    json_write_text((text_t){text.data, text.size}, out);
    msgpack_sbuffer_destroy(&text);
}

void json_write(cursor_t *cursor, msgpack_sbuffer *out)
{
    value_t value;
    must(cursor_read(cursor, &value));
    bool is_map = value.type == VALUE_MAP;
    if (!is_map && value.type != VALUE_ARRAY) {
        write_scalar(&value, out);
        return;
    }
    put(out, is_map ? "{" : "[");
    for (uint32_t i = 0; i < value.as.count; i++) {
        put(out, i == 0 ? "" : ",");
        if (is_map) {
            write_key(cursor, out);
            put(out, ":");
        }
        json_write(cursor, out);
    }
    put(out, is_map ? "}" : "]");
}
