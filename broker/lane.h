/*  lane - one ingest endpoint: a PULL socket, the blocks its frames are drained into, and the pipe
 * to the engine.
 *
 *  Owns     the socket, the reactor's end of the pipe, and the blocks
 *  Bounds   LANE_BLOCKS blocks of BLOCK_FRAMES frames or BLOCK_BYTES; when all are with the engine,
 *           the lane stops reading its own socket, so that ZeroMQ and then TCP press back on its
 *           senders and on nobody else. A lane that sheds hands nothing over
 *  Time     one reading of the clock a block
 *  Thread   the reactor fills a block and gives it away; the engine's actor empties it and gives it
 *           back
 *
 *  One message an engine a drain, not one a frame: waking a sleeping thread costs more than a
 * hundred frames.
 */
#ifndef BROKER_LANE_H
#define BROKER_LANE_H

#include "proto/instant.h"

#include <czmq.h>
#include <stdatomic.h>
#include <stdbool.h>

#define BLOCK_FRAMES 256u
#define BLOCK_BYTES (64u << 10)
#define LANE_BLOCKS 8u

typedef enum { LANE_METRICS, LANE_REQUESTS, LANE_INCIDENTS, LANE_COUNT } lane_kind_t;

extern const char *const lane_names[LANE_COUNT]; /* "metrics", … */

typedef struct lane lane_t;

typedef struct {
    zmq_msg_t frames[BLOCK_FRAMES];
    size_t count;
    instant_t now; /* of the drain */
    lane_t *lane;
    atomic_bool away; /* with the engine */
} block_t;

struct lane {
    lane_kind_t kind;
    zsock_t *socket;
    zsock_t *pipe; /* block pointers go in here */
    block_t *blocks;
    size_t next;         /* the block to fill next */
    atomic_bool starved; /* the lane waits for a block to come back */
    bool reading;        /* the reactor polls the socket */
    bool sheds;          /* what arrives is thrown away, and counted: */
    uint64_t shed;       /* frames */
    uint64_t taken;      /* bytes received from the socket */
};

void lane_init(lane_t *self, lane_kind_t kind, zsock_t *socket, zsock_t *pipe);

/*  Blocks that are still with an engine must have come back. */
void lane_free(lane_t *self);

/*  Move what has arrived into one block and hand it over. False when no block is free: the caller
 * stops polling until the engine says that there is room. */
bool lane_drain(lane_t *self);

/*  For the engine's actor: take the next block that waits in the pipe; NULL if there is none. */
block_t *block_take(zsock_t *pipe);

/*  Give it back, its frames closed. True when the lane was waiting for it: tell the reactor. */
bool block_return(block_t *self);

#endif
