#include "proto/decode_inside.h"
#include "proto/labels.h"
#include "proto/must.h"

/*  The names so far: of more than LABELS_MAX only the first ones, the event is refused anyway. */
typedef struct {
    text_t names[LABELS_MAX];
    uint32_t count;
    uint32_t filled; /* pairs with a value that is not empty */
} names_t;

/*  Names that begin with two underscores are the broker's own; but the label that marks what went
 *  into a series of last resort comes back from outside when a sender forwards it. */
static bool is_reserved(text_t name)
{
    return name.size >= 2 && name.data[0] == '_' && name.data[1] == '_' &&
           !text_equal(name, TEXT_OF("__overflow__"));
}

static void check_name(frame_t *self, names_t *names, text_t name)
{
    check_text(self, name, self->limits->label_name_bytes, TEXT_LINE);
    if (name.size == 0 || is_reserved(name))
        blame(self, STATUS_BAD_VALUE);
    for (uint32_t i = 0; i < names->count; i++) {
        if (text_equal(names->names[i], name))
            blame(self, STATUS_DUPLICATE_KEY);
    }
    if (names->count < LABELS_MAX)
        names->names[names->count++] = name;
}

static bool read_pair(frame_t *self, uint32_t room, names_t *names)
{
    text_t name, value;
    if (take_text(&self->cursor, &name))
        check_name(self, names, name);
    else if (!skip_wrong(self, room, false))
        return false;
    if (!take_text(&self->cursor, &value))
        return skip_wrong(self, room, false);
    check_text(self, value, self->limits->label_value_bytes, TEXT_LINE);
    names->filled += value.size > 0;
    return true;
}

static bool read_pairs(frame_t *self, uint32_t room, uint32_t pairs, raw_labels_t *labels)
{
    const uint8_t *bytes = self->cursor.at;
    names_t names;
    names.count = names.filled = 0;
    for (uint32_t i = 0; i < pairs; i++) {
        if (!read_pair(self, room, &names))
            return false;
    }
    if (names.filled > self->limits->labels || pairs > LABELS_MAX)
        blame(self, STATUS_TOO_MANY_LABELS);
    if (pairs > 0)
        *labels = (raw_labels_t){bytes, (uint32_t)(self->cursor.at - bytes), pairs};
    return true;
}

bool read_labels(frame_t *self, uint32_t room, raw_labels_t *labels)
{
    uint32_t pairs;
    if (!take_map(&self->cursor, &pairs))
        return skip_wrong(self, room, true);
    return room > 0 && read_pairs(self, room - 1, pairs, labels);
}

status_t decode_labels(const limits_t *limits, cursor_t *cursor, uint32_t pairs,
                       raw_labels_t *labels)
{
    frame_t frame = {.cursor = *cursor, .limits = limits, .reason = NOT_BLAMED};
    raw_labels_t read = {NULL, 0, 0};
    must(read_pairs(&frame, CURSOR_DEPTH_MAX, pairs, &read));
    *cursor = frame.cursor;
    if (frame.reason != NOT_BLAMED)
        return frame.reason;
    *labels = read;
    return STATUS_OK;
}
