/*  condition_selector - which series does a condition read, and how far back?
 *
 *  Owns     nothing: it is part of its condition
 *  Bounds   CONDITION_MAX_BYTES of text
 *  Thread   immutable: any
 */
#ifndef ENGINES_CONDITION_SELECTOR_H
#define ENGINES_CONDITION_SELECTOR_H

#include "engines/pattern.h"
#include "proto/labels.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum { MATCH_EQUAL, MATCH_NOT_EQUAL, MATCH_PATTERN, MATCH_NOT_PATTERN } match_t;

typedef struct {
    text_t label; /* __name__: the name of the metric */
    text_t value;
    match_t match;
    pattern_t *pattern; /* of the last two */
    uint32_t at;        /* where it stands in the text */
} matcher_t;

typedef struct {
    text_t name;               /* the one metric it reads; TEXT_NONE: its matchers tell */
    const matcher_t *matchers; /* the rest; in order of the text */
    size_t matcher_count;
    int64_t range_ms; /* 0: an instant selector */
    int64_t offset_ms;
    bool as_histogram; /* it stands inside histogram_quantile */
    uint32_t index;    /* among those of its condition */
    uint32_t at;
} selector_t;

/*  PATTERN_ERROR: a pattern could not be decided within its limits. A label that is not there has
 * the empty value. */
pattern_match_t matcher_takes(const matcher_t *self, text_t value);
pattern_match_t selector_takes(const selector_t *self, text_t name, labels_t labels);

#endif
