#include "engines/operations/runbook_library.h"

#include "engines/kept.h"
#include "proto/must.h"
#include "proto/wording.h"

#include <stdlib.h>

void runbook_library_init(runbook_library_t *self, uint32_t runbooks, uint64_t seed)
{
    roster_init(&self->runbooks, runbooks, seed);
    self->limit = runbooks;
}

void runbook_library_free(runbook_library_t *self)
{
    uint64_t at = 0;
    for (kept_t *kept; (kept = roster_next(&self->runbooks, &at)) != NULL;) {
        kept_drop(kept);
        free(kept);
    }
    roster_free(&self->runbooks);
}

static bool is_among(texts_t texts, text_t text)
{
    for (size_t i = 0; i < texts.count; i++)
        if (text_equal(texts.items[i], text))
            return true;
    return false;
}

static const procedure_t *find_procedure(const runbook_t *runbook, text_t name)
{
    for (uint32_t i = 0; i < runbook->steps_count; i++)
        if (text_equal(runbook->steps[i].procedure, name))
            return &runbook->steps[i];
    return NULL;
}

status_t runbook_check_steps(const runbook_t *runbook, schema_error_t *error)
{
    for (uint32_t i = 0; i < runbook->steps_count; i++)
        if (!is_among(runbook->procedures, runbook->steps[i].procedure))
            return refuse_with(error, STATUS_BAD_VALUE,
                               "steps: \"%.*s\" is not one of the procedures",
                               WORDS(runbook->steps[i].procedure));
    return STATUS_OK;
}

status_t runbook_library_check(const runbook_library_t *self, const runbook_t *runbook,
                               uint32_t more, schema_error_t *error)
{
    bool known = roster_find(&self->runbooks, runbook->name) != NULL;
    if (!known && roster_count(&self->runbooks) + more >= self->limit)
        return refuse_with(error, STATUS_LIMIT, "there are %u runbooks already, the limit",
                           self->limit);
    return runbook_check_steps(runbook, error);
}

const runbook_t *runbook_library_put(runbook_library_t *self, const runbook_t *runbook)
{
    kept_t *kept = roster_find(&self->runbooks, runbook->name);
    if (kept == NULL) {
        if (roster_full(&self->runbooks)) /* what is in the store is let in */
            roster_grow(&self->runbooks, 2 * self->runbooks.limit + 1);
        kept = memory_new(1, sizeof *kept);
        roster_add(&self->runbooks, runbook->name, kept);
    }
    return kept_put(kept, &runbook_schema, runbook);
}

void runbook_library_delete(runbook_library_t *self, text_t name)
{
    kept_t *kept = roster_find(&self->runbooks, name);
    must(kept != NULL);
    roster_remove(&self->runbooks, name);
    kept_drop(kept);
    free(kept);
}

const runbook_t *runbook_library_find(const runbook_library_t *self, text_t name)
{
    const kept_t *kept = roster_find(&self->runbooks, name);
    return kept == NULL ? NULL : kept->thing;
}

const runbook_t *runbook_library_next(const runbook_library_t *self, uint64_t *at)
{
    const kept_t *kept = roster_next(&self->runbooks, at);
    return kept == NULL ? NULL : kept->thing;
}

bool runbook_has_step(const runbook_t *self, text_t procedure, text_t step)
{
    const procedure_t *found = find_procedure(self, procedure);
    return found != NULL && is_among(found->steps, step);
}
