/*  command - what is asked of the broker, decoded: one struct a command, read by the table of its
 * keys.
 *
 *  Owns     nothing; texts and lists lie in the message or in the arena
 *  Bounds   limits_t, and those in the tables of keys
 *  Thread   any; the tables are constant
 *  Refuses  not_a_map, unknown_command, duplicate_key, missing_field, wrong_type, bad_text,
 * too_long, too_many_labels, bad_value: with the key at fault and what was expected
 */
#ifndef PROTO_COMMAND_H
#define PROTO_COMMAND_H

#include "proto/arena.h"
#include "proto/event.h"
#include "proto/schema.h"
#include "proto/thing.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    DO_SYSTEM_PING,
    DO_SYSTEM_STATUS,
    DO_SYSTEM_RELOAD,
    DO_SYSTEM_SNAPSHOT,
    DO_EVENTS_HEADS,
    DO_EVENTS_SINCE,
    DO_METRICS_GET,
    DO_METRICS_LIST,
    DO_ANOMALY_GET,
    DO_ANOMALY_CHECK,
    DO_ANOMALY_LIST,
    DO_PROFILE_GET,
    DO_PROFILE_LIST,
    DO_DEPENDENCY_GET,
    DO_DEPENDENCY_LIST,
    DO_SLO_GET,
    DO_SLO_LIST,
    DO_SLO_PUT,
    DO_SLO_DELETE,
    DO_INCIDENT_OPEN,
    DO_INCIDENT_GET,
    DO_INCIDENT_LIST,
    DO_INCIDENT_UPDATE,
    DO_INCIDENT_NOTE,
    DO_INCIDENT_RESOLVE,
    DO_INCIDENT_CLOSE,
    DO_POLICY_PUT,
    DO_POLICY_GET,
    DO_POLICY_LIST,
    DO_POLICY_DELETE,
    DO_POLICY_ENABLE,
    DO_POLICY_DISABLE,
    DO_POLICY_TEST,
    DO_ALERT_FIRE,
    DO_ALERT_GET,
    DO_ALERT_LIST,
    DO_ALERT_HISTORY,
    DO_ALERT_ACK,
    DO_ALERT_RESOLVE,
    DO_RUNBOOK_PUT,
    DO_RUNBOOK_GET,
    DO_RUNBOOK_LIST,
    DO_RUNBOOK_DELETE,
    DO_RUNBOOK_START,
    DO_RUNBOOK_TICK,
    DO_SILENCE_PUT,
    DO_SILENCE_LIST,
    DO_SILENCE_DELETE,
    DO_AUDIT_LIST,
    DO_OPS_METRICS,
    DO_CHANNEL_LIST,
    DO_CHANNEL_TEST,
    DO_CHANNEL_DEAD_LETTERS,
    DO_CHANNEL_RESEND,
    DO_RELAY_STATUS,
    DO_RELAY_TAIL,
    DO_RELAY_DEAD,
    DO_COUNT
} do_t;

/*  Who answers. */
typedef enum { WING_SYSTEM, WING_OBSERVABILITY, WING_OPERATIONS, WING_NOTIFIER, WING_RELAY } wing_t;

typedef struct {
    const char *name; /* "incident.open" */
    wing_t wing;
    bool changes;    /* it changes state: its answer comes after the commit, `once` keeps it */
    bool unanswered; /* also taken on the incidents socket */
    const schema_t *schema; /* of the arguments; NULL: none */
} command_spec_t;

const command_spec_t *command_spec(do_t which);

/* -- the arguments; where none is listed here, the thing itself (policy.put: policy_t) -- */

typedef struct {
    text_t condition;
} policy_test_t;

typedef struct {
    text_t name; /* metric, operation, dependency, slo, policy, runbook */
    labels_t labels;
    double value; /* anomaly.check */
} named_t;

typedef struct {
    text_t prefix;
    int64_t limit; /* default 100, at most 1,000 */
    text_t
        cursor; /* the encoded value of a cursor as it was given out; TEXT_NONE: from the start */
    text_t status; /* incidents: a status or "open"; TEXT_NONE: any */
    int severity;  /* -1: any */
    int state;     /* alerts; -1: all active */
    text_t system, policy;
    double since; /* NaN: from the beginning */
} list_t;

typedef struct {
    int family;  /* a family_t that is stored */
    int64_t seq; /* what came after it */
    int64_t limit;
} events_since_t;

typedef struct {
    text_t path;
} snapshot_t;

typedef struct {
    text_t title, description;
    int severity;
    texts_t systems;
    text_t key, runbook;
    labels_t labels;
    text_t by;
} incident_open_t;

/*  incident.get, update, note, resolve, close; what is absent is TEXT_NONE, -1, or a list without
 * items. */
typedef struct {
    uint64_t incident;
    int status, severity;
    text_t title, description, root_cause, resolution, owner;
    texts_t systems;
    text_t text; /* incident.note */
    text_t by;
} incident_change_t;

typedef struct {
    text_t policy, message;
    labels_t labels;
} alert_fire_t;

typedef struct {
    uint64_t alert;
    text_t by, note;
} alert_act_t;

typedef struct {
    labels_t match;
    texts_t matchers;
    text_t until;    /* encoded; TEXT_NONE: `duration` is given */
    double duration; /* seconds; NaN: `until` is given */
    text_t every;    /* encoded */
    text_t by, reason;
} silence_put_t;

typedef struct {
    uint64_t silence;
    text_t by;
} silence_act_t;

typedef struct {
    uint64_t incident;
    text_t name;      /* runbook.start */
    text_t procedure; /* runbook.tick, with step and outcome */
    text_t step, outcome;
    text_t by;
} runbook_act_t;

typedef struct {
    uint64_t letter; /* 0: not given */
    text_t name;     /* all of this channel; TEXT_NONE: not given */
} letter_act_t;

typedef struct {
    do_t which;
    const command_spec_t *spec;
    text_t id;             /* the encoded value to echo; TEXT_NONE: nil */
    text_t once;           /* TEXT_NONE: not given */
    const void *arguments; /* the struct of this command, in the arena */
} command_t;

/*  Read one command from a complete, checked MessagePack value (cursor_check). A map without `do`
 * is `incident.open` where `unanswered` is true. On a refusal the command's id is filled as far as
 * it could be read. The answer is the first reason in the order of status_t; `error` has its words.
 */
status_t command_read(const limits_t *limits, text_t message, bool unanswered, arena_t *arena,
                      command_t *command, schema_error_t *error);

#endif
