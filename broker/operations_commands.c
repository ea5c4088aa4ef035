#include "broker/failpoint.h"
#include "broker/mail.h"
#include "broker/operations_inside.h"
#include "proto/must.h"
#include "proto/pack.h"
#include "proto/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

/*  One command on its way. */
typedef struct {
    operations_t *actor;
    const command_t *command;
    msgpack_sbuffer *out; /* the result goes here */
    schema_error_t error;
    text_t elsewhere; /* the question that the observability wing shall answer instead */
    bool later;       /* the answer comes later */
} step_t;

static status_t refuse(step_t *self, status_t status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static status_t refuse(step_t *self, status_t status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(self->error.message, sizeof self->error.message, format, arguments);
    va_end(arguments);
    return status;
}

static store_t *store_of(step_t *self)
{
    return self->actor->given->store;
}

/* -- what the manager changes -- */

/*  Which incident or alert a command names; 0: none. */
static uint64_t named_incident(const command_t *command)
{
    switch ((int)command->which) {
    case DO_INCIDENT_UPDATE:
    case DO_INCIDENT_NOTE:
    case DO_INCIDENT_RESOLVE:
    case DO_INCIDENT_CLOSE:
        return ((const incident_change_t *)command->arguments)->incident;
    case DO_RUNBOOK_START:
    case DO_RUNBOOK_TICK:
        return ((const runbook_act_t *)command->arguments)->incident;
    default:
        return 0;
    }
}

static uint64_t named_alert(const command_t *command)
{
    bool names = command->which == DO_ALERT_ACK || command->which == DO_ALERT_RESOLVE;
    return names ? ((const alert_act_t *)command->arguments)->alert : 0;
}

/*  What is closed or resolved lives in the store alone: put it back before the manager is asked
 * about it. */
static void bring_back(step_t *self)
{
    operations_t *actor = self->actor;
    uint64_t incident = named_incident(self->command), alert = named_alert(self->command);
    incident_t stored_incident;
    alert_t stored_alert;
    if (incident != 0 && !operations_manager_has_incident(actor->manager, incident) &&
        store_find_incident(store_of(self), incident, NOTES_SHOWN, &actor->thing_arena,
                            &stored_incident))
        operations_manager_restore_incident(actor->manager, &stored_incident);
    if (alert != 0 && !operations_manager_has_alert(actor->manager, alert) &&
        store_find_alert(store_of(self), alert, &actor->thing_arena, &stored_alert))
        operations_manager_restore_alert(actor->manager, &stored_alert);
    arena_reset(&actor->thing_arena);
}

static void write_incident_answer(const operations_answer_t *answer, bool opened,
                                  msgpack_sbuffer *out)
{
    schema_write_with(&incident_schema, answer->incident, opened ? 1 : 0, out);
    if (!opened)
        return;
    pack_string(out, "duplicate");
    pack_bool(out, answer->duplicate);
}

static void write_fired(const operations_answer_t *answer, msgpack_sbuffer *out)
{
    pack_map(out, 2);
    pack_string(out, "fired");
    pack_bool(out, answer->fired);
    pack_string(out, answer->fired ? "alert" : "reason");
    if (answer->fired)
        schema_write(&alert_schema, answer->alert, false, out);
    else
        pack_text(out, answer->reason);
}

static void write_answer(const operations_answer_t *answer, bool opened, msgpack_sbuffer *out)
{
    switch ((int)answer->type) {
    case ANSWER_INCIDENT:
        write_incident_answer(answer, opened, out);
        break;
    case ANSWER_ALERT:
        schema_write(&alert_schema, answer->alert, false, out);
        break;
    case ANSWER_FIRED:
        write_fired(answer, out);
        break;
    case ANSWER_POLICY:
        schema_write(&policy_schema, answer->policy, false, out);
        break;
    case ANSWER_RUNBOOK:
        schema_write(&runbook_schema, answer->runbook, false, out);
        break;
    case ANSWER_SILENCE:
        schema_write(&silence_schema, answer->silence, false, out);
        break;
    case ANSWER_OPS_METRICS:
        schema_write(&ops_metrics_schema, &answer->metrics, false, out);
        break;
    default:
        pack_nil(out);
    }
}

static status_t manage(step_t *self)
{
    operations_answer_t answer = {.type = ANSWER_NOTHING};
    bring_back(self);
    status_t status = operations_manager_do(self->actor->manager, self->command, self->actor->now,
                                            &answer, &self->error);
    if (status == STATUS_OK)
        write_answer(&answer, self->command->which == DO_INCIDENT_OPEN, self->out);
    return status;
}

/* -- questions to the store -- */

static status_t get_incident(step_t *self)
{
    const incident_change_t *asked = self->command->arguments;
    incident_t incident;
    if (!store_find_incident(store_of(self), asked->incident, 0, &self->actor->thing_arena,
                             &incident))
        return refuse(self, STATUS_NOT_FOUND, "there is no such incident");
    schema_write(&incident_schema, &incident, false, self->out);
    arena_reset(&self->actor->thing_arena);
    return STATUS_OK;
}

static status_t get_alert(step_t *self)
{
    const alert_act_t *asked = self->command->arguments;
    alert_t alert;
    if (!store_find_alert(store_of(self), asked->alert, &self->actor->thing_arena, &alert))
        return refuse(self, STATUS_NOT_FOUND, "there is no such alert");
    schema_write(&alert_schema, &alert, false, self->out);
    arena_reset(&self->actor->thing_arena);
    return STATUS_OK;
}

static status_t get_policy(step_t *self)
{
    const named_t *named = self->command->arguments;
    const policy_t *policy = operations_manager_policy(self->actor->manager, named->name);
    if (policy == NULL)
        return refuse(self, STATUS_NOT_FOUND, "there is no policy \"%.*s\"", (int)named->name.size,
                      named->name.data);
    schema_write(&policy_schema, policy, false, self->out);
    return STATUS_OK;
}

static status_t get_runbook(step_t *self)
{
    const named_t *named = self->command->arguments;
    const runbook_t *runbook = operations_manager_runbook(self->actor->manager, named->name);
    if (runbook == NULL)
        return refuse(self, STATUS_NOT_FOUND, "there is no runbook \"%.*s\"", (int)named->name.size,
                      named->name.data);
    schema_write(&runbook_schema, runbook, false, self->out);
    return STATUS_OK;
}

static status_t end_list(step_t *self, status_t status)
{
    if (status == STATUS_BAD_VALUE)
        refuse(self, status, "cursor: not one that was given out");
    return status;
}

static status_t list_incidents(step_t *self)
{
    return end_list(self,
                    store_list_incidents(store_of(self), self->command->arguments, self->out));
}

static status_t list_alerts(step_t *self)
{
    bool history = self->command->which == DO_ALERT_HISTORY;
    return end_list(
        self, store_list_alerts(store_of(self), self->command->arguments, history, self->out));
}

static status_t list_policies(step_t *self)
{
    return end_list(
        self, store_list_names(store_of(self), TABLE_POLICY, self->command->arguments, self->out));
}

static status_t list_runbooks(step_t *self)
{
    return end_list(
        self, store_list_names(store_of(self), TABLE_RUNBOOK, self->command->arguments, self->out));
}

static status_t list_silences(step_t *self)
{
    return end_list(self, store_list_silences(store_of(self), self->command->arguments, self->out));
}

static status_t list_audit(step_t *self)
{
    return end_list(self, store_list_audit(store_of(self), self->command->arguments, self->out));
}

/* -- dead letters -- */

static status_t list_letters(step_t *self)
{
    return end_list(self, store_list_letters(store_of(self), self->command->arguments, self->out));
}

static status_t resend_letters(step_t *self)
{
    const letter_act_t *asked = self->command->arguments;
    if ((asked->letter == 0) == (asked->name.data == NULL))
        return refuse(self, STATUS_BAD_VALUE, "letter: either that or the name of a channel");
    uint64_t count = operations_notices_resend(self->actor, asked);
    if (count == 0)
        return refuse(self, STATUS_NOT_FOUND, "there is no such dead letter");
    pack_map(self->out, 1);
    pack_string(self->out, "resent");
    pack_uint(self->out, count);
    return STATUS_OK;
}

/* -- publications -- */

static status_t events_heads(step_t *self)
{
    pack_map(self->out, FAMILY_STORED);
    for (family_t family = 0; family < FAMILY_STORED; family++) {
        pack_string(self->out, family_name(family));
        pack_uint(self->out, store_head(store_of(self), family).last);
    }
    return STATUS_OK;
}

static status_t events_since(step_t *self)
{
    const events_since_t *since = self->command->arguments;
    uint64_t oldest = 0;
    status_t status = store_since(store_of(self), since, self->out, &oldest);
    if (status == STATUS_GONE)
        refuse(self, status, "the oldest publication of this family still held is %llu",
               (unsigned long long)oldest);
    return status;
}

/* -- the store itself -- */

/*  Its answer comes when it is written. */
static status_t snapshot(step_t *self)
{
    const snapshot_t *asked = self->command->arguments;
    self->later = true;
    return operations_snapshot(self->actor, asked->path, &self->error);
}

/* -- SLOs: their definitions are kept here, what they count is known in the observability wing --
 */

static bool is_of_file(step_t *self, text_t name)
{
    const settings_t *settings = &self->actor->given->config->settings;
    for (uint32_t i = 0; i < settings->slo_count; i++)
        if (text_equal(settings->slos[i].name, name))
            return true;
    return false;
}

/*  `slo.get`, to be answered by the observability wing after what was sent to it before. */
static void ask_elsewhere(step_t *self, text_t name)
{
    msgpack_sbuffer question;
    msgpack_sbuffer_init(&question);
    pack_map(&question, 3);
    pack_string(&question, "do");
    pack_string(&question, "slo.get");
    pack_string(&question, "id");
    if (self->command->id.data == NULL)
        pack_nil(&question);
    else
        pack_raw(&question, self->command->id);
    pack_string(&question, "name");
    pack_text(&question, name);
    self->elsewhere = arena_copy(&self->actor->arena, (text_t){question.data, question.size});
    msgpack_sbuffer_destroy(&question);
}

static void tell_slo(step_t *self, bool put, text_t what)
{
    zmsg_t *mail = mail_new(MAIL_SLO);
    mail_add(mail, &(mail_slo_t){put}, sizeof(mail_slo_t));
    mail_add_text(mail, what);
    operations_send_later(self->actor, self->actor->given->observability, &mail);
}

static status_t put_slo(step_t *self)
{
    const slo_t *slo = self->command->arguments;
    if (is_of_file(self, slo->name))
        return refuse(self, STATUS_CONFLICT, "SLO \"%.*s\" is owned by the configuration file",
                      (int)slo->name.size, slo->name.data);
    slo_t stored;
    bool known =
        store_find_name(store_of(self), TABLE_SLO, slo->name, &self->actor->thing_arena, &stored);
    if (!known || !schema_equal(&slo_schema, slo, &stored)) {
        store_save(store_of(self), TABLE_SLO, slo);
        store_audit(store_of(self), &(audit_t){.time = self->actor->now.wall_s,
                                               .what = TEXT_OF("slo.put"),
                                               .subject = slo->name});
        msgpack_sbuffer packed;
        msgpack_sbuffer_init(&packed);
        schema_write(&slo_schema, slo, false, &packed);
        tell_slo(self, true, (text_t){packed.data, packed.size});
        msgpack_sbuffer_destroy(&packed);
    }
    arena_reset(&self->actor->thing_arena);
    ask_elsewhere(self, slo->name);
    return STATUS_OK;
}

static status_t delete_slo(step_t *self)
{
    const named_t *named = self->command->arguments;
    slo_t stored;
    if (is_of_file(self, named->name))
        return refuse(self, STATUS_CONFLICT, "SLO \"%.*s\" is owned by the configuration file",
                      (int)named->name.size, named->name.data);
    if (!store_find_name(store_of(self), TABLE_SLO, named->name, &self->actor->thing_arena,
                         &stored))
        return refuse(self, STATUS_NOT_FOUND, "there is no SLO \"%.*s\"", (int)named->name.size,
                      named->name.data);
    schema_write(&slo_schema, &stored, false, self->out);
    arena_reset(&self->actor->thing_arena);
    store_delete_name(store_of(self), TABLE_SLO, named->name);
    store_audit(store_of(self), &(audit_t){.time = self->actor->now.wall_s,
                                           .what = TEXT_OF("slo.delete"),
                                           .subject = named->name});
    tell_slo(self, false, named->name);
    return STATUS_OK;
}

/* -- all of them -- */

static status_t (*const handlers[DO_COUNT])(step_t *) = {
    [DO_SYSTEM_SNAPSHOT] = snapshot,
    [DO_EVENTS_HEADS] = events_heads,
    [DO_EVENTS_SINCE] = events_since,
    [DO_SLO_PUT] = put_slo,
    [DO_SLO_DELETE] = delete_slo,
    [DO_INCIDENT_OPEN] = manage,
    [DO_INCIDENT_GET] = get_incident,
    [DO_INCIDENT_LIST] = list_incidents,
    [DO_INCIDENT_UPDATE] = manage,
    [DO_INCIDENT_NOTE] = manage,
    [DO_INCIDENT_RESOLVE] = manage,
    [DO_INCIDENT_CLOSE] = manage,
    [DO_POLICY_PUT] = manage,
    [DO_POLICY_GET] = get_policy,
    [DO_POLICY_LIST] = list_policies,
    [DO_POLICY_DELETE] = manage,
    [DO_POLICY_ENABLE] = manage,
    [DO_POLICY_DISABLE] = manage,
    [DO_ALERT_FIRE] = manage,
    [DO_ALERT_GET] = get_alert,
    [DO_ALERT_LIST] = list_alerts,
    [DO_ALERT_HISTORY] = list_alerts,
    [DO_ALERT_ACK] = manage,
    [DO_ALERT_RESOLVE] = manage,
    [DO_RUNBOOK_PUT] = manage,
    [DO_RUNBOOK_GET] = get_runbook,
    [DO_RUNBOOK_LIST] = list_runbooks,
    [DO_RUNBOOK_DELETE] = manage,
    [DO_RUNBOOK_START] = manage,
    [DO_RUNBOOK_TICK] = manage,
    [DO_CHANNEL_DEAD_LETTERS] = list_letters,
    [DO_CHANNEL_RESEND] = resend_letters,
    [DO_SILENCE_PUT] = manage,
    [DO_SILENCE_LIST] = list_silences,
    [DO_SILENCE_DELETE] = manage,
    [DO_AUDIT_LIST] = list_audit,
    [DO_OPS_METRICS] = manage,
};

/*  An answer that was given before is given again. An empty one stands for what the observability
 * wing answers. */
static bool answer_again(step_t *self, bool *ok)
{
    text_t outcome;
    if (self->command->once.data == NULL ||
        !store_once_find(store_of(self), self->command->once, &self->actor->arena, ok, &outcome))
        return false;
    if (outcome.size > 0)
        pack_raw(self->out, outcome);
    else if (self->command->which == DO_SLO_PUT)
        ask_elsewhere(self, ((const slo_t *)self->command->arguments)->name);
    return true;
}

bool operations_changes(const command_t *command)
{
    return command->spec != NULL && (command->spec->changes || command->once.data != NULL);
}

/*  An answer is true only if everything could be read that it was made of. */
static status_t carry_out(step_t *self)
{
    must(handlers[self->command->which] != NULL);
    if (operations_changes(self->command) && !operations_writable(self->actor))
        return refuse(self, STATUS_UNAVAILABLE, "%s", store_reason(store_of(self)));
    status_t status = handlers[self->command->which](self);
    if (status == STATUS_OK && store_failed(store_of(self)))
        return refuse(self, STATUS_UNAVAILABLE, "%s", store_reason(store_of(self)));
    return status;
}

executed_t operations_execute(operations_t *self, const command_t *command)
{
    step_t step = {.actor = self, .command = command, .out = &self->outcome};
    bool ok = false;
    self->outcome.size = 0;
    if (answer_again(&step, &ok))
        return (executed_t){.ok = ok, .elsewhere = step.elsewhere};
    status_t status = carry_out(&step);
    ok = status == STATUS_OK;
    if (!ok) {
        self->outcome.size = 0;
        reply_error(status, step.error.message, &self->outcome);
    }
    if (command->once.data != NULL && status != STATUS_UNAVAILABLE)
        store_once_keep(self->given->store, command->once, self->now.wall_s, ok,
                        (text_t){self->outcome.data, self->outcome.size});
    FAILPOINT("operations.executed");
    return (executed_t){ok, status, step.elsewhere, ok && step.later};
}
