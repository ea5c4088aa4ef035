#include "engines/sketch.h"

#include "proto/must.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MANTISSA_BITS 52
#define MANTISSA_MASK ((UINT64_C(1) << MANTISSA_BITS) - 1)
#define EXPONENT_BIAS 1023
#define CHUNK_BUCKETS 64
#define LEAST_OCTAVE (-1074) /* the octave of the least double above zero */

/* The fine octaves, one chunk each, 2^-32 (2.3e-10) up to 2^32 (4.3e9); 64 coarse octaves a chunk
 * on either side of them. */
#define FINE_FIRST (-32)
#define FINE_END 32
#define CHUNKS_BELOW ((FINE_FIRST - LEAST_OCTAVE + CHUNK_BUCKETS - 1) / CHUNK_BUCKETS)
#define CHUNKS_FINE (FINE_END - FINE_FIRST)

/* The mantissa bits of 2^(k/64): where bucket k of an octave begins. */
static const uint64_t bounds[CHUNK_BUCKETS + 1] = {
    UINT64_C(0x0000000000000), UINT64_C(0x02c9a3e778061),  UINT64_C(0x059b0d3158574),
    UINT64_C(0x0874518759bc8), UINT64_C(0x0b5586cf9890f),  UINT64_C(0x0e3ec32d3d1a2),
    UINT64_C(0x11301d0125b51), UINT64_C(0x1429aaea92de0),  UINT64_C(0x172b83c7d517b),
    UINT64_C(0x1a35beb6fcb75), UINT64_C(0x1d4873168b9aa),  UINT64_C(0x2063b88628cd6),
    UINT64_C(0x2387a6e756238), UINT64_C(0x26b4565e27cdd),  UINT64_C(0x29e9df51fdee1),
    UINT64_C(0x2d285a6e4030b), UINT64_C(0x306fe0a31b715),  UINT64_C(0x33c08b26416ff),
    UINT64_C(0x371a7373aa9cb), UINT64_C(0x3a7db34e59ff7),  UINT64_C(0x3dea64c123422),
    UINT64_C(0x4160a21f72e2a), UINT64_C(0x44e086061892d),  UINT64_C(0x486a2b5c13cd0),
    UINT64_C(0x4bfdad5362a27), UINT64_C(0x4f9b2769d2ca7),  UINT64_C(0x5342b569d4f82),
    UINT64_C(0x56f4736b527da), UINT64_C(0x5ab07dd485429),  UINT64_C(0x5e76f15ad2148),
    UINT64_C(0x6247eb03a5585), UINT64_C(0x6623882552225),  UINT64_C(0x6a09e667f3bcd),
    UINT64_C(0x6dfb23c651a2f), UINT64_C(0x71f75e8ec5f74),  UINT64_C(0x75feb564267c9),
    UINT64_C(0x7a11473eb0187), UINT64_C(0x7e2f336cf4e62),  UINT64_C(0x82589994cce13),
    UINT64_C(0x868d99b4492ed), UINT64_C(0x8ace5422aa0db),  UINT64_C(0x8f1ae99157736),
    UINT64_C(0x93737b0cdc5e5), UINT64_C(0x97d829fde4e50),  UINT64_C(0x9c49182a3f090),
    UINT64_C(0xa0c667b5de565), UINT64_C(0xa5503b23e255d),  UINT64_C(0xa9e6b5579fdbf),
    UINT64_C(0xae89f995ad3ad), UINT64_C(0xb33a2b84f15fb),  UINT64_C(0xb7f76f2fb5e47),
    UINT64_C(0xbcc1e904bc1d2), UINT64_C(0xc199bdd85529c),  UINT64_C(0xc67f12e57d14b),
    UINT64_C(0xcb720dcef9069), UINT64_C(0xd072d4a07897c),  UINT64_C(0xd5818dcfba487),
    UINT64_C(0xda9e603db3285), UINT64_C(0xdfc97337b9b5f),  UINT64_C(0xe502ee78b3ff6),
    UINT64_C(0xea4afa2a490da), UINT64_C(0xefa1bee615a27),  UINT64_C(0xf50765b6e4540),
    UINT64_C(0xfa7c1819e90d8), UINT64_C(0x10000000000000),
};

/* The bucket in which each 1/128 of an octave's mantissas begins; a bucket is wider than that, so
 * at most one further bound lies inside. */
#define CELL_BITS 7
static const uint8_t cells[1 << CELL_BITS] = {
    0,  0,  1,  2,  2,  3,  4,  4,  5,  6,  6,  7,  8,  8,  9,  10, 10, 11, 12, 12, 13, 14,
    14, 15, 15, 16, 17, 17, 18, 18, 19, 20, 20, 21, 21, 22, 22, 23, 24, 24, 25, 25, 26, 26,
    27, 27, 28, 28, 29, 29, 30, 30, 31, 31, 32, 33, 33, 34, 34, 35, 35, 35, 36, 36, 37, 37,
    38, 38, 39, 39, 40, 40, 41, 41, 42, 42, 43, 43, 43, 44, 44, 45, 45, 46, 46, 47, 47, 47,
    48, 48, 49, 49, 50, 50, 50, 51, 51, 52, 52, 52, 53, 53, 54, 54, 54, 55, 55, 56, 56, 56,
    57, 57, 58, 58, 58, 59, 59, 59, 60, 60, 61, 61, 61, 62, 62, 62, 63, 63,
};

typedef struct {
    unsigned chunk;  /* 0-96, in order of magnitude */
    unsigned bucket; /* 0-63 within it */
} place_t;

struct sketch_chunk {
    unsigned width; /* bytes a count: 1, 2, 4 or 8 */
    /* the counts follow */
};

void sketch_init(sketch_t *self)
{
    *self = (sketch_t){.min = INFINITY, .max = -INFINITY};
}

static void free_side(sketch_side_t *side)
{
    for (unsigned i = 0; i < side->count; i++)
        free(side->chunks[i]);
    free(side->chunks);
}

void sketch_free(sketch_t *self)
{
    free_side(&self->positive);
    free_side(&self->negative);
    sketch_init(self);
}

static unsigned fine_bucket(uint64_t mantissa)
{
    unsigned bucket = cells[mantissa >> (MANTISSA_BITS - CELL_BITS)];
    return bucket + (mantissa >= bounds[bucket + 1]);
}

static int octave_of(uint64_t bits)
{
    unsigned exponent = (unsigned)(bits >> MANTISSA_BITS);
    if (exponent > 0)
        return (int)exponent - EXPONENT_BIAS;
    return LEAST_OCTAVE + (bits == 0 ? 0 : 63 - __builtin_clzll(bits));
}

/* Buckets hold their upper bound and not their lower one: the place of a value is that of the next
 * smaller double in buckets that hold their lower bound. */
static place_t place_of(double magnitude)
{
    uint64_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    bits--;
    int octave = octave_of(bits);
    if (octave >= FINE_FIRST && octave < FINE_END)
        return (place_t){(unsigned)(CHUNKS_BELOW + octave - FINE_FIRST),
                         fine_bucket(bits & MANTISSA_MASK)};
    unsigned first = octave < FINE_FIRST ? 0 : CHUNKS_BELOW + CHUNKS_FINE;
    unsigned coarse = (unsigned)(octave - (octave < FINE_FIRST ? LEAST_OCTAVE : FINE_END));
    return (place_t){first + coarse / CHUNK_BUCKETS, coarse % CHUNK_BUCKETS};
}

static double bound_of(unsigned bucket)
{
    return 1.0 + ldexp((double)bounds[bucket], -MANTISSA_BITS);
}

/* The value whose greatest relative distance from any value of the bucket is least: 2ab / (a + b),
 * off by at most (b - a) / (b + a). */
static double value_at(place_t place)
{
    if (place.chunk >= CHUNKS_BELOW && place.chunk < CHUNKS_BELOW + CHUNKS_FINE) {
        double low = bound_of(place.bucket), high = bound_of(place.bucket + 1);
        int octave = (int)place.chunk - CHUNKS_BELOW + FINE_FIRST;
        return ldexp(2 * low * high / (low + high), octave);
    }
    int coarse = (int)(place.chunk * CHUNK_BUCKETS + place.bucket);
    int octave = place.chunk < CHUNKS_BELOW
                     ? coarse + LEAST_OCTAVE
                     : coarse - (CHUNKS_BELOW + CHUNKS_FINE) * CHUNK_BUCKETS + FINE_END;
    return ldexp(4.0 / 3.0, octave);
}

static void *counts_of(sketch_chunk_t *chunk)
{
    return chunk + 1;
}

static uint64_t count_at(const sketch_chunk_t *chunk, unsigned bucket)
{
    const void *counts = chunk + 1;
    switch (chunk->width) {
    case 1:
        return ((const uint8_t *)counts)[bucket];
    case 2:
        return ((const uint16_t *)counts)[bucket];
    case 4:
        return ((const uint32_t *)counts)[bucket];
    default:
        break;
    }
    uint64_t count; /* the counts stand four bytes after an address of eight */
    memcpy(&count, (const uint8_t *)counts + bucket * sizeof count, sizeof count);
    return count;
}

static void set_count(sketch_chunk_t *chunk, unsigned bucket, uint64_t count)
{
    void *counts = counts_of(chunk);
    switch (chunk->width) {
    case 1:
        ((uint8_t *)counts)[bucket] = (uint8_t)count;
        return;
    case 2:
        ((uint16_t *)counts)[bucket] = (uint16_t)count;
        return;
    case 4:
        ((uint32_t *)counts)[bucket] = (uint32_t)count;
        return;
    default:
        memcpy((uint8_t *)counts + bucket * sizeof count, &count, sizeof count);
    }
}

static sketch_chunk_t *new_chunk(unsigned width)
{
    sketch_chunk_t *chunk = memory_new(1, sizeof *chunk + CHUNK_BUCKETS * (size_t)width);
    chunk->width = width;
    return chunk;
}

static uint64_t width_limit(unsigned width)
{
    return width == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * width)) - 1;
}

/* A chunk begins with one byte a count and is widened when a count needs more. */
static sketch_chunk_t *widen(sketch_chunk_t *old, uint64_t count)
{
    unsigned width = old->width;
    while (count > width_limit(width))
        width *= 2;
    sketch_chunk_t *chunk = new_chunk(width);
    for (unsigned bucket = 0; bucket < CHUNK_BUCKETS; bucket++)
        set_count(chunk, bucket, count_at(old, bucket));
    free(old);
    return chunk;
}

/* Make the list of a side reach `chunk`. */
static void reach(sketch_side_t *side, unsigned chunk)
{
    unsigned first = side->count == 0 || chunk < side->first ? chunk : side->first;
    unsigned end = side->count == 0 ? chunk : side->first + side->count - 1u;
    end = (end > chunk ? end : chunk) + 1;
    unsigned ahead = side->count == 0 ? 0 : side->first - first;
    sketch_chunk_t **chunks = memory_new(end - first, sizeof(sketch_chunk_t *));
    if (side->count > 0)
        memcpy(chunks + ahead, side->chunks, side->count * sizeof(sketch_chunk_t *));
    free(side->chunks);
    *side = (sketch_side_t){chunks, (uint16_t)first, (uint16_t)(end - first)};
}

static void count_in(sketch_side_t *side, place_t place, uint64_t count)
{
    if (place.chunk - side->first >= side->count)
        reach(side, place.chunk);
    sketch_chunk_t **chunk = &side->chunks[place.chunk - side->first];
    if (*chunk == NULL)
        *chunk = new_chunk(1);
    uint64_t sum = count_at(*chunk, place.bucket) + count;
    if (sum > width_limit((*chunk)->width))
        *chunk = widen(*chunk, sum);
    set_count(*chunk, place.bucket, sum);
}

void sketch_add(sketch_t *self, double value)
{
    self->count++;
    exact_sum_add(&self->sum, value);
    if (value < self->min)
        self->min = value;
    if (value > self->max)
        self->max = value;
    if (value > 0)
        count_in(&self->positive, place_of(value), 1);
    else if (value < 0)
        count_in(&self->negative, place_of(-value), 1);
    else
        self->zeros++;
}

/* -- by number -- */

#define SIDE_BUCKETS (SKETCH_BUCKETS / 2)

static const sketch_chunk_t *chunk_by_number(const sketch_t *self, uint32_t number)
{
    const sketch_side_t *side = number < SIDE_BUCKETS ? &self->positive : &self->negative;
    unsigned chunk = number % SIDE_BUCKETS / CHUNK_BUCKETS - side->first;
    return chunk < side->count ? side->chunks[chunk] : NULL;
}

bool sketch_next_bucket(const sketch_t *self, uint32_t *at, sketch_bucket_t *bucket)
{
    while (*at < SKETCH_BUCKETS) {
        const sketch_chunk_t *chunk = chunk_by_number(self, *at);
        if (chunk == NULL) {
            *at += CHUNK_BUCKETS - *at % CHUNK_BUCKETS;
            continue;
        }
        *bucket = (sketch_bucket_t){*at, count_at(chunk, *at % CHUNK_BUCKETS)};
        (*at)++;
        if (bucket->count > 0)
            return true;
    }
    return false;
}

void sketch_fill_bucket(sketch_t *self, sketch_bucket_t bucket)
{
    must(bucket.number < SKETCH_BUCKETS);
    uint32_t number = bucket.number % SIDE_BUCKETS;
    count_in(bucket.number < SIDE_BUCKETS ? &self->positive : &self->negative,
             (place_t){number / CHUNK_BUCKETS, number % CHUNK_BUCKETS}, bucket.count);
}

static void merge_side(sketch_side_t *self, const sketch_side_t *other)
{
    for (unsigned i = 0; i < other->count; i++) {
        const sketch_chunk_t *chunk = other->chunks[i];
        for (unsigned bucket = 0; chunk != NULL && bucket < CHUNK_BUCKETS; bucket++) {
            uint64_t count = count_at(chunk, bucket);
            if (count > 0)
                count_in(self, (place_t){other->first + i, bucket}, count);
        }
    }
}

void sketch_merge(sketch_t *self, const sketch_t *other)
{
    must(self != other);
    self->count += other->count;
    self->zeros += other->zeros;
    exact_sum_merge(&self->sum, &other->sum);
    if (other->min < self->min)
        self->min = other->min;
    if (other->max > self->max)
        self->max = other->max;
    merge_side(&self->positive, &other->positive);
    merge_side(&self->negative, &other->negative);
}

/* Step over a chunk in the order of its magnitudes, up or down, until `left` values are behind. */
static bool find_in_chunk(const sketch_chunk_t *chunk, bool down, uint64_t *left, unsigned *bucket)
{
    for (unsigned i = 0; i < CHUNK_BUCKETS; i++) {
        *bucket = down ? CHUNK_BUCKETS - 1 - i : i;
        uint64_t count = count_at(chunk, *bucket);
        if (count >= *left)
            return true;
        *left -= count;
    }
    return false;
}

static bool find_in_side(const sketch_side_t *side, bool down, uint64_t *left, double *magnitude)
{
    for (unsigned i = 0; i < side->count; i++) {
        unsigned at = down ? side->count - 1u - i : i, bucket;
        if (side->chunks[at] == NULL || !find_in_chunk(side->chunks[at], down, left, &bucket))
            continue;
        *magnitude = value_at((place_t){side->first + at, bucket});
        return true;
    }
    return false;
}

static double value_of_rank(const sketch_t *self, uint64_t rank)
{
    double magnitude;
    if (find_in_side(&self->negative, true, &rank, &magnitude))
        return -magnitude;
    if (rank <= self->zeros)
        return 0;
    rank -= self->zeros;
    bool found = find_in_side(&self->positive, false, &rank, &magnitude);
    must(found);
    return magnitude;
}

static double quantile_at(const sketch_t *self, uint64_t rank)
{
    if (rank <= 1)
        return self->min;
    if (rank >= self->count)
        return self->max;
    return fmin(fmax(value_of_rank(self, rank), self->min), self->max);
}

double sketch_quantile(const sketch_t *self, unsigned permille)
{
    return self->count == 0 ? NAN : quantile_at(self, quantile_rank(self->count, permille));
}

double sketch_quantile_of(const sketch_t *self, double ratio)
{
    if (self->count == 0)
        return NAN;
    return quantile_at(self, (uint64_t)ceil((double)self->count * ratio));
}

double sketch_sum(const sketch_t *self)
{
    return exact_sum_value(&self->sum);
}

double sketch_mean(const sketch_t *self)
{
    return self->count == 0 ? NAN : exact_sum_mean(&self->sum, self->count);
}
