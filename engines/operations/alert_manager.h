/*  alert_manager - which alerts are there, and where does each stand?
 *
 *      pending ── `for` is over ──► firing ── a person ──► acknowledged
 *       │   │                        ▲ │                     ▲ │
 *       │   │                   data │ │ no data        data │ │ no data
 *       │   │                        │ ▼                     │ ▼
 *       │   └────── no data ──────► ┌─────────────────────────────┐
 *       │                           │           no_data           │
 *       ▼ clears: no trace          └─────────────────────────────┘
 *     (gone)
 *
 *      pending, firing, acknowledged, no_data ── it is over ──► resolved, which is final
 *
 *  An alert is a policy and the labels of a result. Its condition holds: it is pending, and fires
 *  when `for` is over. It is clear: a pending alert leaves no trace; a firing one is resolved
 *  after keep_firing_for, and one that holds again meanwhile goes on with one occurrence more.
 *  With a resolve condition, that one must hold and the condition not. No data: the policy's
 *  no_data says whether the alert stays as it is, with its clock standing still, goes to no_data,
 *  or is resolved. An alert fired by hand is ended by hand or with its policy only.
 *
 *  Owns     the active alerts; a resolved one, for as long as the step that names it
 *  Bounds   `alerts` active ones
 *  Time     of the effects; clocks run on mono_ns, and a restart is a pause in them
 *  Thread   one
 *  Refuses  not_found, bad_transition, limit
 *
 *  `value` is the last one known, `peak` the greatest while it was active.
 */
#ifndef ENGINES_ALERT_MANAGER_H
#define ENGINES_ALERT_MANAGER_H

#include "engines/observability/finding.h"
#include "engines/operations/alerting_policy.h"
#include "engines/operations/effects.h"
#include "engines/operations/incident_tracker.h"
#include "engines/operations/operational_metrics.h"
#include "engines/operations/silence_book.h"
#include "proto/command.h"
#include "proto/status.h"

typedef struct alert_manager alert_manager_t;

alert_manager_t *alert_manager_new(uint32_t alerts, uint64_t seed, effects_t *effects,
                                   operational_metrics_t *metrics, incident_tracker_t *incidents,
                                   policy_book_t *policies, silence_book_t *silences);
void alert_manager_destroy(alert_manager_t **self);

/*  When the process before this one was last known to live; before the alerts. */
void alert_manager_restore_end(alert_manager_t *self, double wall_s);
/*  From the store; an active one is counted, and its clock stands until its condition is heard of.
 * `policy` may be NULL: the alert is then resolved by alert_manager_start. */
void alert_manager_restore(alert_manager_t *self, const alert_t *stored, alerting_policy_t *policy);
/*  The last number given out. */
void alert_manager_number(alert_manager_t *self, uint64_t last);
void alert_manager_start(alert_manager_t *self);

/*  How a policy's condition, or its resolve condition, stands for one label set. */
void alert_manager_hear(alert_manager_t *self, alerting_policy_t *policy,
                        const plan_result_t *result);
void alert_manager_hear_resolve(alert_manager_t *self, alerting_policy_t *policy,
                                const plan_result_t *result);

/*  The policy cannot be evaluated: it is marked with the reason. It can again. */
void alert_manager_fail(alert_manager_t *self, alerting_policy_t *policy);
void alert_manager_mend(alert_manager_t *self, alerting_policy_t *policy);

/*  Let what is due happen; call it at `next` at the latest. */
void alert_manager_tick(alert_manager_t *self);
int64_t alert_manager_next(const alert_manager_t *self);

/*  The policy is about to change or to go: its alerts are over. */
void alert_manager_end_policy(alert_manager_t *self, alerting_policy_t *policy);

/*  A silence has come: it covers from now on what it takes. It has gone: it covers nothing more. */
void alert_manager_silence(alert_manager_t *self, const silence_t *silence);
void alert_manager_unsilence(alert_manager_t *self, uint64_t silence);

/* -- what persons do; `view` is a look until the next step -- */

/*  Fire an enabled policy. An active alert with those labels is answered instead. */
status_t alert_manager_fire(alert_manager_t *self, alerting_policy_t *policy,
                            const alert_fire_t *given, const alert_t **view, schema_error_t *error);
status_t alert_manager_acknowledge(alert_manager_t *self, const alert_act_t *act,
                                   const alert_t **view, schema_error_t *error);
status_t alert_manager_resolve(alert_manager_t *self, const alert_act_t *act, const alert_t **view,
                               schema_error_t *error);

/*  The command that named a resolved one is done. */
void alert_manager_dismiss(alert_manager_t *self);
/*  A new step begins: drop what was kept for the answer to the last one. */
void alert_manager_sweep(alert_manager_t *self);

/*  NULL: it does not live here. */
const alert_t *alert_manager_find(const alert_manager_t *self, uint64_t id);
/*  The active alerts in order of number; NULL at the end. Start with *at = 0. */
const alert_t *alert_manager_next_alert(const alert_manager_t *self, uint64_t *at);

#endif
