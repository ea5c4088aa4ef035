/*  anomaly_detector - is this value unlike the ones before it?
 *
 *  A series that a rule watches has a watch: the window of its last values and what was judged. A
 *  value is tested against the up to 100 values before it and then enters the window, anomalous or
 *  not; an episode begins at the first anomalous value and ends at the first that is not.
 *
 *  Owns     the rules; the watches it hands out, each with its window; what is remembered of
 * watches from before the process began Bounds   one watch a series, about 0.9 KiB Time     handed
 * in as `now`; only wall_s is used, as data Thread   one Refuses  a rule out of its range:
 * bad_value, before it is configured
 *
 *  Seed: Shewhart, Economic Control of Quality of Manufactured Product (1931): limits at so many
 *  deviations from the mean of what went before.
 */
#ifndef ENGINES_ANOMALY_DETECTOR_H
#define ENGINES_ANOMALY_DETECTOR_H

#include "engines/moments.h"
#include "engines/observability/observability_stack.h"
#include "proto/instant.h"
#include "proto/labels.h"
#include "proto/status.h"
#include "proto/thing.h"

#include <stdbool.h>
#include <stddef.h>

#define ANOMALY_SENSITIVITY_MIN 0.1
#define ANOMALY_SENSITIVITY_MAX 10.0
#define ANOMALY_SENSITIVITY_DEFAULT 3.0
#define ANOMALY_HISTORY_MIN 2u      /* fewer values have no deviation */
#define ANOMALY_HISTORY_DEFAULT 10u /* fewer say too little about it */

/* How the last values of watched series were judged, as a series itself. */
#define ANOMALY_SCORE_SERIES "tocsin_anomaly_score"

typedef struct anomaly_detector anomaly_detector_t;
typedef struct watch watch_t;

/*  Without rules every gauge is watched at the default sensitivity, tocsin_* and ALERTS never. */
anomaly_detector_t *anomaly_detector_new(const anomaly_rule_t *rules, size_t count, uint64_t seed);
void anomaly_detector_destroy(anomaly_detector_t **self);

/*  New rules; watches are to be ruled anew with anomaly_detector_rule. */
void anomaly_detector_configure(anomaly_detector_t *self, const anomaly_rule_t *rules,
                                size_t count);

/*  Is the rule within its ranges? */
status_t anomaly_rule_check(const anomaly_rule_t *rule);

/*  What a rule looks at. */
typedef struct {
    text_t name;
    labels_t labels;
    metric_kind_t kind;
    uint32_t number; /* by which whoever asked finds it again */
} watched_t;

/*  Put a series under the first rule that matches it: a new watch where there was none (*watch is
 *  NULL), the old one with its window where there was, none (freed, NULL) where no rule watches. */
void anomaly_detector_rule(anomaly_detector_t *self, watched_t what, watch_t **watch);
void anomaly_watch_destroy(watch_t **watch);

/*  How a value was judged. */
typedef struct {
    double mean, stddev; /* what it was tested against */
    double score;        /* signed; NaN where the deviation is 0 or unknown */
    bool anomalous;
} verdict_t;

typedef enum { EPISODE_NONE, EPISODE_BEGINS, EPISODE_ENDS } episode_t;

/*  Test the next value, let it enter the window, and say whether an episode begins or ends; the
 *  verdict is filled when one does. */
episode_t anomaly_watch_take(watch_t *watch, double value, instant_t now, verdict_t *verdict);

/*  A watch that took values since it was last told here; false when there is none. In the order in
 *  which they first took one. `score` is the last value's. */
bool anomaly_detector_changed(anomaly_detector_t *self, uint32_t *number, double *score);

/*  Judge a value without taking it in. */
verdict_t anomaly_watch_check(const watch_t *watch, double value);

/* -- what outlives the process -- */

typedef struct {
    text_t name;
    labels_t labels;
    text_t mode;
    const double *values; /* the oldest first */
    uint32_t count;       /* 1-100 */
    double score, since;
    bool anomalous;
} watch_memory_t;

/*  All but name and labels; false before the first value. The values are written to `values`. */
bool anomaly_watch_remember(const watch_t *watch, double values[MOMENTS_WINDOW],
                            watch_memory_t *memory);

/*  Keep it until the series is watched again: its watch then goes on from there. Copied. */
void anomaly_detector_recall(anomaly_detector_t *self, const watch_memory_t *memory);
/*  Series that have not come back by now begin anew. */
void anomaly_detector_forget_memories(anomaly_detector_t *self);

/*  All but name and labels of the view. */
void anomaly_watch_view(const watch_t *watch, anomaly_view_t *view);

#endif
