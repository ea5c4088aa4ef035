#include "engines/observability/metrics_collector_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TTL_MIN_S 1e-6
#define TTL_MAX_S 1e9

void collector_set_ttl(metrics_collector_t *self, double ttl_s)
{
    ttl_s = fmin(fmax(ttl_s, TTL_MIN_S), TTL_MAX_S);
    self->ttl_ns = (int64_t)(ttl_s * (double)NS_PER_S);
    self->due_step_ns = (self->ttl_ns + DUE_STEPS - 1) / DUE_STEPS;
}

/* The step at whose end a series is past its ttl, if nothing comes any more. */
static int64_t due_step(const metrics_collector_t *self, const series_t *series)
{
    return (series->touched_ns + self->ttl_ns) / self->due_step_ns + 1;
}

void collector_put_due(metrics_collector_t *self, series_t *series)
{
    int64_t step = due_step(self, series);
    if (step <= self->due_done)
        step = self->due_done + 1;
    uint32_t *list = &self->due[step % DUE_LISTS];
    series->due_next = *list;
    *list = collector_number_of(self, series);
}

void collector_change_ttl(metrics_collector_t *self, double ttl_s)
{
    int64_t done_ns = self->due_done * self->due_step_ns;
    collector_set_ttl(self, ttl_s);
    self->due_done = done_ns / self->due_step_ns;
    memset(self->due, 0, sizeof self->due);
    uint64_t at = 0;
    for (series_t *each; (each = metrics_collector_next(self, &at)) != NULL;)
        if (!each->pinned)
            collector_put_due(self, each);
}

/* Take the series of one list that are due, at most EXPIRY_STEP in all; false when there was no
 * room for another. What was touched since it was listed is listed anew. */
static bool collect_due(metrics_collector_t *self, int64_t step, series_t **due, uint32_t *count)
{
    uint32_t *list = &self->due[step % DUE_LISTS], later = 0;
    while (*list != 0 && *count < EXPIRY_STEP) {
        series_t *series = &self->series[*list];
        *list = series->due_next;
        if (due_step(self, series) <= step) {
            due[(*count)++] = series;
            continue;
        }
        series->due_next = later;
        later = collector_number_of(self, series);
    }
    bool done = *list == 0;
    while (later != 0) {
        series_t *series = &self->series[later];
        later = series->due_next;
        collector_put_due(self, series);
    }
    return done;
}
static int by_serial(const void *a, const void *b)
{
    uint64_t left = (*(series_t *const *)a)->serial, right = (*(series_t *const *)b)->serial;
    return (left > right) - (left < right);
}

void metrics_collector_expire(metrics_collector_t *self, instant_t now, series_leave_fn *leave,
                              void *context)
{
    series_t *due[EXPIRY_STEP];
    uint32_t count = 0;
    int64_t step = now.mono_ns / self->due_step_ns;
    if (self->due_done < step - DUE_LISTS) /* after a jump each list is seen once */
        self->due_done = step - DUE_LISTS;
    while (self->due_done < step && collect_due(self, self->due_done + 1, due, &count))
        self->due_done++;
    qsort(due, count, sizeof due[0], by_serial);
    for (uint32_t i = 0; i < count; i++) {
        leave(context, due[i]);
        collector_forget_series(self, due[i]);
    }
}
