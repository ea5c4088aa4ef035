#include "broker/outside.h"

#include "broker/mail.h"
#include "broker/notifier.h"
#include "proto/must.h"

void outside_start(outside_t *self, config_t *config, const char *source, int pipe_mails,
                   outside_pipes_t *pipes)
{
    notifier_t *notifier = memory_new(1, sizeof *notifier);
    pipe_new(pipe_mails, &notifier->operations, &pipes->notifier);
    notifier->config = config_share(config);
    snprintf(notifier->source, sizeof notifier->source, "%s", source);
    self->notifier = zactor_new(notifier_actor, notifier);
    must(self->notifier != NULL);
}

void outside_destroy(outside_t *self)
{
    zactor_destroy(&self->notifier);
}

zactor_t *outside_of(const outside_t *self, wing_t wing)
{
    return wing == WING_NOTIFIER ? self->notifier : NULL;
}

void outside_configure(outside_t *self, config_t *config)
{
    config_t *share = config_share(config);
    zmsg_t *mail = mail_new(MAIL_CONFIG);
    mail_add(mail, &share, sizeof share);
    mail_send(&mail, zactor_sock(self->notifier));
}

void outside_stop(outside_t *self)
{
    zmsg_t *mail = mail_new(MAIL_STOP);
    mail_send(&mail, zactor_sock(self->notifier));
}
