/*  reactor - one loop that owns every outside ZeroMQ socket and moves what arrives to whoever
 * understands it.
 *
 *  Control and signals are served before ingest in every turn; ingest is drained in bounded blocks
 * (broker/lane.h); publications and answers of the wings go out through it.
 *
 *  Owns     the five endpoints, the lanes, the two actors
 *  Bounds   CONTROL_A_TURN requests, LANE_BLOCKS blocks a lane, MAILS_A_TURN mails of a wing
 *  Thread   the main one
 *  Refuses  requests that are not one complete command (bad_request, unknown_command)
 */
#ifndef BROKER_REACTOR_H
#define BROKER_REACTOR_H

#include "broker/config.h"
#include "broker/store.h"

#include <stdbool.h>

typedef struct reactor reactor_t;

/*  Bind the endpoints. NULL and a filled error (EX_UNAVAILABLE: an address is taken or wrong;
 * EX_NOPERM: not loopback). The configuration stays the caller's. */
reactor_t *reactor_new(const config_t *config, const overrides_t *overrides, store_error_t *error);
void reactor_destroy(reactor_t **self);

/*  Start the two wings. Takes the store and the configuration. */
void reactor_start(reactor_t *self, store_t **store, config_t **config);

/*  The address an endpoint is really bound to; NULL for http. */
const char *reactor_address(const reactor_t *self, endpoint_t endpoint);

/*  Serve until a signal says stop, then finish what has arrived. Answers the exit status. */
int reactor_run(reactor_t *self);

#endif
