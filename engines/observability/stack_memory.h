/*  stack_memory - the windows of a stack, from one process to the next.
 *
 *  The rings of SLOs and the profiles, and on request the windows of watched series, go into the
 *  records of a snapshot. In the next process an SLO goes on once it is put, a watched series once
 *  it comes back. An outage is a gap: nothing is counted in it.
 *
 *  Owns     nothing
 *  Bounds   SNAPSHOT_STEP records a call; windows of watched series end at SNAPSHOT_BYTES_MAX
 *  Time     by the wall clock from one process to the next
 *  Thread   the stack's
 *  Refuses  a file that is not good: nothing of it is believed
 */
#ifndef ENGINES_STACK_MEMORY_H
#define ENGINES_STACK_MEMORY_H

#include "engines/observability/observability_stack.h"
#include "engines/observability/snapshot.h"

/* Records that one call appends: a fraction of a millisecond. */
#define SNAPSHOT_STEP 64u

/*  How far a walk has come. Begin with {.watches = …}. */
typedef struct {
    bool watches; /* the windows of watched series too */
    unsigned kind;
    uint64_t at;
} stack_memory_t;

/*  Append the next records; false when none is left. */
bool stack_memory_save(const observability_stack_t *stack, stack_memory_t *self, instant_t now,
                       msgpack_sbuffer *out);

/*  Take in a whole file. */
snapshot_state_t stack_memory_restore(observability_stack_t *stack, text_t file);

/*  Every SLO has been put again: what is remembered of others is forgotten. Series that have not
 *  come back when the ttl is over are forgotten by the stack. */
void stack_memory_settled(observability_stack_t *stack);

#endif
