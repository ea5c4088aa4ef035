#include "engines/condition_check.h"

#include "engines/condition_aggregate.h"
#include "engines/condition_functions.h"
#include "proto/must.h"

#include <string.h>

static bool check_node(check_t *self, node_t *node);

static const char *const type_words[TYPE_COUNT] = {
    [TYPE_SCALAR] = "a number",
    [TYPE_VECTOR] = "an instant vector",
    [TYPE_RANGE] = "a range vector",
    [TYPE_STRING] = "a string",
};

/* -- errors -- */

static bool refuse(const check_t *self, size_t at, const char *words)
{
    words_t error = condition_error_at(self->error, self->text, at);
    words_add(&error, words);
    return false;
}

static bool wrong_type(const check_t *self, const node_t *found, text_t where, const char *wanted)
{
    words_t words = condition_error_at(self->error, self->text, found->at);
    words_add(&words, "found ");
    words_add(&words, type_words[found->type]);
    words_add(&words, ", expected ");
    words_add(&words, wanted);
    words_add(&words, " for ");
    words_text(&words, where);
    return false;
}

static bool check_typed(check_t *self, node_t *node, type_t type, text_t where)
{
    return check_node(self, node) &&
           (node->type == type || wrong_type(self, node, where, type_words[type]));
}

/* -- what it keeps -- */

static void keep_selector(check_t *self, selector_t *selector)
{
    if (self->selector_count == self->selector_room) {
        size_t room = self->selector_room == 0 ? 8 : 2 * self->selector_room;
        const selector_t **grown = arena_take(self->arena, room * sizeof *grown);
        if (self->selector_count > 0)
            memcpy(grown, self->selectors, self->selector_count * sizeof *grown);
        self->selectors = grown;
        self->selector_room = room;
    }
    selector->index = (uint32_t)self->selector_count;
    self->selectors[self->selector_count++] = selector;
}

static pattern_t *keep_pattern(check_t *self, text_t text, size_t at)
{
    const char *wrong;
    pattern_t *pattern = pattern_new(text, &wrong);
    if (pattern == NULL) {
        words_t words = condition_error_at(self->error, self->text, at);
        words_add(&words, "a regular expression that cannot be used: ");
        words_add(&words, wrong);
        return NULL;
    }
    if (self->pattern_count == self->pattern_room) {
        size_t room = self->pattern_room == 0 ? 8 : 2 * self->pattern_room;
        pattern_t **grown = arena_take(self->arena, room * sizeof *grown);
        if (self->pattern_count > 0)
            memcpy(grown, self->patterns, self->pattern_count * sizeof *grown);
        self->patterns = grown;
        self->pattern_room = room;
    }
    self->patterns[self->pattern_count++] = pattern;
    return pattern;
}

/* -- selectors -- */

static bool check_selector(check_t *self, node_t *node)
{
    selector_t *selector = &node->as.selector;
    bool bounded = selector->name.data != NULL;
    for (size_t i = 0; i < selector->matcher_count; i++) {
        /* written by the parser into the same arena, and changed by nobody else */
        matcher_t *matcher = (matcher_t *)(uintptr_t)&selector->matchers[i];
        bool compiled = matcher->match == MATCH_PATTERN || matcher->match == MATCH_NOT_PATTERN;
        if (compiled) {
            matcher->pattern = keep_pattern(self, matcher->value, matcher->at);
            if (matcher->pattern == NULL)
                return false;
        }
        bounded |= matcher_takes(matcher, TEXT_OF("")) != PATTERN_YES;
    }
    if (!bounded)
        return refuse(
            self, node->at,
            "a selector without a name needs a matcher that the empty text does not match");
    node->type = selector->range_ms > 0 ? TYPE_RANGE : TYPE_VECTOR;
    keep_selector(self, selector);
    return true;
}

/* -- calls -- */

static bool is_label_name(text_t name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.size > 0 && name.size <= RESULT_LABEL_NAME_MAX;
}

/* label_replace (vector, label, replacement, source, pattern) */
static bool check_label_replace(check_t *self, node_t *node)
{
    node_t *const *arguments = node->as.call.arguments;
    if (!is_label_name(arguments[1]->as.string))
        return refuse(self, arguments[1]->at, "found a text that cannot name a label");
    node->as.call.pattern = keep_pattern(self, arguments[4]->as.string, arguments[4]->at);
    return node->as.call.pattern != NULL;
}

/* A histogram stands for itself as the argument of histogram_quantile alone. */
static void read_as_histogram(node_t *argument)
{
    if (argument->kind == NODE_SELECTOR)
        argument->as.selector.as_histogram = true;
}

static bool check_call(check_t *self, node_t *node)
{
    const function_t *function = node->as.call.function;
    if (node->as.call.count < function->least || node->as.call.count > function->most) {
        words_t words = condition_error_at(self->error, self->text, node->at);
        words_add(&words, "found ");
        words_whole(&words, node->as.call.count);
        words_add(&words, " arguments of ");
        words_text(&words, function->name);
        words_add(&words, ", expected ");
        words_whole(&words,
                    node->as.call.count < function->least ? function->least : function->most);
        return false;
    }
    for (size_t i = 0; i < node->as.call.count; i++)
        if (!check_typed(self, node->as.call.arguments[i], function->arguments[i], function->name))
            return false;
    node->type = function->result;
    if (text_is(function->name, "histogram_quantile"))
        read_as_histogram(node->as.call.arguments[1]);
    return !text_is(function->name, "label_replace") || check_label_replace(self, node);
}

static bool check_aggregation(check_t *self, node_t *node)
{
    text_t name = aggregator_name(node->as.aggregation.aggregator);
    node->type = TYPE_VECTOR;
    return check_typed(self, node->as.aggregation.operand, TYPE_VECTOR, name) &&
           (node->as.aggregation.parameter == NULL ||
            check_typed(self, node->as.aggregation.parameter, TYPE_SCALAR, name));
}

/* -- operators -- */

static bool check_operand(check_t *self, node_t *node, operator_t operation)
{
    if (!check_node(self, node))
        return false;
    if (node->type == TYPE_VECTOR || (node->type == TYPE_SCALAR && !operator_joins_sets(operation)))
        return true;
    return wrong_type(self, node, operator_sign(operation),
                      operator_joins_sets(operation) ? type_words[TYPE_VECTOR]
                                                     : "a number or an instant vector");
}

static bool lists_share(texts_t a, texts_t b)
{
    for (size_t i = 0; i < a.count; i++)
        for (size_t j = 0; j < b.count; j++)
            if (text_equal(a.items[i], b.items[j]))
                return true;
    return false;
}

static bool check_modifiers(const check_t *self, const node_t *node, bool vectors)
{
    operator_t operation = node->as.binary.operation;
    if (node->as.binary.answers_bool && !operator_compares(operation))
        return refuse(self, node->at, "found \"bool\", expected it behind a comparison only");
    if (operator_compares(operation) && node->type == TYPE_SCALAR && !node->as.binary.answers_bool)
        return refuse(self, node->at, "a comparison of two numbers, expected \"bool\" behind it");
    if (!vectors && node->as.binary.labels.count > 0)
        return refuse(self, node->at, "on and ignoring stand between instant vectors only");
    if (operator_joins_sets(operation) && node->as.binary.pairing != PAIR_ONE_TO_ONE)
        return refuse(self, node->at, "found group_left or group_right behind a set operator");
    if (node->as.binary.on && lists_share(node->as.binary.labels, node->as.binary.include))
        return refuse(self, node->at, "a label stands in on and in its group_left or group_right");
    return true;
}

static bool keeps_unit(const node_t *node);

static bool keeps_unit_of_binary(const node_t *node)
{
    const node_t *left = node->as.binary.left, *right = node->as.binary.right;
    operator_t operation = node->as.binary.operation;
    bool shifts = operation == OPERATOR_ADD || operation == OPERATOR_SUBTRACT;
    if (node->as.binary.answers_bool)
        return false;
    if (!operator_joins_sets(operation) && !operator_compares(operation) && !shifts)
        return false;
    return (left->type == TYPE_SCALAR || keeps_unit(left)) &&
           (right->type == TYPE_SCALAR || keeps_unit(right));
}

/* Are the values of this vector still those of a metric, in its unit? */
static bool keeps_unit(const node_t *node)
{
    switch (node->kind) {
    case NODE_SELECTOR:
        return true;
    case NODE_NEGATION:
        return keeps_unit(node->as.negated);
    case NODE_BINARY:
        return keeps_unit_of_binary(node);
    case NODE_AGGREGATION:
        return aggregator_keeps_unit(node->as.aggregation.aggregator) &&
               keeps_unit(node->as.aggregation.operand);
    case NODE_CALL:
        for (size_t i = 0; i < node->as.call.count; i++)
            if (node->as.call.arguments[i]->type == TYPE_VECTOR ||
                node->as.call.arguments[i]->type == TYPE_RANGE)
                return node->as.call.function->keeps_unit && keeps_unit(node->as.call.arguments[i]);
        return false;
    case NODE_NUMBER:
    case NODE_STRING:
    case NODE_KIND_COUNT:
    default:
        return false;
    }
}

static bool is_percentage(const node_t *node)
{
    return node->kind == NODE_NUMBER && node->as.number.percent;
}

static bool check_percentage(const check_t *self, const node_t *number, const node_t *other,
                             operator_t operation)
{
    if (!is_percentage(number) ||
        (operator_compares(operation) && other->type == TYPE_VECTOR && keeps_unit(other)))
        return true;
    return refuse(self, number->at,
                  "a percentage is compared with a metric in its own unit; for anything else write "
                  "the number meant");
}

static bool check_binary(check_t *self, node_t *node)
{
    node_t *left = node->as.binary.left, *right = node->as.binary.right;
    operator_t operation = node->as.binary.operation;
    if (!check_operand(self, left, operation) || !check_operand(self, right, operation))
        return false;
    bool vectors = left->type == TYPE_VECTOR && right->type == TYPE_VECTOR;
    bool scalars = left->type == TYPE_SCALAR && right->type == TYPE_SCALAR;
    node->type = scalars ? TYPE_SCALAR : TYPE_VECTOR;
    return check_modifiers(self, node, vectors) && check_percentage(self, left, right, operation) &&
           check_percentage(self, right, left, operation);
}

static bool check_negation(check_t *self, node_t *node)
{
    node_t *operand = node->as.negated;
    if (!check_node(self, operand))
        return false;
    if (operand->type != TYPE_SCALAR && operand->type != TYPE_VECTOR)
        return wrong_type(self, operand, TEXT_OF("-"), "a number or an instant vector");
    node->type = operand->type;
    return true;
}

static bool check_node(check_t *self, node_t *node)
{
    switch (node->kind) {
    case NODE_NUMBER:
        node->type = TYPE_SCALAR;
        return true;
    case NODE_STRING:
        node->type = TYPE_STRING;
        return true;
    case NODE_SELECTOR:
        return check_selector(self, node);
    case NODE_NEGATION:
        return check_negation(self, node);
    case NODE_BINARY:
        return check_binary(self, node);
    case NODE_CALL:
        return check_call(self, node);
    case NODE_AGGREGATION:
        return check_aggregation(self, node);
    case NODE_KIND_COUNT:
    default:
        must_not("a node of no kind");
    }
}

/* A percentage that stands in no comparison has no unit to go by. */
static bool check_places(const check_t *self, const node_t *node, bool compared)
{
    if (is_percentage(node) && !compared)
        return refuse(self, node->at, "a percentage stands beside a comparison only");
    bool compares = node->kind == NODE_BINARY && operator_compares(node->as.binary.operation);
    const node_t *operand;
    for (size_t i = 0; (operand = node_operand(node, i)) != NULL; i++)
        if (!check_places(self, operand, compares))
            return false;
    return true;
}

bool condition_check(check_t *self, node_t *root)
{
    if (!check_node(self, root) || !check_places(self, root, false))
        return false;
    if (root->type == TYPE_SCALAR || root->type == TYPE_VECTOR)
        return true;
    return wrong_type(self, root, TEXT_OF("a condition"), "a number or an instant vector");
}
