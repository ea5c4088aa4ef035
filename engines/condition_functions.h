/*  condition_functions - which functions are there, and what do they answer?
 *
 *  Owns     one table
 *  Thread   immutable: any
 *
 *  Seed: Prometheus 2.42, promql/functions.go: names, types and meanings are its.
 */
#ifndef ENGINES_CONDITION_FUNCTIONS_H
#define ENGINES_CONDITION_FUNCTIONS_H

#include "engines/condition_evaluation.h"
#include "engines/condition_range.h"

typedef bool call_fn(evaluation_t *self, const node_t *call, answer_t *out);
typedef double map_fn(double value, const double *parameters);

/*  One of map, over and call is there. */
struct function {
    text_t name;
    type_t result;
    type_t arguments[CALL_ARGUMENTS_MAX];
    uint8_t least, most; /* arguments */
    bool keeps_unit;
    map_fn *map;     /* of each value of a vector; the scalars behind it are the parameters */
    range_fn *over;  /* of the points of each series of a range; a scalar before it is given too */
    bool keeps_name; /* of those two */
    call_fn *call;
};

/*  NULL: there is none of that name. */
const function_t *function_named(text_t name);
/*  Prometheus has one of that name, and this language has not. */
bool function_refused(text_t name);

bool function_call(evaluation_t *self, const node_t *node, answer_t *out);

/*  It answers that nothing is there (absent, absent_over_time). */
bool function_answers_absence(const function_t *self);

#endif
