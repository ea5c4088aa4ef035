#include "engines/operations/operations_inside.h"
#include "engines/roster.h"

/*  What the file names, and what it does not name any more. */
typedef struct {
    roster_t policies, runbooks;
    uint32_t new_runbooks;
} inventory_t;

static void add_name(roster_t *roster, text_t name, const void *thing)
{
    if (roster_find(roster, name) == NULL)
        roster_add(roster, name, (void *)(uintptr_t)thing);
}

static status_t check_policies(operations_manager_t *self, const policy_t *policies, size_t count,
                               texts_t channels, inventory_t *inventory, size_t *wrong,
                               schema_error_t *error)
{
    policy_context_t context = {.channels = channels, .file = &inventory->policies};
    status_t status = STATUS_OK;
    for (size_t i = 0; i < count; i++)
        add_name(&inventory->policies, policies[i].name, &policies[i]);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        *wrong = i;
        status = policy_book_check(self->policies, &policies[i], &context, error);
        context.more += policy_book_find(self->policies, policies[i].name) == NULL;
    }
    return status;
}

static status_t check_runbooks(operations_manager_t *self, const runbook_t *runbooks, size_t count,
                               inventory_t *inventory, size_t *wrong, schema_error_t *error)
{
    for (size_t i = 0; i < count; i++) {
        *wrong = i;
        status_t status =
            runbook_library_check(&self->runbooks, &runbooks[i], inventory->new_runbooks, error);
        if (status != STATUS_OK)
            return status;
        inventory->new_runbooks += runbook_library_find(&self->runbooks, runbooks[i].name) == NULL;
        add_name(&inventory->runbooks, runbooks[i].name, &runbooks[i]);
    }
    return STATUS_OK;
}

static void delete_unnamed(operations_manager_t *self, const inventory_t *inventory)
{
    uint64_t at = 0;
    for (alerting_policy_t *policy; (policy = policy_book_next(self->policies, &at)) != NULL;)
        if (policy->definition->from_file &&
            roster_find(&inventory->policies, policy->definition->name) == NULL)
            operations_delete_policy(self, policy);
    at = 0;
    for (const runbook_t *runbook; (runbook = runbook_library_next(&self->runbooks, &at)) != NULL;)
        if (runbook->from_file && roster_find(&inventory->runbooks, runbook->name) == NULL)
            operations_delete_runbook(self, runbook);
}

static void put_named(operations_manager_t *self, const inventory_t *inventory)
{
    uint64_t at = 0;
    for (const runbook_t *runbook; (runbook = roster_next(&inventory->runbooks, &at)) != NULL;) {
        runbook_t owned = *runbook;
        owned.from_file = true;
        operations_put_runbook(self, &owned);
    }
    at = 0;
    for (const policy_t *policy; (policy = roster_next(&inventory->policies, &at)) != NULL;) {
        policy_t owned = *policy;
        owned.from_file = true;
        operations_put_policy(self, &owned, TEXT_OF("configuration file"));
    }
}

status_t operations_manager_own(operations_manager_t *self, const policy_t *policies,
                                size_t policy_count, const runbook_t *runbooks,
                                size_t runbook_count, texts_t channels, instant_t now,
                                size_t *wrong, schema_error_t *error)
{
    inventory_t inventory = {.new_runbooks = 0};
    roster_init(&inventory.policies, (uint32_t)policy_count, 0);
    roster_init(&inventory.runbooks, (uint32_t)runbook_count, 0);
    status_t status =
        check_policies(self, policies, policy_count, channels, &inventory, wrong, error);
    if (status == STATUS_OK)
        status = check_runbooks(self, runbooks, runbook_count, &inventory, wrong, error);
    if (status == STATUS_OK) {
        operations_begin_step(self, now);
        policy_book_set_channels(self->policies, channels);
        delete_unnamed(self, &inventory);
        put_named(self, &inventory);
        operations_end_step(self);
    }
    roster_free(&inventory.policies);
    roster_free(&inventory.runbooks);
    return status;
}
