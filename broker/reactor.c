#include "broker/reactor.h"

#include "broker/clock.h"
#include "broker/log.h"
#include "broker/mail.h"
#include "broker/observability_actor.h"
#include "broker/operations_actor.h"
#include "broker/outside.h"
#include "broker/report.h"
#include "proto/command.h"
#include "proto/must.h"
#include "proto/pack.h"
#include "proto/reply.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

/* Requests and mails served in one call of a handler. */
#define CONTROL_A_TURN 64u
#define MAILS_A_TURN 256u

/* Publications and answers that may wait for the reactor before a wing has to wait. */
#define PIPE_MAILS 100000

/* Frames that wait in a socket: ingest as ZeroMQ's own guide has it; a subscriber that is slow for
   a moment at 100,000 publications a second must lose nothing. */
#define INGEST_HWM 10000
#define EVENTS_HWM 100000

/* A frame over limits.frame must be seen to be counted; beyond this many times it the peer is cut
 * off. */
#define OVERSIZE 4u

#define HANDSHAKE_MS 5000
#define LINGER_MS 1000
#define HEARTBEAT_MS 1000

/* What has arrived is finished within this time after a stop. */
#define DRAIN_MS 5000

struct reactor {
    zloop_t *loop;
    const overrides_t *overrides;
    config_t *config; /* a share */
    limits_t limits;
    report_t facts; /* what of system.status is known here */
    zsock_t *events, *control;
    lane_t lanes[LANE_COUNT];
    zsock_t *lane_ends[LANE_COUNT]; /* the engines' ends, until the actors start */
    zactor_t *observability, *operations;
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

/* -- binding -- */

static bool is_local(const char *address)
{
    static const char *const local[] = {"ipc://", "inproc://", "tcp://127.",
                                        "tcp://localhost:", "tcp://[::1]:"};
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        if (strncmp(address, local[i], strlen(local[i])) == 0)
            return true;
    return false;
}

static zsock_t *bind_endpoint(reactor_t *self, endpoint_t endpoint, int type, text_t address,
                              store_error_t *error)
{
    char text[256];
    snprintf(text, sizeof text, "%.*s", (int)address.size, address.data);
    if (!is_local(text)) {
        error->exit_status = EX_NOPERM;
        snprintf(error->message, sizeof error->message,
                 "endpoint %s: %s is not on loopback, and there are no access rules",
                 endpoint_names[endpoint], text);
        return NULL;
    }
    zsock_t *socket = zsock_new(type);
    must(socket != NULL);
    zsock_set_rcvhwm(socket, INGEST_HWM);
    zsock_set_sndhwm(socket, EVENTS_HWM);
    zsock_set_linger(socket, LINGER_MS);
    zsock_set_handshake_ivl(socket, HANDSHAKE_MS);
    zsock_set_ipv6(socket, strchr(text, '[') != NULL);
    zsock_set_maxmsgsize(socket, (int)(self->limits.frame_bytes * OVERSIZE));
    if (zsock_bind(socket, "%s", text) < 0) {
        error->exit_status = EX_UNAVAILABLE;
        snprintf(error->message, sizeof error->message, "endpoint %s: cannot bind %s: %s",
                 endpoint_names[endpoint], text, zmq_strerror(zmq_errno()));
        zsock_destroy(&socket);
        return NULL;
    }
    char *bound = zsock_last_endpoint(socket);
    snprintf(self->facts.endpoints[endpoint], sizeof self->facts.endpoints[endpoint], "%s", bound);
    freen(bound);
    return socket;
}

static bool bind_lanes(reactor_t *self, const config_t *config, store_error_t *error)
{
    for (lane_kind_t kind = 0; kind < LANE_COUNT; kind++) {
        zsock_t *socket = bind_endpoint(self, (endpoint_t)kind, ZMQ_PULL,
                                        config->settings.endpoints.addresses[kind], error);
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
    const text_t *addresses = config->settings.endpoints.addresses;
    if (!bind_lanes(self, config, error))
        return false;
    self->events =
        bind_endpoint(self, ENDPOINT_EVENTS, ZMQ_XPUB, addresses[ENDPOINT_EVENTS], error);
    if (self->events == NULL)
        return false;
    self->control =
        bind_endpoint(self, ENDPOINT_CONTROL, ZMQ_ROUTER, addresses[ENDPOINT_CONTROL], error);
    return self->control != NULL;
}

/* -- publications -- */

static void send_publication(reactor_t *self, zmsg_t **mail)
{
    mail_number_t number;
    mail_take_struct(*mail, &number, sizeof number);
    self->heads[number.family] = number.seq;
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
    return 0;
}

/*  Subscriptions: ZeroMQ has already acted on them; they are only taken off the queue and counted.
 */
static int take_subscriptions(zloop_t *loop, zsock_t *socket, void *context)
{
    (void)loop;
    reactor_t *self = context;
    for (size_t i = 0; i < CONTROL_A_TURN && (zsock_events(socket) & ZMQ_POLLIN) != 0; i++) {
        zframe_t *frame = zframe_recv(socket);
        if (frame != NULL && zframe_size(frame) > 0)
            self->facts.subscriptions += zframe_data(frame)[0] == 1 ? 1 : (uint64_t)-1;
        zframe_destroy(&frame);
    }
    return 0;
}

/* -- control -- */

/*  `envelope` is what stood before the request. */
static void answer(reactor_t *self, zmsg_t **envelope, const command_t *command, bool ok)
{
    self->body.size = 0;
    reply_encode(command->id, ok, (text_t){self->outcome.data, self->outcome.size}, &self->body);
    zmsg_addmem(*envelope, self->body.data, self->body.size);
    zmsg_send(envelope, self->control);
}

static void refuse(reactor_t *self, zmsg_t **envelope, const command_t *command, status_t status,
                   const char *words)
{
    self->outcome.size = 0;
    reply_error(status, words, &self->outcome);
    answer(self, envelope, command, false);
}

static void ping(reactor_t *self, zmsg_t **envelope, const command_t *command)
{
    self->outcome.size = 0;
    pack_string(&self->outcome, "pong");
    answer(self, envelope, command, true);
}

/*  A wing that is far behind refuses instead of making the reactor wait. */
static bool has_room(reactor_t *self, zactor_t *wing, zmsg_t **envelope, const command_t *command)
{
    if ((zsock_events(wing) & ZMQ_POLLOUT) != 0)
        return true;
    refuse(self, envelope, command, STATUS_UNAVAILABLE, "too many requests wait");
    return false;
}

/*  The report travels through both wings, each adds what it knows, and the last one answers. */
static void ask_status(reactor_t *self, zmsg_t **envelope, const command_t *command)
{
    unsigned char kind = MAIL_STATUS;
    if (!has_room(self, self->observability, envelope, command))
        return;
    self->facts.uptime_s = (double)(clock_now().mono_ns - self->started_ns) / (double)NS_PER_S;
    zmsg_pushmem(*envelope, command->id.size == 0 ? "" : command->id.data, command->id.size);
    zmsg_pushmem(*envelope, &self->facts, sizeof self->facts);
    zmsg_pushmem(*envelope, &kind, 1);
    mail_send(envelope, zactor_sock(self->observability));
}

/*  What cannot change while running is named. */
static void compare_endpoints(const config_t *old, const config_t *new)
{
    for (endpoint_t endpoint = 0; endpoint < ENDPOINT_COUNT; endpoint++)
        if (!text_equal(old->settings.endpoints.addresses[endpoint],
                        new->settings.endpoints.addresses[endpoint]))
            log_warning("a changed address needs a restart", "endpoint=%s",
                        endpoint_names[endpoint]);
    if (!text_equal(old->settings.store.path, new->settings.store.path))
        log_words(LEVEL_WARNING, "a changed store.path needs a restart");
}

static void adopt(reactor_t *self, config_t *config)
{
    if (self->config != NULL)
        compare_endpoints(self->config, config);
    config_destroy(&self->config);
    self->config = config_share(config);
    self->limits = self->facts.limits = config->limits;
    self->facts.limit_series = config->observability.series;
    self->facts.limit_operations = config->observability.operations;
    self->facts.limit_dependencies = config->observability.dependencies;
    self->facts.limit_series_ttl = config->observability.series_ttl_s;
}

static void send_config(zactor_t *wing, config_t *config, zmsg_t **envelope,
                        const command_t *command)
{
    zmsg_t *mail = envelope != NULL ? *envelope : zmsg_new();
    unsigned char kind = MAIL_CONFIG;
    text_t id = command == NULL ? TEXT_NONE : command->id;
    zmsg_pushmem(mail, id.size == 0 ? "" : id.data, id.size);
    zmsg_pushmem(mail, &config, sizeof config);
    zmsg_pushmem(mail, &kind, 1);
    mail_send(&mail, zactor_sock(wing));
    if (envelope != NULL)
        *envelope = NULL;
}

/*  All of the new configuration or none of it. */
static void reload(reactor_t *self, zmsg_t **envelope, const command_t *command)
{
    int exit_status;
    char *complaints = NULL;
    size_t size = 0;
    FILE *errors = open_memstream(&complaints, &size);
    must(errors != NULL);
    config_t *config = config_load(self->overrides, errors, &exit_status);
    fclose(errors);
    if (config != NULL) {
        adopt(self, config);
        send_config(self->observability, config_share(config), NULL, NULL);
        outside_configure(&self->outside, config);
        send_config(self->operations, config, envelope, command);
    } else {
        complaints[strcspn(complaints, "\n")] = '\0';
        log_error("the configuration is wrong, the old one stays", "error=\"%s\"", complaints);
        if (envelope != NULL)
            refuse(self, envelope, command, STATUS_BAD_VALUE, complaints);
    }
    free(complaints);
}

static void ask_wing(reactor_t *self, zmsg_t **envelope, zframe_t **request,
                     const command_t *command)
{
    zactor_t *wing = outside_of(&self->outside, command->spec->wing);
    if (wing == NULL)
        wing = command->spec->wing == WING_OBSERVABILITY ? self->observability : self->operations;
    if (!has_room(self, wing, envelope, command))
        return;
    unsigned char kind = MAIL_ASK;
    zmsg_prepend(*envelope, request);
    zmsg_pushmem(*envelope, &kind, 1);
    mail_send(envelope, zactor_sock(wing));
}

static status_t check_request(const reactor_t *self, zframe_t *request)
{
    if (zframe_size(request) > self->limits.frame_bytes)
        return STATUS_TOO_LARGE;
    return cursor_check(zframe_data(request), zframe_size(request), self->limits.depth);
}

static void serve_request(reactor_t *self, zmsg_t **envelope, zframe_t **request)
{
    command_t command = {.id = TEXT_NONE};
    schema_error_t error = {.message = ""};
    status_t status = check_request(self, *request);
    if (status == STATUS_OK)
        status = command_read(&self->limits, frame_text(*request), false, &self->arena, &command,
                              &error);
    if (status != STATUS_OK)
        refuse(self, envelope, &command, status, error.message);
    else if (command.which == DO_SYSTEM_PING)
        ping(self, envelope, &command);
    else if (command.which == DO_SYSTEM_STATUS)
        ask_status(self, envelope, &command);
    else if (command.which == DO_SYSTEM_RELOAD)
        reload(self, envelope, &command);
    else
        ask_wing(self, envelope, request, &command);
    arena_reset(&self->arena);
}

static int take_requests(zloop_t *loop, zsock_t *socket, void *context)
{
    (void)loop;
    reactor_t *self = context;
    for (size_t i = 0; i < CONTROL_A_TURN && (zsock_events(socket) & ZMQ_POLLIN) != 0; i++) {
        zmsg_t *message = zmsg_recv(socket);
        if (message == NULL)
            return 0;
        zframe_t *request = zmsg_size(message) > 1 ? zmsg_last(message) : NULL;
        if (request != NULL) {
            zmsg_remove(message, request);
            serve_request(self, &message, &request);
        }
        zframe_destroy(&request);
        zmsg_destroy(&message);
    }
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
        reload(self, NULL, NULL);
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
    self->limits = self->facts.limits = config->limits;
    self->facts.pid = (uint64_t)getpid();
    self->started_ns = clock_now().mono_ns;
    self->signals = -1;
    msgpack_sbuffer_init(&self->outcome);
    msgpack_sbuffer_init(&self->body);
    msgpack_sbuffer_init(&self->data);
    arena_init(&self->arena);
    self->loop = zloop_new();
    must(self->loop != NULL);
    char host[48] = "localhost";
    gethostname(host, sizeof host - 1);
    snprintf(self->source, sizeof self->source, "tocsin/%s", host);
    if (!bind_all(self, config, error))
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

void reactor_start(reactor_t *self, store_t **store, config_t **config)
{
    for (family_t family = 0; family < FAMILY_STORED; family++)
        self->heads[family] = store_head(*store, family).last;
    adopt(self, *config);
    zsys_set_pipehwm(PIPE_MAILS);

    observability_actor_t *observability = memory_new(1, sizeof *observability);
    operations_actor_t *operations = memory_new(1, sizeof *operations);
    pipe_new(PIPE_MAILS, &observability->operations, &operations->observability);
    outside_pipes_t pipes;
    outside_start(&self->outside, *config, self->source, PIPE_MAILS, &pipes);
    operations->notifier = pipes.notifier;
    observability->config = config_share(*config);
    operations->config = *config;
    operations->store = *store;
    *config = NULL;
    *store = NULL;
    for (size_t i = 0; i < LANE_INCIDENTS; i++)
        observability->lanes[i] = self->lane_ends[i];
    operations->incidents = self->lane_ends[LANE_INCIDENTS];
    memset(self->lane_ends, 0, sizeof self->lane_ends);
    memcpy(observability->source, self->source, sizeof self->source);
    memcpy(operations->source, self->source, sizeof self->source);
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
    zloop_reader(self->loop, self->control, take_requests, self);
    zloop_reader(self->loop, zactor_sock(self->operations), serve_operations, self);
    zloop_reader(self->loop, zactor_sock(self->observability), serve_observability, self);
    zloop_reader(self->loop, zactor_sock(self->outside.notifier), serve_notifier, self);
    zloop_reader(self->loop, self->events, take_subscriptions, self);
    resume(self, &self->lanes[LANE_INCIDENTS]);
    resume(self, &self->lanes[LANE_REQUESTS]);
    resume(self, &self->lanes[LANE_METRICS]);
    zloop_timer(self->loop, HEARTBEAT_MS, 0, beat, self);
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
        {.fd = self->signals, .events = ZMQ_POLLIN}};
    instant_t now = clock_now();
    if (now.mono_ns > deadline || has_signal(self))
        _exit(EX_SOFTWARE);
    zmq_poll(items, sizeof items / sizeof *items, clock_wait_ms(now, deadline, DRAIN_MS));
    take_mails(self, self->observability, &self->observability_stopped);
    take_mails(self, self->operations, &self->operations_stopped);
    take_mails(self, self->outside.notifier, &self->outside.notifier_stopped);
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
    while (!self->outside.notifier_stopped)
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
    sd_notify(0, "STOPPING=1");
    if (self->exit_status != 0)
        _exit(self->exit_status); /* the store is dead: nothing may be done as if it were not */
    finish(self);
    log_words(LEVEL_INFO, "stopped");
    return self->exit_status;
}
