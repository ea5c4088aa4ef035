#include "engines/table.h"

#include "proto/must.h"

#include <stdlib.h>

/* Fewer are not worth their own size. */
#define TABLE_SLOTS_MIN 16u
/* Distance of slots is kept in 32 bits. */
#define TABLE_LIMIT_MAX (UINT32_C(1) << 30)

void table_init(table_t *self, uint32_t limit)
{
    must(limit <= TABLE_LIMIT_MAX);
    uint64_t slots = TABLE_SLOTS_MIN;
    while (slots < (uint64_t)limit + limit / 2 + 1)
        slots *= 2;
    *self = (table_t){
        .slots = memory_new(slots, sizeof(slot_t)), .mask = (uint32_t)(slots - 1), .limit = limit};
}

void table_free(table_t *self)
{
    free(self->slots);
    *self = (table_t){0};
}

void table_grow(table_t *self, uint32_t limit)
{
    table_t old = *self;
    if (limit <= old.limit)
        return;
    table_init(self, limit);
    for (uint64_t at = 0; at <= old.mask; at++)
        if (old.slots[at].item != 0)
            table_add(self, old.slots[at].hash, old.slots[at].item);
    table_free(&old);
}

void table_add(table_t *self, uint64_t hash, uint32_t item)
{
    must(item != 0 && self->count < self->limit);
    uint32_t at = (uint32_t)hash & self->mask;
    while (self->slots[at].item != 0)
        at = (at + 1) & self->mask;
    self->slots[at] = (slot_t){(uint32_t)hash, item};
    self->count++;
}

static uint32_t slot_of(const table_t *self, uint64_t hash, uint32_t item)
{
    uint32_t at = (uint32_t)hash & self->mask;
    while (self->slots[at].item != item || self->slots[at].hash != (uint32_t)hash) {
        must(self->slots[at].item != 0);
        at = (at + 1) & self->mask;
    }
    return at;
}

void table_remove(table_t *self, uint64_t hash, uint32_t item)
{
    uint32_t hole = slot_of(self, hash, item);
    for (uint32_t at = (hole + 1) & self->mask; self->slots[at].item != 0;
         at = (at + 1) & self->mask) {
        uint32_t from_home = (at - self->slots[at].hash) & self->mask;
        uint32_t from_hole = (at - hole) & self->mask;
        if (from_home < from_hole)
            continue; /* its home lies behind the hole: it may not move before it */
        self->slots[hole] = self->slots[at];
        hole = at;
    }
    self->slots[hole] = (slot_t){0, 0};
    self->count--;
}
