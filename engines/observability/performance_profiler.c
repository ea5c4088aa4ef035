#include "engines/observability/performance_profiler.h"

#include "engines/roster.h"
#include "proto/must.h"

#include <stdlib.h>

typedef struct profile {
    text_t operation; /* the roster's */
    sketch_t durations;
    uint64_t errors, retries;
    double last_executed;
    struct profile *next_changed;
    bool changed; /* in the list of those that had requests */
} profile_t;

struct performance_profiler {
    roster_t profiles;
    uint32_t limit;
    profile_t *first_changed, *last_changed;
};

performance_profiler_t *performance_profiler_new(uint32_t operations, uint64_t seed)
{
    performance_profiler_t *self = memory_new(1, sizeof *self);
    self->limit = operations;
    roster_init(&self->profiles, operations + 1, seed); /* one for __overflow__ */
    return self;
}

void performance_profiler_destroy(performance_profiler_t **self)
{
    if (*self == NULL)
        return;
    uint64_t at = 0;
    for (profile_t *profile; (profile = roster_next(&(*self)->profiles, &at)) != NULL;) {
        sketch_free(&profile->durations);
        free(profile);
    }
    roster_free(&(*self)->profiles);
    free(*self);
    *self = NULL;
}

void performance_profiler_configure(performance_profiler_t *self, uint32_t operations)
{
    roster_grow(&self->profiles, operations + 1);
    self->limit = operations;
}

static profile_t *new_profile(performance_profiler_t *self, text_t operation)
{
    profile_t *profile = memory_new(1, sizeof *profile);
    sketch_init(&profile->durations);
    profile->operation = roster_add(&self->profiles, operation, profile);
    return profile;
}

static profile_t *profile_for(performance_profiler_t *self, text_t operation)
{
    profile_t *profile = roster_find(&self->profiles, operation);
    if (profile != NULL)
        return profile;
    if (roster_count(&self->profiles) < self->limit)
        return new_profile(self, operation);
    profile = roster_find(&self->profiles, TEXT_OF(PROFILE_OVERFLOW));
    return profile != NULL ? profile : new_profile(self, TEXT_OF(PROFILE_OVERFLOW));
}

static void note_change(performance_profiler_t *self, profile_t *profile)
{
    if (profile->changed)
        return;
    profile->changed = true;
    profile->next_changed = NULL;
    if (self->first_changed == NULL)
        self->first_changed = profile;
    else
        self->last_changed->next_changed = profile;
    self->last_changed = profile;
}

void performance_profiler_record(performance_profiler_t *self, const request_event_t *request,
                                 instant_t now)
{
    profile_t *profile = profile_for(self, request->operation);
    note_change(self, profile);
    sketch_add(&profile->durations, request->duration_s);
    profile->errors += request->error;
    profile->retries += request->attempt > 1;
    profile->last_executed = now.wall_s;
}

bool performance_profiler_changed(performance_profiler_t *self, profile_change_t *change)
{
    profile_t *profile = self->first_changed;
    if (profile == NULL)
        return false;
    self->first_changed = profile->next_changed;
    profile->changed = false;
    *change = (profile_change_t){profile->operation, &profile->durations, profile->errors,
                                 profile->retries};
    return true;
}

bool performance_profiler_remember(const performance_profiler_t *self, uint64_t *at,
                                   profile_memory_t *memory)
{
    const profile_t *profile = roster_next(&self->profiles, at);
    if (profile == NULL)
        return false;
    *memory = (profile_memory_t){profile->operation, &profile->durations, profile->errors,
                                 profile->retries, profile->last_executed};
    return true;
}

void performance_profiler_recall(performance_profiler_t *self, const profile_memory_t *memory)
{
    profile_t *profile = profile_for(self, memory->operation);
    bool later = profile->durations.count == 0 || memory->last_executed > profile->last_executed;
    note_change(self, profile);
    sketch_merge(&profile->durations, memory->durations);
    profile->errors += memory->errors;
    profile->retries += memory->retries;
    if (later)
        profile->last_executed = memory->last_executed;
}

static void view_profile(const profile_t *profile, profile_view_t *view)
{
    const sketch_t *durations = &profile->durations;
    *view = (profile_view_t){.operation = profile->operation,
                             .count = durations->count,
                             .errors = profile->errors,
                             .retries = profile->retries,
                             .error_ratio = (double)profile->errors / (double)durations->count,
                             .min = durations->min,
                             .max = durations->max,
                             .mean = sketch_mean(durations),
                             .total = sketch_sum(durations),
                             .p50 = sketch_quantile(durations, 500),
                             .p95 = sketch_quantile(durations, 950),
                             .p99 = sketch_quantile(durations, 990),
                             .last_executed = profile->last_executed};
}

bool performance_profiler_get(const performance_profiler_t *self, text_t operation,
                              profile_view_t *view)
{
    const profile_t *profile = roster_find(&self->profiles, operation);
    if (profile != NULL)
        view_profile(profile, view);
    return profile != NULL;
}

bool performance_profiler_next(const performance_profiler_t *self, uint64_t *at,
                               profile_view_t *view)
{
    const profile_t *profile = roster_next(&self->profiles, at);
    if (profile != NULL)
        view_profile(profile, view);
    return profile != NULL;
}
