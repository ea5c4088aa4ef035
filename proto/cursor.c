#include "proto/cursor.h"

#include <math.h>
#include <string.h>

/*  How the bytes 0xc0 to 0xdf begin a value: so many bytes of length or count follow the first,
 *  then so many bytes beside what that length says. */
typedef struct {
    value_type_t type;
    uint8_t length_bytes;
    uint8_t fixed_bytes;
    bool used;
} form_t;

static const form_t forms[32] = {
    [0xc0 - 0xc0] = {VALUE_NIL, 0, 0, true},   [0xc1 - 0xc0] = {VALUE_NIL, 0, 0, false},
    [0xc2 - 0xc0] = {VALUE_BOOL, 0, 0, true},  [0xc3 - 0xc0] = {VALUE_BOOL, 0, 0, true},
    [0xc4 - 0xc0] = {VALUE_BIN, 1, 0, true},   [0xc5 - 0xc0] = {VALUE_BIN, 2, 0, true},
    [0xc6 - 0xc0] = {VALUE_BIN, 4, 0, true},   [0xc7 - 0xc0] = {VALUE_EXT, 1, 1, true},
    [0xc8 - 0xc0] = {VALUE_EXT, 2, 1, true},   [0xc9 - 0xc0] = {VALUE_EXT, 4, 1, true},
    [0xca - 0xc0] = {VALUE_FLOAT, 0, 4, true}, [0xcb - 0xc0] = {VALUE_FLOAT, 0, 8, true},
    [0xcc - 0xc0] = {VALUE_UINT, 0, 1, true},  [0xcd - 0xc0] = {VALUE_UINT, 0, 2, true},
    [0xce - 0xc0] = {VALUE_UINT, 0, 4, true},  [0xcf - 0xc0] = {VALUE_UINT, 0, 8, true},
    [0xd0 - 0xc0] = {VALUE_INT, 0, 1, true},   [0xd1 - 0xc0] = {VALUE_INT, 0, 2, true},
    [0xd2 - 0xc0] = {VALUE_INT, 0, 4, true},   [0xd3 - 0xc0] = {VALUE_INT, 0, 8, true},
    [0xd4 - 0xc0] = {VALUE_EXT, 0, 2, true},   [0xd5 - 0xc0] = {VALUE_EXT, 0, 3, true},
    [0xd6 - 0xc0] = {VALUE_EXT, 0, 5, true},   [0xd7 - 0xc0] = {VALUE_EXT, 0, 9, true},
    [0xd8 - 0xc0] = {VALUE_EXT, 0, 17, true},  [0xd9 - 0xc0] = {VALUE_STR, 1, 0, true},
    [0xda - 0xc0] = {VALUE_STR, 2, 0, true},   [0xdb - 0xc0] = {VALUE_STR, 4, 0, true},
    [0xdc - 0xc0] = {VALUE_ARRAY, 2, 0, true}, [0xdd - 0xc0] = {VALUE_ARRAY, 4, 0, true},
    [0xde - 0xc0] = {VALUE_MAP, 2, 0, true},   [0xdf - 0xc0] = {VALUE_MAP, 4, 0, true},
};

static uint64_t big_endian(const uint8_t *bytes, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | bytes[i];
    return number;
}

/*  What stands at the cursor: its type, where its payload is, and how long. A container's payload
 *  is empty and `size` its count. */
typedef struct {
    value_type_t type;
    uint8_t first;
    const uint8_t *payload;
    size_t size;
} head_t;

static inline bool is_container(value_type_t type)
{
    return type == VALUE_ARRAY || type == VALUE_MAP;
}

/*  How many values follow the head of a container. */
static inline uint64_t children(value_type_t type, uint64_t count)
{
    return type == VALUE_MAP ? 2 * count : count;
}

/*  The forms that are one byte with the number or the length inside. */
static inline void head_of_fix(uint8_t first, head_t *head)
{
    head->size = 0;
    if (first <= 0x7f) {
        head->type = VALUE_UINT;
    } else if (first >= 0xe0) {
        head->type = VALUE_INT;
    } else if (first >= 0xa0) {
        head->type = VALUE_STR;
        head->size = first & 0x1f;
    } else {
        head->type = first >= 0x90 ? VALUE_ARRAY : VALUE_MAP;
        head->size = first & 0x0f;
    }
}

/*  Look at the head of the value and move behind the value, or behind the head of a container.
 *  False, and nothing moved, if there are not as many bytes left as it says it needs. */
static inline bool take_head(cursor_t *self, head_t *head)
{
    size_t left = cursor_left(self);
    if (left == 0)
        return false;
    const uint8_t *at = self->at;
    head->first = *at++;
    left--;
    if ((head->first & 0xe0) != 0xc0) {
        head_of_fix(head->first, head);
    } else {
        const form_t *form = &forms[head->first & 0x1f];
        if (!form->used || left < form->length_bytes)
            return false;
        head->type = form->type;
        head->size = form->fixed_bytes + (size_t)big_endian(at, form->length_bytes);
        at += form->length_bytes;
        left -= form->length_bytes;
    }
    head->payload = at;
    bool container = is_container(head->type);
    if ((container ? children(head->type, head->size) : head->size) > left)
        return false;
    self->at = container ? at : at + head->size;
    return true;
}

static void set_int(value_t *value, int64_t number)
{
    if (number < 0) {
        value->type = VALUE_INT;
        value->as.i = number;
    } else {
        value->type = VALUE_UINT;
        value->as.u = (uint64_t)number;
    }
}

static int64_t sign_extended(uint64_t bits, size_t size)
{
    switch (size) {
    case 1:
        return (int8_t)bits;
    case 2:
        return (int16_t)bits;
    case 4:
        return (int32_t)bits;
    default:
        return (int64_t)bits;
    }
}

static double float_of(uint64_t bits, size_t size)
{
    if (size == 8) {
        double number;
        memcpy(&number, &bits, sizeof number);
        return number;
    }
    uint32_t half = (uint32_t)bits;
    float number;
    memcpy(&number, &half, sizeof number);
    return (double)number;
}

/*  A number that is a payload; the ones inside the first byte have none. */
static void set_number(value_t *value, const head_t *head)
{
    uint64_t bits = big_endian(head->payload, head->size);
    if (head->type == VALUE_FLOAT)
        value->as.f = float_of(bits, head->size);
    else if (head->type == VALUE_INT)
        set_int(value, head->size == 0 ? (int8_t)head->first : sign_extended(bits, head->size));
    else
        value->as.u = head->size == 0 ? head->first : bits;
}

bool cursor_read(cursor_t *self, value_t *value)
{
    head_t head;
    if (!take_head(self, &head))
        return false;
    *value = (value_t){.type = head.type};
    switch (head.type) {
    case VALUE_NIL:
        break;
    case VALUE_BOOL:
        value->as.boolean = head.first == 0xc3;
        break;
    case VALUE_UINT:
    case VALUE_INT:
    case VALUE_FLOAT:
        set_number(value, &head);
        break;
    case VALUE_STR:
    case VALUE_BIN:
        value->as.text = (text_t){(const char *)head.payload, head.size};
        break;
    case VALUE_EXT:
        value->ext_type = (int8_t)head.payload[0];
        value->as.text = (text_t){(const char *)head.payload + 1, head.size - 1};
        break;
    case VALUE_ARRAY:
    case VALUE_MAP:
        value->as.count = (uint32_t)head.size;
        break;
    }
    return true;
}

/*  Step over `waiting` values and all that is in them, however deep. Each value that still has to
 *  come needs a byte, so the sum cannot grow beyond what is left and the loop ends. */
static bool skip_all(cursor_t *self, uint64_t waiting)
{
    while (waiting > 0) {
        head_t head;
        if (waiting > cursor_left(self) || !take_head(self, &head))
            return false;
        waiting--;
        if (is_container(head.type))
            waiting += children(head.type, head.size);
    }
    return true;
}

bool cursor_skip(cursor_t *self)
{
    cursor_t behind = *self;
    if (!skip_all(&behind, 1))
        return false;
    *self = behind;
    return true;
}

/*  The walk has met a container that it may not enter: only how many values are still to come
 *  matters now, not where they stand. */
static status_t walk_on_too_deep(cursor_t *behind, const uint64_t *waiting, uint32_t level,
                                 uint64_t inside)
{
    uint64_t sum = inside;
    for (uint32_t i = 0; i <= level; i++)
        sum += waiting[i];
    return skip_all(behind, sum) ? STATUS_TOO_DEEP : STATUS_MALFORMED;
}

/*  Small integers and doubles are most of what stands in long arrays: one step each. */
static inline void pass_numbers(cursor_t *self, uint64_t *waiting)
{
    for (; *waiting > 0 && self->at < self->end; --*waiting) {
        if (*self->at < 0x80)
            self->at++;
        else if (*self->at == 0xcb && cursor_left(self) >= 9)
            self->at += 9;
        else
            return;
    }
}

static status_t walk(cursor_t *behind, uint32_t depth)
{
    uint64_t waiting[CURSOR_DEPTH_MAX + 1]; /* values still to come at each level */
    uint32_t level = 0;
    waiting[0] = 1;
    for (;;) {
        pass_numbers(behind, &waiting[level]);
        while (waiting[level] == 0) {
            if (level == 0)
                return STATUS_OK;
            level--;
        }
        head_t head;
        if (!take_head(behind, &head))
            return STATUS_MALFORMED;
        waiting[level]--;
        if (!is_container(head.type))
            continue;
        if (level == depth)
            return walk_on_too_deep(behind, waiting, level, children(head.type, head.size));
        waiting[++level] = children(head.type, head.size);
    }
}

status_t cursor_walk(cursor_t *self, uint32_t depth)
{
    cursor_t behind = *self;
    status_t status = walk(&behind, depth < CURSOR_DEPTH_MAX ? depth : CURSOR_DEPTH_MAX);
    if (status != STATUS_MALFORMED)
        *self = behind;
    return status;
}

status_t cursor_check(const void *bytes, size_t size, uint32_t depth)
{
    cursor_t cursor = cursor_over(bytes, size);
    status_t status = cursor_walk(&cursor, depth);
    return cursor_left(&cursor) > 0 ? STATUS_MALFORMED : status;
}

bool value_number(const value_t *value, double *number)
{
    if (value->type == VALUE_FLOAT)
        *number = value->as.f;
    else if (value->type == VALUE_UINT)
        *number = (double)value->as.u;
    else if (value->type == VALUE_INT)
        *number = (double)value->as.i;
    else
        return false;
    return true;
}

bool value_whole(const value_t *value, uint64_t *whole)
{
    if (value->type == VALUE_UINT) {
        *whole = value->as.u;
        return true;
    }
    /* 2^64 is the first double that does not fit; NaN fails the first comparison */
    if (value->type != VALUE_FLOAT || !(value->as.f >= 0) || value->as.f >= 0x1p64 ||
        floor(value->as.f) < value->as.f)
        return false;
    *whole = (uint64_t)value->as.f;
    return true;
}

/*  The three forms of the specification: seconds in 4 bytes; 30 bits of nanoseconds and 34 of
 *  seconds in 8; nanoseconds in 4 and signed seconds in 8. */
static status_t timestamp(text_t payload, double *unix_s)
{
    const uint8_t *bytes = (const uint8_t *)payload.data;
    uint64_t nanoseconds = 0;
    int64_t seconds;
    if (payload.size == 4) {
        seconds = (int64_t)big_endian(bytes, 4);
    } else if (payload.size == 8) {
        nanoseconds = big_endian(bytes, 8) >> 34;
        seconds = (int64_t)(big_endian(bytes, 8) & ((UINT64_C(1) << 34) - 1));
    } else if (payload.size == 12) {
        nanoseconds = big_endian(bytes, 4);
        seconds = (int64_t)big_endian(bytes + 4, 8);
    } else {
        return STATUS_BAD_VALUE;
    }
    if (nanoseconds > 999999999)
        return STATUS_BAD_VALUE;
    *unix_s = (double)seconds + (double)nanoseconds / 1e9;
    return STATUS_OK;
}

status_t value_time(const value_t *value, double *unix_s)
{
    double number;
    if (value->type == VALUE_EXT && value->ext_type == -1)
        return timestamp(value->as.text, unix_s);
    if (!value_number(value, &number))
        return STATUS_WRONG_TYPE;
    if (!isfinite(number))
        return STATUS_BAD_VALUE;
    *unix_s = number;
    return STATUS_OK;
}

status_t value_duration(const value_t *value, double *seconds)
{
    if (value->type == VALUE_STR)
        return duration_parse(value->as.text, seconds) ? STATUS_OK : STATUS_BAD_VALUE;
    double number;
    if (!value_number(value, &number))
        return STATUS_WRONG_TYPE;
    if (!isfinite(number) || number < 0)
        return STATUS_BAD_VALUE;
    *seconds = number;
    return STATUS_OK;
}
