#include "clients/tocsin/output.h"

#include "clients/tocsin/cell.h"
#include "clients/tocsin/paint.h"
#include "proto/cursor.h"
#include "proto/must.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define COLUMNS_MAX 16u
#define GAP 2u

typedef struct {
    char keys[COLUMNS_MAX][32];
    char forms[COLUMNS_MAX][32]; /* the key as which a cell is shown */
    size_t widths[COLUMNS_MAX];
    size_t count;
    char **cells; /* row by row, the heading first */
    size_t rows;
    bool painted;
    size_t width; /* of the terminal; 0: no end */
} table_t;

/* -- the cells -- */

/*  "mean" is shown as its key says, "mean=duration" as a duration. */
static void read_columns(table_t *self, const char *columns)
{
    for (; *columns != '\0'; columns += strspn(columns, " ")) {
        must(self->count < COLUMNS_MAX);
        char *key = self->keys[self->count], *form = self->forms[self->count++];
        size_t size = strcspn(columns, " ="), rest = strcspn(columns + size, " ");
        must(size < sizeof self->keys[0] && rest < sizeof self->forms[0]);
        memcpy(key, columns, size);
        memcpy(form, rest > 0 ? columns + size + 1 : columns, rest > 0 ? rest - 1 : size);
        columns += size + rest;
    }
}

static void put_cell(table_t *self, size_t row, size_t column, char *text)
{
    size_t width = cell_width(text);
    self->cells[row * self->count + column] = text;
    if (width > self->widths[column])
        self->widths[column] = width;
}

/*  "error_ratio" -> "ERROR RATIO" */
static char *heading_of(const char *key)
{
    char *text = memory_copy(key, strlen(key) + 1);
    for (char *c = text; *c != '\0'; c++)
        *c = *c == '_' ? ' ' : (char)toupper((unsigned char)*c);
    return text;
}

static char *text_of_value(const char *key, tocsin_value_t value)
{
    if (value.size == 0)
        return memory_copy("-", 2);
    cursor_t cursor = cursor_over(value.bytes, value.size);
    return cell_text(text_of(key), &cursor);
}

static void read_items(table_t *self, tocsin_value_t items)
{
    cursor_t cursor = cursor_over(items.bytes, items.size);
    value_t head;
    must(cursor_read(&cursor, &head) && head.type == VALUE_ARRAY);
    self->rows = head.as.count + 1u;
    self->cells = memory_new(self->rows * self->count, sizeof *self->cells);
    for (size_t column = 0; column < self->count; column++)
        put_cell(self, 0, column, heading_of(self->keys[column]));
    for (size_t row = 1; row < self->rows; row++) {
        const uint8_t *at = cursor.at;
        must(cursor_skip(&cursor));
        tocsin_value_t map = {at, (size_t)(cursor.at - at)};
        for (size_t column = 0; column < self->count; column++)
            put_cell(self, row, column,
                     text_of_value(self->forms[column], tocsin_value_of(map, self->keys[column])));
    }
}

/* -- on paper -- */

/*  The longest beginning that needs at most `width` columns; its bytes are answered. */
static size_t cut_to(char *text, size_t width)
{
    size_t size = strlen(text);
    while (size > 0 && cell_width(text) > width) {
        do
            size--;
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80);
        text[size] = '\0';
    }
    return size;
}

static void write_cell(const table_t *self, size_t row, size_t column, size_t start, FILE *out)
{
    char *text = self->cells[row * self->count + column];
    if (self->width > 0)
        cut_to(text, start < self->width ? self->width - start : 0);
    text_t word = text_of(text);
    if (self->painted)
        fputs(row == 0 ? PAINT_HEADING : paint_begin(word), out);
    fputs(text, out);
    if (self->painted)
        fputs(row == 0 ? PAINT_NORMAL : paint_end(word), out);
}

static void write_row(const table_t *self, size_t row, FILE *out)
{
    size_t start = 0;
    for (size_t column = 0; column < self->count; column++) {
        size_t width = cell_width(self->cells[row * self->count + column]);
        write_cell(self, row, column, start, out);
        start += self->widths[column] + GAP;
        if (column + 1 < self->count && (self->width == 0 || start < self->width))
            fprintf(out, "%*s", (int)(self->widths[column] - width + GAP), "");
    }
    fputc('\n', out);
}

static size_t terminal_width(FILE *out)
{
    struct winsize size;
    return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void output_table(const char *columns, tocsin_value_t items, FILE *out)
{
    table_t table = {.painted = paint_allowed(out), .width = terminal_width(out)};
    read_columns(&table, columns);
    read_items(&table, items);
    for (size_t row = 0; row < table.rows; row++)
        write_row(&table, row, out);
    for (size_t i = 0; i < table.rows * table.count; i++)
        free(table.cells[i]);
    free(table.cells);
}
