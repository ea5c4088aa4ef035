#include "engines/observability/range_buffer.h"

#include "proto/must.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_MS 1000
#define POINT_BYTES (sizeof(uint32_t) + sizeof(double))
#define ROOM_FIRST 8u

/* Differences of times are told by their low halves, so that no two may be further apart; a span
 * leaves room for the one point before it. */
#define APART_MAX_MS INT64_C(0xffffffff)
#define SPAN_MAX_MS (INT64_C(40) * 86400 * SECOND_MS)

range_buffer_t *range_buffer_new(int64_t span_ms)
{
    range_buffer_t *self = memory_new(1, sizeof *self);
    self->lost_ms = INT64_MIN;
    range_buffer_widen(self, span_ms);
    return self;
}

void range_buffer_destroy(range_buffer_t **self_p, range_budget_t *budget)
{
    range_buffer_t *self = *self_p;
    if (self == NULL)
        return;
    budget->used -= self->room * POINT_BYTES;
    free(self->times);
    free(self->values);
    free(self);
    *self_p = NULL;
}

void range_buffer_widen(range_buffer_t *self, int64_t span_ms)
{
    if (span_ms > SPAN_MAX_MS)
        span_ms = SPAN_MAX_MS;
    if (span_ms > self->span_ms)
        self->span_ms = span_ms;
}

/* -- points -- */

static uint32_t slot(const range_buffer_t *self, uint32_t index)
{
    uint32_t at = self->first + index;
    return at < self->room ? at : at - self->room;
}

static int64_t time_of(const range_buffer_t *self, uint32_t index)
{
    return self->last_ms - (int64_t)((uint32_t)self->last_ms - self->times[slot(self, index)]);
}

static void drop_first(range_buffer_t *self)
{
    self->first = slot(self, 1);
    self->count--;
}

/* Two points and more before the span: the older ones tell nothing any more. */
static void forget(range_buffer_t *self, int64_t now_ms)
{
    while (self->count > 0 && now_ms - time_of(self, 0) >= APART_MAX_MS)
        drop_first(self);
    while (self->count >= 2 && time_of(self, 1) < now_ms - self->span_ms)
        drop_first(self);
}

static uint32_t room_most(const range_buffer_t *self)
{
    return (uint32_t)(self->span_ms / SECOND_MS) + 3;
}

/* Move the ring to the front of a greater one. */
static void *unroll(const range_buffer_t *self, void *old, size_t size, uint32_t room)
{
    uint8_t *grown = memory_grow(NULL, room, size);
    uint32_t behind =
        self->room - self->first < self->count ? self->room - self->first : self->count;
    if (self->count > 0) {
        memcpy(grown, (uint8_t *)old + self->first * size, behind * size);
        memcpy(grown + behind * size, old, (self->count - behind) * size);
    }
    free(old);
    return grown;
}

static bool grow(range_buffer_t *self, range_budget_t *budget)
{
    uint32_t most = room_most(self), room = self->room == 0 ? ROOM_FIRST : 2 * self->room;
    room = room < most ? room : most;
    if (room <= self->room || budget->limit - budget->used < (room - self->room) * POINT_BYTES)
        return false;
    budget->used += (room - self->room) * POINT_BYTES;
    self->times = unroll(self, self->times, sizeof *self->times, room);
    self->values = unroll(self, self->values, sizeof *self->values, room);
    self->first = 0;
    self->room = room;
    return true;
}

static void append(range_buffer_t *self, int64_t at_ms, double value)
{
    uint32_t at = slot(self, self->count++);
    self->times[at] = (uint32_t)at_ms;
    self->values[at] = value;
}

void range_buffer_add(range_buffer_t *self, int64_t at_ms, double value, range_budget_t *budget)
{
    if (self->count > 0 && at_ms / SECOND_MS == self->last_ms / SECOND_MS)
        self->count--; /* of each second the last */
    else
        forget(self, at_ms);
    if (self->count == self->room && !grow(self, budget)) {
        if (self->room == 0) {
            self->lost_ms = at_ms;
            return;
        }
        self->lost_ms = time_of(self, 0);
        drop_first(self);
    }
    self->last_ms = at_ms;
    append(self, at_ms, value);
}

/* -- looks -- */

/* The first point that is not before `from_ms`. */
static uint32_t find(const range_buffer_t *self, int64_t from_ms)
{
    uint32_t low = 0, high = self->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (time_of(self, middle) < from_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t range_buffer_copy(const range_buffer_t *self, int64_t from_ms, int64_t to_ms, point_t *out)
{
    size_t count = 0;
    for (uint32_t i = find(self, from_ms); i < self->count; i++) {
        int64_t at = time_of(self, i);
        if (at > to_ms)
            break;
        out[count++] = (point_t){at, self->values[slot(self, i)]};
    }
    return count;
}

size_t range_buffer_steps(const range_buffer_t *self, int64_t from_ms, int64_t to_ms, point_t *out)
{
    size_t count = 0;
    int64_t at = to_ms - (to_ms - from_ms) / SECOND_MS * SECOND_MS;
    uint32_t next = find(self, at + 1);
    for (; at <= to_ms; at += SECOND_MS) {
        while (next < self->count && time_of(self, next) <= at)
            next++;
        if (next > 0)
            out[count++] = (point_t){at, self->values[slot(self, next - 1)]};
    }
    return count;
}
