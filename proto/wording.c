#include "proto/wording.h"

#include "proto/must.h"

#include <stdarg.h>
#include <stdio.h>

status_t refuse_with(schema_error_t *error, status_t status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    error->status = status;
    return status;
}

text_t words_in(arena_t *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    must(size >= 0);
    char *words = arena_take(arena, (size_t)size + 1);
    vsnprintf(words, (size_t)size + 1, format, arguments);
    va_end(arguments);
    return (text_t){words, (size_t)size};
}

text_t numbered(char out[NUMBERED_BYTES], const char *prefix, uint64_t number)
{
    int size = snprintf(out, NUMBERED_BYTES, "%s%llu", prefix, (unsigned long long)number);
    must(size > 0 && size < NUMBERED_BYTES);
    return (text_t){out, (size_t)size};
}
