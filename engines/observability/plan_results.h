/*  plan_results - what was said last of each label set of a plan's result?
 *
 *  An evaluation stages what is true now and then settles: what differs from what was said is a
 *  change. One that fails on the way is forgotten with plan_results_begin.
 *
 *  Owns     a copy of each label set
 *  Bounds   PLAN_RESULTS_MAX label sets
 *  Thread   one
 *  Refuses  a label set beyond the bound, and one that was staged already
 */
#ifndef ENGINES_PLAN_RESULTS_H
#define ENGINES_PLAN_RESULTS_H

#include "engines/observability/finding.h"
#include "engines/table.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    labels_t labels;
    double value; /* said */
    double staged_value;
    uint64_t stamp;  /* of the evaluation that it was staged in last */
    int64_t seen_ns; /* when that was */
    uint32_t hash;
    uint32_t next_free;
    uint8_t said;   /* result_state_t; RESULT_STATE_COUNT: nothing */
    bool known;     /* something was ever said */
    uint8_t staged; /* result_state_t */
} plan_entry_t;

typedef struct {
    plan_entry_t *entries; /* from 1 */
    uint32_t taken, free, count, room;
    table_t table;
    uint64_t stamp; /* of this evaluation */
} plan_results_t;

typedef struct {
    labels_t labels;
    result_state_t state;
    double value;
    double peak;    /* of thresholds: to be said before; NaN: nothing */
    uint32_t entry; /* 0: none */
} plan_change_t;

typedef enum { STAGE_DONE, STAGE_TWICE, STAGE_FULL } stage_t;

void plan_results_free(plan_results_t *self);

void plan_results_begin(plan_results_t *self);
stage_t plan_results_stage(plan_results_t *self, uint64_t hash, labels_t labels,
                           result_state_t state, double value, int64_t now_ns);
/*  All that was said is to be said anew. */
void plan_results_unsay(plan_results_t *self);

/*  Entries one after the other: start with *at = 0; NULL at the end. */
plan_entry_t *plan_results_next(const plan_results_t *self, uint32_t *at);
bool plan_results_is_staged(const plan_results_t *self, const plan_entry_t *entry);
/*  Does what is staged differ from what was said? */
bool plan_entry_changed(const plan_entry_t *entry);
void plan_results_forget(plan_results_t *self, plan_entry_t *entry);

/*  In order of labels. */
void plan_changes_sort(plan_change_t *changes, size_t count);

#endif
