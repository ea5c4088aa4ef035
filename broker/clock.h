/*  clock - the one place that asks what time it is. */
#ifndef BROKER_CLOCK_H
#define BROKER_CLOCK_H

#include "proto/instant.h"

#include <time.h>

static inline instant_t clock_now(void)
{
    struct timespec mono, wall;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME, &wall);
    return (instant_t){.mono_ns = mono.tv_sec * NS_PER_S + mono.tv_nsec,
                       .wall_s = (double)wall.tv_sec + (double)wall.tv_nsec / 1e9};
}

/*  Milliseconds from `now` until a deadline, for a poll: rounded up, at most `most`, never
 * negative. */
static inline long clock_wait_ms(instant_t now, int64_t deadline_ns, long most)
{
    if (deadline_ns <= now.mono_ns)
        return 0;
    int64_t ms = (deadline_ns - now.mono_ns + 999999) / 1000000;
    return ms < most ? (long)ms : most;
}

#endif
