#include "broker/gate.h"

#include "broker/clock.h"
#include "broker/log.h"
#include "broker/mail.h"
#include "proto/must.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static char *path_of(text_t text)
{
    char *path = memory_new(text.size + 1, 1);
    memcpy(path, text.data, text.size);
    return path;
}

static network_t network_of(const config_t *config)
{
    network_t network;
    size_t wrong;
    /* the configuration has checked the rules */
    must(network_init(&network, config->settings.access.allow, config->settings.access.deny,
                      &wrong));
    return network;
}

static bool read_secret(gate_t *self, const config_t *config, FILE *complaints)
{
    char *path = path_of(config->settings.access.server_key);
    bool good = access_secret_load(path, self->secret_key, complaints);
    free(path);
    return good;
}

static bool read_keys(gate_t *self, const config_t *config, FILE *complaints)
{
    char *path = path_of(config->settings.access.keys);
    self->keys = access_keys_load(path, clock_now().wall_s, complaints);
    free(path);
    return self->keys->trusted;
}

bool gate_init(gate_t *self, const config_t *config, store_error_t *error)
{
    *self = (gate_t){.keys = NULL};
    if (config->settings.access.keys.data == NULL)
        return true;
    char *complaints = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&complaints, &size);
    must(stream != NULL);
    bool good = read_secret(self, config, stream) && read_keys(self, config, stream);
    fclose(stream);
    if (!good) {
        error->exit_status = EX_NOPERM;
        snprintf(error->message, sizeof error->message, "access: %.*s",
                 (int)strcspn(complaints, "\n"), complaints);
    }
    free(complaints);
    self->rules = config->settings.access.allow.count > 0;
    if (good && !self->rules)
        log_words(LEVEL_WARNING, "access.allow names no address: nobody can connect over TCP");
    return good;
}

void gate_free(gate_t *self)
{
    zactor_destroy(&self->actor);
    access_keys_destroy(&self->keys);
    explicit_bzero(self->secret_key, sizeof self->secret_key);
}

void gate_start(gate_t *self, const config_t *config)
{
    if (self->keys == NULL)
        return;
    access_actor_t *given = memory_new(1, sizeof *given);
    given->directory = path_of(config->settings.access.keys);
    given->keys = access_keys_share(self->keys);
    given->network = network_of(config);
    given->counts = &self->counts;
    self->actor = zactor_new(access_actor, given);
    must(self->actor != NULL);
}

void gate_configure(gate_t *self, const config_t *config)
{
    if (self->actor == NULL)
        return;
    network_t network = network_of(config);
    zmsg_t *mail = mail_new(MAIL_NETWORK);
    mail_add(mail, &network, sizeof network);
    mail_send(&mail, zactor_sock(self->actor));
}

access_keys_t *gate_take_keys(gate_t *self, zmsg_t *mail)
{
    access_keys_t *old = self->keys;
    mail_take_struct(mail, &self->keys, sizeof self->keys);
    return old;
}

bool gate_permits(const gate_t *self, const char *user_id, const command_t *command)
{
    return self->keys == NULL ||
           access_permits_command(access_keys_find(self->keys, user_id), command);
}

void gate_report(const gate_t *self, access_use_t *use)
{
    use->guarded = self->keys != NULL;
    use->keys = self->keys == NULL ? 0 : self->keys->count;
    for (zap_verdict_t verdict = 0; verdict < ZAP_VERDICT_COUNT; verdict++)
        use->verdicts[verdict] = atomic_load(&self->counts.verdicts[verdict]);
}
