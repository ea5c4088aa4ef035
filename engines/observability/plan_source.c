#include "engines/observability/plan_book_inside.h"

#include <string.h>

/* -- one series -- */

static point_t *room_for(points_t *points, size_t count)
{
    if (count > points->room) {
        points->items = memory_grow(points->items, count, sizeof *points->items);
        points->room = count;
    }
    return points->items;
}

/* When the present value was set. What the broker says of itself stands until it says otherwise. */
static int64_t present_ms(const plan_source_t *self, const series_t *series)
{
    return (series->pinned ? self->now.mono_ns : series->touched_ns) / NS_PER_MS;
}

static void look_back(plan_source_t *self, const series_t *series, const range_buffer_t *buffer,
                      int64_t from_ms, int64_t to_ms, series_look_t *look)
{
    if (buffer->lost_ms >= from_ms)
        self->wrong = "the room for ranges (limits.ranges) is used up";
    if (to_ms > self->now.mono_ns / NS_PER_MS)
        to_ms = self->now.mono_ns / NS_PER_MS;
    size_t steps = to_ms >= from_ms ? (size_t)((to_ms - from_ms) / 1000) + 1 : 0;
    point_t *points = room_for(self->points, series->pinned ? steps : buffer->count);
    look->points = points;
    look->count = series->pinned
                      ? (steps > 0 ? range_buffer_steps(buffer, from_ms, to_ms, points) : 0)
                      : range_buffer_copy(buffer, from_ms, to_ms, points);
}

/* The present value alone. */
static void look_now(plan_source_t *self, const series_t *series, reading_t reading,
                     int64_t from_ms, int64_t to_ms, series_look_t *look)
{
    int64_t at = present_ms(self, series);
    if (at < from_ms || at > to_ms)
        return;
    if (reading == READ_ITSELF) {
        look->histogram = series->value.histogram;
        return;
    }
    point_t *point = room_for(self->points, 1);
    *point = (point_t){at, read_series(series, reading)};
    look->points = point;
    look->count = 1;
}

static text_t name_of(plan_source_t *self, const selector_t *selector, const metric_t *metric,
                      reading_t reading)
{
    text_t suffix = reading_suffix(reading);
    if (selector->name.data != NULL)
        return selector->name;
    if (suffix.size == 0)
        return metric_name(metric);
    char *name = arena_take(self->arena, metric->name_size + suffix.size);
    memcpy(name, metric->name, metric->name_size);
    memcpy(name + metric->name_size, suffix.data, suffix.size);
    return (text_t){name, metric->name_size + suffix.size};
}

static void look_at(plan_source_t *self, const selector_t *selector, const series_t *series,
                    reading_t reading, const range_buffer_t *buffer, int64_t from_ms, int64_t to_ms,
                    series_look_t *look)
{
    const metric_t *metric = metrics_collector_metric_of(self->book->collector, series);
    *look =
        (series_look_t){.name = name_of(self, selector, metric, reading),
                        .labels = series_labels(series),
                        .ratio = reading != READ_COUNT && text_is(metric_unit(metric), "ratio")};
    if (buffer != NULL && (selector->range_ms > 0 || selector->offset_ms != 0))
        look_back(self, series, buffer, from_ms, to_ms, look);
    else
        look_now(self, series, reading, from_ms, to_ms, look);
}

/* -- the series of a plan -- */

static bool next_linked(void *context, const selector_t *selector, int64_t from_ms, int64_t to_ms,
                        const void **at, series_look_t *look)
{
    plan_source_t *self = context;
    const plan_link_t *before = *at;
    const plan_link_t *link =
        before == NULL ? self->plan->selections[selector->index].first : before->next;
    if (link == NULL)
        return false;
    if (link->next != NULL)
        __builtin_prefetch(link->next->series);
    *at = link;
    look_at(self, selector, link->series, (reading_t)link->reading, link->buffer, from_ms, to_ms,
            look);
    return true;
}

/* -- any series -- */

static const series_t *next_named(plan_source_t *self, const selector_t *selector)
{
    for (;;) {
        if (self->metric != NULL)
            self->series =
                metrics_collector_next_of(self->book->collector, self->metric, self->series);
        if (self->metric != NULL && self->series != NULL)
            return self->series;
        self->series = NULL;
        self->metric = metric_read(self->book, selector, &self->turn);
        if (self->metric == NULL)
            return NULL;
    }
}

/* The next series, and the first of its readings. */
static bool step(plan_source_t *self, const selector_t *selector)
{
    if (selector->name.data != NULL) {
        self->series = next_named(self, selector);
    } else {
        self->series = metrics_collector_next(self->book->collector, &self->serial);
        if (self->series != NULL)
            self->metric = metrics_collector_metric_of(self->book->collector, self->series);
    }
    if (self->series != NULL)
        self->reading = first_reading(self->metric->kind);
    return self->series != NULL;
}

static const range_buffer_t *buffer_of(const series_t *series, reading_t reading)
{
    for (const plan_link_t *link = series->plans; link != NULL; link = link->next_of_series)
        if (link->reading == reading && link->buffer != NULL)
            return link->buffer;
    return NULL;
}

static bool next_any(void *context, const selector_t *selector, int64_t from_ms, int64_t to_ms,
                     const void **at, series_look_t *look)
{
    plan_source_t *self = context;
    if (*at == NULL) {
        self->turn = 0;
        self->serial = 0;
        self->metric = NULL;
        self->series = NULL;
    }
    *at = self;
    while (self->wrong == NULL) {
        if (self->series == NULL ||
            self->reading >= (unsigned)end_of_readings(self->metric->kind)) {
            if (!step(self, selector))
                return false;
        }
        reading_t reading = (reading_t)self->reading++;
        pattern_match_t match = selector_reads(selector, self->metric, self->series, reading);
        if (match == PATTERN_ERROR)
            self->wrong = PATTERN_MISFIT;
        if (match != PATTERN_YES)
            continue;
        look_at(self, selector, self->series, reading, buffer_of(self->series, reading), from_ms,
                to_ms, look);
        return true;
    }
    return false;
}

condition_source_t plan_source(plan_source_t *self)
{
    return (condition_source_t){self->plan != NULL ? next_linked : next_any, self};
}
