#include "engines/observability/plan_book_inside.h"

#include "engines/hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- readings -- */

static const text_t suffixes[READINGS] = {
    [READ_VALUE] = {"", 0},
    [READ_COUNT] = {"_count", 6},
    [READ_SUM] = {"_sum", 4},
    [READ_ITSELF] = {"", 0},
};

text_t reading_suffix(reading_t reading)
{
    return suffixes[reading];
}

reading_t first_reading(metric_kind_t kind)
{
    return kind == METRIC_HISTOGRAM ? READ_COUNT : READ_VALUE;
}

reading_t end_of_readings(metric_kind_t kind)
{
    return kind == METRIC_HISTOGRAM ? READINGS : READ_COUNT;
}

double read_series(const series_t *series, reading_t reading)
{
    if (series->kind != METRIC_HISTOGRAM)
        return series_value(series);
    const sketch_t *histogram = series->value.histogram;
    return reading == READ_COUNT ? (double)histogram->count : sketch_sum(histogram);
}

/* Names from outside have at most LIMITS_DEFAULT.name_bytes; a histogram with a longer name cannot
 * be read. */
#define READ_NAME_MAX 1024

/* The name of a reading, in `room` where it is longer than the metric's. */
static text_t read_name(const metric_t *metric, reading_t reading, char *room)
{
    text_t suffix = suffixes[reading];
    if (suffix.size == 0)
        return metric_name(metric);
    if (metric->name_size + suffix.size > READ_NAME_MAX)
        return TEXT_NONE;
    memcpy(room, metric->name, metric->name_size);
    memcpy(room + metric->name_size, suffix.data, suffix.size);
    return (text_t){room, metric->name_size + suffix.size};
}

/* A histogram stands for itself where it is named, or where that is what is wanted. */
static bool wants_itself(const selector_t *selector)
{
    return selector->name.data != NULL || selector->as_histogram;
}

pattern_match_t selector_reads(const selector_t *selector, const metric_t *metric,
                               const series_t *series, reading_t reading)
{
    char room[READ_NAME_MAX];
    text_t name = read_name(metric, reading, room);
    if (name.data == NULL || (reading == READ_ITSELF && !wants_itself(selector)))
        return PATTERN_NO;
    return selector_takes(selector, name, series_labels(series));
}

const metric_t *metric_read(const plan_book_t *self, const selector_t *selector, size_t *turn)
{
    text_t name = selector->name;
    for (; *turn < READ_ITSELF; *turn += 1) {
        text_t suffix = suffixes[*turn];
        if (name.size < suffix.size)
            continue;
        text_t end = {name.data + name.size - suffix.size, suffix.size};
        const metric_t *metric =
            text_equal(end, suffix)
                ? metrics_collector_metric(self->collector,
                                           (text_t){name.data, name.size - suffix.size})
                : NULL;
        if (metric != NULL) {
            *turn += 1;
            return metric;
        }
    }
    return NULL;
}

/* -- buffers -- */

static range_buffer_t *find_buffer(const series_t *series, reading_t reading)
{
    for (const plan_link_t *link = series->plans; link != NULL; link = link->next_of_series)
        if (link->reading == reading && link->buffer != NULL)
            return link->buffer;
    return NULL;
}

/* A buffer begins with what the series is worth now: it was set when its last event came. */
static void add_buffer(plan_book_t *self, plan_link_t *link)
{
    int64_t span_ms = link->selection->span_ms;
    link->buffer = find_buffer(link->series, link->reading);
    if (link->buffer == NULL) {
        link->buffer = range_buffer_new(span_ms);
        range_buffer_add(link->buffer, link->series->touched_ns / NS_PER_MS,
                         read_series(link->series, link->reading), &self->budget);
    }
    range_buffer_widen(link->buffer, span_ms);
    link->buffer->users++;
}

static void drop_buffer(plan_book_t *self, plan_link_t *link)
{
    if (link->buffer != NULL && --link->buffer->users == 0)
        range_buffer_destroy(&link->buffer, &self->budget);
}

/* -- links -- */

static bool stands_before(const plan_link_t *link, const selection_t *selection)
{
    const selection_t *other = link->selection;
    return other->plan == selection->plan ? other->selector->index <= selection->selector->index
                                          : other->plan->serial < selection->plan->serial;
}

static plan_link_t *add_link(plan_book_t *self, series_t *series, selection_t *selection,
                             reading_t reading)
{
    plan_link_t **place = &series->plans;
    while (*place != NULL && stands_before(*place, selection))
        place = &(*place)->next_of_series;
    plan_link_t *link = memory_new(1, sizeof *link);
    *link = (plan_link_t){.selection = selection,
                          .series = series,
                          .next_of_series = *place,
                          .previous = selection->last,
                          .said = SAID_NOTHING,
                          .reading = (uint8_t)reading};
    if (selection->span_ms > 0 && reading != READ_ITSELF)
        add_buffer(self, link);
    *place = link;
    *(selection->last != NULL ? &selection->last->next : &selection->first) = link;
    selection->last = link;
    series->followed = true;
    return link;
}

static void leave_selection(plan_link_t *link)
{
    selection_t *selection = link->selection;
    *(link->previous != NULL ? &link->previous->next : &selection->first) = link->next;
    *(link->next != NULL ? &link->next->previous : &selection->last) = link->previous;
}

static void leave_series(plan_link_t *link)
{
    plan_link_t **place = &link->series->plans;
    while (*place != link)
        place = &(*place)->next_of_series;
    *place = link->next_of_series;
}

static void drop_link(plan_book_t *self, plan_link_t *link)
{
    leave_selection(link);
    leave_series(link);
    drop_buffer(self, link);
    free(link);
}

/* Which readings of the series does the selection take? */
static void link_series(plan_book_t *self, selection_t *selection, series_t *series,
                        const metric_t *metric)
{
    if (selection->plan->misfit != NULL)
        return;
    for (reading_t reading = first_reading(metric->kind); reading < end_of_readings(metric->kind);
         reading++) {
        pattern_match_t match = selector_reads(selection->selector, metric, series, reading);
        if (match == PATTERN_YES)
            add_link(self, series, selection, reading);
        if (match == PATTERN_ERROR)
            selection->plan->misfit = PATTERN_MISFIT;
    }
}

/* -- series -- */

static void join_named(plan_book_t *self, series_t *series, const metric_t *metric,
                       reading_t reading)
{
    char room[READ_NAME_MAX];
    text_t name = read_name(metric, reading, room);
    if (name.data == NULL)
        return;
    uint64_t hash = hash_text(self->seed, name);
    uint32_t probe = 0, item;
    while ((item = table_next(&self->by_metric, hash, &probe)) != 0) {
        selection_t *selection = self->selections[item].selection;
        if (text_equal(selection->selector->name, name))
            link_series(self, selection, series, metric);
    }
}

void plan_book_join(plan_book_t *self, series_t *series)
{
    if (registry_count(&self->plans) == 0)
        return;
    const metric_t *metric = metrics_collector_metric_of(self->collector, series);
    for (reading_t reading = first_reading(metric->kind); reading < end_of_readings(metric->kind);
         reading++)
        join_named(self, series, metric, reading);
    for (selection_t *each = self->nameless; each != NULL; each = each->next_nameless)
        link_series(self, each, series, metric);
}

void plan_book_moved(series_t *series)
{
    for (plan_link_t *link = series->plans; link != NULL; link = link->next_of_series)
        link->series = series;
}

void plan_book_leave(plan_book_t *self, series_t *series, instant_t now)
{
    for (plan_link_t *link = series->plans, *next; link != NULL; link = next) {
        next = link->next_of_series;
        const plan_t *plan = link->selection->plan;
        plan_change_t gone = {
            .labels = series_labels(series), .state = RESULT_NO_DATA, .value = NAN};
        if (link->said != SAID_NOTHING && link->said != RESULT_NO_DATA)
            plan_say(self, plan, &gone, now);
        drop_link(self, link);
    }
}

/* -- selections -- */

static uint32_t new_number(plan_book_t *self)
{
    uint32_t number = self->selections_free;
    if (number != 0) {
        self->selections_free = self->selections[number].next_free;
        return number;
    }
    if (self->selections_taken == self->selections_room) {
        uint32_t room = 2 * self->selections_room;
        self->selections =
            memory_grow(self->selections, (size_t)room + 1, sizeof *self->selections);
        table_grow(&self->by_metric, room);
        self->selections_room = room;
    }
    return ++self->selections_taken;
}

/* Two ways to find the selections that may take a new series. */
static void enlist(plan_book_t *self, selection_t *selection)
{
    text_t name = selection->selector->name;
    selection->number = new_number(self);
    self->selections[selection->number] = (selection_slot_t){.selection = selection};
    if (name.data != NULL) {
        table_add(&self->by_metric, hash_text(self->seed, name), selection->number);
        return;
    }
    selection->next_nameless = self->nameless;
    self->nameless = selection;
}

static void delist(plan_book_t *self, selection_t *selection)
{
    text_t name = selection->selector->name;
    if (name.data != NULL) {
        table_remove(&self->by_metric, hash_text(self->seed, name), selection->number);
    } else {
        selection_t **place = &self->nameless;
        while (*place != selection)
            place = &(*place)->next_nameless;
        *place = selection->next_nameless;
    }
    self->selections[selection->number] = (selection_slot_t){.next_free = self->selections_free};
    self->selections_free = selection->number;
}

static void link_named(plan_book_t *self, selection_t *selection)
{
    const metric_t *metric;
    for (size_t turn = 0; (metric = metric_read(self, selection->selector, &turn)) != NULL;) {
        series_t *series = NULL;
        while ((series = metrics_collector_next_of(self->collector, metric, series)) != NULL)
            link_series(self, selection, series, metric);
    }
}

static void link_any(plan_book_t *self, selection_t *selection)
{
    uint64_t at = 0;
    series_t *series;
    while (selection->plan->misfit == NULL &&
           (series = metrics_collector_next(self->collector, &at)) != NULL)
        link_series(self, selection, series, metrics_collector_metric_of(self->collector, series));
}

/* How far back the buffers of a selector must reach. The present value needs none. */
static int64_t span_of(const selector_t *selector, int64_t lookback_ms)
{
    int64_t back = selector->offset_ms > 0 ? selector->offset_ms : 0;
    if (selector->range_ms == 0 && selector->offset_ms == 0)
        return 0;
    return back + (selector->range_ms > 0 ? selector->range_ms : lookback_ms);
}

void selections_add(plan_book_t *self, plan_t *plan)
{
    plan->selection_count = condition_selector_count(plan->condition);
    plan->selections = memory_new(plan->selection_count + 1, sizeof *plan->selections);
    for (size_t i = 0; i < plan->selection_count; i++) {
        selection_t *selection = &plan->selections[i];
        selection->plan = plan;
        selection->selector = condition_selector(plan->condition, i);
        selection->span_ms = span_of(selection->selector, plan->lookback_ns / NS_PER_MS);
        enlist(self, selection);
        if (selection->selector->name.data != NULL)
            link_named(self, selection);
        else
            link_any(self, selection);
    }
}

void selections_remove(plan_book_t *self, plan_t *plan)
{
    for (size_t i = 0; i < plan->selection_count; i++) {
        selection_t *selection = &plan->selections[i];
        for (plan_link_t *link = selection->first, *next; link != NULL; link = next) {
            next = link->next;
            drop_link(self, link);
        }
        delist(self, selection);
    }
    free(plan->selections);
}
