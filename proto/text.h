/*  text - a borrowed piece of text: where it begins and how many bytes it has.
 *
 *  Owns     nothing; the bytes belong to the frame, the arena or the object they lie in
 *  Bounds   none of its own; whoever read it checked it
 *  Refuses  nothing
 *
 *  Text from the wire is not terminated by a NUL. data == NULL means "absent", which is not the
 * same as the empty text.
 */
#ifndef PROTO_TEXT_H
#define PROTO_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct {
    const char *data;
    size_t size; /* bytes */
} text_t;

/*  A list of texts. */
typedef struct {
    const text_t *items;
    size_t count;
} texts_t;

#define TEXT_NONE ((text_t){NULL, 0})
#define TEXT_OF(literal) ((text_t){"" literal, sizeof(literal) - 1})

static inline text_t text_of(const char *string)
{
    return (text_t){string, string == NULL ? 0 : strlen(string)};
}

static inline bool text_equal(text_t a, text_t b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool text_is(text_t a, const char *string)
{
    return text_equal(a, text_of(string));
}

static inline bool text_begins(text_t a, text_t prefix)
{
    return a.size >= prefix.size &&
           (prefix.size == 0 || memcmp(a.data, prefix.data, prefix.size) == 0);
}

/*  Order of bytes, shorter first among equals; as memcmp answers. */
static inline int text_compare(text_t a, text_t b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

#endif
