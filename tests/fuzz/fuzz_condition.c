/*  Whatever text comes as a condition: it is refused in words with a place, or it is evaluated over
 * a few series of every kind, filtered and unfiltered, and what comes out keeps its promises. */
#include "engines/condition.h"
#include "proto/must.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SERIES 12u
#define POINTS 8u

typedef struct {
    text_t name;
    labels_t labels;
    uint8_t bytes[64];
    point_t points[POINTS];
} series_t;

static series_t series[SERIES];
static sketch_t histogram;

static void set_up(void)
{
    static const text_t names[] = {{"a", 1}, {"b", 1}, {"a_bucket", 8}};
    static const text_t values[] = {{"1", 1}, {"+Inf", 4}, {"x", 1}, {"0.5", 3}};
    sketch_init(&histogram);
    sketch_add(&histogram, 1);
    for (size_t i = 0; i < SERIES; i++) {
        label_t pairs[] = {{TEXT_OF("le"), values[i % 4]}, {TEXT_OF("x"), values[i % 3]}};
        series[i].name = names[i / 4];
        series[i].labels = labels_build(pairs, 2, series[i].bytes);
        for (size_t k = 0; k < POINTS; k++)
            series[i].points[k] = (point_t){(int64_t)(k * 1000 + i), (double)(i * k) - 3};
    }
    series[0].points[5].value = (double)NAN;
    series[4].points[7].value = (double)INFINITY;
}

static bool next(void *context, const selector_t *selector, int64_t from_ms, int64_t to_ms,
                 const void **at, series_look_t *look)
{
    (void)context;
    for (const series_t *each = *at == NULL ? series : (const series_t *)*at + 1;
         each < series + SERIES; each++) {
        if (selector_takes(selector, each->name, each->labels) != PATTERN_YES)
            continue;
        size_t from = 0, end = POINTS;
        while (from < end && each->points[from].time_ms < from_ms)
            from++;
        while (end > from && each->points[end - 1].time_ms > to_ms)
            end--;
        *at = each;
        *look = (series_look_t){.name = each->name,
                                .labels = each->labels,
                                .points = each->points + from,
                                .count = end - from};
        if (selector->as_histogram && each == &series[4])
            look->histogram = &histogram;
        return true;
    }
    return false;
}

typedef bool evaluate_fn(const condition_t *, const condition_source_t *,
                         const condition_moment_t *, arena_t *, answer_t *, condition_error_t *);

static void check_error(const condition_error_t *error)
{
    must(error->line >= 1 && error->column >= 1);
    must(error->message[0] != '\0' && strlen(error->message) < sizeof error->message);
}

/* No two elements are alike in name and labels, and all labels can be walked. */
static void check_vector(const vector_t *vector)
{
    label_t label;
    for (size_t i = 0; i < vector->count; i++) {
        const element_t *one = &vector->items[i];
        uint32_t count = 0;
        for (uint32_t at = 0; labels_next(one->labels, &at, &label); count++)
            must(label.value.size > 0);
        must(count == one->labels.count);
        for (size_t k = 0; k < i; k++)
            must(!labels_equal(one->labels, vector->items[k].labels) ||
                 !text_equal(one->name, vector->items[k].name));
    }
}

static size_t evaluate(evaluate_fn *function, const condition_t *condition)
{
    static arena_t arena;
    condition_source_t source = {next, NULL};
    condition_moment_t moment = {7500, 1e9, LOOKBACK_DEFAULT_MS, 42};
    condition_error_t error = {0};
    answer_t answer;
    size_t count = 0;
    if (function(condition, &source, &moment, &arena, &answer, &error)) {
        check_vector(&answer.vector);
        count = answer.vector.count;
    } else {
        check_error(&error);
    }
    arena_reset(&arena);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (series[0].name.data == NULL)
        set_up();
    condition_error_t error = {0};
    condition_t *condition = condition_new((text_t){(const char *)data, size}, &error);
    if (condition == NULL) {
        check_error(&error);
        return 0;
    }
    size_t filtered = evaluate(condition_evaluate, condition);
    size_t all = evaluate(condition_evaluate_unfiltered, condition);
    must(condition_filters(condition) || filtered == all);
    if (condition_threshold(condition) != NULL)
        condition_holds(condition, 1, true);
    condition_destroy(&condition);
    return 0;
}
