/*  range_buffer - what was a series worth in each of the last so many seconds?
 *
 *  Keeps the last value of each second, with the moment at which it came; of the values before its
 *  span one, so that it is known what the series was worth when the span began.
 *
 *  Owns     its points
 *  Bounds   12 bytes a point; at most one point a second of the span, and three. What it takes
 * comes out of a budget that all buffers share: when that is used up the oldest points go Time
 * handed in, in milliseconds; never earlier than before Thread   one Refuses  nothing
 */
#ifndef ENGINES_RANGE_BUFFER_H
#define ENGINES_RANGE_BUFFER_H

#include "engines/condition.h"

#include <stdbool.h>
#include <stdint.h>

/*  Bytes that all buffers may take together, and do take. */
typedef struct {
    uint64_t limit, used;
} range_budget_t;

typedef struct {
    uint32_t *times; /* the low half of the milliseconds */
    double *values;
    uint32_t first, count, room; /* a ring */
    uint32_t users;              /* who share it */
    int64_t last_ms;
    int64_t span_ms;
    int64_t lost_ms; /* the last moment of which something went for want of room; INT64_MIN: none */
} range_buffer_t;

range_buffer_t *range_buffer_new(int64_t span_ms);
void range_buffer_destroy(range_buffer_t **self, range_budget_t *budget);

/*  It reaches back so far from now on, at most 40 days. */
void range_buffer_widen(range_buffer_t *self, int64_t span_ms);

void range_buffer_add(range_buffer_t *self, int64_t at_ms, double value, range_budget_t *budget);

/*  Copy the points from from_ms to to_ms, both included; `out` has room for `count` of them. */
size_t range_buffer_copy(const range_buffer_t *self, int64_t from_ms, int64_t to_ms, point_t *out);

/*  The same of a value that stands until it is set anew: a point a second, counted back from to_ms.
 *  `out` has room for (to_ms - from_ms) / 1000 + 1. */
size_t range_buffer_steps(const range_buffer_t *self, int64_t from_ms, int64_t to_ms, point_t *out);

#endif
