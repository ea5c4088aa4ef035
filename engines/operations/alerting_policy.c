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
    arena_t channel_texts, inhibitions;
    bool stale; /* a policy came, changed or went since the lists were made */
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
    arena_init(&self->inhibitions);
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
    arena_free(&(*self)->inhibitions);
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

/*  The policy of that name as it will be: the file's, if it is the file that puts. */
static const policy_t *as_it_will_be(const policy_book_t *self, const policy_context_t *context,
                                     text_t name)
{
    const policy_t *of_file = context->file == NULL ? NULL : roster_find(context->file, name);
    if (of_file != NULL)
        return of_file;
    const alerting_policy_t *policy = policy_book_find(self, name);
    bool goes = policy == NULL || (context->file != NULL && policy->definition->from_file);
    return goes ? NULL : policy->definition;
}

/*  What inhibits it, or what inhibits that: a policy that is not there is inhibited by nobody. */
static void add_inhibitors(const policy_book_t *self, const policy_context_t *context,
                           const policy_t *policy, roster_t *met)
{
    static const policy_t nobody = {.window = 0};
    texts_t names = policy->inhibited_by;
    for (size_t i = 0; i < names.count; i++) {
        if (roster_find(met, names.items[i]) != NULL)
            continue;
        if (roster_full(met))
            roster_grow(met, 2 * roster_count(met));
        const policy_t *other = as_it_will_be(self, context, names.items[i]);
        roster_add(met, names.items[i], (void *)(uintptr_t)(other == NULL ? &nobody : other));
    }
}

/*  Walking from a policy to what inhibits it, it must not be met again. */
static status_t check_circle(const policy_book_t *self, const policy_t *policy,
                             const policy_context_t *context, schema_error_t *error)
{
    roster_t met;
    roster_init(&met, 128, 0);
    add_inhibitors(self, context, policy, &met);
    uint64_t at = 0;
    for (const policy_t *other; (other = roster_next(&met, &at)) != NULL;)
        add_inhibitors(self, context, other, &met);
    bool circle = roster_find(&met, policy->name) != NULL;
    roster_free(&met);
    if (circle)
        return refuse_with(error, STATUS_BAD_VALUE,
                           "inhibited_by: \"%.*s\" would inhibit itself, through others or not",
                           WORDS(policy->name));
    return STATUS_OK;
}

status_t policy_book_check(const policy_book_t *self, const policy_t *policy,
                           const policy_context_t *context, schema_error_t *error)
{
    bool known = policy_book_find(self, policy->name) != NULL;
    status_t status = check_condition("condition", policy->condition, error);
    if (status == STATUS_OK && policy->resolve_condition.data != NULL)
        status = check_condition("resolve_condition", policy->resolve_condition, error);
    if (status == STATUS_OK)
        status = check_channels(context->channels, policy, error);
    if (status == STATUS_OK)
        status = check_circle(self, policy, context, error);
    if (status == STATUS_OK && !known &&
        roster_count(&self->policies) + context->more >= self->limit)
        return refuse_with(error, STATUS_LIMIT, "there are %u policies already, the limit",
                           self->limit);
    return status;
}

bool policy_is_same(const policy_t *a, const policy_t *b)
{
    policy_t other = *b;
    other.from_file = a->from_file;
    other.plan = a->plan;
    other.error = a->error;
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

/* -- who inhibits whom: lists and ranks are made anew when they are asked for after a change -- */

/*  Tell each policy that inhibits this one: count it, or put it into the list. */
static void point_back(policy_book_t *self, alerting_policy_t *policy, bool counted)
{
    texts_t names = policy->definition->inhibited_by;
    for (size_t i = 0; i < names.count; i++) {
        alerting_policy_t *other = policy_book_find(self, names.items[i]);
        if (other == NULL)
            continue;
        if (counted)
            other->inhibits[other->inhibits_count] = policy;
        other->inhibits_count++;
        policy->inhibitors_left += counted;
    }
}

static void make_lists(policy_book_t *self)
{
    alerting_policy_t *policy;
    arena_reset(&self->inhibitions);
    for (uint64_t at = 0; (policy = policy_book_next(self, &at)) != NULL;)
        policy->inhibits_count = policy->inhibitors_left = policy->rank = 0;
    for (uint64_t at = 0; (policy = policy_book_next(self, &at)) != NULL;)
        point_back(self, policy, false);
    for (uint64_t at = 0; (policy = policy_book_next(self, &at)) != NULL;) {
        policy->inhibits =
            arena_take(&self->inhibitions, policy->inhibits_count * sizeof(alerting_policy_t *));
        policy->inhibits_count = 0;
    }
    for (uint64_t at = 0; (policy = policy_book_next(self, &at)) != NULL;)
        point_back(self, policy, true);
}

/*  Kahn, Topological sorting of large networks, CACM 5 (1962); there is no circle. */
static void rank_policies(policy_book_t *self)
{
    uint32_t count = 0, done = 0;
    alerting_policy_t *policy,
        **ready = arena_take(&self->inhibitions,
                             roster_count(&self->policies) * sizeof(alerting_policy_t *));
    for (uint64_t at = 0; (policy = policy_book_next(self, &at)) != NULL;)
        if (policy->inhibitors_left == 0)
            ready[count++] = policy;
    for (; done < count; done++)
        for (uint32_t i = 0; i < ready[done]->inhibits_count; i++) {
            policy = ready[done]->inhibits[i];
            policy->rank = ready[done]->rank + 1;
            if (--policy->inhibitors_left == 0)
                ready[count++] = policy;
        }
}

void policy_book_refresh(policy_book_t *self)
{
    if (self->stale) {
        make_lists(self);
        rank_policies(self);
    }
    self->stale = false;
}

policies_t policy_book_inhibited(policy_book_t *self, const alerting_policy_t *policy)
{
    policy_book_refresh(self);
    return (policies_t){policy->inhibits, policy->inhibits_count};
}

/* -- putting -- */

static alerting_policy_t *keep(policy_book_t *self, alerting_policy_t *old, const policy_t *policy)
{
    alerting_policy_t *kept = old;
    if (kept == NULL) {
        kept = memory_new(1, sizeof *kept);
        kept->asked_ns = INT64_MIN;
        roster_add(&self->policies, policy->name, kept);
    }
    kept->definition = kept_put(&kept->kept, &policy_schema, policy);
    self->stale = true;
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

/*  Something about it that leaves its alerts alone. */
static void change(policy_book_t *self, alerting_policy_t *policy, const policy_t *changed)
{
    policy->definition = kept_put(&policy->kept, &policy_schema, changed);
    effects_add(self->effects,
                (effect_t){.type = EFFECT_SAVE_POLICY, .as.policy = policy->definition});
}

bool policy_book_mark(policy_book_t *self, alerting_policy_t *policy, text_t error)
{
    if (policy->definition->error.data == NULL && error.data == NULL)
        return false;
    policy_t marked = *policy->definition;
    marked.error = error;
    effects_audit(self->effects, TEXT_NONE, TEXT_OF("policy.error"), marked.name,
                  policy->definition->error, error);
    change(self, policy, &marked);
    return true;
}

void policy_book_ask_again(policy_book_t *self, alerting_policy_t *policy)
{
    int64_t now = self->effects->now.mono_ns;
    const policy_t *definition = policy->definition;
    if (policy->asked_ns != now)
        put_plan(self, definition, definition->plan + 1, definition->resolve_condition);
    policy->asked_ns = now;
}

const policy_t *policy_book_claim(policy_book_t *self, alerting_policy_t *policy, bool from_file)
{
    if (policy->definition->from_file != from_file) {
        policy_t claimed = *policy->definition;
        claimed.from_file = from_file;
        change(self, policy, &claimed);
    }
    return policy->definition;
}

void policy_book_delete(policy_book_t *self, alerting_policy_t *policy)
{
    must(policy->first == NULL);
    strike(self, policy);
    self->stale = true;
    effects_add(self->effects,
                (effect_t){.type = EFFECT_DELETE_POLICY, .as.name = policy->definition->name});
    roster_remove(&self->policies, policy->definition->name);
    kept_drop(&policy->kept);
    free(policy);
}
