#include "proto/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void must_fail(const char *condition, const char *file, int line)
{
    fprintf(stderr, "tocsin: a bug of ours: must (%s) at %s:%d\n", condition, file, line);
    abort();
}

static void *memory_or_end(void *memory, size_t count, size_t size)
{
    if (memory == NULL) {
        fprintf(stderr, "tocsin: out of memory (%zu x %zu bytes asked for)\n", count, size);
        abort();
    }
    return memory;
}

void *memory_new(size_t count, size_t size)
{
    if (count == 0 || size == 0)
        count = size = 1;
    return memory_or_end(calloc(count, size), count, size);
}

void *memory_grow(void *old, size_t count, size_t size)
{
    if (count == 0 || size == 0)
        count = size = 1;
    return memory_or_end(reallocarray(old, count, size), count, size);
}

void *memory_copy(const void *bytes, size_t size)
{
    void *copy = memory_new(1, size);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}
