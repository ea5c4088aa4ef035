#include "engines/observability/metrics_collector.h"

#include "engines/hash.h"
#include "engines/roll.h"
#include "engines/table.h"
#include "proto/must.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In the table of series: the item is an alias, the rest of it its number. */
#define ALIAS_BIT (UINT32_C(1) << 31)
/* Moments of expiry that are told apart: the ttl is this many less a few for rounding. */
#define DUE_LISTS 4096
#define DUE_STEPS 4000
#define TTL_MIN_S 1e-6
#define TTL_MAX_S 1e9

/* A form of a series' labels as a sender writes it, other than the canonical one. */
typedef struct {
    uint8_t *bytes;
    uint32_t size;
    uint32_t hash;
    uint32_t series;
    uint32_t next; /* of the same series, or the next free one */
} alias_t;

struct metrics_collector {
    uint64_t seed;
    uint32_t limit, room;     /* series from outside; what there is memory for */
    uint32_t inside, outside; /* series held: the broker's own, those that count to the limit */
    uint64_t overflow;

    series_t *series; /* from 1 */
    uint32_t series_taken, series_free;
    roll_t roll;
    table_t keys; /* (name, labels as they came) -> series or alias */

    metric_t *metrics; /* from 1 */
    uint32_t metrics_taken, metrics_free, metrics_outside, metrics_inside;
    table_t names;

    alias_t *aliases; /* from 1 */
    uint32_t aliases_taken, aliases_free, alias_count;

    int64_t ttl_ns;
    int64_t due_step_ns; /* what one list of `due` spans */
    int64_t due_done;    /* the last step whose list was emptied */
    uint32_t due[DUE_LISTS];

    uint8_t *canonical; /* where labels are put in order */
};

/* -- birth and death -- */

static void set_ttl(metrics_collector_t *self, double ttl_s)
{
    ttl_s = fmin(fmax(ttl_s, TTL_MIN_S), TTL_MAX_S);
    self->ttl_ns = (int64_t)(ttl_s * (double)NS_PER_S);
    self->due_step_ns = (self->ttl_ns + DUE_STEPS - 1) / DUE_STEPS;
}

static uint32_t metrics_for(uint32_t series)
{
    return series + INTERNAL_METRICS;
}

/* Each metric may have an overflow series. */
static uint32_t all_series_for(uint32_t series)
{
    return series + metrics_for(series) + INTERNAL_SERIES;
}

metrics_collector_t *metrics_collector_new(uint32_t series, double ttl_s, uint64_t seed)
{
    must(series <= COLLECTOR_SERIES_MAX);
    metrics_collector_t *self = memory_new(1, sizeof *self);
    self->seed = seed;
    self->limit = self->room = series;
    self->series = memory_new((size_t)all_series_for(series) + 1, sizeof(series_t));
    self->metrics = memory_new((size_t)metrics_for(series) + 1, sizeof(metric_t));
    self->aliases = memory_new((size_t)series + 1, sizeof(alias_t));
    self->canonical = memory_new(1, LABELS_MAX_BYTES);
    roll_init(&self->roll, all_series_for(series));
    table_init(&self->keys, all_series_for(series) + series);
    table_init(&self->names, metrics_for(series));
    set_ttl(self, ttl_s);
    return self;
}

static void grow(metrics_collector_t *self, uint32_t series)
{
    if (series <= self->room)
        return;
    must(series <= COLLECTOR_SERIES_MAX);
    self->series = memory_grow(self->series, (size_t)all_series_for(series) + 1, sizeof(series_t));
    self->metrics = memory_grow(self->metrics, (size_t)metrics_for(series) + 1, sizeof(metric_t));
    self->aliases = memory_grow(self->aliases, (size_t)series + 1, sizeof(alias_t));
    roll_grow(&self->roll, all_series_for(series));
    table_grow(&self->keys, all_series_for(series) + series);
    table_grow(&self->names, metrics_for(series));
    self->room = series;
}

static void free_value(series_t *series)
{
    if (series->kind == METRIC_HISTOGRAM) {
        sketch_free(series->value.histogram);
        free(series->value.histogram);
    }
    free((void *)(uintptr_t)series->labels);
}

void metrics_collector_destroy(metrics_collector_t **self_p)
{
    metrics_collector_t *self = *self_p;
    if (self == NULL)
        return;
    uint64_t at = 0;
    for (series_t *series; (series = metrics_collector_next(self, &at)) != NULL;)
        free_value(series);
    for (uint32_t i = 1; i <= self->metrics_taken; i++) {
        free(self->metrics[i].name);
        free(self->metrics[i].unit);
    }
    for (uint32_t i = 1; i <= self->aliases_taken; i++)
        free(self->aliases[i].bytes);
    roll_free(&self->roll);
    table_free(&self->keys);
    table_free(&self->names);
    free(self->series);
    free(self->metrics);
    free(self->aliases);
    free(self->canonical);
    free(self);
    *self_p = NULL;
}

static uint32_t number_of(const metrics_collector_t *self, const series_t *series)
{
    return (uint32_t)(series - self->series);
}

/* -- expiry -- */

/* The step at whose end a series is past its ttl, if nothing comes any more. */
static int64_t due_step(const metrics_collector_t *self, const series_t *series)
{
    return (series->touched_ns + self->ttl_ns) / self->due_step_ns + 1;
}

static void put_due(metrics_collector_t *self, series_t *series)
{
    int64_t step = due_step(self, series);
    if (step <= self->due_done)
        step = self->due_done + 1;
    uint32_t *list = &self->due[step % DUE_LISTS];
    series->due_next = *list;
    *list = number_of(self, series);
}

void metrics_collector_configure(metrics_collector_t *self, uint32_t series, double ttl_s)
{
    grow(self, series);
    self->limit = series;
    int64_t done_ns = self->due_done * self->due_step_ns;
    set_ttl(self, ttl_s);
    self->due_done = done_ns / self->due_step_ns;
    memset(self->due, 0, sizeof self->due);
    uint64_t at = 0;
    for (series_t *each; (each = metrics_collector_next(self, &at)) != NULL;)
        if (!each->pinned)
            put_due(self, each);
}

/* Take the series of one list that are due, at most EXPIRY_STEP in all; false when there was no
 * room for another. What was touched since it was listed is listed anew. */
static bool collect_due(metrics_collector_t *self, int64_t step, series_t **due, uint32_t *count)
{
    uint32_t *list = &self->due[step % DUE_LISTS], later = 0;
    while (*list != 0 && *count < EXPIRY_STEP) {
        series_t *series = &self->series[*list];
        *list = series->due_next;
        if (due_step(self, series) <= step) {
            due[(*count)++] = series;
            continue;
        }
        series->due_next = later;
        later = number_of(self, series);
    }
    bool done = *list == 0;
    while (later != 0) {
        series_t *series = &self->series[later];
        later = series->due_next;
        put_due(self, series);
    }
    return done;
}

/* -- metrics -- */

static uint32_t find_metric(const metrics_collector_t *self, text_t name, uint64_t hash)
{
    uint32_t probe = 0, item;
    while ((item = table_next(&self->names, hash, &probe)) != 0)
        if (text_equal(metric_name(&self->metrics[item]), name))
            break;
    return item;
}

static uint32_t add_metric(metrics_collector_t *self, text_t name, uint64_t hash,
                           metric_kind_t kind, bool internal)
{
    uint32_t item = self->metrics_free;
    if (item != 0)
        self->metrics_free = self->metrics[item].next_free;
    else
        item = ++self->metrics_taken;
    self->metrics[item] = (metric_t){.name = memory_copy(name.data, name.size),
                                     .name_size = name.size,
                                     .hash = hash,
                                     .kind = kind,
                                     .internal = internal};
    *(internal ? &self->metrics_inside : &self->metrics_outside) += 1;
    table_add(&self->names, hash, item);
    return item;
}

static void drop_metric(metrics_collector_t *self, uint32_t item)
{
    metric_t *metric = &self->metrics[item];
    table_remove(&self->names, metric->hash, item);
    *(metric->internal ? &self->metrics_inside : &self->metrics_outside) -= 1;
    free(metric->name);
    free(metric->unit);
    *metric = (metric_t){.next_free = self->metrics_free};
    self->metrics_free = item;
}

static bool metrics_full(const metrics_collector_t *self, bool internal)
{
    return internal ? self->metrics_inside >= INTERNAL_METRICS
                    : self->metrics_outside >= self->limit;
}

/* The metric of that name, made if need be. 0: refused. */
static uint32_t metric_for(metrics_collector_t *self, text_t name, metric_kind_t kind,
                           bool internal, status_t *status)
{
    uint64_t hash = hash_text(self->seed, name);
    uint32_t item = find_metric(self, name, hash);
    *status = STATUS_OK;
    if (item == 0 && metrics_full(self, internal))
        *status = STATUS_LIMIT;
    else if (item == 0)
        item = add_metric(self, name, hash, kind, internal);
    else if (self->metrics[item].kind != kind)
        *status = STATUS_KIND_MISMATCH;
    return *status == STATUS_OK ? item : 0;
}

static bool name_unit(metric_t *metric, text_t unit)
{
    if (unit.size == 0 || metric->unit != NULL)
        return false;
    metric->unit = memory_copy(unit.data, unit.size);
    metric->unit_size = unit.size;
    return true;
}

/* -- series -- */

static uint64_t key_hash(const metrics_collector_t *self, text_t name, const uint8_t *bytes,
                         uint32_t size)
{
    return hash_pair(self->seed, name, bytes, size);
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
static uint32_t find_series(const metrics_collector_t *self, text_t name, const uint8_t *bytes,
                            uint32_t size, uint64_t hash)
{
    uint32_t probe = 0, item;
    while ((item = table_next(&self->keys, hash, &probe)) != 0)
        if (same_key(self, item, name, bytes, size))
            return item & ALIAS_BIT ? self->aliases[item & ~ALIAS_BIT].series : item;
    return 0;
}

static uint32_t take_series(metrics_collector_t *self)
{
    uint32_t item = self->series_free;
    if (item == 0)
        return ++self->series_taken;
    self->series_free = self->series[item].due_next;
    return item;
}

static void join_metric(metrics_collector_t *self, uint32_t item)
{
    series_t *series = &self->series[item];
    metric_t *metric = &self->metrics[series->metric];
    series->previous_of_metric = metric->last_series;
    if (metric->last_series != 0)
        self->series[metric->last_series].next_of_metric = item;
    else
        metric->series = item;
    metric->last_series = item;
}

static void leave_metric(metrics_collector_t *self, const series_t *series)
{
    metric_t *metric = &self->metrics[series->metric];
    if (series->previous_of_metric != 0)
        self->series[series->previous_of_metric].next_of_metric = series->next_of_metric;
    else
        metric->series = series->next_of_metric;
    if (series->next_of_metric != 0)
        self->series[series->next_of_metric].previous_of_metric = series->previous_of_metric;
    else
        metric->last_series = series->previous_of_metric;
    if (series->overflow)
        metric->overflow = 0;
    if (metric->series == 0)
        drop_metric(self, series->metric);
}

static sketch_t *new_histogram(void)
{
    sketch_t *histogram = memory_new(1, sizeof *histogram);
    sketch_init(histogram);
    return histogram;
}

static void count_series(metrics_collector_t *self, const series_t *series, int change)
{
    if (series->internal)
        self->inside += (uint32_t)change;
    else if (!series->overflow)
        self->outside += (uint32_t)change;
}

static series_t *add_series(metrics_collector_t *self, uint32_t metric, labels_t labels,
                            const series_t *what, instant_t now)
{
    uint32_t item = take_series(self);
    series_t *series = &self->series[item];
    *series = *what;
    series->metric = metric;
    series->labels = labels.size == 0 ? NULL : memory_copy(labels.bytes, labels.size);
    series->labels_size = labels.size;
    series->label_count = (uint16_t)labels.count;
    series->kind = (uint8_t)self->metrics[metric].kind;
    if (series->kind == METRIC_HISTOGRAM)
        series->value.histogram = new_histogram();
    series->touched_ns = now.mono_ns;
    series->updated_at = now.wall_s;
    uint64_t hash = key_hash(self, metric_name(&self->metrics[metric]), labels.bytes, labels.size);
    series->hash = (uint32_t)hash;
    table_add(&self->keys, hash, item);
    series->serial = roll_add(&self->roll, item);
    join_metric(self, item);
    count_series(self, series, 1);
    if (!series->pinned)
        put_due(self, series);
    return series;
}

/* -- aliases -- */

static void add_alias(metrics_collector_t *self, series_t *series, raw_labels_t raw, uint64_t hash)
{
    if (self->alias_count >= self->limit)
        return;
    uint32_t item = self->aliases_free;
    if (item != 0)
        self->aliases_free = self->aliases[item].next;
    else
        item = ++self->aliases_taken;
    self->aliases[item] = (alias_t){.bytes = memory_copy(raw.bytes, raw.size),
                                    .size = raw.size,
                                    .hash = (uint32_t)hash,
                                    .series = number_of(self, series),
                                    .next = series->aliases};
    series->aliases = item;
    self->alias_count++;
    table_add(&self->keys, hash, item | ALIAS_BIT);
}

static void drop_aliases(metrics_collector_t *self, series_t *series)
{
    for (uint32_t item = series->aliases, next; item != 0; item = next) {
        alias_t *alias = &self->aliases[item];
        next = alias->next;
        table_remove(&self->keys, alias->hash, item | ALIAS_BIT);
        free(alias->bytes);
        *alias = (alias_t){.next = self->aliases_free};
        self->aliases_free = item;
        self->alias_count--;
    }
}

static void forget_series(metrics_collector_t *self, series_t *series)
{
    must(series->watch == NULL && series->plans == NULL);
    uint32_t item = number_of(self, series);
    drop_aliases(self, series);
    table_remove(&self->keys, series->hash, item);
    roll_remove(&self->roll, series->serial);
    count_series(self, series, -1);
    leave_metric(self, series);
    free_value(series);
    *series = (series_t){.due_next = self->series_free};
    self->series_free = item;
}

void metrics_collector_remove(metrics_collector_t *self, series_t *series)
{
    must(series->pinned); /* any other is in a list of expiry */
    forget_series(self, series);
}

static int by_serial(const void *a, const void *b)
{
    uint64_t left = (*(series_t *const *)a)->serial, right = (*(series_t *const *)b)->serial;
    return (left > right) - (left < right);
}

void metrics_collector_expire(metrics_collector_t *self, instant_t now, series_leave_fn *leave,
                              void *context)
{
    series_t *due[EXPIRY_STEP];
    uint32_t count = 0;
    int64_t step = now.mono_ns / self->due_step_ns;
    if (self->due_done < step - DUE_LISTS) /* after a jump each list is seen once */
        self->due_done = step - DUE_LISTS;
    while (self->due_done < step && collect_due(self, self->due_done + 1, due, &count))
        self->due_done++;
    qsort(due, count, sizeof due[0], by_serial);
    for (uint32_t i = 0; i < count; i++) {
        leave(context, due[i]);
        forget_series(self, due[i]);
    }
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
            add_series(self, metric, OVERFLOW_LABELS, &(series_t){.overflow = true}, now);
        of->overflow = number_of(self, series);
    }
    return &self->series[of->overflow];
}

/* The series of these canonical labels, made if there is room, else the one for what has none. */
static series_t *outside_series(metrics_collector_t *self, uint32_t metric, labels_t labels,
                                uint64_t hash, instant_t now, bool *created)
{
    text_t name = metric_name(&self->metrics[metric]);
    uint32_t item = find_series(self, name, labels.bytes, labels.size, hash);
    *created = false;
    if (item != 0)
        return &self->series[item];
    if (labels_equal(labels, OVERFLOW_LABELS)) /* another collector's, sent on to this one */
        return overflow_series(self, metric, now, created);
    if (self->outside >= self->limit) {
        self->overflow++;
        return overflow_series(self, metric, now, created);
    }
    *created = true;
    return add_series(self, metric, labels, &(series_t){0}, now);
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
    uint32_t metric = metric_for(self, event->name, event->kind, false, &found->status);
    if (metric == 0)
        return NULL;
    labels_t labels = labels_canonical(event->labels, self->canonical);
    uint64_t meaning = key_hash(self, event->name, labels.bytes, labels.size);
    series_t *series = outside_series(self, metric, labels, meaning, now, &found->created);
    if (may_alias(series, labels, event->labels))
        add_alias(self, series, event->labels, hash);
    return series;
}

void metrics_collector_hash(const metrics_collector_t *self, const metric_event_t *events,
                            size_t count, uint64_t *hashes)
{
    must(count <= COLLECTOR_GROUP);
    for (size_t i = 0; i < count; i++) {
        hashes[i] = key_hash(self, events[i].name, events[i].labels.bytes, events[i].labels.size);
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
    uint32_t item = find_series(self, event->name, event->labels.bytes, event->labels.size, hash);
    found.series =
        item != 0 ? &self->series[item] : find_by_meaning(self, event, hash, now, &found);
    if (found.series == NULL)
        return found;
    if (found.series->kind != event->kind)
        return (found_t){.status = STATUS_KIND_MISMATCH};
    if (event->unit.size > 0)
        found.unit_named = name_unit(&self->metrics[found.series->metric], event->unit);
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

static series_t *inside_series(metrics_collector_t *self, uint32_t metric, labels_t labels,
                               bool pinned, instant_t now, bool *created)
{
    text_t name = metric_name(&self->metrics[metric]);
    uint64_t hash = key_hash(self, name, labels.bytes, labels.size);
    uint32_t item = find_series(self, name, labels.bytes, labels.size, hash);
    *created = item == 0 && self->inside < INTERNAL_SERIES;
    if (*created)
        return add_series(self, metric, labels, &(series_t){.internal = true, .pinned = pinned},
                          now);
    return item == 0 ? NULL : &self->series[item];
}

series_t *metrics_collector_set(metrics_collector_t *self, const own_series_t *what, double value,
                                instant_t now, bool *created)
{
    must(what->kind != METRIC_HISTOGRAM);
    *created = false;
    if (self->inside >= INTERNAL_SERIES && metrics_collector_metric(self, what->name) == NULL)
        return NULL; /* no metric without a series */
    status_t status;
    uint32_t metric = metric_for(self, what->name, what->kind, true, &status);
    if (metric == 0)
        return NULL;
    series_t *series = inside_series(self, metric, what->labels, what->pinned, now, created);
    if (series == NULL)
        return NULL;
    name_unit(&self->metrics[metric], what->unit);
    touch(series, now);
    if (what->kind == METRIC_COUNTER)
        series->value.counter = (counter_t){.whole = (uint64_t)value};
    else
        series->value.gauge = value;
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
    uint64_t hash = key_hash(self, name, labels.bytes, labels.size);
    uint32_t item = find_series(self, name, labels.bytes, labels.size, hash);
    return item == 0 ? NULL : &self->series[item];
}

const metric_t *metrics_collector_metric(const metrics_collector_t *self, text_t name)
{
    uint32_t item = find_metric(self, name, hash_text(self->seed, name));
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
    return (collector_use_t){self->outside, self->limit, self->overflow};
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
