#include "engines/condition_range.h"

#include "engines/condition_evaluation.h"

#include <math.h>

static double seconds(int64_t ms)
{
    return (double)ms / 1000;
}

static const point_t *last_of(const range_t *range)
{
    return &range->points[range->count - 1];
}

/* -- increases -- */

/* What a counter grew by: each fall was a reset, before which it had grown to what it was. */
static double growth(const range_t *range)
{
    double sum = last_of(range)->value - range->points[0].value;
    for (size_t i = 1; i < range->count; i++)
        if (range->points[i].value < range->points[i - 1].value)
            sum += range->points[i - 1].value;
    return sum;
}

/* How far a distance to an edge of the range is extrapolated: all of it when the next point could
 * have been there, else half an interval. */
static double reach(double distance, double interval)
{
    return distance < interval * 1.1 ? distance : interval / 2;
}

/* `length_s`: what the answer is divided by, in the order in which Prometheus rounds. */
static bool extrapolate(const range_t *range, double increase, bool counter, double length_s,
                        double *out)
{
    if (range->count < 2)
        return false;
    double first = range->points[0].value;
    double to_start = seconds(range->points[0].time_ms - range->from_ms);
    double to_end = seconds(range->to_ms - last_of(range)->time_ms);
    double sampled = seconds(last_of(range)->time_ms - range->points[0].time_ms);
    double interval = sampled / (double)(range->count - 1);
    if (counter && increase > 0 && first >= 0) {
        double to_zero = sampled * (first / increase); /* a counter was never below zero */
        if (to_zero < to_start)
            to_start = to_zero;
    }
    double covered = sampled + reach(to_start, interval);
    covered += reach(to_end, interval);
    *out = increase * (covered / sampled / length_s);
    return true;
}

bool range_increase(const range_t *range, double *out)
{
    return extrapolate(range, growth(range), true, 1, out);
}

bool range_rate(const range_t *range, double *out)
{
    return extrapolate(range, growth(range), true, seconds(range->to_ms - range->from_ms), out);
}

bool range_delta(const range_t *range, double *out)
{
    return extrapolate(range, last_of(range)->value - range->points[0].value, false, 1, out);
}

bool range_irate(const range_t *range, double *out)
{
    if (range->count < 2)
        return false;
    const point_t *last = last_of(range), *previous = last - 1;
    double increase = last->value < previous->value ? last->value : last->value - previous->value;
    if (last->time_ms == previous->time_ms)
        return false;
    *out = increase / seconds(last->time_ms - previous->time_ms);
    return true;
}

/* The slope of the line of least squares. */
bool range_deriv(const range_t *range, double *out)
{
    if (range->count < 2)
        return false;
    kahan_t x = {0}, y = {0}, xy = {0}, xx = {0};
    bool constant = true;
    for (size_t i = 0; i < range->count; i++) {
        double at = seconds(range->points[i].time_ms - range->points[0].time_ms);
        double value = range->points[i].value;
        constant = constant && (i == 0 || value == range->points[0].value);
        kahan_add(&x, at);
        kahan_add(&y, value);
        kahan_add(&xy, at * value);
        kahan_add(&xx, at * at);
    }
    if (constant) {
        *out = isinf(range->points[0].value) ? (double)NAN : 0;
        return true;
    }
    double n = (double)range->count;
    double sum_x = x.sum + x.rest, sum_y = y.sum + y.rest;
    double covariance = (xy.sum + xy.rest) - sum_x * sum_y / n;
    *out = covariance / ((xx.sum + xx.rest) - sum_x * sum_x / n);
    return true;
}

/* -- counts of what happened -- */

bool range_changes(const range_t *range, double *out)
{
    *out = 0;
    for (size_t i = 1; i < range->count; i++) {
        double now = range->points[i].value, before = range->points[i - 1].value;
        *out += now != before && !(isnan(now) && isnan(before));
    }
    return true;
}

bool range_resets(const range_t *range, double *out)
{
    *out = 0;
    for (size_t i = 1; i < range->count; i++)
        *out += range->points[i].value < range->points[i - 1].value;
    return true;
}

/* -- over time -- */

bool range_sum(const range_t *range, double *out)
{
    kahan_t sum = {0};
    for (size_t i = 0; i < range->count; i++)
        kahan_add(&sum, range->points[i].value);
    *out = isinf(sum.sum) ? sum.sum : sum.sum + sum.rest;
    return true;
}

/* Once the mean is infinite, only the other infinity and NaN change it: they make it NaN. */
static bool leaves_infinite(double mean, double value)
{
    return isinf(mean) && (isinf(value) ? (mean > 0) == (value > 0) : !isnan(value));
}

bool range_avg(const range_t *range, double *out)
{
    kahan_t mean = {0};
    for (size_t i = 0; i < range->count; i++) {
        double value = range->points[i].value, n = (double)(i + 1);
        if (!leaves_infinite(mean.sum, value))
            kahan_add(&mean, value / n - mean.sum / n);
    }
    *out = isinf(mean.sum) ? mean.sum : mean.sum + mean.rest;
    return true;
}

bool range_min(const range_t *range, double *out)
{
    *out = range->points[0].value;
    for (size_t i = 0; i < range->count; i++)
        if (range->points[i].value < *out || isnan(*out))
            *out = range->points[i].value;
    return true;
}

bool range_max(const range_t *range, double *out)
{
    *out = range->points[0].value;
    for (size_t i = 0; i < range->count; i++)
        if (range->points[i].value > *out || isnan(*out))
            *out = range->points[i].value;
    return true;
}

bool range_count(const range_t *range, double *out)
{
    *out = (double)range->count;
    return true;
}

/* Welford's, with compensated sums. */
bool range_stddev(const range_t *range, double *out)
{
    kahan_t mean = {0}, squares = {0};
    for (size_t i = 0; i < range->count; i++) {
        double value = range->points[i].value;
        double before = value - (mean.sum + mean.rest);
        kahan_add(&mean, before / (double)(i + 1));
        kahan_add(&squares, before * (value - (mean.sum + mean.rest)));
    }
    *out = sqrt((squares.sum + squares.rest) / (double)range->count);
    return true;
}

bool range_quantile(const range_t *range, double *out)
{
    for (size_t i = 0; i < range->count; i++)
        range->scratch[i] = range->points[i].value;
    sort_doubles(range->scratch, range->count);
    *out = quantile_of_sorted(range->parameter, range->scratch, range->count);
    return true;
}

bool range_last(const range_t *range, double *out)
{
    *out = last_of(range)->value;
    return true;
}

bool range_present(const range_t *range, double *out)
{
    (void)range;
    *out = 1;
    return true;
}
