/*  hash - where in a table does a key belong?
 *
 *  Owns     nothing
 *  Bounds   none
 *  Thread   any
 *
 *  XXH3 (github.com/Cyan4973/xxHash), seeded, so that nobody outside can choose keys that collide.
 *  What it answers decides places in memory only: no answer and no order may depend on it.
 */
#ifndef ENGINES_HASH_H
#define ENGINES_HASH_H

#include "proto/text.h"

#include <stdint.h>

uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t size);

static inline uint64_t hash_text(uint64_t seed, text_t text)
{
    return hash_bytes(seed, text.data, text.size);
}

/*  Of a pair: (a, b) and (c, d) differ even where a + b is c + d. */
uint64_t hash_pair(uint64_t seed, text_t a, const void *b, size_t b_size);

#endif
