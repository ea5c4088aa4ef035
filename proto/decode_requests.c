#include "proto/decode_inside.h"
#include "proto/must.h"

#include <math.h>

typedef enum {
    KEY_OPERATION,
    KEY_DURATION,
    KEY_ERROR,
    KEY_DEPENDENCY,
    KEY_MESSAGE,
    KEY_LABELS,
    KEY_ATTEMPT,
    KEY_BREAKER,
    KEY_TIME,
    KEY_UNKNOWN
} request_key_t;

#define BIT(key) (1u << (key))

static inline request_key_t key_of(text_t text)
{
    switch (text.size) {
    case 4:
        return KEY_IS(text, "time") ? KEY_TIME : KEY_UNKNOWN;
    case 5:
        return KEY_IS(text, "error") ? KEY_ERROR : KEY_UNKNOWN;
    case 6:
        return KEY_IS(text, "labels") ? KEY_LABELS : KEY_UNKNOWN;
    case 7:
        return KEY_IS(text, "attempt")   ? KEY_ATTEMPT
               : KEY_IS(text, "breaker") ? KEY_BREAKER
               : KEY_IS(text, "message") ? KEY_MESSAGE
                                         : KEY_UNKNOWN;
    case 8:
        return KEY_IS(text, "duration") ? KEY_DURATION : KEY_UNKNOWN;
    case 9:
        return KEY_IS(text, "operation") ? KEY_OPERATION : KEY_UNKNOWN;
    case 10:
        return KEY_IS(text, "dependency") ? KEY_DEPENDENCY : KEY_UNKNOWN;
    default:
        return KEY_UNKNOWN;
    }
}

/*  A duration that is no number: text, or wrong. */
static bool read_written_duration(frame_t *self, uint32_t room, double *seconds)
{
    text_t text;
    if (!take_text(&self->cursor, &text))
        return skip_wrong(self, room, false);
    if (!text_is_clean(text, TEXT_LINE))
        blame(self, STATUS_BAD_TEXT);
    else if (!duration_parse(text, seconds))
        blame(self, STATUS_BAD_VALUE);
    return true;
}

static inline bool read_duration(frame_t *self, uint32_t room, double *seconds)
{
    if (!take_number(&self->cursor, seconds))
        return read_written_duration(self, room, seconds);
    if (!is_finite(*seconds) || *seconds < 0)
        blame(self, STATUS_BAD_VALUE);
    return true;
}

static bool read_error(frame_t *self, uint32_t room, bool *error)
{
    value_t value;
    if (!read_scalar(self, room, &value))
        return false;
    if (value.type == VALUE_BOOL)
        *error = value.as.boolean;
    else if (value.type != VALUE_NIL)
        blame(self, STATUS_WRONG_TYPE);
    return true;
}

/*  An error may have an empty message; that is not the same as none. */
static bool read_message(frame_t *self, uint32_t room, text_t *message)
{
    if (!take_text(&self->cursor, message))
        return skip_wrong(self, room, true);
    check_text(self, *message, self->limits->text_bytes, TEXT_FREE);
    return true;
}

static bool read_attempt(frame_t *self, uint32_t room, uint64_t *attempt)
{
    value_t value;
    double number;
    if (!read_scalar(self, room, &value))
        return false;
    if (value.type == VALUE_NIL)
        return true;
    if (!value_number(&value, &number))
        blame(self, STATUS_WRONG_TYPE);
    else if (!value_whole(&value, attempt) || *attempt == 0)
        blame(self, STATUS_BAD_VALUE);
    return true;
}

static bool read_breaker(frame_t *self, uint32_t room, breaker_t *breaker)
{
    static const char *const words[BREAKER_COUNT - 1] = {"closed", "half_open", "open"};
    text_t text;
    if (!take_text(&self->cursor, &text))
        return skip_wrong(self, room, true);
    uint32_t word = find_word(words, BREAKER_COUNT - 1, text);
    if (word < BREAKER_COUNT - 1)
        *breaker = (breaker_t)(BREAKER_CLOSED + word);
    else
        blame(self, text_is_clean(text, TEXT_LINE) ? STATUS_BAD_VALUE : STATUS_BAD_TEXT);
    return true;
}

static inline bool read_field(frame_t *self, uint32_t room, request_key_t key,
                              request_event_t *event)
{
    switch (key) {
    case KEY_OPERATION:
        return read_name(self, room, &event->operation);
    case KEY_DURATION:
        return read_duration(self, room, &event->duration_s);
    case KEY_ERROR:
        return read_error(self, room, &event->error);
    case KEY_DEPENDENCY:
        return read_optional(self, room, self->limits->name_bytes, &event->dependency);
    case KEY_MESSAGE:
        return read_message(self, room, &event->message);
    case KEY_LABELS:
        return read_labels(self, room, &event->labels);
    case KEY_ATTEMPT:
        return read_attempt(self, room, &event->attempt);
    case KEY_BREAKER:
        return read_breaker(self, room, &event->breaker);
    case KEY_TIME:
        return read_time(self, room, &event->time_s);
    case KEY_UNKNOWN:
        break;
    }
    return skip(self, room);
}

static bool read_pairs(frame_t *self, uint32_t room, uint32_t pairs, request_event_t *event)
{
    uint32_t seen = 0;
    *event = (request_event_t){.time_s = (double)NAN, .attempt = 1};
    for (; pairs > 0; pairs--) {
        text_t text;
        if (!read_key(self, room, &text))
            return false;
        request_key_t key = key_of(text);
        if (seen & BIT(key) & ~BIT(KEY_UNKNOWN)) {
            blame(self, STATUS_DUPLICATE_KEY);
            key = KEY_UNKNOWN;
        }
        seen |= BIT(key);
        if (!read_field(self, room, key, event))
            return false;
    }
    if (~seen & (BIT(KEY_OPERATION) | BIT(KEY_DURATION)))
        blame(self, STATUS_MISSING_FIELD);
    return true;
}

/*  One event at the cursor: kept behind the others, or refused. */
static bool read_event(frame_t *self, uint32_t room, request_batch_t *batch)
{
    uint32_t pairs;
    self->reason = NOT_BLAMED;
    if (take_map(&self->cursor, &pairs)) {
        if (room == 0 || !read_pairs(self, room - 1, pairs, &batch->events[batch->count]))
            return false;
    } else {
        blame(self, STATUS_NOT_A_MAP);
        if (!skip(self, room))
            return false;
    }
    if (self->reason == NOT_BLAMED)
        batch->count++;
    else
        refuse_event(self);
    return true;
}

static bool read_frame(frame_t *self, request_batch_t *batch)
{
    uint32_t count;
    uint32_t room = whole_room(self->limits);
    if (!take_array(&self->cursor, &count))
        return read_event(self, room, batch);
    if (room == 0 || count > self->limits->batch)
        return false;
    while (count-- > 0) {
        if (!read_event(self, room - 1, batch))
            return false;
    }
    return true;
}

status_t decode_requests(const limits_t *limits, const void *frame, size_t size,
                         request_batch_t *batch, tally_t *tally)
{
    must(batch->count <= BATCH_SLACK && limits->batch <= batch->capacity - BATCH_SLACK);
    size_t before = batch->count;
    frame_t self;
    open_frame(&self, limits, frame, size);
    bool whole =
        size <= limits->frame_bytes && read_frame(&self, batch) && cursor_left(&self.cursor) == 0;
    if (!whole)
        batch->count = before;
    return close_frame(&self, whole, frame, size, tally);
}
