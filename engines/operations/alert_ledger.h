/*  alert_ledger - which alerts are active? By number, by policy and labels, and of each policy.
 *
 *  Owns     the active alerts; one that is over until the next step, for the answer; one that was
 *           over and is put back because a command names it
 *  Bounds   `alerts` active ones; more only if more are restored
 *  Thread   one
 */
#ifndef ENGINES_ALERT_LEDGER_H
#define ENGINES_ALERT_LEDGER_H

#include "engines/operations/active_alert.h"
#include "engines/registry.h"

typedef struct {
    registry_t alerts;
    table_t by_identity;
    deadlines_t deadlines; /* by place in the registry */
    active_alert_t *guest, *over;
    uint32_t limit;
    uint64_t seed;
} alert_ledger_t;

void alert_ledger_init(alert_ledger_t *self, uint32_t alerts, uint64_t seed);
void alert_ledger_free(alert_ledger_t *self);

bool alert_ledger_full(const alert_ledger_t *self);
/*  From now on it can be found; it becomes its policy's. */
void alert_ledger_enter(alert_ledger_t *self, active_alert_t *alert);
/*  It is over. */
void alert_ledger_leave(alert_ledger_t *self, active_alert_t *alert);
/*  It is over already, and a command names it. */
void alert_ledger_invite(alert_ledger_t *self, active_alert_t *alert);

/*  The command that named a resolved one is done. */
void alert_ledger_dismiss(alert_ledger_t *self);
/*  Free what is over. */
void alert_ledger_sweep(alert_ledger_t *self);

active_alert_t *alert_ledger_find(const alert_ledger_t *self, uint64_t id);
active_alert_t *alert_ledger_identical(const alert_ledger_t *self, text_t policy,
                                       labels_t result_labels);
/*  In order of number: NULL at the end. Start with *at = 0. */
active_alert_t *alert_ledger_next(const alert_ledger_t *self, uint64_t *at);

#endif
