/*  difference - in which keys do two things differ, and how does each value read?
 *
 *  Owns     nothing; the texts lie in the arena
 *  Thread   any
 *
 *  Keys that nobody can put, and points in time, are not compared. A value reads as a
 * person would write it: text as it is, lists as "a, b", maps as "k=v, k=v"; nil is TEXT_NONE.
 */
#ifndef PROTO_DIFFERENCE_H
#define PROTO_DIFFERENCE_H

#include "proto/arena.h"
#include "proto/schema.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *key;
    text_t from, to;
} difference_t;

/*  The next key, in the order of the table, in which `b` differs from `a`; start with *at = 0,
 * false at the end. */
bool difference_next(const schema_t *schema, const void *a, const void *b, size_t *at,
                     arena_t *arena, difference_t *difference);

/*  How one field of a thing reads. */
text_t field_words(const field_t *field, const void *thing, arena_t *arena);

#endif
