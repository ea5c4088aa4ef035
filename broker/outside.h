/*  outside - the actors that speak to the world outside of the broker: the notifier and the
 * relay bus.
 *
 *  Owns     those actors
 *  Thread   the reactor's
 *
 *  They answer the questions about themselves, get every new configuration, and are stopped before
 * the wings, which keep what became of what was under way.
 */
#ifndef BROKER_OUTSIDE_H
#define BROKER_OUTSIDE_H

#include "broker/config.h"
#include "proto/command.h"

#include <czmq.h>

typedef struct {
    zactor_t *notifier, *relay;
    bool notifier_stopped, relay_stopped;
} outside_t;

/*  The wings' ends of the pipes to them. */
typedef struct {
    zsock_t *notifier;                       /* operations */
    zsock_t *relay, *relay_of_observability; /* operations, observability */
} outside_pipes_t;

/*  `pipes` is filled in. */
void outside_start(outside_t *self, config_t *config, const char *source, int pipe_mails,
                   outside_pipes_t *pipes);
void outside_destroy(outside_t *self);

/*  Who answers for this wing; NULL: nobody here. */
zactor_t *outside_of(const outside_t *self, wing_t wing);

/*  A new configuration is in force. */
void outside_configure(outside_t *self, config_t *config);

/*  Finish what is under way and say STOPPED. */
void outside_stop(outside_t *self);
bool outside_has_stopped(const outside_t *self);

#endif
