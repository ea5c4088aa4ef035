#include "engines/condition_bounds.h"

#include "engines/condition_aggregate.h"
#include "engines/condition_functions.h"

#include <math.h>

#define UNBOUNDED ((bounds_t){-(double)INFINITY, (double)INFINITY, NULL})
#define NOT_NEGATIVE ((bounds_t){0, (double)INFINITY, "it is never negative"})
#define RATIO_WHY "a ratio lies between 0 and 1"

/* -- metrics -- */

/* The broker's own, where their values have bounds. */
static const struct {
    text_t name, unit;
    double least, most;
    const char *why;
} own_metrics[] = {
    {{"tocsin_dependency_error_ratio", 29}, {"ratio", 5}, 0, 1, RATIO_WHY},
    {{"tocsin_dependency_state", 23}, {NULL, 0}, 0, 1, "a state is 0 or 1"},
    {{"tocsin_slo_compliance_ratio", 27}, {"ratio", 5}, 0, 1, RATIO_WHY},
    {{"tocsin_slo_error_budget_ratio", 29},
     {"ratio", 5},
     -INFINITY,
     1,
     "a budget is at most whole"},
    {{"tocsin_slo_burn_rate", 20}, {NULL, 0}, 0, INFINITY, "it is never negative"},
    {{"ALERTS", 6}, {NULL, 0}, 0, 1, "it is 1 for each alert"},
};
#define OWN_METRICS (sizeof own_metrics / sizeof *own_metrics)

static size_t find_own(text_t name)
{
    size_t i = 0;
    while (i < OWN_METRICS && !text_equal(own_metrics[i].name, name))
        i++;
    return i;
}

static text_t equal_to(const selector_t *selector, const char *label)
{
    for (size_t i = 0; i < selector->matcher_count; i++)
        if (selector->matchers[i].match == MATCH_EQUAL &&
            text_is(selector->matchers[i].label, label))
            return selector->matchers[i].value;
    return TEXT_NONE;
}

/* Nothing burns faster than all requests failing: 1 / (1 - target). */
static bounds_t burn_bounds(const selector_t *selector, const lint_knowledge_t *knowledge)
{
    text_t slo = equal_to(selector, "slo");
    if (slo.data == NULL || knowledge->slo_target_percent == NULL)
        return NOT_NEGATIVE;
    double target = knowledge->slo_target_percent(knowledge->context, slo);
    if (isnan(target) || target >= 100)
        return NOT_NEGATIVE;
    return (bounds_t){0, 100 / (100 - target), "the SLO's target allows no faster burn"};
}

static text_t selector_unit(const selector_t *selector, const lint_knowledge_t *knowledge)
{
    size_t own = find_own(selector->name);
    lint_metric_t known = {TEXT_NONE, METRIC_GAUGE};
    if (own < OWN_METRICS)
        return own_metrics[own].unit;
    if (selector->name.data == NULL || knowledge->metric == NULL ||
        !knowledge->metric(knowledge->context, selector->name, &known))
        return TEXT_NONE;
    return known.unit;
}

static bounds_t selector_bounds(const selector_t *selector, const lint_knowledge_t *knowledge)
{
    size_t own = find_own(selector->name);
    if (text_is(selector->name, "tocsin_slo_burn_rate"))
        return burn_bounds(selector, knowledge);
    if (own < OWN_METRICS)
        return (bounds_t){own_metrics[own].least, own_metrics[own].most, own_metrics[own].why};
    if (text_is(selector_unit(selector, knowledge), "ratio"))
        return (bounds_t){0, 1, RATIO_WHY};
    return UNBOUNDED;
}

/* -- arithmetic -- */

/* The hull of what the corners come to; a corner that is no number has no bound. */
static bounds_t hull(const double *corners, size_t count)
{
    bounds_t answer = {corners[0], corners[0], NULL};
    for (size_t i = 0; i < count; i++) {
        if (isnan(corners[i]))
            return UNBOUNDED;
        answer.least = fmin(answer.least, corners[i]);
        answer.most = fmax(answer.most, corners[i]);
    }
    return answer;
}

static bounds_t arithmetic(operator_t operation, bounds_t a, bounds_t b)
{
    switch ((int)operation) {
    case OPERATOR_ADD:
        return hull((double[]){a.least + b.least, a.most + b.most}, 2);
    case OPERATOR_SUBTRACT:
        return hull((double[]){a.least - b.most, a.most - b.least}, 2);
    case OPERATOR_MULTIPLY:
        return hull(
            (double[]){a.least * b.least, a.least * b.most, a.most * b.least, a.most * b.most}, 4);
    case OPERATOR_DIVIDE:
        if (b.least > 0 || b.most < 0)
            return hull(
                (double[]){a.least / b.least, a.least / b.most, a.most / b.least, a.most / b.most},
                4);
        return a.least >= 0 && b.least >= 0 ? NOT_NEGATIVE : UNBOUNDED;
    default:
        return UNBOUNDED;
    }
}

static bounds_t binary_bounds(const node_t *node, const lint_knowledge_t *knowledge)
{
    operator_t operation = node->as.binary.operation;
    const node_t *left = node->as.binary.left, *right = node->as.binary.right;
    bounds_t a = node_bounds(left, knowledge), b = node_bounds(right, knowledge);
    if (operation == OPERATOR_OR)
        return (bounds_t){fmin(a.least, b.least), fmax(a.most, b.most), a.why};
    if (operator_joins_sets(operation))
        return a;
    if (operator_compares(operation) && node->as.binary.answers_bool)
        return (bounds_t){0, 1, "it is 0 or 1"};
    if (operator_compares(operation))
        return left->type == TYPE_VECTOR ? a : b;
    return arithmetic(operation, a, b);
}

/* -- functions and aggregations -- */

typedef enum {
    MEANS_ANYTHING,
    MEANS_THE_SAME,
    MEANS_NOT_NEGATIVE,
    MEANS_A_SUM,
    MEANS_ONE
} meaning_t;

static const struct {
    text_t name;
    meaning_t meaning;
} meanings[] = {
    {{"avg", 3}, MEANS_THE_SAME},
    {{"min", 3}, MEANS_THE_SAME},
    {{"max", 3}, MEANS_THE_SAME},
    {{"topk", 4}, MEANS_THE_SAME},
    {{"bottomk", 7}, MEANS_THE_SAME},
    {{"sum", 3}, MEANS_A_SUM},
    {{"count", 5}, MEANS_NOT_NEGATIVE},
    {{"stddev", 6}, MEANS_NOT_NEGATIVE},
    {{"avg_over_time", 13}, MEANS_THE_SAME},
    {{"min_over_time", 13}, MEANS_THE_SAME},
    {{"max_over_time", 13}, MEANS_THE_SAME},
    {{"last_over_time", 14}, MEANS_THE_SAME},
    {{"label_replace", 13}, MEANS_THE_SAME},
    {{"vector", 6}, MEANS_THE_SAME},
    {{"scalar", 6}, MEANS_THE_SAME},
    {{"sum_over_time", 13}, MEANS_A_SUM},
    {{"abs", 3}, MEANS_NOT_NEGATIVE},
    {{"rate", 4}, MEANS_NOT_NEGATIVE},
    {{"irate", 5}, MEANS_NOT_NEGATIVE},
    {{"increase", 8}, MEANS_NOT_NEGATIVE},
    {{"changes", 7}, MEANS_NOT_NEGATIVE},
    {{"resets", 6}, MEANS_NOT_NEGATIVE},
    {{"count_over_time", 15}, MEANS_NOT_NEGATIVE},
    {{"stddev_over_time", 16}, MEANS_NOT_NEGATIVE},
    {{"time", 4}, MEANS_NOT_NEGATIVE},
    {{"absent", 6}, MEANS_ONE},
    {{"absent_over_time", 16}, MEANS_ONE},
    {{"present_over_time", 17}, MEANS_ONE},
};

static meaning_t meaning_of(text_t name)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (text_equal(meanings[i].name, name))
            return meanings[i].meaning;
    return MEANS_ANYTHING;
}

static bounds_t bounds_by_name(text_t name, const node_t *operand,
                               const lint_knowledge_t *knowledge)
{
    bounds_t of = operand == NULL ? UNBOUNDED : node_bounds(operand, knowledge);
    switch (meaning_of(name)) {
    case MEANS_THE_SAME:
        return of;
    case MEANS_NOT_NEGATIVE:
        return NOT_NEGATIVE;
    case MEANS_A_SUM:
        return of.least >= 0 ? NOT_NEGATIVE : UNBOUNDED;
    case MEANS_ONE:
        return (bounds_t){1, 1, "it is 1 or not there"};
    case MEANS_ANYTHING:
    default:
        return UNBOUNDED;
    }
}

bounds_t node_bounds(const node_t *node, const lint_knowledge_t *knowledge)
{
    switch (node->kind) {
    case NODE_NUMBER:
        if (isnan(node->as.number.value))
            return UNBOUNDED;
        return (bounds_t){node->as.number.value, node->as.number.value, NULL};
    case NODE_SELECTOR:
        return selector_bounds(&node->as.selector, knowledge);
    case NODE_NEGATION: {
        bounds_t of = node_bounds(node->as.negated, knowledge);
        return (bounds_t){-of.most, -of.least, of.why};
    }
    case NODE_BINARY:
        return binary_bounds(node, knowledge);
    case NODE_CALL:
        return bounds_by_name(node->as.call.function->name, node->as.call.arguments[0], knowledge);
    case NODE_AGGREGATION:
        return bounds_by_name(aggregator_name(node->as.aggregation.aggregator),
                              node->as.aggregation.operand, knowledge);
    case NODE_STRING:
    case NODE_KIND_COUNT:
    default:
        return UNBOUNDED;
    }
}

/* -- units -- */

static const node_t *measured_argument(const node_t *call)
{
    for (size_t i = 0; i < call->as.call.count; i++)
        if (call->as.call.arguments[i]->type == TYPE_VECTOR ||
            call->as.call.arguments[i]->type == TYPE_RANGE)
            return call->as.call.arguments[i];
    return NULL;
}

static text_t binary_unit(const node_t *node, const lint_knowledge_t *knowledge)
{
    operator_t operation = node->as.binary.operation;
    bool keeps = operator_joins_sets(operation) || operation == OPERATOR_ADD ||
                 operation == OPERATOR_SUBTRACT ||
                 (operator_compares(operation) && !node->as.binary.answers_bool);
    if (!keeps)
        return TEXT_NONE;
    text_t left = node_unit(node->as.binary.left, knowledge);
    return left.data != NULL ? left : node_unit(node->as.binary.right, knowledge);
}

text_t node_unit(const node_t *node, const lint_knowledge_t *knowledge)
{
    switch (node->kind) {
    case NODE_SELECTOR:
        return selector_unit(&node->as.selector, knowledge);
    case NODE_NEGATION:
        return node_unit(node->as.negated, knowledge);
    case NODE_BINARY:
        return binary_unit(node, knowledge);
    case NODE_CALL: {
        const node_t *measured = measured_argument(node);
        return measured != NULL && node->as.call.function->keeps_unit
                   ? node_unit(measured, knowledge)
                   : TEXT_NONE;
    }
    case NODE_AGGREGATION:
        return aggregator_keeps_unit(node->as.aggregation.aggregator)
                   ? node_unit(node->as.aggregation.operand, knowledge)
                   : TEXT_NONE;
    case NODE_NUMBER:
    case NODE_STRING:
    case NODE_KIND_COUNT:
    default:
        return TEXT_NONE;
    }
}
