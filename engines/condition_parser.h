/*  condition_parser - from text to tree, by operator precedence (Pratt).
 *
 *  Owns     nothing: nodes and texts lie in the arena
 *  Bounds   CONDITION_MAX_BYTES of text, CONDITION_HEIGHT_MAX levels
 *  Thread   one
 *  Refuses  what is no expression of PromQL, and what of PromQL is not supported, by name: with
 * line, column, what was found and what was expected
 *
 *  Seed: Pratt, Top Down Operator Precedence, POPL 1973; the grammar is that of Prometheus 2.42
 *  (promql/parser/generated_parser.y). One thing is added: a number followed by a % that no operand
 *  follows is a percentage.
 */
#ifndef ENGINES_CONDITION_PARSER_H
#define ENGINES_CONDITION_PARSER_H

#include "engines/condition.h"
#include "engines/condition_tree.h"
#include "engines/words.h"

/*  NULL and a filled error. Patterns are compiled by the check. */
node_t *condition_parse(text_t text, arena_t *arena, condition_error_t *error);

/*  Where byte `at` of the text lies, and the room for words about it. */
words_t condition_error_at(condition_error_t *error, text_t text, size_t at);

#endif
