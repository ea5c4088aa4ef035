#include "broker/clock.h"
#include "broker/failpoint.h"
#include "broker/log.h"
#include "broker/mail.h"
#include "broker/reactor_inside.h"
#include "proto/command.h"
#include "proto/must.h"
#include "proto/pack.h"
#include "proto/reply.h"

#include <stdlib.h>

/* Requests served in one call. */
#define CONTROL_A_TURN 64u

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
    gate_report(&self->gate, &self->facts.access);
    reactor_measure(self);
    self->facts.subscriptions = self->subscriptions.served;
    self->facts.subscriptions_refused = self->subscriptions.refused;
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
    if (!text_equal(old->settings.access.keys, new->settings.access.keys) ||
        !text_equal(old->settings.access.server_key, new->settings.access.server_key))
        log_words(LEVEL_WARNING, "changed access.keys or access.server_key need a restart");
}

void reactor_adopt(reactor_t *self, config_t *config)
{
    if (self->config != NULL)
        compare_endpoints(self->config, config);
    config_destroy(&self->config);
    self->config = config_share(config);
    gate_configure(&self->gate, config);
    self->memory.limit = config->settings.limits.memory;
    self->subscriptions.most = config->settings.limits.subscriptions;
    self->limits = config->limits;
    self->facts.limits = config->settings.limits;
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
void reactor_reload(reactor_t *self, zmsg_t **envelope, const command_t *command)
{
    int exit_status;
    char *complaints = NULL;
    size_t size = 0;
    FILE *errors = open_memstream(&complaints, &size);
    must(errors != NULL);
    pulse_rest(self->pulse); /* a large file takes its time */
    config_t *config = config_load(self->overrides, errors, &exit_status);
    pulse_beat(self->pulse);
    fclose(errors);
    if (config != NULL) {
        reactor_adopt(self, config);
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
    FAILPOINT("reactor.pass");
    unsigned char kind = MAIL_ASK;
    if (wing == self->operations) {
        const char *user_id = zframe_meta(*request, "User-Id");
        zmsg_pushstr(*envelope, user_id == NULL ? "" : user_id);
    }
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
    FAILPOINT("reactor.receive");
    status_t status = check_request(self, *request);
    if (status == STATUS_OK)
        status = command_read(&self->limits, frame_text(*request), false, &self->arena, &command,
                              &error);
    if (status != STATUS_OK)
        refuse(self, envelope, &command, status, error.message);
    else if (!gate_permits(&self->gate, zframe_meta(*request, "User-Id"), &command))
        refuse(self, envelope, &command, STATUS_FORBIDDEN, "this key may not do that");
    else if (command.which == DO_SYSTEM_PING)
        ping(self, envelope, &command);
    else if (command.which == DO_SYSTEM_STATUS)
        ask_status(self, envelope, &command);
    else if (command.which == DO_SYSTEM_RELOAD)
        reactor_reload(self, envelope, &command);
    else
        ask_wing(self, envelope, request, &command);
    arena_reset(&self->arena);
}

int reactor_take_requests(zloop_t *loop, zsock_t *socket, void *context)
{
    (void)loop;
    reactor_t *self = context;
    for (size_t i = 0; i < CONTROL_A_TURN; i++) {
        zmsg_t *message = zmsg_recv_nowait(socket);
        if (message == NULL)
            return 0;
        zframe_t *request = zmsg_size(message) > 1 ? zmsg_last(message) : NULL;
        self->control_taken += zmsg_content_size(message);
        if (request != NULL) {
            zmsg_remove(message, request);
            serve_request(self, &message, &request);
        }
        zframe_destroy(&request);
        zmsg_destroy(&message);
    }
    return 0;
}
