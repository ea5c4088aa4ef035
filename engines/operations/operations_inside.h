/*  operations_inside - what the files of the operations manager share. Private to it.
 *
 *    operations_manager   life, the store, steps, looks
 *    operations_commands  what each command does
 *    operations_file      what the configuration file owns
 */
#ifndef ENGINES_OPERATIONS_INSIDE_H
#define ENGINES_OPERATIONS_INSIDE_H

#include "engines/operations/alert_manager.h"
#include "engines/operations/alerting_policy.h"
#include "engines/operations/incident_tracker.h"
#include "engines/operations/operational_metrics.h"
#include "engines/operations/operations_manager.h"
#include "engines/operations/runbook_library.h"
#include "engines/operations/silence_book.h"

struct operations_manager {
    effects_t effects;
    operational_metrics_t metrics;
    runbook_library_t runbooks;
    policy_book_t *policies;
    incident_tracker_t *incidents;
    silence_book_t *silences;
    alert_manager_t *alerts;
    kept_t gone; /* what was deleted last, for the answer */
};

/*  Between these two everything of one step happens. */
void operations_begin_step(operations_manager_t *self, instant_t now);
void operations_end_step(operations_manager_t *self);
void operations_pass_time(operations_manager_t *self);
void operations_end_silence(operations_manager_t *self, uint64_t id, text_t by, text_t why);

/*  Put what was checked: of a policy that changes the alerts are over. `what` is for the audit. */
const policy_t *operations_put_policy(operations_manager_t *self, const policy_t *policy,
                                      text_t what);
void operations_delete_policy(operations_manager_t *self, alerting_policy_t *policy);
const runbook_t *operations_put_runbook(operations_manager_t *self, const runbook_t *runbook);
void operations_delete_runbook(operations_manager_t *self, const runbook_t *runbook);

#endif
