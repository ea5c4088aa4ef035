/*  clock - seconds on a clock that never jumps, for waiting.
 *
 *  Thread   any
 */
#ifndef CLIENTS_LIBTOCSIN_CLOCK_H
#define CLIENTS_LIBTOCSIN_CLOCK_H

#include <time.h>

/* Nobody waits longer, seconds: what is beyond it is as good as for ever. */
#define CLOCK_LONG_S 1e9

static inline double clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/*  What zmq_poll takes: milliseconds, rounded up so that the time is really over, 0 when it is, and
 *  never so long that it overflows. */
static inline long clock_wait_ms(double until)
{
    double left = until - clock_now();
    if (!(left > 0.0))
        return 0;
    return left > 3600.0 ? 3600000L : (long)(left * 1000.0) + 1;
}

#endif
