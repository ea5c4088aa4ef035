#include "engines/hash.h"

/* The one file that holds the code of xxHash. */
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t size)
{
    return XXH3_64bits_withSeed(size == 0 ? "" : bytes, size, seed);
}

uint64_t hash_pair(uint64_t seed, text_t a, const void *b, size_t b_size)
{
    return hash_bytes(hash_text(seed, a), b, b_size);
}
