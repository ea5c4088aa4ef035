#include "engines/window.h"

#include "proto/must.h"

/* floor (now * 60 / length), without leaving 64 bits. */
static int64_t bucket_at(int64_t length_ns, int64_t now_ns)
{
    int64_t lengths = now_ns / length_ns, rest = now_ns % length_ns;
    return lengths * WINDOW_FULL_BUCKETS + rest * WINDOW_FULL_BUCKETS / length_ns;
}

void window_init(window_t *self, int64_t length_ns, int64_t now_ns)
{
    must(length_ns > 0 && length_ns <= WINDOW_LENGTH_MAX_NS && now_ns >= 0);
    *self = (window_t){.length_ns = length_ns, .bucket = bucket_at(length_ns, now_ns)};
}

static void forget(window_t *self, window_counts_t *bucket)
{
    self->total.good -= bucket->good;
    self->total.bad -= bucket->bad;
    *bucket = (window_counts_t){0, 0};
}

void window_advance(window_t *self, int64_t now_ns)
{
    int64_t now = bucket_at(self->length_ns, now_ns);
    if (now <= self->bucket)
        return;
    int64_t passed = now - self->bucket;
    for (int64_t i = 0; i < passed && i < WINDOW_BUCKETS; i++)
        forget(self, &self->buckets[(now - i) % WINDOW_BUCKETS]);
    self->bucket = now;
}

/* How many buckets have begun between `ago_ns` before `now_ns`, which may lie before the clock's
 * beginning, and `now_ns`. */
static int64_t buckets_passed(int64_t length_ns, int64_t now_ns, int64_t ago_ns)
{
    if (ago_ns >= 2 * length_ns)
        return WINDOW_BUCKETS;
    int64_t after = now_ns % length_ns + 2 * length_ns; /* the same place in a later length */
    return bucket_at(length_ns, after) - bucket_at(length_ns, after - ago_ns);
}

void window_list(const window_t *self, window_counts_t buckets[WINDOW_BUCKETS])
{
    int64_t place = self->bucket % WINDOW_BUCKETS;
    for (int age = 0; age < WINDOW_BUCKETS; age++)
        buckets[age] = self->buckets[(place + WINDOW_BUCKETS - age) % WINDOW_BUCKETS];
}

void window_resume(window_t *self, int64_t length_ns, int64_t now_ns, int64_t ago_ns,
                   const window_counts_t buckets[WINDOW_BUCKETS])
{
    must(ago_ns >= 0);
    window_init(self, length_ns, now_ns);
    int64_t passed = buckets_passed(length_ns, now_ns, ago_ns);
    int64_t place = self->bucket % WINDOW_BUCKETS;
    for (int64_t age = passed; age < WINDOW_BUCKETS; age++) {
        window_counts_t counts = buckets[age - passed];
        self->buckets[(place + WINDOW_BUCKETS - age) % WINDOW_BUCKETS] = counts;
        self->total.good += counts.good;
        self->total.bad += counts.bad;
    }
}

void window_add(window_t *self, window_counts_t counts)
{
    window_counts_t *running = &self->buckets[self->bucket % WINDOW_BUCKETS];
    running->good += counts.good;
    running->bad += counts.bad;
    self->total.good += counts.good;
    self->total.bad += counts.bad;
}

int64_t window_boundary(const window_t *self)
{
    int64_t next = self->bucket + 1;
    int64_t lengths = next / WINDOW_FULL_BUCKETS, sixtieths = next % WINDOW_FULL_BUCKETS;
    return lengths * self->length_ns +
           (sixtieths * self->length_ns + WINDOW_FULL_BUCKETS - 1) / WINDOW_FULL_BUCKETS;
}
