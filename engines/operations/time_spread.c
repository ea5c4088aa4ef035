#include "engines/operations/time_spread.h"

#include "engines/sketch.h"
#include "proto/must.h"

#include <math.h>
#include <stdlib.h>

#define FIRST_OCTAVE (-10) /* 2^-10 s: a millisecond */
#define END_OCTAVE 30      /* 2^30 s: 34 years */
#define OCTAVE_BUCKETS 64
#define BUCKETS ((END_OCTAVE - FIRST_OCTAVE) * OCTAVE_BUCKETS + 1) /* the first: about no time */

void time_spread_init(time_spread_t *self)
{
    *self = (time_spread_t){.counts = memory_new(BUCKETS, sizeof(uint64_t))};
}

void time_spread_free(time_spread_t *self)
{
    free(self->counts);
    *self = (time_spread_t){.counts = NULL};
}

static size_t bucket_of(double seconds)
{
    int exponent;
    double half = frexp(seconds, &exponent); /* seconds = half * 2^exponent, half in [1/2, 1) */
    int octave = exponent - 1;
    if (!(seconds > 0) || octave < FIRST_OCTAVE)
        return 0;
    if (octave >= END_OCTAVE)
        return BUCKETS - 1;
    size_t within = (size_t)((half * 2 - 1) * OCTAVE_BUCKETS);
    return 1 + (size_t)(octave - FIRST_OCTAVE) * OCTAVE_BUCKETS + within;
}

/*  The middle of a bucket. */
static double middle_of(size_t bucket)
{
    if (bucket == 0)
        return 0;
    int octave = FIRST_OCTAVE + (int)((bucket - 1) / OCTAVE_BUCKETS);
    double within = (double)((bucket - 1) % OCTAVE_BUCKETS);
    return ldexp(1 + (within + 0.5) / OCTAVE_BUCKETS, octave);
}

void time_spread_add(time_spread_t *self, double seconds)
{
    self->counts[bucket_of(seconds)]++;
    self->count++;
    exact_sum_add(&self->sum, seconds);
}

void time_spread_take(time_spread_t *self, double seconds)
{
    size_t bucket = bucket_of(seconds);
    must(self->counts[bucket] > 0);
    self->counts[bucket]--;
    self->count--;
    exact_sum_add(&self->sum, -seconds);
}

static double quantile(const time_spread_t *self, unsigned permille)
{
    uint64_t rank = quantile_rank(self->count, permille), seen = 0;
    size_t bucket = 0;
    while ((seen += self->counts[bucket]) < rank)
        bucket++;
    return middle_of(bucket);
}

spread_t time_spread_read(const time_spread_t *self)
{
    if (self->count == 0)
        return (spread_t){NAN, NAN, NAN};
    return (spread_t){.mean = exact_sum_mean(&self->sum, self->count),
                      .p50 = quantile(self, 500),
                      .p90 = quantile(self, 900)};
}
