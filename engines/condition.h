/*  condition - when does a policy hold? Text in a subset of PromQL, compiled once and never
 * changed.
 *
 *  Owns     its own copy of all text in it, and its patterns
 *  Bounds   CONDITION_MAX_BYTES of text, 200 levels, ranges and offsets of 30 days; an evaluation
 *           takes at most EVALUATION_MAX_BYTES of memory and reads EVALUATION_MAX_POINTS points
 *  Time     handed in
 *  Thread   immutable: any
 *  Refuses  what it does not understand, by line, column, what was found and what was expected; at
 *           evaluation what Prometheus refuses there (pairs that are not unique), and the bounds
 *
 *  What is accepted gives the answer Prometheus 2.42 gives on the same samples; what of PromQL is
 * not listed in proto/PROTOCOL.md is refused by name. One thing is more than PromQL: a number
 * compared with a metric may be a percentage (cpu > 80%): it is divided by 100 for series whose
 * unit is "ratio" and taken as it is for any other.
 */
#ifndef ENGINES_CONDITION_H
#define ENGINES_CONDITION_H

#include "engines/condition_selector.h"
#include "engines/sketch.h"
#include "proto/arena.h"
#include "proto/labels.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stdint.h>

#define CONDITION_MAX_BYTES 16384u
#define EVALUATION_MAX_BYTES (UINT64_C(256) << 20)
#define EVALUATION_MAX_POINTS UINT64_C(50000000)
#define ELEMENT_POINTS 10u /* what looking at a series or an element counts for */

typedef struct condition condition_t;

typedef struct {
    uint32_t line, column; /* from 1, of the character */
    char message[256];     /* what was found and what was expected */
} condition_error_t;

/*  NULL and a filled error when the text is no condition. */
condition_t *condition_new(text_t text, condition_error_t *error);
void condition_destroy(condition_t **self);

/* -- what it reads -- */

size_t condition_selector_count(const condition_t *self);
const selector_t *condition_selector(const condition_t *self, size_t index);

/*  The one selector of a comparison of the present values of one metric with a number, which can be
 *  decided series by series as their values arrive; NULL for every other condition. */
const selector_t *condition_threshold(const condition_t *self);
/*  Does such a comparison hold? `ratio`: the unit of the series is "ratio". */
bool condition_holds(const condition_t *self, double value, bool ratio);

/* -- evaluation -- */

typedef struct {
    int64_t time_ms;
    double value;
} point_t;

/*  One series as a selector sees it. */
typedef struct {
    text_t name;
    labels_t labels;
    bool ratio;                /* its unit is "ratio" */
    const sketch_t *histogram; /* it is one, selected by its own name: it has no points then */
    const point_t *points;     /* in order of time; good until the next call */
    size_t count;
} series_look_t;

/*  Where series come from. `next` answers the series after *at (which begins as NULL and is the
 *  source's own) that `selector` takes, with its points from from_ms to to_ms, both included; for
 * an instant selector the last of them is enough. The order decides in which order sums are formed,
 *  and nothing else. */
typedef struct {
    bool (*next)(void *context, const selector_t *selector, int64_t from_ms, int64_t to_ms,
                 const void **at, series_look_t *series);
    void *context;
} condition_source_t;

/*  One element of a result. */
typedef struct {
    text_t name; /* TEXT_NONE: it has none (any more) */
    labels_t labels;
    double value;
    bool ratio;
    const sketch_t *histogram;
} element_t;

typedef struct {
    element_t *items;
    size_t count, room;
} vector_t;

typedef struct {
    bool is_scalar;
    double scalar;
    vector_t vector;
} answer_t;

typedef struct {
    int64_t at_ms;       /* on the clock of the points */
    double time_s;       /* what time () answers */
    int64_t lookback_ms; /* how old a present value may be; 300,000 in Prometheus */
    uint64_t seed;       /* of hash tables; changes no answer */
} condition_moment_t;

#define LOOKBACK_DEFAULT_MS INT64_C(300000)

/*  False and a filled error when it fails. The answer lies in the arena; its labels partly in the
 *  source. */
bool condition_evaluate(const condition_t *self, const condition_source_t *source,
                        const condition_moment_t *moment, arena_t *arena, answer_t *answer,
                        condition_error_t *error);

/*  Which label sets would the result have if every filter let everything through? A label set that
 *  is here and not in the result has data and does not hold. Values mean something where
 *  condition_values_known. */
bool condition_evaluate_unfiltered(const condition_t *self, const condition_source_t *source,
                                   const condition_moment_t *moment, arena_t *arena,
                                   answer_t *answer, condition_error_t *error);
/*  Are there filters in it at all? */
bool condition_filters(const condition_t *self);
/*  Are the values of the unfiltered answer those that the filters compare? */
bool condition_values_known(const condition_t *self);

#endif
