/*  notifier - the actor that tells alerts to the channels.
 *
 *  What is to be told when is decided by engines/operations/notification_dispatcher.h from the
 *  notices that the operations actor passes on; the notices themselves are on disk there. Before a
 *  notification is sent the operations actor notes it, so that after a crash it is known who may
 *  have seen what; what became of it is noted after.
 *
 *  Owns     the dispatcher, the transfers and processes under way
 *  Bounds   one notification a channel at a time, and one drill or dead letter besides
 *  Time     timers run on the monotonic clock
 *  Thread   its own; it speaks through pipes (broker/mail.h) and waits for nobody: not for the
 * network, and a pipe that is full loses what is told a second time anyway
 */
#ifndef BROKER_NOTIFIER_H
#define BROKER_NOTIFIER_H

#include "broker/config.h"

#include <czmq.h>

/*  What the actor is given; everything in it is the actor's from then on. */
typedef struct {
    config_t *config;
    zsock_t *operations; /* pipe to the operations actor */
    char source[64];     /* names the broker */
} notifier_t;

/*  For zactor_new; the argument is a notifier_t on the heap. */
void notifier_actor(zsock_t *pipe, void *arguments);

#endif
