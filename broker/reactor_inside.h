/*  reactor_inside - what the files of the reactor share. Private to it.
 *
 *    reactor          binding, publications, mail, signals, the loop
 *    reactor_control  requests on the control endpoint, and the configuration
 *    reactor_watch    memory and descriptors, and what is closed when they run out
 */
#ifndef BROKER_REACTOR_INSIDE_H
#define BROKER_REACTOR_INSIDE_H

#include "broker/endpoint.h"
#include "broker/gate.h"
#include "broker/memory_watch.h"
#include "broker/outside.h"
#include "broker/reactor.h"
#include "broker/report.h"
#include "broker/subscriptions.h"
#include "broker/watchdog.h"

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
    bool lost[REPORT_ENDPOINTS]; /* could not be bound again yet */
    uint64_t control_taken;      /* bytes */
    memory_watch_t memory;
    uint64_t looks; /* at memory */
    uint64_t resident_a_second_ago;
    bool descriptors_scarce;
    lane_t lanes[LANE_COUNT];
    zsock_t *lane_ends[LANE_COUNT]; /* the engines' ends, until the actors start */
    zactor_t *observability, *operations;
    zsock_t *wing_pipe; /* observability's end of the pipe between them: open until both ended */
    outside_t outside;
    watchdog_t *watchdog;
    pulse_t *pulse; /* the reactor's own */
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

/*  Close all connections of an endpoint and listen again. */
void reactor_rebind(reactor_t *self, endpoint_t endpoint);

/*  Try again where that failed. */
void reactor_find_lost(reactor_t *self);

/*  Fill in what system.status shows of memory and descriptors. */
void reactor_measure(reactor_t *self);

/*  A handler of zloop, WATCH_MS apart: look at memory and do what is needed. */
#define WATCH_MS 100u
int reactor_watch(zloop_t *loop, int timer, void *context);

#endif
