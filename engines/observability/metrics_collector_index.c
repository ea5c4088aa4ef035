#include "engines/observability/metrics_collector_inside.h"
#include "proto/must.h"

#include <stdlib.h>

/* -- metrics -- */

uint32_t collector_find_metric(const metrics_collector_t *self, text_t name, uint64_t hash)
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
                    : self->metrics_outside >= self->limit.series;
}

uint32_t collector_metric_for(metrics_collector_t *self, text_t name, metric_kind_t kind,
                              bool internal, status_t *status)
{
    uint64_t hash = hash_text(self->seed, name);
    uint32_t item = collector_find_metric(self, name, hash);
    *status = STATUS_OK;
    if (item == 0 && metrics_full(self, internal))
        *status = STATUS_LIMIT;
    else if (item == 0)
        item = add_metric(self, name, hash, kind, internal);
    else if (self->metrics[item].kind != kind)
        *status = STATUS_KIND_MISMATCH;
    return *status == STATUS_OK ? item : 0;
}

bool collector_name_unit(metric_t *metric, text_t unit)
{
    if (unit.size == 0 || metric->unit != NULL)
        return false;
    metric->unit = memory_copy(unit.data, unit.size);
    metric->unit_size = unit.size;
    return true;
}
/* -- series -- */

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

series_t *collector_add_series(metrics_collector_t *self, uint32_t metric, labels_t labels,
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
    if (series->kind == METRIC_HISTOGRAM && !series->borrowed)
        series->value.histogram = new_histogram();
    series->touched_ns = now.mono_ns;
    series->updated_at = now.wall_s;
    uint64_t hash =
        collector_key_hash(self, metric_name(&self->metrics[metric]), labels.bytes, labels.size);
    series->hash = (uint32_t)hash;
    table_add(collector_keys_of(self, series), hash, item);
    series->serial = roll_add(&self->roll, item);
    join_metric(self, item);
    count_series(self, series, 1);
    if (!series->pinned)
        collector_put_due(self, series);
    return series;
}

void collector_free_value(series_t *series)
{
    if (series->kind == METRIC_HISTOGRAM && !series->borrowed) {
        sketch_free(series->value.histogram);
        free(series->value.histogram);
    }
    free((void *)(uintptr_t)series->labels);
}

/* -- aliases -- */

void collector_add_alias(metrics_collector_t *self, series_t *series, raw_labels_t raw,
                         uint64_t hash)
{
    if (self->alias_count >= self->limit.series)
        return;
    uint32_t item = self->aliases_free;
    if (item != 0)
        self->aliases_free = self->aliases[item].next;
    else
        item = ++self->aliases_taken;
    self->aliases[item] = (alias_t){.bytes = memory_copy(raw.bytes, raw.size),
                                    .size = raw.size,
                                    .hash = (uint32_t)hash,
                                    .series = collector_number_of(self, series),
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

void collector_forget_series(metrics_collector_t *self, series_t *series)
{
    must(series->watch == NULL && series->plans == NULL);
    uint32_t item = collector_number_of(self, series);
    drop_aliases(self, series);
    table_remove(collector_keys_of(self, series), series->hash, item);
    roll_remove(&self->roll, series->serial);
    count_series(self, series, -1);
    leave_metric(self, series);
    collector_free_value(series);
    *series = (series_t){.due_next = self->series_free};
    self->series_free = item;
}

void metrics_collector_remove(metrics_collector_t *self, series_t *series)
{
    must(series->pinned); /* any other is in a list of expiry */
    collector_forget_series(self, series);
}
