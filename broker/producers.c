#include "broker/producers.h"

#include "engines/roster.h"
#include "proto/must.h"

#include <math.h>
#include <stdlib.h>

/* {"__overflow__": "true"} without the map's header. */
static const uint8_t overflow_pair[] = "\xac"
                                       "__overflow__"
                                       "\xa4"
                                       "true";

typedef struct {
    double events, series; /* left */
    instant_t filled;
} allowance_t;

struct producers {
    access_keys_t *keys; /* a share; NULL: everybody may push everything */
    double events_per_s, series, series_ttl_s;
    roster_t roster;            /* of allowance_t, by principal */
    const access_key_t *sender; /* of the frame in hand */
    allowance_t *allowance;     /* of that sender */
    uint64_t diverted;
};

producers_t *producers_new(access_keys_t *keys)
{
    producers_t *self = memory_new(1, sizeof *self);
    self->keys = keys;
    roster_init(&self->roster, PRODUCERS_MAX, 0);
    return self;
}

void producers_destroy(producers_t **self_p)
{
    producers_t *self = *self_p;
    uint64_t at = 0;
    allowance_t *allowance;
    if (self == NULL)
        return;
    while ((allowance = roster_next(&self->roster, &at)) != NULL)
        free(allowance);
    roster_free(&self->roster);
    access_keys_destroy(&self->keys);
    free(self);
    *self_p = NULL;
}

bool producers_are_checked(const producers_t *self)
{
    return self->keys != NULL;
}

void producers_configure(producers_t *self, double events_per_s, double series, double series_ttl_s)
{
    self->events_per_s = events_per_s;
    self->series = series;
    self->series_ttl_s = series_ttl_s;
}

void producers_take_keys(producers_t *self, access_keys_t *keys)
{
    access_keys_destroy(&self->keys);
    self->keys = keys;
}

/* -- allowances -- */

static allowance_t *find_allowance(producers_t *self, text_t name, instant_t now)
{
    if (roster_count(&self->roster) == PRODUCERS_MAX - 1 &&
        roster_find(&self->roster, name) == NULL)
        name = TEXT_OF("*"); /* shared by all who come later */
    allowance_t *allowance = roster_find(&self->roster, name);
    if (allowance == NULL) {
        allowance = memory_new(1, sizeof *allowance);
        *allowance = (allowance_t){self->events_per_s, self->series, now};
        roster_add(&self->roster, name, allowance);
    }
    return allowance;
}

static void fill(const producers_t *self, allowance_t *allowance, instant_t now)
{
    double passed_s = (double)(now.mono_ns - allowance->filled.mono_ns) / (double)NS_PER_S;
    allowance->filled = now;
    allowance->events = fmin(allowance->events + passed_s * self->events_per_s, self->events_per_s);
    allowance->series =
        fmin(allowance->series + passed_s * self->series / self->series_ttl_s, self->series);
}

bool producers_admit(producers_t *self, const char *user_id, instant_t now, tally_t *tally)
{
    self->sender = access_keys_find(self->keys, user_id);
    if (!access_permits_at_all(self->sender, ACTION_PUSH)) {
        tally->frames++;
        tally->refused[STATUS_FORBIDDEN]++;
        return false;
    }
    self->allowance = find_allowance(self, self->sender->name, now);
    fill(self, self->allowance, now);
    return true;
}

/* -- events -- */

/*  Counts the refusal. */
static bool may_push(producers_t *self, text_t name, uint32_t samples, tally_t *tally)
{
    status_t status = STATUS_OK;
    if (!access_permits(self->sender, ACTION_PUSH, name))
        status = STATUS_FORBIDDEN;
    else if (self->allowance->events < samples)
        status = STATUS_LIMIT;
    if (status != STATUS_OK) {
        tally->refused[status]++;
        return false;
    }
    self->allowance->events -= samples;
    return true;
}

static bool is_there(const observability_stack_t *stack, const metric_event_t *event)
{
    static uint8_t bytes[LABELS_MAX_BYTES];
    metric_view_t view;
    return observability_stack_metric(stack, event->name, labels_canonical(event->labels, bytes),
                                      &view);
}

/*  While the allowance is larger than the frame nobody needs to look which series are new. */
static void divert_new_series(producers_t *self, const observability_stack_t *stack,
                              metric_event_t *events, size_t count)
{
    double left = self->allowance->series;
    for (size_t i = 0; i < count && left < (double)count; i++) {
        if (is_there(stack, &events[i]))
            continue;
        if (left >= 1) {
            left--;
            continue;
        }
        events[i].labels = (raw_labels_t){overflow_pair, sizeof overflow_pair - 1, 1};
        self->diverted++;
    }
}

void producers_sift_metrics(producers_t *self, const observability_stack_t *stack,
                            metric_batch_t *batch, tally_t *tally)
{
    size_t kept = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (may_push(self, batch->events[i].name, batch->events[i].value_count, tally))
            batch->events[kept++] = batch->events[i];
    batch->count = kept;
    divert_new_series(self, stack, batch->events, kept);
}

void producers_sift_requests(producers_t *self, request_batch_t *batch, tally_t *tally)
{
    size_t kept = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (may_push(self, batch->events[i].operation, 1, tally))
            batch->events[kept++] = batch->events[i];
    batch->count = kept;
}

uint64_t producers_diverted(const producers_t *self)
{
    return self->diverted;
}

void producers_charge(producers_t *self, uint64_t before, uint64_t after)
{
    if (after > before)
        self->allowance->series -= (double)(after - before);
}
