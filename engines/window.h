/*  window - how many were good and how many bad in the last so many seconds?
 *
 *  Sixty full buckets and the one that is running: what was counted leaves when its bucket is older
 *  than sixty, so a window covers between sixty and sixty-one sixtieths of its length. Bucket
 *  boundaries are the whole sixtieths of the length on the monotonic clock, rounded up to the next
 *  nanosecond: exact, and the same for all windows of one length. A silence is a gap: nothing is
 *  counted in it.
 *
 *  Owns     nothing beyond itself
 *  Bounds   61 buckets; at most that many are cleared however far time has jumped
 *  Time     handed in, in nanoseconds from 0; never earlier than before
 *  Thread   one
 *  Refuses  nothing
 */
#ifndef ENGINES_WINDOW_H
#define ENGINES_WINDOW_H

#include <stdint.h>

#define WINDOW_FULL_BUCKETS 60
#define WINDOW_BUCKETS (WINDOW_FULL_BUCKETS + 1)

/* The longest window: sixty times it, in nanoseconds, is still a number. */
#define WINDOW_LENGTH_MAX_NS (INT64_MAX / WINDOW_FULL_BUCKETS)

typedef struct {
    uint64_t good, bad;
} window_counts_t;

typedef struct {
    int64_t length_ns;
    int64_t bucket;        /* number of the running one */
    window_counts_t total; /* of all buckets */
    window_counts_t buckets[WINDOW_BUCKETS];
} window_t;

void window_init(window_t *self, int64_t length_ns, int64_t now_ns);

/*  Let time pass: buckets that have become too old are forgotten. */
void window_advance(window_t *self, int64_t now_ns);

/*  Count in the running bucket. */
void window_add(window_t *self, window_counts_t counts);

/*  When the next bucket begins. */
int64_t window_boundary(const window_t *self);

/*  All buckets, the running one first, then from the latest to the oldest. */
void window_list(const window_t *self, window_counts_t buckets[WINDOW_BUCKETS]);

/*  Begin at `now_ns` with buckets that were listed `ago_ns` >= 0 earlier: what has become too old
 *  since is left out, and nothing is counted for the time between. An age is kept to within one
 *  bucket, for the clock it was measured by may be another one. */
void window_resume(window_t *self, int64_t length_ns, int64_t now_ns, int64_t ago_ns,
                   const window_counts_t buckets[WINDOW_BUCKETS]);

#endif
