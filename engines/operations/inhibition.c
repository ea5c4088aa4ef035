#include "engines/operations/inhibition.h"

static bool is_listed(const active_alert_t *alert, uint64_t id)
{
    for (uint32_t i = 0; i < alert->view->inhibited_by_count; i++)
        if (alert->view->inhibited_by[i] == id)
            return true;
    return false;
}

static bool is_same_list(const active_alert_t *alert, const uint64_t *ids, uint32_t count)
{
    if (alert->view->inhibited_by_count != count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (alert->view->inhibited_by[i] != ids[i])
            return false;
    return true;
}

bool inhibition_find(active_alert_t *alert, const policy_book_t *policies, arena_t *scratch)
{
    texts_t names = alert->policy->definition->inhibited_by;
    uint64_t *ids = arena_take(scratch, INHIBITORS_MAX * sizeof *ids);
    uint32_t count = 0;
    for (size_t i = 0; i < names.count; i++) {
        const alerting_policy_t *policy = policy_book_find(policies, names.items[i]);
        const active_alert_t *other = policy == NULL ? NULL : policy->first;
        for (; other != NULL && count < INHIBITORS_MAX; other = other->next)
            if (active_alert_is_told(other))
                ids[count++] = other->view->id;
    }
    if (is_same_list(alert, ids, count))
        return false;
    alert_t changed = *alert->view;
    changed.inhibited_by = ids;
    changed.inhibited_by_count = count;
    active_alert_put(alert, &changed);
    return true;
}

/*  Look again at every told alert that it inhibits, or did. */
static void look_again(const active_alert_t *inhibitor, bool begins, policy_book_t *policies,
                       arena_t *scratch, inhibition_sink_t sink)
{
    policies_t inhibited = policy_book_inhibited(policies, inhibitor->policy);
    for (uint32_t i = 0; i < inhibited.count; i++)
        for (active_alert_t *alert = inhibited.items[i]->first; alert != NULL;
             alert = alert->next) {
            bool concerns = begins ? alert->view->inhibited_by_count < INHIBITORS_MAX
                                   : is_listed(alert, inhibitor->view->id);
            if (concerns && active_alert_is_told(alert) &&
                inhibition_find(alert, policies, scratch))
                sink.take(sink.context, alert);
        }
}

void inhibition_begin(const active_alert_t *inhibitor, policy_book_t *policies, arena_t *scratch,
                      inhibition_sink_t sink)
{
    look_again(inhibitor, true, policies, scratch, sink);
}

void inhibition_end(const active_alert_t *inhibitor, policy_book_t *policies, arena_t *scratch,
                    inhibition_sink_t sink)
{
    look_again(inhibitor, false, policies, scratch, sink);
}
