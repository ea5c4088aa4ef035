#include "engines/condition_lint.h"

#include "engines/condition_binary.h"
#include "engines/condition_bounds.h"
#include "engines/condition_functions.h"
#include "engines/condition_parser.h"

#include <string.h>

typedef struct {
    const lint_knowledge_t *knowledge;
    text_t text;
    lint_finding_t *findings;
    size_t count, room;
} linter_t;

static void find(linter_t *self, lint_t type, size_t at, const char *words, const char *why)
{
    if (self->count == self->room)
        return;
    lint_finding_t *finding = &self->findings[self->count++];
    condition_error_t place;
    condition_error_at(&place, self->text, at);
    finding->type = type;
    finding->line = place.line;
    finding->column = place.column;
    words_t message = words_in(finding->message, sizeof finding->message);
    words_add(&message, words);
    if (why != NULL) {
        words_add(&message, ": ");
        words_add(&message, why);
    }
}

/* -- comparisons -- */

/* The bounds of a side; a percentage is a hundredth beside a ratio. */
static bounds_t side_bounds(const linter_t *self, const node_t *side, const node_t *other)
{
    if (side->kind != NODE_NUMBER)
        return node_bounds(side, self->knowledge);
    double value = node_number(side, text_is(node_unit(other, self->knowledge), "ratio"));
    return (bounds_t){value, value, NULL};
}

typedef enum { SOMETIMES, ALWAYS, NEVER } verdict_of_bounds_t;

static verdict_of_bounds_t greater(bounds_t a, bounds_t b, bool or_equal)
{
    if (or_equal ? a.most < b.least : a.most <= b.least)
        return NEVER;
    return (or_equal ? a.least >= b.most : a.least > b.most) ? ALWAYS : SOMETIMES;
}

static verdict_of_bounds_t same(bounds_t a, bounds_t b, bool wanted)
{
    bool apart = a.most < b.least || b.most < a.least;
    bool equal = a.least == a.most && b.least == b.most && a.least == b.least;
    if (apart)
        return wanted ? NEVER : ALWAYS;
    if (equal)
        return wanted ? ALWAYS : NEVER;
    return SOMETIMES;
}

static verdict_of_bounds_t decide(operator_t operation, bounds_t a, bounds_t b)
{
    switch ((int)operation) {
    case OPERATOR_GREATER:
        return greater(a, b, false);
    case OPERATOR_GREATER_EQUAL:
        return greater(a, b, true);
    case OPERATOR_LESS:
        return greater(b, a, false);
    case OPERATOR_LESS_EQUAL:
        return greater(b, a, true);
    case OPERATOR_SAME:
        return same(a, b, true);
    default:
        return same(a, b, false);
    }
}

static void lint_comparison(linter_t *self, const node_t *node)
{
    const node_t *left = node->as.binary.left, *right = node->as.binary.right;
    bounds_t a = side_bounds(self, left, right), b = side_bounds(self, right, left);
    verdict_of_bounds_t verdict = decide(node->as.binary.operation, a, b);
    const char *why = a.why != NULL ? a.why : b.why;
    if (verdict == NEVER)
        find(self, LINT_NEVER_TRUE, node->at, "this comparison is never true", why);
    if (verdict == ALWAYS)
        find(self, LINT_ALWAYS_TRUE, node->at, "this comparison is always true", why);
}

/* -- units -- */

static bool is_percentage(const node_t *node)
{
    return node->kind == NODE_NUMBER && node->as.number.percent;
}

static void lint_units(linter_t *self, const node_t *node)
{
    operator_t operation = node->as.binary.operation;
    text_t left = node_unit(node->as.binary.left, self->knowledge);
    text_t right = node_unit(node->as.binary.right, self->knowledge);
    bool measured =
        operator_compares(operation) || operation == OPERATOR_ADD || operation == OPERATOR_SUBTRACT;
    if (measured && left.data != NULL && right.data != NULL && !text_equal(left, right))
        find(self, LINT_UNIT_MISMATCH, node->at, "the two sides are in different units", NULL);
    text_t unit = is_percentage(node->as.binary.right) ? left : right;
    bool percentage = is_percentage(node->as.binary.left) || is_percentage(node->as.binary.right);
    if (percentage && unit.data != NULL && !text_is(unit, "ratio") && !text_is(unit, "percent"))
        find(self, LINT_UNIT_MISMATCH, node->at,
             "a percentage is compared with a metric that is neither a ratio nor in percent", NULL);
}

/* -- metrics -- */

static void lint_selector(linter_t *self, const node_t *node)
{
    const lint_knowledge_t *knowledge = self->knowledge;
    text_t name = node->as.selector.name;
    lint_metric_t known;
    if (name.data == NULL || knowledge->metric == NULL || text_begins(name, TEXT_OF("tocsin_")) ||
        text_is(name, "ALERTS"))
        return;
    if (!knowledge->metric(knowledge->context, name, &known))
        find(self, LINT_UNKNOWN_METRIC, node->at, "no metric of that name is known", NULL);
    else if (known.kind == METRIC_HISTOGRAM && !node->as.selector.as_histogram)
        find(self, LINT_KIND_MISMATCH, node->at,
             "a histogram is read as its _count, its _sum, and inside histogram_quantile", NULL);
}

static bool wants_counter(const function_t *function)
{
    return function->over == range_rate || function->over == range_irate ||
           function->over == range_increase || function->over == range_resets;
}

static void lint_call(linter_t *self, const node_t *node)
{
    const node_t *argument = node->as.call.arguments[0];
    const lint_knowledge_t *knowledge = self->knowledge;
    lint_metric_t known;
    if (!wants_counter(node->as.call.function) || argument->kind != NODE_SELECTOR ||
        argument->as.selector.name.data == NULL || knowledge->metric == NULL)
        return;
    if (knowledge->metric(knowledge->context, argument->as.selector.name, &known) &&
        known.kind == METRIC_GAUGE)
        find(self, LINT_KIND_MISMATCH, node->at,
             "of a gauge this takes each fall for a reset: delta or deriv is for gauges", NULL);
}

/* -- the tree -- */

static void lint_node(linter_t *self, const node_t *node)
{
    const node_t *operand;
    if (node->kind == NODE_SELECTOR)
        lint_selector(self, node);
    if (node->kind == NODE_CALL)
        lint_call(self, node);
    if (node->kind == NODE_BINARY)
        lint_units(self, node);
    if (node_compares_by_filter(node))
        lint_comparison(self, node);
    for (size_t i = 0; (operand = node_operand(node, i)) != NULL; i++)
        lint_node(self, operand);
}

size_t condition_lint(const condition_t *self, const lint_knowledge_t *knowledge,
                      lint_finding_t *findings, size_t room)
{
    linter_t linter = {
        .knowledge = knowledge, .text = condition_text(self), .findings = findings, .room = room};
    const node_t *root = condition_root(self);
    if (!condition_filters(self))
        find(&linter, LINT_ALWAYS_TRUE, root->at,
             "it holds whatever the values are: nothing in it filters", NULL);
    lint_node(&linter, root);
    return linter.count;
}
