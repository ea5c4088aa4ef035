/*  roster - members by name, in the order in which they came.
 *
 *  Owns     a copy of each name; the members are the caller's
 *  Bounds   as many members as roster_init was told
 *  Thread   one
 *  Refuses  nothing: a member beyond the limit, or a name that is there already, is the caller's
 * bug
 */
#ifndef ENGINES_ROSTER_H
#define ENGINES_ROSTER_H

#include "engines/roll.h"
#include "engines/table.h"
#include "proto/text.h"

#include <stdbool.h>

typedef struct {
    char *name;
    size_t name_size;
    void *member; /* NULL: a free seat */
    uint64_t serial;
    uint32_t next_free;
} seat_t;

typedef struct {
    seat_t *seats; /* from 1 */
    table_t table;
    roll_t roll;
    uint64_t seed;
    uint32_t taken; /* seats ever in use */
    uint32_t free;  /* the first seat given back; 0: none */
    uint32_t limit;
} roster_t;

void roster_init(roster_t *self, uint32_t limit, uint64_t seed);
void roster_free(roster_t *self);
void roster_grow(roster_t *self, uint32_t limit);

bool roster_full(const roster_t *self);
uint32_t roster_count(const roster_t *self);
void *roster_find(const roster_t *self, text_t name);

/*  The name as the roster keeps it, good until the member is removed. */
text_t roster_add(roster_t *self, text_t name, void *member);
void roster_remove(roster_t *self, text_t name);

/*  The member after *at, which becomes its number; NULL at the end. Start with *at = 0. */
void *roster_next(const roster_t *self, uint64_t *at);
/*  The same with its name. */
void *roster_next_named(const roster_t *self, uint64_t *at, text_t *name);

#endif
