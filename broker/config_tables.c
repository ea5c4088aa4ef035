#include "broker/config_tables.h"

#include "proto/thing.h"

#include <math.h>

#define NIL ((double)NAN)
#define ROWS(table) .fields = (table), .count = sizeof(table) / sizeof *(table)
#define DAY 86400.0

#define ADDRESS(index, word)                                                                       \
    {                                                                                              \
        .key = (word), .type = FIELD_TITLE,                                                        \
        .offset = offsetof(endpoints_t, addresses) + (index) * sizeof(text_t),                     \
        .about = "the address of this endpoint"                                                    \
    }

static const field_t endpoint_fields[] = {
    ADDRESS(ENDPOINT_METRICS, "metrics"),     ADDRESS(ENDPOINT_REQUESTS, "requests"),
    ADDRESS(ENDPOINT_INCIDENTS, "incidents"), ADDRESS(ENDPOINT_EVENTS, "events"),
    ADDRESS(ENDPOINT_CONTROL, "control"),     ADDRESS(ENDPOINT_HTTP, "http"),
};
static const schema_t endpoint_schema = {
    .name = "endpoints", .size = sizeof(endpoints_t), ROWS(endpoint_fields)};

static const field_t store_fields[] = {
    {.key = "path",
     .type = FIELD_TEXT,
     .offset = offsetof(store_settings_t, path),
     .about = "the directory of the store"},
    {.key = "windows_interval",
     .type = FIELD_DURATION,
     .offset = offsetof(store_settings_t, windows_interval),
     .least = 1,
     .most = 3600,
     .otherwise = 60,
     .about = "seconds between two writings of SLO windows and profiles"},
    {.key = "retention",
     .type = FIELD_DURATION,
     .offset = offsetof(store_settings_t, retention),
     .least = 1,
     .most = 3650 * DAY,
     .otherwise = 30 * DAY,
     .about = "closed incidents, resolved alerts, publications and the audit are kept this long"},
    {.key = "rows",
     .type = FIELD_UINT32,
     .offset = offsetof(store_settings_t, rows),
     .least = 1,
     .most = 1e9,
     .otherwise = 1e6,
     .about = "and no longer than until this many newer ones came"},
};
static const schema_t store_schema = {
    .name = "store", .size = sizeof(store_settings_t), ROWS(store_fields)};

static const field_t access_fields[] = {
    {.key = "keys",
     .type = FIELD_TEXT,
     .offset = offsetof(access_settings_t, keys),
     .about = "the directory of the public keys that may connect"},
    {.key = "server_key",
     .type = FIELD_TEXT,
     .offset = offsetof(access_settings_t, server_key),
     .about = "the file of the broker's own secret key"},
    {.key = "allow",
     .type = FIELD_NAMES,
     .offset = offsetof(access_settings_t, allow),
     .most = 500,
     .about = "addresses that may connect, as CIDR; none: nobody"},
    {.key = "deny",
     .type = FIELD_NAMES,
     .offset = offsetof(access_settings_t, deny),
     .most = 500,
     .about = "addresses that may not; the most specific rule decides"},
};
static const schema_t access_schema = {
    .name = "access", .size = sizeof(access_settings_t), ROWS(access_fields)};

#define LIMIT(word, member, low, high, usual, words)                                               \
    {                                                                                              \
        .key = (word), .type = FIELD_UINT32, .offset = offsetof(limit_settings_t, member),         \
        .least = (low), .most = (high), .otherwise = (usual), .about = (words)                     \
    }

static const field_t limit_fields[] = {
    {.key = "frame",
     .type = FIELD_SIZE,
     .offset = offsetof(limit_settings_t, frame),
     .least = 1024,
     .most = 268435456,
     .otherwise = 4194304,
     .about = "bytes of a frame"},
    LIMIT("batch", batch, 1, 1000000, 65536, "events in a frame"),
    LIMIT("depth", depth, 4, 64, 8, "nested containers in a frame"),
    LIMIT("name", name, 16, 200, 200, "bytes of a name"),
    LIMIT("labels", labels, 0, 32, 32, "labels of an event"),
    LIMIT("label_name", label_name, 1, 128, 128, "bytes of a label's name"),
    LIMIT("label_value", label_value, 1, 1024, 1024, "bytes of a label's value"),
    LIMIT("text", text, 256, 65536, 16384, "bytes of free text"),
    LIMIT("title", title, 16, 255, 255, "bytes of titles, keys, owners"),
    LIMIT("series", series, 1, 10000000, 200000, "series held"),
    LIMIT("operations", operations, 1, 1000000, 10000, "operations profiled"),
    LIMIT("dependencies", dependencies, 1, 100000, 1000, "dependencies watched"),
    LIMIT("slos", slos, 1, 100000, 1000, "SLOs held"),
    LIMIT("plans", plans, 1, 1000000, 20000, "conditions evaluated"),
    {.key = "ranges",
     .type = FIELD_SIZE,
     .offset = offsetof(limit_settings_t, ranges),
     .least = 1048576,
     .most = 1e15,
     .otherwise = 268435456,
     .about = "bytes that ranges of conditions take"},
    {.key = "series_ttl",
     .type = FIELD_DURATION,
     .offset = offsetof(limit_settings_t, series_ttl),
     .least = 1,
     .most = 30 * DAY,
     .otherwise = 3600,
     .about = "idle series expire after this"},
    {.key = "memory",
     .type = FIELD_SIZE,
     .offset = offsetof(limit_settings_t, memory),
     .least = 67108864,
     .most = 1e15,
     .otherwise = 1073741824,
     .about = "bytes of memory meant for the broker"},
    LIMIT("policies", policies, 0, 1000000, 10000, "policies held"),
    LIMIT("runbooks", runbooks, 0, 100000, 1000, "runbooks held"),
    LIMIT("alerts", alerts, 1, 10000000, 50000, "active alerts"),
    LIMIT("incidents", incidents, 1, 10000000, 200000, "unclosed incidents"),
    LIMIT("silences", silences, 1, 100000, 1000, "silences"),
    LIMIT("notes", notes, 1, 100000, 1000, "notes of an incident"),
    LIMIT("subscriptions", subscriptions, 1, 1000000, 1000, "subscriptions of a connection"),
    LIMIT("producer_events", producer_events, 1, 1000000000, 100000, "events a second of one key"),
    LIMIT("producer_series", producer_series, 1, 10000000, 20000,
          "new series of one key within series_ttl"),
};
static const schema_t limit_schema = {
    .name = "limits", .size = sizeof(limit_settings_t), ROWS(limit_fields)};

static const field_t match_fields[] = {
    {.key = "name",
     .type = FIELD_NAME,
     .offset = offsetof(anomaly_match_t, name),
     .about = "* stands for any run of characters, ? for one"},
    {.key = "kind",
     .type = FIELD_ENUM,
     .offset = offsetof(anomaly_match_t, kind),
     .otherwise = -1,
     .words = metric_kind_words,
     .about = "of this kind only"},
    {.key = "labels",
     .type = FIELD_LABELS,
     .offset = offsetof(anomaly_match_t, labels),
     .about = "labels that must all be there"},
};
static const schema_t match_schema = {
    .name = "match", .size = sizeof(anomaly_match_t), ROWS(match_fields)};

static const field_t anomaly_fields[] = {
    {.key = "match",
     .type = FIELD_RECORD,
     .offset = offsetof(anomaly_settings_t, match),
     .inner = &match_schema,
     .about = "which series; the first rule that matches rules"},
    {.key = "sensitivity",
     .type = FIELD_NUMBER,
     .offset = offsetof(anomaly_settings_t, sensitivity),
     .least = 0.1,
     .most = 10,
     .otherwise = 3,
     .about = "standard deviations from the mean"},
    {.key = "min_history",
     .type = FIELD_UINT32,
     .offset = offsetof(anomaly_settings_t, min_history),
     .least = 2,
     .most = 100,
     .otherwise = 10,
     .about = "values before anything is judged"},
    {.key = "severity",
     .type = FIELD_ENUM,
     .offset = offsetof(anomaly_settings_t, severity),
     .otherwise = SEVERITY_MEDIUM,
     .words = severity_words,
     .about = "of its anomalies"},
    {.key = "watch",
     .type = FIELD_BOOL,
     .offset = offsetof(anomaly_settings_t, watch),
     .otherwise = 1,
     .about = "false: series that match are not watched"},
};
static const schema_t anomaly_rule_schema = {
    .name = "anomaly", .size = sizeof(anomaly_settings_t), ROWS(anomaly_fields)};

static const field_t dependency_fields[] = {
    {.key = "window",
     .type = FIELD_UINT32,
     .offset = offsetof(dependency_settings_t, window),
     .least = 1,
     .most = 10000,
     .otherwise = 100,
     .about = "outcomes that are judged"},
    {.key = "min_requests",
     .type = FIELD_UINT32,
     .offset = offsetof(dependency_settings_t, min_requests),
     .least = 1,
     .most = 10000,
     .otherwise = 5,
     .about = "outcomes before anything is judged"},
    {.key = "degraded",
     .type = FIELD_NUMBER,
     .offset = offsetof(dependency_settings_t, degraded),
     .least = 0,
     .most = 1,
     .otherwise = 0.10,
     .about = "error ratio above which it is degraded"},
    {.key = "unhealthy",
     .type = FIELD_NUMBER,
     .offset = offsetof(dependency_settings_t, unhealthy),
     .least = 0,
     .most = 1,
     .otherwise = 0.50,
     .about = "error ratio above which it is unhealthy"},
};
static const schema_t dependency_rule_schema = {
    .name = "dependencies", .size = sizeof(dependency_settings_t), ROWS(dependency_fields)};

/* As many of each as a file may have; the limits of the engines are lower. */
#define MOST 1000000

static const field_t settings_fields[] = {
    {.key = "endpoints",
     .type = FIELD_RECORD,
     .offset = offsetof(settings_t, endpoints),
     .inner = &endpoint_schema},
    {.key = "store",
     .type = FIELD_RECORD,
     .offset = offsetof(settings_t, store),
     .inner = &store_schema},
    {.key = "access",
     .type = FIELD_RECORD,
     .offset = offsetof(settings_t, access),
     .inner = &access_schema},
    {.key = "limits",
     .type = FIELD_RECORD,
     .offset = offsetof(settings_t, limits),
     .inner = &limit_schema},
    {.key = "anomaly",
     .type = FIELD_RECORDS,
     .offset = offsetof(settings_t, anomaly),
     .count_offset = offsetof(settings_t, anomaly_count),
     .inner = &anomaly_rule_schema,
     .most = 10000},
    {.key = "dependencies",
     .type = FIELD_RECORD,
     .offset = offsetof(settings_t, dependencies),
     .inner = &dependency_rule_schema},
    {.key = "slos",
     .type = FIELD_RECORDS,
     .offset = offsetof(settings_t, slos),
     .count_offset = offsetof(settings_t, slo_count),
     .inner = &slo_schema,
     .most = MOST},
    {.key = "policies",
     .type = FIELD_RECORDS,
     .offset = offsetof(settings_t, policies),
     .count_offset = offsetof(settings_t, policy_count),
     .inner = &policy_schema,
     .most = MOST},
    {.key = "runbooks",
     .type = FIELD_RECORDS,
     .offset = offsetof(settings_t, runbooks),
     .count_offset = offsetof(settings_t, runbook_count),
     .inner = &runbook_schema,
     .most = MOST},
    {.key = "channels",
     .type = FIELD_RECORDS,
     .offset = offsetof(settings_t, channels),
     .count_offset = offsetof(settings_t, channel_count),
     .inner = &channel_schema,
     .most = 1000},
    {.key = "relay",
     .type = FIELD_RECORD,
     .offset = offsetof(settings_t, relay),
     .inner = &relay_schema},
};
const schema_t settings_schema = {
    .name = "configuration", .size = sizeof(settings_t), ROWS(settings_fields)};

const schema_t *limits_schema(void)
{
    return &limit_schema;
}
