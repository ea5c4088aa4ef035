#include "clients/tocsin/output.h"

#include "clients/tocsin/cell.h"
#include "clients/tocsin/paint.h"
#include "proto/cursor.h"
#include "proto/must.h"

#include <stdlib.h>

/*  A map with a line a key; lists of maps have a line an element, below each other. */
typedef struct {
    FILE *out;
    int indent; /* of what stands behind the keys */
    bool painted;
} writing_t;

static bool is_container(cursor_t cursor)
{
    value_t value;
    bool empty = cell_is_empty(cursor);
    must(cursor_read(&cursor, &value));
    return !empty && (value.type == VALUE_MAP || value.type == VALUE_ARRAY);
}

/*  Does a container hold containers? Then it does not fit on one line. */
static bool is_deep(cursor_t cursor)
{
    value_t head;
    must(cursor_read(&cursor, &head));
    if (head.type != VALUE_MAP && head.type != VALUE_ARRAY)
        return false;
    for (uint32_t i = 0; i < head.as.count; i++) {
        if (head.type == VALUE_MAP)
            must(cursor_skip(&cursor));
        if (is_container(cursor))
            return true;
        must(cursor_skip(&cursor));
    }
    return false;
}

/*  The values of a map, its keys left out, nil left out: "2026-11-25T17:00:00Z  anna  it is the
 *  disk". */
static void write_values(const writing_t *self, cursor_t *cursor)
{
    value_t map;
    const char *gap = "";
    must(cursor_read(cursor, &map));
    for (uint32_t i = 0; i < map.as.count; i++) {
        text_t key = cell_read_key(cursor);
        if (cell_is_empty(*cursor)) {
            must(cursor_skip(cursor));
            continue;
        }
        fputs(gap, self->out);
        cell_write(key, cursor, self->out);
        gap = "  ";
    }
}

static void write_element(const writing_t *self, text_t key, bool map, cursor_t *cursor)
{
    value_t value;
    if (map) {
        text_t name = cell_read_key(cursor);
        fprintf(self->out, "%.*s: ", (int)name.size, name.data);
        cell_write(name, cursor, self->out);
        return;
    }
    cursor_t look = *cursor;
    must(cursor_read(&look, &value));
    if (value.type == VALUE_MAP)
        write_values(self, cursor);
    else
        cell_write(key, cursor, self->out);
}

static void write_deep(const writing_t *self, text_t key, cursor_t *cursor)
{
    value_t head;
    must(cursor_read(cursor, &head));
    for (uint32_t i = 0; i < head.as.count; i++) {
        if (i > 0)
            fprintf(self->out, "\n%*s", self->indent, "");
        write_element(self, key, head.type == VALUE_MAP, cursor);
    }
}

static void write_flat(const writing_t *self, text_t key, cursor_t *cursor)
{
    char *text = cell_text(key, cursor);
    text_t word = text_of(text);
    if (self->painted)
        fputs(paint_begin(word), self->out);
    fputs(text, self->out);
    if (self->painted)
        fputs(paint_end(word), self->out);
    free(text);
}

static int longest_key(cursor_t cursor, uint32_t count)
{
    size_t longest = 0;
    for (uint32_t i = 0; i < count; i++) {
        text_t key = cell_read_key(&cursor);
        must(cursor_skip(&cursor));
        if (key.size > longest)
            longest = key.size;
    }
    return (int)longest;
}

void output_thing(tocsin_value_t map, FILE *out)
{
    cursor_t cursor = cursor_over(map.bytes, map.size);
    writing_t writing = {.out = out, .painted = paint_allowed(out)};
    value_t head;
    must(cursor_read(&cursor, &head));
    if (head.type != VALUE_MAP) {
        cursor = cursor_over(map.bytes, map.size);
        cell_write(TEXT_NONE, &cursor, out);
        fputc('\n', out);
        return;
    }
    writing.indent = longest_key(cursor, head.as.count) + 2;
    for (uint32_t i = 0; i < head.as.count; i++) {
        text_t key = cell_read_key(&cursor);
        fprintf(out, "%-*.*s", writing.indent, (int)key.size, key.data);
        if (is_deep(cursor))
            write_deep(&writing, key, &cursor);
        else
            write_flat(&writing, key, &cursor);
        fputc('\n', out);
    }
}
