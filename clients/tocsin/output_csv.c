#include "clients/tocsin/output.h"

#include "clients/tocsin/cell.h"
#include "proto/cursor.h"
#include "proto/json.h"
#include "proto/must.h"

#include <stdlib.h>
#include <string.h>

/* More keys than any thing of the wire has. */
#define KEYS_MAX 256u

typedef struct {
    text_t keys[KEYS_MAX];
    size_t count;
} heading_t;

static void add_key(heading_t *self, text_t key)
{
    for (size_t i = 0; i < self->count; i++)
        if (text_equal(self->keys[i], key))
            return;
    if (self->count < KEYS_MAX)
        self->keys[self->count++] = key;
}

/*  What is no map has no keys, and an empty row. */
static void collect_keys(heading_t *self, cursor_t *cursor)
{
    cursor_t look = *cursor;
    value_t map;
    must(cursor_skip(cursor) && cursor_read(&look, &map));
    for (uint32_t i = 0; map.type == VALUE_MAP && i < map.as.count; i++) {
        add_key(self, cell_read_key(&look));
        must(cursor_skip(&look));
    }
}

static void write_field(text_t text, FILE *out)
{
    bool quoted = false;
    for (size_t i = 0; i < text.size; i++)
        quoted = quoted || strchr(",\"\r\n", text.data[i]) != NULL;
    if (!quoted) {
        fwrite(text.data, 1, text.size, out);
        return;
    }
    fputc('"', out);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            fputc('"', out);
        fputc(text.data[i], out);
    }
    fputc('"', out);
}

void output_csv_cell(tocsin_value_t value, FILE *out)
{
    cursor_t cursor = cursor_over(value.bytes, value.size);
    value_t head;
    if (value.size == 0)
        return;
    cursor_t look = cursor;
    must(cursor_read(&look, &head));
    if (head.type == VALUE_STR)
        write_field(head.as.text, out);
    else if (head.type != VALUE_NIL) {
        msgpack_sbuffer text;
        msgpack_sbuffer_init(&text);
        json_write(&cursor, &text);
        write_field((text_t){text.data, text.size}, out);
        msgpack_sbuffer_destroy(&text);
    }
}

static tocsin_value_t value_of(tocsin_value_t map, text_t key)
{
    char name[256];
    if (key.size >= sizeof name)
        return (tocsin_value_t){NULL, 0};
    memcpy(name, key.data, key.size);
    name[key.size] = '\0';
    return tocsin_value_of(map, name);
}

static void write_row(const heading_t *heading, tocsin_value_t map, FILE *out)
{
    for (size_t i = 0; i < heading->count; i++) {
        fputs(i == 0 ? "" : ",", out);
        output_csv_cell(value_of(map, heading->keys[i]), out);
    }
    fputc('\n', out);
}

void output_csv(tocsin_value_t items, FILE *out)
{
    heading_t heading = {.count = 0};
    cursor_t start = cursor_over(items.bytes, items.size), cursor;
    value_t head;
    must(cursor_read(&start, &head) && head.type == VALUE_ARRAY);
    cursor = start;
    for (uint32_t i = 0; i < head.as.count; i++)
        collect_keys(&heading, &cursor);
    for (size_t i = 0; i < heading.count; i++) {
        fputs(i == 0 ? "" : ",", out);
        write_field(heading.keys[i], out);
    }
    fputs(heading.count == 0 ? "" : "\n", out);
    cursor = start;
    for (uint32_t i = 0; i < head.as.count; i++) {
        const uint8_t *at = cursor.at;
        must(cursor_skip(&cursor));
        write_row(&heading, (tocsin_value_t){at, (size_t)(cursor.at - at)}, out);
    }
}
