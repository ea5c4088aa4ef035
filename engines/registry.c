#include "engines/registry.h"

#include "engines/hash.h"
#include "proto/must.h"

#include <stdlib.h>

void registry_init(registry_t *self, uint32_t limit, uint64_t seed)
{
    *self = (registry_t){
        .places = memory_new((size_t)limit + 1, sizeof(place_t)), .seed = seed, .limit = limit};
    table_init(&self->table, limit);
    roll_init(&self->roll, limit);
}

void registry_free(registry_t *self)
{
    free(self->places);
    table_free(&self->table);
    roll_free(&self->roll);
    *self = (registry_t){0};
}

void registry_grow(registry_t *self, uint32_t limit)
{
    if (limit <= self->limit)
        return;
    self->places = memory_grow(self->places, (size_t)limit + 1, sizeof(place_t));
    table_grow(&self->table, limit);
    roll_grow(&self->roll, limit);
    self->limit = limit;
}

bool registry_full(const registry_t *self)
{
    return self->table.count == self->limit;
}

uint32_t registry_count(const registry_t *self)
{
    return self->table.count;
}

static uint64_t hash_of(const registry_t *self, uint64_t number)
{
    return hash_bytes(self->seed, &number, sizeof number);
}

static uint32_t place_of(const registry_t *self, uint64_t number)
{
    uint32_t probe = 0, place;
    while ((place = table_next(&self->table, hash_of(self, number), &probe)) != 0)
        if (self->places[place].number == number)
            return place;
    return 0;
}

uint32_t registry_add(registry_t *self, uint64_t number, void *member)
{
    must(member != NULL && !registry_full(self) && place_of(self, number) == 0);
    uint32_t place = self->free;
    if (place != 0)
        self->free = self->places[place].next_free;
    else
        place = ++self->taken;
    self->places[place] =
        (place_t){.member = member, .number = number, .serial = roll_add(&self->roll, place)};
    table_add(&self->table, hash_of(self, number), place);
    return place;
}

void registry_remove(registry_t *self, uint64_t number)
{
    uint32_t place = place_of(self, number);
    must(place != 0);
    table_remove(&self->table, hash_of(self, number), place);
    roll_remove(&self->roll, self->places[place].serial);
    self->places[place] = (place_t){.next_free = self->free};
    self->free = place;
}

void *registry_find(const registry_t *self, uint64_t number)
{
    uint32_t place = place_of(self, number);
    return place == 0 ? NULL : self->places[place].member;
}

void *registry_next(const registry_t *self, uint64_t *at)
{
    uint32_t place = roll_next(&self->roll, at);
    return place == 0 ? NULL : self->places[place].member;
}
