/*  kept - one thing with everything it points at, replaced as a whole.
 *
 *  What is a number may be changed in place; to change what points somewhere, fill a copy of the
 *  struct and put it: the copy may point into what is kept until then.
 *
 *  Owns     the thing, its texts, labels and lists
 *  Bounds   what is put was bounded by whoever read it; 512 bytes at least
 *  Thread   one
 */
#ifndef ENGINES_KEPT_H
#define ENGINES_KEPT_H

#include "proto/arena.h"
#include "proto/schema.h"

typedef struct {
    arena_t arena;
    void *thing; /* NULL: nothing is kept; zeroed is that */
} kept_t;

/*  Answers the thing as it is kept. */
void *kept_put(kept_t *self, const schema_t *schema, const void *thing);
void kept_drop(kept_t *self);

#endif
