#include "engines/condition.h"

#include "engines/condition_binary.h"
#include "engines/condition_check.h"
#include "engines/condition_evaluation.h"
#include "engines/condition_parser.h"
#include "proto/must.h"

#include <stdlib.h>

struct condition {
    arena_t arena; /* all that is below lies in it */
    text_t text;
    node_t *root;
    const selector_t **selectors;
    size_t selector_count;
    pattern_t **patterns;
    size_t pattern_count;
    bool filters, values_known;
};

/* -- birth and death -- */

static bool any_filter(const node_t *node)
{
    const node_t *operand;
    if (node_filters(node))
        return true;
    for (size_t i = 0; (operand = node_operand(node, i)) != NULL; i++)
        if (any_filter(operand))
            return true;
    return false;
}

/* Only filters on the way from the root leave the values alone that they let through. */
static bool values_known(const node_t *node)
{
    if (!any_filter(node))
        return true;
    if (node->kind != NODE_BINARY || !node_filters(node))
        return false;
    const node_t *left = node->as.binary.left, *right = node->as.binary.right;
    return values_known(node_compares_by_filter(node) && left->type == TYPE_SCALAR ? right : left);
}

static bool compile(condition_t *self, condition_error_t *error)
{
    self->root = condition_parse(self->text, &self->arena, error);
    if (self->root == NULL)
        return false;
    check_t check = {.text = self->text, .arena = &self->arena, .error = error};
    bool good = condition_check(&check, self->root);
    self->selectors = check.selectors;
    self->selector_count = check.selector_count;
    self->patterns = check.patterns;
    self->pattern_count = check.pattern_count;
    return good;
}

condition_t *condition_new(text_t text, condition_error_t *error)
{
    condition_t *self = memory_new(1, sizeof *self);
    arena_init(&self->arena);
    if (text.size <= CONDITION_MAX_BYTES) /* a longer one is refused by the parser, uncopied */
        text = arena_copy(&self->arena, text);
    self->text = text;
    if (!compile(self, error)) {
        condition_destroy(&self);
        return NULL;
    }
    self->filters = any_filter(self->root);
    self->values_known = values_known(self->root);
    return self;
}

void condition_destroy(condition_t **self_p)
{
    condition_t *self = *self_p;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->pattern_count; i++)
        pattern_destroy(&self->patterns[i]);
    arena_free(&self->arena);
    free(self);
    *self_p = NULL;
}

/* -- what it reads -- */

const node_t *condition_root(const condition_t *self)
{
    return self->root;
}

text_t condition_text(const condition_t *self)
{
    return self->text;
}

size_t condition_selector_count(const condition_t *self)
{
    return self->selector_count;
}

const selector_t *condition_selector(const condition_t *self, size_t index)
{
    must(index < self->selector_count);
    return self->selectors[index];
}

bool condition_filters(const condition_t *self)
{
    return self->filters;
}

bool condition_values_known(const condition_t *self)
{
    return self->values_known;
}

static const node_t *selected_side(const node_t *root)
{
    const node_t *left = root->as.binary.left, *right = root->as.binary.right;
    if (left->kind == NODE_SELECTOR && right->kind == NODE_NUMBER)
        return left;
    return left->kind == NODE_NUMBER && right->kind == NODE_SELECTOR ? right : NULL;
}

const selector_t *condition_threshold(const condition_t *self)
{
    if (!node_compares_by_filter(self->root))
        return NULL;
    const node_t *side = selected_side(self->root);
    if (side == NULL || side->as.selector.name.data == NULL || side->as.selector.offset_ms != 0)
        return NULL;
    return &side->as.selector;
}

bool condition_holds(const condition_t *self, double value, bool ratio)
{
    const node_t *left = self->root->as.binary.left, *right = self->root->as.binary.right;
    bool selector_left = left->kind == NODE_SELECTOR;
    const node_t *number = selector_left ? right : left;
    double bound = node_number(number, ratio);
    return operator_holds(self->root->as.binary.operation, selector_left ? value : bound,
                          selector_left ? bound : value);
}

/* -- evaluation -- */

static bool run(const condition_t *self, evaluation_t *evaluation, answer_t *answer)
{
    evaluation->text = self->text;
    evaluation->scratch = memory_grow(NULL, 1, LABELS_MAX_BYTES);
    bool good = evaluate(evaluation, self->root, answer);
    free(evaluation->scratch);
    return good;
}

bool condition_evaluate(const condition_t *self, const condition_source_t *source,
                        const condition_moment_t *moment, arena_t *arena, answer_t *answer,
                        condition_error_t *error)
{
    evaluation_t evaluation = {.source = source, .moment = moment, .arena = arena, .error = error};
    return run(self, &evaluation, answer);
}

bool condition_evaluate_unfiltered(const condition_t *self, const condition_source_t *source,
                                   const condition_moment_t *moment, arena_t *arena,
                                   answer_t *answer, condition_error_t *error)
{
    evaluation_t evaluation = {
        .source = source, .moment = moment, .arena = arena, .error = error, .unfiltered = true};
    return run(self, &evaluation, answer);
}
