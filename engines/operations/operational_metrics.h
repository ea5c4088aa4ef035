/*  operational_metrics - how do operations do? Counts of incidents and alerts, time to acknowledge
 *  and to resolve.
 *
 *  What is counted as it is can be counted no longer as it was: so the metrics equal a recount of
 *  everything that is there, at any time. A change is a discount before and a count after.
 *
 *  Owns     two distributions
 *  Thread   one
 *
 *  Resolved incidents are those that are resolved or closed; a time to resolve is from created_at
 * to the last resolution; a time to acknowledge is from an alert's fired_at to its acknowledged_at.
 * An alert was triggered when it has reached `firing`.
 */
#ifndef ENGINES_OPERATIONAL_METRICS_H
#define ENGINES_OPERATIONAL_METRICS_H

#include "engines/operations/time_spread.h"
#include "proto/thing.h"

typedef struct {
    uint64_t incidents[INCIDENT_STATUS_COUNT];
    uint64_t alerts[ALERT_STATE_COUNT];
    uint64_t triggered, acknowledged;
    uint64_t dropped; /* alerts that found no room; not of the tables, and so since the start */
    time_spread_t to_acknowledge, to_resolve;
} operational_metrics_t;

void operational_metrics_init(operational_metrics_t *self);
void operational_metrics_free(operational_metrics_t *self);

void operational_metrics_count_incident(operational_metrics_t *self, const incident_t *incident);
void operational_metrics_discount_incident(operational_metrics_t *self, const incident_t *incident);
void operational_metrics_count_alert(operational_metrics_t *self, const alert_t *alert);
void operational_metrics_discount_alert(operational_metrics_t *self, const alert_t *alert);

void operational_metrics_read(const operational_metrics_t *self, ops_metrics_t *out);

#endif
