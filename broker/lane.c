#include "broker/lane.h"

#include "broker/clock.h"
#include "proto/must.h"

const char *const lane_names[LANE_COUNT] = {
    [LANE_METRICS] = "metrics", [LANE_REQUESTS] = "requests", [LANE_INCIDENTS] = "incidents"};

void lane_init(lane_t *self, lane_kind_t kind, zsock_t *socket, zsock_t *pipe)
{
    *self = (lane_t){.kind = kind, .socket = socket, .pipe = pipe};
    self->blocks = memory_new(LANE_BLOCKS, sizeof *self->blocks);
    for (size_t i = 0; i < LANE_BLOCKS; i++)
        self->blocks[i].lane = self;
}

void lane_free(lane_t *self)
{
    zsock_destroy(&self->socket);
    zsock_destroy(&self->pipe);
    for (size_t i = 0; self->blocks != NULL && i < LANE_BLOCKS; i++)
        must(!atomic_load(&self->blocks[i].away));
    free(self->blocks);
    self->blocks = NULL;
}

static bool is_free(block_t *block)
{
    return !atomic_load_explicit(&block->away, memory_order_acquire);
}

static void fill(block_t *block, void *socket)
{
    size_t bytes = 0;
    block->count = 0;
    while (block->count < BLOCK_FRAMES && bytes < BLOCK_BYTES) {
        zmq_msg_t *frame = &block->frames[block->count];
        zmq_msg_init(frame);
        if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(frame);
            return;
        }
        bytes += zmq_msg_size(frame);
        block->count++;
    }
}

static void empty(block_t *block)
{
    for (size_t i = 0; i < block->count; i++)
        zmq_msg_close(&block->frames[i]);
    block->count = 0;
}

/*  Bytes on the wire: a short frame has two more (rfc.zeromq.org/spec/23). */
static uint64_t bytes_in(block_t *block)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < block->count; i++)
        bytes += zmq_msg_size(&block->frames[i]) + 2;
    return bytes;
}

bool lane_drain(lane_t *self)
{
    block_t *block = &self->blocks[self->next];
    if (!is_free(block)) {
        /* say so first and look again: the engine may have given it back in between */
        atomic_store(&self->starved, true);
        if (!is_free(block))
            return false;
        atomic_store(&self->starved, false);
    }
    fill(block, zsock_resolve(self->socket));
    self->taken += bytes_in(block);
    if (self->sheds) {
        self->shed += block->count;
        empty(block);
    }
    if (block->count == 0)
        return true;
    block->now = clock_now();
    atomic_store_explicit(&block->away, true, memory_order_release);
    /* the pipe holds every block there is: this never waits */
    must(zmq_send(zsock_resolve(self->pipe), &block, sizeof block, 0) == (int)sizeof block);
    self->next = (self->next + 1) % LANE_BLOCKS;
    return true;
}

block_t *block_take(zsock_t *pipe)
{
    block_t *block = NULL;
    int size = zmq_recv(zsock_resolve(pipe), &block, sizeof block, ZMQ_DONTWAIT);
    if (size != (int)sizeof block)
        return NULL;
    must(atomic_load_explicit(&block->away, memory_order_acquire));
    return block;
}

bool block_return(block_t *self)
{
    lane_t *lane = self->lane;
    empty(self);
    atomic_store_explicit(&self->away, false, memory_order_seq_cst);
    return atomic_exchange(&lane->starved, false);
}
