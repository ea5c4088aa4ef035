/*  lane - what has yet to be sent to one endpoint: the batch that is being filled, and those that
 *  wait for the connection.
 *
 *  Owns     its batches
 *  Bounds   `capacity_bytes` over all of them; what happens then is the rule `when_full`
 *  Time     monotonic seconds, handed in
 *  Thread   one at a time: its emitter's lock
 *  Refuses  TOCSIN_DROPPED, TOCSIN_NO_MEMORY: that event is lost, and counted
 */
#ifndef CLIENTS_LIBTOCSIN_LANE_H
#define CLIENTS_LIBTOCSIN_LANE_H

#include "clients/libtocsin/buffer.h"

#include <tocsin.h>

/* A batch is closed at this size however few events are in it: far below the broker's limit of a
   frame, with room for the largest event there is. */
#define BATCH_BYTES_MAX (256u << 10)

/* The broker's limit of a batch. */
#define BATCH_EVENTS_MAX 65536u

typedef struct {
    size_t batch_events; /* 1 to BATCH_EVENTS_MAX */
    size_t capacity_bytes;
    tocsin_full_t when_full;
} lane_rules_t;

/*  A closed batch. */
typedef struct batch {
    struct batch *next;
    buffer_t frame;
    uint64_t calls; /* of the caller, that it stands for */
} batch_t;

typedef struct {
    lane_rules_t rules;
    buffer_t open;
    uint32_t open_events;
    double opened_at;
    batch_t *first, *last;
    size_t waiting_bytes; /* of the closed batches that have not left */
    uint64_t closed;      /* batches, ever */
    uint64_t left;        /* of these, how many were sent or dropped */
    uint64_t dropped;     /* calls that were lost */
} lane_t;

void lane_init(lane_t *self, const lane_rules_t *rules);
void lane_free(lane_t *self);

/*  The buffer to write one event to, and where that event begins. `now` opens the batch if none is
 *  open. */
buffer_t *lane_begin(lane_t *self, double now, size_t *start);

/*  Keep the event that was written from `start` on; closes the batch if it is full. */
tocsin_status_t lane_end(lane_t *self, size_t start);

/*  Close the batch that is being filled, if there is one. False when memory is out; it then stays
 *  open. */
bool lane_close(lane_t *self);

/*  Add a batch that was made elsewhere, under the same bound. It is taken in any case. */
tocsin_status_t lane_add(lane_t *self, batch_t **batch);

/*  The oldest batch, yours to send; NULL if none waits. It counts as waiting until lane_sent. */
batch_t *lane_take(lane_t *self);
void lane_sent(lane_t *self, size_t bytes);

/*  Is anything not sent? */
bool lane_is_empty(const lane_t *self);

/*  A batch of `events` events whose frame was begun with buffer_batch_head: takes the buffer's
 *  bytes. NULL when memory is out; the buffer is untouched then. */
batch_t *batch_new(buffer_t *frame, uint32_t events, uint64_t calls);
void batch_destroy(batch_t **self);

#endif
