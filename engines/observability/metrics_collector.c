#include "engines/observability/metrics_collector.h"

#include "engines/observability/metrics_collector_inside.h"
#include "proto/must.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- birth and death -- */

static uint32_t metrics_for(collector_limits_t limits)
{
    return limits.series + INTERNAL_METRICS;
}

/* Each metric may have an overflow series. */
static uint32_t all_series_for(collector_limits_t limits)
{
    return limits.series + metrics_for(limits) + limits.own;
}

/* Series, an overflow series a metric, aliases. */
static uint32_t keys_for(collector_limits_t limits)
{
    return limits.series + metrics_for(limits) + limits.series;
}

metrics_collector_t *metrics_collector_new(collector_limits_t limits, double ttl_s, uint64_t seed)
{
    must(limits.series <= COLLECTOR_SERIES_MAX && limits.own <= 2 * COLLECTOR_SERIES_MAX);
    metrics_collector_t *self = memory_new(1, sizeof *self);
    self->seed = seed;
    self->limit = self->room = limits;
    self->series = memory_new((size_t)all_series_for(limits) + 1, sizeof(series_t));
    self->metrics = memory_new((size_t)metrics_for(limits) + 1, sizeof(metric_t));
    self->aliases = memory_new((size_t)limits.series + 1, sizeof(alias_t));
    self->canonical = memory_new(1, LABELS_MAX_BYTES);
    roll_init(&self->roll, all_series_for(limits));
    table_init(&self->keys, keys_for(limits));
    table_init(&self->own_keys, limits.own);
    table_init(&self->names, metrics_for(limits));
    collector_set_ttl(self, ttl_s);
    return self;
}

static uint32_t greater(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void grow(metrics_collector_t *self, collector_limits_t limits)
{
    collector_limits_t room = {greater(limits.series, self->room.series),
                               greater(limits.own, self->room.own)};
    if (room.series == self->room.series && room.own == self->room.own)
        return;
    must(room.series <= COLLECTOR_SERIES_MAX && room.own <= 2 * COLLECTOR_SERIES_MAX);
    self->series = memory_grow(self->series, (size_t)all_series_for(room) + 1, sizeof(series_t));
    self->metrics = memory_grow(self->metrics, (size_t)metrics_for(room) + 1, sizeof(metric_t));
    self->aliases = memory_grow(self->aliases, (size_t)room.series + 1, sizeof(alias_t));
    roll_grow(&self->roll, all_series_for(room));
    table_grow(&self->keys, keys_for(room));
    table_grow(&self->own_keys, room.own);
    table_grow(&self->names, metrics_for(room));
    self->room = room;
}

void metrics_collector_destroy(metrics_collector_t **self_p)
{
    metrics_collector_t *self = *self_p;
    if (self == NULL)
        return;
    uint64_t at = 0;
    for (series_t *series; (series = metrics_collector_next(self, &at)) != NULL;)
        collector_free_value(series);
    for (uint32_t i = 1; i <= self->metrics_taken; i++) {
        free(self->metrics[i].name);
        free(self->metrics[i].unit);
    }
    for (uint32_t i = 1; i <= self->aliases_taken; i++)
        free(self->aliases[i].bytes);
    roll_free(&self->roll);
    table_free(&self->keys);
    table_free(&self->own_keys);
    table_free(&self->names);
    free(self->series);
    free(self->metrics);
    free(self->aliases);
    free(self->canonical);
    free(self);
    *self_p = NULL;
}

void metrics_collector_configure(metrics_collector_t *self, collector_limits_t limits, double ttl_s)
{
    grow(self, limits);
    self->limit = limits;
    collector_change_ttl(self, ttl_s);
}

static bool same_key(const metrics_collector_t *self, uint32_t item, text_t name,
                     const uint8_t *bytes, uint32_t size)
{
    const uint8_t *held;
    uint32_t held_size;
    if (item & ALIAS_BIT) {
        const alias_t *alias = &self->aliases[item & ~ALIAS_BIT];
        held = alias->bytes;
        held_size = alias->size;
        item = alias->series;
    } else {
        held = self->series[item].labels;
        held_size = self->series[item].labels_size;
    }
    return held_size == size && (size == 0 || memcmp(held, bytes, size) == 0) &&
           text_equal(metric_name(&self->metrics[self->series[item].metric]), name);
}

/* The series with these labels in this form; 0: none. */
static uint32_t find_series(const metrics_collector_t *self, const table_t *keys, text_t name,
                            const uint8_t *bytes, uint32_t size, uint64_t hash)
{
    uint32_t probe = 0, item;
    while ((item = table_next(keys, hash, &probe)) != 0)
        if (same_key(self, item, name, bytes, size))
            return item & ALIAS_BIT ? self->aliases[item & ~ALIAS_BIT].series : item;
    return 0;
}

/* -- events -- */

/* {"__overflow__": "true"} as canonical labels are encoded. */
static const uint8_t overflow_bytes[] = "\xac"
                                        "__overflow__"
                                        "\xa4"
                                        "true";
#define OVERFLOW_LABELS ((labels_t){overflow_bytes, sizeof overflow_bytes - 1, 1})

static series_t *overflow_series(metrics_collector_t *self, uint32_t metric, instant_t now,
                                 bool *created)
{
    metric_t *of = &self->metrics[metric];
    *created = of->overflow == 0;
    if (*created) {
        series_t *series =
            collector_add_series(self, metric, OVERFLOW_LABELS, &(series_t){.overflow = true}, now);
        of->overflow = collector_number_of(self, series);
    }
    return &self->series[of->overflow];
}

/* The series of these canonical labels, made if there is room, else the one for what has none. */
static series_t *outside_series(metrics_collector_t *self, uint32_t metric, labels_t labels,
                                uint64_t hash, instant_t now, bool *created)
{
    text_t name = metric_name(&self->metrics[metric]);
    uint32_t item = find_series(self, &self->keys, name, labels.bytes, labels.size, hash);
    *created = false;
    if (item != 0)
        return &self->series[item];
    if (labels_equal(labels, OVERFLOW_LABELS)) /* another collector's, sent on to this one */
        return overflow_series(self, metric, now, created);
    if (self->outside >= self->limit.series) {
        self->overflow++;
        return overflow_series(self, metric, now, created);
    }
    *created = true;
    return collector_add_series(self, metric, labels, &(series_t){0}, now);
}

static bool may_alias(const series_t *series, labels_t labels, raw_labels_t raw)
{
    bool is_its_own = labels_equal(series_labels(series), labels);
    bool differs =
        raw.size != labels.size || (raw.size > 0 && memcmp(raw.bytes, labels.bytes, raw.size) != 0);
    return is_its_own && differs;
}

/* A form of labels that was not seen before. */
static series_t *find_by_meaning(metrics_collector_t *self, const metric_event_t *event,
                                 uint64_t hash, instant_t now, found_t *found)
{
    uint32_t metric = collector_metric_for(self, event->name, event->kind, false, &found->status);
    if (metric == 0)
        return NULL;
    labels_t labels = labels_canonical(event->labels, self->canonical);
    uint64_t meaning = collector_key_hash(self, event->name, labels.bytes, labels.size);
    series_t *series = outside_series(self, metric, labels, meaning, now, &found->created);
    if (may_alias(series, labels, event->labels))
        collector_add_alias(self, series, event->labels, hash);
    return series;
}

void metrics_collector_hash(const metrics_collector_t *self, const metric_event_t *events,
                            size_t count, uint64_t *hashes)
{
    must(count <= COLLECTOR_GROUP);
    for (size_t i = 0; i < count; i++) {
        hashes[i] =
            collector_key_hash(self, events[i].name, events[i].labels.bytes, events[i].labels.size);
        table_prefetch(&self->keys, hashes[i]);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t probe = 0, item = table_next(&self->keys, hashes[i], &probe);
        if (item & ALIAS_BIT)
            __builtin_prefetch(&self->aliases[item & ~ALIAS_BIT]);
        else
            __builtin_prefetch(&self->series[item]);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t probe = 0, item = table_next(&self->keys, hashes[i], &probe);
        if ((item & ALIAS_BIT) == 0)
            __builtin_prefetch(self->series[item].labels);
    }
}

found_t metrics_collector_find(metrics_collector_t *self, const metric_event_t *event,
                               uint64_t hash, instant_t now)
{
    found_t found = {.status = STATUS_OK};
    uint32_t item =
        find_series(self, &self->keys, event->name, event->labels.bytes, event->labels.size, hash);
    found.series =
        item != 0 ? &self->series[item] : find_by_meaning(self, event, hash, now, &found);
    if (found.series == NULL)
        return found;
    if (found.series->kind != event->kind)
        return (found_t){.status = STATUS_KIND_MISMATCH};
    if (event->unit.size > 0)
        found.unit_named = collector_name_unit(&self->metrics[found.series->metric], event->unit);
    return found;
}

static void touch(series_t *series, instant_t now)
{
    series->touched_ns = now.mono_ns;
    series->updated_at = now.wall_s;
}

void metrics_collector_apply(series_t *series, double value, instant_t now)
{
    touch(series, now);
    if (series->kind == METRIC_COUNTER)
        counter_add(&series->value.counter, value);
    else if (series->kind == METRIC_GAUGE)
        series->value.gauge = value;
    else
        sketch_add(series->value.histogram, value);
}

void metrics_collector_apply_whole(series_t *series, const metric_event_t *event, instant_t now)
{
    metrics_collector_apply(series, event->value, now);
    if (series->kind == METRIC_COUNTER)
        counter_correct(&series->value.counter, event->rest);
}

static bool inside_full(const metrics_collector_t *self)
{
    return self->inside >= self->limit.own;
}

static series_t *inside_series(metrics_collector_t *self, uint32_t metric, const own_series_t *what,
                               instant_t now, bool *created)
{
    uint64_t hash = collector_key_hash(self, what->name, what->labels.bytes, what->labels.size);
    uint32_t item =
        find_series(self, &self->own_keys, what->name, what->labels.bytes, what->labels.size, hash);
    *created = item == 0 && !inside_full(self);
    if (!*created)
        return item == 0 ? NULL : &self->series[item];
    series_t flags = {
        .internal = true, .pinned = what->pinned, .borrowed = what->histogram != NULL};
    return collector_add_series(self, metric, what->labels, &flags, now);
}

static void set_value(series_t *series, const own_series_t *what, double value)
{
    if (what->kind == METRIC_COUNTER)
        series->value.counter = (counter_t){.whole = (uint64_t)value};
    else if (what->kind == METRIC_HISTOGRAM)
        series->value.histogram = what->histogram;
    else
        series->value.gauge = value;
}

series_t *metrics_collector_set(metrics_collector_t *self, const own_series_t *what, double value,
                                instant_t now, bool *created)
{
    must((what->kind == METRIC_HISTOGRAM) == (what->histogram != NULL));
    *created = false;
    if (inside_full(self) && metrics_collector_metric(self, what->name) == NULL)
        return NULL; /* no metric without a series */
    status_t status;
    uint32_t metric = collector_metric_for(self, what->name, what->kind, true, &status);
    if (metric == 0)
        return NULL;
    series_t *series = inside_series(self, metric, what, now, created);
    if (series == NULL)
        return NULL;
    collector_name_unit(&self->metrics[metric], what->unit);
    touch(series, now);
    set_value(series, what, value);
    return series;
}

/* -- merging -- */

static void merge_gauge(series_t *self, const series_t *other, bool created)
{
    bool later = other->touched_ns > self->touched_ns;
    bool same = other->touched_ns == self->touched_ns;
    if (created || later || (same && other->value.gauge > self->value.gauge))
        self->value.gauge = other->value.gauge;
}

static void merge_value(series_t *self, const series_t *other, bool created)
{
    if (self->kind == METRIC_COUNTER)
        counter_merge(&self->value.counter, &other->value.counter);
    else if (self->kind == METRIC_HISTOGRAM)
        sketch_merge(self->value.histogram, other->value.histogram);
    else
        merge_gauge(self, other, created);
    if (created || other->touched_ns > self->touched_ns) {
        self->touched_ns = other->touched_ns;
        self->updated_at = other->updated_at;
    }
}

void metrics_collector_merge(metrics_collector_t *self, const metrics_collector_t *other,
                             instant_t now)
{
    must(self != other);
    uint64_t at = 0;
    for (const series_t *series; (series = metrics_collector_next(other, &at)) != NULL;) {
        if (series->internal)
            continue;
        const metric_t *metric = metrics_collector_metric_of(other, series);
        labels_t labels = series_labels(series);
        metric_event_t event = {.name = metric_name(metric),
                                .labels = {labels.bytes, labels.size, labels.count},
                                .unit = metric_unit(metric),
                                .kind = metric->kind};
        uint64_t hash;
        metrics_collector_hash(self, &event, 1, &hash);
        found_t found = metrics_collector_find(self, &event, hash, now);
        if (found.series != NULL)
            merge_value(found.series, series, found.created);
    }
    self->overflow += other->overflow;
}
/* -- looks -- */

series_t *metrics_collector_series(const metrics_collector_t *self, text_t name, labels_t labels)
{
    uint64_t hash = collector_key_hash(self, name, labels.bytes, labels.size);
    uint32_t item = find_series(self, &self->keys, name, labels.bytes, labels.size, hash);
    if (item == 0)
        item = find_series(self, &self->own_keys, name, labels.bytes, labels.size, hash);
    return item == 0 ? NULL : &self->series[item];
}

uint32_t metrics_collector_number(const metrics_collector_t *self, const series_t *series)
{
    return collector_number_of(self, series);
}

series_t *metrics_collector_numbered(const metrics_collector_t *self, uint32_t number)
{
    return &self->series[number];
}

const metric_t *metrics_collector_metric(const metrics_collector_t *self, text_t name)
{
    uint32_t item = collector_find_metric(self, name, hash_text(self->seed, name));
    return item == 0 ? NULL : &self->metrics[item];
}

const metric_t *metrics_collector_metric_of(const metrics_collector_t *self, const series_t *series)
{
    return &self->metrics[series->metric];
}

series_t *metrics_collector_next_of(const metrics_collector_t *self, const metric_t *metric,
                                    const series_t *after)
{
    uint32_t item = after == NULL ? metric->series : after->next_of_metric;
    return item == 0 ? NULL : &self->series[item];
}

series_t *metrics_collector_next(const metrics_collector_t *self, uint64_t *at)
{
    uint32_t item = roll_next(&self->roll, at);
    return item == 0 ? NULL : &self->series[item];
}

collector_use_t metrics_collector_use(const metrics_collector_t *self)
{
    return (collector_use_t){self->outside, self->limit.series, self->overflow};
}

double series_value(const series_t *series)
{
    if (series->kind == METRIC_COUNTER)
        return counter_value(&series->value.counter);
    return series->kind == METRIC_GAUGE ? series->value.gauge : NAN;
}

static void view_histogram(const sketch_t *histogram, metric_view_t *view)
{
    view->count = histogram->count;
    view->sum = sketch_sum(histogram);
    view->mean = sketch_mean(histogram);
    view->min = histogram->count > 0 ? histogram->min : NAN;
    view->max = histogram->count > 0 ? histogram->max : NAN;
    view->p50 = sketch_quantile(histogram, 500);
    view->p90 = sketch_quantile(histogram, 900);
    view->p95 = sketch_quantile(histogram, 950);
    view->p99 = sketch_quantile(histogram, 990);
    view->p999 = sketch_quantile(histogram, 999);
}

void metrics_collector_view(const metrics_collector_t *self, const series_t *series,
                            metric_view_t *view)
{
    const metric_t *metric = &self->metrics[series->metric];
    *view = (metric_view_t){.name = metric_name(metric),
                            .labels = series_labels(series),
                            .unit = metric_unit(metric),
                            .kind = metric->kind,
                            .value = series_value(series),
                            .updated_at = series->updated_at,
                            .sum = NAN,
                            .min = NAN,
                            .max = NAN,
                            .mean = NAN,
                            .p50 = NAN,
                            .p90 = NAN,
                            .p95 = NAN,
                            .p99 = NAN,
                            .p999 = NAN};
    if (series->kind == METRIC_COUNTER) {
        view->whole = counter_is_whole(&series->value.counter);
        view->whole_value = series->value.counter.whole;
    }
    if (series->kind == METRIC_HISTOGRAM)
        view_histogram(series->value.histogram, view);
}
