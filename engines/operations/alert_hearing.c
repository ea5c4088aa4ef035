#include "engines/operations/alert_inside.h"
#include "proto/must.h"
#include "proto/wording.h"

#include <math.h>

/*  Its condition holds from now on. Without `for` it fires when all that came with it is heard. */
static void raise_alert(alert_manager_t *self, alerting_policy_t *policy,
                        const plan_result_t *result)
{
    active_alert_t *alert = alert_begin(self, policy, result->labels, result->value, TEXT_NONE);
    if (alert == NULL)
        return;
    alert->holds = true;
    policy_book_refresh(self->policies);
    alert_run_clock(self, alert, policy->definition->for_s);
    if (policy->definition->for_s > 0)
        alert_save(self, alert);
}

static void take_value(active_alert_t *alert, double value)
{
    alert_t *view = alert->view;
    if (isnan(value))
        return;
    view->value = value;
    if (isnan(view->peak) || value > view->peak)
        view->peak = value;
}

/*  It fires or is acknowledged: is it over, soon over, or not? */
static void judge(alert_manager_t *self, active_alert_t *alert)
{
    const policy_t *policy = alert->policy->definition;
    bool has_resolve = policy->resolve_condition.data != NULL;
    bool over = !alert->holds && (!has_resolve || alert->resolves) && !alert->view->by_hand;
    bool was_over = active_alert_has_clock(alert);
    if (!alert->holds && has_resolve && !alert->resolve_known) {
        /* it may have held before the alert was there, and is said again only when it changes */
        alert->resolve_known = true;
        policy_book_ask_again(self->policies, alert->policy);
    }
    if (over && policy->keep_firing_for > 0) {
        alert_run_clock(self, alert, policy->keep_firing_for);
        alert_save(self, alert);
    } else if (over) {
        alert_move_by_itself(self, alert, ALERT_RESOLVED, "recovered");
    } else {
        alert->view->occurrences += was_over;
        alert_drop_clock(self, alert);
        alert_save(self, alert);
    }
}

/*  What fired, or was acknowledged, before it stood without data does so again. */
static void go_on(alert_manager_t *self, active_alert_t *alert)
{
    bool acknowledged = !isnan(alert->view->acknowledged_at);
    alert_move_by_itself(self, alert, acknowledged ? ALERT_ACKNOWLEDGED : ALERT_FIRING,
                         "data is back");
}

/*  It was without data, and there is data again. One that never fired and has to wait for its `for`
 * begins anew. */
static void return_to_data(alert_manager_t *self, active_alert_t *alert,
                           const plan_result_t *result)
{
    alerting_policy_t *policy = alert->policy;
    bool fired = !isnan(alert->view->fired_at);
    bool has_resolve = policy->definition->resolve_condition.data != NULL;
    bool stays = alert->holds || (fired && has_resolve && !alert->resolves);
    if (stays && (fired || policy->definition->for_s == 0)) {
        go_on(self, alert);
        return;
    }
    alert_move_by_itself(self, alert, ALERT_RESOLVED, "recovered");
    if (result->state == RESULT_HOLDS)
        raise_alert(self, policy, result);
}

static void hear_holds(alert_manager_t *self, active_alert_t *alert, const plan_result_t *result)
{
    alert->holds = true;
    take_value(alert, result->value);
    if (alert->view->state == ALERT_PENDING) {
        alert_run_clock(self, alert, alert->policy->definition->for_s);
        alert_save(self, alert);
    } else if (alert->view->state == ALERT_NO_DATA) {
        return_to_data(self, alert, result);
    } else {
        judge(self, alert);
    }
}

static void hear_clear(alert_manager_t *self, active_alert_t *alert, const plan_result_t *result)
{
    alert->holds = false;
    if (!isnan(result->value))
        alert->view->value = result->value;
    if (alert->view->state == ALERT_PENDING)
        alert_forget(self, alert);
    else if (alert->view->state == ALERT_NO_DATA)
        return_to_data(self, alert, result);
    else
        judge(self, alert);
}

void alert_hear_no_data(alert_manager_t *self, active_alert_t *alert)
{
    no_data_t rule = alert->policy->definition->no_data;
    bool pending = alert->view->state == ALERT_PENDING;
    if (rule == NO_DATA_KEEP || alert->view->by_hand) {
        active_alert_stand(alert, &self->ledger.deadlines, self->effects->now);
        alert_save(self, alert);
    } else if (rule == NO_DATA_FIRE && alert->view->state != ALERT_NO_DATA) {
        alert_move_by_itself(self, alert, ALERT_NO_DATA, "no data");
    } else if (rule == NO_DATA_RESOLVE && pending) {
        alert_forget(self, alert);
    } else if (rule == NO_DATA_RESOLVE) {
        alert_move_by_itself(self, alert, ALERT_RESOLVED, "no_data");
    }
}

/*  A label set that has no alert. */
static void hear_first(alert_manager_t *self, alerting_policy_t *policy,
                       const plan_result_t *result)
{
    if (result->state == RESULT_HOLDS) {
        raise_alert(self, policy, result);
    } else if (result->state == RESULT_NO_DATA && policy->definition->no_data == NO_DATA_FIRE) {
        active_alert_t *alert = alert_begin(self, policy, result->labels, NAN, TEXT_NONE);
        if (alert != NULL)
            alert_move(self, alert, ALERT_NO_DATA, -1, TEXT_NONE, TEXT_OF("no data"));
    }
}

/*  It was restored, and is heard of for the first time. */
void alert_greet(alert_manager_t *self, active_alert_t *alert)
{
    if (alert->unheard)
        deadlines_clear(&self->ledger.deadlines, alert->place);
    alert->unheard = false;
}

/*  Its time has come, and more is heard of it before the others that are due. */
static bool is_due(const alert_manager_t *self, const active_alert_t *alert)
{
    return alert->view->state == ALERT_PENDING && alert->clock_since != INSTANT_NEVER &&
           active_alert_clock_s(alert, self->effects->now) >= alert->policy->definition->for_s;
}

void alert_manager_hear(alert_manager_t *self, alerting_policy_t *policy,
                        const plan_result_t *result)
{
    active_alert_t *alert = alert_find_identical(self, policy, result->labels);
    if (alert != NULL && is_due(self, alert)) {
        alert_manager_tick(self);
        alert = alert_find_identical(self, policy, result->labels);
    }
    if (alert != NULL)
        alert_greet(self, alert);
    if (alert == NULL)
        hear_first(self, policy, result);
    else if (result->state == RESULT_HOLDS)
        hear_holds(self, alert, result);
    else if (result->state == RESULT_CLEAR)
        hear_clear(self, alert, result);
    else
        alert_hear_no_data(self, alert);
}

void alert_manager_hear_resolve(alert_manager_t *self, alerting_policy_t *policy,
                                const plan_result_t *result)
{
    active_alert_t *alert = alert_find_identical(self, policy, result->labels);
    if (alert == NULL || (result->state != RESULT_HOLDS && result->state != RESULT_CLEAR))
        return;
    alert->resolves = result->state == RESULT_HOLDS;
    alert->resolve_known = true;
    bool fires = alert->view->state == ALERT_FIRING || alert->view->state == ALERT_ACKNOWLEDGED;
    if (fires && !alert->unheard) /* after a restart its own condition has to be heard of first */
        judge(self, alert);
}

/* -- policies that cannot be evaluated: an alert without labels stands for that -- */

void alert_manager_fail(alert_manager_t *self, alerting_policy_t *policy)
{
    active_alert_t *alert = alert_find_identical(self, policy, LABELS_NONE);
    text_t words = words_in(&self->effects->scratch, "%.*s cannot be evaluated: %.*s",
                            WORDS(policy->definition->name), WORDS(policy->definition->error));
    if (alert == NULL) {
        alert = alert_begin(self, policy, LABELS_NONE, NAN, words);
        if (alert != NULL)
            alert_move(self, alert, ALERT_NO_DATA, -1, TEXT_NONE, words);
    } else if (alert->view->state != ALERT_NO_DATA && !alert->view->by_hand) {
        alert_move(self, alert, ALERT_NO_DATA, (int)alert->view->state, TEXT_NONE, words);
    }
}

void alert_manager_mend(alert_manager_t *self, alerting_policy_t *policy)
{
    active_alert_t *alert = alert_find_identical(self, policy, LABELS_NONE);
    if (alert == NULL || alert->view->state != ALERT_NO_DATA)
        return;
    if (isnan(alert->view->fired_at))
        alert_move_by_itself(self, alert, ALERT_RESOLVED, "recovered");
    else
        go_on(self, alert);
}
