/*  cursor - reads MessagePack out of a span of bytes without trusting one of them.
 *
 *  Owns     nothing; the span is borrowed
 *  Bounds   never reads past the end, allocates nothing, and recursion is none: a skip is a loop
 *  Refuses  STATUS_MALFORMED for what is not a complete value, STATUS_TOO_DEEP for too much nesting
 *
 *  The form is the MessagePack specification's (github.com/msgpack/msgpack/blob/master/spec.md).
 *  Every length and count is held against the bytes that are left before it is believed: each
 * element of an array needs at least one byte, each pair of a map at least two.
 */
#ifndef PROTO_CURSOR_H
#define PROTO_CURSOR_H

#include "proto/status.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} cursor_t;

typedef enum {
    VALUE_NIL,
    VALUE_BOOL,
    VALUE_UINT,  /* any integer >= 0, however it was encoded */
    VALUE_INT,   /* an integer < 0 */
    VALUE_FLOAT, /* float32 or float64 */
    VALUE_STR,
    VALUE_BIN,
    VALUE_ARRAY,
    VALUE_MAP,
    VALUE_EXT
} value_type_t;

/*  One value, or the head of a container whose elements follow the cursor. */
typedef struct {
    value_type_t type;
    int8_t ext_type;
    union {
        bool boolean;
        uint64_t u;
        int64_t i;
        double f;
        text_t text;    /* STR, BIN and the payload of EXT */
        uint32_t count; /* elements of an ARRAY, pairs of a MAP */
    } as;
} value_t;

static inline cursor_t cursor_over(const void *bytes, size_t size)
{
    return (cursor_t){bytes, size == 0 ? bytes : (const uint8_t *)bytes + size};
}

static inline size_t cursor_left(const cursor_t *self)
{
    return (size_t)(self->end - self->at);
}

/*  Read one value; of a container only its head, the cursor then stands at its first element.
 *  False when the bytes left are no such value; the cursor has not moved then. */
bool cursor_read(cursor_t *self, value_t *value);

/*  Step over one whole value. False when it is not complete. */
bool cursor_skip(cursor_t *self);

/*  Containers nest at most this deep, whatever depth is asked for: as deep as msgpack-c unpacks, so
 *  what was found good here can be unpacked there. */
#define CURSOR_DEPTH_MAX 32u

/*  Step over one whole value whose containers nest at most `depth` deep (a scalar nests 0, [] nests
 *  1). STATUS_TOO_DEEP when they nest deeper: the cursor is then behind the value too.
 *  STATUS_MALFORMED when the value is not complete, however deep: the cursor has not moved then. */
status_t cursor_walk(cursor_t *self, uint32_t depth);

/*  Check that the span is exactly one complete value whose containers nest at most `depth` deep:
 *  STATUS_OK, STATUS_MALFORMED, or STATUS_TOO_DEEP. */
status_t cursor_check(const void *bytes, size_t size, uint32_t depth);

/*  The number in a value of type UINT, INT or FLOAT; false for any other type. Not checked for
 * being finite. Integers beyond 2^53 are rounded as C rounds them. */
bool value_number(const value_t *value, double *number);

/*  The integer >= 0 in a value of any number type, when it is whole and fits; else false. */
bool value_whole(const value_t *value, uint64_t *whole);

/*  A point in time, Unix seconds: a finite number, or the timestamp extension (type -1) in its
 * forms of 4, 8 and 12 bytes. STATUS_WRONG_TYPE or STATUS_BAD_VALUE otherwise. */
status_t value_time(const value_t *value, double *unix_s);

/*  A duration in seconds, >= 0 and finite: a number, or text in Prometheus form ("250ms", "1h30m";
 * units y w d h m s ms, each at most once, in that order). STATUS_WRONG_TYPE or STATUS_BAD_VALUE
 * otherwise. */
status_t value_duration(const value_t *value, double *seconds);

/*  The same for text alone; false if it is not of that form. */
bool duration_parse(text_t text, double *seconds);

#endif
