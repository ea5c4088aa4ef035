/*  words - a sentence put together piece by piece in a room of fixed size.
 *
 *  Owns     nothing; the room is the caller's
 *  Bounds   what does not fit is left out, by whole characters of UTF-8; the room always holds a
 * terminated string Thread   one Refuses  nothing
 */
#ifndef ENGINES_WORDS_H
#define ENGINES_WORDS_H

#include "proto/text.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    char *room;
    size_t used, size; /* bytes; one is kept for the end */
} words_t;

static inline words_t words_in(char *room, size_t size)
{
    room[0] = '\0';
    return (words_t){room, 0, size};
}

static inline void words_text(words_t *self, text_t text)
{
    size_t left = self->size - 1 - self->used;
    size_t size = text.size < left ? text.size : left;
    while (size < text.size && size > 0 && (text.data[size] & 0xc0) == 0x80)
        size--;
    if (size > 0)
        memcpy(self->room + self->used, text.data, size);
    self->used += size;
    self->room[self->used] = '\0';
}

static inline void words_add(words_t *self, const char *string)
{
    words_text(self, text_of(string));
}

static inline void words_whole(words_t *self, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    words_text(self, (text_t){digits + at, sizeof digits - at});
}

#endif
