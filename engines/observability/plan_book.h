/*  plan_book - for which series does each condition hold, and was that said already?
 *
 *  A plan is a compiled condition under a number. Each series that its selector takes carries a
 * link to it, so that an event costs a comparison a link and nothing for all other plans. A result
 * goes to the sink when it is the first of its series, when the comparison changes, and when the
 * series leaves.
 *
 *  A counter or gauge is read by its name; a histogram h as h_count and h_sum.
 *
 *  Owns     the plans with their conditions; the links
 *  Bounds   `plans` of them; a link a plan and series
 *  Time     handed in as `now`
 *  Thread   one
 *  Refuses  bad_value: no condition; limit; not_found
 */
#ifndef ENGINES_PLAN_BOOK_H
#define ENGINES_PLAN_BOOK_H

#include "engines/observability/finding.h"
#include "engines/observability/metrics_collector.h"
#include "proto/status.h"

#include <stdint.h>

typedef struct plan_book plan_book_t;
typedef struct plan_link plan_link_t;

/*  The collector outlives the book. */
plan_book_t *plan_book_new(uint32_t plans, uint64_t seed, metrics_collector_t *collector,
                           finding_sink_t sink);
void plan_book_destroy(plan_book_t **self);
/*  Another limit: a lower one lets no new plan in. */
void plan_book_configure(plan_book_t *self, uint32_t plans);

/*  Put or replace, link every series it selects, and say how each stands. */
status_t plan_book_put(plan_book_t *self, uint64_t id, text_t condition, instant_t now);
status_t plan_book_delete(plan_book_t *self, uint64_t id);

/*  A series was made: link it to every plan that selects it. */
void plan_book_join(plan_book_t *self, series_t *series);
/*  Its value, or the unit of its metric, may have changed: say what changed with it. */
void plan_book_evaluate(plan_book_t *self, series_t *series, instant_t now);
/*  It leaves: say so to every plan that it has a result with. */
void plan_book_leave(plan_book_t *self, series_t *series, instant_t now);

#endif
