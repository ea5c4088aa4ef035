/*  sketch - how are these values distributed? Count, sum, extremes, and every quantile to within
 *  0.6 % of its value.
 *
 *  Buckets of the exponential histogram of OpenTelemetry at scale 6 (64 buckets an octave, each
 *  holding its upper bound) for magnitudes from 2^-32 (2.3e-10) to 2^32 (4.3e9), positive and
 *  negative apart, and at scale 0 (one bucket an octave) beyond, as far as doubles go. Which
 *  buckets there are does not depend on what came before: merging is adding, in any order, and
 *  equals one sketch that saw all.
 *
 *  Owns     chunks of 64 buckets, allotted when a value first falls into them, counts of 1 byte
 *           widened to 2, 4 and 8 when they must
 *  Bounds   97 chunks a sign; about 0.4 KiB and 0.1-0.2 KiB for each octave that values fall into
 *  Thread   one
 *  Refuses  nothing; what is added is finite
 *
 *  Seed: OpenTelemetry Metrics Data Model, ExponentialHistogram; Masson, Rim and Lee, DDSketch,
 *  VLDB 2019, for the bound on the relative error.
 */
#ifndef ENGINES_SKETCH_H
#define ENGINES_SKETCH_H

#include "engines/exact_sum.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sketch_chunk sketch_chunk_t;

typedef struct {
    sketch_chunk_t **chunks; /* NULL where no value fell */
    uint16_t first;          /* which chunk chunks[0] is */
    uint16_t count;
} sketch_side_t;

typedef struct {
    uint64_t count;
    uint64_t zeros;
    double min, max; /* inf, -inf while empty */
    sketch_side_t positive, negative;
    exact_sum_t sum;
} sketch_t;

void sketch_init(sketch_t *self);
void sketch_free(sketch_t *self);

void sketch_add(sketch_t *self, double value);
void sketch_merge(sketch_t *self, const sketch_t *other);

/*  The value of rank ceil (count * permille / 1000), counted from 1 (nearest rank); NaN while
 *  empty. The first and the last are exact. */
double sketch_quantile(const sketch_t *self, unsigned permille);

/*  The same for any share of the values, 0-1. */
double sketch_quantile_of(const sketch_t *self, double ratio);

/*  The buckets that hold values, in order of their numbers: start with *at = 0, until false. A
 *  number says where a bucket lies, in every process alike. */
#define SKETCH_BUCKETS (2u * 97u * 64u) /* positive ones from 0, then negative ones */

typedef struct {
    uint32_t number;
    uint64_t count;
} sketch_bucket_t;

bool sketch_next_bucket(const sketch_t *self, uint32_t *at, sketch_bucket_t *bucket);

/*  Count in a bucket by its number, but in nothing else: count, extremes and sum are the caller's
 *  to set. */
void sketch_fill_bucket(sketch_t *self, sketch_bucket_t bucket);

/*  Exact but for the last rounding. */
double sketch_sum(const sketch_t *self);
double sketch_mean(const sketch_t *self);

/*  ceil (count * permille / 1000), at least 1. */
static inline uint64_t quantile_rank(uint64_t count, unsigned permille)
{
    uint64_t rank = count / 1000 * permille + (count % 1000 * permille + 999) / 1000;
    return rank > 0 ? rank : 1;
}

#endif
