/*  control - a control endpoint played by a test: takes one command, answers it or not.
 *
 *  Owns     the last command, until the next is taken
 */
#ifndef TESTS_CLIENTS_CONTROL_H
#define TESTS_CLIENTS_CONTROL_H

#include "proto/pack.h"
#include "tests/clients/peer.h"

#include <tocsin.h>

typedef struct {
    peer_t peer;
    zmq_msg_t sender, body;
    bool taken;
} control_t;

static inline void control_init(control_t *self)
{
    *self = (control_t){.taken = false};
    peer_init(&self->peer, ZMQ_ROUTER);
}

static inline void control_forget(control_t *self)
{
    if (!self->taken)
        return;
    zmq_msg_close(&self->sender);
    zmq_msg_close(&self->body);
    self->taken = false;
}

static inline void control_free(control_t *self)
{
    control_forget(self);
    peer_free(&self->peer);
}

static inline tocsin_value_t control_command(const control_t *self)
{
    return (tocsin_value_t){zmq_msg_data((zmq_msg_t *)&self->body),
                            zmq_msg_size((zmq_msg_t *)&self->body)};
}

/*  Take the next command, waiting so long for it; false if none came. */
static inline bool control_take(control_t *self, long wait_ms)
{
    if (self->peer.socket == NULL || peer_is_quiet(&self->peer, wait_ms))
        return false;
    control_forget(self);
    peer_receive(&self->peer, &self->sender);
    peer_receive(&self->peer, &self->body);
    self->taken = true;
    return true;
}

/*  Is the argument of that name this text? */
static inline bool control_says(const control_t *self, const char *key, const char *text)
{
    char copy[256];
    tocsin_value_t value = tocsin_value_of(control_command(self), key);
    return strcmp(tocsin_value_copy(value, copy, sizeof copy), text) == 0;
}

static inline void control_send(control_t *self, msgpack_sbuffer *reply)
{
    zmq_msg_t sender;
    zmq_msg_init(&sender);
    zmq_msg_copy(&sender, &self->sender);
    assert_true(zmq_msg_send(&sender, self->peer.socket, ZMQ_SNDMORE) >= 0);
    assert_true(zmq_send(self->peer.socket, reply->data, reply->size, 0) >= 0);
    msgpack_sbuffer_destroy(reply);
}

/*  The head of an answer up to its last key, which the caller gives the value. */
static inline void control_begin(control_t *self, msgpack_sbuffer *reply, bool ok)
{
    tocsin_value_t id = tocsin_value_of(control_command(self), "id");
    msgpack_sbuffer_init(reply);
    pack_map(reply, 3);
    pack_string(reply, "id");
    pack_raw(reply, (text_t){id.bytes, id.size});
    pack_string(reply, "ok");
    pack_bool(reply, ok);
    pack_string(reply, ok ? "result" : "error");
}

static inline void control_answer(control_t *self, const char *result)
{
    msgpack_sbuffer reply;
    control_begin(self, &reply, true);
    pack_string(&reply, result);
    control_send(self, &reply);
}

static inline void control_refuse(control_t *self, const char *code, const char *message)
{
    msgpack_sbuffer reply;
    control_begin(self, &reply, false);
    pack_map(&reply, 2);
    pack_string(&reply, "code");
    pack_string(&reply, code);
    pack_string(&reply, "message");
    pack_string(&reply, message);
    control_send(self, &reply);
}

#endif
