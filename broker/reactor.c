#include "broker/clock.h"
#include "broker/failpoint.h"
#include "broker/log.h"
#include "broker/mail.h"
#include "broker/observability_actor.h"
#include "broker/operations_actor.h"
#include "broker/reactor_inside.h"
#include "proto/must.h"
#include "proto/pack.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

/* Mails served in one call of a handler. */
#define MAILS_A_TURN 256u

/* Publications and answers that may wait for the reactor before a wing has to wait. */
#define PIPE_MAILS 100000

#define HEARTBEAT_MS 1000

/* When a thread that does not move is named, and when it ends the process: two missed beats of a
 * second. The reactor beats ten times a second; a commit waits for the disk, which may take longer.
 */
#define ENGINE_WARN_MS 100
#define REACTOR_WARN_MS 300
#define STUCK_MS 2000
#define DISK_WARN_MS 1000
#define DISK_STUCK_MS 30000

/* What has arrived is finished within this time after a stop. */
#define DRAIN_MS 5000

/* -- binding -- */

static zsock_t *bind_endpoint(reactor_t *self, endpoint_t endpoint, int type,
                              const config_t *config, store_error_t *error)
{
    endpoint_guard_t guard = {.secret_key = self->gate.keys == NULL ? NULL : self->gate.secret_key,
                              .rules = self->gate.rules,
                              .frame_bytes = self->limits.frame_bytes};
    return endpoint_bind(endpoint, type, config->settings.endpoints.addresses[endpoint], &guard,
                         self->facts.endpoints[endpoint], error);
}

static bool bind_lanes(reactor_t *self, const config_t *config, store_error_t *error)
{
    for (lane_kind_t kind = 0; kind < LANE_COUNT; kind++) {
        zsock_t *socket = bind_endpoint(self, (endpoint_t)kind, ZMQ_PULL, config, error);
        if (socket == NULL)
            return false;
        zsock_t *pipe;
        pipe_new((int)LANE_BLOCKS * 2, &pipe, &self->lane_ends[kind]);
        lane_init(&self->lanes[kind], kind, socket, pipe);
    }
    return true;
}

static bool bind_all(reactor_t *self, const config_t *config, store_error_t *error)
{
    if (!bind_lanes(self, config, error))
        return false;
    self->events = bind_endpoint(self, ENDPOINT_EVENTS, ZMQ_XPUB, config, error);
    if (self->events == NULL)
        return false;
    subscriptions_init(&self->subscriptions, self->events);
    self->control = bind_endpoint(self, ENDPOINT_CONTROL, ZMQ_ROUTER, config, error);
    return self->control != NULL;
}

/* -- publications -- */

static void send_publication(reactor_t *self, zmsg_t **mail)
{
    mail_number_t number;
    mail_take_struct(*mail, &number, sizeof number);
    self->heads[number.family] = number.seq;
    FAILPOINT("reactor.publish");
    zmsg_send(mail, self->events);
}

static void write_heads(reactor_t *self)
{
    self->data.size = 0;
    pack_map(&self->data, 1);
    pack_string(&self->data, "heads");
    pack_map(&self->data, FAMILY_STORED);
    for (family_t family = 0; family < FAMILY_STORED; family++) {
        pack_string(&self->data, family_name(family));
        pack_uint(&self->data, self->heads[family]);
    }
}

/*  The head of every family each second, so that losing the last publication shows. */
static int beat(zloop_t *loop, int timer, void *context)
{
    (void)loop;
    (void)timer;
    reactor_t *self = context;
    write_heads(self);
    publication_t publication = {.type = PUBLISH_HEARTBEAT,
                                 .time_s = clock_now().wall_s,
                                 .subject = text_of(self->source),
                                 .data = {self->data.data, self->data.size}};
    self->body.size = 0;
    publication_encode(&publication, ++self->heartbeat, text_of(self->source), &self->body);
    zmsg_t *message = zmsg_new();
    zmsg_addstr(message, family_name(FAMILY_HEARTBEAT));
    zmsg_addmem(message, self->body.data, self->body.size);
    zmsg_send(&message, self->events);
    sd_notify(0, "WATCHDOG=1");
    reactor_find_lost(self);
    return 0;
}

static int take_subscriptions(zloop_t *loop, zsock_t *socket, void *context)
{
    (void)loop;
    (void)socket;
    reactor_t *self = context;
    subscriptions_serve(&self->subscriptions, self->gate.keys);
    return 0;
}

/* -- lanes -- */

static int take_block(zloop_t *loop, zsock_t *socket, void *context)
{
    lane_t *lane = context;
    if (lane_drain(lane))
        return 0;
    zloop_reader_end(loop, socket);
    lane->reading = false;
    return 0;
}

static void resume(reactor_t *self, lane_t *lane)
{
    if (lane->reading || self->stopping)
        return;
    lane->reading = true;
    zloop_reader(self->loop, lane->socket, take_block, lane);
}

/* -- mail from the wings -- */

static void take_mail(reactor_t *self, zmsg_t *mail, bool *stopped)
{
    unsigned char lane;
    switch ((int)mail_open(mail)) {
    case MAIL_ANSWER: {
        zframe_t *reply = mail_take(mail);
        zmsg_append(mail, &reply);
        FAILPOINT("reactor.answer");
        zmsg_send(&mail, self->control);
        break;
    }
    case MAIL_PUBLISH:
        send_publication(self, &mail);
        break;
    case MAIL_ROOM:
        mail_take_struct(mail, &lane, 1);
        resume(self, &self->lanes[lane]);
        break;
    case MAIL_STOPPED:
        *stopped = true;
        break;
    case MAIL_FATAL:
        mail_take_struct(mail, &self->exit_status, sizeof self->exit_status);
        *stopped = true;
        self->stopping = true;
        break;
    default:
        break; /* the signal with which an actor ends */
    }
    zmsg_destroy(&mail);
}

static void take_mails(reactor_t *self, zactor_t *wing, bool *stopped)
{
    zmsg_t *mail;
    for (size_t i = 0; i < MAILS_A_TURN && !*stopped; i++) {
        if ((mail = mail_receive(zactor_sock(wing))) == NULL)
            return;
        take_mail(self, mail, stopped);
    }
}

static int serve_observability(zloop_t *loop, zsock_t *pipe, void *context)
{
    (void)loop;
    (void)pipe;
    reactor_t *self = context;
    take_mails(self, self->observability, &self->observability_stopped);
    return 0;
}

static int serve_operations(zloop_t *loop, zsock_t *pipe, void *context)
{
    (void)loop;
    (void)pipe;
    reactor_t *self = context;
    take_mails(self, self->operations, &self->operations_stopped);
    return self->stopping ? -1 : 0;
}

static int serve_notifier(zloop_t *loop, zsock_t *pipe, void *context)
{
    (void)loop;
    (void)pipe;
    reactor_t *self = context;
    take_mails(self, self->outside.notifier, &self->outside.notifier_stopped);
    return 0;
}

/* -- mail from the access actor -- */

static void send_keys(zactor_t *wing, access_keys_t *keys)
{
    zmsg_t *mail = mail_new(MAIL_KEYS);
    mail_add(mail, &keys, sizeof keys);
    mail_send(&mail, zactor_sock(wing));
}

static int serve_access(zloop_t *loop, zsock_t *pipe, void *context)
{
    (void)loop;
    reactor_t *self = context;
    zmsg_t *mail = mail_receive(pipe);
    if (mail == NULL || mail_open(mail) != MAIL_KEYS) {
        zmsg_destroy(&mail);
        return 0;
    }
    access_keys_t *old = gate_take_keys(&self->gate, mail);
    zmsg_destroy(&mail);
    send_keys(self->observability, access_keys_share(self->gate.keys));
    send_keys(self->operations, access_keys_share(self->gate.keys));
    subscriptions_revoke(&self->subscriptions, old, self->gate.keys);
    access_keys_destroy(&old);
    return 0;
}

static int serve_relay(zloop_t *loop, zsock_t *pipe, void *context)
{
    (void)loop;
    (void)pipe;
    reactor_t *self = context;
    take_mails(self, self->outside.relay, &self->outside.relay_stopped);
    return 0;
}

/* -- signals -- */

static int take_signal(zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    (void)loop;
    (void)item;
    reactor_t *self = context;
    struct signalfd_siginfo signal;
    if (read(self->signals, &signal, sizeof signal) != (ssize_t)sizeof signal)
        return 0;
    if (signal.ssi_signo == SIGHUP) {
        sd_notify(0, "RELOADING=1");
        reactor_reload(self, NULL, NULL);
        sd_notify(0, "READY=1");
        return 0;
    }
    log_info("stopping", "signal=%s", strsignal((int)signal.ssi_signo));
    self->stopping = true;
    return -1;
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    int signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    must(signals >= 0);
    return signals;
}

/* -- life -- */

reactor_t *reactor_new(const config_t *config, const overrides_t *overrides, store_error_t *error)
{
    reactor_t *self = memory_new(1, sizeof *self);
    self->overrides = overrides;
    self->limits = config->limits;
    self->facts.pid = (uint64_t)getpid();
    self->started_ns = clock_now().mono_ns;
    self->signals = -1;
    memory_watch_init(&self->memory);
    msgpack_sbuffer_init(&self->outcome);
    msgpack_sbuffer_init(&self->body);
    msgpack_sbuffer_init(&self->data);
    arena_init(&self->arena);
    self->loop = zloop_new();
    must(self->loop != NULL);
    char host[48] = "localhost";
    gethostname(host, sizeof host - 1);
    snprintf(self->source, sizeof self->source, "tocsin/%s", host);
    if (!gate_init(&self->gate, config, error) || !bind_all(self, config, error))
        reactor_destroy(&self);
    return self;
}

void reactor_destroy(reactor_t **self_p)
{
    reactor_t *self = *self_p;
    if (self == NULL)
        return;
    outside_destroy(&self->outside);
    zactor_destroy(&self->observability);
    zactor_destroy(&self->operations);
    zsock_destroy(&self->wing_pipe);
    watchdog_destroy(&self->watchdog);
    gate_free(&self->gate);
    subscriptions_free(&self->subscriptions);
    memory_watch_free(&self->memory);
    for (size_t i = 0; i < LANE_COUNT; i++) {
        lane_free(&self->lanes[i]);
        zsock_destroy(&self->lane_ends[i]);
    }
    zsock_destroy(&self->events);
    zsock_destroy(&self->control);
    zloop_destroy(&self->loop);
    config_destroy(&self->config);
    msgpack_sbuffer_destroy(&self->outcome);
    msgpack_sbuffer_destroy(&self->body);
    msgpack_sbuffer_destroy(&self->data);
    arena_free(&self->arena);
    if (self->signals >= 0)
        close(self->signals);
    free(self);
    *self_p = NULL;
}

const char *reactor_address(const reactor_t *self, endpoint_t endpoint)
{
    return endpoint < (endpoint_t)REPORT_ENDPOINTS ? self->facts.endpoints[endpoint] : NULL;
}

static void watch_threads(reactor_t *self, observability_actor_t *observability,
                          operations_actor_t *operations)
{
    self->watchdog = watchdog_new();
    self->pulse = watchdog_watch(self->watchdog, "reactor", REACTOR_WARN_MS, STUCK_MS);
    observability->pulse =
        watchdog_watch(self->watchdog, "observability", ENGINE_WARN_MS, STUCK_MS);
    operations->pulse = watchdog_watch(self->watchdog, "operations", DISK_WARN_MS, DISK_STUCK_MS);
    watchdog_start(self->watchdog);
}

void reactor_start(reactor_t *self, store_t **store, config_t **config)
{
    for (family_t family = 0; family < FAMILY_STORED; family++)
        self->heads[family] = store_head(*store, family).last;
    zsys_set_pipehwm(PIPE_MAILS);
    gate_start(&self->gate, *config);
    reactor_adopt(self, *config);

    observability_actor_t *observability = memory_new(1, sizeof *observability);
    operations_actor_t *operations = memory_new(1, sizeof *operations);
    pipe_new(PIPE_MAILS, &observability->operations, &operations->observability);
    self->wing_pipe = observability->operations;
    outside_pipes_t pipes;
    outside_start(&self->outside, *config, self->source, PIPE_MAILS, &pipes);
    operations->notifier = pipes.notifier;
    operations->relay = pipes.relay;
    observability->relay = pipes.relay_of_observability;
    observability->config = config_share(*config);
    observability->keys = access_keys_share(self->gate.keys);
    operations->keys = access_keys_share(self->gate.keys);
    operations->config = *config;
    operations->store = *store;
    *config = NULL;
    *store = NULL;
    for (size_t i = 0; i < LANE_INCIDENTS; i++)
        observability->lanes[i] = self->lane_ends[i];
    operations->incidents = self->lane_ends[LANE_INCIDENTS];
    memset(self->lane_ends, 0, sizeof self->lane_ends);
    memcpy(observability->source, self->source, sizeof self->source);
    must(config_store_directory(operations->config, observability->directory,
                                sizeof observability->directory));
    memcpy(operations->source, self->source, sizeof self->source);
    watch_threads(self, observability, operations);
    self->operations = zactor_new(operations_actor, operations);
    self->observability = zactor_new(observability_actor, observability);
    must(self->operations != NULL && self->observability != NULL);
}

/*  The order is the order in which they are served: signals, control and the wings before ingest.
 */
static void add_readers(reactor_t *self)
{
    zmq_pollitem_t signals = {.fd = self->signals, .events = ZMQ_POLLIN};
    zloop_poller(self->loop, &signals, take_signal, self);
    if (self->gate.actor != NULL)
        zloop_reader(self->loop, zactor_sock(self->gate.actor), serve_access, self);
    zloop_reader(self->loop, self->control, reactor_take_requests, self);
    zloop_reader(self->loop, zactor_sock(self->operations), serve_operations, self);
    zloop_reader(self->loop, zactor_sock(self->observability), serve_observability, self);
    zloop_reader(self->loop, zactor_sock(self->outside.notifier), serve_notifier, self);
    zloop_reader(self->loop, zactor_sock(self->outside.relay), serve_relay, self);
    zloop_reader(self->loop, self->events, take_subscriptions, self);
    resume(self, &self->lanes[LANE_INCIDENTS]);
    resume(self, &self->lanes[LANE_REQUESTS]);
    resume(self, &self->lanes[LANE_METRICS]);
    zloop_timer(self->loop, HEARTBEAT_MS, 0, beat, self);
    zloop_timer(self->loop, WATCH_MS, 0, reactor_watch, self);
}

static bool has_signal(reactor_t *self)
{
    struct signalfd_siginfo signal;
    return read(self->signals, &signal, sizeof signal) == (ssize_t)sizeof signal;
}

/*  Wait for the wings, and send what they have to say. A second signal, or too long a wait, ends it
 * at once. */
static void serve_wings(reactor_t *self, int64_t deadline)
{
    zmq_pollitem_t items[] = {
        {.socket = zsock_resolve(self->observability), .events = ZMQ_POLLIN},
        {.socket = zsock_resolve(self->operations), .events = ZMQ_POLLIN},
        {.socket = zsock_resolve(self->outside.notifier), .events = ZMQ_POLLIN},
        {.socket = zsock_resolve(self->outside.relay), .events = ZMQ_POLLIN},
        {.fd = self->signals, .events = ZMQ_POLLIN}};
    instant_t now = clock_now();
    if (now.mono_ns > deadline || has_signal(self))
        _exit(EX_SOFTWARE);
    zmq_poll(items, sizeof items / sizeof *items, clock_wait_ms(now, deadline, DRAIN_MS));
    take_mails(self, self->observability, &self->observability_stopped);
    take_mails(self, self->operations, &self->operations_stopped);
    take_mails(self, self->outside.notifier, &self->outside.notifier_stopped);
    take_mails(self, self->outside.relay, &self->outside.relay_stopped);
    if (self->exit_status != 0)
        _exit(self->exit_status);
}

/*  What already stands in a lane's socket is handed over; new senders find nobody. */
static void empty_lane(reactor_t *self, lane_t *lane, int64_t deadline)
{
    while ((zsock_events(lane->socket) & ZMQ_POLLIN) != 0 && clock_now().mono_ns < deadline)
        if (!lane_drain(lane))
            serve_wings(self, deadline);
}

/*  Finish what has arrived, tell the wings to do the same, and send what they still have to say. */
static void finish(reactor_t *self)
{
    int64_t deadline = clock_now().mono_ns + DRAIN_MS * INT64_C(1000000);
    for (size_t i = 0; i < LANE_COUNT; i++)
        zsock_unbind(self->lanes[i].socket, "%s", self->facts.endpoints[i]);
    for (size_t i = 0; i < LANE_COUNT; i++)
        empty_lane(self, &self->lanes[i], deadline - DRAIN_MS * INT64_C(500000));
    outside_stop(&self->outside);
    while (!outside_has_stopped(&self->outside))
        serve_wings(self, deadline);
    zmsg_t *stop = mail_new(MAIL_STOP);
    mail_send(&stop, zactor_sock(self->observability));
    while (!(self->observability_stopped && self->operations_stopped))
        serve_wings(self, deadline);
}

int reactor_run(reactor_t *self)
{
    self->signals = open_signals();
    add_readers(self);
    sd_notifyf(0, "READY=1\nMAINPID=%ld", (long)getpid());
    zloop_set_nonstop(self->loop, true);
    zloop_start(self->loop);
    pulse_rest(self->pulse);
    sd_notify(0, "STOPPING=1");
    if (self->exit_status != 0)
        _exit(self->exit_status); /* the store is dead: nothing may be done as if it were not */
    finish(self);
    log_words(LEVEL_INFO, "stopped");
    return self->exit_status;
}
