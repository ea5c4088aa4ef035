#include "engines/operations/alerting_policy.h"

#include "engines/condition.h"
#include "engines/registry.h"
#include "engines/roster.h"
#include "proto/must.h"
#include "proto/wording.h"

#include <stdlib.h>

#define PLANS_A_POLICY 2u

struct policy_book {
    roster_t policies;
    registry_t plans; /* which policy each is of; of those that are enabled */
    arena_t channel_texts;
    texts_t channels;
    uint64_t last_plan;
    uint32_t limit;
    const effects_t *effects;
};

policy_book_t *policy_book_new(uint32_t policies, uint64_t seed, const effects_t *effects)
{
    policy_book_t *self = memory_new(1, sizeof *self);
    roster_init(&self->policies, policies, seed);
    registry_init(&self->plans, policies * PLANS_A_POLICY, seed);
    arena_init(&self->channel_texts);
    self->limit = policies;
    self->effects = effects;
    return self;
}

void policy_book_destroy(policy_book_t **self)
{
    uint64_t at = 0;
    for (alerting_policy_t *policy; (policy = policy_book_next(*self, &at)) != NULL;) {
        kept_drop(&policy->kept);
        free(policy);
    }
    roster_free(&(*self)->policies);
    registry_free(&(*self)->plans);
    arena_free(&(*self)->channel_texts);
    free(*self);
    *self = NULL;
}

void policy_book_set_channels(policy_book_t *self, texts_t channels)
{
    arena_reset(&self->channel_texts);
    text_t *names = arena_take(&self->channel_texts, channels.count * sizeof *names);
    for (size_t i = 0; i < channels.count; i++)
        names[i] = arena_copy(&self->channel_texts, channels.items[i]);
    self->channels = (texts_t){names, channels.count};
}

texts_t policy_book_channels(const policy_book_t *self)
{
    return self->channels;
}

alerting_policy_t *policy_book_find(const policy_book_t *self, text_t name)
{
    return roster_find(&self->policies, name);
}

alerting_policy_t *policy_book_of_plan(const policy_book_t *self, uint64_t plan)
{
    return registry_find(&self->plans, plan);
}

alerting_policy_t *policy_book_next(const policy_book_t *self, uint64_t *at)
{
    return roster_next(&self->policies, at);
}

/* -- may it be put? -- */

static status_t check_condition(const char *key, text_t text, schema_error_t *error)
{
    condition_error_t wrong;
    condition_t *condition = condition_new(text, &wrong);
    if (condition == NULL)
        return refuse_with(error, STATUS_BAD_VALUE, "%s: line %u, column %u: %s", key, wrong.line,
                           wrong.column, wrong.message);
    condition_destroy(&condition);
    return STATUS_OK;
}

static bool is_among(texts_t names, text_t name)
{
    for (size_t i = 0; i < names.count; i++)
        if (text_equal(names.items[i], name))
            return true;
    return false;
}

static status_t check_channels(texts_t channels, const policy_t *policy, schema_error_t *error)
{
    for (size_t i = 0; i < policy->channels.count; i++)
        if (!is_among(channels, policy->channels.items[i]))
            return refuse_with(error, STATUS_BAD_VALUE, "channels: there is no channel \"%.*s\"",
                               WORDS(policy->channels.items[i]));
    return STATUS_OK;
}

status_t policy_book_check(const policy_book_t *self, const policy_t *policy, texts_t channels,
                           uint32_t more, schema_error_t *error)
{
    bool known = policy_book_find(self, policy->name) != NULL;
    status_t status = check_condition("condition", policy->condition, error);
    if (status == STATUS_OK && policy->resolve_condition.data != NULL)
        status = check_condition("resolve_condition", policy->resolve_condition, error);
    if (status == STATUS_OK)
        status = check_channels(channels, policy, error);
    if (status == STATUS_OK && !known && roster_count(&self->policies) + more >= self->limit)
        return refuse_with(error, STATUS_LIMIT, "there are %u policies already, the limit",
                           self->limit);
    return status;
}

bool policy_is_same(const policy_t *a, const policy_t *b)
{
    policy_t other = *b;
    other.from_file = a->from_file;
    other.plan = a->plan;
    return schema_equal(&policy_schema, a, &other);
}

/* -- plans -- */

static void put_plan(const policy_book_t *self, const policy_t *policy, uint64_t id,
                     text_t condition)
{
    effects_add(self->effects, (effect_t){.type = EFFECT_PLAN_PUT,
                                          .as.plan = {.id = id,
                                                      .condition = condition,
                                                      .interval_s = policy->window,
                                                      .lookback_s = policy->lookback}});
}

static void plan(const policy_book_t *self, const alerting_policy_t *policy)
{
    const policy_t *definition = policy->definition;
    if (!definition->enabled)
        return;
    put_plan(self, definition, definition->plan, definition->condition);
    if (definition->resolve_condition.data != NULL)
        put_plan(self, definition, definition->plan + 1, definition->resolve_condition);
}

static void unplan(const policy_book_t *self, uint64_t id)
{
    effects_add(self->effects, (effect_t){.type = EFFECT_PLAN_DELETE, .as.id = id});
}

void policy_book_start(const policy_book_t *self)
{
    uint64_t at = 0;
    for (alerting_policy_t *policy; (policy = policy_book_next(self, &at)) != NULL;)
        plan(self, policy);
}

/*  Results of its plans are its own from now on. */
static void enrol(policy_book_t *self, alerting_policy_t *policy)
{
    const policy_t *definition = policy->definition;
    if (definition->plan > self->last_plan)
        self->last_plan = definition->plan;
    if (!definition->enabled)
        return;
    registry_add(&self->plans, definition->plan, policy);
    if (definition->resolve_condition.data != NULL)
        registry_add(&self->plans, definition->plan + 1, policy);
}

static void strike(policy_book_t *self, const alerting_policy_t *policy)
{
    const policy_t *definition = policy->definition;
    if (!definition->enabled)
        return;
    registry_remove(&self->plans, definition->plan);
    unplan(self, definition->plan);
    if (definition->resolve_condition.data == NULL)
        return;
    registry_remove(&self->plans, definition->plan + 1);
    unplan(self, definition->plan + 1);
}

/* -- putting -- */

static alerting_policy_t *keep(policy_book_t *self, alerting_policy_t *old, const policy_t *policy)
{
    alerting_policy_t *kept = old;
    if (kept == NULL) {
        kept = memory_new(1, sizeof *kept);
        roster_add(&self->policies, policy->name, kept);
    }
    kept->definition = kept_put(&kept->kept, &policy_schema, policy);
    return kept;
}

void policy_book_restore(policy_book_t *self, const policy_t *policy)
{
    if (policy_book_find(self, policy->name) != NULL)
        return;
    if (roster_full(&self->policies)) { /* what is in the store is let in */
        roster_grow(&self->policies, 2 * self->policies.limit + 1);
        registry_grow(&self->plans, PLANS_A_POLICY * self->policies.limit);
    }
    enrol(self, keep(self, NULL, policy));
}

alerting_policy_t *policy_book_put(policy_book_t *self, const policy_t *policy)
{
    alerting_policy_t *old = policy_book_find(self, policy->name);
    if (old != NULL)
        strike(self, old);
    policy_t numbered_policy = *policy;
    self->last_plan += PLANS_A_POLICY;
    numbered_policy.plan = self->last_plan;
    alerting_policy_t *kept = keep(self, old, &numbered_policy);
    enrol(self, kept);
    effects_add(self->effects,
                (effect_t){.type = EFFECT_SAVE_POLICY, .as.policy = kept->definition});
    plan(self, kept);
    return kept;
}

const policy_t *policy_book_claim(policy_book_t *self, alerting_policy_t *policy, bool from_file)
{
    if (policy->definition->from_file != from_file) {
        policy_t claimed = *policy->definition;
        claimed.from_file = from_file;
        policy->definition = kept_put(&policy->kept, &policy_schema, &claimed);
        effects_add(self->effects,
                    (effect_t){.type = EFFECT_SAVE_POLICY, .as.policy = policy->definition});
    }
    return policy->definition;
}

void policy_book_delete(policy_book_t *self, alerting_policy_t *policy)
{
    must(policy->first == NULL);
    strike(self, policy);
    effects_add(self->effects,
                (effect_t){.type = EFFECT_DELETE_POLICY, .as.name = policy->definition->name});
    roster_remove(&self->policies, policy->definition->name);
    kept_drop(&policy->kept);
    free(policy);
}
