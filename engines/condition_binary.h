/*  condition_binary - what do two operands come to?
 *
 *  Owns     nothing
 *  Thread   one
 *  Refuses  pairs that are not unique, as Prometheus does
 *
 *  Seed: Prometheus 2.42, promql/engine.go: VectorBinop, VectorAnd, VectorOr, VectorUnless.
 */
#ifndef ENGINES_CONDITION_BINARY_H
#define ENGINES_CONDITION_BINARY_H

#include "engines/condition_evaluation.h"

bool evaluate_binary(evaluation_t *self, const node_t *node, answer_t *out);

/*  Does a comparison hold? */
bool operator_holds(operator_t operation, double left, double right);

#endif
