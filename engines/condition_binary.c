#include "engines/condition_binary.h"

#include "engines/table.h"
#include "proto/must.h"

#include <math.h>
#include <string.h>

/* -- two numbers -- */

bool operator_holds(operator_t operation, double left, double right)
{
    switch ((int)operation) {
    case OPERATOR_SAME:
        return left == right;
    case OPERATOR_NOT_SAME:
        return left != right;
    case OPERATOR_LESS:
        return left < right;
    case OPERATOR_LESS_EQUAL:
        return left <= right;
    case OPERATOR_GREATER:
        return left > right;
    case OPERATOR_GREATER_EQUAL:
        return left >= right;
    default:
        must_not("an operator that compares nothing");
    }
}

static double compute(operator_t operation, double left, double right)
{
    switch ((int)operation) {
    case OPERATOR_ADD:
        return left + right;
    case OPERATOR_SUBTRACT:
        return left - right;
    case OPERATOR_MULTIPLY:
        return left * right;
    case OPERATOR_DIVIDE:
        return left / right;
    case OPERATOR_MODULO:
        return fmod(left, right);
    case OPERATOR_POWER:
        return pow(left, right);
    default:
        must_not("an operator that computes nothing");
    }
}

/* What two values come to; false: the filter drops them. */
static bool combine(const evaluation_t *self, const node_t *node, double left, double right,
                    double *out)
{
    operator_t operation = node->as.binary.operation;
    if (!operator_compares(operation)) {
        *out = compute(operation, left, right);
        return true;
    }
    bool holds = operator_holds(operation, left, right);
    *out = node->as.binary.answers_bool ? (double)holds : left;
    return holds || node->as.binary.answers_bool || self->unfiltered;
}

/* Arithmetic makes something new of a metric, and so does a comparison that answers 0 or 1. */
static bool drops_name(const node_t *node)
{
    return !operator_compares(node->as.binary.operation) || node->as.binary.answers_bool;
}

/* -- a vector and a number -- */

static bool with_number(evaluation_t *self, const node_t *node, bool vector_left, answer_t *out)
{
    const node_t *left = node->as.binary.left, *right = node->as.binary.right;
    const node_t *scalar = vector_left ? right : left;
    double number;
    if (!evaluate_vector(self, vector_left ? left : right, &out->vector) ||
        !evaluate_scalar(self, scalar, &number))
        return false;
    bool compares = operator_compares(node->as.binary.operation);
    size_t kept = 0;
    for (size_t i = 0; i < out->vector.count; i++) {
        element_t sample = out->vector.items[i];
        double bound = scalar->kind == NODE_NUMBER ? node_number(scalar, sample.ratio) : number;
        double value = sample.value, answer;
        if (!combine(self, node, vector_left ? value : bound, vector_left ? bound : value, &answer))
            continue;
        /* a filter answers the element of the vector, on whichever side it stands */
        sample.value = compares && !node->as.binary.answers_bool ? value : answer;
        if (drops_name(node))
            sample.name = TEXT_NONE;
        out->vector.items[kept++] = sample;
    }
    out->vector.count = kept;
    return vector_unique(self, node, &out->vector);
}

/* -- pairs of elements -- */

/* One side of a join, found by the labels that are matched. */
typedef struct {
    const vector_t *vector;
    element_t *keys; /* the elements with those labels only */
    table_t table;   /* to the first of each key */
} side_t;

static bool key_of(evaluation_t *self, const node_t *node, const element_t *sample, element_t *key)
{
    *key = *sample;
    if (node->as.binary.on)
        return element_keep(self, node, node->as.binary.labels, key);
    key->name = TEXT_NONE;
    return element_drop(self, node, node->as.binary.labels, key);
}

/* The number from 1 of the element with that key; 0: none. */
static uint32_t side_find(const evaluation_t *self, const side_t *side, const element_t *key)
{
    uint64_t hash = element_hash(self, key);
    uint32_t probe = 0, item;
    while ((item = table_next(&side->table, hash, &probe)) != 0)
        if (element_same_labels(&side->keys[item - 1], key))
            break;
    return item;
}

/* `unique`: two elements with one key are an error. */
static bool side_fill(evaluation_t *self, const node_t *node, side_t *side, bool unique)
{
    for (uint32_t i = 0; i < side->vector->count; i++) {
        if (!key_of(self, node, &side->vector->items[i], &side->keys[i]))
            return false;
        if (side_find(self, side, &side->keys[i]) == 0)
            table_add(&side->table, element_hash(self, &side->keys[i]), i + 1);
        else if (unique)
            return evaluation_fails(self, node,
                                    "several series on the one side of the operator match: labels "
                                    "that are matched must tell them apart");
    }
    return true;
}

static bool side_open(evaluation_t *self, const node_t *node, const vector_t *vector, side_t *side)
{
    *side = (side_t){.vector = vector};
    side->keys = evaluation_take(self, node, (vector->count + 1) * sizeof(element_t));
    if (side->keys == NULL)
        return false;
    table_init(&side->table, (uint32_t)vector->count + 1);
    return true;
}

/* The labels of a pair's result: those of the many side, or those matched. */
static bool label_pair(evaluation_t *self, const node_t *node, const element_t *one,
                       element_t *result)
{
    if (drops_name(node))
        result->name = TEXT_NONE;
    if (node->as.binary.pairing == PAIR_ONE_TO_ONE)
        return node->as.binary.on ? element_keep(self, node, node->as.binary.labels, result)
                                  : element_drop(self, node, node->as.binary.labels, result);
    texts_t include = node->as.binary.include;
    for (size_t i = 0; i < include.count; i++) {
        label_t label = {include.items[i], element_label(one, include.items[i])};
        if (!element_set_label(self, node, result, label))
            return false;
    }
    return true;
}

typedef struct {
    side_t one;
    bool *used; /* one to one: which elements have a partner already */
    vector_t result;
    uint32_t *partners; /* of each element of the result: its element of the one side */
    table_t seen;       /* many to one: results by labels */
} join_t;

static bool note_partner(evaluation_t *self, const node_t *node, join_t *join, uint32_t item,
                         const element_t *result)
{
    if (node->as.binary.pairing == PAIR_ONE_TO_ONE) {
        bool used = join->used[item - 1];
        join->used[item - 1] = true;
        return !used || self->unfiltered ||
               evaluation_fails(self, node,
                                "several series match one: say group_left or group_right");
    }
    uint64_t hash = element_hash(self, result);
    uint32_t probe = 0, seen;
    while ((seen = table_next(&join->seen, hash, &probe)) != 0)
        if (join->partners[seen - 1] == item &&
            element_same_labels(&join->result.items[seen - 1], result))
            return self->unfiltered ||
                   evaluation_fails(self, node, "two results of the group have the same labels");
    join->partners[join->result.count] = item;
    table_add(&join->seen, hash, (uint32_t)join->result.count + 1);
    return true;
}

static bool pair(evaluation_t *self, const node_t *node, join_t *join, const element_t *many)
{
    element_t key, result = *many;
    if (!key_of(self, node, many, &key))
        return false;
    uint32_t item = side_find(self, &join->one, &key);
    if (item == 0)
        return true;
    const element_t *one = &join->one.vector->items[item - 1];
    bool swapped = node->as.binary.pairing == PAIR_ONE_TO_MANY;
    double left = swapped ? one->value : many->value, right = swapped ? many->value : one->value;
    return !combine(self, node, left, right, &result.value) ||
           (label_pair(self, node, one, &result) && note_partner(self, node, join, item, &result) &&
            vector_add(self, node, &join->result, &result));
}

static bool join_open(evaluation_t *self, const node_t *node, const vector_t *many,
                      const vector_t *one, join_t *join)
{
    *join = (join_t){.used = evaluation_take(self, node, one->count + 1),
                     .partners = evaluation_take(self, node, (many->count + 1) * sizeof(uint32_t))};
    if (join->used == NULL || join->partners == NULL || !side_open(self, node, one, &join->one))
        return false;
    table_init(&join->seen, (uint32_t)many->count + 1);
    return true;
}

static bool with_vector(evaluation_t *self, const node_t *node, const vector_t *left,
                        const vector_t *right, vector_t *out)
{
    bool swapped = node->as.binary.pairing == PAIR_ONE_TO_MANY;
    const vector_t *many = swapped ? right : left, *one = swapped ? left : right;
    join_t join;
    *out = (vector_t){0};
    if (many->count == 0 || one->count == 0) /* then nothing can be ambiguous either */
        return true;
    if (!join_open(self, node, many, one, &join))
        return false;
    bool good = side_fill(self, node, &join.one, true);
    for (size_t i = 0; good && i < many->count; i++)
        good = pair(self, node, &join, &many->items[i]);
    table_free(&join.one.table);
    table_free(&join.seen);
    *out = join.result;
    return good && vector_unique(self, node, out);
}

/* -- sets -- */

/* Leave of `vector` the elements whose key is (or is not) on the other side. */
static bool keep_matching(evaluation_t *self, const node_t *node, const side_t *side, bool wanted,
                          vector_t *vector)
{
    size_t kept = 0;
    for (size_t i = 0; i < vector->count; i++) {
        element_t key;
        if (!key_of(self, node, &vector->items[i], &key))
            return false;
        if ((side_find(self, side, &key) != 0) == wanted)
            vector->items[kept++] = vector->items[i];
    }
    vector->count = kept;
    return true;
}

static bool append(evaluation_t *self, const node_t *node, vector_t *vector, const vector_t *more)
{
    for (size_t i = 0; i < more->count; i++)
        if (!vector_add(self, node, vector, &more->items[i]))
            return false;
    return true;
}

static bool of_sets(evaluation_t *self, const node_t *node, vector_t *left, vector_t *right,
                    vector_t *out)
{
    operator_t operation = node->as.binary.operation;
    bool joins = operation == OPERATOR_OR;
    side_t side;
    *out = *left;
    if (!joins && self->unfiltered)
        return true;
    if (!side_open(self, node, joins ? left : right, &side))
        return false;
    bool good = side_fill(self, node, &side, false);
    if (good && joins)
        good = keep_matching(self, node, &side, false, right) && append(self, node, out, right);
    else if (good)
        good = keep_matching(self, node, &side, operation == OPERATOR_AND, out);
    table_free(&side.table);
    return good && vector_unique(self, node, out);
}

/* -- all of them -- */

static bool of_numbers(evaluation_t *self, const node_t *node, answer_t *out)
{
    double left, right;
    if (!evaluate_scalar(self, node->as.binary.left, &left) ||
        !evaluate_scalar(self, node->as.binary.right, &right))
        return false;
    combine(self, node, left, right, &out->scalar);
    return true;
}

static bool of_vectors(evaluation_t *self, const node_t *node, answer_t *out)
{
    vector_t left, right;
    if (!evaluate_vector(self, node->as.binary.left, &left) ||
        !evaluate_vector(self, node->as.binary.right, &right))
        return false;
    if (operator_joins_sets(node->as.binary.operation))
        return of_sets(self, node, &left, &right, &out->vector);
    return with_vector(self, node, &left, &right, &out->vector);
}

bool evaluate_binary(evaluation_t *self, const node_t *node, answer_t *out)
{
    bool vector_left = node->as.binary.left->type == TYPE_VECTOR;
    bool vector_right = node->as.binary.right->type == TYPE_VECTOR;
    if (vector_left && vector_right)
        return of_vectors(self, node, out);
    if (!vector_left && !vector_right)
        return of_numbers(self, node, out);
    return with_number(self, node, vector_left, out);
}
