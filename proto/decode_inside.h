/*  decode_inside - what the decoders of metrics, requests and labels share: taking one thing from a
 *  frame that nobody has checked yet.
 *
 *  Owns     nothing
 *  Bounds   reads inside the frame only
 *  Refuses  by two ways that must not be mixed: a function answers false when the *frame* is broken
 *           (incomplete, too deep or too long; which of them is found out afterwards, by the whole
 *           frame), and blames the *event* in hand for everything else and goes on
 *
 *  `room` is how deep containers may nest in what stands at the cursor.
 */
#ifndef PROTO_DECODE_INSIDE_H
#define PROTO_DECODE_INSIDE_H

#include "proto/cursor.h"
#include "proto/decode.h"
#include "proto/event.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NOT_BLAMED STATUS_COUNT

typedef struct {
    cursor_t cursor;
    const limits_t *limits;
    status_t reason;  /* the first in order for which the event in hand is refused; or NOT_BLAMED */
    bool any_refused; /* `refused` is filled only from the first refusal on */
    uint64_t refused[STATUS_COUNT];
} frame_t;

/*  `refused` stays as it is: most frames have nothing to refuse. */
static inline void open_frame(frame_t *self, const limits_t *limits, const void *frame, size_t size)
{
    self->cursor = cursor_over(frame, size);
    self->limits = limits;
    self->reason = NOT_BLAMED;
    self->any_refused = false;
}

/*  The room at the top of a frame. */
static inline uint32_t whole_room(const limits_t *limits)
{
    return limits->depth < CURSOR_DEPTH_MAX ? limits->depth : CURSOR_DEPTH_MAX;
}

static inline void blame(frame_t *self, status_t reason)
{
    if (reason < self->reason)
        self->reason = reason;
}

/*  The event in hand is refused for `self->reason`: counted once the whole frame is known good. */
void refuse_event(frame_t *self);

/*  Finish a frame: count what was refused of it, or find out for what it is refused whole. */
status_t close_frame(const frame_t *self, bool whole, const void *frame, size_t size,
                     tally_t *tally);

/*  Step over one value of any kind. */
static inline bool skip(frame_t *self, uint32_t room)
{
    return cursor_walk(&self->cursor, room) == STATUS_OK;
}

/*  Step over a value that is not what a key asks for: nil is an absent value where the key is
 *  optional, everything else the wrong type. */
bool skip_wrong(frame_t *self, uint32_t room, bool optional);

/*  Read a value that should be a scalar; of a container everything is stepped over. */
bool read_scalar(frame_t *self, uint32_t room, value_t *value);

/* -- take what stands at the cursor if it is complete and of the type; else nothing moves -- */

static inline bool take_text(cursor_t *self, text_t *text)
{
    if (self->at < self->end && (*self->at & 0xe0) == 0xa0) {
        size_t size = *self->at & 0x1f;
        if (size >= cursor_left(self))
            return false;
        *text = (text_t){(const char *)self->at + 1, size};
        self->at += 1 + size;
        return true;
    }
    cursor_t ahead = *self;
    value_t value;
    if (!cursor_read(&ahead, &value) || value.type != VALUE_STR)
        return false;
    *text = value.as.text;
    *self = ahead;
    return true;
}

/*  Of a container only the head. */
static inline bool take_head_of(cursor_t *self, value_type_t type, uint32_t *count)
{
    cursor_t ahead = *self;
    value_t value;
    if (!cursor_read(&ahead, &value) || value.type != type)
        return false;
    *count = value.as.count;
    *self = ahead;
    return true;
}

static inline bool take_map(cursor_t *self, uint32_t *pairs)
{
    if (self->at < self->end && (*self->at & 0xf0) == 0x80) {
        *pairs = *self->at++ & 0x0f;
        return true;
    }
    return take_head_of(self, VALUE_MAP, pairs);
}

static inline bool take_array(cursor_t *self, uint32_t *count)
{
    return take_head_of(self, VALUE_ARRAY, count);
}

static inline bool take_number(cursor_t *self, double *number)
{
    if (cursor_left(self) >= 9 && *self->at == 0xcb) {
        uint64_t bits;
        memcpy(&bits, self->at + 1, sizeof bits);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        bits = __builtin_bswap64(bits);
#endif
        memcpy(number, &bits, sizeof *number);
        self->at += 9;
        return true;
    }
    cursor_t ahead = *self;
    value_t value;
    if (!cursor_read(&ahead, &value) || !value_number(&value, number))
        return false;
    *self = ahead;
    return true;
}

/*  Finite without a call: infinities and NaN are what has all bits of the exponent set. */
static inline bool is_finite(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return (bits >> 52 & 0x7ff) != 0x7ff;
}

/* -- texts -- */

/*  Eight bytes at once are printable ASCII when no byte has its high bit set (not ASCII), none gets
 *  it by subtracting 0x20 (a control) and none by adding 1 (DEL). The lowest byte that is wrong
 *  shows, whatever it borrows from the ones above. */
static inline bool word_is_plain(uint64_t word)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    return ((word | (word - each * 0x20) | (word + each)) & each * 0x80) == 0;
}

static inline uint64_t load8(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static inline uint64_t load4(const char *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/*  Fewer than eight bytes as a word, each at least once and spaces for the rest. */
static inline uint64_t load_short(text_t text)
{
    const char *bytes = text.data;
    size_t size = text.size;
    if (size >= 4)
        return load4(bytes) | load4(bytes + size - 4) << 32;
    if (size == 0)
        return UINT64_C(0x2020202020202020);
    return UINT64_C(0x2020202020000000) | (uint64_t)(uint8_t)bytes[0] |
           (uint64_t)(uint8_t)bytes[size / 2] << 8 | (uint64_t)(uint8_t)bytes[size - 1] << 16;
}

/*  What nearly every text is: printable ASCII. The last word overlaps the one before. */
static inline bool text_is_plain(text_t text)
{
    if (text.size < 8)
        return word_is_plain(load_short(text));
    for (size_t at = 0; at + 8 < text.size; at += 8) {
        if (!word_is_plain(load8(text.data + at)))
            return false;
    }
    return word_is_plain(load8(text.data + text.size - 8));
}

static inline void check_text(frame_t *self, text_t text, uint32_t limit, text_rule_t rule)
{
    if (!text_is_plain(text) && !text_is_clean(text, rule))
        blame(self, STATUS_BAD_TEXT);
    if (text.size > limit)
        blame(self, STATUS_TOO_LONG);
}

/*  A text that must be there and not be empty. */
static inline bool read_name(frame_t *self, uint32_t room, text_t *name)
{
    if (!take_text(&self->cursor, name))
        return skip_wrong(self, room, false);
    check_text(self, *name, self->limits->name_bytes, TEXT_LINE);
    if (name->size == 0)
        blame(self, STATUS_BAD_VALUE);
    return true;
}

/*  A text that may be absent; nil and the empty text are the same as that. */
static inline bool read_optional(frame_t *self, uint32_t room, uint32_t limit, text_t *text)
{
    if (!take_text(&self->cursor, text))
        return skip_wrong(self, room, true);
    check_text(self, *text, limit, TEXT_LINE);
    if (text->size == 0)
        *text = TEXT_NONE;
    return true;
}

bool read_time(frame_t *self, uint32_t room, double *unix_s);
bool read_labels(frame_t *self, uint32_t room, raw_labels_t *labels);

/*  Which of `count` words it is; `count` if none. */
static inline uint32_t find_word(const char *const *words, uint32_t count, text_t text)
{
    uint32_t i = 0;
    while (i < count && !text_is(text, words[i]))
        i++;
    return i;
}

/* -- keys and words -- */

/*  True when the text, known to be as long as the literal, is it: one or two compared words. */
#define KEY_IS(text, literal) (memcmp((text).data, literal, sizeof(literal) - 1) == 0)

static inline metric_kind_t kind_of(text_t text)
{
    if (text.size == 5 && KEY_IS(text, "gauge"))
        return METRIC_GAUGE;
    if (text.size == 7 && KEY_IS(text, "counter"))
        return METRIC_COUNTER;
    if (text.size == 9 && KEY_IS(text, "histogram"))
        return METRIC_HISTOGRAM;
    return METRIC_KIND_COUNT;
}

/*  A key of a map. What is no text is no known key: *key is then empty. */
static inline bool read_key(frame_t *self, uint32_t room, text_t *key)
{
    if (take_text(&self->cursor, key))
        return true;
    *key = TEXT_NONE;
    return skip(self, room);
}

#endif
