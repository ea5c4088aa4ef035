#include "clients/libtocsin/clock.h"
#include "clients/libtocsin/emitter.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <zmq.h>

void sender_wake_by(tocsin_emitter_t *self, double time)
{
    if (!self->asleep || time >= self->sleep_to)
        return;
    self->asleep = false;
    eventfd_write(self->wake, 1);
}

/* -- what was put together -- */

/*  Take the aggregate over, so that the callers go on with an empty one. */
static void take_aggregate(tocsin_emitter_t *self)
{
    aggregate_t taken = self->aggregate;
    self->aggregate = self->releasing;
    self->releasing = taken;
}

static void add_batch(tocsin_emitter_t *self, buffer_t *frame, uint32_t events, uint64_t calls)
{
    batch_t *batch = events == 0 || frame->failed ? NULL : batch_new(frame, events, calls);
    pthread_mutex_lock(&self->lock);
    if (batch != NULL)
        lane_add(&self->lanes[LANE_METRICS], &batch);
    else
        self->lanes[LANE_METRICS].dropped += calls;
    pthread_mutex_unlock(&self->lock);
    buffer_free(frame);
}

/*  Write what was taken over into batches of the metrics lane. */
static void release_aggregate(tocsin_emitter_t *self)
{
    const lane_rules_t *rules = &self->lanes[LANE_METRICS].rules;
    aggregate_place_t place = {0};
    buffer_t frame = {0};
    uint32_t events = 0;
    uint64_t calls = 0;
    buffer_batch_head(&frame);
    while (aggregate_put_next(&self->releasing, &place, &frame, &calls)) {
        if (++events < rules->batch_events && frame.size < BATCH_BYTES_MAX && !frame.failed)
            continue;
        add_batch(self, &frame, events, calls);
        events = 0;
        calls = 0;
        buffer_batch_head(&frame);
    }
    add_batch(self, &frame, events, calls);
    aggregate_clear(&self->releasing);
}

/* -- what is due -- */

static double lane_due(const tocsin_emitter_t *self, const lane_t *lane)
{
    return lane->open_events == 0 ? INFINITY : lane->opened_at + self->batch_age;
}

static double aggregate_due(const tocsin_emitter_t *self)
{
    if (self->aggregate.series_count == 0)
        return INFINITY;
    return aggregate_bytes(&self->aggregate) >= self->lanes[LANE_METRICS].rules.capacity_bytes / 2
               ? -INFINITY
               : self->aggregate.opened_at + self->aggregate_age;
}

static double next_due(const tocsin_emitter_t *self)
{
    double due = aggregate_due(self);
    for (size_t i = 0; i < LANE_COUNT; i++)
        due = fmin(due, lane_due(self, &self->lanes[i]));
    return due;
}

/*  Under the lock, which it gives up in between: close what is old, or all of it for a flush. What
 *  was put together comes last: values that were sent by themselves before are older. */
static void close_due(tocsin_emitter_t *self, double now)
{
    uint64_t flush = self->flushes_asked;
    bool all = self->stopping || flush > self->flushes_closed;
    bool release = self->aggregate.series_count > 0 && (all || aggregate_due(self) <= now);
    for (size_t i = 0; i < LANE_COUNT; i++)
        if (all || (release && i == LANE_METRICS) || lane_due(self, &self->lanes[i]) <= now)
            lane_close(&self->lanes[i]);
    if (release) {
        take_aggregate(self);
        pthread_mutex_unlock(&self->lock);
        release_aggregate(self);
        pthread_mutex_lock(&self->lock);
    }
    if (flush > self->flushes_closed) {
        self->flushes_closed = flush;
        pthread_cond_broadcast(&self->moved);
    }
}

/* -- sending -- */

static void free_frame(void *bytes, void *hint)
{
    (void)hint;
    free(bytes);
}

/*  Messages that are in the sender's hands: each is the oldest of its lane. */
typedef struct {
    zmq_msg_t messages[LANE_COUNT];
    size_t bytes[LANE_COUNT]; /* 0: none */
} hands_t;

/*  Under the lock: take the next batch in hand, if none is. False when there is none. */
static bool take_in_hand(tocsin_emitter_t *self, hands_t *hands, size_t i)
{
    if (hands->bytes[i] > 0)
        return true;
    batch_t *batch = lane_take(&self->lanes[i]);
    if (batch == NULL)
        return false;
    hands->bytes[i] = batch->frame.size;
    if (zmq_msg_init_data(&hands->messages[i], batch->frame.data, batch->frame.size, free_frame,
                          NULL) == 0) {
        batch->frame = (buffer_t){0};
    } else {
        self->lanes[i].dropped += batch->calls;
        lane_sent(&self->lanes[i], hands->bytes[i]);
        hands->bytes[i] = 0;
    }
    batch_destroy(&batch);
    return hands->bytes[i] > 0;
}

/*  Under the lock, which it gives up to send: send batches of this lane while they are taken. */
static void send_lane(tocsin_emitter_t *self, hands_t *hands, size_t i)
{
    self->blocked[i] = false;
    while (!self->blocked[i] && take_in_hand(self, hands, i)) {
        pthread_mutex_unlock(&self->lock);
        bool sent = zmq_msg_send(&hands->messages[i], self->sockets[i], ZMQ_DONTWAIT) >= 0;
        pthread_mutex_lock(&self->lock);
        if (!sent) {
            self->blocked[i] = true;
            continue;
        }
        lane_sent(&self->lanes[i], hands->bytes[i]);
        hands->bytes[i] = 0;
        pthread_cond_broadcast(&self->moved);
    }
}

static bool all_sent(const tocsin_emitter_t *self)
{
    for (size_t i = 0; i < LANE_COUNT; i++)
        if (!lane_is_empty(&self->lanes[i]))
            return false;
    return self->aggregate.series_count == 0;
}

/*  Without the lock: until a caller wakes, a lane takes batches again, or the time has come. */
static void sleep_until(tocsin_emitter_t *self, const hands_t *hands, double until)
{
    zmq_pollitem_t items[1 + LANE_COUNT] = {{.fd = self->wake, .events = ZMQ_POLLIN}};
    int count = 1;
    for (size_t i = 0; i < LANE_COUNT; i++)
        if (hands->bytes[i] > 0)
            items[count++] = (zmq_pollitem_t){.socket = self->sockets[i], .events = ZMQ_POLLOUT};
    zmq_poll(items, count, isinf(until) ? -1 : clock_wait_ms(until));
    eventfd_t wakes;
    if (items[0].revents != 0)
        eventfd_read(self->wake, &wakes);
}

static bool has_work(const tocsin_emitter_t *self, double now)
{
    for (size_t i = 0; i < LANE_COUNT; i++)
        if (!self->blocked[i] && self->lanes[i].first != NULL)
            return true;
    return next_due(self) <= now || self->flushes_asked > self->flushes_closed;
}

static void leave(tocsin_emitter_t *self, hands_t *hands)
{
    const int linger_ms = (int)clock_wait_ms(self->stop_at);
    for (size_t i = 0; i < LANE_COUNT; i++) {
        if (hands->bytes[i] > 0)
            zmq_msg_close(&hands->messages[i]);
        zmq_setsockopt(self->sockets[i], ZMQ_LINGER, &linger_ms, sizeof linger_ms);
        zmq_close(self->sockets[i]);
    }
}

void *sender_run(void *emitter)
{
    tocsin_emitter_t *self = emitter;
    hands_t hands = {0};
    pthread_mutex_lock(&self->lock);
    for (;;) {
        double now = clock_now();
        close_due(self, now);
        for (size_t i = 0; i < LANE_COUNT; i++)
            send_lane(self, &hands, i);
        if (self->stopping && (all_sent(self) || now >= self->stop_at))
            break;
        if (has_work(self, now))
            continue;
        self->asleep = true;
        self->sleep_to = self->stopping ? self->stop_at : next_due(self);
        double until = self->sleep_to;
        pthread_mutex_unlock(&self->lock);
        sleep_until(self, &hands, until);
        pthread_mutex_lock(&self->lock);
        self->asleep = false;
    }
    pthread_mutex_unlock(&self->lock);
    leave(self, &hands);
    return NULL;
}
