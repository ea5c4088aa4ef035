/*  condition_quantile - histogram_quantile: over our histograms, and over series of buckets.
 *
 *  Owns     nothing
 *  Thread   one
 *
 *  Seed: Prometheus 2.42, promql/quantile.go, for series with the label le: their counts are made
 * to rise, and the quantile is interpolated within its bucket. A histogram of our own answers from
 * its sketch (engines/sketch.h).
 */
#ifndef ENGINES_CONDITION_QUANTILE_H
#define ENGINES_CONDITION_QUANTILE_H

#include "engines/condition_evaluation.h"

bool call_histogram_quantile(evaluation_t *self, const node_t *call, answer_t *out);

#endif
