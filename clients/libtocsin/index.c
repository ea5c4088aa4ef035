#include "clients/libtocsin/index.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 64u

void index_free(index_t *self)
{
    free(self->slots);
    *self = (index_t){0};
}

void index_clear(index_t *self)
{
    if (self->count > 0)
        memset(self->slots, 0, self->slot_count * sizeof *self->slots);
    self->count = 0;
}

index_probe_t index_probe(const index_t *self, uint64_t hash)
{
    return (index_probe_t){self->slot_count == 0 ? 0 : hash & (self->slot_count - 1), hash};
}

bool index_next(const index_t *self, index_probe_t *probe, uint32_t *number)
{
    while (self->slot_count > 0 && self->slots[probe->at].number_1 != 0) {
        const index_slot_t *slot = &self->slots[probe->at];
        probe->at = (probe->at + 1) & (self->slot_count - 1);
        if (slot->hash == probe->hash) {
            *number = slot->number_1 - 1;
            return true;
        }
    }
    return false;
}

static void place(index_slot_t *slots, size_t slot_count, index_slot_t slot)
{
    size_t at = slot.hash & (slot_count - 1);
    while (slots[at].number_1 != 0)
        at = (at + 1) & (slot_count - 1);
    slots[at] = slot;
}

/*  At most half of the slots are taken, so that a search is short and always ends. */
static bool make_room(index_t *self)
{
    if (2 * (self->count + 1) <= self->slot_count)
        return true;
    size_t slot_count = self->slot_count == 0 ? SLOTS_FIRST : 2 * self->slot_count;
    index_slot_t *slots = calloc(slot_count, sizeof *slots);
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < self->slot_count; i++)
        if (self->slots[i].number_1 != 0)
            place(slots, slot_count, self->slots[i]);
    free(self->slots);
    self->slots = slots;
    self->slot_count = slot_count;
    return true;
}

bool index_add(index_t *self, uint64_t hash, uint32_t number)
{
    if (!make_room(self))
        return false;
    place(self->slots, self->slot_count, (index_slot_t){hash, number + 1});
    self->count++;
    return true;
}
