/*  plan_book_inside - what the files of the plan book share.
 *
 *    plan_book        plans: put, replaced, deleted, due
 *    plan_links       which series does each selector take?
 *    plan_thresholds  comparisons that are decided on arrival
 *    plan_evaluation  every other condition, on its interval
 *    plan_source      the series as a condition sees them
 *    plan_results     what was said
 */
#ifndef ENGINES_PLAN_BOOK_INSIDE_H
#define ENGINES_PLAN_BOOK_INSIDE_H

#include "engines/deadlines.h"
#include "engines/observability/plan_book.h"
#include "engines/observability/plan_results.h"
#include "engines/observability/range_buffer.h"
#include "engines/registry.h"
#include "engines/table.h"
#include "engines/words.h"
#include "proto/must.h"

#define NS_PER_MS INT64_C(1000000)

/* What of a series is read. */
typedef enum { READ_VALUE, READ_COUNT, READ_SUM, READ_ITSELF, READINGS } reading_t;

typedef struct plan plan_t;
typedef struct selection selection_t;

/* One series that one selector of a plan takes. */
struct plan_link {
    selection_t *selection;
    series_t *series;
    range_buffer_t *buffer;       /* shared with other links of the series; NULL: not needed */
    plan_link_t *next_of_series;  /* in order of the plans' creation, then of their selectors */
    plan_link_t *previous, *next; /* of the selection, in order of joining */
    double said_value, peak;      /* of thresholds; the greatest value since while it holds */
    uint8_t said;                 /* result_state_t; SAID_NOTHING */
    uint8_t reading;              /* reading_t */
};

#define SAID_NOTHING RESULT_STATE_COUNT
#define PATTERN_MISFIT "a pattern of a selector takes too long to match"

/* The series that one selector of a plan takes. */
struct selection {
    plan_t *plan;
    const selector_t *selector;
    plan_link_t *first, *last;
    int64_t span_ms;            /* how far back it needs buffers to reach; 0: none */
    uint32_t number;            /* among all of the book */
    selection_t *next_nameless; /* of those that name no metric */
};

typedef struct {
    selection_t *selection;
    uint32_t next_free;
} selection_slot_t;

struct plan {
    uint64_t id, serial;
    uint32_t place;
    condition_t *condition;
    bool threshold;     /* decided on arrival */
    bool erring;        /* the last thing said is that it failed */
    const char *misfit; /* why it cannot be evaluated at all; NULL: it can */
    int64_t put_ns, interval_ns, lookback_ns;
    selection_t *selections;
    size_t selection_count;
    plan_results_t results; /* of those that are no threshold */
    char error[256];        /* said last */
};

/* Room for the points of one series. */
typedef struct {
    point_t *items;
    size_t room;
} points_t;

struct plan_book {
    registry_t plans;      /* by their ids */
    uint32_t limit;        /* of plans; there may be room for more */
    deadlines_t deadlines; /* of plans, by their places */

    selection_slot_t *selections; /* from 1 */
    uint32_t selections_room, selections_taken, selections_free;
    table_t by_metric;     /* selections that name one metric */
    selection_t *nameless; /* those that do not, newest first */

    uint64_t seed;
    metrics_collector_t *collector;
    finding_sink_t sink;
    range_budget_t budget;
    arena_t arena; /* of one evaluation */
    points_t points;
    plan_change_t *changes;
    size_t changes_room;
};

/* -- plan_book -- */

void plan_say(plan_book_t *self, const plan_t *plan, const plan_change_t *change, instant_t now);
void plan_say_error(plan_book_t *self, plan_t *plan, const char *words, instant_t now);
/*  Room for one more change. */
plan_change_t *plan_change(plan_book_t *self, size_t count);

/* -- plan_links -- */

/*  The suffix by which a reading is named; and what the reading is worth now. */
text_t reading_suffix(reading_t reading);
double read_series(const series_t *series, reading_t reading);
/*  First and last (exclusive) of the readings that a metric of that kind has. */
reading_t first_reading(metric_kind_t kind);
reading_t end_of_readings(metric_kind_t kind);

/*  Does a selector take this reading of a series? */
pattern_match_t selector_reads(const selector_t *selector, const metric_t *metric,
                               const series_t *series, reading_t reading);

/*  The first metric that a selector may read, then the next: start with *turn = 0; NULL at the end.
 *  Of a selector that names one metric only. */
const metric_t *metric_read(const plan_book_t *self, const selector_t *selector, size_t *turn);

void selections_add(plan_book_t *self, plan_t *plan);
void selections_remove(plan_book_t *self, plan_t *plan);

/* -- plan_thresholds -- */

bool decided_on_arrival(const plan_t *plan);

void threshold_evaluate(plan_book_t *self, plan_link_t *link, instant_t now);
/*  All series of the plan: new values, silence. Answers when it wants to be looked at next. */
int64_t threshold_sweep(plan_book_t *self, plan_t *plan, instant_t now);

/* -- plan_source -- */

/*  The series of a plan as its condition sees them, through its links; or, without a plan, all that
 *  a selector takes. */
typedef struct {
    const plan_book_t *book;
    const plan_t *plan; /* NULL: any series */
    points_t *points;
    arena_t *arena;
    instant_t now;
    size_t turn; /* without a plan: where the walk stands */
    const metric_t *metric;
    const series_t *series;
    uint64_t serial;
    unsigned reading;
    const char *wrong; /* why what was answered is not all */
} plan_source_t;

condition_source_t plan_source(plan_source_t *self);

/* -- plan_evaluation -- */

void plan_evaluate(plan_book_t *self, plan_t *plan, instant_t now);

/*  Since when has the series been silent? */
int64_t series_silent_since(const series_t *series, instant_t now);

#endif
