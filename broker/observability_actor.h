/*  observability_actor - the thread that owns the observability wing.
 *
 *  Takes blocks of frames from the metrics and requests lanes, decodes them, lets the stack judge
 * them, publishes what it finds and sends it on to the operations wing; answers questions between
 * blocks.
 *
 *  Owns     an observability_stack_t, the numbers it may publish under, the keeper of its windows
 *  Bounds   one block of each lane a turn, so that no lane and no question waits for the others
 *  Thread   its own; it speaks through pipes (broker/mail.h)
 */
#ifndef BROKER_OBSERVABILITY_ACTOR_H
#define BROKER_OBSERVABILITY_ACTOR_H

#include "broker/access_keys.h"
#include "broker/config.h"
#include "broker/lane.h"
#include "broker/watchdog.h"

#include <czmq.h>

/*  What the actor is given; everything in it is the actor's from then on, but the pipe to the
 *  operations actor: that one may still write into it when this one has ended, and would wait for
 *  ever if nobody held the other end. */
typedef struct {
    config_t *config;
    access_keys_t *keys;            /* a share; NULL: whoever gets here may push */
    zsock_t *operations;            /* pipe to the operations actor */
    zsock_t *relay;                 /* pipe to the relay bus */
    zsock_t *lanes[LANE_INCIDENTS]; /* metrics and requests */
    char source[64];                /* `source` of publications */
    pulse_t *pulse;                 /* outlives the actor */
    char directory[4096];           /* the store's: where the windows outlive the process */
} observability_actor_t;

/*  For zactor_new; the argument is an observability_actor_t on the heap. */
void observability_actor(zsock_t *pipe, void *arguments);

#endif
