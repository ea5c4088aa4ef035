/*  operations_manager - turns findings and commands into incidents and alerts.
 *
 *  Owns     everything that lives: policies, runbooks, silences, active alerts, unclosed
 *           incidents. What is closed or resolved lives in the store alone, and is put back with
 *           operations_manager_restore_* when a command names it
 *  Bounds   operations_config_t; at a limit: STATUS_LIMIT, nothing changed. What the store holds
 *           is let in, whatever the limits are now
 *  Time     handed in as `now`; timers run on mono_ns, what is shown on wall_s
 *  Thread   one at a time
 *  Refuses  not_found, bad_transition, conflict, limit, bad_value
 *
 *  What is to be done about a step comes out of the sink during the step, in order, each effect
 * with the thing as it is at that moment: rows to write, publications, plans to evaluate. The
 * caller makes one transaction of it, and answers and publishes after its commit. If the commit
 * fails, the manager is ahead of the store: the caller destroys it and restores a new one from what
 * is on disk.
 */
#ifndef ENGINES_OPERATIONS_MANAGER_H
#define ENGINES_OPERATIONS_MANAGER_H

#include "engines/observability/finding.h"
#include "engines/operations/effects.h"
#include "proto/command.h"
#include "proto/instant.h"
#include "proto/thing.h"

typedef struct {
    uint32_t policies;  /* default 10,000 */
    uint32_t runbooks;  /* default 1,000 */
    uint32_t alerts;    /* active ones, default 50,000 */
    uint32_t incidents; /* unclosed ones, default 200,000 */
    uint32_t silences;  /* default 1,000 */
    uint32_t notes;     /* of one incident, default 1,000 */
    uint64_t seed;      /* of the hash tables; changes no answer and no order */
} operations_config_t;

operations_config_t operations_config_default(void);

typedef struct operations_manager operations_manager_t;

operations_manager_t *operations_manager_new(const operations_config_t *config, effect_sink_t sink);
void operations_manager_destroy(operations_manager_t **self);

/* -- from the store, before start and again for a single thing that a command names. Copied; no
 * effects. An incident comes with its newest notes and timeline. A thing that lives already is left
 * as it is. -- */

void operations_manager_restore_incident(operations_manager_t *self, const incident_t *incident);
void operations_manager_restore_alert(operations_manager_t *self, const alert_t *alert);
void operations_manager_restore_policy(operations_manager_t *self, const policy_t *policy);
void operations_manager_restore_runbook(operations_manager_t *self, const runbook_t *runbook);
/*  Silences come before the alerts that they cover. */
void operations_manager_restore_silence(operations_manager_t *self, const silence_t *silence);

/*  When the process before this one was last known to live (NaN: nobody knows); before the alerts.
 */
void operations_manager_restore_end(operations_manager_t *self, double wall_s);
/*  The last numbers given out, and the metrics of all that was ever kept; once, before start. */
void operations_manager_restore_numbers(operations_manager_t *self, uint64_t incident,
                                        uint64_t alert, uint64_t silence);
/*  Count one stored incident or alert that does not live any more in the operational metrics. */
void operations_manager_count_incident(operations_manager_t *self, const incident_t *incident);
void operations_manager_count_alert(operations_manager_t *self, const alert_t *alert);
/*  Retention deleted it: count it no longer. */
void operations_manager_discount_incident(operations_manager_t *self, const incident_t *incident);
void operations_manager_discount_alert(operations_manager_t *self, const alert_t *alert);

/*  Everything is restored: put the plans of all enabled policies. A restart is a pause. */
void operations_manager_start(operations_manager_t *self, instant_t now);

/* -- the configuration file: what it owns. What it owned before and does not name any more is
 * deleted. Checked as a command would be; on a refusal nothing has changed and *wrong is the index
 * of the policy at fault. -- */

status_t operations_manager_own(operations_manager_t *self, const policy_t *policies,
                                size_t policy_count, const runbook_t *runbooks,
                                size_t runbook_count, texts_t channels, instant_t now,
                                size_t *wrong, schema_error_t *error);

/* -- one step -- */

typedef struct {
    enum {
        ANSWER_NOTHING,
        ANSWER_INCIDENT, /* with `duplicate` after incident.open */
        ANSWER_ALERT,
        ANSWER_FIRED, /* alert.fire: `fired`, and the alert or the reason */
        ANSWER_POLICY,
        ANSWER_RUNBOOK,
        ANSWER_SILENCE,
        ANSWER_OPS_METRICS
    } type;
    const incident_t *incident;
    const alert_t *alert;
    const policy_t *policy;
    const runbook_t *runbook;
    const silence_t *silence;
    ops_metrics_t metrics;
    bool duplicate, fired;
    text_t reason; /* why it was not fired */
} operations_answer_t;

/*  Carry out one command of the operations wing that changes state, or ops.metrics. What is due
 * happens before. The answer's pointers are looks until the next call. On a refusal nothing has
 * changed, and `error` says in words what was wrong. */
status_t operations_manager_do(operations_manager_t *self, const command_t *command, instant_t now,
                               operations_answer_t *answer, schema_error_t *error);

/*  A plan's result changed. Results of plans that are no more are ignored. What fires at once by
 * it, and what is to be said of incidents, is due now, and comes with everything else that is when
 * time passes: of an evaluation that ends a thousand alerts, their incident is told once. */
void operations_manager_result(operations_manager_t *self, const plan_result_t *result,
                               instant_t now);

/*  Let time pass; call it at `next` at the latest. */
void operations_manager_tick(operations_manager_t *self, instant_t now);
int64_t operations_manager_next(const operations_manager_t *self);
/*  Does the clock of an alert run, that a restart would pause? Then the moment is worth keeping. */
bool operations_manager_clock_runs(const operations_manager_t *self);

/* -- looks -- */

/*  Does this incident (alert) live in the manager? If not and the store has it, restore it before a
 * command that names it. */
bool operations_manager_has_incident(const operations_manager_t *self, uint64_t id);
bool operations_manager_has_alert(const operations_manager_t *self, uint64_t id);
const policy_t *operations_manager_policy(const operations_manager_t *self, text_t name);
const runbook_t *operations_manager_runbook(const operations_manager_t *self, text_t name);
void operations_manager_metrics(const operations_manager_t *self, ops_metrics_t *metrics);

/*  The active alerts in order of number, for the ALERTS series: start with *at = 0; false at the
 * end. */
bool operations_manager_next_alert(const operations_manager_t *self, uint64_t *at,
                                   const alert_t **alert);

#endif
