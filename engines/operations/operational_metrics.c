#include "engines/operations/operational_metrics.h"

#include <math.h>
#include <stdbool.h>

void operational_metrics_init(operational_metrics_t *self)
{
    *self = (operational_metrics_t){.triggered = 0};
    time_spread_init(&self->to_acknowledge);
    time_spread_init(&self->to_resolve);
}

void operational_metrics_free(operational_metrics_t *self)
{
    time_spread_free(&self->to_acknowledge);
    time_spread_free(&self->to_resolve);
}

static bool is_resolved(const incident_t *incident)
{
    return incident->status >= INCIDENT_RESOLVED && !isnan(incident->resolved_at);
}

static bool was_acknowledged(const alert_t *alert)
{
    return !isnan(alert->acknowledged_at);
}

static bool was_triggered(const alert_t *alert)
{
    return !isnan(alert->fired_at);
}

void operational_metrics_count_incident(operational_metrics_t *self, const incident_t *incident)
{
    self->incidents[incident->status]++;
    if (is_resolved(incident))
        time_spread_add(&self->to_resolve, incident->resolved_at - incident->created_at);
}

void operational_metrics_discount_incident(operational_metrics_t *self, const incident_t *incident)
{
    self->incidents[incident->status]--;
    if (is_resolved(incident))
        time_spread_take(&self->to_resolve, incident->resolved_at - incident->created_at);
}

void operational_metrics_count_alert(operational_metrics_t *self, const alert_t *alert)
{
    self->alerts[alert->state]++;
    self->triggered += was_triggered(alert);
    self->acknowledged += was_acknowledged(alert);
    if (was_acknowledged(alert))
        time_spread_add(&self->to_acknowledge, alert->acknowledged_at - alert->fired_at);
}

void operational_metrics_discount_alert(operational_metrics_t *self, const alert_t *alert)
{
    self->alerts[alert->state]--;
    self->triggered -= was_triggered(alert);
    self->acknowledged -= was_acknowledged(alert);
    if (was_acknowledged(alert))
        time_spread_take(&self->to_acknowledge, alert->acknowledged_at - alert->fired_at);
}

void operational_metrics_read(const operational_metrics_t *self, ops_metrics_t *out)
{
    const uint64_t *incidents = self->incidents, *alerts = self->alerts;
    *out = (ops_metrics_t){
        .incidents_open = incidents[INCIDENT_NEW] + incidents[INCIDENT_INVESTIGATING],
        .incidents_resolved = incidents[INCIDENT_RESOLVED] + incidents[INCIDENT_CLOSED],
        .alerts_triggered = self->triggered,
        .alerts_acknowledged = self->acknowledged,
        .alerts_dropped = self->dropped,
        .alerts_resolved = alerts[ALERT_RESOLVED],
        .alerts_active = alerts[ALERT_PENDING] + alerts[ALERT_FIRING] + alerts[ALERT_ACKNOWLEDGED] +
                         alerts[ALERT_NO_DATA],
        .mtta = time_spread_read(&self->to_acknowledge),
        .mttr = time_spread_read(&self->to_resolve)};
    out->incidents_created = out->incidents_open + out->incidents_resolved;
    out->avg_resolution_time = out->mttr.mean;
}
