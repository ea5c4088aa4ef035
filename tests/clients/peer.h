/*  peer - the broker's end of a connection, played by a test: one bound ZeroMQ socket at an ipc
 *  address in a folder of its own, which can go away and come back.
 *
 *  Every wait has an upper bound; running into it fails the test.
 */
#ifndef TESTS_CLIENTS_PEER_H
#define TESTS_CLIENTS_PEER_H

#include "clients/libtocsin/clock.h"
#include "tests/check.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define PATIENCE_MS 10000
#define PATIENCE_S 10.0

typedef struct {
    int type, hwm;          /* messages that may wait to be read */
    void *context, *socket; /* socket NULL: away */
    char folder[32], address[64];
} peer_t;

/*  Choose an address; nobody is there yet. */
static inline void peer_init(peer_t *self, int type)
{
    *self = (peer_t){
        .type = type, .hwm = 1000, .context = zmq_ctx_new(), .folder = "/tmp/tocsin-test-XXXXXX"};
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->address, sizeof self->address, "ipc://%s/s", self->folder);
}

static inline void peer_come(peer_t *self)
{
    const int patience_ms = PATIENCE_MS, linger_ms = 0;
    self->socket = zmq_socket(self->context, self->type);
    assert_non_null(self->socket);
    zmq_setsockopt(self->socket, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
    zmq_setsockopt(self->socket, ZMQ_SNDTIMEO, &patience_ms, sizeof patience_ms);
    zmq_setsockopt(self->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt(self->socket, ZMQ_RCVHWM, &self->hwm, sizeof self->hwm);
    assert_int_equal(zmq_bind(self->socket, self->address), 0);
}

/*  With everything that was not read, as if it were killed; a new context, so that the address is
 *  free when this returns. */
static inline void peer_go(peer_t *self)
{
    if (self->socket != NULL)
        zmq_close(self->socket);
    self->socket = NULL;
    zmq_ctx_term(self->context);
    self->context = zmq_ctx_new();
}

static inline void peer_free(peer_t *self)
{
    peer_go(self);
    zmq_ctx_term(self->context);
    char path[64];
    snprintf(path, sizeof path, "%s/s", self->folder);
    unlink(path);
    rmdir(self->folder);
}

/*  The next frame, which the caller closes. */
static inline void peer_receive(peer_t *self, zmq_msg_t *frame)
{
    zmq_msg_init(frame);
    if (zmq_msg_recv(frame, self->socket, 0) < 0)
        fail_msg("nothing came to %s: %s", self->address, zmq_strerror(zmq_errno()));
}

/*  Has nothing come within so many milliseconds? */
static inline bool peer_is_quiet(peer_t *self, long wait_ms)
{
    zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLIN};
    return zmq_poll(&item, 1, wait_ms) == 0;
}

#endif
