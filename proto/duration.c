/*  Durations as Prometheus writes them (prometheus/common, model.ParseDuration). */
#include "proto/cursor.h"

typedef struct {
    const char *name;
    uint64_t milliseconds;
} unit_t;

/* In the order in which they may stand. "ms" is told from "m" by what follows the m. */
static const unit_t units[] = {
    {"y", UINT64_C(31536000000)},
    {"w", 604800000},
    {"d", 86400000},
    {"h", 3600000},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1},
};
#define UNITS (sizeof units / sizeof *units)

/*  The letters at the front of `rest`, taken from it. */
static text_t take_letters(text_t *rest)
{
    text_t letters = {rest->data, 0};
    while (letters.size < rest->size && rest->data[letters.size] >= 'a' &&
           rest->data[letters.size] <= 'z')
        letters.size++;
    rest->data += letters.size;
    rest->size -= letters.size;
    return letters;
}

/*  The digits at the front of `rest`, taken from it; false if there are none or too many. */
static bool take_digits(text_t *rest, uint64_t *number)
{
    size_t count = 0;
    *number = 0;
    for (; count < rest->size && rest->data[count] >= '0' && rest->data[count] <= '9'; count++) {
        if (__builtin_mul_overflow(*number, UINT64_C(10), number) ||
            __builtin_add_overflow(*number, (uint64_t)(rest->data[count] - '0'), number))
            return false;
    }
    rest->data += count;
    rest->size -= count;
    return count > 0;
}

/*  Which unit from `first` on; UNITS if none. */
static size_t find_unit(text_t name, size_t first)
{
    while (first < UNITS && !text_is(name, units[first].name))
        first++;
    return first;
}

bool duration_parse(text_t text, double *seconds)
{
    if (text_is(text, "0")) {
        *seconds = 0;
        return true;
    }
    uint64_t sum = 0;
    size_t next = 0;
    if (text.size == 0)
        return false;
    while (text.size > 0) {
        uint64_t number;
        if (!take_digits(&text, &number))
            return false;
        size_t unit = find_unit(take_letters(&text), next);
        if (unit == UNITS || __builtin_mul_overflow(number, units[unit].milliseconds, &number) ||
            __builtin_add_overflow(sum, number, &sum))
            return false;
        next = unit + 1;
    }
    *seconds = (double)sum / 1000;
    return true;
}
