#include "broker/operations_inside.h"

/*  An alert on its way into the notices about it. */
typedef struct {
    operations_t *actor;
    const alert_t *alert;
} change_t;

static void keep(operations_t *self, const notice_t *notice)
{
    store_save(self->given->store, TABLE_NOTICE, notice);
}

/*  A value that moves is nothing to tell: only what decides about telling counts as a change. */
static bool is_changed(const alert_t *before, const alert_t *after)
{
    bool was_muted = before->silenced_by.count > 0 || before->inhibited_by_count > 0;
    bool is_muted = after->silenced_by.count > 0 || after->inhibited_by_count > 0;
    return before->state != after->state || was_muted != is_muted ||
           before->severity != after->severity;
}

static bool refresh(void *context, const void *thing)
{
    const change_t *change = context;
    notice_t notice = *(const notice_t *)thing;
    if (!is_changed(&notice.alert, change->alert))
        return true;
    notice.alert = *change->alert;
    notice.revision++;
    keep(change->actor, &notice);
    return true;
}

void operations_notices_refresh(operations_t *self, const alert_t *alert)
{
    change_t change = {self, alert};
    if (alert->state != ALERT_PENDING)
        store_each_notice(self->given->store, alert->id, refresh, &change);
}

void operations_notices_fire(operations_t *self, const alert_t *alert)
{
    const policy_t *policy = operations_manager_policy(self->manager, alert->policy);
    arena_t arena;
    arena_init(&arena);
    for (size_t i = 0; policy != NULL && i < policy->channels.count; i++) {
        notice_t notice;
        text_t channel = policy->channels.items[i];
        if (store_find_notice(self->given->store, channel, alert->id, &arena, &notice))
            continue;
        schema_defaults(&notice_schema, &notice);
        notice.channel = channel;
        notice.alert_id = alert->id;
        notice.alert = *alert;
        notice.description = policy->description;
        notice.revision = 1;
        keep(self, &notice);
    }
    arena_free(&arena);
    operations_notices_refresh(self, alert);
}
