/*  written_series - series that a test wrote down, as a source for conditions.
 *
 *  A series is written as Prometheus writes it in its own tests: cpu{host="a"} and its values, one
 * an interval, _ for none.
 */
#ifndef TESTS_ENGINES_WRITTEN_SERIES_H
#define TESTS_ENGINES_WRITTEN_SERIES_H

#include "engines/condition.h"
#include "proto/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    text_t name;
    labels_t labels;
    bool ratio;
    sketch_t *histogram;
    point_t *points;
    size_t count;
} written_t;

typedef struct {
    written_t *items;
    size_t count;
    arena_t arena;
} written_series_t;

/*  The series after the last one. */
static inline written_t *written_new(written_series_t *self, text_t name, const label_t *pairs,
                                     size_t count)
{
    uint8_t *buffer = memory_grow(NULL, 1, LABELS_MAX_BYTES);
    labels_t labels = labels_build(pairs, count, buffer);
    uint8_t *kept = arena_take(&self->arena, labels.size + 1);
    if (labels.size > 0)
        memcpy(kept, buffer, labels.size);
    free(buffer);
    if ((self->count & (self->count - 1)) == 0) /* room for the next power of two */
        self->items = memory_grow(self->items, 2 * self->count + 1, sizeof *self->items);
    written_t *series = &self->items[self->count++];
    *series = (written_t){.name = arena_copy(&self->arena, name),
                          .labels = {kept, labels.size, labels.count}};
    return series;
}

static inline void written_add(written_t *series, int64_t time_ms, double value)
{
    series->points = memory_grow(series->points, series->count + 1, sizeof *series->points);
    series->points[series->count++] = (point_t){time_ms, value};
}

/*  `series` is a selector without patterns. */
static inline written_t *written_load(written_series_t *self, const char *series,
                                      const char *values, int64_t interval_ms)
{
    condition_error_t error;
    condition_t *condition = condition_new(text_of(series), &error);
    must(condition != NULL);
    const selector_t *selector = condition_selector(condition, 0);
    label_t pairs[LABELS_MAX];
    for (size_t i = 0; i < selector->matcher_count; i++)
        pairs[i] = (label_t){selector->matchers[i].label, selector->matchers[i].value};
    written_t *written = written_new(self, selector->name, pairs, selector->matcher_count);
    condition_destroy(&condition);
    int64_t at = 0;
    while (*values != '\0') {
        char *end;
        double value = strtod(values, &end);
        if (end != values)
            written_add(written, at, value);
        values = end != values ? end : values + strspn(values, " _");
        at += interval_ms;
    }
    return written;
}

static inline void written_free(written_series_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        free(self->items[i].points);
    free(self->items);
    arena_free(&self->arena);
    *self = (written_series_t){0};
}

static inline bool written_next(void *context, const selector_t *selector, int64_t from_ms,
                                int64_t to_ms, const void **at, series_look_t *series)
{
    written_series_t *self = context;
    const written_t *written = *at == NULL ? self->items : (const written_t *)*at + 1;
    for (; written < self->items + self->count; written++) {
        if (selector_takes(selector, written->name, written->labels) != PATTERN_YES)
            continue;
        size_t from = 0, end = written->count;
        while (from < end && written->points[from].time_ms < from_ms)
            from++;
        while (end > from && written->points[end - 1].time_ms > to_ms)
            end--;
        *at = written;
        *series = (series_look_t){.name = written->name,
                                  .labels = written->labels,
                                  .ratio = written->ratio,
                                  .histogram = written->histogram,
                                  .points = written->points + from,
                                  .count = end - from};
        return true;
    }
    return false;
}

static inline condition_source_t written_source(written_series_t *self)
{
    return (condition_source_t){written_next, self};
}

/*  {a="1", b="2"} after the name, in order of names. */
static inline void write_sample_labels(FILE *out, const element_t *sample)
{
    label_t label;
    const char *between = "";
    fprintf(out, "%.*s", (int)sample->name.size, sample->name.size > 0 ? sample->name.data : "");
    fputs("{", out);
    for (uint32_t at = 0; labels_next(sample->labels, &at, &label); between = ", ")
        fprintf(out, "%s%.*s=\"%.*s\"", between, (int)label.name.size, label.name.data,
                (int)label.value.size, label.value.data);
    fputs("}", out);
}

#endif
