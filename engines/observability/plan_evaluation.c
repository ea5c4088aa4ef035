#include "engines/observability/plan_book_inside.h"

#include "engines/hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Series looked at to tell whether label sets that are missing have data; what is beyond waits for
 * the next evaluation. */
#define FRESH_CHECKS_MAX 1000000u

/* -- the answer -- */

/* A number is one element without labels, as in a rule of Prometheus. */
static void make_vector(answer_t *answer, element_t *room)
{
    if (!answer->is_scalar)
        return;
    *room = (element_t){.value = answer->scalar};
    answer->vector = (vector_t){room, 1, 1};
}

static condition_moment_t moment_of(const plan_book_t *self, int64_t lookback_ms, instant_t now)
{
    return (condition_moment_t){.at_ms = now.mono_ns / NS_PER_MS,
                                .time_s = now.wall_s,
                                .lookback_ms = lookback_ms,
                                .seed = self->seed};
}

static bool stage_vector(plan_book_t *self, plan_t *plan, const vector_t *vector,
                         result_state_t state, bool known, instant_t now, const char **wrong)
{
    for (size_t i = 0; i < vector->count; i++) {
        const element_t *sample = &vector->items[i];
        uint64_t hash = hash_bytes(self->seed, sample->labels.bytes, sample->labels.size);
        stage_t stage = plan_results_stage(&plan->results, hash, sample->labels, state,
                                           known ? sample->value : (double)NAN, now.mono_ns);
        if (stage == STAGE_TWICE && state == RESULT_HOLDS)
            *wrong = "two series of the result differ in nothing but their name";
        if (stage == STAGE_FULL)
            *wrong = "the result has more than 100,000 label sets";
        if (*wrong != NULL)
            return false;
    }
    return true;
}

/* -- label sets that are missing -- */

/* May this series have had a part in a result with these labels? */
static bool concerns(labels_t labels, const series_t *series)
{
    label_t label;
    for (uint32_t at = 0; labels_next(labels, &at, &label);) {
        text_t value = labels_get(series_labels(series), label.name);
        if (value.data != NULL && !text_equal(value, label.value))
            return false;
    }
    return true;
}

/* Is there a series with data behind these labels? */
static bool has_data(const plan_t *plan, labels_t labels, instant_t now, uint32_t *checks)
{
    for (size_t i = 0; i < plan->selection_count; i++)
        for (const plan_link_t *link = plan->selections[i].first; link != NULL; link = link->next) {
            bool fresh = now.mono_ns - series_silent_since(link->series, now) <= plan->lookback_ns;
            *checks += 1;
            if (fresh && concerns(labels, link->series))
                return true;
        }
    return false;
}

/* Missing with data does not hold; missing without is no data, said once and forgotten. */
static bool stage_missing(plan_t *plan, plan_entry_t *entry, instant_t now, uint32_t *checks)
{
    if (*checks > FRESH_CHECKS_MAX)
        return false;
    bool data = has_data(plan, entry->labels, now, checks);
    entry->staged = data ? RESULT_CLEAR : RESULT_NO_DATA;
    entry->staged_value = (double)NAN;
    return true;
}

static bool is_stale(const plan_t *plan, const plan_entry_t *entry, instant_t now)
{
    return entry->said == SAID_NOTHING || entry->said == RESULT_NO_DATA ||
           (entry->said == RESULT_CLEAR && now.mono_ns - entry->seen_ns > plan->lookback_ns);
}

/* -- saying -- */

static size_t gather_changes(plan_book_t *self, plan_t *plan, bool complete, instant_t now)
{
    size_t count = 0;
    uint32_t at = 0, checks = 0;
    for (plan_entry_t *entry; (entry = plan_results_next(&plan->results, &at)) != NULL;) {
        bool missing = !plan_results_is_staged(&plan->results, entry);
        if (missing && (!entry->known || !complete || !stage_missing(plan, entry, now, &checks)))
            continue;
        if (plan_entry_changed(entry))
            *plan_change(self, count++) = (plan_change_t){.labels = entry->labels,
                                                          .state = (result_state_t)entry->staged,
                                                          .value = entry->staged_value,
                                                          .entry = at};
    }
    return count;
}

static void forget_stale(plan_t *plan, instant_t now)
{
    uint32_t at = 0;
    for (plan_entry_t *entry; (entry = plan_results_next(&plan->results, &at)) != NULL;)
        if (!plan_results_is_staged(&plan->results, entry) && is_stale(plan, entry, now))
            plan_results_forget(&plan->results, entry);
}

/* The first thing said after an error ends it, so something must be. */
static void end_error(plan_book_t *self, plan_t *plan, instant_t now)
{
    plan->erring = false;
    plan_results_unsay(&plan->results);
    if (plan->results.count == 0)
        plan_say(self, plan, &(plan_change_t){.state = RESULT_CLEAR, .value = NAN}, now);
}

static void settle(plan_book_t *self, plan_t *plan, bool complete, instant_t now)
{
    if (plan->erring)
        end_error(self, plan, now);
    size_t count = gather_changes(self, plan, complete, now);
    plan_changes_sort(self->changes, count);
    for (size_t i = 0; i < count; i++) {
        plan_entry_t *entry = &plan->results.entries[self->changes[i].entry];
        plan_say(self, plan, &self->changes[i], now);
        entry->said = entry->staged;
        entry->known = true;
        entry->value = entry->staged_value;
    }
    forget_stale(plan, now);
}

/* -- one evaluation -- */

static bool stage(plan_book_t *self, plan_t *plan, instant_t now, bool *complete,
                  condition_error_t *error)
{
    plan_source_t context = {
        .book = self, .plan = plan, .points = &self->points, .arena = &self->arena, .now = now};
    condition_source_t source = plan_source(&context);
    condition_moment_t moment = moment_of(self, plan->lookback_ns / NS_PER_MS, now);
    words_t words = words_in(error->message, sizeof error->message);
    answer_t answer;
    element_t room;
    const char *wrong = plan->misfit;
    plan_results_begin(&plan->results);
    if (wrong == NULL &&
        !condition_evaluate(plan->condition, &source, &moment, &self->arena, &answer, error))
        return false;
    if (wrong == NULL) {
        make_vector(&answer, &room);
        stage_vector(self, plan, &answer.vector, RESULT_HOLDS, true, now, &wrong);
    }
    *complete = true;
    if (wrong == NULL && condition_filters(plan->condition)) {
        condition_error_t ignored;
        *complete = condition_evaluate_unfiltered(plan->condition, &source, &moment, &self->arena,
                                                  &answer, &ignored);
        if (*complete)
            stage_vector(self, plan, &answer.vector, RESULT_CLEAR,
                         condition_values_known(plan->condition), now, &wrong);
    }
    wrong = wrong != NULL ? wrong : context.wrong;
    if (wrong != NULL)
        words_add(&words, wrong);
    return wrong == NULL;
}

void plan_evaluate(plan_book_t *self, plan_t *plan, instant_t now)
{
    condition_error_t error = {0};
    bool complete;
    if (stage(self, plan, now, &complete, &error))
        settle(self, plan, complete, now);
    else
        plan_say_error(self, plan, error.message, now);
    arena_reset(&self->arena);
}

bool plan_book_test(const plan_book_t *self, const condition_t *condition, int64_t lookback_ms,
                    instant_t now, arena_t *arena, answer_t *answer, condition_error_t *error)
{
    points_t points = {0};
    plan_source_t context = {.book = self, .points = &points, .arena = arena, .now = now};
    condition_source_t source = plan_source(&context);
    condition_moment_t moment = moment_of(self, lookback_ms, now);
    bool good = condition_evaluate(condition, &source, &moment, arena, answer, error);
    free(points.items);
    if (good && context.wrong != NULL) {
        words_t words = words_in(error->message, sizeof error->message);
        error->line = error->column = 1;
        words_add(&words, context.wrong);
    }
    return good && context.wrong == NULL;
}
