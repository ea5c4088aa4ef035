/*  access_actor - the thread that lets connections in, and keeps the keys as they are on disk.
 *
 *  Answers ZeroMQ's authentication requests (broker/access_zap.h), and reads the directory of keys
 *  again when anything in it changes, when a key begins or ends by itself, and now and then. Each
 *  new state of the keys is sent to the reactor.
 *
 *  Owns     the ZAP endpoint of the process, a watch on the directory (inotify(7))
 *  Bounds   one request at a time; RELOAD_MS between a change and its effect
 *  Thread   its own; while it is not there, or stuck, nobody gets in: the domain is enforced, and
 *           ZeroMQ ends a handshake that is not answered in time
 */
#ifndef BROKER_ACCESS_ACTOR_H
#define BROKER_ACCESS_ACTOR_H

#include "broker/access_keys.h"
#include "broker/access_zap.h"

#include <czmq.h>
#include <stdatomic.h>

/*  How connections fared; read by whoever reports. */
typedef struct {
    atomic_ullong verdicts[ZAP_VERDICT_COUNT];
} access_counts_t;

/*  What the actor is given; everything in it but the counts is the actor's from then on. */
typedef struct {
    char *directory;     /* on the heap */
    access_keys_t *keys; /* a share: what is in force at the start */
    network_t network;
    access_counts_t *counts; /* outlive the actor */
} access_actor_t;

/*  For zactor_new; the argument is an access_actor_t on the heap. It is told new address rules by
 *  MAIL_NETWORK, and tells new keys by MAIL_KEYS (broker/mail.h). */
void access_actor(zsock_t *pipe, void *arguments);

#endif
