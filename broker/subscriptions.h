/*  subscriptions - who hears which topics: takes the wishes of subscribers from the events socket
 *  and serves what they may hear.
 *
 *  Owns     what each connection is served, a monitor of the socket
 *  Bounds   `most` subscriptions served a connection; WISHES_A_TURN in one call
 *  Thread   the socket's
 *  Refuses  topics outside a key's prefixes, and subscriptions beyond `most`. A connection that
 * sends what is no subscription, or whose key lost a right, is cut: it may come again
 *
 *  The socket is in manual mode (ZMQ_XPUB_MANUAL): a wish is served by us or not at all. libzmq
 *  4.3.4 keeps beside the wishes the connection that each came from, but not beside other messages,
 *  and takes one off at each: behind a message that is no wish, what waits would be served to the
 *  connection of a later one. Where all of it comes from one connection it is served at the end of
 *  the queue; else the connections are cut, and come again with their wishes.
 *
 *  ZeroMQ has no way to close one connection, but tells its descriptor with each message
 * (ZMQ_SRCFD, zmq_msg_get(3)), and what shuts down a descriptor (shutdown(2)) is to ZeroMQ a peer
 * that hung up.
 */
#ifndef BROKER_SUBSCRIPTIONS_H
#define BROKER_SUBSCRIPTIONS_H

#include "broker/access_keys.h"

#include <czmq.h>
#include <stdbool.h>
#include <stdint.h>

/*  What one connection is served: hashes of the topics, in order. */
typedef struct {
    uint64_t *topics;
    uint32_t count, capacity;
    char user_id[KEY_TEXT_SIZE]; /* "": it has no key */
} heard_t;

typedef struct {
    zsock_t *events, *monitor;
    heard_t *connections; /* by descriptor */
    size_t capacity;
    uint32_t most;
    uint64_t served;  /* now */
    uint64_t refused; /* since the start */
    uint64_t taken;   /* bytes received from the socket */
} subscriptions_t;

/*  Before anything is received from the socket. */
void subscriptions_init(subscriptions_t *self, zsock_t *events);
void subscriptions_free(subscriptions_t *self);

/*  Take what waits. keys NULL: everybody may hear everything. */
void subscriptions_serve(subscriptions_t *self, const access_keys_t *keys);

/*  Cut the connections whose keys lost a right between `old` and `new`. */
void subscriptions_revoke(subscriptions_t *self, const access_keys_t *old,
                          const access_keys_t *new);

/*  All connections were closed. */
void subscriptions_forget(subscriptions_t *self);

#endif
