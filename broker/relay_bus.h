/*  relay_bus - the actor that ties the broker to a RELAY bus on Redis Streams.
 *
 *  Out: publications are asked of the operations actor, which keeps them and how far they were
 * sent; they leave in order, in pipelined batches, and count as sent when Redis (and as many
 * replicas as are demanded) has them all. In: entries of streams become frames that the wings read
 * as they read those of the sockets, and are acknowledged when they had their effect.
 *
 *  Owns     its connections to Redis
 *  Bounds   one batch a family, READ_COUNT entries a stream under way
 *  Thread   its own; it waits for Redis at most LINK_REPLY_MS at a time, and nobody waits for it
 */
#ifndef BROKER_RELAY_BUS_H
#define BROKER_RELAY_BUS_H

#include "broker/config.h"

#include <czmq.h>

/*  What the actor is given; everything in it is the actor's from then on. */
typedef struct {
    config_t *config;
    zsock_t *operations, *observability; /* pipes */
    char source[64];                     /* names the broker */
} relay_bus_t;

/*  For zactor_new; the argument is a relay_bus_t on the heap. */
void relay_bus_actor(zsock_t *pipe, void *arguments);

#endif
