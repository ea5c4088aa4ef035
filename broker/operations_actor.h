/*  operations_actor - the thread that owns the operations wing and the store.
 *
 *  A turn takes everything that waits (findings first, then commands and incident frames), carries
 * it out, commits once, and only then answers and publishes. `ok` means on disk.
 *
 *  Owns     an operations_manager_t and the store_t
 *  Bounds   COMMANDS_A_TURN and FINDINGS_A_TURN mails, and one block of the lane, a turn
 *  Thread   its own; it speaks through pipes (broker/mail.h)
 */
#ifndef BROKER_OPERATIONS_ACTOR_H
#define BROKER_OPERATIONS_ACTOR_H

#include "broker/access_keys.h"
#include "broker/config.h"
#include "broker/store.h"
#include "broker/watchdog.h"

#include <czmq.h>

/*  What the actor is given; everything in it is the actor's from then on. */
typedef struct {
    config_t *config;
    access_keys_t *keys; /* a share; NULL: whoever gets here may do all */
    store_t *store;
    zsock_t *observability; /* pipe to the observability actor */
    zsock_t *incidents;     /* the lane */
    zsock_t *notifier;      /* pipe to the notifier */
    zsock_t *relay;         /* pipe to the relay bus */
    char source[64];        /* `source` of publications */
    pulse_t *pulse;         /* outlives the actor */
} operations_actor_t;

/*  For zactor_new; the argument is an operations_actor_t on the heap. */
void operations_actor(zsock_t *pipe, void *arguments);

#endif
