#include "engines/roster.h"

#include "engines/hash.h"
#include "proto/must.h"

#include <stdlib.h>

void roster_init(roster_t *self, uint32_t limit, uint64_t seed)
{
    *self = (roster_t){
        .seats = memory_new((size_t)limit + 1, sizeof(seat_t)), .seed = seed, .limit = limit};
    table_init(&self->table, limit);
    roll_init(&self->roll, limit);
}

void roster_free(roster_t *self)
{
    for (uint32_t seat = 1; seat <= self->taken; seat++)
        free(self->seats[seat].name);
    free(self->seats);
    table_free(&self->table);
    roll_free(&self->roll);
    *self = (roster_t){0};
}

void roster_grow(roster_t *self, uint32_t limit)
{
    if (limit <= self->limit)
        return;
    self->seats = memory_grow(self->seats, (size_t)limit + 1, sizeof(seat_t));
    table_grow(&self->table, limit);
    roll_grow(&self->roll, limit);
    self->limit = limit;
}

bool roster_full(const roster_t *self)
{
    return self->table.count == self->limit;
}

uint32_t roster_count(const roster_t *self)
{
    return self->table.count;
}

static uint32_t seat_of(const roster_t *self, text_t name, uint64_t hash)
{
    uint32_t probe = 0, seat;
    while ((seat = table_next(&self->table, hash, &probe)) != 0)
        if (text_equal((text_t){self->seats[seat].name, self->seats[seat].name_size}, name))
            break;
    return seat;
}

void *roster_find(const roster_t *self, text_t name)
{
    uint32_t seat = seat_of(self, name, hash_text(self->seed, name));
    return seat == 0 ? NULL : self->seats[seat].member;
}

static uint32_t take_seat(roster_t *self)
{
    uint32_t seat = self->free;
    if (seat == 0)
        return ++self->taken;
    self->free = self->seats[seat].next_free;
    return seat;
}

text_t roster_add(roster_t *self, text_t name, void *member)
{
    must(member != NULL && !roster_full(self));
    uint32_t seat = take_seat(self);
    char *copy = memory_copy(name.data, name.size);
    self->seats[seat] = (seat_t){.name = copy, .name_size = name.size, .member = member};
    self->seats[seat].serial = roll_add(&self->roll, seat);
    table_add(&self->table, hash_text(self->seed, name), seat);
    return (text_t){copy, name.size};
}

void roster_remove(roster_t *self, text_t name)
{
    uint64_t hash = hash_text(self->seed, name);
    uint32_t seat = seat_of(self, name, hash);
    must(seat != 0);
    table_remove(&self->table, hash, seat);
    roll_remove(&self->roll, self->seats[seat].serial);
    free(self->seats[seat].name);
    self->seats[seat] = (seat_t){.next_free = self->free};
    self->free = seat;
}

void *roster_next_named(const roster_t *self, uint64_t *at, text_t *name)
{
    uint32_t seat = roll_next(&self->roll, at);
    if (seat == 0)
        return NULL;
    *name = (text_t){self->seats[seat].name, self->seats[seat].name_size};
    return self->seats[seat].member;
}

void *roster_next(const roster_t *self, uint64_t *at)
{
    text_t name;
    return roster_next_named(self, at, &name);
}
