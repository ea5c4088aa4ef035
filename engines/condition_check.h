/*  condition_check - is a tree well typed? Fills in its types, patterns and selectors.
 *
 *  Owns     nothing; the patterns it compiles are the caller's, in `patterns`
 *  Bounds   as its tree
 *  Thread   one
 *  Refuses  wrong types, patterns and modifiers, by place, what was found and what was expected
 *
 *  Seed: Prometheus 2.42, promql/parser/parse.go, checkAST.
 */
#ifndef ENGINES_CONDITION_CHECK_H
#define ENGINES_CONDITION_CHECK_H

#include "engines/condition_parser.h"

typedef struct {
    text_t text;
    arena_t *arena;
    condition_error_t *error;
    const selector_t **selectors; /* in order of the text */
    size_t selector_count, selector_room;
    pattern_t **patterns;
    size_t pattern_count, pattern_room;
} check_t;

bool condition_check(check_t *self, node_t *root);

#endif
