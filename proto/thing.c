#include "proto/thing.h"

#include "proto/schema.h"

#include <math.h>

#define NIL ((double)NAN)
#define ROWS(table) .fields = (table), .count = sizeof(table) / sizeof *(table)
#define DAY 86400.0

const char *const severity_words[] = {"critical", "high", "medium", "low", NULL};
const char *const incident_status_words[] = {"new", "investigating", "resolved", "closed", NULL};
const char *const alert_state_words[] = {"pending",  "firing",  "acknowledged",
                                         "resolved", "no_data", NULL};
const char *const dependency_status_words[] = {"unknown", "healthy", "degraded", "unhealthy", NULL};
const char *const slo_status_words[] = {"insufficient_data", "ok", "burning", "breached", NULL};
const char *const breaker_words[] = {"", "closed", "half_open", "open", NULL};
const char *const metric_kind_words[] = {"counter", "gauge", "histogram", NULL};
const char *const no_data_words[] = {"keep", "fire", "resolve", NULL};

/* -- what the observability wing answers -- */

/*  A metric is shown by its kind; a counter that is whole is answered as an integer. */
#define METRIC_ROWS(value_type, value_member)                                                      \
    {.key = "name", .type = FIELD_NAME, .offset = offsetof(metric_view_t, name)},                  \
        {.key = "kind",                                                                            \
         .type = FIELD_ENUM,                                                                       \
         .offset = offsetof(metric_view_t, kind),                                                  \
         .words = metric_kind_words},                                                              \
        {.key = "labels", .type = FIELD_LABELS, .offset = offsetof(metric_view_t, labels)},        \
        {.key = "unit", .type = FIELD_TITLE, .offset = offsetof(metric_view_t, unit)},             \
        {.key = "value", .type = (value_type), .offset = offsetof(metric_view_t, value_member)},   \
    {                                                                                              \
        .key = "updated_at", .type = FIELD_TIME, .offset = offsetof(metric_view_t, updated_at)     \
    }

static const field_t number_fields[] = {METRIC_ROWS(FIELD_NUMBER, value)};
static const schema_t number_schema = {
    .name = "metric", .size = sizeof(metric_view_t), ROWS(number_fields)};

static const field_t whole_fields[] = {METRIC_ROWS(FIELD_UINT, whole_value)};
static const schema_t whole_schema = {
    .name = "metric", .size = sizeof(metric_view_t), ROWS(whole_fields)};

static const field_t histogram_fields[] = {
    METRIC_ROWS(FIELD_NUMBER, value),
    {.key = "count", .type = FIELD_UINT, .offset = offsetof(metric_view_t, count)},
    {.key = "sum", .type = FIELD_NUMBER, .offset = offsetof(metric_view_t, sum)},
    {.key = "min", .type = FIELD_NUMBER, .offset = offsetof(metric_view_t, min)},
    {.key = "max", .type = FIELD_NUMBER, .offset = offsetof(metric_view_t, max)},
    {.key = "mean", .type = FIELD_NUMBER, .offset = offsetof(metric_view_t, mean)},
    {.key = "p50", .type = FIELD_NUMBER, .offset = offsetof(metric_view_t, p50)},
    {.key = "p90", .type = FIELD_NUMBER, .offset = offsetof(metric_view_t, p90)},
    {.key = "p95", .type = FIELD_NUMBER, .offset = offsetof(metric_view_t, p95)},
    {.key = "p99", .type = FIELD_NUMBER, .offset = offsetof(metric_view_t, p99)},
    {.key = "p999", .type = FIELD_NUMBER, .offset = offsetof(metric_view_t, p999)},
};
static const schema_t histogram_schema = {
    .name = "metric", .size = sizeof(metric_view_t), ROWS(histogram_fields)};

const schema_t *metric_schema(const metric_view_t *view)
{
    if (view->kind == METRIC_HISTOGRAM)
        return &histogram_schema;
    return view->kind == METRIC_COUNTER && view->whole ? &whole_schema : &number_schema;
}

static const field_t anomaly_fields[] = {
    {.key = "name", .type = FIELD_NAME, .offset = offsetof(anomaly_view_t, name)},
    {.key = "labels", .type = FIELD_LABELS, .offset = offsetof(anomaly_view_t, labels)},
    {.key = "mode", .type = FIELD_NAME, .offset = offsetof(anomaly_view_t, mode)},
    {.key = "sensitivity", .type = FIELD_NUMBER, .offset = offsetof(anomaly_view_t, sensitivity)},
    {.key = "history", .type = FIELD_UINT32, .offset = offsetof(anomaly_view_t, history)},
    {.key = "mean", .type = FIELD_NUMBER, .offset = offsetof(anomaly_view_t, mean)},
    {.key = "stddev", .type = FIELD_NUMBER, .offset = offsetof(anomaly_view_t, stddev)},
    {.key = "last_value", .type = FIELD_NUMBER, .offset = offsetof(anomaly_view_t, last_value)},
    {.key = "score", .type = FIELD_NUMBER, .offset = offsetof(anomaly_view_t, score)},
    {.key = "anomalous", .type = FIELD_BOOL, .offset = offsetof(anomaly_view_t, anomalous)},
    {.key = "since", .type = FIELD_TIME, .offset = offsetof(anomaly_view_t, since)},
    {.key = "severity",
     .type = FIELD_ENUM,
     .offset = offsetof(anomaly_view_t, severity),
     .words = severity_words},
};
const schema_t anomaly_schema = {
    .name = "anomaly", .size = sizeof(anomaly_view_t), ROWS(anomaly_fields)};

static const field_t profile_fields[] = {
    {.key = "operation", .type = FIELD_NAME, .offset = offsetof(profile_view_t, operation)},
    {.key = "count", .type = FIELD_UINT, .offset = offsetof(profile_view_t, count)},
    {.key = "errors", .type = FIELD_UINT, .offset = offsetof(profile_view_t, errors)},
    {.key = "error_ratio", .type = FIELD_NUMBER, .offset = offsetof(profile_view_t, error_ratio)},
    {.key = "retries", .type = FIELD_UINT, .offset = offsetof(profile_view_t, retries)},
    {.key = "min", .type = FIELD_NUMBER, .offset = offsetof(profile_view_t, min)},
    {.key = "max", .type = FIELD_NUMBER, .offset = offsetof(profile_view_t, max)},
    {.key = "mean", .type = FIELD_NUMBER, .offset = offsetof(profile_view_t, mean)},
    {.key = "total", .type = FIELD_NUMBER, .offset = offsetof(profile_view_t, total)},
    {.key = "p50", .type = FIELD_NUMBER, .offset = offsetof(profile_view_t, p50)},
    {.key = "p95", .type = FIELD_NUMBER, .offset = offsetof(profile_view_t, p95)},
    {.key = "p99", .type = FIELD_NUMBER, .offset = offsetof(profile_view_t, p99)},
    {.key = "last_executed", .type = FIELD_TIME, .offset = offsetof(profile_view_t, last_executed)},
};
const schema_t profile_schema = {
    .name = "profile", .size = sizeof(profile_view_t), ROWS(profile_fields)};

static const field_t dependency_fields[] = {
    {.key = "name", .type = FIELD_NAME, .offset = offsetof(dependency_view_t, name)},
    {.key = "status",
     .type = FIELD_ENUM,
     .offset = offsetof(dependency_view_t, status),
     .words = dependency_status_words},
    {.key = "window", .type = FIELD_UINT32, .offset = offsetof(dependency_view_t, window)},
    {.key = "successes", .type = FIELD_UINT32, .offset = offsetof(dependency_view_t, successes)},
    {.key = "failures", .type = FIELD_UINT32, .offset = offsetof(dependency_view_t, failures)},
    {.key = "error_ratio",
     .type = FIELD_NUMBER,
     .offset = offsetof(dependency_view_t, error_ratio)},
    {.key = "avg_latency",
     .type = FIELD_NUMBER,
     .offset = offsetof(dependency_view_t, avg_latency)},
    {.key = "p95_latency",
     .type = FIELD_NUMBER,
     .offset = offsetof(dependency_view_t, p95_latency)},
    {.key = "last_error", .type = FIELD_TEXT, .offset = offsetof(dependency_view_t, last_error)},
    {.key = "last_error_at",
     .type = FIELD_TIME,
     .offset = offsetof(dependency_view_t, last_error_at)},
    {.key = "breaker",
     .type = FIELD_ENUM,
     .offset = offsetof(dependency_view_t, breaker),
     .words = breaker_words},
    {.key = "retries", .type = FIELD_UINT, .offset = offsetof(dependency_view_t, retries)},
    {.key = "since", .type = FIELD_TIME, .offset = offsetof(dependency_view_t, since)},
};
const schema_t dependency_schema = {
    .name = "dependency", .size = sizeof(dependency_view_t), ROWS(dependency_fields)};

static const field_t slo_match_fields[] = {
    {.key = "operation",
     .type = FIELD_NAME,
     .offset = offsetof(slo_match_t, operation),
     .about = "the operation; any when absent"},
    {.key = "dependency",
     .type = FIELD_NAME,
     .offset = offsetof(slo_match_t, dependency),
     .about = "the dependency; any when absent"},
    {.key = "labels",
     .type = FIELD_LABELS,
     .offset = offsetof(slo_match_t, labels),
     .about = "labels that must all be there"},
};
static const schema_t slo_match_schema = {
    .name = "match", .size = sizeof(slo_match_t), ROWS(slo_match_fields)};

/*  The rows of a definition, wherever the slo_t lies in the struct. */
#define SLO_ROWS(base)                                                                             \
    {.key = "name",                                                                                \
     .type = FIELD_NAME,                                                                           \
     .flags = FIELD_REQUIRED,                                                                      \
     .offset = (base) + offsetof(slo_t, name),                                                     \
     .about = "the name of the objective"},                                                        \
        {.key = "target_percent",                                                                  \
         .type = FIELD_NUMBER,                                                                     \
         .flags = FIELD_REQUIRED | FIELD_EXCLUSIVE,                                                \
         .offset = (base) + offsetof(slo_t, target_percent),                                       \
         .least = 0,                                                                               \
         .most = 100,                                                                              \
         .otherwise = NIL,                                                                         \
         .about = "share of good requests to hold, in percent"},                                   \
        {.key = "window",                                                                          \
         .type = FIELD_DURATION,                                                                   \
         .offset = (base) + offsetof(slo_t, window),                                               \
         .least = 1,                                                                               \
         .most = 90 * DAY,                                                                         \
         .otherwise = 60,                                                                          \
         .about = "seconds over which compliance is judged"},                                      \
        {.key = "period",                                                                          \
         .type = FIELD_DURATION,                                                                   \
         .offset = (base) + offsetof(slo_t, period),                                               \
         .least = 60,                                                                              \
         .most = 365 * DAY,                                                                        \
         .otherwise = 30 * DAY,                                                                    \
         .about = "seconds for which the error budget is given"},                                  \
        {.key = "match",                                                                           \
         .type = FIELD_RECORD,                                                                     \
         .offset = (base) + offsetof(slo_t, match),                                                \
         .inner = &slo_match_schema,                                                               \
         .about = "which requests it counts; all when absent"},                                    \
        {.key = "latency",                                                                         \
         .type = FIELD_DURATION,                                                                   \
         .offset = (base) + offsetof(slo_t, latency),                                              \
         .least = 0,                                                                               \
         .most = DAY,                                                                              \
         .otherwise = NIL,                                                                         \
         .about = "a request that took longer is bad, in seconds"},                                \
    {                                                                                              \
        .key = "min_events", .type = FIELD_UINT, .offset = (base) + offsetof(slo_t, min_events),   \
        .least = 1, .most = 1e9, .otherwise = 10,                                                  \
        .about = "events in the short window of a burn pair before it can burn"                    \
    }

static const field_t slo_fields[] = {SLO_ROWS(0)};
const schema_t slo_schema = {.name = "slo", .size = sizeof(slo_t), ROWS(slo_fields)};

static const field_t slo_burn_fields[] = {
    {.key = "5m", .type = FIELD_NUMBER, .offset = offsetof(slo_burn_t, w5m)},
    {.key = "30m", .type = FIELD_NUMBER, .offset = offsetof(slo_burn_t, w30m)},
    {.key = "1h", .type = FIELD_NUMBER, .offset = offsetof(slo_burn_t, w1h)},
    {.key = "2h", .type = FIELD_NUMBER, .offset = offsetof(slo_burn_t, w2h)},
    {.key = "6h", .type = FIELD_NUMBER, .offset = offsetof(slo_burn_t, w6h)},
    {.key = "24h", .type = FIELD_NUMBER, .offset = offsetof(slo_burn_t, w24h)},
    {.key = "3d", .type = FIELD_NUMBER, .offset = offsetof(slo_burn_t, w3d)},
};
static const schema_t slo_burn_schema = {
    .name = "burn", .size = sizeof(slo_burn_t), ROWS(slo_burn_fields)};

static const field_t slo_view_fields[] = {
    SLO_ROWS(offsetof(slo_view_t, slo)),
    {.key = "total", .type = FIELD_UINT, .offset = offsetof(slo_view_t, total)},
    {.key = "good", .type = FIELD_UINT, .offset = offsetof(slo_view_t, good)},
    {.key = "bad", .type = FIELD_UINT, .offset = offsetof(slo_view_t, bad)},
    {.key = "compliance_percent",
     .type = FIELD_NUMBER,
     .offset = offsetof(slo_view_t, compliance_percent)},
    {.key = "error_budget", .type = FIELD_NUMBER, .offset = offsetof(slo_view_t, error_budget)},
    {.key = "burn",
     .type = FIELD_RECORD,
     .offset = offsetof(slo_view_t, burn),
     .inner = &slo_burn_schema},
    {.key = "status",
     .type = FIELD_ENUM,
     .offset = offsetof(slo_view_t, status),
     .words = slo_status_words},
    {.key = "budget_minutes_left",
     .type = FIELD_NUMBER,
     .offset = offsetof(slo_view_t, budget_minutes_left)},
    {.key = "exhausts_at", .type = FIELD_TIME, .offset = offsetof(slo_view_t, exhausts_at)},
    {.key = "since", .type = FIELD_TIME, .offset = offsetof(slo_view_t, since)},
    {.key = "left_out", .type = FIELD_LINES, .offset = offsetof(slo_view_t, left_out)},
};
const schema_t slo_view_schema = {.name = "slo", .size = sizeof(slo_view_t), ROWS(slo_view_fields)};

/* -- what the operations wing keeps -- */

static const field_t note_fields[] = {
    {.key = "time", .type = FIELD_TIME, .offset = offsetof(note_t, time), .otherwise = NIL},
    {.key = "by", .type = FIELD_TITLE, .offset = offsetof(note_t, by)},
    {.key = "text", .type = FIELD_TEXT, .offset = offsetof(note_t, text)},
};
const schema_t note_schema = {.name = "note", .size = sizeof(note_t), ROWS(note_fields)};

static const field_t move_fields[] = {
    {.key = "time", .type = FIELD_TIME, .offset = offsetof(move_t, time), .otherwise = NIL},
    {.key = "by", .type = FIELD_TITLE, .offset = offsetof(move_t, by)},
    {.key = "what", .type = FIELD_TEXT, .offset = offsetof(move_t, what)},
    {.key = "from", .type = FIELD_TEXT, .offset = offsetof(move_t, from)},
    {.key = "to", .type = FIELD_TEXT, .offset = offsetof(move_t, to)},
};
const schema_t move_schema = {.name = "timeline", .size = sizeof(move_t), ROWS(move_fields)};

static const field_t incident_fields[] = {
    {.key = "incident", .type = FIELD_ID, .offset = offsetof(incident_t, id), .prefix = "INC-"},
    {.key = "title", .type = FIELD_TITLE, .offset = offsetof(incident_t, title)},
    {.key = "description", .type = FIELD_TEXT, .offset = offsetof(incident_t, description)},
    {.key = "severity",
     .type = FIELD_ENUM,
     .offset = offsetof(incident_t, severity),
     .words = severity_words},
    {.key = "status",
     .type = FIELD_ENUM,
     .offset = offsetof(incident_t, status),
     .words = incident_status_words},
    {.key = "systems", .type = FIELD_NAMES, .offset = offsetof(incident_t, systems)},
    {.key = "root_cause", .type = FIELD_TEXT, .offset = offsetof(incident_t, root_cause)},
    {.key = "resolution", .type = FIELD_TEXT, .offset = offsetof(incident_t, resolution)},
    {.key = "owner", .type = FIELD_TITLE, .offset = offsetof(incident_t, owner)},
    {.key = "key", .type = FIELD_TITLE, .offset = offsetof(incident_t, key)},
    {.key = "occurrences", .type = FIELD_UINT, .offset = offsetof(incident_t, occurrences)},
    {.key = "labels", .type = FIELD_LABELS, .offset = offsetof(incident_t, labels)},
    {.key = "runbook", .type = FIELD_NAME, .offset = offsetof(incident_t, runbook)},
    {.key = "alerts",
     .type = FIELD_IDS,
     .offset = offsetof(incident_t, alerts),
     .count_offset = offsetof(incident_t, alert_count),
     .prefix = "ALT-"},
    {.key = "notes",
     .type = FIELD_RECORDS,
     .offset = offsetof(incident_t, notes),
     .count_offset = offsetof(incident_t, notes_shown),
     .inner = &note_schema},
    {.key = "notes_count", .type = FIELD_UINT, .offset = offsetof(incident_t, notes_count)},
    {.key = "timeline",
     .type = FIELD_RECORDS,
     .offset = offsetof(incident_t, timeline),
     .count_offset = offsetof(incident_t, timeline_shown),
     .inner = &move_schema},
    {.key = "timeline_count", .type = FIELD_UINT, .offset = offsetof(incident_t, timeline_count)},
    {.key = "created_at",
     .type = FIELD_TIME,
     .offset = offsetof(incident_t, created_at),
     .otherwise = NIL},
    {.key = "updated_at",
     .type = FIELD_TIME,
     .offset = offsetof(incident_t, updated_at),
     .otherwise = NIL},
    {.key = "acknowledged_at",
     .type = FIELD_TIME,
     .offset = offsetof(incident_t, acknowledged_at),
     .otherwise = NIL},
    {.key = "resolved_at",
     .type = FIELD_TIME,
     .offset = offsetof(incident_t, resolved_at),
     .otherwise = NIL},
    {.key = "closed_at",
     .type = FIELD_TIME,
     .offset = offsetof(incident_t, closed_at),
     .otherwise = NIL},
    {.key = "policy",
     .type = FIELD_NAME,
     .flags = FIELD_HIDDEN,
     .offset = offsetof(incident_t, policy)},
};
const schema_t incident_schema = {
    .name = "incident", .size = sizeof(incident_t), ROWS(incident_fields)};

static const field_t alert_fields[] = {
    {.key = "alert", .type = FIELD_ID, .offset = offsetof(alert_t, id), .prefix = "ALT-"},
    {.key = "policy", .type = FIELD_NAME, .offset = offsetof(alert_t, policy)},
    {.key = "severity",
     .type = FIELD_ENUM,
     .offset = offsetof(alert_t, severity),
     .words = severity_words},
    {.key = "message", .type = FIELD_TEXT, .offset = offsetof(alert_t, message)},
    {.key = "labels", .type = FIELD_LABELS, .offset = offsetof(alert_t, labels)},
    {.key = "result_labels",
     .type = FIELD_LABELS,
     .flags = FIELD_HIDDEN,
     .offset = offsetof(alert_t, result_labels)},
    {.key = "fingerprint", .type = FIELD_HEX, .offset = offsetof(alert_t, fingerprint)},
    {.key = "state",
     .type = FIELD_ENUM,
     .offset = offsetof(alert_t, state),
     .words = alert_state_words},
    {.key = "value", .type = FIELD_NUMBER, .offset = offsetof(alert_t, value), .otherwise = NIL},
    {.key = "value_at_fire",
     .type = FIELD_NUMBER,
     .offset = offsetof(alert_t, value_at_fire),
     .otherwise = NIL},
    {.key = "peak", .type = FIELD_NUMBER, .offset = offsetof(alert_t, peak), .otherwise = NIL},
    {.key = "incident", .type = FIELD_ID, .offset = offsetof(alert_t, incident), .prefix = "INC-"},
    {.key = "runbook", .type = FIELD_NAME, .offset = offsetof(alert_t, runbook)},
    {.key = "silenced_by", .type = FIELD_NAMES, .offset = offsetof(alert_t, silenced_by)},
    {.key = "inhibited_by",
     .type = FIELD_IDS,
     .offset = offsetof(alert_t, inhibited_by),
     .count_offset = offsetof(alert_t, inhibited_by_count),
     .prefix = "ALT-"},
    {.key = "occurrences", .type = FIELD_UINT, .offset = offsetof(alert_t, occurrences)},
    {.key = "pending_at",
     .type = FIELD_TIME,
     .offset = offsetof(alert_t, pending_at),
     .otherwise = NIL},
    {.key = "fired_at",
     .type = FIELD_TIME,
     .offset = offsetof(alert_t, fired_at),
     .otherwise = NIL},
    {.key = "acknowledged_at",
     .type = FIELD_TIME,
     .offset = offsetof(alert_t, acknowledged_at),
     .otherwise = NIL},
    {.key = "resolved_at",
     .type = FIELD_TIME,
     .offset = offsetof(alert_t, resolved_at),
     .otherwise = NIL},
    {.key = "updated_at",
     .type = FIELD_TIME,
     .offset = offsetof(alert_t, updated_at),
     .otherwise = NIL},
    {.key = "reason", .type = FIELD_NAME, .offset = offsetof(alert_t, reason)},
    {.key = "by_hand",
     .type = FIELD_BOOL,
     .flags = FIELD_HIDDEN,
     .offset = offsetof(alert_t, by_hand)},
    {.key = "clock_s",
     .type = FIELD_NUMBER,
     .flags = FIELD_HIDDEN,
     .offset = offsetof(alert_t, clock_s),
     .otherwise = NIL},
    {.key = "clock_at",
     .type = FIELD_TIME,
     .flags = FIELD_HIDDEN,
     .offset = offsetof(alert_t, clock_at),
     .otherwise = NIL},
    {.key = "notes",
     .type = FIELD_RECORDS,
     .offset = offsetof(alert_t, notes),
     .count_offset = offsetof(alert_t, notes_shown),
     .inner = &note_schema},
    {.key = "notes_count", .type = FIELD_UINT, .offset = offsetof(alert_t, notes_count)},
};
const schema_t alert_schema = {.name = "alert", .size = sizeof(alert_t), ROWS(alert_fields)};

static const field_t policy_fields[] = {
    {.key = "name",
     .type = FIELD_NAME,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(policy_t, name),
     .about = "the name of the policy"},
    {.key = "condition",
     .type = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(policy_t, condition),
     .about = "when it holds, e.g. cpu > 80%"},
    {.key = "severity",
     .type = FIELD_ENUM,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(policy_t, severity),
     .otherwise = SEVERITY_LOW,
     .words = severity_words,
     .about = "of its alerts"},
    {.key = "channels",
     .type = FIELD_NAMES,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(policy_t, channels),
     .most = 100,
     .about = "who is told; may be empty"},
    {.key = "window",
     .type = FIELD_DURATION,
     .offset = offsetof(policy_t, window),
     .least = 0.1,
     .most = DAY,
     .otherwise = 60,
     .about = "seconds between evaluations"},
    {.key = "for",
     .type = FIELD_DURATION,
     .offset = offsetof(policy_t, for_s),
     .least = 0,
     .most = 30 * DAY,
     .about = "seconds it must hold before it fires"},
    {.key = "keep_firing_for",
     .type = FIELD_DURATION,
     .offset = offsetof(policy_t, keep_firing_for),
     .least = 0,
     .most = 30 * DAY,
     .about = "seconds it keeps firing after it holds no more"},
    {.key = "resolve_condition",
     .type = FIELD_TEXT,
     .offset = offsetof(policy_t, resolve_condition),
     .about = "when it resolves, if not when the condition holds no more"},
    {.key = "lookback",
     .type = FIELD_DURATION,
     .offset = offsetof(policy_t, lookback),
     .least = 1,
     .most = 30 * DAY,
     .otherwise = 300,
     .about = "seconds of silence that are missing data"},
    {.key = "no_data",
     .type = FIELD_ENUM,
     .offset = offsetof(policy_t, no_data),
     .words = no_data_words,
     .about = "what missing data does to its alerts"},
    {.key = "enabled",
     .type = FIELD_BOOL,
     .offset = offsetof(policy_t, enabled),
     .otherwise = 1,
     .about = "whether it is evaluated"},
    {.key = "runbook",
     .type = FIELD_NAME,
     .offset = offsetof(policy_t, runbook),
     .about = "the runbook of its alerts and incidents"},
    {.key = "open_incident",
     .type = FIELD_BOOL,
     .offset = offsetof(policy_t, open_incident),
     .about = "whether an alert opens or joins an incident"},
    {.key = "auto_resolve",
     .type = FIELD_BOOL,
     .offset = offsetof(policy_t, auto_resolve),
     .about = "whether the last alert to recover resolves the incident"},
    {.key = "inhibited_by",
     .type = FIELD_NAMES,
     .offset = offsetof(policy_t, inhibited_by),
     .most = 100,
     .about = "policies whose alerts silence this one's"},
    {.key = "labels",
     .type = FIELD_LABELS,
     .offset = offsetof(policy_t, labels),
     .about = "laid over those of its alerts"},
    {.key = "summary",
     .type = FIELD_TEXT,
     .offset = offsetof(policy_t, summary),
     .about = "the message of its alerts"},
    {.key = "description",
     .type = FIELD_TEXT,
     .offset = offsetof(policy_t, description),
     .about = "more about it"},
    {.key = "from_file",
     .type = FIELD_BOOL,
     .flags = FIELD_HIDDEN,
     .offset = offsetof(policy_t, from_file)},
    {.key = "error", .type = FIELD_TEXT, .flags = FIELD_TOLD, .offset = offsetof(policy_t, error)},
    {.key = "plan", .type = FIELD_UINT, .flags = FIELD_HIDDEN, .offset = offsetof(policy_t, plan)},
};
const schema_t policy_schema = {.name = "policy", .size = sizeof(policy_t), ROWS(policy_fields)};

static const field_t runbook_fields[] = {
    {.key = "name",
     .type = FIELD_NAME,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(runbook_t, name),
     .about = "the name of the runbook"},
    {.key = "description",
     .type = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(runbook_t, description),
     .about = "what it is for"},
    {.key = "procedures",
     .type = FIELD_NAMES,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(runbook_t, procedures),
     .most = 1000,
     .about = "its procedures, in order"},
    {.key = "steps",
     .type = FIELD_STEPS,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(runbook_t, steps),
     .count_offset = offsetof(runbook_t, steps_count),
     .most = 1000,
     .about = "the steps of each procedure"},
    {.key = "from_file",
     .type = FIELD_BOOL,
     .flags = FIELD_HIDDEN,
     .offset = offsetof(runbook_t, from_file)},
};
const schema_t runbook_schema = {
    .name = "runbook", .size = sizeof(runbook_t), ROWS(runbook_fields)};

static const field_t silence_fields[] = {
    {.key = "silence", .type = FIELD_ID, .offset = offsetof(silence_t, id), .prefix = "SIL-"},
    {.key = "match", .type = FIELD_LABELS, .offset = offsetof(silence_t, match)},
    {.key = "matchers", .type = FIELD_LINES, .offset = offsetof(silence_t, matchers)},
    {.key = "until", .type = FIELD_RAW, .offset = offsetof(silence_t, until)},
    {.key = "by", .type = FIELD_TITLE, .offset = offsetof(silence_t, by)},
    {.key = "reason", .type = FIELD_TEXT, .offset = offsetof(silence_t, reason)},
    {.key = "created_at",
     .type = FIELD_TIME,
     .offset = offsetof(silence_t, created_at),
     .otherwise = NIL},
};
const schema_t silence_schema = {
    .name = "silence", .size = sizeof(silence_t), ROWS(silence_fields)};

static const field_t spread_fields[] = {
    {.key = "mean", .type = FIELD_NUMBER, .offset = offsetof(spread_t, mean)},
    {.key = "p50", .type = FIELD_NUMBER, .offset = offsetof(spread_t, p50)},
    {.key = "p90", .type = FIELD_NUMBER, .offset = offsetof(spread_t, p90)},
};
static const schema_t spread_schema = {
    .name = "spread", .size = sizeof(spread_t), ROWS(spread_fields)};

static const field_t ops_metrics_fields[] = {
    {.key = "incidents_created",
     .type = FIELD_UINT,
     .offset = offsetof(ops_metrics_t, incidents_created)},
    {.key = "incidents_resolved",
     .type = FIELD_UINT,
     .offset = offsetof(ops_metrics_t, incidents_resolved)},
    {.key = "incidents_open",
     .type = FIELD_UINT,
     .offset = offsetof(ops_metrics_t, incidents_open)},
    {.key = "alerts_triggered",
     .type = FIELD_UINT,
     .offset = offsetof(ops_metrics_t, alerts_triggered)},
    {.key = "alerts_acknowledged",
     .type = FIELD_UINT,
     .offset = offsetof(ops_metrics_t, alerts_acknowledged)},
    {.key = "alerts_resolved",
     .type = FIELD_UINT,
     .offset = offsetof(ops_metrics_t, alerts_resolved)},
    {.key = "alerts_active", .type = FIELD_UINT, .offset = offsetof(ops_metrics_t, alerts_active)},
    {.key = "alerts_dropped",
     .type = FIELD_UINT,
     .offset = offsetof(ops_metrics_t, alerts_dropped)},
    {.key = "avg_resolution_time",
     .type = FIELD_NUMBER,
     .offset = offsetof(ops_metrics_t, avg_resolution_time)},
    {.key = "mtta",
     .type = FIELD_RECORD,
     .offset = offsetof(ops_metrics_t, mtta),
     .inner = &spread_schema},
    {.key = "mttr",
     .type = FIELD_RECORD,
     .offset = offsetof(ops_metrics_t, mttr),
     .inner = &spread_schema},
};
const schema_t ops_metrics_schema = {
    .name = "ops_metrics", .size = sizeof(ops_metrics_t), ROWS(ops_metrics_fields)};
