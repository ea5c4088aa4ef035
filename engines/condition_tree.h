/*  condition_tree - a condition as the grammar sees it.
 *
 *  Owns     nothing: all nodes lie in the arena of their condition
 *  Bounds   CONDITION_HEIGHT_MAX levels; as many nodes as there are tokens
 *  Thread   immutable once it is checked: any
 */
#ifndef ENGINES_CONDITION_TREE_H
#define ENGINES_CONDITION_TREE_H

#include "engines/condition_selector.h"
#include "proto/arena.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stdint.h>

#define CONDITION_HEIGHT_MAX 200u

typedef enum { TYPE_SCALAR, TYPE_VECTOR, TYPE_RANGE, TYPE_STRING, TYPE_COUNT } type_t;

typedef enum {
    OPERATOR_OR,
    OPERATOR_AND,
    OPERATOR_UNLESS,
    OPERATOR_SAME,
    OPERATOR_NOT_SAME,
    OPERATOR_LESS,
    OPERATOR_LESS_EQUAL,
    OPERATOR_GREATER,
    OPERATOR_GREATER_EQUAL,
    OPERATOR_ADD,
    OPERATOR_SUBTRACT,
    OPERATOR_MULTIPLY,
    OPERATOR_DIVIDE,
    OPERATOR_MODULO,
    OPERATOR_POWER,
    OPERATOR_COUNT
} operator_t;

/* How the series of two vectors are paired. */
typedef enum { PAIR_ONE_TO_ONE, PAIR_MANY_TO_ONE, PAIR_ONE_TO_MANY } pairing_t;

typedef enum {
    NODE_NUMBER,
    NODE_STRING,
    NODE_SELECTOR,
    NODE_NEGATION,
    NODE_BINARY,
    NODE_CALL,
    NODE_AGGREGATION,
    NODE_KIND_COUNT
} node_kind_t;

typedef struct node node_t;
typedef struct function function_t;
typedef struct aggregator aggregator_t;

/* The number of arguments that a function has at most. */
#define CALL_ARGUMENTS_MAX 5u

struct node {
    node_kind_t kind;
    type_t type; /* set by the check */
    uint32_t at; /* where it stands in the text */
    uint32_t height;
    bool parenthesised;
    bool positive; /* a + stands before it: it is no selector any more */
    union {
        struct {
            double value;
            bool percent; /* written with a % */
        } number;
        text_t string;
        selector_t selector;
        node_t *negated;
        struct {
            operator_t operation;
            node_t *left, *right;
            bool answers_bool; /* bool: 0 or 1 instead of a filter */
            bool matching;     /* on or ignoring was written */
            bool on;
            pairing_t pairing;
            texts_t labels;  /* of on or ignoring */
            texts_t include; /* of group_left or group_right */
        } binary;
        struct {
            const function_t *function;
            node_t *arguments[CALL_ARGUMENTS_MAX];
            size_t count;
            pattern_t *pattern; /* of label_replace */
        } call;
        struct {
            const aggregator_t *aggregator;
            node_t *parameter; /* of topk, bottomk, quantile */
            node_t *operand;
            bool without;
            texts_t labels;
        } aggregation;
    } as;
};

static inline bool operator_compares(operator_t operation)
{
    return operation >= OPERATOR_SAME && operation <= OPERATOR_GREATER_EQUAL;
}

static inline bool operator_joins_sets(operator_t operation)
{
    return operation <= OPERATOR_UNLESS;
}

text_t operator_sign(operator_t operation);

/*  The whole tree of a condition, and the text that its places lie in. */
typedef struct condition condition_t;
const node_t *condition_root(const condition_t *self);
text_t condition_text(const condition_t *self);

/*  A comparison without bool, of anything with a vector. */
bool node_compares_by_filter(const node_t *self);
/*  Does this node leave out series by what they, or others, are worth? */
bool node_filters(const node_t *self);

/*  The operands of a node, in order of the text: NULL after the last. */
const node_t *node_operand(const node_t *self, size_t index);

#endif
