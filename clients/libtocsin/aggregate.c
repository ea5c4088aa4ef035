#include "clients/libtocsin/aggregate.h"

#include "clients/libtocsin/event_form.h"
#include "engines/counter.h"
#include "engines/hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SERIES_FIRST 64u

/* As many observations as one event carries: 72 KiB. */
#define VALUES_PER_EVENT 8192u

struct aggregate_series {
    tocsin_kind_t kind;
    uint32_t metric;
    aggregate_text_t labels;
    double time; /* the last one named; 0: none */
    uint64_t calls;
    counter_t sum;   /* of a counter */
    double last;     /* of a gauge */
    buffer_t values; /* of a histogram, and increments that do not add up exactly; on the wire */
};

/* -- life -- */

void aggregate_init(aggregate_t *self, uint64_t seed)
{
    *self = (aggregate_t){.seed = seed};
}

void aggregate_clear(aggregate_t *self)
{
    for (size_t i = 0; i < self->series_count; i++)
        buffer_free(&self->series[i].values);
    self->series_count = 0;
    self->metric_count = 0;
    self->value_bytes = 0;
    buffer_cut(&self->texts, 0);
    index_clear(&self->index);
}

void aggregate_free(aggregate_t *self)
{
    aggregate_clear(self);
    free(self->series);
    free(self->metrics);
    index_free(&self->index);
    buffer_free(&self->texts);
}

size_t aggregate_bytes(const aggregate_t *self)
{
    return self->texts.size + self->series_count * sizeof *self->series + self->value_bytes;
}

/* -- which series -- */

/*  Are the labels canonical as they are given: by name, none empty? */
static bool are_sorted(const tocsin_label_t *labels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (labels[i].value[0] == '\0' || (i > 0 && strcmp(labels[i - 1].name, labels[i].name) > 0))
            return false;
    return true;
}

/*  Labels by name, without the empty ones; answers how many. */
static size_t sort_labels(const tocsin_metric_event_t *event,
                          tocsin_label_t sorted[EVENT_LABELS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < event->label_count; i++) {
        if (event->labels[i].value[0] == '\0')
            continue;
        size_t at = count++;
        for (; at > 0 && strcmp(sorted[at - 1].name, event->labels[i].name) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = event->labels[i];
    }
    return count;
}

/*  Append what tells this series from the others of its metric and kind: its labels as a map;
 *  nothing where there are none. */
static void put_labels(buffer_t *out, const tocsin_metric_event_t *event)
{
    tocsin_label_t sorted[EVENT_LABELS_MAX];
    const tocsin_label_t *labels = event->labels;
    size_t count = event->label_count;
    if (!are_sorted(labels, count)) {
        count = sort_labels(event, sorted);
        labels = sorted;
    }
    if (count > 0)
        buffer_labels(out, labels, count);
}

static bool same_bytes(const aggregate_t *self, aggregate_text_t a, aggregate_text_t b)
{
    return a.size == b.size &&
           (a.size == 0 || memcmp(self->texts.data + a.at, self->texts.data + b.at, a.size) == 0);
}

static aggregate_series_t *find(const aggregate_t *self, uint64_t hash,
                                const aggregate_series_t *wanted)
{
    index_probe_t probe = index_probe(&self->index, hash);
    for (uint32_t number; index_next(&self->index, &probe, &number);) {
        aggregate_series_t *series = &self->series[number];
        if (series->metric == wanted->metric && series->kind == wanted->kind &&
            same_bytes(self, series->labels, wanted->labels))
            return series;
    }
    return NULL;
}

static bool make_room(aggregate_t *self)
{
    if (self->series_count < self->series_capacity)
        return true;
    size_t capacity = self->series_capacity == 0 ? SERIES_FIRST : 2 * self->series_capacity;
    aggregate_series_t *series = reallocarray(self->series, capacity, sizeof *series);
    if (series == NULL)
        return false;
    self->series = series;
    self->series_capacity = capacity;
    return true;
}

/*  Append a text; size 0 when memory is out. */
static aggregate_text_t keep_text(aggregate_t *self, const char *text)
{
    aggregate_text_t kept = {self->texts.size, 0};
    buffer_text(&self->texts, text);
    if (self->texts.failed)
        buffer_cut(&self->texts, kept.at);
    kept.size = self->texts.size - kept.at;
    return kept;
}

/*  Know this metric by its number. False when memory is out. */
static bool know_metric(aggregate_t *self, uint32_t number, const char *name)
{
    if (number >= self->metric_count) {
        aggregate_metric_t *metrics = reallocarray(self->metrics, number + 1u, sizeof *metrics);
        if (metrics == NULL)
            return false;
        memset(metrics + self->metric_count, 0,
               (number + 1u - self->metric_count) * sizeof *metrics);
        self->metrics = metrics;
        self->metric_count = number + 1u;
    }
    aggregate_metric_t *metric = &self->metrics[number];
    if (metric->name.size == 0)
        metric->name = keep_text(self, name);
    return metric->name.size > 0;
}

static aggregate_series_t *add_series(aggregate_t *self, uint64_t hash,
                                      const aggregate_series_t *series)
{
    if (!make_room(self) || !index_add(&self->index, hash, (uint32_t)self->series_count))
        return NULL;
    self->series[self->series_count] = *series;
    return &self->series[self->series_count++];
}

/*  The series of this event, which begins with it if need be; NULL when memory is out. */
static aggregate_series_t *series_of(aggregate_t *self, uint32_t metric,
                                     const tocsin_metric_event_t *event)
{
    if (!know_metric(self, metric, event->name))
        return NULL;
    size_t at = self->texts.size;
    put_labels(&self->texts, event);
    aggregate_series_t wanted = {
        .kind = event->kind, .metric = metric, .labels = {at, self->texts.size - at}};
    uint64_t seed = self->seed + 4 * (uint64_t)metric + event->kind;
    uint64_t hash = hash_bytes(seed, self->texts.data + at, wanted.labels.size);
    aggregate_series_t *series = self->texts.failed ? NULL : find(self, hash, &wanted);
    if (series == NULL && !self->texts.failed)
        return add_series(self, hash, &wanted);
    buffer_cut(&self->texts, at);
    return series;
}

/* -- taking values -- */

/*  Is it a multiple of the sum's least bit, as every increment from 2^-12 on is, and far from the
 *  sum's limit? Else what the broker makes of it depends on the order. */
static bool adds_up_exactly(double increment)
{
    double scaled = increment * 0x1p64;
    return increment < 0x1p53 && (increment >= 0x1p-12 || scaled == floor(scaled));
}

static bool take_observations(aggregate_t *self, aggregate_series_t *series, const double *values,
                              size_t count)
{
    size_t before = series->values.size;
    for (size_t i = 0; i < count; i++)
        buffer_number(&series->values, values[i]);
    if (series->values.failed) {
        buffer_cut(&series->values, before);
        return false;
    }
    self->value_bytes += count * BUFFER_NUMBER_BYTES;
    return true;
}

static void take_unit(aggregate_t *self, aggregate_metric_t *metric, const char *unit)
{
    if (unit != NULL && metric->unit.size == 0)
        metric->unit = keep_text(self, unit);
}

static bool take_values(aggregate_t *self, aggregate_series_t *series,
                        const tocsin_metric_event_t *event)
{
    const double *values = event->value_count > 0 ? event->values : &event->value;
    size_t count = event->value_count > 0 ? event->value_count : 1;
    if (event->kind == TOCSIN_HISTOGRAM ||
        (event->kind == TOCSIN_COUNTER && !adds_up_exactly(event->value)))
        return take_observations(self, series, values, count);
    if (event->kind == TOCSIN_COUNTER)
        counter_add(&series->sum, event->value);
    else
        series->last = values[count - 1];
    return true;
}

tocsin_status_t aggregate_add(aggregate_t *self, uint32_t metric,
                              const tocsin_metric_event_t *event, double now)
{
    if (self->series_count == 0)
        self->opened_at = now;
    aggregate_series_t *series = series_of(self, metric, event);
    if (series == NULL || !take_values(self, series, event))
        return TOCSIN_NO_MEMORY;
    take_unit(self, &self->metrics[metric], event->unit);
    series->calls++;
    if (event->time > 0)
        series->time = event->time;
    return TOCSIN_OK;
}

/* -- writing them -- */

/*  A part of the sum that a double holds exactly; all four add up to it. */
static double sum_part(const counter_t *sum, size_t part)
{
    static const uint64_t low_bits = 2047; /* what 64 bits have more than a double's 53 */
    switch (part) {
    case 0:
        return (double)(sum->whole & ~low_bits);
    case 1:
        return (double)(sum->whole & low_bits);
    case 2:
        return ldexp((double)(sum->part & ~low_bits), -64);
    default:
        return ldexp((double)(sum->part & low_bits), -64);
    }
}

/*  Is one double the whole sum? */
static bool sum_is_one_double(const counter_t *sum, double *value)
{
    *value = counter_value(sum);
    counter_t again = {0};
    counter_add(&again, *value);
    return again.whole == sum->whole && again.part == sum->part;
}

#define SUM_PARTS 4u

/*  The next part of the sum that is worth sending; false when none is left. */
static bool next_part(const counter_t *sum, size_t *part, double *value)
{
    if (*part == 0 && sum_is_one_double(sum, value)) {
        *part = SUM_PARTS;
        return true;
    }
    while (*part < SUM_PARTS) {
        *value = sum_part(sum, (*part)++);
        if (*value > 0)
            return true;
    }
    return false;
}

static void put_number(buffer_t *out, double value)
{
    buffer_literal(out, "\xa5value");
    buffer_number(out, value);
}

/*  The pair of the next increment: parts of the sum, then what did not add up. */
static bool put_next_increment(buffer_t *out, const aggregate_series_t *series, size_t *part)
{
    double value;
    if (next_part(&series->sum, part, &value)) {
        put_number(out, value);
        return true;
    }
    size_t at = (*part - SUM_PARTS) * BUFFER_NUMBER_BYTES;
    if (at >= series->values.size)
        return false;
    buffer_literal(out, "\xa5value");
    buffer_raw(out, series->values.data + at, BUFFER_NUMBER_BYTES);
    *part += 1;
    return true;
}

/*  The pair of the next observations. */
static bool put_next_values(buffer_t *out, const buffer_t *values, size_t *part)
{
    size_t left = values->size / BUFFER_NUMBER_BYTES - *part;
    size_t count = left < VALUES_PER_EVENT ? left : VALUES_PER_EVENT;
    if (count == 0)
        return false;
    buffer_literal(out, "\xa6values");
    size_t opened = buffer_open_array(out);
    buffer_raw(out, values->data + *part * BUFFER_NUMBER_BYTES, count * BUFFER_NUMBER_BYTES);
    buffer_close(out, opened, count);
    *part += count;
    return true;
}

/*  The pair of the next value or values; *part moves behind it. False when there is none. */
static bool put_next(buffer_t *out, const aggregate_series_t *series, size_t *part)
{
    if (series->kind == TOCSIN_HISTOGRAM)
        return put_next_values(out, &series->values, part);
    if (series->kind == TOCSIN_COUNTER)
        return put_next_increment(out, series, part);
    if (*part > 0)
        return false;
    put_number(out, series->last);
    *part = 1;
    return true;
}

static void put_given(buffer_t *out, const aggregate_t *self, aggregate_text_t text)
{
    buffer_raw(out, self->texts.data + text.at, text.size);
}

static void put_rest(buffer_t *out, const aggregate_t *self, const aggregate_series_t *series,
                     size_t *pairs)
{
    const aggregate_metric_t *metric = &self->metrics[series->metric];
    buffer_literal(out, "\xa4name");
    put_given(out, self, metric->name);
    metric_put_kind(out, series->kind);
    *pairs += 2;
    if (series->labels.size > 0) {
        buffer_literal(out, "\xa6labels");
        put_given(out, self, series->labels);
        *pairs += 1;
    }
    if (metric->unit.size > 0) {
        buffer_literal(out, "\xa4unit");
        put_given(out, self, metric->unit);
        *pairs += 1;
    }
    if (series->time > 0) {
        buffer_literal(out, "\xa4time");
        buffer_number(out, series->time);
        *pairs += 1;
    }
}

bool aggregate_put_next(const aggregate_t *self, aggregate_place_t *place, buffer_t *out,
                        uint64_t *calls)
{
    for (; place->series < self->series_count; *place = (aggregate_place_t){place->series + 1, 0}) {
        const aggregate_series_t *series = &self->series[place->series];
        bool first = place->part == 0;
        size_t start = out->size, opened = buffer_open_event(out), pairs = 1;
        if (series->calls > 0 && put_next(out, series, &place->part)) {
            put_rest(out, self, series, &pairs);
            buffer_close_event(out, opened, pairs);
            *calls += first ? series->calls : 0;
            return true;
        }
        buffer_cut(out, start);
    }
    return false;
}
