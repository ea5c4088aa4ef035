/*  alert_inside - what the files of the alert manager share. Private to it.
 *
 *    alert_manager  who lives, time, persons, the store
 *    alert_moves    how an alert begins, moves and is kept quiet, and what comes out of that
 *    alert_hearing  what the results of conditions do to alerts
 */
#ifndef ENGINES_ALERT_INSIDE_H
#define ENGINES_ALERT_INSIDE_H

#include "engines/operations/alert_ledger.h"
#include "engines/operations/alert_manager.h"

struct alert_manager {
    alert_ledger_t ledger;
    uint64_t last;
    uint8_t *labels; /* room to merge labels in */
    effects_t *effects;
    operational_metrics_t *metrics;
    incident_tracker_t *incidents;
    policy_book_t *policies;
    silence_book_t *silences;
    double ended_at; /* when the process before this one was last known to live; NaN */
};

/*  Is such a move drawn? */
bool alert_may_move(alert_state_t from, alert_state_t to);

/*  A pending alert that nobody has seen yet; NULL, and counted, when there is no room. `message`
 * instead of the policy's, if it is given. */
active_alert_t *alert_begin(alert_manager_t *self, alerting_policy_t *policy, labels_t labels,
                            double value, text_t message);
/*  The one place in which a state changes. `shown` is the state it is said to come from; -1: none.
 */
void alert_move(alert_manager_t *self, active_alert_t *alert, alert_state_t to, int shown,
                text_t by, text_t cause);
void alert_move_by_itself(alert_manager_t *self, active_alert_t *alert, alert_state_t to,
                          const char *cause);
/*  It was pending, and leaves no trace. */
void alert_forget(alert_manager_t *self, active_alert_t *alert);

/*  It has changed: have its row written. The other leaves updated_at as it is. */
void alert_save(alert_manager_t *self, active_alert_t *alert);
void alert_write_row(alert_manager_t *self, active_alert_t *alert);

active_alert_t *alert_find_identical(const alert_manager_t *self, const alerting_policy_t *policy,
                                     labels_t labels);
void alert_run_clock(alert_manager_t *self, active_alert_t *alert, double until_s);
void alert_drop_clock(alert_manager_t *self, active_alert_t *alert);

/*  It was restored, and is heard of for the first time. */
void alert_greet(alert_manager_t *self, active_alert_t *alert);
void alert_hear_no_data(alert_manager_t *self, active_alert_t *alert);

#endif
