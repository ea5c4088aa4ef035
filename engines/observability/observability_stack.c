#include "engines/observability/observability_stack.h"

#include "engines/observability/observability_stack_inside.h"
#include "proto/cursor.h"
#include "proto/must.h"

#include <math.h>
#include <stdlib.h>

/* What the engines know becomes series once a second. */
#define TELL_EVERY_NS NS_PER_S

/* Longer than any process runs, and still a number in nanoseconds. */
#define TTL_MAX_S 1e9

/* Series of what the broker counts: endpoints, reasons, families, channels, operations. */
#define OWN_COUNTS 4096u

#define SERIES_DEFAULT 200000u
#define OPERATIONS_DEFAULT 10000u
#define DEPENDENCIES_DEFAULT 1000u
#define SLOS_DEFAULT 1000u
#define PLANS_DEFAULT 10000u
#define RANGE_BYTES_DEFAULT (UINT64_C(256) << 20)
#define SERIES_TTL_DEFAULT_S 3600.0
#define DEPENDENCY_WINDOW_DEFAULT 100u
#define DEPENDENCY_MIN_REQUESTS_DEFAULT 5u
#define DEPENDENCY_DEGRADED_DEFAULT 0.10
#define DEPENDENCY_UNHEALTHY_DEFAULT 0.50

observability_config_t observability_config_default(void)
{
    return (observability_config_t){
        .limits = LIMITS_DEFAULT,
        .series = SERIES_DEFAULT,
        .operations = OPERATIONS_DEFAULT,
        .dependencies = DEPENDENCIES_DEFAULT,
        .slos = SLOS_DEFAULT,
        .plans = PLANS_DEFAULT,
        .range_bytes = RANGE_BYTES_DEFAULT,
        .series_ttl_s = SERIES_TTL_DEFAULT_S,
        .dependency_window = DEPENDENCY_WINDOW_DEFAULT,
        .dependency_min_requests = DEPENDENCY_MIN_REQUESTS_DEFAULT,
        .dependency_degraded = DEPENDENCY_DEGRADED_DEFAULT,
        .dependency_unhealthy = DEPENDENCY_UNHEALTHY_DEFAULT,
    };
}

static dependency_config_t dependency_config(const observability_config_t *config)
{
    return (dependency_config_t){.dependencies = config->dependencies,
                                 .window = config->dependency_window,
                                 .min_requests = config->dependency_min_requests,
                                 .degraded = config->dependency_degraded,
                                 .unhealthy = config->dependency_unhealthy,
                                 .seed = config->seed};
}

/* Series of the broker's own: what it counts, what engine_series tells of each thing, a state or
 * two of ALERTS a plan, a score a series. */
static collector_limits_t collector_limits(const observability_config_t *config)
{
    uint32_t own = OWN_COUNTS + 3 * config->operations + 9 * config->dependencies +
                   9 * config->slos + 2 * config->plans + config->series;
    return (collector_limits_t){config->series, own};
}

/* What arrived before a tick may be handed in after it: it then counts as of the tick. */
static instant_t latest(observability_stack_t *self, instant_t now)
{
    if (now.mono_ns < self->now.mono_ns)
        now.mono_ns = self->now.mono_ns;
    self->now = now;
    return now;
}

static void send(observability_stack_t *self, const finding_t *finding)
{
    self->sink.take(self->sink.context, finding);
}

/* What entering a status is called. */
static const finding_type_t slo_findings[SLO_STATUS_COUNT] = {
    [SLO_INSUFFICIENT_DATA] = FINDING_SLO_RECOVERED,
    [SLO_OK] = FINDING_SLO_RECOVERED,
    [SLO_BURNING] = FINDING_SLO_BURNING,
    [SLO_BREACHED] = FINDING_SLO_BREACHED,
};

static void take_slo(void *context, const slo_view_t *view, slo_status_t from, instant_t now)
{
    bool was_well = from == SLO_OK || from == SLO_INSUFFICIENT_DATA;
    bool is_well = view->status == SLO_OK || view->status == SLO_INSUFFICIENT_DATA;
    if (was_well && is_well)
        return;
    finding_t finding = {.type = slo_findings[view->status], .now = now};
    finding.as.slo.view = *view;
    finding.as.slo.from = from;
    finding.as.slo.to = view->status;
    send(context, &finding);
}

observability_stack_t *observability_stack_new(const observability_config_t *config,
                                               finding_sink_t sink)
{
    observability_stack_t *self = memory_new(1, sizeof *self);
    dependency_config_t dependencies = dependency_config(config);
    self->sink = sink;
    self->collector =
        metrics_collector_new(collector_limits(config), config->series_ttl_s, config->seed);
    self->detector =
        anomaly_detector_new(config->anomaly_rules, config->anomaly_rule_count, config->seed);
    self->profiler = performance_profiler_new(config->operations, config->seed);
    self->dependencies = dependency_health_monitor_new(&dependencies);
    self->slos = slo_monitor_new(config->slos, config->seed, (slo_sink_t){take_slo, self});
    self->plans =
        plan_book_new(config->plans, config->range_bytes, config->seed, self->collector, sink);
    self->series_ttl_s = config->series_ttl_s;
    self->labels = memory_new(1, LABELS_MAX_BYTES);
    return self;
}

void observability_stack_destroy(observability_stack_t **self_p)
{
    observability_stack_t *self = *self_p;
    if (self == NULL)
        return;
    uint64_t at = 0;
    for (series_t *series; (series = metrics_collector_next(self->collector, &at)) != NULL;)
        anomaly_watch_destroy(&series->watch);
    plan_book_destroy(&self->plans);
    slo_monitor_destroy(&self->slos);
    dependency_health_monitor_destroy(&self->dependencies);
    performance_profiler_destroy(&self->profiler);
    anomaly_detector_destroy(&self->detector);
    metrics_collector_destroy(&self->collector);
    free(self->labels);
    free(self);
    *self_p = NULL;
}

/* -- series: what hangs on them -- */

/* An __overflow__ series mixes the values of many: it is not watched. */
static void rule_series(observability_stack_t *self, series_t *series)
{
    const metric_t *metric = metrics_collector_metric_of(self->collector, series);
    watched_t what = {metric_name(metric), series_labels(series), metric->kind,
                      metrics_collector_number(self->collector, series)};
    if (!series->overflow)
        anomaly_detector_rule(self->detector, what, &series->watch);
    if (series->watch == NULL)
        engine_series_drop_score(self, series, self->now);
    series->followed = series->watch != NULL || series->plans != NULL;
}

static void join(observability_stack_t *self, series_t *series)
{
    plan_book_join(self->plans, series);
    rule_series(self, series);
}

typedef struct {
    observability_stack_t *stack;
    instant_t now;
} leaving_t;

static void leave(void *context, series_t *series)
{
    const leaving_t *leaving = context;
    engine_series_drop_score(leaving->stack, series, leaving->now);
    plan_book_leave(leaving->stack->plans, series, leaving->now);
    anomaly_watch_destroy(&series->watch);
}

void stack_view_anomaly(const observability_stack_t *self, const series_t *series,
                        anomaly_view_t *view)
{
    const metric_t *metric = metrics_collector_metric_of(self->collector, series);
    anomaly_watch_view(series->watch, view);
    view->name = metric_name(metric);
    view->labels = series_labels(series);
}

static void watch_value(observability_stack_t *self, series_t *series, double value, instant_t now)
{
    verdict_t verdict;
    episode_t episode = anomaly_watch_take(series->watch, value, now, &verdict);
    if (episode == EPISODE_NONE)
        return;
    finding_t finding = {.now = now};
    finding.type = episode == EPISODE_BEGINS ? FINDING_ANOMALY_DETECTED : FINDING_ANOMALY_CLEARED;
    stack_view_anomaly(self, series, &finding.as.anomaly.view);
    finding.as.anomaly.expected_mean = verdict.mean;
    finding.as.anomaly.expected_stddev = verdict.stddev;
    send(self, &finding);
}

static void follow(observability_stack_t *self, series_t *series, double value, instant_t now)
{
    if (series->watch != NULL)
        watch_value(self, series, value, now);
    if (series->plans != NULL)
        plan_book_take(self->plans, series, now);
}

/* -- metric events -- */

static inline void take_value(observability_stack_t *self, series_t *series, double value,
                              instant_t now)
{
    metrics_collector_apply(series, value, now);
    if (series->followed)
        follow(self, series, value, now);
}

static void take_whole(observability_stack_t *self, series_t *series, const metric_event_t *event,
                       instant_t now)
{
    metrics_collector_apply_whole(series, event, now);
    if (series->followed)
        follow(self, series, event->value, now);
}

/* Several values of one event are several events of one moment. */
static void take_values(observability_stack_t *self, series_t *series, const metric_event_t *event,
                        instant_t now)
{
    /* each number has at most nine bytes; decode has seen that they are all there */
    cursor_t cursor = cursor_over(event->values, (size_t)event->value_count * 9);
    for (uint32_t i = 0; i < event->value_count; i++) {
        value_t read;
        double value;
        bool good = cursor_read(&cursor, &read) && value_number(&read, &value);
        must(good);
        take_value(self, series, value, now);
    }
}

/* A unit may change what "80%" means to every series of the metric. */
static void reread(observability_stack_t *self, const series_t *named, instant_t now)
{
    const metric_t *metric = metrics_collector_metric_of(self->collector, named);
    series_t *series = NULL;
    while ((series = metrics_collector_next_of(self->collector, metric, series)) != NULL)
        if (series != named)
            plan_book_evaluate(self->plans, series, now);
}

static inline void apply_event(observability_stack_t *self, series_t *series,
                               const metric_event_t *event, instant_t now, tally_t *tally)
{
    tally->accepted++;
    tally->samples += event->value_count;
    if (event->rest != 0)
        take_whole(self, series, event, now);
    else if (event->values == NULL)
        take_value(self, series, event->value, now);
    else
        take_values(self, series, event, now);
}

/* Its series, made if need be; NULL: the event is refused. */
static inline series_t *take_event(observability_stack_t *self, const metric_event_t *event,
                                   uint64_t hash, instant_t now, tally_t *tally)
{
    found_t found = metrics_collector_find(self->collector, event, hash, now);
    if (found.series == NULL) {
        tally->refused[found.status]++;
        return NULL;
    }
    if (found.created)
        join(self, found.series);
    apply_event(self, found.series, event, now, tally);
    if (found.unit_named)
        reread(self, found.series, now);
    return found.series;
}

static void take_group(observability_stack_t *self, const metric_event_t *events, size_t count,
                       instant_t now, tally_t *tally)
{
    uint64_t hashes[COLLECTOR_GROUP];
    metrics_collector_hash(self->collector, events, count, hashes);
    for (size_t i = 0; i < count; i++)
        take_event(self, &events[i], hashes[i], now, tally);
}

/* -- samples of compact frames: a series is looked up once, not once a sample -- */

/* Two events of one call name the same entry of the same frame when their texts are the same
 * bytes. */
static bool is_entry(const entry_t *entry, const metric_event_t *event, uint64_t call)
{
    return entry->call == call && entry->name == event->name.data &&
           entry->labels == event->labels.bytes;
}

/* Events beyond the limit are counted one by one: their series is not remembered. */
static void take_sample(observability_stack_t *self, const metric_event_t *event, instant_t now,
                        tally_t *tally)
{
    entry_t *entry = &self->entries[event->entry % STACK_ENTRIES];
    if (is_entry(entry, event, self->calls)) {
        apply_event(self, entry->series, event, now, tally);
        return;
    }
    uint64_t hash;
    metrics_collector_hash(self->collector, event, 1, &hash);
    series_t *series = take_event(self, event, hash, now, tally);
    if (series != NULL && !series->overflow)
        *entry = (entry_t){self->calls, event->name.data, event->labels.bytes, series};
}

/* How many at the front are of compact frames, or are not. */
static size_t run_length(const metric_event_t *events, size_t count, bool compact)
{
    size_t length = 1;
    while (length < count && (events[length].entry != 0) == compact)
        length++;
    return length;
}

void observability_stack_metrics(observability_stack_t *self, const metric_event_t *events,
                                 size_t count, instant_t now, tally_t *tally)
{
    now = latest(self, now);
    self->calls++;
    while (count > 0) {
        size_t most = count < COLLECTOR_GROUP ? count : COLLECTOR_GROUP;
        size_t length = run_length(events, most, events->entry != 0);
        if (events->entry == 0)
            take_group(self, events, length, now, tally);
        else
            for (size_t i = 0; i < length; i++)
                take_sample(self, &events[i], now, tally);
        events += length;
        count -= length;
    }
}

/* -- request events -- */

static void take_outcome(observability_stack_t *self, const request_event_t *request, instant_t now,
                         tally_t *tally)
{
    dependency_change_t change;
    status_t status = dependency_health_monitor_record(self->dependencies, request, now, &change);
    if (status != STATUS_OK) {
        tally->dropped[status]++; /* the request counts, its dependency is one too many */
        return;
    }
    if (!change.changed)
        return;
    finding_t finding = {.type = FINDING_DEPENDENCY_CHANGED, .now = now};
    dependency_health_monitor_get(self->dependencies, request->dependency,
                                  &finding.as.dependency.view);
    finding.as.dependency.from = change.from;
    finding.as.dependency.to = change.to;
    finding.as.dependency.lasted = change.lasted;
    send(self, &finding);
}

void observability_stack_requests(observability_stack_t *self, const request_event_t *events,
                                  size_t count, instant_t now, tally_t *tally)
{
    now = latest(self, now);
    for (size_t i = 0; i < count; i++) {
        performance_profiler_record(self->profiler, &events[i], now);
        if (events[i].dependency.data != NULL)
            take_outcome(self, &events[i], now, tally);
        slo_monitor_record(self->slos, &events[i], now);
    }
    tally->accepted += count;
    tally->samples += count;
}

/* -- time -- */

void stack_set_own(observability_stack_t *self, const own_series_t *what, double value,
                   instant_t now)
{
    bool created;
    series_t *series = metrics_collector_set(self->collector, what, value, now, &created);
    if (series == NULL)
        return;
    if (created)
        join(self, series);
    if (series->followed)
        follow(self, series, value, now);
}

void stack_change_own(observability_stack_t *self, series_t *series, double value, instant_t now)
{
    take_value(self, series, value, now);
}

void stack_remove_own(observability_stack_t *self, series_t *series, instant_t now)
{
    leave(&(leaving_t){self, now}, series);
    metrics_collector_remove(self->collector, series);
}

void stack_forget_own(observability_stack_t *self, text_t name, labels_t labels, instant_t now)
{
    series_t *series = metrics_collector_series(self->collector, name, labels);
    if (series != NULL && series->pinned)
        stack_remove_own(self, series, now);
}

/* Series that do not come back within the time in which they would have expired. */
static void forget_memories(observability_stack_t *self, instant_t now)
{
    if (self->memory_ends == 0)
        self->memory_ends =
            now.mono_ns + (int64_t)(fmin(self->series_ttl_s, TTL_MAX_S) * (double)NS_PER_S);
    if (now.mono_ns < self->memory_ends)
        return;
    anomaly_detector_forget_memories(self->detector);
    self->memory_ends = INSTANT_NEVER;
}

void observability_stack_tick(observability_stack_t *self, instant_t now)
{
    now = latest(self, now);
    if (now.mono_ns >= slo_monitor_next_boundary(self->slos))
        slo_monitor_roll(self->slos, now);
    if (now.mono_ns >= self->tell_at) {
        self->tell_at = now.mono_ns + TELL_EVERY_NS;
        engine_series_begin(&self->telling);
        forget_memories(self, now);
        metrics_collector_expire(self->collector, now, leave, &(leaving_t){self, now});
    }
    engine_series_tell(self, now);
    plan_book_tick(self->plans, now);
}

int64_t observability_stack_next(const observability_stack_t *self)
{
    if (!engine_series_told(&self->telling))
        return self->now.mono_ns;
    int64_t next = slo_monitor_next_boundary(self->slos), due = plan_book_next(self->plans);
    next = due < next ? due : next;
    return next < self->tell_at ? next : self->tell_at;
}

void observability_stack_sample(observability_stack_t *self, const sample_t *sample, instant_t now)
{
    now = latest(self, now);
    must(sample->kind != METRIC_HISTOGRAM);
    own_series_t what = {
        .name = sample->name, .labels = sample->labels, .kind = sample->kind, .pinned = true};
    if (isfinite(sample->value))
        stack_set_own(self, &what, sample->value, now);
    else
        stack_forget_own(self, what.name, what.labels, now);
}

void observability_stack_configure(observability_stack_t *self,
                                   const observability_config_t *config)
{
    dependency_config_t dependencies = dependency_config(config);
    metrics_collector_configure(self->collector, collector_limits(config), config->series_ttl_s);
    dependency_health_monitor_configure(self->dependencies, &dependencies);
    performance_profiler_configure(self->profiler, config->operations);
    slo_monitor_configure(self->slos, config->slos);
    plan_book_configure(self->plans, config->plans, config->range_bytes);
    anomaly_detector_configure(self->detector, config->anomaly_rules, config->anomaly_rule_count);
    uint64_t at = 0;
    for (series_t *series; (series = metrics_collector_next(self->collector, &at)) != NULL;) {
        plan_book_moved(series);
        rule_series(self, series);
    }
}

/* -- definitions -- */

status_t observability_stack_slo_put(observability_stack_t *self, const slo_t *slo, instant_t now)
{
    now = latest(self, now);
    return slo_monitor_put(self->slos, slo, now);
}

status_t observability_stack_slo_delete(observability_stack_t *self, text_t name)
{
    status_t status = slo_monitor_delete(self->slos, name);
    if (status == STATUS_OK)
        engine_series_forget_slo(self, name, self->now);
    return status;
}

status_t observability_stack_plan_put(observability_stack_t *self, uint64_t id, text_t condition,
                                      double interval_s, double lookback_s, instant_t now)
{
    now = latest(self, now);
    return plan_book_put(self->plans, id, condition, interval_s, lookback_s, now);
}

void observability_stack_plan_delete(observability_stack_t *self, uint64_t id)
{
    plan_book_delete(self->plans, id);
}

static int by_labels(const void *a, const void *b)
{
    return labels_compare(((const element_t *)a)->labels, ((const element_t *)b)->labels);
}

status_t observability_stack_test(const observability_stack_t *self, text_t condition,
                                  instant_t now, arena_t *arena, answer_t *answer,
                                  condition_error_t *error)
{
    condition_t *compiled = condition_new(condition, error);
    if (compiled == NULL)
        return STATUS_BAD_VALUE;
    if (now.mono_ns < self->now.mono_ns)
        now.mono_ns = self->now.mono_ns;
    bool good =
        plan_book_test(self->plans, compiled, LOOKBACK_DEFAULT_MS, now, arena, answer, error);
    condition_destroy(&compiled);
    if (good && answer->vector.count > 1)
        qsort(answer->vector.items, answer->vector.count, sizeof(element_t), by_labels);
    return good ? STATUS_OK : STATUS_BAD_VALUE;
}
