/*  arena - memory that is given out piece by piece and taken back at once.
 *
 *  Owns     its blocks
 *  Bounds   none of its own: what fills it is bounded by the message that is read into it
 *  Thread   one
 */
#ifndef PROTO_ARENA_H
#define PROTO_ARENA_H

#include "proto/text.h"

#include <stddef.h>

typedef struct arena_block arena_block_t;

typedef struct {
    arena_block_t *blocks; /* the one in use first */
    size_t block_bytes;    /* of each block at least; 0: enough for most commands */
} arena_t;

void arena_init(arena_t *self);
void arena_free(arena_t *self);

/*  Take everything back; one block is kept for the next use. */
void arena_reset(arena_t *self);

/*  Zeroed, aligned for any type, good until the next reset. */
void *arena_take(arena_t *self, size_t size);

text_t arena_copy(arena_t *self, text_t text);

#endif
