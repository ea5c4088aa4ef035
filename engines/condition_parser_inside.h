/*  condition_parser_inside - what the files of the parser share.
 *
 *    condition_parser        operators, calls, expressions
 *    condition_parser_terms  tokens and errors; selectors and what they are made of
 */
#ifndef ENGINES_CONDITION_PARSER_INSIDE_H
#define ENGINES_CONDITION_PARSER_INSIDE_H

#include "engines/condition_lexer.h"
#include "engines/condition_parser.h"

typedef struct {
    lexer_t lexer;
    token_t token; /* the one that comes next */
    text_t text;
    arena_t *arena;
    condition_error_t *error;
    uint32_t depth; /* of nested expressions */
} parser_t;

/*  These answer NULL, for `return`, and fill the error: the token at hand is not what was expected;
 *  something at that place is refused; the token names something that is not supported. */
void *parser_expected(parser_t *self, const char *what);
void *parser_refuse(parser_t *self, size_t at, const char *words);
void *parser_unsupported(parser_t *self, const char *kind);

void parser_advance(parser_t *self);
token_t parser_peek_behind(const parser_t *self);
/*  Pass the token if it is of that kind. */
bool parser_take(parser_t *self, token_kind_t kind);
/*  Is it that keyword? */
bool token_is_word(const token_t *token, const char *keyword);

node_t *parser_node(parser_t *self, node_kind_t kind, size_t at);

/*  ( name, name ) */
bool parser_names(parser_t *self, texts_t *names);
/*  name { matchers } */
node_t *parser_selector(parser_t *self);
/*  What may stand behind an operand: a range, an offset. */
node_t *parser_suffixes(parser_t *self, node_t *node);

#endif
