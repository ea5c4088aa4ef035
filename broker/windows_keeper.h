/*  windows_keeper - when are the windows of the observability wing kept, and where do they go on?
 *
 *      idle ── the interval is over ──► walking ── all records ──► writing ── kept ──► idle
 *
 *  The walk takes some records a turn between events, the writing is the windows actor's: neither
 *  an event nor an `ok` waits for a disk.
 *
 *  Owns     the windows actor, and the records on their way to it
 *  Bounds   one snapshot at a time
 *  Time     handed in as `now`
 *  Thread   the observability actor's
 */
#ifndef BROKER_WINDOWS_KEEPER_H
#define BROKER_WINDOWS_KEEPER_H

#include "engines/observability/stack_memory.h"

#include <czmq.h>
#include <msgpack/sbuffer.h>
#include <stdbool.h>

typedef enum { KEEPER_IDLE, KEEPER_WALKING, KEEPER_WRITING } keeper_state_t;

typedef struct {
    observability_stack_t *stack;
    zactor_t *actor;
    keeper_state_t state;
    stack_memory_t walk;
    msgpack_sbuffer records;
    int64_t next_ns; /* when the next walk begins */
} windows_keeper_t;

/*  Let the stack go on from the file in the store's directory, if there is a good one. */
void windows_keeper_init(windows_keeper_t *self, observability_stack_t *stack,
                         const char *directory, instant_t now, double interval_s);

/*  Go on; true while there is more to do at once. */
bool windows_keeper_turn(windows_keeper_t *self, instant_t now, double interval_s);
/*  When it wants a turn. */
int64_t windows_keeper_next(const windows_keeper_t *self);

/*  Keep everything, the windows of watched series too, and wait until that is done. */
void windows_keeper_finish(windows_keeper_t *self, instant_t now);

#endif
