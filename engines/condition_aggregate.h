/*  condition_aggregate - what do the series of each group of a vector come to?
 *
 *  Owns     one table
 *  Thread   immutable: any
 *
 *  Seed: Prometheus 2.42, promql/engine.go, aggregation. Groups come out in the order in which
 * their first elements stand.
 */
#ifndef ENGINES_CONDITION_AGGREGATE_H
#define ENGINES_CONDITION_AGGREGATE_H

#include "engines/condition_evaluation.h"

/*  NULL: there is none of that name (of any case). */
const aggregator_t *aggregator_named(text_t name);
/*  Prometheus has one of that name, and this language has not. */
bool aggregator_refused(text_t name);

text_t aggregator_name(const aggregator_t *self);
bool aggregator_has_parameter(const aggregator_t *self);
bool aggregator_keeps_unit(const aggregator_t *self);
/*  It answers some of its elements (topk, bottomk), not one for each group. */
bool aggregator_selects(const aggregator_t *self);

bool aggregate(evaluation_t *self, const node_t *node, vector_t *out);

#endif
