#include "engines/condition_aggregate.h"
#include "engines/condition_functions.h"
#include "engines/condition_parser_inside.h"

#include <math.h>

static node_t *parse_expression(parser_t *self, int least);

/* -- operators -- */

typedef struct {
    text_t sign; /* a keyword for TOKEN_NAME */
    token_kind_t token;
    int precedence; /* the greater binds stronger */
    bool to_the_right;
} operator_row_t;

enum {
    PRECEDENCE_OR = 1,
    PRECEDENCE_AND,
    PRECEDENCE_COMPARISON,
    PRECEDENCE_SUM,
    PRECEDENCE_PRODUCT,
    PRECEDENCE_POWER
};

static const operator_row_t operators[OPERATOR_COUNT] = {
    [OPERATOR_OR] = {{"or", 2}, TOKEN_NAME, PRECEDENCE_OR, false},
    [OPERATOR_AND] = {{"and", 3}, TOKEN_NAME, PRECEDENCE_AND, false},
    [OPERATOR_UNLESS] = {{"unless", 6}, TOKEN_NAME, PRECEDENCE_AND, false},
    [OPERATOR_SAME] = {{"==", 2}, TOKEN_SAME, PRECEDENCE_COMPARISON, false},
    [OPERATOR_NOT_SAME] = {{"!=", 2}, TOKEN_NOT_SAME, PRECEDENCE_COMPARISON, false},
    [OPERATOR_LESS] = {{"<", 1}, TOKEN_LESS, PRECEDENCE_COMPARISON, false},
    [OPERATOR_LESS_EQUAL] = {{"<=", 2}, TOKEN_LESS_EQUAL, PRECEDENCE_COMPARISON, false},
    [OPERATOR_GREATER] = {{">", 1}, TOKEN_GREATER, PRECEDENCE_COMPARISON, false},
    [OPERATOR_GREATER_EQUAL] = {{">=", 2}, TOKEN_GREATER_EQUAL, PRECEDENCE_COMPARISON, false},
    [OPERATOR_ADD] = {{"+", 1}, TOKEN_PLUS, PRECEDENCE_SUM, false},
    [OPERATOR_SUBTRACT] = {{"-", 1}, TOKEN_MINUS, PRECEDENCE_SUM, false},
    [OPERATOR_MULTIPLY] = {{"*", 1}, TOKEN_TIMES, PRECEDENCE_PRODUCT, false},
    [OPERATOR_DIVIDE] = {{"/", 1}, TOKEN_DIVIDE, PRECEDENCE_PRODUCT, false},
    [OPERATOR_MODULO] = {{"%", 1}, TOKEN_MODULO, PRECEDENCE_PRODUCT, false},
    [OPERATOR_POWER] = {{"^", 1}, TOKEN_POWER, PRECEDENCE_POWER, true},
};

text_t operator_sign(operator_t operation)
{
    return operators[operation].sign;
}

/* OPERATOR_COUNT: the token is none. */
static operator_t operator_of(const token_t *token)
{
    operator_t found = 0;
    while (found < OPERATOR_COUNT &&
           !(operators[found].token == token->kind &&
             (token->kind != TOKEN_NAME || token_is_word(token, operators[found].sign.data))))
        found++;
    return found;
}

/* May an operand begin with this token? */
static bool begins_operand(const token_t *token)
{
    switch ((int)token->kind) {
    case TOKEN_NUMBER:
    case TOKEN_STRING:
    case TOKEN_LEFT_PAREN:
    case TOKEN_LEFT_BRACE:
    case TOKEN_PLUS:
    case TOKEN_MINUS:
        return true;
    default:
        return token->kind == TOKEN_NAME && operator_of(token) == OPERATOR_COUNT;
    }
}

/* -- nodes -- */

static uint32_t height_of(const node_t *node)
{
    return node == NULL ? 0 : node->height;
}

/* Put a node over another; NULL when the tree becomes too high. */
static node_t *raise_over(parser_t *self, node_t *node, const node_t *operand)
{
    if (node->height <= height_of(operand))
        node->height = height_of(operand) + 1;
    if (node->height > CONDITION_HEIGHT_MAX)
        return parser_refuse(self, node->at, "expressions nested too deep: at most 200 levels");
    return node;
}

/* -- calls and aggregations -- */

/* The expressions of ( … , … ), at most `most` of them. */
static bool take_arguments(parser_t *self, node_t *over, node_t **arguments, size_t most,
                           size_t *count)
{
    *count = 0;
    if (!parser_take(self, TOKEN_LEFT_PAREN))
        return parser_expected(self, "(");
    if (parser_take(self, TOKEN_RIGHT_PAREN))
        return true;
    do {
        if (*count == most)
            return parser_expected(self, "fewer arguments");
        node_t *argument = parse_expression(self, PRECEDENCE_OR);
        if (argument == NULL || raise_over(self, over, argument) == NULL)
            return false;
        arguments[(*count)++] = argument;
    } while (parser_take(self, TOKEN_COMMA));
    return parser_take(self, TOKEN_RIGHT_PAREN) || parser_expected(self, ", or )");
}

static node_t *take_call(parser_t *self)
{
    node_t *node = parser_node(self, NODE_CALL, self->token.at);
    node->as.call.function = function_named(self->token.text);
    if (node->as.call.function == NULL)
        return function_refused(self->token.text)
                   ? parser_unsupported(self, "function")
                   : parser_expected(self, "the name of a function before (");
    parser_advance(self);
    bool good = take_arguments(self, node, node->as.call.arguments, CALL_ARGUMENTS_MAX,
                               &node->as.call.count);
    return good ? node : NULL;
}

static bool take_grouping(parser_t *self, node_t *node, bool *taken)
{
    bool by = token_is_word(&self->token, "by"), without = token_is_word(&self->token, "without");
    if (*taken || (!by && !without))
        return true;
    parser_advance(self);
    *taken = true;
    node->as.aggregation.without = without;
    return parser_names(self, &node->as.aggregation.labels);
}

static node_t *take_aggregation(parser_t *self, const aggregator_t *aggregator)
{
    node_t *node = parser_node(self, NODE_AGGREGATION, self->token.at);
    node_t *arguments[2];
    size_t count;
    bool grouped = false;
    node->as.aggregation.aggregator = aggregator;
    parser_advance(self);
    size_t wanted = aggregator_has_parameter(aggregator) ? 2 : 1;
    if (!take_grouping(self, node, &grouped) || !take_arguments(self, node, arguments, 2, &count) ||
        !take_grouping(self, node, &grouped))
        return NULL;
    if (count != wanted)
        return parser_refuse(self, node->at,
                             wanted == 1
                                 ? "this aggregation takes one argument: what it aggregates"
                                 : "this aggregation takes two arguments: a number, and what it "
                                   "aggregates");
    node->as.aggregation.parameter = wanted == 2 ? arguments[0] : NULL;
    node->as.aggregation.operand = arguments[wanted - 1];
    return node;
}

/* A name is that of an aggregation when ( or by or without follows, of a function when ( follows,
 * else of a metric. */
static node_t *take_named(parser_t *self)
{
    token_t behind = parser_peek_behind(self);
    bool called = behind.kind == TOKEN_LEFT_PAREN;
    bool grouped = called || token_is_word(&behind, "by") || token_is_word(&behind, "without");
    const aggregator_t *aggregator = aggregator_named(self->token.text);
    if (aggregator != NULL && grouped)
        return take_aggregation(self, aggregator);
    if (aggregator_refused(self->token.text) && grouped)
        return parser_unsupported(self, "aggregation");
    static const char *const reserved[] = {"bool", "on", "ignoring", "group_left", "group_right"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (token_is_word(&self->token, reserved[i]))
            return parser_expected(self, "an expression");
    return called ? take_call(self) : parser_selector(self);
}

/* -- numbers -- */

static bool is_number_word(const token_t *token)
{
    return token_is_word(token, "inf") || token_is_word(token, "nan");
}

static node_t *take_number(parser_t *self)
{
    node_t *node = parser_node(self, NODE_NUMBER, self->token.at);
    if (self->token.kind == TOKEN_NAME)
        node->as.number.value = token_is_word(&self->token, "inf") ? (double)INFINITY : (double)NAN;
    else if (!token_number(self->token.text, &node->as.number.value))
        return parser_expected(self, "a number that a float64 can hold");
    parser_advance(self);
    if (self->token.kind != TOKEN_MODULO)
        return node;
    token_t behind = parser_peek_behind(self);
    node->as.number.percent = !begins_operand(&behind);
    if (node->as.number.percent)
        parser_advance(self);
    return node;
}

static node_t *take_string(parser_t *self)
{
    node_t *node = parser_node(self, NODE_STRING, self->token.at);
    node->as.string = token_string(self->token.text, self->arena);
    parser_advance(self);
    return node;
}

static node_t *take_parenthesised(parser_t *self)
{
    parser_advance(self);
    node_t *node = parse_expression(self, PRECEDENCE_OR);
    if (node == NULL)
        return NULL;
    node->parenthesised = true;
    return parser_take(self, TOKEN_RIGHT_PAREN) ? node : parser_expected(self, ") or an operator");
}

/* -- expressions -- */

static node_t *take_signed(parser_t *self)
{
    node_t *node = parser_node(self, NODE_NEGATION, self->token.at);
    bool minus = self->token.kind == TOKEN_MINUS;
    parser_advance(self);
    node_t *operand = parse_expression(self, PRECEDENCE_POWER);
    if (operand == NULL)
        return NULL;
    if (operand->kind == NODE_NUMBER) {
        operand->as.number.value *= minus ? -1 : 1;
        return operand;
    }
    node->as.negated = operand;
    operand->positive = !minus;
    return minus ? raise_over(self, node, operand) : operand;
}

static node_t *parse_operand(parser_t *self)
{
    switch ((int)self->token.kind) {
    case TOKEN_PLUS:
    case TOKEN_MINUS:
        return take_signed(self);
    case TOKEN_LEFT_PAREN:
        return parser_suffixes(self, take_parenthesised(self));
    case TOKEN_LEFT_BRACE:
        return parser_suffixes(self, parser_selector(self));
    case TOKEN_NUMBER:
        return parser_suffixes(self, take_number(self));
    case TOKEN_STRING:
        return parser_suffixes(self, take_string(self));
    case TOKEN_NAME:
        return parser_suffixes(self,
                               is_number_word(&self->token) ? take_number(self) : take_named(self));
    default:
        return parser_expected(self, "an expression");
    }
}

static bool take_pairing(parser_t *self, node_t *node)
{
    bool left = token_is_word(&self->token, "group_left"),
         right = token_is_word(&self->token, "group_right");
    if (!left && !right)
        return true;
    parser_advance(self);
    node->as.binary.pairing = left ? PAIR_MANY_TO_ONE : PAIR_ONE_TO_MANY;
    return self->token.kind != TOKEN_LEFT_PAREN || parser_names(self, &node->as.binary.include);
}

static bool take_word(parser_t *self, const char *keyword)
{
    if (!token_is_word(&self->token, keyword))
        return false;
    parser_advance(self);
    return true;
}

static bool take_modifiers(parser_t *self, node_t *node)
{
    node->as.binary.answers_bool = take_word(self, "bool");
    bool on = token_is_word(&self->token, "on"), ignoring = token_is_word(&self->token, "ignoring");
    if (!on && !ignoring) {
        if (token_is_word(&self->token, "group_left") || token_is_word(&self->token, "group_right"))
            return parser_expected(self, "on or ignoring before it");
        return true;
    }
    parser_advance(self);
    node->as.binary.matching = true;
    node->as.binary.on = on;
    return parser_names(self, &node->as.binary.labels) && take_pairing(self, node);
}

static node_t *take_binary(parser_t *self, node_t *left, operator_t operation)
{
    node_t *node = parser_node(self, NODE_BINARY, self->token.at);
    node->as.binary.operation = operation;
    node->as.binary.left = left;
    parser_advance(self);
    if (!take_modifiers(self, node))
        return NULL;
    const operator_row_t *row = &operators[operation];
    node_t *right = parse_expression(self, row->precedence + !row->to_the_right);
    if (right == NULL || raise_over(self, node, left) == NULL)
        return NULL;
    node->as.binary.right = right;
    return raise_over(self, node, right);
}

static node_t *parse_expression(parser_t *self, int least)
{
    if (++self->depth > CONDITION_HEIGHT_MAX)
        return parser_refuse(self, self->token.at,
                             "expressions nested too deep: at most 200 levels");
    node_t *node = parse_operand(self);
    while (node != NULL) {
        operator_t operation = operator_of(&self->token);
        if (token_is_word(&self->token, "atan2")) {
            node = parser_unsupported(self, "operator");
            break;
        }
        if (operation == OPERATOR_COUNT || operators[operation].precedence < least)
            break;
        node = take_binary(self, node, operation);
    }
    self->depth--;
    return node;
}

node_t *condition_parse(text_t text, arena_t *arena, condition_error_t *error)
{
    parser_t self = {.lexer = {text, 0}, .text = text, .arena = arena, .error = error};
    if (text.size > CONDITION_MAX_BYTES)
        return parser_refuse(&self, 0, "a condition has at most 16 KiB");
    parser_advance(&self);
    node_t *root = parse_expression(&self, PRECEDENCE_OR);
    if (root != NULL && self.token.kind != TOKEN_END)
        return parser_expected(&self, "an operator or the end");
    return root;
}
