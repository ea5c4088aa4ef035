#include "broker/failpoint.h"
#include "broker/log.h"
#include "broker/mail.h"
#include "broker/operations_inside.h"

static bool restore_policy(void *context, const void *thing)
{
    operations_manager_restore_policy(((operations_t *)context)->manager, thing);
    return true;
}

static bool restore_runbook(void *context, const void *thing)
{
    operations_manager_restore_runbook(((operations_t *)context)->manager, thing);
    return true;
}

static bool restore_silence(void *context, const void *thing)
{
    operations_manager_restore_silence(((operations_t *)context)->manager, thing);
    return true;
}

static bool restore_incident(void *context, const void *thing)
{
    operations_manager_restore_incident(((operations_t *)context)->manager, thing);
    return true;
}

static bool restore_alert(void *context, const void *thing)
{
    operations_manager_restore_alert(((operations_t *)context)->manager, thing);
    return true;
}

static bool count_incident(void *context, const void *thing)
{
    operations_manager_count_incident(((operations_t *)context)->manager, thing);
    return true;
}

static bool count_alert(void *context, const void *thing)
{
    operations_manager_count_alert(((operations_t *)context)->manager, thing);
    return true;
}

static bool send_slo(void *context, const void *thing)
{
    operations_t *self = context;
    const slo_t *slo = thing;
    const settings_t *settings = &self->given->config->settings;
    for (uint32_t i = 0; i < settings->slo_count; i++)
        if (text_equal(settings->slos[i].name, slo->name))
            return true; /* the file's definition is meant */
    zmsg_t *mail = mail_new(MAIL_SLO);
    mail_add(mail, &(mail_slo_t){.put = true}, sizeof(mail_slo_t));
    self->data.size = 0;
    schema_write(&slo_schema, slo, false, &self->data);
    mail_add_buffer(mail, &self->data);
    mail_send(&mail, self->given->observability);
    return true;
}

status_t operations_own_file(operations_t *self)
{
    const config_t *config = self->given->config;
    size_t wrong = 0;
    schema_error_t error = {.status = STATUS_OK};
    status_t status = operations_manager_own(
        self->manager, config->settings.policies, config->settings.policy_count,
        config->settings.runbooks, config->settings.runbook_count, config->channel_names, self->now,
        &wrong, &error);
    if (status != STATUS_OK)
        log_error("the policies of the file are not in force", "policy=%zu reason=\"%s\"", wrong,
                  error.message);
    return status;
}

void operations_restore(operations_t *self)
{
    store_t *store = self->given->store;
    operations_manager_destroy(&self->manager);
    operations_config_t config = self->given->config->operations;
    config.seed = self->seed;
    self->manager = operations_manager_new(&config, (effect_sink_t){operations_take_effect, self});
    operations_manager_restore_end(self->manager, store_last_alive(store));
    FAILPOINT("operations.restore");
    store_each(store, TABLE_POLICY, restore_policy, self);
    store_each(store, TABLE_RUNBOOK, restore_runbook, self);
    store_each(store, TABLE_SILENCE, restore_silence, self);
    store_each(store, TABLE_INCIDENT, restore_incident, self);
    store_each(store, TABLE_ALERT, restore_alert, self);
    store_each_over(store, TABLE_INCIDENT, count_incident, self);
    store_each_over(store, TABLE_ALERT, count_alert, self);
    operations_manager_restore_numbers(self->manager, store_last_id(store, TABLE_INCIDENT),
                                       store_last_id(store, TABLE_ALERT),
                                       store_last_id(store, TABLE_SILENCE));
    operations_manager_start(self->manager, self->now);
    FAILPOINT("operations.restored");
}

void operations_send_slos(operations_t *self)
{
    store_each(self->given->store, TABLE_SLO, send_slo, self);
}
