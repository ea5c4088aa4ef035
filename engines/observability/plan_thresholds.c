#include "engines/observability/plan_book_inside.h"

#include <math.h>

bool decided_on_arrival(const plan_t *plan)
{
    const plan_link_t *first = plan->selection_count == 1 ? plan->selections[0].first : NULL;
    return plan->threshold && (first == NULL || first->reading != READ_ITSELF);
}

int64_t series_silent_since(const series_t *series, instant_t now)
{
    return series->pinned ? now.mono_ns : series->touched_ns;
}

/* How the comparison stands for a series. */
static plan_change_t judge(plan_book_t *self, const plan_link_t *link, instant_t now)
{
    const plan_t *plan = link->selection->plan;
    plan_change_t answer = {.labels = series_labels(link->series)};
    if (now.mono_ns - series_silent_since(link->series, now) > plan->lookback_ns) {
        answer.state = RESULT_NO_DATA;
        answer.value = (double)NAN;
        return answer;
    }
    const metric_t *metric = metrics_collector_metric_of(self->collector, link->series);
    answer.value = read_series(link->series, (reading_t)link->reading);
    bool holds =
        condition_holds(plan->condition, answer.value, text_is(metric_unit(metric), "ratio"));
    answer.state = holds ? RESULT_HOLDS : RESULT_CLEAR;
    return answer;
}

/* The greatest value since it was last said to hold, if the change does not tell it; else NaN. */
static double unsaid_peak(const plan_link_t *link, const plan_change_t *change)
{
    if (link->said != RESULT_HOLDS || link->peak <= link->said_value)
        return (double)NAN;
    return change->state == RESULT_HOLDS && change->value >= link->peak ? (double)NAN : link->peak;
}

static void note(plan_link_t *link, plan_change_t *change)
{
    change->peak = unsaid_peak(link, change);
    link->said = (uint8_t)change->state;
    link->said_value = link->peak = change->value;
}

/* What was greater in between first, so that an alert knows its peak. */
static void say(plan_book_t *self, const plan_t *plan, const plan_change_t *change, instant_t now)
{
    plan_change_t peak = {.labels = change->labels, .state = RESULT_HOLDS, .value = change->peak};
    if (!isnan(change->peak))
        plan_say(self, plan, &peak, now);
    plan_say(self, plan, change, now);
}

void threshold_evaluate(plan_book_t *self, plan_link_t *link, instant_t now)
{
    plan_change_t change = judge(self, link, now);
    if (link->said == change.state) {
        link->peak = fmax(link->peak, change.value);
        return;
    }
    note(link, &change);
    say(self, link->selection->plan, &change, now);
}

/* Silence is said of a series that something was said of before. */
static bool is_news(const plan_link_t *link, const plan_change_t *change)
{
    if (link->said == change->state)
        return change->state == RESULT_HOLDS &&
               (change->value != link->said_value || link->peak > link->said_value);
    return change->state != RESULT_NO_DATA || link->said != SAID_NOTHING;
}

int64_t threshold_sweep(plan_book_t *self, plan_t *plan, instant_t now)
{
    size_t count = 0;
    int64_t next = now.mono_ns + plan->interval_ns;
    for (plan_link_t *link = plan->selections[0].first; link != NULL; link = link->next) {
        plan_change_t change = judge(self, link, now);
        int64_t silent = series_silent_since(link->series, now) + plan->lookback_ns + 1;
        if (change.state != RESULT_NO_DATA && silent < next)
            next = silent;
        if (!is_news(link, &change))
            continue;
        note(link, &change);
        *plan_change(self, count++) = change;
    }
    plan_changes_sort(self->changes, count);
    for (size_t i = 0; i < count; i++)
        say(self, plan, &self->changes[i], now);
    return next;
}
