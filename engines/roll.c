#include "engines/roll.h"

#include "proto/must.h"

#include <stdlib.h>

/* Entries per item: when the list is full, at least half of it are holes. */
#define ROLL_SLACK 2u

void roll_init(roll_t *self, uint32_t limit)
{
    uint32_t capacity = ROLL_SLACK * limit;
    must(capacity / ROLL_SLACK == limit);
    *self = (roll_t){.serials = memory_new(capacity, sizeof(uint64_t)),
                     .items = memory_new(capacity, sizeof(uint32_t)),
                     .capacity = capacity};
}

void roll_free(roll_t *self)
{
    free(self->serials);
    free(self->items);
    *self = (roll_t){0};
}

void roll_grow(roll_t *self, uint32_t limit)
{
    uint32_t capacity = ROLL_SLACK * limit;
    must(capacity / ROLL_SLACK == limit);
    if (capacity <= self->capacity)
        return;
    self->serials = memory_grow(self->serials, capacity, sizeof(uint64_t));
    self->items = memory_grow(self->items, capacity, sizeof(uint32_t));
    self->capacity = capacity;
}

static void close_holes(roll_t *self)
{
    uint32_t kept = 0;
    for (uint32_t at = 0; at < self->used; at++) {
        if (self->items[at] == 0)
            continue;
        self->serials[kept] = self->serials[at];
        self->items[kept++] = self->items[at];
    }
    self->used = kept;
}

uint64_t roll_add(roll_t *self, uint32_t item)
{
    must(item != 0);
    if (self->used == self->capacity)
        close_holes(self);
    must(self->used < self->capacity);
    self->serials[self->used] = ++self->last;
    self->items[self->used++] = item;
    self->count++;
    return self->last;
}

/* The first entry with a serial greater than `serial`. */
static uint32_t entry_after(const roll_t *self, uint64_t serial)
{
    uint32_t low = 0, high = self->used;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (self->serials[middle] <= serial)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void roll_remove(roll_t *self, uint64_t serial)
{
    must(serial > 0);
    uint32_t at = entry_after(self, serial - 1);
    must(at < self->used && self->serials[at] == serial && self->items[at] != 0);
    self->items[at] = 0;
    self->count--;
}

uint32_t roll_next(const roll_t *self, uint64_t *serial)
{
    for (uint32_t at = entry_after(self, *serial); at < self->used; at++) {
        if (self->items[at] == 0)
            continue;
        *serial = self->serials[at];
        return self->items[at];
    }
    return 0;
}
