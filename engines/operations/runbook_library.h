/*  runbook_library - what is to be done about it? Procedures and their steps, by name.
 *
 *  Owns     copies of the runbooks
 *  Bounds   `runbooks` of them
 *  Thread   one
 *  Refuses  bad_value: steps of a procedure that is not listed; limit
 */
#ifndef ENGINES_RUNBOOK_LIBRARY_H
#define ENGINES_RUNBOOK_LIBRARY_H

#include "engines/roster.h"
#include "proto/schema.h"
#include "proto/status.h"
#include "proto/thing.h"

typedef struct {
    roster_t runbooks; /* of kept_t */
    uint32_t limit;
} runbook_library_t;

void runbook_library_init(runbook_library_t *self, uint32_t runbooks, uint64_t seed);
void runbook_library_free(runbook_library_t *self);

/*  Does every list of steps belong to a procedure? */
status_t runbook_check_steps(const runbook_t *runbook, schema_error_t *error);
/*  Could this one be put? A new one beside `more` others. */
status_t runbook_library_check(const runbook_library_t *self, const runbook_t *runbook,
                               uint32_t more, schema_error_t *error);

/*  Put or replace one that was checked; answers it as it is kept. */
const runbook_t *runbook_library_put(runbook_library_t *self, const runbook_t *runbook);
void runbook_library_delete(runbook_library_t *self, text_t name);

const runbook_t *runbook_library_find(const runbook_library_t *self, text_t name);
/*  The runbook after *at, in order of creation; NULL at the end. Start with *at = 0. */
const runbook_t *runbook_library_next(const runbook_library_t *self, uint64_t *at);

/*  Is that a step of the procedure? */
bool runbook_has_step(const runbook_t *self, text_t procedure, text_t step);

#endif
