/*  emitter - what the caller's threads and the emitter's own share.
 *
 *  The caller's threads write events into batches, under the lock, and wake the sender when it
 *  sleeps past something due. The sender alone knows ZeroMQ: it closes what is old, sends, and
 *  never holds the lock while it does.
 *
 *  Owns     everything below
 *  Bounds   each lane its own; the aggregate as much as a lane
 *  Thread   what stands below the lock is read and written under it
 */
#ifndef CLIENTS_LIBTOCSIN_EMITTER_H
#define CLIENTS_LIBTOCSIN_EMITTER_H

#include "clients/libtocsin/aggregate.h"
#include "clients/libtocsin/lane.h"

#include <pthread.h>
#include <tocsin.h>

typedef enum { LANE_METRICS, LANE_REQUESTS, LANE_INCIDENTS, LANE_COUNT } lane_kind_t;

struct tocsin_emitter {
    char *addresses[LANE_COUNT];
    void *context, *sockets[LANE_COUNT];
    double batch_age, aggregate_age, linger;
    int wake; /* an eventfd */
    pthread_t sender;
    aggregate_t releasing; /* the sender's alone: swapped with `aggregate` */

    pthread_mutex_t lock;
    pthread_cond_t moved; /* batches left, or were closed for a flush */
    lane_t lanes[LANE_COUNT];
    bool blocked[LANE_COUNT]; /* no connection takes its batches */
    char **aggregated;        /* the names of the metrics that are put together */
    uint32_t aggregated_count;
    index_t aggregated_index;
    aggregate_t aggregate;
    uint64_t seed;
    uint64_t flushes_asked, flushes_closed; /* everything up to that flush stands in a batch */
    bool stopping, asleep;
    double stop_at;  /* the sender gives up then */
    double sleep_to; /* the sender wakes by itself then */
};

/*  The emitter's thread: from the making to the end. */
void *sender_run(void *emitter);

/*  Under the lock: see to it that the sender is awake at that time. */
void sender_wake_by(tocsin_emitter_t *self, double time);

#endif
