/*  registry - members by number, in the order in which they came.
 *
 *  Owns     its places; the members are the caller's
 *  Bounds   as many members as registry_init was told
 *  Thread   one
 *  Refuses  nothing: a member beyond the limit, or a number that is there already, is the caller's
 * bug
 *
 *  A member keeps its place, a small number from 1, until it is removed: what else is to find it
 * can hold the place in a table of its own.
 */
#ifndef ENGINES_REGISTRY_H
#define ENGINES_REGISTRY_H

#include "engines/roll.h"
#include "engines/table.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    void *member; /* NULL: a free place */
    uint64_t number, serial;
    uint32_t next_free;
} place_t;

typedef struct {
    place_t *places; /* from 1 */
    table_t table;
    roll_t roll;
    uint64_t seed;
    uint32_t taken; /* places ever in use */
    uint32_t free;  /* the first place given back; 0: none */
    uint32_t limit;
} registry_t;

void registry_init(registry_t *self, uint32_t limit, uint64_t seed);
void registry_free(registry_t *self);
/*  Make room for more members. */
void registry_grow(registry_t *self, uint32_t limit);

bool registry_full(const registry_t *self);
uint32_t registry_count(const registry_t *self);

/*  Answers the member's place. */
uint32_t registry_add(registry_t *self, uint64_t number, void *member);
void registry_remove(registry_t *self, uint64_t number);

void *registry_find(const registry_t *self, uint64_t number);
static inline void *registry_at(const registry_t *self, uint32_t place)
{
    return self->places[place].member;
}

/*  The member after *at, which becomes its own; NULL at the end. Start with *at = 0. Members may be
 * added and removed meanwhile. */
void *registry_next(const registry_t *self, uint64_t *at);

#endif
