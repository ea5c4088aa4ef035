#include "engines/condition_functions.h"

#include "engines/condition_quantile.h"

#include <math.h>

/* -- of each value -- */

static double map_abs(double value, const double *parameters)
{
    (void)parameters;
    return fabs(value);
}

static double map_ceil(double value, const double *parameters)
{
    (void)parameters;
    return ceil(value);
}

static double map_floor(double value, const double *parameters)
{
    (void)parameters;
    return floor(value);
}

/* To the nearest multiple, ties up. Inverted first, so that 0.1 rounds as one would write it. */
static double map_round(double value, const double *parameters)
{
    double inverse = 1 / parameters[0];
    return floor(value * inverse + 0.5) / inverse;
}

static double map_clamp(double value, const double *parameters)
{
    return go_max(parameters[0], go_min(parameters[1], value));
}

static double map_clamp_min(double value, const double *parameters)
{
    return go_max(parameters[0], value);
}

static double map_clamp_max(double value, const double *parameters)
{
    return go_min(parameters[0], value);
}

static bool call_map(evaluation_t *self, const node_t *call, answer_t *out)
{
    const function_t *function = call->as.call.function;
    double parameters[CALL_ARGUMENTS_MAX] = {1}; /* what round does without one */
    if (!evaluate_vector(self, call->as.call.arguments[0], &out->vector))
        return false;
    for (size_t i = 1; i < call->as.call.count; i++)
        if (!evaluate_scalar(self, call->as.call.arguments[i], &parameters[i - 1]))
            return false;
    if (function->map == map_clamp && parameters[1] < parameters[0])
        out->vector.count = 0;
    for (size_t i = 0; i < out->vector.count; i++) {
        element_t *sample = &out->vector.items[i];
        sample->value = function->map(sample->value, parameters);
        sample->name = TEXT_NONE;
    }
    return vector_unique(self, call, &out->vector);
}

/* -- of the points of each series of a range -- */

static const node_t *range_argument(const node_t *call)
{
    size_t last = call->as.call.count - 1;
    return call->as.call.arguments[last];
}

/* Those of `points` that lie in the range. */
static void cut(range_t *range, const series_look_t *series)
{
    size_t from = 0, end = series->count;
    while (from < end && series->points[from].time_ms < range->from_ms)
        from++;
    while (end > from && series->points[end - 1].time_ms > range->to_ms)
        end--;
    range->points = series->points + from;
    range->count = end - from;
}

static bool room_for_values(evaluation_t *self, const node_t *call, range_t *range, size_t *room)
{
    if (call->as.call.function->over != range_quantile || range->count <= *room)
        return true;
    *room = 2 * range->count;
    range->scratch = evaluation_take(self, call, *room * sizeof *range->scratch);
    return range->scratch != NULL;
}

static bool add_over(evaluation_t *self, const node_t *call, const series_look_t *series,
                     const range_t *range, vector_t *out)
{
    const function_t *function = call->as.call.function;
    element_t sample = {.labels = series->labels, .ratio = series->ratio};
    if (function->keeps_name)
        sample.name = series->name;
    return range->count == 0 || !function->over(range, &sample.value) ||
           vector_add(self, call, out, &sample);
}

static bool call_over(evaluation_t *self, const node_t *call, answer_t *out)
{
    const selector_t *selector = &range_argument(call)->as.selector;
    int64_t to = self->moment->at_ms - selector->offset_ms;
    range_t range = {.from_ms = to - selector->range_ms, .to_ms = to};
    const void *at = NULL;
    series_look_t series = {0};
    size_t room = 0;
    if (call->as.call.count > 1 &&
        !evaluate_scalar(self, call->as.call.arguments[0], &range.parameter))
        return false;
    while (self->source->next(self->source->context, selector, range.from_ms, to, &at, &series)) {
        if (series.histogram != NULL)
            return evaluation_meets_histogram(self, call, series.name);
        cut(&range, &series);
        if (!evaluation_read(self, call, range.count + ELEMENT_POINTS) ||
            !room_for_values(self, call, &range, &room) ||
            !add_over(self, call, &series, &range, &out->vector))
            return false;
        series = (series_look_t){0};
    }
    return vector_unique(self, call, &out->vector);
}

/* -- the rest -- */

static bool call_scalar(evaluation_t *self, const node_t *call, answer_t *out)
{
    vector_t vector;
    if (!evaluate_vector(self, call->as.call.arguments[0], &vector))
        return false;
    out->scalar = vector.count == 1 ? vector.items[0].value : (double)NAN;
    return true;
}

static bool call_vector(evaluation_t *self, const node_t *call, answer_t *out)
{
    element_t sample = {0};
    return evaluate_scalar(self, call->as.call.arguments[0], &sample.value) &&
           vector_add(self, call, &out->vector, &sample);
}

static bool call_time(evaluation_t *self, const node_t *call, answer_t *out)
{
    (void)call;
    out->scalar = self->moment->time_s;
    return true;
}

/* How many matchers of the selector name this label; and is the last of them for equality? */
static bool sole_equal(const selector_t *selector, const matcher_t *matcher)
{
    size_t same = 0;
    for (size_t i = 0; i < selector->matcher_count; i++)
        same += text_equal(selector->matchers[i].label, matcher->label);
    return same == 1 && matcher->match == MATCH_EQUAL;
}

/* What is absent would have had the labels that its selector asks for. */
static bool add_absent(evaluation_t *self, const node_t *call, vector_t *out)
{
    const node_t *argument = call->as.call.arguments[0];
    element_t sample = {.value = 1};
    if (argument->kind == NODE_SELECTOR && !argument->positive) {
        const selector_t *selector = &argument->as.selector;
        for (size_t i = 0; i < selector->matcher_count; i++) {
            const matcher_t *matcher = &selector->matchers[i];
            if (text_is(matcher->label, "__name__") || !sole_equal(selector, matcher))
                continue;
            if (!element_set_label(self, call, &sample, (label_t){matcher->label, matcher->value}))
                return false;
        }
    }
    return vector_add(self, call, out, &sample);
}

static bool call_absent(evaluation_t *self, const node_t *call, answer_t *out)
{
    vector_t vector;
    if (!evaluate_vector(self, call->as.call.arguments[0], &vector))
        return false;
    return (vector.count > 0 && !self->unfiltered) || add_absent(self, call, &out->vector);
}

static bool call_absent_over_time(evaluation_t *self, const node_t *call, answer_t *out)
{
    const selector_t *selector = &call->as.call.arguments[0]->as.selector;
    int64_t to = self->moment->at_ms - selector->offset_ms;
    range_t range = {.from_ms = to - selector->range_ms, .to_ms = to};
    const void *at = NULL;
    series_look_t series = {0};
    while (self->source->next(self->source->context, selector, range.from_ms, to, &at, &series)) {
        cut(&range, &series);
        if (!evaluation_read(self, call, ELEMENT_POINTS))
            return false;
        if (range.count > 0 && !self->unfiltered)
            return true;
        series = (series_look_t){0};
    }
    return add_absent(self, call, &out->vector);
}

/* label_replace (vector, label, replacement, source, pattern) */
static bool call_label_replace(evaluation_t *self, const node_t *call, answer_t *out)
{
    node_t *const *arguments = call->as.call.arguments;
    if (!evaluate_vector(self, arguments[0], &out->vector))
        return false;
    for (size_t i = 0; i < out->vector.count; i++) {
        element_t *sample = &out->vector.items[i];
        text_t value = element_label(sample, arguments[3]->as.string), replaced;
        pattern_match_t match = pattern_expand(call->as.call.pattern, value,
                                               arguments[2]->as.string, self->arena, &replaced);
        if (match == PATTERN_ERROR)
            return evaluation_fails(self, call, "the pattern or its replacement takes too long");
        if (match == PATTERN_YES &&
            (!evaluation_take(self, call, replaced.size) ||
             !element_set_label(self, call, sample, (label_t){arguments[1]->as.string, replaced})))
            return false;
    }
    return vector_unique(self, call, &out->vector);
}

/* -- the table -- */

#define MAPPED(word, function, scalars_least, scalars_most)                                        \
    {                                                                                              \
        .name = {word, sizeof(word) - 1}, .result = TYPE_VECTOR,                                   \
        .arguments = {TYPE_VECTOR, TYPE_SCALAR, TYPE_SCALAR}, .least = 1 + (scalars_least),        \
        .most = 1 + (scalars_most), .keeps_unit = true, .map = (function), .call = call_map        \
    }
#define RANGED(word, function, unit)                                                               \
    {                                                                                              \
        .name = {word, sizeof(word) - 1}, .result = TYPE_VECTOR, .arguments = {TYPE_RANGE},        \
        .least = 1, .most = 1, .keeps_unit = (unit), .over = (function), .call = call_over         \
    }

static const function_t functions[] = {
    MAPPED("abs", map_abs, 0, 0),
    MAPPED("ceil", map_ceil, 0, 0),
    MAPPED("clamp", map_clamp, 2, 2),
    MAPPED("clamp_max", map_clamp_max, 1, 1),
    MAPPED("clamp_min", map_clamp_min, 1, 1),
    MAPPED("floor", map_floor, 0, 0),
    MAPPED("round", map_round, 0, 1),
    RANGED("avg_over_time", range_avg, true),
    RANGED("changes", range_changes, false),
    RANGED("count_over_time", range_count, false),
    RANGED("delta", range_delta, true),
    RANGED("deriv", range_deriv, false),
    RANGED("increase", range_increase, true),
    RANGED("irate", range_irate, false),
    RANGED("max_over_time", range_max, true),
    RANGED("min_over_time", range_min, true),
    RANGED("present_over_time", range_present, false),
    RANGED("rate", range_rate, false),
    RANGED("resets", range_resets, false),
    RANGED("stddev_over_time", range_stddev, true),
    RANGED("sum_over_time", range_sum, true),
    {.name = {"last_over_time", 14},
     .result = TYPE_VECTOR,
     .arguments = {TYPE_RANGE},
     .least = 1,
     .most = 1,
     .keeps_unit = true,
     .keeps_name = true,
     .over = range_last,
     .call = call_over},
    {.name = {"quantile_over_time", 18},
     .result = TYPE_VECTOR,
     .arguments = {TYPE_SCALAR, TYPE_RANGE},
     .least = 2,
     .most = 2,
     .keeps_unit = true,
     .over = range_quantile,
     .call = call_over},
    {.name = {"absent", 6},
     .result = TYPE_VECTOR,
     .arguments = {TYPE_VECTOR},
     .least = 1,
     .most = 1,
     .call = call_absent},
    {.name = {"absent_over_time", 16},
     .result = TYPE_VECTOR,
     .arguments = {TYPE_RANGE},
     .least = 1,
     .most = 1,
     .call = call_absent_over_time},
    {.name = {"histogram_quantile", 18},
     .result = TYPE_VECTOR,
     .arguments = {TYPE_SCALAR, TYPE_VECTOR},
     .least = 2,
     .most = 2,
     .keeps_unit = true,
     .call = call_histogram_quantile},
    {.name = {"label_replace", 13},
     .result = TYPE_VECTOR,
     .arguments = {TYPE_VECTOR, TYPE_STRING, TYPE_STRING, TYPE_STRING, TYPE_STRING},
     .least = 5,
     .most = 5,
     .keeps_unit = true,
     .call = call_label_replace},
    {.name = {"scalar", 6},
     .result = TYPE_SCALAR,
     .arguments = {TYPE_VECTOR},
     .least = 1,
     .most = 1,
     .call = call_scalar},
    {.name = {"time", 4}, .result = TYPE_SCALAR, .call = call_time},
    {.name = {"vector", 6},
     .result = TYPE_VECTOR,
     .arguments = {TYPE_SCALAR},
     .least = 1,
     .most = 1,
     .call = call_vector},
};

/* What Prometheus 2.42 and later have besides. */
static const char *const refused[] = {"acos",
                                      "acosh",
                                      "asin",
                                      "asinh",
                                      "atan",
                                      "atanh",
                                      "cos",
                                      "cosh",
                                      "count_scalar",
                                      "day_of_month",
                                      "day_of_week",
                                      "day_of_year",
                                      "days_in_month",
                                      "deg",
                                      "double_exponential_smoothing",
                                      "exp",
                                      "histogram_avg",
                                      "histogram_count",
                                      "histogram_fraction",
                                      "histogram_stddev",
                                      "histogram_stdvar",
                                      "histogram_sum",
                                      "holt_winters",
                                      "hour",
                                      "idelta",
                                      "info",
                                      "label_join",
                                      "ln",
                                      "log10",
                                      "log2",
                                      "mad_over_time",
                                      "minute",
                                      "month",
                                      "pi",
                                      "predict_linear",
                                      "rad",
                                      "sgn",
                                      "sin",
                                      "sinh",
                                      "sort",
                                      "sort_by_label",
                                      "sort_by_label_desc",
                                      "sort_desc",
                                      "sqrt",
                                      "stdvar_over_time",
                                      "tan",
                                      "tanh",
                                      "timestamp",
                                      "year"};

const function_t *function_named(text_t name)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (text_equal(functions[i].name, name))
            return &functions[i];
    return NULL;
}

bool function_refused(text_t name)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (text_is(name, refused[i]))
            return true;
    return false;
}

bool function_answers_absence(const function_t *self)
{
    return self->call == call_absent || self->call == call_absent_over_time;
}

bool function_call(evaluation_t *self, const node_t *node, answer_t *out)
{
    return node->as.call.function->call(self, node, out);
}
