/*  condition_lint - what is probably not meant in a condition that can be evaluated?
 *
 *  A comparison that can never hold, or always does; a metric that nobody has; units that do not go
 *  together; a rate of what is no counter.
 *
 *  Owns     nothing
 *  Bounds   as many findings as there is room for; the rest is left out
 *  Thread   any
 */
#ifndef ENGINES_CONDITION_LINT_H
#define ENGINES_CONDITION_LINT_H

#include "engines/condition.h"
#include "proto/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    LINT_NEVER_TRUE,
    LINT_ALWAYS_TRUE,
    LINT_UNKNOWN_METRIC,
    LINT_UNIT_MISMATCH,
    LINT_KIND_MISMATCH,
    LINT_COUNT
} lint_t;

typedef struct {
    lint_t type;
    uint32_t line, column; /* from 1 */
    char message[256];
} lint_finding_t;

typedef struct {
    text_t unit; /* TEXT_NONE: none */
    metric_kind_t kind;
} lint_metric_t;

/*  What is known of the world that the condition will be evaluated in. Metrics of the broker's own
 *  are known without being asked for. */
typedef struct {
    /* NULL: nothing is known of metrics, and none is reported as unknown. False: there is none of
     * that name; h_count and h_sum of a histogram h are asked for by these names. */
    bool (*metric)(void *context, text_t name, lint_metric_t *known);
    /* NULL, or NaN answered: unknown. */
    double (*slo_target_percent)(void *context, text_t slo);
    void *context;
} lint_knowledge_t;

/*  How many findings there are, in order of the tree; at most `room`. */
size_t condition_lint(const condition_t *self, const lint_knowledge_t *knowledge,
                      lint_finding_t *findings, size_t room);

#endif
