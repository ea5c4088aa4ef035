/*  endpoint - an outside socket, set up the one way all of them are, bound and bound again.
 *
 *  Owns     nothing: the socket is the caller's
 *  Bounds   frames of OVERSIZE times limits.frame, the connections of one second in the backlog,
 *           HANDSHAKE_MS for a handshake, DEAD_S until a peer that is silently gone is given up
 *  Thread   the one that owns the sockets
 *  Refuses  an address that is not loopback, unless keys and address rules guard it
 */
#ifndef BROKER_ENDPOINT_H
#define BROKER_ENDPOINT_H

#include "broker/config.h"
#include "broker/store.h"

#include <czmq.h>
#include <stdbool.h>
#include <stdint.h>

#define ENDPOINT_ADDRESS_SIZE 256u

typedef struct {
    const char *secret_key; /* the broker's own; NULL: whoever reaches the socket comes in */
    bool rules;             /* there are address rules */
    uint64_t frame_bytes;   /* limits.frame */
} endpoint_guard_t;

/*  Fills `bound` with the address it is really bound to. NULL and a filled error (EX_UNAVAILABLE:
 *  the address is taken or wrong; EX_NOPERM: it is not loopback, and not guarded). */
zsock_t *endpoint_bind(endpoint_t which, int type, text_t address, const endpoint_guard_t *guard,
                       char bound[ENDPOINT_ADDRESS_SIZE], store_error_t *error);

/*  Close every connection of a bound socket, free what they held, and listen again. Whole messages
 *  that have arrived stay. False: the address could not be had again within REBIND_MS; try again
 *  later. */
bool endpoint_rebind(zsock_t *socket, const char *bound);

#endif
