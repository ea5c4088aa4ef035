#include "broker/alert_series.h"
#include "broker/mail.h"
#include "broker/operations_inside.h"
#include "broker/self_series.h"

static void take_sample(void *context, const sample_t *sample)
{
    zmsg_t *mail = context;
    mail_sample_t values = {sample->value, sample->kind, sample->labels.count};
    mail_add(mail, &values, sizeof values);
    mail_add_text(mail, sample->name);
    mail_add_text(mail, (text_t){(const char *)sample->labels.bytes, sample->labels.size});
}

static void add_gauge(zmsg_t *mail, const char *name, double value)
{
    take_sample(mail, &(sample_t){.name = text_of(name), .kind = METRIC_GAUGE, .value = value});
}

static void add_metrics(const operations_t *self, zmsg_t *mail)
{
    ops_metrics_t metrics;
    operations_manager_metrics(self->manager, &metrics);
    add_gauge(mail, "tocsin_ops_incidents_created", (double)metrics.incidents_created);
    add_gauge(mail, "tocsin_ops_incidents_resolved", (double)metrics.incidents_resolved);
    add_gauge(mail, "tocsin_ops_incidents_open", (double)metrics.incidents_open);
    add_gauge(mail, "tocsin_ops_alerts_triggered", (double)metrics.alerts_triggered);
    add_gauge(mail, "tocsin_ops_alerts_acknowledged", (double)metrics.alerts_acknowledged);
    add_gauge(mail, "tocsin_ops_alerts_resolved", (double)metrics.alerts_resolved);
    add_gauge(mail, "tocsin_ops_alerts_active", (double)metrics.alerts_active);
    add_gauge(mail, "tocsin_ops_avg_resolution_time_seconds", metrics.avg_resolution_time);
    add_gauge(mail, "tocsin_ops_mtta_seconds", metrics.mtta.mean);
    add_gauge(mail, "tocsin_ops_mttr_seconds", metrics.mttr.mean);
}

/*  What of the broker's own this wing counts. */
static void add_own(const operations_t *self, zmsg_t *mail)
{
    sample_sink_t sink = {take_sample, mail};
    self_series_ingest(LANE_INCIDENTS, &self->tally, sink);
    for (family_t family = FAMILY_ALERT; family <= FAMILY_INCIDENT; family++)
        self_series_publications(
            family, store_head(self->given->store, family).last - self->heads_at_start[family],
            sink);
}

static void add_alerts(const operations_t *self, zmsg_t *mail)
{
    sample_sink_t sink = {take_sample, mail};
    const alert_t *alert;
    uint64_t at = 0;
    while (operations_manager_next_alert(self->manager, &at, &alert))
        alert_series_tell(self->alerts_told, alert, sink);
    alert_series_end(self->alerts_told, sink);
}

void operations_send_samples(operations_t *self)
{
    zmsg_t *mail = mail_new(MAIL_SAMPLES);
    add_metrics(self, mail);
    add_own(self, mail);
    add_alerts(self, mail);
    mail_send(&mail, self->given->observability); /* nothing that a failed commit takes back */
}
