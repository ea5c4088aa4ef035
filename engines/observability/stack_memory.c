#include "engines/observability/stack_memory.h"

#include "engines/observability/observability_stack_inside.h"
#include "proto/must.h"

#include <stdlib.h>

/* -- saving: one thing each; false when there is none left -- */

static bool save_slo(const observability_stack_t *stack, uint64_t *at, instant_t now,
                     msgpack_sbuffer *out)
{
    slo_memory_t memory;
    if (!slo_monitor_remember(stack->slos, at, now, &memory))
        return false;
    snapshot_add_slo(&memory, out);
    return true;
}

static bool save_profile(const observability_stack_t *stack, uint64_t *at, instant_t now,
                         msgpack_sbuffer *out)
{
    (void)now;
    profile_memory_t memory;
    if (!performance_profiler_remember(stack->profiler, at, &memory))
        return false;
    snapshot_add_profile(&memory, out);
    return true;
}

static bool save_watch(const observability_stack_t *stack, uint64_t *at, instant_t now,
                       msgpack_sbuffer *out)
{
    (void)now;
    double values[MOMENTS_WINDOW];
    watch_memory_t memory;
    const series_t *series = metrics_collector_next(stack->collector, at);
    if (series == NULL || out->size >= SNAPSHOT_BYTES_MAX)
        return false;
    if (series->watch == NULL || !anomaly_watch_remember(series->watch, values, &memory))
        return true;
    memory.name = metric_name(metrics_collector_metric_of(stack->collector, series));
    memory.labels = series_labels(series);
    snapshot_add_watch(&memory, out);
    return true;
}

static bool (*const savers[SNAPSHOT_KINDS])(const observability_stack_t *, uint64_t *, instant_t,
                                            msgpack_sbuffer *) = {
    [SNAPSHOT_SLO] = save_slo,
    [SNAPSHOT_PROFILE] = save_profile,
    [SNAPSHOT_WATCH] = save_watch,
};

bool stack_memory_save(const observability_stack_t *stack, stack_memory_t *self, instant_t now,
                       msgpack_sbuffer *out)
{
    unsigned kinds = self->watches ? SNAPSHOT_KINDS : SNAPSHOT_WATCH;
    for (unsigned i = 0; i < SNAPSHOT_STEP && self->kind < kinds; i++) {
        if (savers[self->kind](stack, &self->at, now, out))
            continue;
        self->kind++;
        self->at = 0;
    }
    return self->kind < kinds;
}

/* -- restoring -- */

static void recall(observability_stack_t *stack, const snapshot_record_t *record)
{
    switch (record->kind) {
    case SNAPSHOT_SLO:
        slo_monitor_recall(stack->slos, &record->as.slo);
        break;
    case SNAPSHOT_PROFILE:
        performance_profiler_recall(stack->profiler, &record->as.profile);
        break;
    case SNAPSHOT_WATCH:
        anomaly_detector_recall(stack->detector, &record->as.watch);
        break;
    case SNAPSHOT_KINDS:
    default:
        must_not("a record of no kind");
    }
}

/* Read all records; those of a good file are taken in when there is a stack. */
static bool read_all(cursor_t records, observability_stack_t *stack)
{
    arena_t arena;
    snapshot_record_t *record = memory_new(1, sizeof *record);
    bool good = true;
    arena_init(&arena);
    while (good && cursor_left(&records) > 0) {
        good = snapshot_next(&records, &arena, record);
        if (good && stack != NULL)
            recall(stack, record);
        if (good)
            snapshot_drop(record);
    }
    arena_free(&arena);
    free(record);
    return good;
}

snapshot_state_t stack_memory_restore(observability_stack_t *stack, text_t file)
{
    cursor_t records;
    snapshot_state_t state = snapshot_open(file, &records);
    if (state != SNAPSHOT_GOOD)
        return state;
    if (!read_all(records, NULL))
        return SNAPSHOT_TORN;
    read_all(records, stack);
    return SNAPSHOT_GOOD;
}

void stack_memory_settled(observability_stack_t *stack)
{
    slo_monitor_forget_memories(stack->slos);
}
