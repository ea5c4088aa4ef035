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
#include "engines/observability/observability_stack.h"
#include "engines/operations/operations_manager.h"
#include "proto/arena.h"
#include "proto/event.h"
#include "proto/thing.h"

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

typedef struct {
    text_t name;
    text_t type;
} channel_t;

typedef struct {
    text_t addresses[ENDPOINT_COUNT];
} endpoints_t;

typedef struct {
    uint64_t frame;
    uint64_t batch, depth, name, labels, label_name, label_value, text, title;
    uint64_t series, operations, dependencies, slos;
    double series_ttl;
    uint64_t memory;
    uint64_t policies, runbooks, alerts, incidents, notes;
} limit_settings_t;

typedef struct {
    uint64_t window, min_requests;
    double degraded, unhealthy;
} dependency_settings_t;

typedef struct {
    text_t path;
} store_settings_t;

/*  The rows of the file, as they are read. */
typedef struct {
    endpoints_t endpoints;
    store_settings_t store;
    limit_settings_t limits;
    const struct anomaly_settings *anomaly;
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
} settings_t;

typedef struct {
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
    const char *endpoints[ENDPOINT_COUNT]; /* --endpoint NAME=ADDRESS */
} overrides_t;

/*  Read everything. NULL if anything is wrong: each error is a line on `errors`, and *exit_status
 * is EX_CONFIG or, for a file that cannot be read, EX_NOINPUT. */
config_t *config_load(const overrides_t *overrides, FILE *errors, int *exit_status);
void config_destroy(config_t **self);

/*  What is in force as YAML that config_load reads back; secrets are masked. */
void config_print(const config_t *self, FILE *out);

/*  The directory of the store: as configured, else $STATE_DIRECTORY, else $XDG_STATE_HOME/tocsin,
 * else
 *  ~/.local/state/tocsin. False if none can be known. */
bool config_store_directory(const config_t *self, char *out, size_t size);

#endif
