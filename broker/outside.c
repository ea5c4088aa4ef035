#include "broker/outside.h"

#include "broker/mail.h"
#include "broker/notifier.h"
#include "broker/relay_bus.h"
#include "proto/must.h"

static void start_notifier(outside_t *self, config_t *config, const char *source, int pipe_mails,
                           outside_pipes_t *pipes)
{
    notifier_t *notifier = memory_new(1, sizeof *notifier);
    pipe_new(pipe_mails, &notifier->operations, &pipes->notifier);
    notifier->config = config_share(config);
    snprintf(notifier->source, sizeof notifier->source, "%s", source);
    self->notifier = zactor_new(notifier_actor, notifier);
    must(self->notifier != NULL);
}

static void start_relay(outside_t *self, config_t *config, const char *source, int pipe_mails,
                        outside_pipes_t *pipes)
{
    relay_bus_t *relay = memory_new(1, sizeof *relay);
    pipe_new(pipe_mails, &relay->operations, &pipes->relay);
    pipe_new(pipe_mails, &relay->observability, &pipes->relay_of_observability);
    relay->config = config_share(config);
    snprintf(relay->source, sizeof relay->source, "%s", source);
    self->relay = zactor_new(relay_bus_actor, relay);
    must(self->relay != NULL);
}

void outside_start(outside_t *self, config_t *config, const char *source, int pipe_mails,
                   outside_pipes_t *pipes)
{
    start_notifier(self, config, source, pipe_mails, pipes);
    start_relay(self, config, source, pipe_mails, pipes);
}

void outside_destroy(outside_t *self)
{
    zactor_destroy(&self->notifier);
    zactor_destroy(&self->relay);
}

zactor_t *outside_of(const outside_t *self, wing_t wing)
{
    if (wing == WING_NOTIFIER)
        return self->notifier;
    return wing == WING_RELAY ? self->relay : NULL;
}

static void send_config(zactor_t *actor, config_t *config)
{
    config_t *share = config_share(config);
    zmsg_t *mail = mail_new(MAIL_CONFIG);
    mail_add(mail, &share, sizeof share);
    mail_send(&mail, zactor_sock(actor));
}

void outside_configure(outside_t *self, config_t *config)
{
    send_config(self->notifier, config);
    send_config(self->relay, config);
}

void outside_stop(outside_t *self)
{
    zmsg_t *mail = mail_new(MAIL_STOP);
    mail_send(&mail, zactor_sock(self->notifier));
    mail = mail_new(MAIL_STOP);
    mail_send(&mail, zactor_sock(self->relay));
}

bool outside_has_stopped(const outside_t *self)
{
    return self->notifier_stopped && self->relay_stopped;
}
