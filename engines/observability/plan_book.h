/*  plan_book - how does each condition stand for each of its label sets, and was that said already?
 *
 *  A plan is a compiled condition under a number. Each series that a selector of it takes carries a
 *  link to it: an event costs the series' own links and nothing for all other plans, an evaluation
 *  the series that its plan selects.
 *
 *  A comparison of one plain metric with a number is decided on arrival, series by series. Every
 *  other condition is evaluated on its interval, once a plan; the first time when it is put, then
 * at a phase of its own, so that plans of one interval do not come all at once. On the interval the
 *  changed values of label sets that hold are said anew, and label sets without data are found. The
 *  greatest value of a comparison in between is said before the change that would hide it.
 *
 *  Results go to the sink when they changed, those of one evaluation in order of labels.
 *
 *  A counter or gauge is read by its name; a histogram h as h_count and h_sum, and as itself inside
 *  histogram_quantile. The broker's own series (pinned) stand as if they were set each second.
 *
 *  Owns     the plans with their conditions; the links; the range buffers: only series that a
 *           selector with a range or an offset takes have one
 *  Bounds   `plans` of them; a link a selector and series; PLAN_RESULTS_MAX label sets a plan; the
 *           bounds of an evaluation (engines/condition.h); `range_bytes` for all buffers together.
 *           A plan that meets a bound is in error, the others go on
 *  Time     handed in as `now`; plan_book_tick evaluates PLANS_A_TICK plans at most
 *  Thread   one
 *  Refuses  bad_value: no condition; limit; not_found
 */
#ifndef ENGINES_PLAN_BOOK_H
#define ENGINES_PLAN_BOOK_H

#include "engines/condition.h"
#include "engines/observability/finding.h"
#include "engines/observability/metrics_collector.h"
#include "proto/status.h"

#include <stdint.h>

/* Label sets that a plan may have said something about. */
#define PLAN_RESULTS_MAX 100000u
/* Plans evaluated at one tick, so that events need not wait for all of them. */
#define PLANS_A_TICK 8u

typedef struct plan_book plan_book_t;
typedef struct plan_link plan_link_t;

/*  The collector outlives the book. */
plan_book_t *plan_book_new(uint32_t plans, uint64_t range_bytes, uint64_t seed,
                           metrics_collector_t *collector, finding_sink_t sink);
void plan_book_destroy(plan_book_t **self);
/*  Other limits: lower ones let no new plan and no new points in. */
void plan_book_configure(plan_book_t *self, uint32_t plans, uint64_t range_bytes);
/*  The collector has moved a series: look for it where it is now. */
void plan_book_moved(series_t *series);

/*  Put or replace, link every series it selects, and say how each label set stands. */
status_t plan_book_put(plan_book_t *self, uint64_t id, text_t condition, double interval_s,
                       double lookback_s, instant_t now);
status_t plan_book_delete(plan_book_t *self, uint64_t id);

/*  A series was made: link it to every plan that selects it. */
void plan_book_join(plan_book_t *self, series_t *series);
/*  It has a new value: keep it for ranges, and say what changed with it. */
void plan_book_take(plan_book_t *self, series_t *series, instant_t now);
/*  The unit of its metric has changed: say what changed with it. */
void plan_book_evaluate(plan_book_t *self, series_t *series, instant_t now);
/*  It leaves. */
void plan_book_leave(plan_book_t *self, series_t *series, instant_t now);

/*  Evaluate plans that are due. Call it at `next` at the latest, and again while that has passed.
 */
void plan_book_tick(plan_book_t *self, instant_t now);
int64_t plan_book_next(const plan_book_t *self);

/*  Evaluate a condition now, over every series there is, without a trace. A range of a series that
 *  no plan reads a range of holds its last value only. False and a filled error when it fails; the
 *  answer lies in the arena until the next change. */
bool plan_book_test(const plan_book_t *self, const condition_t *condition, int64_t lookback_ms,
                    instant_t now, arena_t *arena, answer_t *answer, condition_error_t *error);

typedef struct {
    uint64_t count, limit;             /* plans */
    uint64_t range_bytes, range_limit; /* what range buffers take, and may take */
} plan_book_use_t;

plan_book_use_t plan_book_use(const plan_book_t *self);

#endif
