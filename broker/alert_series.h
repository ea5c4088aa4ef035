/*  alert_series - ALERTS{alertname,alertstate,severity} 1: which alerts are there in which state?
 *
 *  A round names every active alert. The first of its kind becomes a series, and what a round names
 *  no more ceases to be one.
 *
 *  Owns     the labels of the series there are
 *  Bounds   a series a policy, state and severity
 *  Thread   one
 *
 *  Seed: Prometheus, Alerting rules, "Inspecting alerts during runtime": the series ALERTS.
 */
#ifndef BROKER_ALERT_SERIES_H
#define BROKER_ALERT_SERIES_H

#include "broker/self_series.h"
#include "proto/thing.h"

typedef struct alert_series alert_series_t;

alert_series_t *alert_series_new(void);
void alert_series_destroy(alert_series_t **self);

/*  An active alert of this round. */
void alert_series_tell(alert_series_t *self, const alert_t *alert, sample_sink_t sink);
/*  The round is over. */
void alert_series_end(alert_series_t *self, sample_sink_t sink);

#endif
