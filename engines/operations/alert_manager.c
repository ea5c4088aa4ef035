#include "engines/operations/alert_inside.h"
#include "proto/must.h"
#include "proto/wording.h"

#include <math.h>
#include <stdlib.h>

/* -- life -- */

alert_manager_t *alert_manager_new(uint32_t alerts, uint64_t seed, effects_t *effects,
                                   operational_metrics_t *metrics, incident_tracker_t *incidents,
                                   policy_book_t *policies, silence_book_t *silences)
{
    alert_manager_t *self = memory_new(1, sizeof *self);
    alert_ledger_init(&self->ledger, alerts, seed);
    self->labels = memory_new(1, LABELS_MAX_BYTES);
    self->effects = effects;
    self->metrics = metrics;
    self->incidents = incidents;
    self->policies = policies;
    self->silences = silences;
    self->ended_at = NAN;
    return self;
}

void alert_manager_destroy(alert_manager_t **self)
{
    alert_ledger_free(&(*self)->ledger);
    free((*self)->labels);
    free(*self);
    *self = NULL;
}

void alert_manager_number(alert_manager_t *self, uint64_t last)
{
    if (last > self->last)
        self->last = last;
}

void alert_manager_sweep(alert_manager_t *self)
{
    alert_ledger_sweep(&self->ledger);
}

void alert_manager_dismiss(alert_manager_t *self)
{
    alert_ledger_dismiss(&self->ledger);
}

const alert_t *alert_manager_find(const alert_manager_t *self, uint64_t id)
{
    const active_alert_t *alert = alert_ledger_find(&self->ledger, id);
    return alert == NULL ? NULL : alert->view;
}

const alert_t *alert_manager_next_alert(const alert_manager_t *self, uint64_t *at)
{
    const active_alert_t *alert = alert_ledger_next(&self->ledger, at);
    return alert == NULL ? NULL : alert->view;
}

/* -- time -- */

static void fire(alert_manager_t *self, active_alert_t *alert, text_t by, text_t cause)
{
    /* an alert that waits for nothing was never seen pending */
    bool was_seen = alert->policy->definition->for_s > 0 && !alert->view->by_hand;
    alert_move(self, alert, ALERT_FIRING, was_seen ? ALERT_PENDING : -1, by, cause);
}

static void come_due(alert_manager_t *self, active_alert_t *alert)
{
    if (alert->unheard) {
        alert_greet(self, alert);
        alert_hear_no_data(self, alert);
    } else if (alert->view->state == ALERT_PENDING) {
        fire(self, alert, TEXT_NONE, alert->policy->definition->condition);
    } else {
        alert_move_by_itself(self, alert, ALERT_RESOLVED, "recovered");
    }
}

void alert_manager_tick(alert_manager_t *self)
{
    uint32_t place;
    while ((place = deadlines_take(&self->ledger.deadlines, self->effects->now.mono_ns)) != 0) {
        arena_reset(&self->effects->scratch); /* thousands may be due at once */
        come_due(self, registry_at(&self->ledger.alerts, place));
    }
}

int64_t alert_manager_next(const alert_manager_t *self)
{
    return deadlines_next(&self->ledger.deadlines);
}

/* -- the store -- */

/*  How far its clock was when the process ended: a restart is a pause. */
static double clock_at_the_end(const alert_manager_t *self, const alert_t *stored)
{
    double more_s = self->ended_at - stored->clock_at;
    return more_s > 0 ? stored->clock_s + more_s : stored->clock_s; /* NaN is not > 0 */
}

void alert_manager_restore(alert_manager_t *self, const alert_t *stored, alerting_policy_t *policy)
{
    if (alert_ledger_find(&self->ledger, stored->id) != NULL)
        return;
    active_alert_t *alert = active_alert_new(stored, policy);
    if (stored->state == ALERT_RESOLVED) {
        alert_ledger_invite(&self->ledger, alert);
        return;
    }
    alert->clock_s = clock_at_the_end(self, stored);
    alert->holds = !active_alert_has_clock(alert);
    alert->unheard = true;
    alert_ledger_enter(&self->ledger, alert);
    operational_metrics_count_alert(self->metrics, alert->view);
    for (size_t i = 0; i < stored->silenced_by.count; i++)
        silence_book_cover(self->silences, stored->silenced_by.items[i]);
    if (stored->incident != 0)
        incident_tracker_restore_alert(self->incidents, stored->incident);
    alert_manager_number(self, stored->id);
}

void alert_manager_restore_end(alert_manager_t *self, double wall_s)
{
    self->ended_at = wall_s;
}

/*  What is not heard of for its policy's lookback from now on has no data. A clock that ran stands
 * until then, also in the store. */
static void wait_for_data(alert_manager_t *self, active_alert_t *alert)
{
    deadlines_set(&self->ledger.deadlines, alert->place,
                  self->effects->now.mono_ns + ns_of(alert->policy->definition->lookback),
                  alert->view->id);
    if (!isnan(alert->view->clock_at))
        alert_write_row(self, alert);
}

void alert_manager_start(alert_manager_t *self)
{
    uint64_t at = 0;
    for (active_alert_t *alert; (alert = alert_ledger_next(&self->ledger, &at)) != NULL;)
        if (alert->policy == NULL)
            alert_move_by_itself(self, alert, ALERT_RESOLVED, "policy_changed");
        else
            wait_for_data(self, alert);
}

void alert_manager_end_policy(alert_manager_t *self, alerting_policy_t *policy)
{
    while (policy->first != NULL)
        if (policy->first->view->state == ALERT_PENDING)
            alert_forget(self, policy->first);
        else
            alert_move_by_itself(self, policy->first, ALERT_RESOLVED, "policy_changed");
}

/* -- what persons do -- */

status_t alert_manager_fire(alert_manager_t *self, alerting_policy_t *policy,
                            const alert_fire_t *given, const alert_t **view, schema_error_t *error)
{
    char id[NUMBERED_BYTES];
    active_alert_t *alert = alert_find_identical(self, policy, given->labels);
    if (alert != NULL) {
        alert->view->occurrences++;
        alert_save(self, alert);
    } else {
        alert = alert_begin(self, policy, given->labels, NAN, given->message);
        if (alert == NULL)
            return refuse_with(error, STATUS_LIMIT, "there are %u active alerts, the limit",
                               self->ledger.limit);
        alert->view->by_hand = true;
        fire(self, alert, TEXT_NONE, TEXT_OF("by hand"));
    }
    effects_audit(self->effects, TEXT_NONE, TEXT_OF("alert.fire"),
                  numbered(id, "ALT-", alert->view->id), TEXT_NONE, policy->definition->name);
    *view = alert->view;
    return STATUS_OK;
}

static void add_note(alert_manager_t *self, active_alert_t *alert, const alert_act_t *act)
{
    if (act->note.size == 0)
        return;
    alert_t next = *alert->view;
    note_t *notes = arena_take(&self->effects->scratch, (next.notes_shown + 1) * sizeof *notes);
    for (uint32_t i = 0; i < next.notes_shown; i++)
        notes[i] = next.notes[i];
    notes[next.notes_shown++] = (note_t){self->effects->now.wall_s, act->by, act->note};
    next.notes = notes;
    next.notes_count++;
    active_alert_put(alert, &next);
    effects_add(self->effects,
                (effect_t){.type = EFFECT_NOTE_ALERT,
                           .as.note = {next.id, next.notes_count, &notes[next.notes_shown - 1]}});
}

/*  A person moves it. `allowed`: from which state it may, ALERT_STATE_COUNT: from any active one.
 */
static status_t move_by_hand(alert_manager_t *self, const alert_act_t *act, alert_state_t allowed,
                             alert_state_t to, text_t what, active_alert_t **alert,
                             schema_error_t *error)
{
    char id[NUMBERED_BYTES];
    text_t subject = numbered(id, "ALT-", act->alert);
    *alert = alert_ledger_find(&self->ledger, act->alert);
    if (*alert == NULL)
        return refuse_with(error, STATUS_NOT_FOUND, "there is no alert %.*s", WORDS(subject));
    alert_state_t from = (*alert)->view->state;
    if (!alert_may_move(from, to) || (allowed != ALERT_STATE_COUNT && from != allowed))
        return refuse_with(error, STATUS_BAD_TRANSITION, "%.*s is %s and cannot become %s",
                           WORDS(subject), alert_state_words[from], alert_state_words[to]);
    add_note(self, *alert, act);
    effects_audit(self->effects, act->by, what, subject, text_of(alert_state_words[from]),
                  text_of(alert_state_words[to]));
    alert_move(self, *alert, to, (int)from, act->by, TEXT_OF("by_hand"));
    return STATUS_OK;
}

status_t alert_manager_acknowledge(alert_manager_t *self, const alert_act_t *act,
                                   const alert_t **view, schema_error_t *error)
{
    active_alert_t *alert;
    status_t status = move_by_hand(self, act, ALERT_FIRING, ALERT_ACKNOWLEDGED,
                                   TEXT_OF("alert.ack"), &alert, error);
    if (status == STATUS_OK)
        *view = alert->view;
    return status;
}

status_t alert_manager_resolve(alert_manager_t *self, const alert_act_t *act, const alert_t **view,
                               schema_error_t *error)
{
    active_alert_t *alert;
    status_t status = move_by_hand(self, act, ALERT_STATE_COUNT, ALERT_RESOLVED,
                                   TEXT_OF("alert.resolve"), &alert, error);
    if (status == STATUS_OK)
        *view = alert->view;
    return status;
}
