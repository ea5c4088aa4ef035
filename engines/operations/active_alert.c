#include "engines/operations/active_alert.h"

#include "proto/must.h"

#include <math.h>
#include <stdlib.h>

active_alert_t *active_alert_new(const alert_t *alert, alerting_policy_t *policy)
{
    active_alert_t *self = memory_new(1, sizeof *self);
    self->policy = policy;
    self->clock_s = NAN;
    self->clock_since = INSTANT_NEVER;
    active_alert_put(self, alert);
    return self;
}

void active_alert_destroy(active_alert_t **self)
{
    kept_drop(&(*self)->kept);
    free(*self);
    *self = NULL;
}

void active_alert_put(active_alert_t *self, const alert_t *changed)
{
    self->view = kept_put(&self->kept, &alert_schema, changed);
}

bool active_alert_has_clock(const active_alert_t *self)
{
    return !isnan(self->clock_s);
}

double active_alert_clock_s(const active_alert_t *self, instant_t now)
{
    if (self->clock_since == INSTANT_NEVER)
        return self->clock_s;
    return self->clock_s + (double)(now.mono_ns - self->clock_since) / (double)NS_PER_S;
}

/*  Of those that are due at once: first those whose policies nobody inhibits, then by number. */
static uint64_t turn_of(const active_alert_t *self)
{
    return ((uint64_t)self->policy->rank << 48) | self->view->id;
}

void active_alert_run(active_alert_t *self, deadlines_t *deadlines, double until_s, instant_t now)
{
    if (isnan(self->clock_s))
        self->clock_s = 0;
    if (self->clock_since == INSTANT_NEVER)
        self->clock_since = now.mono_ns;
    double left_s = until_s - active_alert_clock_s(self, now);
    int64_t left_ns = left_s > 0 ? (int64_t)ceil(left_s * (double)NS_PER_S) : 0;
    deadlines_set(deadlines, self->place, now.mono_ns + left_ns, turn_of(self));
}

void active_alert_stand(active_alert_t *self, deadlines_t *deadlines, instant_t now)
{
    self->clock_s = active_alert_clock_s(self, now);
    self->clock_since = INSTANT_NEVER;
    deadlines_clear(deadlines, self->place);
}

void active_alert_drop(active_alert_t *self, deadlines_t *deadlines)
{
    self->clock_s = NAN;
    self->clock_since = INSTANT_NEVER;
    deadlines_clear(deadlines, self->place);
}
