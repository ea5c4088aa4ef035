#include "proto/arena.h"

#include "proto/must.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

/* Most commands fit into one block. */
#define BLOCK_BYTES 8192u

struct arena_block {
    arena_block_t *next;
    size_t used, size;
    alignas(max_align_t) unsigned char bytes[];
};

void arena_init(arena_t *self)
{
    *self = (arena_t){.blocks = NULL};
}

static void free_behind(arena_block_t *block)
{
    while (block != NULL) {
        arena_block_t *next = block->next;
        free(block);
        block = next;
    }
}

void arena_free(arena_t *self)
{
    free_behind(self->blocks);
    self->blocks = NULL;
}

void arena_reset(arena_t *self)
{
    if (self->blocks == NULL)
        return;
    free_behind(self->blocks->next);
    self->blocks->next = NULL;
    self->blocks->used = 0;
    if (self->blocks->size > BLOCK_BYTES)
        arena_free(self);
}

static arena_block_t *add_block(arena_t *self, size_t size)
{
    size_t least = self->block_bytes == 0 ? BLOCK_BYTES : self->block_bytes;
    if (size < least)
        size = least;
    arena_block_t *block = memory_grow(NULL, 1, sizeof *block + size);
    *block = (arena_block_t){.next = self->blocks, .size = size};
    self->blocks = block;
    return block;
}

void *arena_take(arena_t *self, size_t size)
{
    size_t whole = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    must(whole >= size);
    arena_block_t *block = self->blocks;
    if (block == NULL || block->size - block->used < whole)
        block = add_block(self, whole);
    void *piece = block->bytes + block->used;
    block->used += whole;
    memset(piece, 0, whole);
    return piece;
}

text_t arena_copy(arena_t *self, text_t text)
{
    if (text.data == NULL)
        return TEXT_NONE;
    char *copy = arena_take(self, text.size + 1);
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    return (text_t){copy, text.size};
}
