/*  table - which items may have this hash?
 *
 *  Open addressing with linear probing over slots of eight bytes; the items themselves, and the
 *  comparison of keys, are the caller's. An item is a number from 1; 0 is the empty slot.
 *
 *  Owns     its slots, taken in table_init and table_grow; pages that no item falls into are never
 *           touched
 *  Bounds   as many items as table_init was told; at that many two thirds of the slots are in use
 *  Thread   one
 *  Refuses  nothing: more items than that is the caller's bug
 *
 *  Seed: Knuth, The Art of Computer Programming, vol. 3, 6.4, algorithms L and R (removal moves the
 *  later items of the run back, so that nothing is left behind that slows down later probes).
 */
#ifndef ENGINES_TABLE_H
#define ENGINES_TABLE_H

#include <stdint.h>

typedef struct {
    uint32_t hash; /* the low half of the hash */
    uint32_t item;
} slot_t;

typedef struct {
    slot_t *slots;
    uint32_t mask;  /* slots - 1; a power of two less one */
    uint32_t count; /* items held */
    uint32_t limit;
} table_t;

void table_init(table_t *self, uint32_t limit);
void table_free(table_t *self);
/*  Make room for more items: the one function whose time grows with what is held. */
void table_grow(table_t *self, uint32_t limit);
void table_add(table_t *self, uint64_t hash, uint32_t item);
void table_remove(table_t *self, uint64_t hash, uint32_t item);

/*  Walk the items that were added under (the low half of) `hash`: start with *probe = 0, until 0 is
 *  answered. */
static inline uint32_t table_next(const table_t *self, uint64_t hash, uint32_t *probe)
{
    for (;;) {
        const slot_t *slot = &self->slots[((uint32_t)hash + *probe) & self->mask];
        *probe += 1;
        if (slot->item == 0 || slot->hash == (uint32_t)hash)
            return slot->item;
    }
}

static inline void table_prefetch(const table_t *self, uint64_t hash)
{
    __builtin_prefetch(&self->slots[(uint32_t)hash & self->mask]);
}

#endif
