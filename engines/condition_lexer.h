/*  condition_lexer - which words does the text of a condition consist of?
 *
 *  Owns     nothing; tokens are looks into the text
 *  Bounds   reads each byte once, allocates nothing
 *  Thread   a lexer is a value: a copy looks ahead
 *  Refuses  what is no token of PromQL, as a token that says what is wrong with it
 *
 *  Seed: Prometheus 2.42, promql/parser. Comments run from # to the end of the line.
 */
#ifndef ENGINES_CONDITION_LEXER_H
#define ENGINES_CONDITION_LEXER_H

#include "proto/arena.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Digits of one number; a double has at most 767 that matter. */
#define CONDITION_NUMBER_MAX 1023u

typedef enum {
    TOKEN_END,
    TOKEN_NAME, /* of a metric, label, function, or a keyword: the grammar tells */
    TOKEN_NUMBER,
    TOKEN_DURATION,
    TOKEN_STRING, /* with its quotes */
    TOKEN_LEFT_PAREN,
    TOKEN_RIGHT_PAREN,
    TOKEN_LEFT_BRACE,
    TOKEN_RIGHT_BRACE,
    TOKEN_LEFT_BRACKET,
    TOKEN_RIGHT_BRACKET,
    TOKEN_COMMA,
    TOKEN_COLON,
    TOKEN_AT,
    TOKEN_EQUAL,     /* = */
    TOKEN_MATCH,     /* =~ */
    TOKEN_NOT_MATCH, /* !~ */
    TOKEN_SAME,      /* == */
    TOKEN_NOT_SAME,  /* != */
    TOKEN_LESS_EQUAL,
    TOKEN_LESS,
    TOKEN_GREATER_EQUAL,
    TOKEN_GREATER,
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_TIMES,
    TOKEN_DIVIDE,
    TOKEN_MODULO,
    TOKEN_POWER,
    TOKEN_WRONG
} token_kind_t;

typedef struct {
    token_kind_t kind;
    text_t text;
    uint32_t at;       /* bytes before it */
    const char *wrong; /* of TOKEN_WRONG: what it is instead */
} token_t;

typedef struct {
    text_t text;
    size_t at;
} lexer_t;

/*  The next token; TOKEN_END again and again at the end. */
token_t lexer_next(lexer_t *self);

/*  Is a name this keyword? Keywords are of any case. */
bool name_is_keyword(text_t name, text_t keyword);

/*  The value of a TOKEN_NUMBER; false if no double holds it. */
bool token_number(text_t token, double *number);

/*  The value of a TOKEN_STRING. */
text_t token_string(text_t token, arena_t *arena);

#endif
