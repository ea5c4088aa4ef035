#include "broker/observability_inside.h"

#include "broker/clock.h"
#include "broker/mail.h"
#include "proto/must.h"

/* Events are applied in groups: as many as the stack can prefetch for at a time. */
#define GROUP_EVENTS 64u

/* -- blocks -- */

static void apply_metrics(observability_t *self, instant_t now)
{
    observability_stack_metrics(self->stack, self->metrics.events, self->metrics.count, now,
                                &self->tallies[LANE_METRICS]);
    self->metrics.count = 0;
}

static void apply_requests(observability_t *self, instant_t now)
{
    observability_stack_requests(self->stack, self->requests.events, self->requests.count, now,
                                 &self->tallies[LANE_REQUESTS]);
    self->requests.count = 0;
}

static void decode_metric_frame(observability_t *self, zmq_msg_t *frame)
{
    decode_metrics(&self->given->config->limits, zmq_msg_data(frame), zmq_msg_size(frame),
                   &self->metrics, &self->tallies[LANE_METRICS]);
}

/*  Frame by frame, so that what a frame makes is charged to its sender. */
static void read_checked_metrics(observability_t *self, block_t *block)
{
    tally_t *tally = &self->tallies[LANE_METRICS];
    for (size_t i = 0; i < block->count; i++) {
        zmq_msg_t *frame = &block->frames[i];
        if (!producers_admit(self->producers, zmq_msg_gets(frame, "User-Id"), block->now, tally))
            continue;
        decode_metric_frame(self, frame);
        producers_sift_metrics(self->producers, self->stack, &self->metrics, tally);
        uint64_t before = observability_stack_series(self->stack).count;
        apply_metrics(self, block->now);
        producers_charge(self->producers, before, observability_stack_series(self->stack).count);
    }
}

static void read_metrics(observability_t *self, block_t *block)
{
    if (producers_are_checked(self->producers)) {
        read_checked_metrics(self, block);
        return;
    }
    for (size_t i = 0; i < block->count; i++) {
        decode_metric_frame(self, &block->frames[i]);
        if (self->metrics.count >= GROUP_EVENTS)
            apply_metrics(self, block->now);
    }
    apply_metrics(self, block->now);
}

static void decode_request_frame(observability_t *self, zmq_msg_t *frame)
{
    decode_requests(&self->given->config->limits, zmq_msg_data(frame), zmq_msg_size(frame),
                    &self->requests, &self->tallies[LANE_REQUESTS]);
}

static void read_checked_requests(observability_t *self, block_t *block)
{
    tally_t *tally = &self->tallies[LANE_REQUESTS];
    for (size_t i = 0; i < block->count; i++) {
        zmq_msg_t *frame = &block->frames[i];
        if (!producers_admit(self->producers, zmq_msg_gets(frame, "User-Id"), block->now, tally))
            continue;
        decode_request_frame(self, frame);
        producers_sift_requests(self->producers, &self->requests, tally);
        apply_requests(self, block->now);
    }
}

static void read_requests(observability_t *self, block_t *block)
{
    if (producers_are_checked(self->producers)) {
        read_checked_requests(self, block);
        return;
    }
    for (size_t i = 0; i < block->count; i++) {
        decode_request_frame(self, &block->frames[i]);
        if (self->requests.count >= GROUP_EVENTS)
            apply_requests(self, block->now);
    }
    apply_requests(self, block->now);
}

bool observability_serve_lane(observability_t *self, lane_kind_t kind)
{
    block_t *block = block_take(self->given->lanes[kind]);
    if (block == NULL)
        return false;
    if (kind == LANE_METRICS)
        read_metrics(self, block);
    else
        read_requests(self, block);
    if (block_return(block)) {
        unsigned char lane = (unsigned char)kind;
        zmsg_t *mail = mail_new(MAIL_ROOM);
        mail_add(mail, &lane, 1);
        mail_send(&mail, self->reactor);
    }
    return true;
}

/* -- entries from the relay bus -- */

static void read_entry(observability_t *self, lane_kind_t lane, zframe_t *frame)
{
    const limits_t *limits = &self->given->config->limits;
    tally_t *tally = &self->tallies[lane];
    if (lane == LANE_METRICS) {
        decode_metrics(limits, zframe_data(frame), zframe_size(frame), &self->metrics, tally);
        apply_metrics(self, clock_now());
    } else {
        decode_requests(limits, zframe_data(frame), zframe_size(frame), &self->requests, tally);
        apply_requests(self, clock_now());
    }
}

/*  How many events were refused, and the first reason by which one was. */
static uint64_t count_refused(const tally_t *before, const tally_t *after, uint32_t *reason)
{
    uint64_t count = 0;
    for (status_t status = 0; status < STATUS_COUNT; status++) {
        uint64_t more = after->refused[status] - before->refused[status];
        if (count == 0 && more > 0)
            *reason = status;
        count += more;
    }
    return count;
}

/*  Decoded and counted as a frame of the lane is; then the bus is told what became of it. */
void observability_serve_relay(observability_t *self, zmsg_t *mail)
{
    mail_feed_t feed;
    must(mail_open(mail) == MAIL_FEED);
    mail_take_struct(mail, &feed, sizeof feed);
    must(feed.lane < LANE_INCIDENTS);
    zframe_t *entry = mail_take(mail), *frame = mail_take(mail);
    tally_t before = self->tallies[feed.lane];
    read_entry(self, (lane_kind_t)feed.lane, frame);
    const tally_t *after = &self->tallies[feed.lane];
    mail_fed_t fed = {.ticket = feed.ticket, .accepted = after->accepted - before.accepted};
    fed.refused = count_refused(&before, after, &fed.status);
    zmsg_t *answer = mail_new(MAIL_FED);
    mail_add(answer, &fed, sizeof fed);
    mail_try(&answer, self->given->relay); /* what is not answered is delivered again */
    zframe_destroy(&entry);
    zframe_destroy(&frame);
    zmsg_destroy(&mail);
}
