/*  thing - what section 4 of the wire contract shows: the things that commands put and questions
 * answer.
 *
 *  Owns     nothing: texts, labels and lists belong to whoever filled the struct (an engine, an
 * arena) Units    seconds, Unix time in seconds, ratios 0-1 unless the name says percent; NaN is
 * nil
 *
 *  Each thing has its table of keys in proto/schema.h, from which it is read, written and stored.
 */
#ifndef PROTO_THING_H
#define PROTO_THING_H

#include "proto/event.h"
#include "proto/labels.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    SEVERITY_CRITICAL,
    SEVERITY_HIGH,
    SEVERITY_MEDIUM,
    SEVERITY_LOW,
    SEVERITY_COUNT
} severity_t;

/* -- what the observability wing answers -- */

typedef struct {
    text_t name;
    labels_t labels;
    text_t unit;
    metric_kind_t kind;
    double value; /* counter: the sum; gauge: the last value; histogram: NaN */
    bool whole;   /* the counter is whole: `whole_value` is exact and is what is sent */
    uint64_t whole_value;
    double updated_at; /* Unix time of the last event's arrival */
    uint64_t count;    /* this and below: histograms only */
    double sum, min, max, mean;
    double p50, p90, p95, p99, p999;
} metric_view_t;

typedef struct {
    text_t name;
    labels_t labels;
    text_t mode; /* "gaussian" */
    double sensitivity;
    uint32_t history;    /* values in the window as the next value will meet it */
    double mean, stddev; /* of that window; NaN while it has fewer than 1 / 2 values */
    double last_value;
    double score; /* of last_value: signed deviations from the mean before it; NaN where the
                     deviation is 0 or unknown */
    bool anomalous;
    double since; /* Unix time at which `anomalous` took its present value; NaN before the first
                     value */
    severity_t severity;
} anomaly_view_t;

typedef struct {
    text_t operation;
    uint64_t count, errors, retries;
    double error_ratio;
    double min, max, mean, total;
    double p50, p95, p99;
    double last_executed;
} profile_view_t;

typedef enum {
    DEPENDENCY_UNKNOWN,
    DEPENDENCY_HEALTHY,
    DEPENDENCY_DEGRADED,
    DEPENDENCY_UNHEALTHY,
    DEPENDENCY_STATUS_COUNT
} dependency_status_t;

typedef struct {
    text_t name;
    dependency_status_t status;
    uint32_t window;              /* outcomes the window holds at most */
    uint32_t successes, failures; /* in the window now */
    double error_ratio;           /* NaN without outcomes */
    double avg_latency, p95_latency;
    text_t last_error; /* TEXT_NONE before the first error; an error without a message is "" */
    double last_error_at;
    breaker_t breaker;
    uint64_t retries;
    double since;
} dependency_view_t;

/*  Which requests an SLO counts; an empty match selects every request. */
typedef struct {
    text_t operation;  /* TEXT_NONE: any */
    text_t dependency; /* TEXT_NONE: any */
    labels_t labels;   /* all of them must be there */
} slo_match_t;

typedef struct {
    text_t name;
    double target_percent; /* in (0, 100) */
    double window;         /* seconds, default 60 */
    double period;         /* seconds, default 30 d */
    slo_match_t match;
    double latency;      /* seconds; NaN: latency does not matter */
    uint64_t min_events; /* in the short window of a burn pair, default 10 */
} slo_t;

typedef enum {
    SLO_INSUFFICIENT_DATA,
    SLO_OK,
    SLO_BURNING,
    SLO_BREACHED,
    SLO_STATUS_COUNT
} slo_status_t;

typedef struct {
    double w5m, w30m, w1h, w2h, w6h, w24h, w3d; /* burn rates; NaN without events */
} slo_burn_t;

typedef struct {
    slo_t slo;
    uint64_t total, good, bad; /* over the window */
    double compliance_percent; /* NaN without data */
    double error_budget;       /* share left, can be negative; NaN without data */
    slo_burn_t burn;
    slo_status_t status;
    double budget_minutes_left; /* NaN when nothing is being spent or nothing is known */
    double exhausts_at;         /* Unix time; NaN likewise */
    double since;
    texts_t left_out; /* burn pairs that the target can never reach, e.g. "14.4x 1h/5m" */
} slo_view_t;

/* -- what the operations wing keeps -- */

typedef enum {
    INCIDENT_NEW,
    INCIDENT_INVESTIGATING,
    INCIDENT_RESOLVED,
    INCIDENT_CLOSED,
    INCIDENT_STATUS_COUNT
} incident_status_t;

typedef struct {
    double time;
    text_t by;
    text_t text;
} note_t;

/*  A line of an incident's timeline: what was done, and from what to what where a value changed. */
typedef struct {
    double time;
    text_t by;
    text_t what;
    text_t from, to; /* TEXT_NONE where nothing changed value */
} move_t;

typedef struct {
    uint64_t id; /* n of "INC-n" */
    text_t title, description;
    severity_t severity;
    incident_status_t status;
    texts_t systems;
    text_t root_cause, resolution, owner, key;
    uint64_t occurrences;
    labels_t labels;
    text_t runbook;
    const uint64_t *alerts; /* n of each "ALT-n" */
    uint32_t alert_count;
    const note_t *notes; /* the newest, at most NOTES_SHOWN, oldest first */
    uint32_t notes_shown;
    uint64_t notes_count; /* of all */
    const move_t *timeline;
    uint32_t timeline_shown;
    uint64_t timeline_count;
    double created_at, updated_at, acknowledged_at, resolved_at, closed_at;
    text_t policy; /* the policy that opened it; TEXT_NONE when a person did. Not on the wire. */
} incident_t;

#define NOTES_SHOWN 100u
#define NOTES_MAX 1000u

typedef enum {
    ALERT_PENDING,
    ALERT_FIRING,
    ALERT_ACKNOWLEDGED,
    ALERT_RESOLVED,
    ALERT_NO_DATA,
    ALERT_STATE_COUNT
} alert_state_t;

typedef struct {
    uint64_t id; /* n of "ALT-n" */
    text_t policy;
    severity_t severity;
    text_t message;
    labels_t
        labels; /* those of the result, the policy's laid over them; no alertname, no severity */
    labels_t result_labels; /* those of the result alone: with the policy, the alert's identity. Not
                               on the wire. */
    uint64_t fingerprint;   /* shown as 16 hexadecimal digits */
    alert_state_t state;
    double value, value_at_fire, peak;
    uint64_t incident; /* n of "INC-n"; 0: none */
    text_t runbook;
    texts_t silenced_by;
    const uint64_t *inhibited_by; /* alert numbers */
    uint32_t inhibited_by_count;
    uint64_t occurrences;
    double pending_at, fired_at, acknowledged_at, resolved_at, updated_at;
    text_t reason; /* why it was resolved: recovered, by_hand, policy_changed, no_data; TEXT_NONE
                      before */
    bool by_hand;  /* fired by alert.fire; only a hand or a change of its policy resolves it. Not on
                      the wire. */
    double clock_s;  /* how far its clock is (`for` while pending, `keep_firing_for` after): seconds
                        at `clock_at`; NaN: it has none. Not on the wire. */
    double clock_at; /* NaN: the clock stands. Not on the wire. */
    const note_t *notes;
    uint32_t notes_shown;
    uint64_t notes_count;
} alert_t;

typedef enum { NO_DATA_KEEP, NO_DATA_FIRE, NO_DATA_RESOLVE, NO_DATA_COUNT } no_data_t;

typedef struct {
    text_t name;
    text_t condition;
    severity_t severity;
    texts_t channels;
    double window; /* evaluation interval, seconds */
    double for_s;  /* `for` */
    double keep_firing_for;
    text_t resolve_condition;
    double lookback; /* seconds of silence that are `no_data`, default 300 */
    no_data_t no_data;
    bool enabled;
    text_t runbook;
    bool open_incident, auto_resolve;
    texts_t inhibited_by;
    labels_t labels;
    text_t summary, description;
    bool from_file; /* owned by the configuration file */
    text_t error;   /* why it cannot be evaluated; TEXT_NONE: it can */
    uint64_t plan;  /* the number its condition is evaluated under; the next one is its resolve
                       condition's. Not on the wire. */
} policy_t;

#define SILENCE_MATCHERS_MAX 32u

typedef struct {
    uint64_t id;      /* n of "SIL-n" */
    labels_t match;   /* all equal; `policy` and `severity` are labels here too */
    texts_t matchers; /* name="value", with = != =~ !~; all of them take the alert */
    text_t until;     /* encoded: a point in time, or "resolved" */
    text_t by, reason;
    double created_at;
} silence_t;

typedef struct {
    text_t procedure;
    texts_t steps;
} procedure_t;

typedef struct {
    text_t name;
    text_t description;
    texts_t procedures;       /* in order */
    const procedure_t *steps; /* as many as given, any order */
    uint32_t steps_count;
    bool from_file;
} runbook_t;

typedef struct {
    double mean, p50, p90; /* seconds; NaN without data */
} spread_t;

typedef struct {
    uint64_t incidents_created, incidents_resolved, incidents_open;
    uint64_t alerts_triggered, alerts_acknowledged, alerts_resolved, alerts_active;
    uint64_t alerts_dropped;    /* for want of room, since the start */
    double avg_resolution_time; /* seconds; NaN without data */
    spread_t mtta, mttr;
} ops_metrics_t;

#endif
