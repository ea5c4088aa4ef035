#include "engines/condition_tree.h"

#include "engines/condition_aggregate.h"
#include "engines/condition_functions.h"

static const node_t *one_of(const node_t *first, const node_t *second, size_t index)
{
    if (first == NULL)
        return index == 0 ? second : NULL;
    return index == 0 ? first : index == 1 ? second : NULL;
}

const node_t *node_operand(const node_t *self, size_t index)
{
    switch (self->kind) {
    case NODE_NEGATION:
        return index == 0 ? self->as.negated : NULL;
    case NODE_BINARY:
        return one_of(self->as.binary.left, self->as.binary.right, index);
    case NODE_CALL:
        return index < self->as.call.count ? self->as.call.arguments[index] : NULL;
    case NODE_AGGREGATION:
        return one_of(self->as.aggregation.parameter, self->as.aggregation.operand, index);
    case NODE_NUMBER:
    case NODE_STRING:
    case NODE_SELECTOR:
    case NODE_KIND_COUNT:
    default:
        return NULL;
    }
}

bool node_compares_by_filter(const node_t *self)
{
    return self->kind == NODE_BINARY && operator_compares(self->as.binary.operation) &&
           !self->as.binary.answers_bool;
}

bool node_filters(const node_t *self)
{
    if (self->kind == NODE_BINARY)
        return node_compares_by_filter(self) || self->as.binary.operation == OPERATOR_AND ||
               self->as.binary.operation == OPERATOR_UNLESS;
    if (self->kind == NODE_AGGREGATION)
        return aggregator_selects(self->as.aggregation.aggregator);
    return self->kind == NODE_CALL && function_answers_absence(self->as.call.function);
}
