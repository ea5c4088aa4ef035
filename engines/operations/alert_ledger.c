#include "engines/operations/alert_ledger.h"

#include "engines/hash.h"

void alert_ledger_init(alert_ledger_t *self, uint32_t alerts, uint64_t seed)
{
    *self = (alert_ledger_t){.limit = alerts, .seed = seed};
    registry_init(&self->alerts, alerts, seed);
    table_init(&self->by_identity, alerts);
    deadlines_init(&self->deadlines, alerts);
}

void alert_ledger_free(alert_ledger_t *self)
{
    alert_ledger_dismiss(self);
    alert_ledger_sweep(self);
    uint64_t at = 0;
    for (active_alert_t *alert; (alert = registry_next(&self->alerts, &at)) != NULL;)
        active_alert_destroy(&alert);
    registry_free(&self->alerts);
    table_free(&self->by_identity);
    deadlines_free(&self->deadlines);
}

bool alert_ledger_full(const alert_ledger_t *self)
{
    return registry_count(&self->alerts) >= self->limit;
}

static uint64_t identity(const alert_ledger_t *self, text_t policy, labels_t labels)
{
    return hash_pair(self->seed, policy, labels.bytes, labels.size);
}

static uint64_t identity_of(const alert_ledger_t *self, const active_alert_t *alert)
{
    return identity(self, alert->view->policy, alert->view->result_labels);
}

/*  What is in the store is let in, whatever the limit is now. */
static void make_room(alert_ledger_t *self)
{
    if (!registry_full(&self->alerts))
        return;
    uint32_t more = 2 * self->alerts.limit + 1;
    registry_grow(&self->alerts, more);
    table_grow(&self->by_identity, more);
    deadlines_grow(&self->deadlines, more);
}

void alert_ledger_enter(alert_ledger_t *self, active_alert_t *alert)
{
    make_room(self);
    alert->place = registry_add(&self->alerts, alert->view->id, alert);
    table_add(&self->by_identity, identity_of(self, alert), alert->place);
    alerting_policy_t *policy = alert->policy;
    if (policy == NULL)
        return;
    alert->previous = policy->last;
    *(policy->last == NULL ? &policy->first : &policy->last->next) = alert;
    policy->last = alert;
}

static void put_over(alert_ledger_t *self, active_alert_t *alert)
{
    alert->next = self->over;
    self->over = alert;
}

void alert_ledger_leave(alert_ledger_t *self, active_alert_t *alert)
{
    alerting_policy_t *policy = alert->policy;
    if (policy != NULL) {
        *(alert->previous == NULL ? &policy->first : &alert->previous->next) = alert->next;
        *(alert->next == NULL ? &policy->last : &alert->next->previous) = alert->previous;
    }
    deadlines_clear(&self->deadlines, alert->place);
    table_remove(&self->by_identity, identity_of(self, alert), alert->place);
    registry_remove(&self->alerts, alert->view->id);
    put_over(self, alert);
}

void alert_ledger_invite(alert_ledger_t *self, active_alert_t *alert)
{
    alert_ledger_dismiss(self);
    self->guest = alert;
}

void alert_ledger_dismiss(alert_ledger_t *self)
{
    if (self->guest != NULL)
        put_over(self, self->guest);
    self->guest = NULL;
}

void alert_ledger_sweep(alert_ledger_t *self)
{
    for (active_alert_t *alert = self->over; alert != NULL;) {
        active_alert_t *next = alert->next;
        active_alert_destroy(&alert);
        alert = next;
    }
    self->over = NULL;
}

active_alert_t *alert_ledger_find(const alert_ledger_t *self, uint64_t id)
{
    if (self->guest != NULL && self->guest->view->id == id)
        return self->guest;
    return registry_find(&self->alerts, id);
}

active_alert_t *alert_ledger_identical(const alert_ledger_t *self, text_t policy,
                                       labels_t result_labels)
{
    uint32_t probe = 0, place;
    uint64_t hash = identity(self, policy, result_labels);
    while ((place = table_next(&self->by_identity, hash, &probe)) != 0) {
        active_alert_t *alert = registry_at(&self->alerts, place);
        if (text_equal(alert->view->policy, policy) &&
            labels_equal(alert->view->result_labels, result_labels))
            return alert;
    }
    return NULL;
}

active_alert_t *alert_ledger_next(const alert_ledger_t *self, uint64_t *at)
{
    return registry_next(&self->alerts, at);
}
