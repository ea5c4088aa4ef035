#include "engines/kept.h"

/* A struct and its short texts fit into one block. */
#define BLOCK_BYTES 512u

void *kept_put(kept_t *self, const schema_t *schema, const void *thing)
{
    arena_t arena = {.block_bytes = BLOCK_BYTES};
    void *copy = schema_copy(schema, thing, &arena);
    arena_free(&self->arena);
    *self = (kept_t){.arena = arena, .thing = copy};
    return copy;
}

void kept_drop(kept_t *self)
{
    arena_free(&self->arena);
    self->thing = NULL;
}
