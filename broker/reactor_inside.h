/*  reactor_inside - what the files of the reactor share. Private to it.
 *
 *    reactor          binding, publications, mail, signals, the loop
 *    reactor_control  requests on the control endpoint, and the configuration
 */
#ifndef BROKER_REACTOR_INSIDE_H
#define BROKER_REACTOR_INSIDE_H

#include "broker/endpoint.h"
#include "broker/gate.h"
#include "broker/outside.h"
#include "broker/reactor.h"
#include "broker/report.h"
#include "broker/subscriptions.h"

#include <msgpack/sbuffer.h>

struct reactor {
    zloop_t *loop;
    const overrides_t *overrides;
    config_t *config; /* a share */
    limits_t limits;
    report_t facts; /* what of system.status is known here */
    gate_t gate;
    zsock_t *events, *control;
    subscriptions_t subscriptions;
    bool events_lost; /* the events endpoint could not be bound again yet */
    lane_t lanes[LANE_COUNT];
    zsock_t *lane_ends[LANE_COUNT]; /* the engines' ends, until the actors start */
    zactor_t *observability, *operations;
    zsock_t *wing_pipe; /* observability's end of the pipe between them: open until both ended */
    outside_t outside;
    int signals;
    int64_t started_ns;
    uint64_t heads[FAMILY_STORED];
    uint64_t heartbeat;
    char source[64];
    arena_t arena;
    msgpack_sbuffer outcome, body, data;
    bool observability_stopped, operations_stopped, stopping;
    int exit_status;
};

/*  A handler of zloop: requests that wait on control. */
int reactor_take_requests(zloop_t *loop, zsock_t *socket, void *context);

/*  Take a share of the configuration, and what in it concerns the reactor. */
void reactor_adopt(reactor_t *self, config_t *config);

/*  All of the new configuration or none of it. `envelope` of who asked; NULL: nobody waits. */
void reactor_reload(reactor_t *self, zmsg_t **envelope, const command_t *command);

#endif
