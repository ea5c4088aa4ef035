/*  active_alert - one alert as it lives, and its clock: `for` while it is pending, keep_firing_for
 *  when its condition holds no more.
 *
 *                   run                  stand
 *        none ────────────► running ◄────────────► standing
 *          ▲                   │          run          │
 *          └───────────────────┴──────── drop ─────────┘
 *
 *  Owns     a copy of the alert; its policy outlives it
 *  Time     handed in; the clock runs on mono_ns. What is kept of it on disk is how far it was and
 *           when: a restart is a pause
 *  Thread   one
 */
#ifndef ENGINES_ACTIVE_ALERT_H
#define ENGINES_ACTIVE_ALERT_H

#include "engines/deadlines.h"
#include "engines/kept.h"
#include "engines/operations/alerting_policy.h"
#include "proto/instant.h"
#include "proto/thing.h"

#include <stdbool.h>

struct active_alert {
    kept_t kept;
    alert_t *view;
    alerting_policy_t *policy;       /* NULL: restored, and there is none */
    active_alert_t *previous, *next; /* of the policy; `next` also of those that are over */
    uint32_t place;                  /* in the ledger */
    bool holds;                      /* its condition, as far as it was heard of */
    bool resolves;                   /* its resolve condition */
    bool resolve_known;  /* that one was heard of, or asked for, since the alert is there */
    bool unheard;        /* restored, and nothing was heard of its condition since */
    double clock_s;      /* what its clock showed at `clock_since`; NaN: it has none */
    int64_t clock_since; /* INSTANT_NEVER: it stands */
};

/*  A copy of it, of that policy, without a clock. */
active_alert_t *active_alert_new(const alert_t *alert, alerting_policy_t *policy);
void active_alert_destroy(active_alert_t **self);

/*  Another alert with the same number; it may point into what is kept. */
void active_alert_put(active_alert_t *self, const alert_t *changed);

bool active_alert_has_clock(const active_alert_t *self);
/*  What it shows; NaN without one. */
double active_alert_clock_s(const active_alert_t *self, instant_t now);
/*  Start it or let it go on: it is due when it shows `until_s`. */
void active_alert_run(active_alert_t *self, deadlines_t *deadlines, double until_s, instant_t now);
void active_alert_stand(active_alert_t *self, deadlines_t *deadlines, instant_t now);
void active_alert_drop(active_alert_t *self, deadlines_t *deadlines);

/*  Was it told to anybody that it fires, or stands without data? */
static inline bool active_alert_is_told(const active_alert_t *self)
{
    return self->view->state != ALERT_PENDING;
}

#endif
