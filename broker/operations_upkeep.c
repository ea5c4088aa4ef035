#include "broker/log.h"
#include "broker/mail.h"
#include "broker/operations_inside.h"
#include "proto/pack.h"
#include "proto/reply.h"

#include <stdio.h>
#include <string.h>

#define SECOND_NS NS_PER_S        /* how often numbers become series, and the files are looked at */
#define FORGET_NS (60 * NS_PER_S) /* how often old `once` answers are looked for */
#define ONCE_KEPT_S (7.0 * 86400) /* how long an answer is kept */

/* What is over is deleted in small steps, one after the other while there is some. */
#define TRIM_MOST 100
#define TRIM_NS (20 * (NS_PER_S / 1000))

/* -- what is over -- */

static void discount(void *context, table_t table, const void *thing)
{
    operations_t *self = context;
    if (table == TABLE_INCIDENT)
        operations_manager_discount_incident(self->manager, thing);
    else
        operations_manager_discount_alert(self->manager, thing);
}

/*  While the RELAY bus is out of reach, what the observability wing found is let go first: alerts
 * and incidents wait as long as it takes. */
static void keep_unsent(const operations_t *self, retention_t *retention)
{
    const relay_settings_t *relay = &self->given->config->settings.relay;
    for (family_t family = FAMILY_ALERT; family <= FAMILY_INCIDENT; family++)
        retention->relayed[family] = relay->url.data != NULL && relay->out.enabled &&
                                     relay_sends_family(&relay->out, text_of(family_name(family)));
}

static void trim(operations_t *self)
{
    const store_settings_t *settings = &self->given->config->settings.store;
    retention_t retention = {.kept_s = settings->retention, .rows = settings->rows};
    keep_unsent(self, &retention);
    bool more =
        store_trim(self->given->store, &retention, self->now.wall_s, TRIM_MOST, discount, self);
    self->trim_ns = self->now.mono_ns + (more ? TRIM_NS : SECOND_NS);
}

/* -- time -- */

int64_t operations_deadline(const operations_t *self)
{
    int64_t next = self->sampled.mono_ns + SECOND_NS;
    if (!store_writable(self->given->store))
        return next;
    int64_t timer = operations_manager_next(self->manager);
    next = timer < next ? timer : next;
    return self->trim_ns < next ? self->trim_ns : next;
}

static void each_second(operations_t *self)
{
    self->sampled = self->now;
    operations_send_samples(self);
    if (store_in_place(self->given->store))
        return;
    log_error("the store's files were moved or replaced: ending, to write to no other", "path=%s",
              store_path(self->given->store));
    self->dead = true;
}

void operations_let_time_pass(operations_t *self)
{
    bool is_second = self->now.mono_ns >= self->sampled.mono_ns + SECOND_NS;
    if (is_second)
        each_second(self);
    if (self->dead || !(is_second ? operations_writable(self) : store_writable(self->given->store)))
        return;
    if (is_second && operations_manager_clock_runs(self->manager))
        store_alive(self->given->store, self->now.wall_s);
    if (self->now.mono_ns >= operations_manager_next(self->manager))
        operations_manager_tick(self->manager, self->now);
    if (self->now.mono_ns >= self->trim_ns)
        trim(self);
    if (self->now.mono_ns >= self->forgot.mono_ns + FORGET_NS) {
        self->forgot = self->now;
        store_once_forget(self->given->store, self->now.wall_s - ONCE_KEPT_S);
    }
}

/* -- a snapshot -- */

status_t operations_snapshot(operations_t *self, text_t path, schema_error_t *error)
{
    char chosen[4096];
    if (path.data == NULL)
        snprintf(chosen, sizeof chosen, "%.3900s.snapshot-%lld", store_path(self->given->store),
                 (long long)self->now.wall_s);
    else
        snprintf(chosen, sizeof chosen, "%.*s", (int)path.size, path.data);
    if (!store_snapshot_begin(self->given->store, chosen, error->message, sizeof error->message))
        return STATUS_UNAVAILABLE;
    memcpy(self->copying.path, chosen, sizeof chosen);
    return STATUS_OK;
}

void operations_snapshot_wait(operations_t *self, zmsg_t **envelope, text_t id)
{
    self->copying.envelope = *envelope;
    self->copying.id = zframe_new(id.data, id.size);
    *envelope = NULL;
}

static void answer_snapshot(operations_t *self, const char *problem)
{
    copying_t *copying = &self->copying;
    self->outcome.size = 0;
    if (problem != NULL) {
        reply_error(STATUS_UNAVAILABLE, problem, &self->outcome);
    } else {
        pack_map(&self->outcome, 1);
        pack_string(&self->outcome, "path");
        pack_string(&self->outcome, copying->path);
    }
    operations_answer(self, &copying->envelope, frame_text(copying->id), problem == NULL);
    zframe_destroy(&copying->id);
}

/*  True when there is more to do at once. */
static bool continue_snapshot(operations_t *self)
{
    char message[512];
    if (self->stopping && self->copying.envelope != NULL) {
        store_snapshot_end(self->given->store);
        answer_snapshot(self, "the broker is stopping");
    }
    switch (store_snapshot_step(self->given->store, message, sizeof message)) {
    case COPY_GOES_ON:
        return true;
    case COPY_DONE:
        answer_snapshot(self, NULL);
        break;
    case COPY_FAILED:
        answer_snapshot(self, message);
        break;
    case COPY_NONE:
        break;
    }
    return false;
}

/* -- between the turns -- */

bool operations_tend(operations_t *self)
{
    if (store_tend(self->given->store) == STORE_DEAD)
        return operations_end(self);
    return continue_snapshot(self);
}
