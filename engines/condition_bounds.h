/*  condition_bounds - between which values must everything lie that a part of a condition answers?
 *
 *  Interval arithmetic over the tree, from what is known of its metrics. What is not known is
 *  between minus and plus infinity; NaN is left aside.
 *
 *  Owns     nothing
 *  Thread   any
 *
 *  Seed: Moore, Interval Analysis, 1966.
 */
#ifndef ENGINES_CONDITION_BOUNDS_H
#define ENGINES_CONDITION_BOUNDS_H

#include "engines/condition_lint.h"
#include "engines/condition_tree.h"

typedef struct {
    double least, most;
    const char *why; /* in words; NULL: nothing to say */
} bounds_t;

bounds_t node_bounds(const node_t *node, const lint_knowledge_t *knowledge);

/*  The unit that values of the node are in; TEXT_NONE: unknown, or none. */
text_t node_unit(const node_t *node, const lint_knowledge_t *knowledge);

#endif
