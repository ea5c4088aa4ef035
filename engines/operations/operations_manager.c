#include "engines/operations/operations_inside.h"
#include "proto/must.h"

#include <stdlib.h>

operations_config_t operations_config_default(void)
{
    return (operations_config_t){.policies = 10000,
                                 .runbooks = 1000,
                                 .alerts = 50000,
                                 .incidents = 200000,
                                 .silences = 1000,
                                 .notes = NOTES_MAX};
}

operations_manager_t *operations_manager_new(const operations_config_t *config, effect_sink_t sink)
{
    operations_manager_t *self = memory_new(1, sizeof *self);
    self->effects.sink = sink;
    arena_init(&self->effects.scratch);
    operational_metrics_init(&self->metrics);
    runbook_library_init(&self->runbooks, config->runbooks, config->seed);
    self->policies = policy_book_new(config->policies, config->seed, &self->effects);
    self->incidents = incident_tracker_new(config->incidents, config->notes, config->seed,
                                           &self->effects, &self->metrics);
    self->silences = silence_book_new(config->silences, config->seed, &self->effects);
    self->alerts = alert_manager_new(config->alerts, config->seed, &self->effects, &self->metrics,
                                     self->incidents, self->policies, self->silences);
    return self;
}

void operations_manager_destroy(operations_manager_t **self)
{
    if (*self == NULL)
        return;
    alert_manager_destroy(&(*self)->alerts);
    silence_book_destroy(&(*self)->silences);
    incident_tracker_destroy(&(*self)->incidents);
    policy_book_destroy(&(*self)->policies);
    runbook_library_free(&(*self)->runbooks);
    operational_metrics_free(&(*self)->metrics);
    arena_free(&(*self)->effects.scratch);
    kept_drop(&(*self)->gone);
    free(*self);
    *self = NULL;
}

/* -- from the store -- */

void operations_manager_restore_incident(operations_manager_t *self, const incident_t *incident)
{
    incident_tracker_restore(self->incidents, incident);
}

void operations_manager_restore_alert(operations_manager_t *self, const alert_t *alert)
{
    alert_manager_restore(self->alerts, alert, policy_book_find(self->policies, alert->policy));
}

void operations_manager_restore_policy(operations_manager_t *self, const policy_t *policy)
{
    policy_book_restore(self->policies, policy);
}

void operations_manager_restore_runbook(operations_manager_t *self, const runbook_t *runbook)
{
    if (runbook_library_find(&self->runbooks, runbook->name) == NULL)
        runbook_library_put(&self->runbooks, runbook);
}

void operations_manager_restore_silence(operations_manager_t *self, const silence_t *silence)
{
    silence_book_restore(self->silences, silence);
}

void operations_manager_restore_end(operations_manager_t *self, double wall_s)
{
    alert_manager_restore_end(self->alerts, wall_s);
}

void operations_manager_restore_numbers(operations_manager_t *self, uint64_t incident,
                                        uint64_t alert, uint64_t silence)
{
    incident_tracker_number(self->incidents, incident);
    alert_manager_number(self->alerts, alert);
    silence_book_number(self->silences, silence);
}

void operations_manager_count_incident(operations_manager_t *self, const incident_t *incident)
{
    operational_metrics_count_incident(&self->metrics, incident);
}

void operations_manager_count_alert(operations_manager_t *self, const alert_t *alert)
{
    operational_metrics_count_alert(&self->metrics, alert);
}

void operations_manager_discount_incident(operations_manager_t *self, const incident_t *incident)
{
    operational_metrics_discount_incident(&self->metrics, incident);
}

void operations_manager_discount_alert(operations_manager_t *self, const alert_t *alert)
{
    operational_metrics_discount_alert(&self->metrics, alert);
}

/* -- steps -- */

void operations_begin_step(operations_manager_t *self, instant_t now)
{
    self->effects.now = now;
    arena_reset(&self->effects.scratch);
    alert_manager_sweep(self->alerts);
    incident_tracker_sweep(self->incidents);
    kept_drop(&self->gone);
}

void operations_end_step(operations_manager_t *self)
{
    incident_tracker_settle(self->incidents);
}

void operations_manager_start(operations_manager_t *self, instant_t now)
{
    operations_begin_step(self, now);
    silence_book_start(self->silences);
    alert_manager_start(self->alerts);
    policy_book_start(self->policies);
    operations_end_step(self);
}

/*  A policy that errs is marked, and stops no other. */
static void hear(operations_manager_t *self, alerting_policy_t *policy, const plan_result_t *result)
{
    bool errs = result->state == RESULT_ERROR;
    bool changed = policy_book_mark(self->policies, policy, errs ? result->error : TEXT_NONE);
    if (errs)
        alert_manager_fail(self->alerts, policy);
    else if (changed)
        alert_manager_mend(self->alerts, policy);
    if (!errs && result->plan == policy->definition->plan)
        alert_manager_hear(self->alerts, policy, result);
    else if (!errs)
        alert_manager_hear_resolve(self->alerts, policy, result);
}

void operations_manager_result(operations_manager_t *self, const plan_result_t *result,
                               instant_t now)
{
    operations_begin_step(self, now);
    alerting_policy_t *policy = policy_book_of_plan(self->policies, result->plan);
    if (policy != NULL)
        hear(self, policy, result);
}

void operations_end_silence(operations_manager_t *self, uint64_t id, text_t by, text_t why)
{
    silence_book_end(self->silences, id, by, why);
    alert_manager_unsilence(self->alerts, id);
}

void operations_pass_time(operations_manager_t *self)
{
    for (uint64_t over; (over = silence_book_due(self->silences)) != 0;)
        operations_end_silence(self, over, TEXT_NONE, TEXT_OF("its time is over"));
    alert_manager_tick(self->alerts);
    operations_end_step(self);
}

void operations_manager_tick(operations_manager_t *self, instant_t now)
{
    operations_begin_step(self, now);
    operations_pass_time(self);
}

bool operations_manager_clock_runs(const operations_manager_t *self)
{
    return alert_manager_next(self->alerts) != INSTANT_NEVER;
}

int64_t operations_manager_next(const operations_manager_t *self)
{
    if (!incident_tracker_is_settled(self->incidents))
        return self->effects.now.mono_ns;
    int64_t alert = alert_manager_next(self->alerts);
    int64_t silence = silence_book_next(self->silences);
    return alert < silence ? alert : silence;
}

/* -- looks -- */

bool operations_manager_has_incident(const operations_manager_t *self, uint64_t id)
{
    return incident_tracker_find(self->incidents, id) != NULL;
}

bool operations_manager_has_alert(const operations_manager_t *self, uint64_t id)
{
    return alert_manager_find(self->alerts, id) != NULL;
}

const policy_t *operations_manager_policy(const operations_manager_t *self, text_t name)
{
    const alerting_policy_t *policy = policy_book_find(self->policies, name);
    return policy == NULL ? NULL : policy->definition;
}

const runbook_t *operations_manager_runbook(const operations_manager_t *self, text_t name)
{
    return runbook_library_find(&self->runbooks, name);
}

void operations_manager_metrics(const operations_manager_t *self, ops_metrics_t *metrics)
{
    operational_metrics_read(&self->metrics, metrics);
}

bool operations_manager_next_alert(const operations_manager_t *self, uint64_t *at,
                                   const alert_t **alert)
{
    *alert = alert_manager_next_alert(self->alerts, at);
    return *alert != NULL;
}
