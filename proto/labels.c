#include "proto/labels.h"

#include "proto/must.h"

#include <string.h>

/*  Labels in the making, sorted by name. */
typedef struct {
    label_t items[LABELS_MAX];
    size_t count;
} sorted_t;

/*  Where the canonical bytes are written to. */
typedef struct {
    uint8_t *bytes;
    uint32_t size;
    uint32_t count;
} writer_t;

static text_t read_text(cursor_t *cursor)
{
    value_t value;
    must(cursor_read(cursor, &value));
    must(value.type == VALUE_STR);
    return value.as.text;
}

static label_t read_label(cursor_t *cursor)
{
    text_t name = read_text(cursor);
    return (label_t){name, read_text(cursor)};
}

static size_t write_header(uint8_t *at, size_t size)
{
    if (size < 32) {
        at[0] = (uint8_t)(0xa0 | size);
        return 1;
    }
    if (size < 256) {
        at[0] = 0xd9;
        at[1] = (uint8_t)size;
        return 2;
    }
    at[0] = 0xda;
    at[1] = (uint8_t)(size >> 8);
    at[2] = (uint8_t)size;
    return 3;
}

static void write_text(writer_t *writer, text_t text)
{
    must(text.size <= UINT16_MAX && writer->size + 3 + text.size <= LABELS_MAX_BYTES);
    writer->size += (uint32_t)write_header(writer->bytes + writer->size, text.size);
    if (text.size > 0)
        memcpy(writer->bytes + writer->size, text.data, text.size);
    writer->size += (uint32_t)text.size;
}

static void write_label(writer_t *writer, label_t label)
{
    if (label.value.size == 0)
        return;
    must(writer->count < LABELS_MAX);
    write_text(writer, label.name);
    write_text(writer, label.value);
    writer->count++;
}

static labels_t written(const writer_t *writer)
{
    return (labels_t){writer->bytes, writer->size, writer->count};
}

/*  Put a label into its place; one of the same name gives way. */
static void put(sorted_t *sorted, label_t label)
{
    size_t place = sorted->count;
    int order = 1;
    while (place > 0 && (order = text_compare(sorted->items[place - 1].name, label.name)) > 0)
        place--;
    if (place > 0 && order == 0) {
        sorted->items[place - 1].value = label.value;
        return;
    }
    must(sorted->count < LABELS_MAX);
    memmove(&sorted->items[place + 1], &sorted->items[place],
            (sorted->count - place) * sizeof *sorted->items);
    sorted->items[place] = label;
    sorted->count++;
}

static labels_t write_sorted(const sorted_t *sorted, uint8_t *buffer)
{
    writer_t writer = {.bytes = buffer};
    for (size_t i = 0; i < sorted->count; i++)
        write_label(&writer, sorted->items[i]);
    return written(&writer);
}

bool labels_next(labels_t self, uint32_t *at, label_t *label)
{
    if (*at >= self.size)
        return false;
    cursor_t cursor = cursor_over(self.bytes + *at, self.size - *at);
    *label = read_label(&cursor);
    *at = (uint32_t)(cursor.at - self.bytes);
    return true;
}

text_t labels_get(labels_t self, text_t name)
{
    label_t label;
    for (uint32_t at = 0; labels_next(self, &at, &label);) {
        if (text_equal(label.name, name))
            return label.value;
    }
    return TEXT_NONE;
}

static text_t bytes_of(labels_t labels)
{
    return (text_t){(const char *)labels.bytes, labels.size};
}

bool labels_equal(labels_t a, labels_t b)
{
    return text_equal(bytes_of(a), bytes_of(b));
}

int labels_compare(labels_t a, labels_t b)
{
    return text_compare(bytes_of(a), bytes_of(b));
}

bool labels_include(labels_t self, labels_t wanted)
{
    label_t want, have;
    uint32_t at = 0;
    for (uint32_t wanted_at = 0; labels_next(wanted, &wanted_at, &want);) {
        int order = -1;
        while (order < 0 && labels_next(self, &at, &have))
            order = text_compare(have.name, want.name);
        if (order != 0 || !text_equal(have.value, want.value))
            return false;
    }
    return true;
}

labels_t labels_canonical(raw_labels_t raw, uint8_t *buffer)
{
    sorted_t sorted = {.count = 0};
    cursor_t cursor = cursor_over(raw.bytes, raw.size);
    for (uint32_t i = 0; i < raw.count; i++) {
        label_t label = read_label(&cursor);
        if (label.value.size > 0)
            put(&sorted, label);
    }
    return write_sorted(&sorted, buffer);
}

labels_t labels_build(const label_t *pairs, size_t count, uint8_t *buffer)
{
    must(count <= LABELS_MAX);
    sorted_t sorted = {.count = 0};
    for (size_t i = 0; i < count; i++)
        put(&sorted, pairs[i]);
    return write_sorted(&sorted, buffer);
}

labels_t labels_merge(labels_t base, labels_t over, uint8_t *buffer)
{
    writer_t writer = {.bytes = buffer};
    label_t below, above;
    uint32_t base_at = 0, over_at = 0;
    bool more_below = labels_next(base, &base_at, &below);
    bool more_above = labels_next(over, &over_at, &above);
    while (more_below || more_above) {
        int order = !more_above ? -1 : !more_below ? 1 : text_compare(below.name, above.name);
        write_label(&writer, order < 0 ? below : above);
        if (order <= 0)
            more_below = labels_next(base, &base_at, &below);
        if (order >= 0)
            more_above = labels_next(over, &over_at, &above);
    }
    return written(&writer);
}

labels_t labels_without(labels_t self, text_t name, uint8_t *buffer)
{
    writer_t writer = {.bytes = buffer};
    label_t label;
    for (uint32_t at = 0; labels_next(self, &at, &label);) {
        if (!text_equal(label.name, name))
            write_label(&writer, label);
    }
    return written(&writer);
}
