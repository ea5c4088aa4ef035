/*  observability_stack - the one door to the five engines: what do the events of now mean?
 *
 *  Routes metric events to the collector and the anomaly detector, request events to the profiler,
 *  the dependency monitor and every SLO that selects them, evaluates plans, and hands what it finds
 *  to the sink.
 *
 *  Owns     every engine of the wing and all they hold
 *  Bounds   limits of observability_config_t; at a limit an event is refused (limit) or goes to
 *           __overflow__
 *  Time     handed in as `now`; never earlier than before. Findings come out in the order of
 *           events, then of creation; the same input gives the same findings, byte for byte
 *  Thread   one at a time
 *  Refuses  events: kind_mismatch, limit; definitions: bad_value, limit, not_found
 */
#ifndef ENGINES_OBSERVABILITY_STACK_H
#define ENGINES_OBSERVABILITY_STACK_H

#include "engines/condition.h"
#include "engines/observability/finding.h"
#include "proto/event.h"
#include "proto/instant.h"
#include "proto/labels.h"
#include "proto/thing.h"

/*  The first rule that matches a series rules it. */
typedef struct {
    text_t name_glob;     /* "cpu*": * any run, ? any one character; TEXT_NONE: any name */
    int kind;             /* a metric_kind_t, or -1 for any */
    labels_t labels;      /* all of them must be there */
    double sensitivity;   /* 0.1-10.0, default 3.0 */
    uint32_t min_history; /* 10-100 earlier values before anything is judged, default 10 */
    severity_t severity;
    bool watch; /* false: matching series are not watched */
} anomaly_rule_t;

typedef struct {
    limits_t limits;
    uint32_t series;       /* at most; default 200,000 */
    uint32_t operations;   /* default 10,000 */
    uint32_t dependencies; /* default 1,000 */
    uint32_t slos;         /* default 1,000 */
    uint32_t plans;        /* default 10,000 */
    uint64_t range_bytes;  /* that ranges of conditions may take, default 256 MiB */
    double series_ttl_s;   /* idle series expire after this, default 3,600 */
    const anomaly_rule_t
        *anomaly_rules; /* copied; none: every gauge at sensitivity 3, tocsin_* never */
    size_t anomaly_rule_count;
    uint32_t dependency_window;       /* outcomes, default 100, at most 10,000 */
    uint32_t dependency_min_requests; /* default 5 */
    double dependency_degraded;       /* error ratio above which it is degraded, default 0.10 */
    double dependency_unhealthy;      /* default 0.50 */
    uint64_t seed;                    /* of the hash tables; changes no answer and no order */
} observability_config_t;

/*  All defaults above. */
observability_config_t observability_config_default(void);

typedef struct observability_stack observability_stack_t;

/*  The sink outlives the stack. It is called from inside the functions below and must not call
 * back. */
observability_stack_t *observability_stack_new(const observability_config_t *config,
                                               finding_sink_t sink);
void observability_stack_destroy(observability_stack_t **self);

/*  Take decoded events, in order; `accepted`, `samples` and what the engines refuse are counted in
 * the tally. */
void observability_stack_metrics(observability_stack_t *self, const metric_event_t *events,
                                 size_t count, instant_t now, tally_t *tally);
void observability_stack_requests(observability_stack_t *self, const request_event_t *events,
                                  size_t count, instant_t now, tally_t *tally);

/*  Let time pass: windows roll, idle series expire, what the engines know becomes series
 * (tocsin_…). Call it at `next` at the latest; calling early does no harm. */
void observability_stack_tick(observability_stack_t *self, instant_t now);
int64_t observability_stack_next(const observability_stack_t *self);

/*  A series from inside (a name that begins with tocsin_, or ALERTS). */
typedef struct {
    text_t name;
    labels_t labels;
    metric_kind_t kind; /* a counter, whose whole value is told, or a gauge */
    double value;       /* NaN: it is no more */
} sample_t;

/*  Set it; it stays until it is no more. */
void observability_stack_sample(observability_stack_t *self, const sample_t *sample, instant_t now);

/*  Apply new settings of a reload; what is already known stays. Limits can be raised, not lowered
 * below use. */
void observability_stack_configure(observability_stack_t *self,
                                   const observability_config_t *config);

/* -- definitions -- */

/*  Put or replace; an identical one changes nothing, a changed one starts afresh. */
status_t observability_stack_slo_put(observability_stack_t *self, const slo_t *slo, instant_t now);
status_t observability_stack_slo_delete(observability_stack_t *self, text_t name);

/*  Evaluate a condition from now on, first against every series there is: each result that differs
 * from the last one sent is found, the first of a series even if it does not hold. `id` names it in
 * findings; put again it replaces. Series that are silent for `lookback_s` have no data. */
status_t observability_stack_plan_put(observability_stack_t *self, uint64_t id, text_t condition,
                                      double interval_s, double lookback_s, instant_t now);
void observability_stack_plan_delete(observability_stack_t *self, uint64_t id);
/*  What does a condition come to now? Leaves no trace. The answer, its elements in order of labels
 *  and without names, lies in the arena and in the series, until the next change. STATUS_BAD_VALUE:
 *  it is no condition, or failed: `error` says why and where. */
status_t observability_stack_test(const observability_stack_t *self, text_t condition,
                                  instant_t now, arena_t *arena, answer_t *answer,
                                  condition_error_t *error);

/* -- questions: fill the view, or false / STATUS_NOT_FOUND. Texts in a view are looks until the
 * next change. -- */

typedef struct {
    uint64_t count, limit,
        overflow; /* series held; events sent to an __overflow__ series since the start */
} series_use_t;

series_use_t observability_stack_series(const observability_stack_t *self);

typedef struct {
    uint64_t count, limit;             /* conditions evaluated */
    uint64_t range_bytes, range_limit; /* what their ranges take, and may take */
} plan_use_t;

plan_use_t observability_stack_plans(const observability_stack_t *self);

bool observability_stack_metric(const observability_stack_t *self, text_t name, labels_t labels,
                                metric_view_t *view);
bool observability_stack_anomaly(const observability_stack_t *self, text_t name, labels_t labels,
                                 anomaly_view_t *view);
/*  Would `value` be anomalous as the next value of the series? Adds nothing. */
bool observability_stack_anomaly_check(const observability_stack_t *self, text_t name,
                                       labels_t labels, double value, anomaly_view_t *view);
bool observability_stack_profile(const observability_stack_t *self, text_t operation,
                                 profile_view_t *view);
bool observability_stack_dependency(const observability_stack_t *self, text_t name,
                                    dependency_view_t *view);
bool observability_stack_slo(const observability_stack_t *self, text_t name, instant_t now,
                             slo_view_t *view);

/*  Lists in order of creation: start with *at = 0, pass it back; false at the end. *at is a cursor
 * that stays good while things come and go: nothing that was there all the time is missed or seen
 * twice. */
bool observability_stack_next_metric(const observability_stack_t *self, uint64_t *at, text_t prefix,
                                     metric_view_t *view);
bool observability_stack_next_anomaly(const observability_stack_t *self, uint64_t *at,
                                      anomaly_view_t *view);
bool observability_stack_next_profile(const observability_stack_t *self, uint64_t *at,
                                      profile_view_t *view);
bool observability_stack_next_dependency(const observability_stack_t *self, uint64_t *at,
                                         dependency_view_t *view);
bool observability_stack_next_slo(const observability_stack_t *self, uint64_t *at, instant_t now,
                                  slo_view_t *view);

#endif
