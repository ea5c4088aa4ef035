/*  policy_metrics - what a broker that runs knows of the metrics that conditions name.
 *
 *  Owns     nothing; asks through the session
 *  Refuses  by `status`: 0, or the exit status with which the session failed, after its one line
 */
#ifndef CLIENTS_TOCSIN_POLICY_METRICS_H
#define CLIENTS_TOCSIN_POLICY_METRICS_H

#include "clients/tocsin/session.h"
#include "engines/condition_lint.h"

typedef struct {
    session_t *session;
    int status;
} policy_metrics_t;

/*  Is there a series of that name? h_count and h_sum are there with the histogram h. Once the
 *  session has failed, everything is. */
bool policy_metrics_find(policy_metrics_t *self, text_t name, lint_metric_t *known);

#endif
