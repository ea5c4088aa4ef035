#include "clients/libtocsin/aggregate.h"

#include "clients/libtocsin/event_form.h"
#include "engines/counter.h"
#include "engines/hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SERIES_FIRST 64u

/* A double on the wire, and how many of them one event carries: 72 KiB. */
#define VALUE_BYTES 9u
#define VALUES_PER_EVENT 8192u

struct aggregate_series {
    tocsin_kind_t kind;
    uint32_t metric;
    aggregate_text_t identity;
    size_t identity_pairs;
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
    self->unit_count = 0;
    self->value_bytes = 0;
    buffer_cut(&self->texts, 0);
    index_clear(&self->index);
}

void aggregate_free(aggregate_t *self)
{
    aggregate_clear(self);
    free(self->series);
    free(self->units);
    index_free(&self->index);
    buffer_free(&self->texts);
}

size_t aggregate_bytes(const aggregate_t *self)
{
    return self->texts.size + self->series_count * sizeof *self->series + self->value_bytes;
}

/* -- which series -- */

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

/*  Append what identifies the series; answers its pairs. */
static size_t put_identity(buffer_t *out, const tocsin_metric_event_t *event)
{
    tocsin_label_t sorted[EVENT_LABELS_MAX];
    size_t count = sort_labels(event, sorted);
    buffer_text(out, "name");
    buffer_text(out, event->name);
    buffer_text(out, "kind");
    buffer_text(out, metric_kind_word(event->kind));
    if (count == 0)
        return 2;
    buffer_text(out, "labels");
    buffer_labels(out, sorted, count);
    return 3;
}

static aggregate_series_t *find(const aggregate_t *self, uint64_t hash, size_t at, size_t size)
{
    index_probe_t probe = index_probe(&self->index, hash);
    for (uint32_t number; index_next(&self->index, &probe, &number);) {
        aggregate_series_t *series = &self->series[number];
        if (series->identity.size == size &&
            memcmp(self->texts.data + series->identity.at, self->texts.data + at, size) == 0)
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

/*  The series of this event, which begins with it if need be; NULL when memory is out. */
static aggregate_series_t *series_of(aggregate_t *self, uint32_t metric,
                                     const tocsin_metric_event_t *event)
{
    size_t at = self->texts.size;
    size_t pairs = put_identity(&self->texts, event);
    size_t size = self->texts.size - at;
    uint64_t hash = hash_bytes(self->seed, self->texts.data + at, size);
    aggregate_series_t *series = self->texts.failed ? NULL : find(self, hash, at, size);
    if (series == NULL && !self->texts.failed && make_room(self) &&
        index_add(&self->index, hash, (uint32_t)self->series_count)) {
        series = &self->series[self->series_count++];
        *series = (aggregate_series_t){
            .kind = event->kind, .metric = metric, .identity = {at, size}, .identity_pairs = pairs};
        return series;
    }
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
    self->value_bytes += count * VALUE_BYTES;
    return true;
}

/*  A metric's unit is the first that any of its series names, as the broker has it. */
static bool take_unit(aggregate_t *self, uint32_t metric, const char *unit)
{
    if (unit == NULL)
        return true;
    if (metric >= self->unit_count) {
        aggregate_text_t *units = reallocarray(self->units, metric + 1u, sizeof *units);
        if (units == NULL)
            return false;
        memset(units + self->unit_count, 0, (metric + 1u - self->unit_count) * sizeof *units);
        self->units = units;
        self->unit_count = metric + 1u;
    }
    if (self->units[metric].size > 0)
        return true;
    size_t at = self->texts.size;
    buffer_text(&self->texts, unit);
    if (self->texts.failed) {
        buffer_cut(&self->texts, at);
        return false;
    }
    self->units[metric] = (aggregate_text_t){at, self->texts.size - at};
    return true;
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
    if (series == NULL || !take_unit(self, metric, event->unit) ||
        !take_values(self, series, event))
        return TOCSIN_NO_MEMORY;
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
    buffer_text(out, "value");
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
    size_t at = (*part - SUM_PARTS) * VALUE_BYTES;
    if (at >= series->values.size)
        return false;
    buffer_text(out, "value");
    buffer_raw(out, series->values.data + at, VALUE_BYTES);
    *part += 1;
    return true;
}

/*  The pair of the next observations. */
static bool put_next_values(buffer_t *out, const buffer_t *values, size_t *part)
{
    size_t left = values->size / VALUE_BYTES - *part;
    size_t count = left < VALUES_PER_EVENT ? left : VALUES_PER_EVENT;
    if (count == 0)
        return false;
    buffer_text(out, "values");
    size_t opened = buffer_open_array(out);
    buffer_raw(out, values->data + *part * VALUE_BYTES, count * VALUE_BYTES);
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
    put_given(out, self, series->identity);
    *pairs += series->identity_pairs;
    if (series->metric < self->unit_count && self->units[series->metric].size > 0) {
        buffer_text(out, "unit");
        put_given(out, self, self->units[series->metric]);
        *pairs += 1;
    }
    if (series->time > 0) {
        buffer_text(out, "time");
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
        size_t start = out->size, opened = buffer_open_map(out), pairs = 1;
        if (series->calls > 0 && put_next(out, series, &place->part)) {
            put_rest(out, self, series, &pairs);
            buffer_close(out, opened, pairs);
            *calls += first ? series->calls : 0;
            return true;
        }
        buffer_cut(out, start);
    }
    return false;
}
