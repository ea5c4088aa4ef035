/*  finding - what the observability wing found, at the moment it found it.
 *
 *  Owns     nothing; a sink uses what it is given before it returns
 */
#ifndef ENGINES_FINDING_H
#define ENGINES_FINDING_H

#include "proto/instant.h"
#include "proto/thing.h"

typedef enum {
    FINDING_ANOMALY_DETECTED,
    FINDING_ANOMALY_CLEARED,
    FINDING_SLO_BREACHED,
    FINDING_SLO_BURNING,
    FINDING_SLO_RECOVERED,
    FINDING_DEPENDENCY_CHANGED,
    FINDING_RESULT, /* the result of a plan for one label set changed */
    FINDING_COUNT
} finding_type_t;

/* How a condition stands for one label set of its result. */
typedef enum {
    RESULT_CLEAR,   /* there is data, and it does not hold */
    RESULT_HOLDS,   /* said again when the value has changed by the next evaluation on interval */
    RESULT_NO_DATA, /* its series were seen once, and have been silent for the plan's lookback or
                       have expired */
    RESULT_ERROR,   /* the evaluation of the whole plan failed; no labels */
    RESULT_STATE_COUNT
} result_state_t;

/* The first result that a plan has after an error, whatever it says, ends the error. */
typedef struct {
    uint64_t plan;   /* the id given to plan_put */
    labels_t labels; /* of the result, without __name__ */
    result_state_t state;
    double value; /* of RESULT_HOLDS, and of RESULT_CLEAR where one is known; else NaN */
    text_t error; /* of RESULT_ERROR, in words */
} plan_result_t;

typedef struct {
    finding_type_t type;
    instant_t now;
    union {
        struct {
            anomaly_view_t view;  /* as anomaly.get would answer now */
            double expected_mean; /* what the value was tested against */
            double expected_stddev;
        } anomaly;
        struct {
            slo_view_t view;
            slo_status_t from, to;
        } slo;
        struct {
            dependency_view_t view;
            dependency_status_t from, to;
            double lasted; /* seconds it stood in `from`; NaN from the beginning */
        } dependency;
        plan_result_t result;
    } as;
} finding_t;

typedef struct {
    void (*take)(void *context, const finding_t *finding);
    void *context;
} finding_sink_t;

#endif
