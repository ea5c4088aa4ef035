/*  instant - one moment on the broker's two clocks, handed in with every event.
 *
 *  Windows, rates and timers run on `mono_ns`; `wall_s` is data for people and for the wire.
 *  Nothing in proto/ or engines/ reads a clock: whoever calls says what time it is.
 */
#ifndef PROTO_INSTANT_H
#define PROTO_INSTANT_H

#include <stdint.h>

#define NS_PER_S INT64_C(1000000000)

typedef struct {
    int64_t mono_ns; /* nanoseconds since some fixed moment; never goes back */
    double wall_s;   /* Unix time, seconds; may jump */
} instant_t;

/*  A duration; what is less than a nanosecond is cut off. */
static inline int64_t ns_of(double seconds)
{
    return (int64_t)(seconds * (double)NS_PER_S);
}

/*  "Never": a deadline that does not come. */
#define INSTANT_NEVER INT64_MAX

#endif
