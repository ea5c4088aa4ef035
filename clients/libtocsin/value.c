#include "proto/cursor.h"

#include <string.h>
#include <tocsin.h>

static cursor_t over(tocsin_value_t value)
{
    return cursor_over(value.bytes, value.size);
}

static bool read_one(tocsin_value_t value, value_t *out)
{
    cursor_t cursor = over(value);
    return value.size > 0 && cursor_read(&cursor, out);
}

/*  The whole value at the cursor, which moves behind it. */
static tocsin_value_t take_whole(cursor_t *cursor)
{
    const uint8_t *start = cursor->at;
    if (!cursor_skip(cursor))
        return (tocsin_value_t){NULL, 0};
    return (tocsin_value_t){start, (size_t)(cursor->at - start)};
}

tocsin_value_t tocsin_value_of(tocsin_value_t map, const char *key)
{
    cursor_t cursor = over(map);
    value_t head;
    if (map.size == 0 || !cursor_read(&cursor, &head) || head.type != VALUE_MAP)
        return (tocsin_value_t){NULL, 0};
    for (uint32_t i = 0; i < head.as.count; i++) {
        size_t size;
        const char *name = tocsin_value_text(take_whole(&cursor), &size);
        tocsin_value_t value = take_whole(&cursor);
        if (name != NULL && size == strlen(key) && memcmp(name, key, size) == 0)
            return value;
    }
    return (tocsin_value_t){NULL, 0};
}

size_t tocsin_value_count(tocsin_value_t value)
{
    value_t head;
    if (!read_one(value, &head) || (head.type != VALUE_MAP && head.type != VALUE_ARRAY))
        return 0;
    return head.as.count;
}

tocsin_value_t tocsin_value_at(tocsin_value_t array, size_t index)
{
    cursor_t cursor = over(array);
    value_t head;
    if (array.size == 0 || !cursor_read(&cursor, &head) || head.type != VALUE_ARRAY ||
        index >= head.as.count)
        return (tocsin_value_t){NULL, 0};
    for (size_t i = 0; i < index; i++)
        if (!cursor_skip(&cursor))
            return (tocsin_value_t){NULL, 0};
    return take_whole(&cursor);
}

bool tocsin_value_number(tocsin_value_t value, double *number)
{
    value_t read;
    return read_one(value, &read) && value_number(&read, number);
}

bool tocsin_value_integer(tocsin_value_t value, int64_t *integer)
{
    value_t read;
    if (!read_one(value, &read))
        return false;
    if (read.type == VALUE_INT)
        *integer = read.as.i;
    else if (read.type == VALUE_UINT && read.as.u <= INT64_MAX)
        *integer = (int64_t)read.as.u;
    else
        return false;
    return true;
}

bool tocsin_value_boolean(tocsin_value_t value, bool *boolean)
{
    value_t read;
    if (!read_one(value, &read) || read.type != VALUE_BOOL)
        return false;
    *boolean = read.as.boolean;
    return true;
}

const char *tocsin_value_text(tocsin_value_t value, size_t *size)
{
    value_t read;
    *size = 0;
    if (!read_one(value, &read) || read.type != VALUE_STR)
        return NULL;
    *size = read.as.text.size;
    return read.as.text.data;
}

const char *tocsin_value_copy(tocsin_value_t value, char *copy, size_t capacity)
{
    size_t size;
    const char *text = tocsin_value_text(value, &size);
    if (capacity == 0)
        return copy;
    if (size > capacity - 1)
        size = capacity - 1;
    if (size > 0)
        memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}
