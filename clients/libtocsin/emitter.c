#include "clients/libtocsin/emitter.h"

#include "clients/libtocsin/clock.h"
#include "clients/libtocsin/event_form.h"
#include "clients/libtocsin/keys.h"
#include "engines/hash.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>
#include <zmq.h>

#define BATCH_EVENTS 100u
#define BATCH_AGE_S 0.05
#define AGGREGATE_AGE_S 1.0
#define QUEUE_BYTES (16u << 20)
#define LINGER_S 2.0

/* Batches given to ZeroMQ and not yet on the wire. They are lost when the connection breaks, so
   few; what is held here instead survives it. */
#define CONNECTION_BATCHES 32

/* -- life -- */

static double or_else(double given, double otherwise)
{
    return given > 0 ? given : otherwise;
}

static void take_options(tocsin_emitter_t *self, const tocsin_emitter_options_t *options)
{
    self->batch_age = or_else(options->batch_age, BATCH_AGE_S);
    self->aggregate_age = or_else(options->aggregate_age, AGGREGATE_AGE_S);
    self->linger = options->linger < 0 ? 0.0 : or_else(options->linger, LINGER_S);
    lane_rules_t rules = {options->batch_events > 0 ? options->batch_events : BATCH_EVENTS,
                          options->queue_bytes > 0 ? options->queue_bytes : QUEUE_BYTES,
                          options->when_full};
    if (rules.batch_events > BATCH_EVENTS_MAX)
        rules.batch_events = BATCH_EVENTS_MAX;
    for (size_t i = 0; i < LANE_COUNT; i++)
        lane_init(&self->lanes[i], &rules);
    self->lanes[LANE_INCIDENTS].rules.batch_events = 1; /* nobody waits to say that it burns */
}

/*  Only a completed connection takes messages: until there is one they are held here, where they
 *  are counted and bounded, and where a broker that is not there is noticed. */
static bool connect_lane(tocsin_emitter_t *self, lane_kind_t lane, const char *address,
                         const char *otherwise, const keys_t *keys)
{
    self->addresses[lane] = strdup(address == NULL ? otherwise : address);
    void *socket = zmq_socket(self->context, ZMQ_PUSH);
    self->sockets[lane] = socket;
    if (self->addresses[lane] == NULL || socket == NULL)
        return false;
    const int yes = 1, hwm = CONNECTION_BATCHES;
    zmq_setsockopt(socket, ZMQ_IMMEDIATE, &yes, sizeof yes);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
    zmq_setsockopt(socket, ZMQ_TCP_KEEPALIVE, &yes, sizeof yes);
    return keys_apply(keys, socket) && zmq_connect(socket, self->addresses[lane]) == 0;
}

static bool connect_all(tocsin_emitter_t *self, const tocsin_emitter_options_t *options)
{
    keys_t keys;
    if (!keys_find(&keys, options->keys))
        return false;
    self->context = zmq_ctx_new();
    bool connected =
        self->context != NULL &&
        connect_lane(self, LANE_METRICS, options->metrics, TOCSIN_METRICS_ADDRESS, &keys) &&
        connect_lane(self, LANE_REQUESTS, options->requests, TOCSIN_REQUESTS_ADDRESS, &keys) &&
        connect_lane(self, LANE_INCIDENTS, options->incidents, TOCSIN_INCIDENTS_ADDRESS, &keys);
    keys_forget(&keys);
    return connected;
}

/*  A condition that waits on the clock that never jumps. */
static void init_waiting(tocsin_emitter_t *self)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->moved, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&self->lock, NULL);
}

/*  With every signal blocked: they are the program's, whose handlers expect its own threads. */
static bool start_sender(tocsin_emitter_t *self)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int reason = pthread_create(&self->sender, NULL, sender_run, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = reason;
    return reason == 0;
}

/*  The sender has ended, or never began. */
static void free_emitter(tocsin_emitter_t *self)
{
    while (self->context != NULL && zmq_ctx_term(self->context) != 0 && errno == EINTR)
        continue;
    for (size_t i = 0; i < LANE_COUNT; i++) {
        lane_free(&self->lanes[i]);
        free(self->addresses[i]);
    }
    for (size_t i = 0; i < self->aggregated_count; i++)
        free(self->aggregated[i]);
    free(self->aggregated);
    index_free(&self->aggregated_index);
    aggregate_free(&self->aggregate);
    aggregate_free(&self->releasing);
    if (self->wake >= 0)
        close(self->wake);
    pthread_cond_destroy(&self->moved);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

static void close_sockets(tocsin_emitter_t *self)
{
    const int linger_ms = 0;
    for (size_t i = 0; i < LANE_COUNT; i++)
        if (self->sockets[i] != NULL) {
            zmq_setsockopt(self->sockets[i], ZMQ_LINGER, &linger_ms, sizeof linger_ms);
            zmq_close(self->sockets[i]);
        }
}

tocsin_emitter_t *tocsin_emitter_new(const tocsin_emitter_options_t *options)
{
    const tocsin_emitter_options_t none = {0};
    options = options == NULL ? &none : options;
    tocsin_emitter_t *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    take_options(self, options);
    init_waiting(self);
    self->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (getrandom(&self->seed, sizeof self->seed, 0) == (ssize_t)sizeof self->seed) {
        aggregate_init(&self->aggregate, self->seed);
        aggregate_init(&self->releasing, self->seed);
        if (self->wake >= 0 && connect_all(self, options) && start_sender(self))
            return self;
    }
    int reason = errno;
    close_sockets(self);
    free_emitter(self);
    errno = reason;
    return NULL;
}

void tocsin_emitter_destroy(tocsin_emitter_t **self)
{
    tocsin_emitter_t *emitter = *self;
    if (emitter == NULL)
        return;
    *self = NULL;
    pthread_mutex_lock(&emitter->lock);
    emitter->stopping = true;
    emitter->stop_at = clock_now() + emitter->linger;
    sender_wake_by(emitter, -INFINITY);
    pthread_mutex_unlock(&emitter->lock);
    pthread_join(emitter->sender, NULL);
    free_emitter(emitter);
}

/* -- events -- */

/*  Under the lock: begin an event in this lane. */
static buffer_t *begin(tocsin_emitter_t *self, lane_kind_t kind, size_t *start)
{
    lane_t *lane = &self->lanes[kind];
    return lane_begin(lane, lane->open_events == 0 ? clock_now() : lane->opened_at, start);
}

/*  End it, let the sender know if there is something new for it to do, and give up the lock. */
static tocsin_status_t end(tocsin_emitter_t *self, lane_kind_t kind, size_t start)
{
    lane_t *lane = &self->lanes[kind];
    tocsin_status_t status = lane_end(lane, start);
    if (lane->open_events == 1)
        sender_wake_by(self, lane->opened_at + self->batch_age);
    else if (lane->open_events == 0 && !self->blocked[kind])
        sender_wake_by(self, -INFINITY);
    pthread_mutex_unlock(&self->lock);
    return status;
}

tocsin_status_t tocsin_emit_request(tocsin_emitter_t *self, const tocsin_request_event_t *event)
{
    if (!request_is_good(event))
        return TOCSIN_INVALID;
    pthread_mutex_lock(&self->lock);
    size_t start;
    request_put(begin(self, LANE_REQUESTS, &start), event);
    return end(self, LANE_REQUESTS, start);
}

tocsin_status_t tocsin_emit_incident(tocsin_emitter_t *self, const tocsin_incident_event_t *event)
{
    if (!incident_is_good(event))
        return TOCSIN_INVALID;
    pthread_mutex_lock(&self->lock);
    size_t start;
    incident_put(begin(self, LANE_INCIDENTS, &start), event);
    return end(self, LANE_INCIDENTS, start);
}

/* -- metrics, which may be put together -- */

static uint64_t hash_name(const tocsin_emitter_t *self, const char *name)
{
    return hash_bytes(self->seed, name, strlen(name));
}

/*  Is this metric put together? Then it has a number. */
static bool is_aggregated(const tocsin_emitter_t *self, const char *name, uint32_t *number)
{
    if (self->aggregated_count == 0)
        return false;
    index_probe_t probe = index_probe(&self->aggregated_index, hash_name(self, name));
    while (index_next(&self->aggregated_index, &probe, number))
        if (strcmp(self->aggregated[*number], name) == 0)
            return true;
    return false;
}

static bool add_name(tocsin_emitter_t *self, const char *name)
{
    char **names = reallocarray(self->aggregated, self->aggregated_count + 1u, sizeof *names);
    if (names == NULL)
        return false;
    self->aggregated = names;
    names[self->aggregated_count] = strdup(name);
    if (names[self->aggregated_count] == NULL ||
        !index_add(&self->aggregated_index, hash_name(self, name), self->aggregated_count)) {
        free(names[self->aggregated_count]);
        return false;
    }
    self->aggregated_count++;
    return true;
}

tocsin_status_t tocsin_aggregate(tocsin_emitter_t *self, const char *name)
{
    if (name == NULL || name[0] == '\0')
        return TOCSIN_INVALID;
    pthread_mutex_lock(&self->lock);
    uint32_t number;
    bool good = is_aggregated(self, name, &number) || add_name(self, name);
    pthread_mutex_unlock(&self->lock);
    return good ? TOCSIN_OK : TOCSIN_NO_MEMORY;
}

/*  Under the lock, which it gives up. */
static tocsin_status_t put_together(tocsin_emitter_t *self, uint32_t number,
                                    const tocsin_metric_event_t *event)
{
    lane_t *lane = &self->lanes[LANE_METRICS];
    aggregate_t *aggregate = &self->aggregate;
    tocsin_status_t status = TOCSIN_DROPPED;
    bool first = aggregate->series_count == 0;
    if (aggregate_bytes(aggregate) < lane->rules.capacity_bytes)
        status =
            aggregate_add(aggregate, number, event, first ? clock_now() : aggregate->opened_at);
    if (status != TOCSIN_OK)
        lane->dropped++;
    if (first)
        sender_wake_by(self, aggregate->opened_at + self->aggregate_age);
    if (aggregate_bytes(aggregate) >= lane->rules.capacity_bytes / 2)
        sender_wake_by(self, -INFINITY);
    pthread_mutex_unlock(&self->lock);
    return status;
}

tocsin_status_t tocsin_emit_metric(tocsin_emitter_t *self, const tocsin_metric_event_t *event)
{
    if (!metric_is_good(event))
        return TOCSIN_INVALID;
    pthread_mutex_lock(&self->lock);
    uint32_t number;
    if (is_aggregated(self, event->name, &number))
        return put_together(self, number, event);
    size_t start;
    metric_put(begin(self, LANE_METRICS, &start), event);
    return end(self, LANE_METRICS, start);
}

/* -- what has become of them -- */

/*  Under the lock: wait for the sender, at most until then. */
static bool wait_for_sender(tocsin_emitter_t *self, double until)
{
    struct timespec time = {(time_t)until, (long)((until - floor(until)) * 1e9)};
    return pthread_cond_timedwait(&self->moved, &self->lock, &time) == 0;
}

static bool have_left(const tocsin_emitter_t *self, const uint64_t goals[LANE_COUNT])
{
    for (size_t i = 0; i < LANE_COUNT; i++)
        if (self->lanes[i].left < goals[i])
            return false;
    return true;
}

tocsin_status_t tocsin_flush(tocsin_emitter_t *self, double timeout)
{
    double until = clock_now() + fmin(fmax(timeout, 0), CLOCK_LONG_S);
    uint64_t goals[LANE_COUNT];
    bool in_time = true;
    pthread_mutex_lock(&self->lock);
    uint64_t flush = ++self->flushes_asked;
    sender_wake_by(self, -INFINITY);
    while (in_time && self->flushes_closed < flush)
        in_time = wait_for_sender(self, until);
    for (size_t i = 0; i < LANE_COUNT; i++)
        goals[i] = self->lanes[i].closed;
    while (in_time && !have_left(self, goals))
        in_time = wait_for_sender(self, until);
    pthread_mutex_unlock(&self->lock);
    return in_time ? TOCSIN_OK : TOCSIN_TIMEOUT;
}

uint64_t tocsin_dropped(const tocsin_emitter_t *self)
{
    tocsin_emitter_t *emitter = (tocsin_emitter_t *)self;
    uint64_t dropped = 0;
    pthread_mutex_lock(&emitter->lock);
    for (size_t i = 0; i < LANE_COUNT; i++)
        dropped += self->lanes[i].dropped;
    pthread_mutex_unlock(&emitter->lock);
    return dropped;
}

const char *tocsin_unsent_address(const tocsin_emitter_t *self)
{
    tocsin_emitter_t *emitter = (tocsin_emitter_t *)self;
    const char *address = NULL;
    pthread_mutex_lock(&emitter->lock);
    for (size_t i = 0; i < LANE_COUNT && address == NULL; i++)
        if (!lane_is_empty(&self->lanes[i]) ||
            (i == LANE_METRICS && self->aggregate.series_count > 0))
            address = self->addresses[i];
    pthread_mutex_unlock(&emitter->lock);
    return address;
}
