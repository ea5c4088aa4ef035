#include "broker/mail.h"
#include "broker/operations_inside.h"
#include "proto/must.h"
#include "proto/pack.h"

#include <stdio.h>

/* -- publications -- */

/*  Number it, keep it in this transaction, and send it after the commit. */
static void publish(operations_t *self, const publication_t *publication)
{
    char topic[PUBLICATION_TOPIC_MAX + 1];
    text_t name = {topic, publication_topic(publication, topic)};
    family_t family = publication_type_family(publication->type);
    mail_number_t number = {.family = family, .seq = store_next_number(self->given->store, family)};
    self->body.size = 0;
    publication_encode(publication, number.seq, text_of(self->given->source), &self->body);
    store_keep(self->given->store, family, number.seq, publication->time_s, name,
               (text_t){self->body.data, self->body.size});
    zmsg_t *mail = mail_new(MAIL_PUBLISH);
    mail_add(mail, &number, sizeof number);
    mail_add_text(mail, name);
    mail_add_buffer(mail, &self->body);
    operations_send_later(self, self->reactor, &mail);
}

static text_t write_id(char *out, size_t size, const char *prefix, uint64_t id)
{
    int length = snprintf(out, size, "%s%llu", prefix, (unsigned long long)id);
    must(length > 0 && (size_t)length < size);
    return (text_t){out, (size_t)length};
}

/*  The thing, and from what to what its state went where it changed. */
static text_t write_data(operations_t *self, const schema_t *schema, const void *thing,
                         const char *const *words, int from, int to)
{
    self->data.size = 0;
    if (from < 0 && to < 0) {
        schema_write(schema, thing, false, &self->data);
    } else {
        schema_write_with(schema, thing, 2, &self->data);
        pack_string(&self->data, "from");
        pack_string(&self->data, from < 0 ? NULL : words[from]);
        pack_string(&self->data, "to");
        pack_string(&self->data, to < 0 ? NULL : words[to]);
    }
    return (text_t){self->data.data, self->data.size};
}

static void publish_alert(operations_t *self, const effect_t *effect)
{
    const alert_t *alert = effect->as.publish.alert;
    char correlation[32];
    publication_t publication = {
        .type = effect->as.publish.type,
        .time_s = effect->now.wall_s,
        .subject = alert->policy,
        .severity = alert->severity,
        .correlation = alert->incident != 0
                           ? write_id(correlation, sizeof correlation, "INC-", alert->incident)
                           : write_id(correlation, sizeof correlation, "ALT-", alert->id),
        .data = write_data(self, &alert_schema, alert, alert_state_words, effect->as.publish.from,
                           effect->as.publish.to)};
    publish(self, &publication);
    if (publication.type == PUBLISH_ALERT_FIRING || publication.type == PUBLISH_ALERT_NO_DATA)
        operations_notices_fire(self, alert);
    else
        operations_notices_refresh(self, alert);
}

static void publish_incident(operations_t *self, const effect_t *effect)
{
    const incident_t *incident = effect->as.publish.incident;
    char id[32];
    text_t name = write_id(id, sizeof id, "INC-", incident->id);
    publication_t publication = {.type = effect->as.publish.type,
                                 .time_s = effect->now.wall_s,
                                 .subject = name,
                                 .severity = incident->severity,
                                 .correlation = name,
                                 .data = write_data(self, &incident_schema, incident,
                                                    incident_status_words, effect->as.publish.from,
                                                    effect->as.publish.to)};
    publish(self, &publication);
}

/* -- rows -- */

static void save_incident(operations_t *self, const effect_t *effect)
{
    store_save(self->given->store, TABLE_INCIDENT, effect->as.incident);
}

static void save_alert(operations_t *self, const effect_t *effect)
{
    store_save(self->given->store, TABLE_ALERT, effect->as.alert);
    operations_notices_refresh(self, effect->as.alert);
}

static void forget_alert(operations_t *self, const effect_t *effect)
{
    store_delete_alert(self->given->store, effect->as.id);
}

static void note_incident(operations_t *self, const effect_t *effect)
{
    store_note_incident(self->given->store, effect->as.note.id, effect->as.note.number,
                        effect->as.note.note);
}

static void note_alert(operations_t *self, const effect_t *effect)
{
    store_note_alert(self->given->store, effect->as.note.id, effect->as.note.number,
                     effect->as.note.note);
}

static void add_move(operations_t *self, const effect_t *effect)
{
    store_move(self->given->store, effect->as.move.id, effect->as.move.number,
               effect->as.move.move);
}

static void save_policy(operations_t *self, const effect_t *effect)
{
    store_save(self->given->store, TABLE_POLICY, effect->as.policy);
}

static void delete_policy(operations_t *self, const effect_t *effect)
{
    store_delete_name(self->given->store, TABLE_POLICY, effect->as.name);
}

static void save_runbook(operations_t *self, const effect_t *effect)
{
    store_save(self->given->store, TABLE_RUNBOOK, effect->as.runbook);
}

static void delete_runbook(operations_t *self, const effect_t *effect)
{
    store_delete_name(self->given->store, TABLE_RUNBOOK, effect->as.name);
}

static void save_silence(operations_t *self, const effect_t *effect)
{
    store_save(self->given->store, TABLE_SILENCE, effect->as.silence);
}

static void delete_silence(operations_t *self, const effect_t *effect)
{
    store_delete_silence(self->given->store, effect->as.id);
}

static void add_audit(operations_t *self, const effect_t *effect)
{
    store_audit(self->given->store, &(audit_t){.time = effect->now.wall_s,
                                               .by = effect->as.audit.by,
                                               .what = effect->as.audit.what,
                                               .subject = effect->as.audit.subject,
                                               .from = effect->as.audit.from,
                                               .to = effect->as.audit.to});
}

/* -- plans -- */

static void put_plan(operations_t *self, const effect_t *effect)
{
    mail_plan_t plan = {.id = effect->as.plan.id,
                        .interval_s = effect->as.plan.interval_s,
                        .lookback_s = effect->as.plan.lookback_s};
    zmsg_t *mail = mail_new(MAIL_PLAN);
    mail_add(mail, &plan, sizeof plan);
    mail_add_text(mail, effect->as.plan.condition);
    operations_send_later(self, self->given->observability, &mail);
}

static void delete_plan(operations_t *self, const effect_t *effect)
{
    mail_plan_t plan = {.id = effect->as.id};
    zmsg_t *mail = mail_new(MAIL_PLAN);
    mail_add(mail, &plan, sizeof plan);
    operations_send_later(self, self->given->observability, &mail);
}

static void (*const handlers[EFFECT_COUNT])(operations_t *, const effect_t *) = {
    [EFFECT_PUBLISH_ALERT] = publish_alert,
    [EFFECT_PUBLISH_INCIDENT] = publish_incident,
    [EFFECT_SAVE_INCIDENT] = save_incident,
    [EFFECT_SAVE_ALERT] = save_alert,
    [EFFECT_FORGET_ALERT] = forget_alert,
    [EFFECT_NOTE_INCIDENT] = note_incident,
    [EFFECT_NOTE_ALERT] = note_alert,
    [EFFECT_MOVE] = add_move,
    [EFFECT_SAVE_POLICY] = save_policy,
    [EFFECT_DELETE_POLICY] = delete_policy,
    [EFFECT_SAVE_RUNBOOK] = save_runbook,
    [EFFECT_DELETE_RUNBOOK] = delete_runbook,
    [EFFECT_SAVE_SILENCE] = save_silence,
    [EFFECT_DELETE_SILENCE] = delete_silence,
    [EFFECT_AUDIT] = add_audit,
    [EFFECT_PLAN_PUT] = put_plan,
    [EFFECT_PLAN_DELETE] = delete_plan,
};

void operations_take_effect(void *context, const effect_t *effect)
{
    must(effect->type < EFFECT_COUNT && handlers[effect->type] != NULL);
    handlers[effect->type](context, effect);
}
