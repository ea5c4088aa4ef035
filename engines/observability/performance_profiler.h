/*  performance_profiler - how long does each operation take, and how often does it fail?
 *
 *  Owns     a profile an operation: a sketch of its durations and its counts
 *  Bounds   `operations` by name and one more, __overflow__, which takes the requests of all others
 *  Time     handed in as `now`; only wall_s is used, as data
 *  Thread   one
 *  Refuses  nothing: what does not fit goes to __overflow__
 */
#ifndef ENGINES_PERFORMANCE_PROFILER_H
#define ENGINES_PERFORMANCE_PROFILER_H

#include "engines/sketch.h"
#include "proto/event.h"
#include "proto/instant.h"
#include "proto/thing.h"

#include <stdbool.h>
#include <stdint.h>

#define PROFILE_OVERFLOW "__overflow__"

typedef struct performance_profiler performance_profiler_t;

performance_profiler_t *performance_profiler_new(uint32_t operations, uint64_t seed);
void performance_profiler_destroy(performance_profiler_t **self);

/*  Another limit: a lower one lets no new operation in. */
void performance_profiler_configure(performance_profiler_t *self, uint32_t operations);

void performance_profiler_record(performance_profiler_t *self, const request_event_t *request,
                                 instant_t now);

/*  What of a profile is told as series. */
typedef struct {
    text_t operation;
    sketch_t *durations; /* stays where it is as long as the profiler */
    uint64_t errors, retries;
} profile_change_t;

/*  A profile that had requests since it was last told here; false when there is none. In the order
 *  in which they first had one. */
bool performance_profiler_changed(performance_profiler_t *self, profile_change_t *change);

/*  What of a profile outlives the process. */
typedef struct {
    text_t operation;
    const sketch_t *durations; /* not empty */
    uint64_t errors, retries;  /* of them at most as many as durations */
    double last_executed;
} profile_memory_t;

/*  In order of creation: *at = 0 begins, false ends. */
bool performance_profiler_remember(const performance_profiler_t *self, uint64_t *at,
                                   profile_memory_t *memory);
/*  Add it to what is known of the operation. */
void performance_profiler_recall(performance_profiler_t *self, const profile_memory_t *memory);

bool performance_profiler_get(const performance_profiler_t *self, text_t operation,
                              profile_view_t *view);
/*  In order of creation: *at = 0 begins, false ends. */
bool performance_profiler_next(const performance_profiler_t *self, uint64_t *at,
                               profile_view_t *view);

#endif
