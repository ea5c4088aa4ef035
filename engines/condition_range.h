/*  condition_range - what do the points of one series over a range of time come to?
 *
 *  Owns     nothing
 *  Thread   any
 *
 *  Seed: Prometheus 2.42, promql/functions.go. Counters that fall were reset; increases are
 *  extrapolated to the edges of the range, but not below zero and no further than about one
 * interval between points.
 */
#ifndef ENGINES_CONDITION_RANGE_H
#define ENGINES_CONDITION_RANGE_H

#include "engines/condition.h"

typedef struct {
    const point_t *points; /* at least one, in order of time */
    size_t count;
    int64_t from_ms, to_ms;
    double parameter; /* of quantile_over_time */
    double *scratch;  /* room for `count` values */
} range_t;

/*  False: no answer for this series. */
typedef bool range_fn(const range_t *range, double *out);

range_fn range_rate, range_increase, range_delta, range_irate, range_deriv, range_changes,
    range_resets, range_sum, range_avg, range_min, range_max, range_count, range_stddev,
    range_quantile, range_last, range_present;

#endif
