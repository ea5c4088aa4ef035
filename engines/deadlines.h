/*  deadlines - whose time comes next?
 *
 *  A binary heap of items that know their places in it, so that a deadline can be moved or dropped
 *  in logarithmic time.
 *
 *  Owns     its heap
 *  Bounds   items 1 .. limit, one deadline each
 *  Thread   one
 *
 *  Seed: Williams, Algorithm 232, Heapsort, CACM 7 (1964).
 */
#ifndef ENGINES_DEADLINES_H
#define ENGINES_DEADLINES_H

#include <stdint.h>

typedef struct {
    int64_t at_ns;
    uint64_t order; /* of what is due at the same moment, the lower first */
    uint32_t item;
} deadline_t;

typedef struct {
    deadline_t *heap; /* from 1 */
    uint32_t *places; /* of each item in the heap; 0: it has no deadline */
    uint32_t count, limit;
} deadlines_t;

void deadlines_init(deadlines_t *self, uint32_t limit);
void deadlines_free(deadlines_t *self);
/*  Make room for more items. */
void deadlines_grow(deadlines_t *self, uint32_t limit);

/*  Give the item this deadline instead of any it had. */
void deadlines_set(deadlines_t *self, uint32_t item, int64_t at_ns, uint64_t order);
void deadlines_clear(deadlines_t *self, uint32_t item);

/*  The first deadline; INSTANT_NEVER when there is none. */
int64_t deadlines_next(const deadlines_t *self);
/*  Take out the first item that is due at `now_ns`; 0 when none is. */
uint32_t deadlines_take(deadlines_t *self, int64_t now_ns);

#endif
