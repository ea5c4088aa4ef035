/*  condition - when does a policy hold? Text in a subset of PromQL, compiled once and never
 * changed.
 *
 *  Owns     its own copy of all text in it
 *  Bounds   CONDITION_MAX_BYTES of text
 *  Thread   immutable: any
 *  Refuses  what it does not understand, by line, column, what was found and what was expected
 *
 *  Now: a selector (name{label="value", other!="value"}) compared with a number, on either side;
 * the number may be followed by %: then it is divided by 100 for a series whose unit is "ratio" and
 * taken as it is for any other. What is accepted gives the answer Prometheus gives.
 */
#ifndef ENGINES_CONDITION_H
#define ENGINES_CONDITION_H

#include "proto/labels.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stdint.h>

#define CONDITION_MAX_BYTES 16384u

typedef struct condition condition_t;

typedef struct {
    uint32_t line, column; /* from 1, of the character */
    char message[256];     /* what was found and what was expected */
} condition_error_t;

/*  NULL and a filled error when the text is no condition. */
condition_t *condition_new(text_t text, condition_error_t *error);
void condition_destroy(condition_t **self);

/*  The metric the condition reads. A histogram h is read as h_count and h_sum. */
text_t condition_metric(const condition_t *self);

/*  Does the selector's matchers take this series (its name already matched)? */
bool condition_selects(const condition_t *self, labels_t labels);

/*  Does the comparison hold for a value of a series of that unit? */
bool condition_holds(const condition_t *self, double value, text_t unit);

#endif
