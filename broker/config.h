/*  config - what is in force: from flags, the environment, a YAML file and the defaults, in this
 * order of precedence.
 *
 *  Owns     a configuration owns every text in it; who is handed one destroys it
 *  Bounds   files up to CONFIG_MAX_BYTES; aliases and anchors are refused
 *  Refuses  with every error at its place: file:line:col: message
 *
 *  The keys are tables of proto/schema.h. A thing the file puts (policy, SLO, runbook) is read by
 * the same table as the command that puts one.
 */
#ifndef BROKER_CONFIG_H
#define BROKER_CONFIG_H

#include "broker/lane.h"
#include "broker/relay_config.h"
#include "engines/observability/observability_stack.h"
#include "engines/operations/operations_manager.h"
#include "proto/arena.h"
#include "proto/event.h"
#include "proto/thing.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#define CONFIG_MAX_BYTES (16u << 20)

typedef enum {
    ENDPOINT_METRICS,
    ENDPOINT_REQUESTS,
    ENDPOINT_INCIDENTS,
    ENDPOINT_EVENTS,
    ENDPOINT_CONTROL,
    ENDPOINT_HTTP,
    ENDPOINT_COUNT
} endpoint_t;

extern const char *const endpoint_names[ENDPOINT_COUNT];

/*  How alerts leave the house. What is not given is TEXT_NONE, or a list without items. */
typedef struct {
    text_t name, type;
    text_t url, url_file, secret_file, routing_key_file, ca_file, from, tls;
    text_t title, text; /* templates */
    texts_t to, command, severities, group_by, quiet_severities;
    text_t quiet_from, quiet_to;                        /* "22:00" */
    double group_wait, group_interval, repeat_interval; /* seconds, as are these: */
    double backoff_first, backoff_most, give_up;
    bool allow_private;
} channel_t;

/*  Which series are watched, and how. */
typedef struct {
    text_t name; /* glob; TEXT_NONE: any */
    int kind;    /* -1: any */
    labels_t labels;
} anomaly_match_t;

typedef struct {
    anomaly_match_t match;
    double sensitivity;
    uint32_t min_history;
    int severity;
    bool watch;
} anomaly_settings_t;

typedef struct {
    text_t addresses[ENDPOINT_COUNT];
} endpoints_t;

typedef struct {
    uint64_t frame, memory, ranges; /* bytes */
    uint32_t batch, depth, name, labels, label_name, label_value, text, title;
    uint32_t series, operations, dependencies, slos, plans;
    double series_ttl; /* seconds */
    uint32_t policies, runbooks, alerts, incidents, silences, notes;
    uint32_t subscriptions;                    /* of a connection */
    uint32_t producer_events, producer_series; /* of a key: a second, and a series_ttl */
} limit_settings_t;

typedef struct {
    uint32_t window, min_requests;
    double degraded, unhealthy;
} dependency_settings_t;

typedef struct {
    text_t path;
    double windows_interval; /* seconds */
    double retention;        /* seconds */
    uint32_t rows;
} store_settings_t;

/*  Who may connect; without `keys`, everything is open to whoever reaches loopback. */
typedef struct {
    text_t keys, server_key; /* a directory, a file */
    texts_t allow, deny;     /* CIDR */
} access_settings_t;

/*  The rows of the file, as they are read. */
typedef struct {
    endpoints_t endpoints;
    store_settings_t store;
    access_settings_t access;
    limit_settings_t limits;
    const anomaly_settings_t *anomaly;
    uint32_t anomaly_count;
    dependency_settings_t dependencies;
    const slo_t *slos;
    uint32_t slo_count;
    const policy_t *policies;
    uint32_t policy_count;
    const runbook_t *runbooks;
    uint32_t runbook_count;
    const channel_t *channels;
    uint32_t channel_count;
    relay_settings_t relay;
} settings_t;

/*  Immutable once loaded, so that every thread may hold a share of it. */
typedef struct {
    atomic_uint shares;
    arena_t arena;
    settings_t settings;
    limits_t limits;
    observability_config_t observability;
    operations_config_t operations;
    texts_t channel_names;
} config_t;

/*  What stands above the file. */
typedef struct {
    const char *file;                      /* NULL: none */
    const char *store;                     /* --store; NULL: not given */
    const char *endpoints[ENDPOINT_COUNT]; /* --endpoint NAME=ADDRESS; NULL: not given */
} overrides_t;

/*  Read everything. NULL if anything is wrong: each error is a line on `errors`, and *exit_status
 * is EX_CONFIG. */
config_t *config_load(const overrides_t *overrides, FILE *errors, int *exit_status);

/*  One more holder of the same configuration. */
config_t *config_share(config_t *self);

/*  Give up a share; the last one frees it. */
void config_destroy(config_t **self);

/*  What is in force as YAML that config_load reads back; secrets are masked. */
void config_print(const config_t *self, FILE *out);

/*  The directory of the store: as configured, else $STATE_DIRECTORY, else $XDG_STATE_HOME/tocsin,
 * else
 *  ~/.local/state/tocsin. False if none can be known. */
bool config_store_directory(const config_t *self, char *out, size_t size);

#endif
