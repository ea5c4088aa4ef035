/*  roll - items in the order in which they came, numbered, so that a walk can be interrupted.
 *
 *  Owns     its list
 *  Bounds   `limit` items at a time; removal leaves a hole, and holes are closed when the list is
 *           full, so that each costs a constant on average
 *  Thread   one
 *  Refuses  nothing: more items than the limit is the caller's bug
 *
 *  Serials count 1, 2, 3 … and are never used again: a serial that was handed out as a cursor stays
 *  good while items come and go.
 */
#ifndef ENGINES_ROLL_H
#define ENGINES_ROLL_H

#include <stdint.h>

typedef struct {
    uint64_t *serials;
    uint32_t *items; /* 0: a hole */
    uint64_t last;   /* serial given last */
    uint32_t used;   /* entries, holes included */
    uint32_t capacity;
    uint32_t count; /* items */
} roll_t;

void roll_init(roll_t *self, uint32_t limit);
void roll_free(roll_t *self);
void roll_grow(roll_t *self, uint32_t limit);

/*  The serial of the item, greater than any before. */
uint64_t roll_add(roll_t *self, uint32_t item);
void roll_remove(roll_t *self, uint64_t serial);

/*  The first item whose serial is greater than *serial, which becomes its serial; 0 at the end. */
uint32_t roll_next(const roll_t *self, uint64_t *serial);

#endif
