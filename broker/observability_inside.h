/*  observability_inside - what the files of the observability actor share. Private to it.
 *
 *    observability_actor     the loop, the turn, mail
 *    observability_lanes     frames: decoded, sifted, handed to the stack
 *    observability_findings  what the stack finds: numbered, published, sent on
 */
#ifndef BROKER_OBSERVABILITY_INSIDE_H
#define BROKER_OBSERVABILITY_INSIDE_H

#include "broker/observability_actor.h"
#include "broker/producers.h"
#include "broker/windows_keeper.h"
#include "proto/arena.h"
#include "proto/decode.h"
#include "proto/publication.h"

#include <msgpack/sbuffer.h>

/*  Numbers of a family that are reserved on disk. */
typedef struct {
    uint64_t next, last;           /* may be given out: next..last */
    uint64_t then_next, then_last; /* the block after it, once it has come */
    bool asked, none;
} numbers_t;

/*  The actor. */
typedef struct {
    observability_actor_t *given;
    zsock_t *reactor;
    observability_stack_t *stack;
    windows_keeper_t keeper;
    metric_batch_t metrics;
    request_batch_t requests;
    tally_t tallies[LANE_INCIDENTS];
    producers_t *producers;
    numbers_t numbers[FAMILY_STORED];
    uint64_t published[FAMILY_STORED], not_kept;
    int64_t told_ns; /* when the broker's own series were last told */
    arena_t arena;
    msgpack_sbuffer data, body;
    bool begun; /* what the store held has come */
    bool stopping;
} observability_t;

/*  Ask for another block of numbers, and take one that has come. */
void observability_want_numbers(observability_t *self, family_t family);
void observability_take_numbers(observability_t *self, zmsg_t *mail);

/*  The stack's sink. */
void observability_take_finding(void *context, const finding_t *finding);

/*  Take a mail of the operations wing: also while a number is waited for. */
void observability_serve_operations(observability_t *self, zmsg_t *mail);

/*  Take the next block of a lane; false: none waits. */
bool observability_serve_lane(observability_t *self, lane_kind_t kind);

/*  Take an entry from the relay bus. */
void observability_serve_relay(observability_t *self, zmsg_t *mail);

#endif
