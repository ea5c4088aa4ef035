/*  observability_stack_inside - what the files of the stack share. Private to it.
 *
 *    observability_stack  the way of an event to the engines, and of a question
 *    stack_questions      what is answered
 *    engine_series        what the engines know, as series
 *    stack_memory         what of it outlives the process
 */
#ifndef ENGINES_OBSERVABILITY_STACK_INSIDE_H
#define ENGINES_OBSERVABILITY_STACK_INSIDE_H

#include "engines/observability/anomaly_detector.h"
#include "engines/observability/dependency_health_monitor.h"
#include "engines/observability/engine_series.h"
#include "engines/observability/metrics_collector.h"
#include "engines/observability/observability_stack.h"
#include "engines/observability/performance_profiler.h"
#include "engines/observability/plan_book.h"
#include "engines/observability/slo_monitor.h"

/*  The series that an entry of a compact frame names, found in that call of
 *  observability_stack_metrics. A frame with more entries looks some of them up again. */
#define STACK_ENTRIES 512u

typedef struct {
    uint64_t call;
    const char *name;
    const uint8_t *labels;
    series_t *series;
} entry_t;

struct observability_stack {
    finding_sink_t sink;
    metrics_collector_t *collector;
    anomaly_detector_t *detector;
    performance_profiler_t *profiler;
    dependency_health_monitor_t *dependencies;
    slo_monitor_t *slos;
    plan_book_t *plans;
    int64_t tell_at;     /* when series are written next */
    int64_t memory_ends; /* when series that have not come back are forgotten; 0: not known yet */
    double series_ttl_s;
    engine_series_t telling;
    instant_t now;  /* the latest that was handed in */
    uint64_t calls; /* of observability_stack_metrics */
    entry_t entries[STACK_ENTRIES];
    uint8_t *labels; /* room for the labels of our own series */
};

/*  What is known of a watched series. */
void stack_view_anomaly(const observability_stack_t *self, const series_t *series,
                        anomaly_view_t *view);

/*  Set a series of the broker's own, and evaluate what reads it. */
void stack_set_own(observability_stack_t *self, const own_series_t *what, double value,
                   instant_t now);

/*  The same for one that is at hand: a gauge. */
void stack_change_own(observability_stack_t *self, series_t *series, double value, instant_t now);

/*  It is no more: whoever reads it is told. */
void stack_remove_own(observability_stack_t *self, series_t *series, instant_t now);

/*  The same by name, if it is there. */
void stack_forget_own(observability_stack_t *self, text_t name, labels_t labels, instant_t now);

#endif
