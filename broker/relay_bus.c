#include "broker/relay_bus.h"

#include "broker/clock.h"
#include "broker/relay_inside.h"
#include "proto/must.h"

#include <stdlib.h>

#define MAILS_A_TURN 1000u

/* The longest a turn waits for something to happen: connections are tried again between. */
#define WAIT_MS 200

#define PIPES 3u
#define INPUTS_MAX 32u

/* -- mails -- */

static void take_config(relay_state_t *self, zmsg_t *mail)
{
    relay_in_close(self); /* it looks into the old one */
    config_destroy(&self->given->config);
    mail_take_struct(mail, &self->given->config, sizeof self->given->config);
    relay_out_configure(self);
    relay_in_configure(self);
}

static void serve_reactor(relay_state_t *self, zmsg_t *mail)
{
    switch ((int)mail_open(mail)) {
    case MAIL_ASK:
        relay_answer(self, &mail);
        break;
    case MAIL_CONFIG:
        take_config(self, mail);
        break;
    case MAIL_STOP:
        self->stopping = true;
        break;
    default: /* "$TERM": the actor is being destroyed */
        self->ended = true;
    }
    zmsg_destroy(&mail);
}

static void serve_wing(relay_state_t *self, zmsg_t *mail)
{
    switch ((int)mail_open(mail)) {
    case MAIL_RELAY_AT:
        relay_out_take_at(self, mail);
        break;
    case MAIL_RELAY_BATCH:
        relay_out_take_batch(self, mail);
        break;
    case MAIL_FED:
        relay_in_take_fed(self, mail);
        break;
    default:
        must_not("a mail of a kind that the wings do not send");
    }
    zmsg_destroy(&mail);
}

static void serve_pipe(relay_state_t *self, zsock_t *pipe, void (*serve)(relay_state_t *, zmsg_t *))
{
    zmsg_t *mail;
    for (size_t i = 0; i < MAILS_A_TURN && (mail = mail_receive(pipe)) != NULL; i++)
        serve(self, mail);
}

/* -- the loop -- */

/*  The pipes, and every stream that is being read: `readers` are whose sockets stand behind them.
 */
static size_t fill_items(relay_state_t *self, zmq_pollitem_t *items, relay_input_t **readers)
{
    zsock_t *pipes[PIPES] = {self->reactor, self->given->operations, self->given->observability};
    size_t count = 0;
    for (; count < PIPES; count++)
        items[count] =
            (zmq_pollitem_t){.socket = zsock_resolve(pipes[count]), .events = ZMQ_POLLIN};
    for (size_t i = 0; i < self->input_count; i++)
        if (self->inputs[i].reading) {
            readers[count - PIPES] = &self->inputs[i];
            items[count++] =
                (zmq_pollitem_t){.fd = self->inputs[i].link.context->fd, .events = ZMQ_POLLIN};
        }
    return count;
}

static void take_turn(relay_state_t *self)
{
    zmq_pollitem_t items[PIPES + INPUTS_MAX];
    relay_input_t *readers[INPUTS_MAX];
    size_t count = fill_items(self, items, readers);
    zmq_poll(items, (int)count, WAIT_MS);
    self->now = clock_now();
    for (size_t i = PIPES; i < count; i++)
        if ((items[i].revents & (ZMQ_POLLIN | ZMQ_POLLERR)) != 0)
            relay_in_take_reply(self, readers[i - PIPES]);
    serve_pipe(self, self->given->operations, serve_wing);
    serve_pipe(self, self->given->observability, serve_wing);
    relay_out_turn(self);
    relay_in_turn(self);
    serve_pipe(self, self->reactor, serve_reactor);
}

static void set_up(relay_state_t *self, zsock_t *pipe, relay_bus_t *given)
{
    *self = (relay_state_t){.given = given, .reactor = pipe, .now = clock_now()};
    arena_init(&self->arena);
    msgpack_sbuffer_init(&self->body);
    msgpack_sbuffer_init(&self->outcome);
    msgpack_sbuffer_init(&self->frame);
    envelope_init(&self->out.envelope);
    relay_out_configure(self);
    relay_in_configure(self);
}

static void tear_down(relay_state_t *self)
{
    relay_in_close(self);
    link_close(&self->out.link);
    envelope_free(&self->out.envelope);
    arena_free(&self->arena);
    msgpack_sbuffer_destroy(&self->body);
    msgpack_sbuffer_destroy(&self->outcome);
    msgpack_sbuffer_destroy(&self->frame);
    zsock_destroy(&self->given->operations);
    zsock_destroy(&self->given->observability);
    config_destroy(&self->given->config);
    free(self->given);
}

void relay_bus_actor(zsock_t *pipe, void *arguments)
{
    relay_state_t self;
    set_up(&self, pipe, arguments);
    zsock_signal(pipe, 0);
    while (!self.ended && !self.stopping)
        take_turn(&self);
    if (!self.ended) {
        relay_out_mark(&self);
        zmsg_t *mail = mail_new(MAIL_STOPPED);
        mail_send(&mail, pipe);
    }
    tear_down(&self);
}
