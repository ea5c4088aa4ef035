#include "engines/observability/plan_book.h"

#include "engines/condition.h"
#include "engines/hash.h"
#include "engines/roll.h"
#include "engines/table.h"
#include "proto/must.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What of a series a plan reads. */
typedef enum { READ_VALUE, READ_COUNT, READ_SUM, READ_NOTHING } reading_t;

static const struct {
    reading_t reading;
    text_t suffix;
} histogram_readings[] = {{READ_COUNT, {"_count", 6}}, {READ_SUM, {"_sum", 4}}};

typedef struct {
    uint64_t id;
    uint64_t serial;
    condition_t *condition;
} plan_t;

/* What was said last of a plan's result for a series. */
typedef enum { SAID_NOTHING, SAID_NO, SAID_YES } said_t;

struct plan_link {
    plan_t *plan;
    plan_link_t *next; /* of the series, in order of the plans' creation */
    reading_t reading;
    said_t said;
};

struct plan_book {
    plan_t **plans;       /* from 1; links point to them, so each stays where it is */
    uint32_t room, limit; /* numbers for plans; plans at most */
    roll_t roll;
    table_t by_id, by_metric;
    uint64_t seed;
    metrics_collector_t *collector;
    finding_sink_t sink;
};

plan_book_t *plan_book_new(uint32_t plans, uint64_t seed, metrics_collector_t *collector,
                           finding_sink_t sink)
{
    plan_book_t *self = memory_new(1, sizeof *self);
    self->plans = memory_new((size_t)plans + 1, sizeof(plan_t *));
    self->limit = self->room = plans;
    self->seed = seed;
    self->collector = collector;
    self->sink = sink;
    roll_init(&self->roll, plans);
    table_init(&self->by_id, plans);
    table_init(&self->by_metric, plans);
    return self;
}

static void drop_links(series_t *series)
{
    while (series->plans != NULL) {
        plan_link_t *link = series->plans;
        series->plans = link->next;
        free(link);
    }
}

void plan_book_destroy(plan_book_t **self_p)
{
    plan_book_t *self = *self_p;
    if (self == NULL)
        return;
    uint64_t at = 0;
    for (series_t *series; (series = metrics_collector_next(self->collector, &at)) != NULL;)
        drop_links(series);
    at = 0;
    for (uint32_t item; (item = roll_next(&self->roll, &at)) != 0;) {
        condition_destroy(&self->plans[item]->condition);
        free(self->plans[item]);
    }
    free(self->plans);
    roll_free(&self->roll);
    table_free(&self->by_id);
    table_free(&self->by_metric);
    free(self);
    *self_p = NULL;
}

void plan_book_configure(plan_book_t *self, uint32_t plans)
{
    if (plans > self->room) {
        self->plans = memory_grow(self->plans, (size_t)plans + 1, sizeof(plan_t *));
        memset(self->plans + self->room + 1, 0, (plans - self->room) * sizeof(plan_t *));
        table_grow(&self->by_id, plans);
        table_grow(&self->by_metric, plans);
        roll_grow(&self->roll, plans);
        self->room = plans;
    }
    self->limit = plans;
}

/* -- results -- */

static double read_series(const series_t *series, reading_t reading)
{
    if (reading == READ_VALUE)
        return series_value(series);
    const sketch_t *histogram = series->value.histogram;
    return reading == READ_COUNT ? (double)histogram->count : sketch_sum(histogram);
}

static void say(plan_book_t *self, const series_t *series, const plan_link_t *link,
                result_state_t state, double value, instant_t now)
{
    finding_t finding = {.type = FINDING_RESULT, .now = now};
    finding.as.result = (plan_result_t){
        .plan = link->plan->id, .labels = series_labels(series), .state = state, .value = value};
    self->sink.take(self->sink.context, &finding);
}

static void evaluate_link(plan_book_t *self, const series_t *series, plan_link_t *link,
                          instant_t now)
{
    const metric_t *metric = metrics_collector_metric_of(self->collector, series);
    double value = read_series(series, link->reading);
    bool holds = condition_holds(link->plan->condition, value, metric_unit(metric));
    said_t said = holds ? SAID_YES : SAID_NO;
    if (said == link->said)
        return;
    link->said = said;
    say(self, series, link, holds ? RESULT_HOLDS : RESULT_CLEAR, value, now);
}

void plan_book_evaluate(plan_book_t *self, series_t *series, instant_t now)
{
    for (plan_link_t *link = series->plans; link != NULL; link = link->next)
        evaluate_link(self, series, link, now);
}

void plan_book_leave(plan_book_t *self, series_t *series, instant_t now)
{
    for (plan_link_t *link = series->plans; link != NULL; link = link->next)
        if (link->said != SAID_NOTHING)
            say(self, series, link, RESULT_NO_DATA, NAN, now);
    drop_links(series);
}

/* -- links -- */

static bool reads(text_t name, text_t metric, text_t suffix)
{
    return name.size == metric.size + suffix.size && text_begins(name, metric) &&
           text_equal((text_t){name.data + metric.size, suffix.size}, suffix);
}

/* How a plan on `name` reads a metric. */
static reading_t reading_of(text_t name, const metric_t *metric)
{
    if (metric->kind != METRIC_HISTOGRAM)
        return text_equal(name, metric_name(metric)) ? READ_VALUE : READ_NOTHING;
    for (size_t i = 0; i < sizeof histogram_readings / sizeof *histogram_readings; i++)
        if (reads(name, metric_name(metric), histogram_readings[i].suffix))
            return histogram_readings[i].reading;
    return READ_NOTHING;
}

static plan_link_t *add_link(series_t *series, plan_t *plan, reading_t reading)
{
    plan_link_t **place = &series->plans;
    while (*place != NULL && (*place)->plan->serial < plan->serial)
        place = &(*place)->next;
    plan_link_t *link = memory_new(1, sizeof *link);
    *link = (plan_link_t){plan, *place, reading, SAID_NOTHING};
    *place = link;
    return link;
}

/* Link a series to the plans on one name by which it can be read. */
static void join_by_name(plan_book_t *self, series_t *series, const metric_t *metric, text_t name)
{
    uint32_t probe = 0, item;
    uint64_t hash = hash_text(self->seed, name);
    while ((item = table_next(&self->by_metric, hash, &probe)) != 0) {
        plan_t *plan = self->plans[item];
        reading_t reading = reading_of(condition_metric(plan->condition), metric);
        if (reading != READ_NOTHING && text_equal(condition_metric(plan->condition), name) &&
            condition_selects(plan->condition, series_labels(series)))
            add_link(series, plan, reading);
    }
}

/* Names from outside have at most LIMITS_DEFAULT.name_bytes, and conditions read nothing longer
 * than themselves; a histogram with a longer name cannot be read. */
#define READ_NAME_MAX 1024

static void join_suffixed(plan_book_t *self, series_t *series, const metric_t *metric,
                          text_t suffix)
{
    char name[READ_NAME_MAX];
    size_t size = metric->name_size;
    if (size + suffix.size > sizeof name)
        return;
    memcpy(name, metric->name, size);
    memcpy(name + size, suffix.data, suffix.size);
    join_by_name(self, series, metric, (text_t){name, size + suffix.size});
}

void plan_book_join(plan_book_t *self, series_t *series)
{
    if (self->roll.count == 0)
        return;
    const metric_t *metric = metrics_collector_metric_of(self->collector, series);
    if (metric->kind != METRIC_HISTOGRAM) {
        join_by_name(self, series, metric, metric_name(metric));
        return;
    }
    for (size_t i = 0; i < sizeof histogram_readings / sizeof *histogram_readings; i++)
        join_suffixed(self, series, metric, histogram_readings[i].suffix);
}

/* The metrics that a plan on `name` may read, one after the other. */
static const metric_t *metric_read(const plan_book_t *self, text_t name, size_t turn)
{
    if (turn == 0)
        return metrics_collector_metric(self->collector, name);
    text_t suffix = histogram_readings[turn - 1].suffix;
    if (name.size <= suffix.size)
        return NULL;
    text_t end = {name.data + name.size - suffix.size, suffix.size};
    if (!text_equal(end, suffix))
        return NULL;
    return metrics_collector_metric(self->collector, (text_t){name.data, name.size - suffix.size});
}

#define METRICS_READ (1 + sizeof histogram_readings / sizeof *histogram_readings)

/* -- plans -- */

static uint32_t find_plan(const plan_book_t *self, uint64_t id)
{
    uint32_t probe = 0, item;
    uint64_t hash = hash_bytes(self->seed, &id, sizeof id);
    while ((item = table_next(&self->by_id, hash, &probe)) != 0)
        if (self->plans[item]->id == id)
            break;
    return item;
}

static uint32_t free_number(const plan_book_t *self)
{
    uint32_t item = 1;
    while (self->plans[item] != NULL)
        item++;
    return item;
}

static plan_t *add_plan(plan_book_t *self, uint64_t id, condition_t *condition)
{
    uint32_t item = free_number(self);
    plan_t *plan = memory_new(1, sizeof *plan);
    *plan = (plan_t){.id = id, .serial = roll_add(&self->roll, item), .condition = condition};
    self->plans[item] = plan;
    table_add(&self->by_id, hash_bytes(self->seed, &id, sizeof id), item);
    table_add(&self->by_metric, hash_text(self->seed, condition_metric(condition)), item);
    return plan;
}

static void unlink_plan(series_t *series, const plan_t *plan)
{
    for (plan_link_t **place = &series->plans; *place != NULL; place = &(*place)->next) {
        plan_link_t *link = *place;
        if (link->plan != plan)
            continue;
        *place = link->next;
        free(link);
        return;
    }
}

static void for_each_read(plan_book_t *self, plan_t *plan,
                          void (*visit)(plan_book_t *, series_t *, plan_t *, const metric_t *,
                                        instant_t),
                          instant_t now)
{
    text_t name = condition_metric(plan->condition);
    for (size_t turn = 0; turn < METRICS_READ; turn++) {
        const metric_t *metric = metric_read(self, name, turn);
        if (metric == NULL || reading_of(name, metric) == READ_NOTHING)
            continue;
        series_t *series = NULL;
        while ((series = metrics_collector_next_of(self->collector, metric, series)) != NULL)
            visit(self, series, plan, metric, now);
    }
}

static void visit_to_link(plan_book_t *self, series_t *series, plan_t *plan, const metric_t *metric,
                          instant_t now)
{
    if (!condition_selects(plan->condition, series_labels(series)))
        return;
    reading_t reading = reading_of(condition_metric(plan->condition), metric);
    series->followed = true;
    evaluate_link(self, series, add_link(series, plan, reading), now);
}

static void visit_to_unlink(plan_book_t *self, series_t *series, plan_t *plan,
                            const metric_t *metric, instant_t now)
{
    (void)self, (void)metric, (void)now;
    unlink_plan(series, plan);
}

static void drop_plan(plan_book_t *self, uint32_t item)
{
    plan_t *plan = self->plans[item];
    for_each_read(self, plan, visit_to_unlink, (instant_t){0, 0});
    uint64_t named = hash_text(self->seed, condition_metric(plan->condition));
    table_remove(&self->by_metric, named, item);
    table_remove(&self->by_id, hash_bytes(self->seed, &plan->id, sizeof plan->id), item);
    roll_remove(&self->roll, plan->serial);
    condition_destroy(&plan->condition);
    free(plan);
    self->plans[item] = NULL;
}

status_t plan_book_put(plan_book_t *self, uint64_t id, text_t text, instant_t now)
{
    condition_error_t error;
    condition_t *condition = condition_new(text, &error);
    if (condition == NULL)
        return STATUS_BAD_VALUE;
    uint32_t old = find_plan(self, id);
    if (old == 0 && self->roll.count >= self->limit) {
        condition_destroy(&condition);
        return STATUS_LIMIT;
    }
    if (old != 0)
        drop_plan(self, old);
    for_each_read(self, add_plan(self, id, condition), visit_to_link, now);
    return STATUS_OK;
}

status_t plan_book_delete(plan_book_t *self, uint64_t id)
{
    uint32_t item = find_plan(self, id);
    if (item == 0)
        return STATUS_NOT_FOUND;
    drop_plan(self, item);
    return STATUS_OK;
}
