/*  watchdog - is every thread of the broker still moving? Says so when one does not, and ends the
 *  process when it will not any more, so that a supervisor starts it again.
 *
 *  Owns     a thread of its own, and the pulses
 *  Bounds   PULSES_MAX watched threads; a look every TICK_MS
 *  Thread   watchdog_watch before watchdog_start; a pulse is its watched thread's
 *
 *  Time is counted in looks of the watchdog itself: when the whole process was frozen, nobody was
 *  late. What ends the process prints the stack of every thread first.
 */
#ifndef BROKER_WATCHDOG_H
#define BROKER_WATCHDOG_H

#include <stdatomic.h>
#include <stdbool.h>

#define PULSES_MAX 8u
#define TICK_MS 100u

typedef struct {
    atomic_uint beats;
    atomic_bool busy; /* false: it waits for something to do */
} pulse_t;

/*  I am at work, and moving. */
static inline void pulse_beat(pulse_t *self)
{
    atomic_fetch_add_explicit(&self->beats, 1, memory_order_relaxed);
    atomic_store_explicit(&self->busy, true, memory_order_relaxed);
}

/*  I wait until there is something to do. */
static inline void pulse_rest(pulse_t *self)
{
    atomic_store_explicit(&self->busy, false, memory_order_relaxed);
}

typedef struct watchdog watchdog_t;

watchdog_t *watchdog_new(void);

/*  A thread that, while it is busy, beats at least every warn_ms; after abort_ms the process ends.
 *  The pulse is good as long as the watchdog. */
pulse_t *watchdog_watch(watchdog_t *self, const char *name, unsigned warn_ms, unsigned abort_ms);
void watchdog_start(watchdog_t *self);

/*  The watched threads have ended, or beat no more. */
void watchdog_destroy(watchdog_t **self);

#endif
