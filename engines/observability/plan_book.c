#include "engines/observability/plan_book.h"

#include "engines/hash.h"
#include "engines/observability/plan_book_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SELECTIONS_FIRST 64u
#define INTERVAL_MIN_S 0.1

/* The share of an interval by which the golden section sets plans apart: any number of them lies
 * about evenly. */
#define PHASE UINT32_C(2654435769)

/* -- birth and death -- */

plan_book_t *plan_book_new(uint32_t plans, uint64_t range_bytes, uint64_t seed,
                           metrics_collector_t *collector, finding_sink_t sink)
{
    plan_book_t *self = memory_new(1, sizeof *self);
    self->limit = plans;
    self->seed = seed;
    self->collector = collector;
    self->sink = sink;
    self->budget.limit = range_bytes;
    registry_init(&self->plans, plans, seed);
    deadlines_init(&self->deadlines, plans);
    self->selections = memory_new(SELECTIONS_FIRST + 1, sizeof *self->selections);
    self->selections_room = SELECTIONS_FIRST;
    table_init(&self->by_metric, SELECTIONS_FIRST);
    arena_init(&self->arena);
    return self;
}

static void drop_plan(plan_book_t *self, plan_t *plan)
{
    selections_remove(self, plan);
    deadlines_clear(&self->deadlines, plan->place);
    registry_remove(&self->plans, plan->id);
    plan_results_free(&plan->results);
    condition_destroy(&plan->condition);
    free(plan);
}

void plan_book_destroy(plan_book_t **self_p)
{
    plan_book_t *self = *self_p;
    if (self == NULL)
        return;
    uint64_t at = 0;
    for (plan_t *plan; (plan = registry_next(&self->plans, &at)) != NULL;)
        drop_plan(self, plan);
    free(self->selections);
    free(self->points.items);
    free(self->changes);
    registry_free(&self->plans);
    deadlines_free(&self->deadlines);
    table_free(&self->by_metric);
    arena_free(&self->arena);
    free(self);
    *self_p = NULL;
}

void plan_book_configure(plan_book_t *self, uint32_t plans, uint64_t range_bytes)
{
    registry_grow(&self->plans, plans);
    deadlines_grow(&self->deadlines, plans);
    self->limit = plans;
    self->budget.limit = range_bytes > self->budget.used ? range_bytes : self->budget.used;
}

plan_book_use_t plan_book_use(const plan_book_t *self)
{
    return (plan_book_use_t){registry_count(&self->plans), self->limit, self->budget.used,
                             self->budget.limit};
}

/* -- results -- */

void plan_say(plan_book_t *self, const plan_t *plan, const plan_change_t *change, instant_t now)
{
    finding_t finding = {.type = FINDING_RESULT, .now = now};
    finding.as.result = (plan_result_t){
        .plan = plan->id, .labels = change->labels, .state = change->state, .value = change->value};
    self->sink.take(self->sink.context, &finding);
}

void plan_say_error(plan_book_t *self, plan_t *plan, const char *words, instant_t now)
{
    if (plan->erring && strcmp(plan->error, words) == 0)
        return;
    plan->erring = true;
    words_t said = words_in(plan->error, sizeof plan->error);
    words_add(&said, words);
    finding_t finding = {.type = FINDING_RESULT, .now = now};
    finding.as.result = (plan_result_t){
        .plan = plan->id, .state = RESULT_ERROR, .value = NAN, .error = text_of(plan->error)};
    self->sink.take(self->sink.context, &finding);
}

plan_change_t *plan_change(plan_book_t *self, size_t count)
{
    if (count >= self->changes_room) {
        self->changes_room = 2 * count + 16;
        self->changes = memory_grow(self->changes, self->changes_room, sizeof *self->changes);
    }
    return &self->changes[count];
}

/* -- series -- */

/* Links of one buffer follow each other in no order; a value given twice is the same value. */
static void keep_points(plan_book_t *self, const series_t *series, instant_t now)
{
    for (const plan_link_t *link = series->plans; link != NULL; link = link->next_of_series)
        if (link->buffer != NULL)
            range_buffer_add(link->buffer, now.mono_ns / NS_PER_MS,
                             read_series(series, (reading_t)link->reading), &self->budget);
}

void plan_book_take(plan_book_t *self, series_t *series, instant_t now)
{
    keep_points(self, series, now);
    plan_book_evaluate(self, series, now);
}

void plan_book_evaluate(plan_book_t *self, series_t *series, instant_t now)
{
    for (plan_link_t *link = series->plans; link != NULL; link = link->next_of_series)
        if (link->selection->plan->threshold && link->selection->plan->misfit == NULL &&
            link->reading != READ_ITSELF)
            threshold_evaluate(self, link, now);
}

/* -- plans -- */

static int64_t nanoseconds(double seconds)
{
    return (int64_t)(seconds * (double)NS_PER_S);
}

static plan_t *add_plan(plan_book_t *self, uint64_t id, condition_t *condition)
{
    plan_t *plan = memory_new(1, sizeof *plan);
    *plan = (plan_t){
        .id = id, .condition = condition, .threshold = condition_threshold(condition) != NULL};
    plan->place = registry_add(&self->plans, id, plan);
    plan->serial = self->plans.places[plan->place].serial;
    return plan;
}

/* Evaluate it now; answers when it wants to be again. */
static int64_t run(plan_book_t *self, plan_t *plan, instant_t now)
{
    if (decided_on_arrival(plan) && plan->misfit == NULL)
        return threshold_sweep(self, plan, now);
    plan_evaluate(self, plan, now);
    return now.mono_ns + plan->interval_ns;
}

/* Plans lie on a grid of their interval, each at a phase of its own. */
static int64_t next_on_grid(const plan_t *plan, instant_t now)
{
    double share = (double)((uint32_t)plan->serial * PHASE) / 4294967296.0;
    int64_t phase = (int64_t)(share * (double)plan->interval_ns);
    int64_t past = (now.mono_ns - plan->put_ns - phase) / plan->interval_ns;
    int64_t next = plan->put_ns + phase + past * plan->interval_ns;
    return next > now.mono_ns ? next : next + plan->interval_ns;
}

static void run_and_schedule(plan_book_t *self, plan_t *plan, instant_t now)
{
    int64_t wanted = run(self, plan, now), next = next_on_grid(plan, now);
    deadlines_set(&self->deadlines, plan->place, wanted < next ? wanted : next, plan->serial);
}

status_t plan_book_put(plan_book_t *self, uint64_t id, text_t condition, double interval_s,
                       double lookback_s, instant_t now)
{
    condition_error_t error;
    condition_t *compiled = condition_new(condition, &error);
    if (compiled == NULL)
        return STATUS_BAD_VALUE;
    plan_t *old = registry_find(&self->plans, id);
    if (old == NULL && registry_count(&self->plans) >= self->limit) {
        condition_destroy(&compiled);
        return STATUS_LIMIT;
    }
    if (old != NULL)
        drop_plan(self, old);
    plan_t *plan = add_plan(self, id, compiled);
    plan->put_ns = now.mono_ns;
    plan->interval_ns = nanoseconds(fmax(interval_s, INTERVAL_MIN_S));
    plan->lookback_ns = nanoseconds(lookback_s);
    selections_add(self, plan);
    run_and_schedule(self, plan, now);
    return STATUS_OK;
}

status_t plan_book_delete(plan_book_t *self, uint64_t id)
{
    plan_t *plan = registry_find(&self->plans, id);
    if (plan == NULL)
        return STATUS_NOT_FOUND;
    drop_plan(self, plan);
    return STATUS_OK;
}

/* -- time -- */

void plan_book_tick(plan_book_t *self, instant_t now)
{
    for (uint32_t i = 0, place; i < PLANS_A_TICK; i++) {
        place = deadlines_take(&self->deadlines, now.mono_ns);
        if (place == 0)
            break;
        run_and_schedule(self, registry_at(&self->plans, place), now);
    }
}

int64_t plan_book_next(const plan_book_t *self)
{
    return deadlines_next(&self->deadlines);
}
