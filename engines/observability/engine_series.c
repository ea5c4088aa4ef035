#include "engines/observability/engine_series.h"

#include "engines/observability/observability_stack_inside.h"
#include "proto/schema.h"

#include <math.h>

/* A number that is absent is a series that is not there. */
static void tell(observability_stack_t *stack, text_t name, const label_t *labels, size_t count,
                 double value, text_t unit, instant_t now)
{
    own_series_t what = {.name = name,
                         .labels = labels_build(labels, count, stack->labels),
                         .kind = METRIC_GAUGE,
                         .unit = unit,
                         .pinned = true};
    if (isnan(value))
        stack_forget_own(stack, what.name, what.labels, now);
    else
        stack_set_own(stack, &what, value, now);
}

static void tell_total(observability_stack_t *stack, text_t name, label_t label, uint64_t total,
                       instant_t now)
{
    own_series_t what = {.name = name,
                         .labels = labels_build(&label, 1, stack->labels),
                         .kind = METRIC_COUNTER,
                         .pinned = true};
    stack_set_own(stack, &what, (double)total, now);
}

/* A state as one series a word: 1 for the one that holds. */
static void tell_state(observability_stack_t *stack, text_t name, label_t of,
                       const char *const *words, int count, int state, instant_t now)
{
    for (int i = 0; i < count; i++) {
        label_t labels[] = {of, {TEXT_OF("state"), text_of(words[i])}};
        tell(stack, name, labels, 2, i == state, TEXT_NONE, now);
    }
}

/* -- one thing each; false when there is none left -- */

static bool tell_profile(observability_stack_t *stack, instant_t now)
{
    profile_change_t profile;
    if (!performance_profiler_changed(stack->profiler, &profile))
        return false;
    label_t label = {TEXT_OF("operation"), profile.operation};
    own_series_t durations = {.name = TEXT_OF("tocsin_profile_duration_seconds"),
                              .labels = labels_build(&label, 1, stack->labels),
                              .kind = METRIC_HISTOGRAM,
                              .unit = TEXT_OF("seconds"),
                              .pinned = true,
                              .histogram = profile.durations};
    stack_set_own(stack, &durations, NAN, now);
    tell_total(stack, TEXT_OF("tocsin_profile_errors_total"), label, profile.errors, now);
    tell_total(stack, TEXT_OF("tocsin_profile_retries_total"), label, profile.retries, now);
    return true;
}

static bool tell_dependency(observability_stack_t *stack, instant_t now)
{
    dependency_news_t news;
    if (!dependency_health_monitor_changed(stack->dependencies, &news))
        return false;
    label_t label = {TEXT_OF("dependency"), news.name};
    tell(stack, TEXT_OF("tocsin_dependency_error_ratio"), &label, 1, news.error_ratio,
         TEXT_OF("ratio"), now);
    tell_state(stack, TEXT_OF("tocsin_dependency_state"), label, dependency_status_words,
               DEPENDENCY_STATUS_COUNT, (int)news.status, now);
    tell_total(stack, TEXT_OF("tocsin_dependency_retries_total"), label, news.retries, now);
    if (news.breaker != BREAKER_UNKNOWN)
        tell_state(stack, TEXT_OF("tocsin_dependency_breaker_state"), label, breaker_words + 1,
                   BREAKER_COUNT - 1, (int)news.breaker - 1, now);
    return true;
}

static void tell_burn(observability_stack_t *stack, text_t name, const slo_burn_t *burn,
                      instant_t now)
{
    const struct {
        text_t window;
        double rate;
    } rates[] = {{TEXT_OF("5m"), burn->w5m}, {TEXT_OF("30m"), burn->w30m},
                 {TEXT_OF("1h"), burn->w1h}, {TEXT_OF("2h"), burn->w2h},
                 {TEXT_OF("6h"), burn->w6h}, {TEXT_OF("24h"), burn->w24h},
                 {TEXT_OF("3d"), burn->w3d}};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        label_t labels[] = {{TEXT_OF("slo"), name}, {TEXT_OF("window"), rates[i].window}};
        tell(stack, TEXT_OF("tocsin_slo_burn_rate"), labels, 2, rates[i].rate, TEXT_NONE, now);
    }
}

static void tell_view(observability_stack_t *stack, const slo_view_t *view, instant_t now)
{
    label_t label = {TEXT_OF("slo"), view->slo.name};
    tell(stack, TEXT_OF("tocsin_slo_compliance_ratio"), &label, 1, view->compliance_percent / 100,
         TEXT_OF("ratio"), now);
    tell(stack, TEXT_OF("tocsin_slo_error_budget_ratio"), &label, 1, view->error_budget,
         TEXT_OF("ratio"), now);
    tell_burn(stack, view->slo.name, &view->burn, now);
}

/* Time alone changes an SLO: each is told in each round. */
static bool tell_slo(observability_stack_t *stack, instant_t now)
{
    slo_view_t view;
    if (!slo_monitor_next(stack->slos, &stack->telling.at, now, &view))
        return false;
    tell_view(stack, &view, now);
    return true;
}

void engine_series_forget_slo(observability_stack_t *stack, text_t slo, instant_t now)
{
    slo_view_t nothing = {.slo = {.name = slo},
                          .compliance_percent = NAN,
                          .error_budget = NAN,
                          .burn = {NAN, NAN, NAN, NAN, NAN, NAN, NAN}};
    tell_view(stack, &nothing, now);
}

/* The metric's name beside the labels of its series. */
static labels_t score_labels(observability_stack_t *stack, const series_t *series)
{
    label_t pairs[LABELS_MAX], label;
    size_t count = 0;
    uint32_t at = 0;
    while (labels_next(series_labels(series), &at, &label)) {
        if (text_is(label.name, "name"))
            label.name = TEXT_OF("exported_name");
        pairs[count++] = label;
    }
    pairs[count++] = (label_t){TEXT_OF("name"),
                               metric_name(metrics_collector_metric_of(stack->collector, series))};
    return labels_build(pairs, count, stack->labels);
}

/* Two series whose labels come to the same share one score: the first of them has it. */
static void make_score(observability_stack_t *stack, series_t *series, double score, instant_t now)
{
    own_series_t what = {.name = TEXT_OF(ANOMALY_SCORE_SERIES),
                         .labels = score_labels(stack, series),
                         .kind = METRIC_GAUGE,
                         .pinned = true};
    if (metrics_collector_series(stack->collector, what.name, what.labels) != NULL)
        return;
    stack_set_own(stack, &what, score, now);
    const series_t *made = metrics_collector_series(stack->collector, what.name, what.labels);
    if (made != NULL)
        series->score = metrics_collector_number(stack->collector, made);
}

void engine_series_drop_score(observability_stack_t *stack, series_t *series, instant_t now)
{
    if (series->score == 0)
        return;
    stack_remove_own(stack, metrics_collector_numbered(stack->collector, series->score), now);
    series->score = 0;
}

static bool tell_score(observability_stack_t *stack, instant_t now)
{
    uint32_t number;
    double score;
    if (!anomaly_detector_changed(stack->detector, &number, &score))
        return false;
    series_t *series = metrics_collector_numbered(stack->collector, number);
    if (isnan(score))
        engine_series_drop_score(stack, series, now);
    else if (series->score == 0)
        make_score(stack, series, score, now);
    else
        stack_change_own(stack, metrics_collector_numbered(stack->collector, series->score), score,
                         now);
    return true;
}

/* -- rounds -- */

static bool (*const kinds[])(observability_stack_t *stack, instant_t now) = {
    tell_score, tell_slo, tell_dependency, tell_profile}; /* told from the last to the first */

void engine_series_begin(engine_series_t *self)
{
    if (engine_series_told(self))
        *self = (engine_series_t){.left = sizeof kinds / sizeof *kinds, .at = 0};
}

bool engine_series_told(const engine_series_t *self)
{
    return self->left == 0;
}

void engine_series_tell(observability_stack_t *stack, instant_t now)
{
    engine_series_t *self = &stack->telling;
    for (unsigned i = 0; i < TELL_STEP && self->left > 0; i++) {
        if (kinds[self->left - 1](stack, now))
            continue;
        self->left--;
        self->at = 0;
    }
}
