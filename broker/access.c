#include "broker/access.h"

#include "proto/must.h"
#include "proto/publication.h"

#include <stdio.h>

const char *const role_words[] = {"producer", "subscriber", "operator", "admin", NULL};

typedef enum { NEVER, OWN, ALWAYS } grant_t;

static const grant_t grants[ACTION_COUNT][ROLE_COUNT] = {
    /*                     producer subscriber operator admin */
    [ACTION_ADMINISTER] = {NEVER, NEVER, NEVER, ALWAYS},
    [ACTION_PUSH] = {OWN, NEVER, NEVER, NEVER},
    [ACTION_REPORT] = {OWN, NEVER, ALWAYS, ALWAYS},
    [ACTION_OPERATE] = {NEVER, NEVER, ALWAYS, ALWAYS},
    [ACTION_DEFINE] = {NEVER, NEVER, ALWAYS, ALWAYS},
    [ACTION_READ] = {NEVER, OWN, OWN, ALWAYS},
    [ACTION_INSPECT] = {NEVER, NEVER, ALWAYS, ALWAYS},
    [ACTION_GREET] = {ALWAYS, ALWAYS, ALWAYS, ALWAYS},
};

static const action_t actions[DO_COUNT] = {
    [DO_SYSTEM_PING] = ACTION_GREET,
    [DO_SYSTEM_STATUS] = ACTION_INSPECT,
    [DO_SYSTEM_RELOAD] = ACTION_ADMINISTER,
    [DO_SYSTEM_SNAPSHOT] = ACTION_ADMINISTER,
    [DO_EVENTS_HEADS] = ACTION_READ,
    [DO_EVENTS_SINCE] = ACTION_READ,
    [DO_METRICS_GET] = ACTION_READ,
    [DO_METRICS_LIST] = ACTION_READ,
    [DO_ANOMALY_GET] = ACTION_READ,
    [DO_ANOMALY_CHECK] = ACTION_READ,
    [DO_POLICY_TEST] = ACTION_READ,
    [DO_ANOMALY_LIST] = ACTION_READ,
    [DO_PROFILE_GET] = ACTION_READ,
    [DO_PROFILE_LIST] = ACTION_READ,
    [DO_DEPENDENCY_GET] = ACTION_READ,
    [DO_DEPENDENCY_LIST] = ACTION_READ,
    [DO_SLO_GET] = ACTION_READ,
    [DO_SLO_LIST] = ACTION_READ,
    [DO_SLO_PUT] = ACTION_DEFINE,
    [DO_SLO_DELETE] = ACTION_DEFINE,
    [DO_INCIDENT_OPEN] = ACTION_REPORT,
    [DO_INCIDENT_GET] = ACTION_READ,
    [DO_INCIDENT_LIST] = ACTION_READ,
    [DO_INCIDENT_UPDATE] = ACTION_OPERATE,
    [DO_INCIDENT_NOTE] = ACTION_REPORT,
    [DO_INCIDENT_RESOLVE] = ACTION_OPERATE,
    [DO_INCIDENT_CLOSE] = ACTION_OPERATE,
    [DO_POLICY_PUT] = ACTION_DEFINE,
    [DO_POLICY_GET] = ACTION_READ,
    [DO_POLICY_LIST] = ACTION_READ,
    [DO_POLICY_DELETE] = ACTION_DEFINE,
    [DO_POLICY_ENABLE] = ACTION_DEFINE,
    [DO_POLICY_DISABLE] = ACTION_DEFINE,
    [DO_ALERT_FIRE] = ACTION_OPERATE,
    [DO_ALERT_GET] = ACTION_READ,
    [DO_ALERT_LIST] = ACTION_READ,
    [DO_ALERT_HISTORY] = ACTION_READ,
    [DO_ALERT_ACK] = ACTION_OPERATE,
    [DO_ALERT_RESOLVE] = ACTION_OPERATE,
    [DO_RUNBOOK_PUT] = ACTION_DEFINE,
    [DO_RUNBOOK_GET] = ACTION_READ,
    [DO_RUNBOOK_LIST] = ACTION_READ,
    [DO_RUNBOOK_DELETE] = ACTION_DEFINE,
    [DO_RUNBOOK_START] = ACTION_OPERATE,
    [DO_RUNBOOK_TICK] = ACTION_OPERATE,
    [DO_SILENCE_PUT] = ACTION_OPERATE,
    [DO_SILENCE_LIST] = ACTION_READ,
    [DO_SILENCE_DELETE] = ACTION_OPERATE,
    [DO_AUDIT_LIST] = ACTION_READ,
    [DO_OPS_METRICS] = ACTION_READ,
    [DO_CHANNEL_LIST] = ACTION_READ,
    [DO_CHANNEL_TEST] = ACTION_DEFINE,
    [DO_CHANNEL_DEAD_LETTERS] = ACTION_READ,
    [DO_CHANNEL_RESEND] = ACTION_OPERATE,
    [DO_RELAY_STATUS] = ACTION_READ,
    [DO_RELAY_TAIL] = ACTION_READ,
    [DO_RELAY_DEAD] = ACTION_READ,
};

action_t access_action(do_t command)
{
    must(command < DO_COUNT);
    return actions[command];
}

static bool is_everything(text_t prefix)
{
    return text_is(prefix, "*");
}

static bool lies_in(text_t subject, texts_t prefixes)
{
    for (size_t i = 0; i < prefixes.count; i++)
        if (is_everything(prefixes.items[i]) || text_begins(subject, prefixes.items[i]))
            return true;
    return false;
}

bool access_permits(const access_key_t *who, action_t action, text_t subject)
{
    must(action < ACTION_COUNT);
    if (who == NULL)
        return false;
    grant_t grant = grants[action][who->role];
    if (grant != OWN)
        return grant == ALWAYS;
    return lies_in(subject, action == ACTION_READ ? who->read : who->write);
}

bool access_permits_incident(const access_key_t *who, texts_t systems, text_t key)
{
    /* what names nothing belongs to nobody: whoever may write everything speaks about it */
    bool permitted =
        (systems.count > 0 && key.data == NULL) || access_permits(who, ACTION_REPORT, key);
    for (size_t i = 0; i < systems.count && permitted; i++)
        permitted = access_permits(who, ACTION_REPORT, systems.items[i]);
    return permitted;
}

bool access_permits_at_all(const access_key_t *who, action_t action)
{
    return who != NULL && grants[action][who->role] != NEVER;
}

/*  The argument that says what a command is about; TEXT_NONE: it has none. */
static text_t named_in(const command_t *command)
{
    static const char *const keys[] = {"name", "operation", "prefix"};
    const schema_t *schema = command->spec->schema;
    for (size_t i = 0; schema != NULL && i < sizeof keys / sizeof *keys; i++) {
        const field_t *field = schema_field(schema, text_of(keys[i]));
        if (field != NULL)
            return *(const text_t *)(const void *)((const char *)command->arguments +
                                                   field->offset);
    }
    return TEXT_NONE;
}

/*  "metrics.cpu" of metrics.get {name: "cpu"}; "alert." of events.since {family: "alert"}. Names
 *  are no longer than the limits allow, so that nothing is cut. */
static text_t subject_of(const command_t *command, char *subject, size_t size)
{
    int length;
    if (command->which == DO_EVENTS_SINCE) {
        const events_since_t *since = command->arguments;
        length = snprintf(subject, size, "%s.", family_name((family_t)since->family));
    } else {
        text_t name = named_in(command);
        size_t kind = (size_t)(strchr(command->spec->name, '.') - command->spec->name) + 1;
        length = snprintf(subject, size, "%.*s%.*s", (int)kind, command->spec->name, (int)name.size,
                          name.size == 0 ? "" : name.data);
    }
    must(length >= 0 && (size_t)length < size);
    return (text_t){subject, (size_t)length};
}

bool access_permits_command(const access_key_t *who, const command_t *command)
{
    char subject[512];
    action_t action = access_action(command->which);
    if (command->which == DO_INCIDENT_OPEN) {
        const incident_open_t *open = command->arguments;
        return access_permits_incident(who, open->systems, open->key);
    }
    if (action == ACTION_REPORT || command->which == DO_EVENTS_HEADS)
        return access_permits_at_all(who, action);
    return access_permits(who, action, subject_of(command, subject, sizeof subject));
}

/*  Every reader hears the beat: it says only how far each family is. */
static bool is_heartbeat(text_t topic)
{
    return text_is(topic, family_name(FAMILY_HEARTBEAT));
}

size_t access_topics(const access_key_t *who, text_t topic,
                     void (*take)(void *context, text_t prefix), void *context)
{
    if (!access_permits_at_all(who, ACTION_READ))
        return 0;
    if (is_heartbeat(topic) || access_permits(who, ACTION_READ, topic)) {
        take(context, topic);
        return 1;
    }
    size_t count = 0;
    for (size_t i = 0; i < who->read.count; i++)
        if (text_begins(who->read.items[i], topic)) {
            take(context, who->read.items[i]);
            count++;
        }
    return count;
}
