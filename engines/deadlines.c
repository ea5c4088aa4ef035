#include "engines/deadlines.h"

#include "proto/instant.h"
#include "proto/must.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void deadlines_init(deadlines_t *self, uint32_t limit)
{
    *self = (deadlines_t){.heap = memory_new((size_t)limit + 1, sizeof(deadline_t)),
                          .places = memory_new((size_t)limit + 1, sizeof(uint32_t)),
                          .limit = limit};
}

void deadlines_free(deadlines_t *self)
{
    free(self->heap);
    free(self->places);
    *self = (deadlines_t){0};
}

void deadlines_grow(deadlines_t *self, uint32_t limit)
{
    if (limit <= self->limit)
        return;
    self->heap = memory_grow(self->heap, (size_t)limit + 1, sizeof(deadline_t));
    self->places = memory_grow(self->places, (size_t)limit + 1, sizeof(uint32_t));
    memset(self->places + self->limit + 1, 0, (limit - self->limit) * sizeof(uint32_t));
    self->limit = limit;
}

static bool comes_before(const deadline_t *a, const deadline_t *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void lay(deadlines_t *self, uint32_t place, deadline_t deadline)
{
    self->heap[place] = deadline;
    self->places[deadline.item] = place;
}

/*  Find the place of a deadline upwards from a place that is free. */
static void rise(deadlines_t *self, uint32_t place, deadline_t deadline)
{
    for (; place > 1 && comes_before(&deadline, &self->heap[place / 2]); place /= 2)
        lay(self, place, self->heap[place / 2]);
    lay(self, place, deadline);
}

static void sink(deadlines_t *self, uint32_t place, deadline_t deadline)
{
    for (uint32_t child; (child = place * 2) <= self->count; place = child) {
        if (child < self->count && comes_before(&self->heap[child + 1], &self->heap[child]))
            child++;
        if (!comes_before(&self->heap[child], &deadline))
            break;
        lay(self, place, self->heap[child]);
    }
    lay(self, place, deadline);
}

void deadlines_clear(deadlines_t *self, uint32_t item)
{
    must(item > 0 && item <= self->limit);
    uint32_t place = self->places[item];
    if (place == 0)
        return;
    deadline_t last = self->heap[self->count--];
    self->places[item] = 0;
    if (last.item == item)
        return;
    if (place > 1 && comes_before(&last, &self->heap[place / 2]))
        rise(self, place, last);
    else
        sink(self, place, last);
}

void deadlines_set(deadlines_t *self, uint32_t item, int64_t at_ns, uint64_t order)
{
    deadlines_clear(self, item);
    rise(self, ++self->count, (deadline_t){at_ns, order, item});
}

int64_t deadlines_next(const deadlines_t *self)
{
    return self->count == 0 ? INSTANT_NEVER : self->heap[1].at_ns;
}

uint32_t deadlines_take(deadlines_t *self, int64_t now_ns)
{
    if (deadlines_next(self) > now_ns || self->count == 0)
        return 0;
    uint32_t item = self->heap[1].item;
    deadlines_clear(self, item);
    return item;
}
