/*  pattern - does a regular expression match a whole text?
 *
 *  The expressions are those of RE2, as Prometheus takes them, carried out by PCRE2: what PCRE2
 * knows beyond them (backreferences, lookaround, possessive and atomic groups, recursion, verbs) is
 *  refused, and what the two read differently is written the one way before it is compiled.
 *
 *  Owns     the compiled expression
 *  Bounds   PATTERN_MAX_BYTES of text; steps and memory of one match: beyond them it is
 * PATTERN_ERROR Thread   immutable: any Refuses  what is no expression of RE2, in words
 *
 *  Seed: github.com/google/re2/wiki/Syntax; Prometheus anchors every expression at both ends.
 */
#ifndef ENGINES_PATTERN_H
#define ENGINES_PATTERN_H

#include "proto/arena.h"
#include "proto/text.h"

#include <stdbool.h>

#define PATTERN_MAX_BYTES 4096u
#define PATTERN_EXPANSION_MAX 4096u /* bytes that a replacement may come to */

typedef struct pattern pattern_t;
typedef enum { PATTERN_NO, PATTERN_YES, PATTERN_ERROR } pattern_match_t;

/*  NULL, and what is wrong in *wrong (static text). */
pattern_t *pattern_new(text_t text, const char **wrong);
void pattern_destroy(pattern_t **self);

pattern_match_t pattern_matches(const pattern_t *self, text_t subject);

/*  The replacement with $1, ${1} and ${name} put in from the match. Filled only on PATTERN_YES. */
pattern_match_t pattern_expand(const pattern_t *self, text_t subject, text_t replacement,
                               arena_t *arena, text_t *out);

#endif
