#include "proto/command.h"

#include "proto/must.h"

#include <math.h>
#include <stdio.h>

#define NIL ((double)NAN)
#define ROWS(table) .fields = (table), .count = sizeof(table) / sizeof *(table)

/* -- the arguments -- */

#define LIST_ROWS                                                                                  \
    {.key = "limit",                                                                               \
     .type = FIELD_INT,                                                                            \
     .offset = offsetof(list_t, limit),                                                            \
     .least = 1,                                                                                   \
     .most = 1000,                                                                                 \
     .otherwise = 100,                                                                             \
     .about = "items in one answer"},                                                              \
    {                                                                                              \
        .key = "cursor", .type = FIELD_RAW, .offset = offsetof(list_t, cursor),                    \
        .about = "where the last answer ended"                                                     \
    }

#define LIST_DEFAULTS                                                                              \
    {.key = "severity",                                                                            \
     .type = FIELD_ENUM,                                                                           \
     .flags = FIELD_HIDDEN,                                                                        \
     .offset = offsetof(list_t, severity),                                                         \
     .otherwise = -1,                                                                              \
     .words = severity_words},                                                                     \
        {.key = "state",                                                                           \
         .type = FIELD_ENUM,                                                                       \
         .flags = FIELD_HIDDEN,                                                                    \
         .offset = offsetof(list_t, state),                                                        \
         .otherwise = -1,                                                                          \
         .words = alert_state_words},                                                              \
    {                                                                                              \
        .key = "since", .type = FIELD_TIME, .flags = FIELD_HIDDEN,                                 \
        .offset = offsetof(list_t, since), .otherwise = NIL                                        \
    }

#define SEVERITY_ROW                                                                               \
    {                                                                                              \
        .key = "severity", .type = FIELD_ENUM, .offset = offsetof(list_t, severity),               \
        .otherwise = -1, .words = severity_words, .about = "of this severity only"                 \
    }
#define POLICY_ROW                                                                                 \
    {                                                                                              \
        .key = "policy", .type = FIELD_NAME, .offset = offsetof(list_t, policy),                   \
        .about = "of this policy only"                                                             \
    }
#define SINCE_ROW                                                                                  \
    {                                                                                              \
        .key = "since", .type = FIELD_TIME, .offset = offsetof(list_t, since), .otherwise = NIL,   \
        .about = "not older than this"                                                             \
    }

static const field_t list_fields[] = {LIST_ROWS, LIST_DEFAULTS};
static const schema_t list_schema = {.name = "list", .size = sizeof(list_t), ROWS(list_fields)};

static const field_t prefix_list_fields[] = {
    LIST_ROWS,
    {.key = "prefix",
     .type = FIELD_NAME,
     .offset = offsetof(list_t, prefix),
     .about = "names that begin so"},
    LIST_DEFAULTS,
};
static const schema_t prefix_list_schema = {
    .name = "list", .size = sizeof(list_t), ROWS(prefix_list_fields)};

static const char *const status_filter_words[] = {"open",     "new",    "investigating",
                                                  "resolved", "closed", NULL};
static const field_t incident_list_fields[] = {
    LIST_ROWS,
    SEVERITY_ROW,
    SINCE_ROW,
    {.key = "status",
     .type = FIELD_WORD,
     .offset = offsetof(list_t, status),
     .words = status_filter_words,
     .about = "of this status only; open: neither resolved nor closed"},
    {.key = "system",
     .type = FIELD_NAME,
     .offset = offsetof(list_t, system),
     .about = "that concern this system only"},
    {.key = "state",
     .type = FIELD_ENUM,
     .flags = FIELD_HIDDEN,
     .offset = offsetof(list_t, state),
     .otherwise = -1,
     .words = alert_state_words},
};
static const schema_t incident_list_schema = {
    .name = "list", .size = sizeof(list_t), ROWS(incident_list_fields)};

static const field_t alert_list_fields[] = {
    LIST_ROWS,
    SEVERITY_ROW,
    POLICY_ROW,
    SINCE_ROW,
    {.key = "state",
     .type = FIELD_ENUM,
     .offset = offsetof(list_t, state),
     .otherwise = -1,
     .words = alert_state_words,
     .about = "in this state only; without it every active one"},
};
static const schema_t alert_list_schema = {
    .name = "list", .size = sizeof(list_t), ROWS(alert_list_fields)};

static const field_t since_list_fields[] = {
    LIST_ROWS,
    SINCE_ROW,
    POLICY_ROW,
    {.key = "severity",
     .type = FIELD_ENUM,
     .flags = FIELD_HIDDEN,
     .offset = offsetof(list_t, severity),
     .otherwise = -1,
     .words = severity_words},
    {.key = "state",
     .type = FIELD_ENUM,
     .flags = FIELD_HIDDEN,
     .offset = offsetof(list_t, state),
     .otherwise = -1,
     .words = alert_state_words},
};
static const schema_t since_list_schema = {
    .name = "list", .size = sizeof(list_t), ROWS(since_list_fields)};

#define NAME_ROW(word)                                                                             \
    {                                                                                              \
        .key = (word), .type = FIELD_NAME, .flags = FIELD_REQUIRED,                                \
        .offset = offsetof(named_t, name)                                                          \
    }
#define LABELS_ROW                                                                                 \
    {                                                                                              \
        .key = "labels", .type = FIELD_LABELS, .offset = offsetof(named_t, labels)                 \
    }

static const field_t name_fields[] = {NAME_ROW("name")};
static const schema_t name_schema = {.name = "name", .size = sizeof(named_t), ROWS(name_fields)};
static const field_t operation_fields[] = {NAME_ROW("operation")};
static const schema_t operation_schema = {
    .name = "operation", .size = sizeof(named_t), ROWS(operation_fields)};
static const field_t series_fields[] = {NAME_ROW("name"), LABELS_ROW};
static const schema_t series_schema = {
    .name = "series", .size = sizeof(named_t), ROWS(series_fields)};
static const field_t series_value_fields[] = {
    NAME_ROW("name"),
    LABELS_ROW,
    {.key = "value",
     .type = FIELD_NUMBER,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(named_t, value),
     .otherwise = NIL},
};
static const schema_t series_value_schema = {
    .name = "series", .size = sizeof(named_t), ROWS(series_value_fields)};

static const field_t policy_test_fields[] = {
    {.key = "condition",
     .type = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(policy_test_t, condition)},
};
static const schema_t policy_test_schema = {
    .name = "policy.test", .size = sizeof(policy_test_t), ROWS(policy_test_fields)};

static const char *const stored_family_words[] = {"anomaly", "slo",      "dependency",
                                                  "alert",   "incident", NULL};
static const field_t events_since_fields[] = {
    {.key = "family",
     .type = FIELD_ENUM,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(events_since_t, family),
     .words = stored_family_words},
    {.key = "seq",
     .type = FIELD_INT,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(events_since_t, seq),
     .least = 0,
     .most = 9e18},
    {.key = "limit",
     .type = FIELD_INT,
     .offset = offsetof(events_since_t, limit),
     .least = 1,
     .most = 1000,
     .otherwise = 100},
};
static const schema_t events_since_schema = {
    .name = "events.since", .size = sizeof(events_since_t), ROWS(events_since_fields)};

static const field_t snapshot_fields[] = {
    {.key = "path", .type = FIELD_TEXT, .offset = offsetof(snapshot_t, path)},
};
static const schema_t snapshot_schema = {
    .name = "system.snapshot", .size = sizeof(snapshot_t), ROWS(snapshot_fields)};

static const field_t incident_open_fields[] = {
    {.key = "title",
     .type = FIELD_TITLE,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(incident_open_t, title)},
    {.key = "description", .type = FIELD_TEXT, .offset = offsetof(incident_open_t, description)},
    {.key = "severity",
     .type = FIELD_ENUM,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(incident_open_t, severity),
     .otherwise = -1,
     .words = severity_words},
    {.key = "systems",
     .type = FIELD_NAMES,
     .offset = offsetof(incident_open_t, systems),
     .most = 100},
    {.key = "key", .type = FIELD_TITLE, .offset = offsetof(incident_open_t, key)},
    {.key = "runbook", .type = FIELD_NAME, .offset = offsetof(incident_open_t, runbook)},
    {.key = "labels", .type = FIELD_LABELS, .offset = offsetof(incident_open_t, labels)},
    {.key = "by", .type = FIELD_TITLE, .offset = offsetof(incident_open_t, by)},
};
static const schema_t incident_open_schema = {
    .name = "incident.open", .size = sizeof(incident_open_t), ROWS(incident_open_fields)};

#define INCIDENT_ROW                                                                               \
    {                                                                                              \
        .key = "incident", .type = FIELD_ID, .flags = FIELD_REQUIRED,                              \
        .offset = offsetof(incident_change_t, incident), .prefix = "INC-"                          \
    }
#define INCIDENT_BY_ROW                                                                            \
    {                                                                                              \
        .key = "by", .type = FIELD_TITLE, .offset = offsetof(incident_change_t, by)                \
    }
#define INCIDENT_END_ROWS                                                                          \
    {.key = "root_cause", .type = FIELD_TEXT, .offset = offsetof(incident_change_t, root_cause)},  \
    {                                                                                              \
        .key = "resolution", .type = FIELD_TEXT, .offset = offsetof(incident_change_t, resolution) \
    }
#define INCIDENT_NOTHING_ELSE                                                                      \
    {.key = "status",                                                                              \
     .type = FIELD_ENUM,                                                                           \
     .flags = FIELD_HIDDEN,                                                                        \
     .offset = offsetof(incident_change_t, status),                                                \
     .otherwise = -1,                                                                              \
     .words = incident_status_words},                                                              \
    {                                                                                              \
        .key = "severity", .type = FIELD_ENUM, .flags = FIELD_HIDDEN,                              \
        .offset = offsetof(incident_change_t, severity), .otherwise = -1, .words = severity_words  \
    }

static const field_t incident_get_fields[] = {INCIDENT_ROW, INCIDENT_NOTHING_ELSE};
static const schema_t incident_get_schema = {
    .name = "incident", .size = sizeof(incident_change_t), ROWS(incident_get_fields)};

static const field_t incident_update_fields[] = {
    INCIDENT_ROW,
    {.key = "status",
     .type = FIELD_ENUM,
     .offset = offsetof(incident_change_t, status),
     .otherwise = -1,
     .words = incident_status_words},
    {.key = "severity",
     .type = FIELD_ENUM,
     .offset = offsetof(incident_change_t, severity),
     .otherwise = -1,
     .words = severity_words},
    {.key = "title", .type = FIELD_TITLE, .offset = offsetof(incident_change_t, title)},
    {.key = "description", .type = FIELD_TEXT, .offset = offsetof(incident_change_t, description)},
    INCIDENT_END_ROWS,
    {.key = "systems",
     .type = FIELD_NAMES,
     .offset = offsetof(incident_change_t, systems),
     .most = 100},
    {.key = "owner", .type = FIELD_TITLE, .offset = offsetof(incident_change_t, owner)},
    INCIDENT_BY_ROW,
};
static const schema_t incident_update_schema = {
    .name = "incident.update", .size = sizeof(incident_change_t), ROWS(incident_update_fields)};

static const field_t incident_note_fields[] = {
    INCIDENT_ROW,
    {.key = "text",
     .type = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(incident_change_t, text)},
    INCIDENT_BY_ROW,
    INCIDENT_NOTHING_ELSE,
};
static const schema_t incident_note_schema = {
    .name = "incident.note", .size = sizeof(incident_change_t), ROWS(incident_note_fields)};

static const field_t incident_resolve_fields[] = {INCIDENT_ROW, INCIDENT_END_ROWS, INCIDENT_BY_ROW,
                                                  INCIDENT_NOTHING_ELSE};
static const schema_t incident_resolve_schema = {
    .name = "incident.resolve", .size = sizeof(incident_change_t), ROWS(incident_resolve_fields)};

static const field_t incident_close_fields[] = {INCIDENT_ROW, INCIDENT_BY_ROW,
                                                INCIDENT_NOTHING_ELSE};
static const schema_t incident_close_schema = {
    .name = "incident.close", .size = sizeof(incident_change_t), ROWS(incident_close_fields)};

static const field_t alert_fire_fields[] = {
    {.key = "policy",
     .type = FIELD_NAME,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(alert_fire_t, policy)},
    {.key = "message", .type = FIELD_TEXT, .offset = offsetof(alert_fire_t, message)},
    {.key = "labels", .type = FIELD_LABELS, .offset = offsetof(alert_fire_t, labels)},
};
static const schema_t alert_fire_schema = {
    .name = "alert.fire", .size = sizeof(alert_fire_t), ROWS(alert_fire_fields)};

#define ALERT_ROW                                                                                  \
    {                                                                                              \
        .key = "alert", .type = FIELD_ID, .flags = FIELD_REQUIRED,                                 \
        .offset = offsetof(alert_act_t, alert), .prefix = "ALT-"                                   \
    }
static const field_t alert_get_fields[] = {ALERT_ROW};
static const schema_t alert_get_schema = {
    .name = "alert", .size = sizeof(alert_act_t), ROWS(alert_get_fields)};
static const field_t alert_act_fields[] = {
    ALERT_ROW,
    {.key = "by", .type = FIELD_TITLE, .offset = offsetof(alert_act_t, by)},
    {.key = "note", .type = FIELD_TEXT, .offset = offsetof(alert_act_t, note)},
};
static const schema_t alert_act_schema = {
    .name = "alert", .size = sizeof(alert_act_t), ROWS(alert_act_fields)};

static const field_t silence_put_fields[] = {
    {.key = "match", .type = FIELD_LABELS, .offset = offsetof(silence_put_t, match)},
    {.key = "matchers",
     .type = FIELD_LINES,
     .offset = offsetof(silence_put_t, matchers),
     .most = SILENCE_MATCHERS_MAX},
    {.key = "until", .type = FIELD_RAW, .offset = offsetof(silence_put_t, until)},
    {.key = "duration",
     .type = FIELD_DURATION,
     .offset = offsetof(silence_put_t, duration),
     .least = 1,
     .most = 366 * 86400.0,
     .otherwise = NIL},
    {.key = "every", .type = FIELD_RAW, .offset = offsetof(silence_put_t, every)},
    {.key = "by",
     .type = FIELD_TITLE,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(silence_put_t, by)},
    {.key = "reason",
     .type = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(silence_put_t, reason)},
};
static const schema_t silence_put_schema = {
    .name = "silence.put", .size = sizeof(silence_put_t), ROWS(silence_put_fields)};
static const field_t silence_delete_fields[] = {
    {.key = "silence",
     .type = FIELD_ID,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(silence_act_t, silence),
     .prefix = "SIL-"},
    {.key = "by", .type = FIELD_TITLE, .offset = offsetof(silence_act_t, by)},
};
static const schema_t silence_delete_schema = {
    .name = "silence.delete", .size = sizeof(silence_act_t), ROWS(silence_delete_fields)};

#define RUNBOOK_ROWS                                                                               \
    {.key = "incident",                                                                            \
     .type = FIELD_ID,                                                                             \
     .flags = FIELD_REQUIRED,                                                                      \
     .offset = offsetof(runbook_act_t, incident),                                                  \
     .prefix = "INC-"},                                                                            \
    {                                                                                              \
        .key = "by", .type = FIELD_TITLE, .offset = offsetof(runbook_act_t, by)                    \
    }
static const field_t runbook_start_fields[] = {
    RUNBOOK_ROWS,
    {.key = "name",
     .type = FIELD_NAME,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(runbook_act_t, name)},
};
static const schema_t runbook_start_schema = {
    .name = "runbook.start", .size = sizeof(runbook_act_t), ROWS(runbook_start_fields)};
static const field_t runbook_tick_fields[] = {
    RUNBOOK_ROWS,
    {.key = "procedure",
     .type = FIELD_NAME,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(runbook_act_t, procedure)},
    {.key = "step",
     .type = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(runbook_act_t, step)},
    {.key = "outcome",
     .type = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(runbook_act_t, outcome)},
};
static const schema_t runbook_tick_schema = {
    .name = "runbook.tick", .size = sizeof(runbook_act_t), ROWS(runbook_tick_fields)};

static const field_t letter_list_fields[] = {LIST_ROWS,
                                             LIST_DEFAULTS,
                                             {.key = "name",
                                              .type = FIELD_NAME,
                                              .offset = offsetof(list_t, prefix),
                                              .about = "of this channel only"}};
static const schema_t letter_list_schema = {
    .name = "channel.dead_letters", .size = sizeof(list_t), ROWS(letter_list_fields)};

static const field_t letter_act_fields[] = {{.key = "letter",
                                             .type = FIELD_UINT,
                                             .offset = offsetof(letter_act_t, letter),
                                             .least = 0,
                                             .most = 1e15,
                                             .about = "the number of the dead letter"},
                                            {.key = "name",
                                             .type = FIELD_NAME,
                                             .offset = offsetof(letter_act_t, name),
                                             .about = "instead of a letter: all of this channel"}};
static const schema_t letter_act_schema = {
    .name = "channel.resend", .size = sizeof(letter_act_t), ROWS(letter_act_fields)};

static const field_t family_list_fields[] = {LIST_ROWS,
                                             LIST_DEFAULTS,
                                             {.key = "family",
                                              .type = FIELD_NAME,
                                              .offset = offsetof(list_t, prefix),
                                              .about = "of this family only"}};
static const schema_t family_list_schema = {
    .name = "relay.tail", .size = sizeof(list_t), ROWS(family_list_fields)};

static const field_t stream_list_fields[] = {LIST_ROWS,
                                             LIST_DEFAULTS,
                                             {.key = "stream",
                                              .type = FIELD_NAME,
                                              .offset = offsetof(list_t, prefix),
                                              .about = "of this stream only"}};
static const schema_t stream_list_schema = {
    .name = "relay.dead", .size = sizeof(list_t), ROWS(stream_list_fields)};

/* -- the commands -- */

#define SYSTEM(word, table)                                                                        \
    {                                                                                              \
        .name = (word), .wing = WING_SYSTEM, .schema = (table)                                     \
    }
#define WATCH(word, table)                                                                         \
    {                                                                                              \
        .name = (word), .wing = WING_OBSERVABILITY, .schema = (table)                              \
    }
#define NOTIFY(word, table)                                                                        \
    {                                                                                              \
        .name = (word), .wing = WING_NOTIFIER, .schema = (table)                                   \
    }
#define RELAY(word, table)                                                                         \
    {                                                                                              \
        .name = (word), .wing = WING_RELAY, .schema = (table)                                      \
    }
#define ASK(word, table)                                                                           \
    {                                                                                              \
        .name = (word), .wing = WING_OPERATIONS, .unanswered = true, .schema = (table)             \
    }
#define CHANGE(word, table)                                                                        \
    {                                                                                              \
        .name = (word), .wing = WING_OPERATIONS, .changes = true, .unanswered = true,              \
        .schema = (table)                                                                          \
    }

static const command_spec_t specs[DO_COUNT] = {
    [DO_SYSTEM_PING] = SYSTEM("system.ping", NULL),
    [DO_SYSTEM_STATUS] = SYSTEM("system.status", NULL),
    [DO_SYSTEM_RELOAD] = SYSTEM("system.reload", NULL),
    [DO_SYSTEM_SNAPSHOT] = {.name = "system.snapshot",
                            .wing = WING_OPERATIONS,
                            .schema = &snapshot_schema},
    [DO_EVENTS_HEADS] = {.name = "events.heads", .wing = WING_OPERATIONS},
    [DO_EVENTS_SINCE] = {.name = "events.since",
                         .wing = WING_OPERATIONS,
                         .schema = &events_since_schema},
    [DO_METRICS_GET] = WATCH("metrics.get", &series_schema),
    [DO_METRICS_LIST] = WATCH("metrics.list", &prefix_list_schema),
    [DO_ANOMALY_GET] = WATCH("anomaly.get", &series_schema),
    [DO_ANOMALY_CHECK] = WATCH("anomaly.check", &series_value_schema),
    [DO_ANOMALY_LIST] = WATCH("anomaly.list", &list_schema),
    [DO_PROFILE_GET] = WATCH("profile.get", &operation_schema),
    [DO_PROFILE_LIST] = WATCH("profile.list", &list_schema),
    [DO_DEPENDENCY_GET] = WATCH("dependency.get", &name_schema),
    [DO_DEPENDENCY_LIST] = WATCH("dependency.list", &list_schema),
    [DO_SLO_GET] = WATCH("slo.get", &name_schema),
    [DO_SLO_LIST] = WATCH("slo.list", &list_schema),
    /* definitions live in the store, so the operations wing takes them */
    [DO_SLO_PUT] = {.name = "slo.put",
                    .wing = WING_OPERATIONS,
                    .changes = true,
                    .schema = &slo_schema},
    [DO_SLO_DELETE] = {.name = "slo.delete",
                       .wing = WING_OPERATIONS,
                       .changes = true,
                       .schema = &name_schema},
    [DO_INCIDENT_OPEN] = CHANGE("incident.open", &incident_open_schema),
    [DO_INCIDENT_GET] = ASK("incident.get", &incident_get_schema),
    [DO_INCIDENT_LIST] = ASK("incident.list", &incident_list_schema),
    [DO_INCIDENT_UPDATE] = CHANGE("incident.update", &incident_update_schema),
    [DO_INCIDENT_NOTE] = CHANGE("incident.note", &incident_note_schema),
    [DO_INCIDENT_RESOLVE] = CHANGE("incident.resolve", &incident_resolve_schema),
    [DO_INCIDENT_CLOSE] = CHANGE("incident.close", &incident_close_schema),
    [DO_POLICY_PUT] = CHANGE("policy.put", &policy_schema),
    [DO_POLICY_GET] = ASK("policy.get", &name_schema),
    [DO_POLICY_LIST] = ASK("policy.list", &list_schema),
    [DO_POLICY_DELETE] = CHANGE("policy.delete", &name_schema),
    [DO_POLICY_ENABLE] = CHANGE("policy.enable", &name_schema),
    [DO_POLICY_DISABLE] = CHANGE("policy.disable", &name_schema),
    [DO_POLICY_TEST] = WATCH("policy.test", &policy_test_schema),
    [DO_ALERT_FIRE] = CHANGE("alert.fire", &alert_fire_schema),
    [DO_ALERT_GET] = ASK("alert.get", &alert_get_schema),
    [DO_ALERT_LIST] = ASK("alert.list", &alert_list_schema),
    [DO_ALERT_HISTORY] = ASK("alert.history", &since_list_schema),
    [DO_ALERT_ACK] = CHANGE("alert.ack", &alert_act_schema),
    [DO_ALERT_RESOLVE] = CHANGE("alert.resolve", &alert_act_schema),
    [DO_RUNBOOK_PUT] = CHANGE("runbook.put", &runbook_schema),
    [DO_RUNBOOK_GET] = ASK("runbook.get", &name_schema),
    [DO_RUNBOOK_LIST] = ASK("runbook.list", &list_schema),
    [DO_RUNBOOK_DELETE] = CHANGE("runbook.delete", &name_schema),
    [DO_RUNBOOK_START] = CHANGE("runbook.start", &runbook_start_schema),
    [DO_RUNBOOK_TICK] = CHANGE("runbook.tick", &runbook_tick_schema),
    [DO_SILENCE_PUT] = CHANGE("silence.put", &silence_put_schema),
    [DO_SILENCE_LIST] = ASK("silence.list", &list_schema),
    [DO_SILENCE_DELETE] = CHANGE("silence.delete", &silence_delete_schema),
    [DO_AUDIT_LIST] = ASK("audit.list", &since_list_schema),
    [DO_OPS_METRICS] = ASK("ops.metrics", NULL),
    [DO_CHANNEL_LIST] = NOTIFY("channel.list", &list_schema),
    [DO_CHANNEL_TEST] = NOTIFY("channel.test", &name_schema),
    [DO_CHANNEL_DEAD_LETTERS] = ASK("channel.dead_letters", &letter_list_schema),
    [DO_RELAY_STATUS] = RELAY("relay.status", NULL),
    [DO_RELAY_TAIL] = RELAY("relay.tail", &family_list_schema),
    [DO_RELAY_DEAD] = RELAY("relay.dead", &stream_list_schema),
    [DO_CHANNEL_RESEND] = ASK("channel.resend", &letter_act_schema),
};

const command_spec_t *command_spec(do_t which)
{
    must(which < DO_COUNT);
    return &specs[which];
}

static do_t find_command(text_t name)
{
    do_t which = DO_SYSTEM_PING;
    while (which < DO_COUNT && !text_is(name, specs[which].name))
        which++;
    return which;
}

/* -- reading -- */

/*  The three keys that every command may have. */
typedef struct {
    text_t what; /* encoded values; TEXT_NONE when absent */
    text_t id;
    text_t once;
    text_t twice; /* the key that stands twice */
} envelope_t;

static text_t *slot_of(envelope_t *self, text_t key)
{
    if (text_is(key, "do"))
        return &self->what;
    if (text_is(key, "id"))
        return &self->id;
    return text_is(key, "once") ? &self->once : NULL;
}

/*  Look for them in a map that was checked to be complete. */
static envelope_t open_envelope(cursor_t cursor, uint32_t pairs)
{
    envelope_t self = {TEXT_NONE, TEXT_NONE, TEXT_NONE, TEXT_NONE};
    for (uint32_t i = 0; i < pairs; i++) {
        cursor_t behind = cursor;
        value_t key;
        must(cursor_skip(&behind) && cursor_read(&cursor, &key));
        cursor = behind;
        const uint8_t *value = cursor.at;
        must(cursor_skip(&cursor));
        text_t *slot = key.type == VALUE_STR ? slot_of(&self, key.as.text) : NULL;
        if (slot == NULL)
            continue;
        if (slot->data != NULL)
            self.twice = key.as.text;
        *slot = (text_t){(const char *)value, (size_t)(cursor.at - value)};
    }
    return self;
}

static status_t refuse(schema_error_t *error, status_t status, const char *words)
{
    error->status = status;
    snprintf(error->message, sizeof error->message, "%s", words);
    return status;
}

static bool is_nil(text_t encoded)
{
    return encoded.size == 1 && (uint8_t)encoded.data[0] == 0xc0;
}

/*  The string in an encoded value; false for any other type. */
static bool read_string(text_t encoded, text_t *string)
{
    cursor_t cursor = cursor_over(encoded.data, encoded.size);
    value_t value;
    must(cursor_read(&cursor, &value));
    if (value.type != VALUE_STR)
        return false;
    *string = value.as.text;
    return true;
}

static status_t read_what(const envelope_t *envelope, bool unanswered, command_t *command,
                          schema_error_t *error)
{
    text_t name = TEXT_OF("incident.open");
    bool absent = envelope->what.data == NULL || (unanswered && is_nil(envelope->what));
    if (absent && !unanswered)
        return refuse(error, STATUS_MISSING_FIELD, "do: is required, e.g. \"system.ping\"");
    if (!absent && !read_string(envelope->what, &name))
        return refuse(error, STATUS_WRONG_TYPE, "do: expected a command's name");
    do_t which = find_command(name);
    if (which == DO_COUNT || (unanswered && !specs[which].unanswered)) {
        error->status = STATUS_UNKNOWN_COMMAND;
        snprintf(error->message, sizeof error->message, "there is no command %.*s%s",
                 name.size > 60 ? 60 : (int)name.size, name.size == 0 ? "" : name.data,
                 which == DO_COUNT ? "" : " on this socket");
        return STATUS_UNKNOWN_COMMAND;
    }
    command->which = which;
    command->spec = &specs[which];
    return STATUS_OK;
}

static status_t read_once(const limits_t *limits, const envelope_t *envelope, command_t *command,
                          schema_error_t *error)
{
    cursor_t cursor = cursor_over(envelope->once.data, envelope->once.size);
    value_t value;
    if (envelope->once.data == NULL || !cursor_read(&cursor, &value) || value.type == VALUE_NIL)
        return STATUS_OK;
    if (value.type != VALUE_STR)
        return refuse(error, STATUS_WRONG_TYPE, "once: expected text");
    if (value.as.text.size > limits->text_bytes)
        return refuse(error, STATUS_TOO_LONG, "once: it is too long");
    command->once = value.as.text;
    return STATUS_OK;
}

/*  Keeps the error that decides: the first in the order of status_t, of equal ones the first met.
 */
static void keep_worst(void *context, const schema_error_t *error)
{
    schema_error_t *worst = context;
    if (worst->status == STATUS_OK || error->status < worst->status)
        *worst = *error;
}

static status_t read_arguments(const limits_t *limits, text_t message, arena_t *arena,
                               command_t *command, schema_error_t *error)
{
    if (command->spec->schema == NULL)
        return STATUS_OK;
    cursor_t cursor = cursor_over(message.data, message.size);
    void *arguments = arena_take(arena, command->spec->schema->size);
    schema_listener_t listener = {keep_worst, error};
    command->arguments = arguments;
    return schema_read(command->spec->schema, limits, &cursor, false, arena, arguments, &listener);
}

status_t command_read(const limits_t *limits, text_t message, bool unanswered, arena_t *arena,
                      command_t *command, schema_error_t *error)
{
    *command = (command_t){.which = DO_COUNT};
    *error = (schema_error_t){.status = STATUS_OK};
    cursor_t cursor = cursor_over(message.data, message.size);
    value_t map;
    must(cursor_read(&cursor, &map));
    if (map.type != VALUE_MAP)
        return refuse(error, STATUS_NOT_A_MAP, "expected a map with `do`");

    envelope_t envelope = open_envelope(cursor, map.as.count);
    command->id = envelope.id;
    if (envelope.twice.data != NULL)
        return refuse(error, STATUS_DUPLICATE_KEY, "a key stands twice: do, id or once");
    status_t status = read_what(&envelope, unanswered, command, error);
    if (status != STATUS_OK)
        return status;
    schema_error_t once_error = {.status = STATUS_OK};
    status = read_arguments(limits, message, arena, command, error);
    status_t once = read_once(limits, &envelope, command, &once_error);
    if (once != STATUS_OK)
        keep_worst(error, &once_error);
    return once != STATUS_OK && (status == STATUS_OK || once < status) ? once : status;
}
