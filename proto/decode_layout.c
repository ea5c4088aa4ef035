#include "proto/decode_layout.h"

#include "proto/decode_inside.h"

#include <math.h>

/* So many bytes at the start of an event choose where its layout is looked for. */
#define HEAD 32u

/* An event whose layout changes all the time is learned seldom: one miss in so many. */
#define LEARN_EVERY 16u

/*  Which layout an event may have, by its first bytes: they hold its name, as most senders put it
 *  first. */
static inline uint32_t slot_of(const uint8_t *at)
{
    const char *bytes = (const char *)at;
    uint64_t mixed =
        load8(bytes) ^ (load8(bytes + 8) * 3) ^ (load8(bytes + 16) * 5) ^ (load8(bytes + 24) * 7);
    return (uint32_t)((mixed * UINT64_C(0x9e3779b97f4a7c15)) >> 60) % LAYOUTS;
}

void layouts_obey(layouts_t *self, const limits_t *limits)
{
    if (memcmp(&self->limits, limits, sizeof *limits) == 0)
        return;
    memset(self, 0, sizeof *self);
    self->limits = *limits;
}

/* -- reading -- */

/*  Fewer than eight bytes; the loads overlap. */
static inline bool same_short(const char *one, const char *other, size_t size)
{
    if (size >= 4)
        return load4(one) == load4(other) && load4(one + size - 4) == load4(other + size - 4);
    return size == 0 || (one[0] == other[0] && one[size / 2] == other[size / 2] &&
                         one[size - 1] == other[size - 1]);
}

static inline bool same(const uint8_t *a, const uint8_t *b, size_t size)
{
    const char *one = (const char *)a, *other = (const char *)b;
    if (size < 8)
        return same_short(one, other, size);
    size_t at = 0;
    for (; at + 16 < size; at += 16)
        if ((load8(one + at) ^ load8(other + at)) | (load8(one + at + 8) ^ load8(other + at + 8)))
            return false;
    if (at + 8 < size && load8(one + at) != load8(other + at))
        return false;
    return load8(one + size - 8) == load8(other + size - 8);
}

/*  A text of less than eight bytes with as many behind it in the frame: one load, and spaces where
 *  the text has ended. */
static inline bool is_plain(text_t text, const cursor_t *behind)
{
    if (text.size >= 8 || cursor_left(behind) < 8)
        return text_is_plain(text);
    uint64_t beyond = UINT64_MAX << 8 * text.size;
    return word_is_plain((load8(text.data) & ~beyond) | (UINT64_C(0x2020202020202020) & beyond));
}

/*  A whole number of 64 bits may be one that no double holds: the long way knows what to do. */
static inline bool is_long_whole(const cursor_t *cursor)
{
    return cursor_left(cursor) > 0 && (*cursor->at == 0xcf || *cursor->at == 0xd3);
}

/*  A value that may change: checked as the long way checks it, and left to it if anything is odd.
 */
static inline bool read_part(layout_part_type_t type, const limits_t *limits, cursor_t *cursor,
                             metric_event_t *event)
{
    text_t text;
    switch (type) {
    case PART_VALUE:
        return !is_long_whole(cursor) && take_number(cursor, &event->value) &&
               is_finite(event->value) && (event->kind != METRIC_COUNTER || event->value >= 0);
    case PART_TIME:
        return take_number(cursor, &event->time_s) && is_finite(event->time_s);
    case PART_LABEL:
        return take_text(cursor, &text) && is_plain(text, cursor) &&
               text.size <= limits->label_value_bytes;
    case PART_END:
        break;
    }
    return true;
}

static inline const char *find_place(const uint8_t *const *starts, layout_place_t place)
{
    return (const char *)starts[place.part] + place.offset;
}

/*  Texts are looks into the frame, as the long way gives them. */
static inline void fill_event(const layout_t *self, const uint8_t *const *starts,
                              metric_event_t *event)
{
    event->name = (text_t){find_place(starts, self->name), self->name_size};
    event->unit = TEXT_NONE;
    if (self->unit_size > 0)
        event->unit = (text_t){find_place(starts, self->unit), self->unit_size};
    event->labels = (raw_labels_t){NULL, 0, 0};
    if (self->label_count > 0) {
        const uint8_t *from = (const uint8_t *)find_place(starts, self->labels);
        event->labels =
            (raw_labels_t){from, (uint32_t)(starts[self->labels_end] - from), self->label_count};
    }
    event->values = NULL;
    event->value_count = 1;
    event->rest = 0;
    event->entry = 0;
}

bool layout_read(const layouts_t *self, cursor_t *cursor, metric_event_t *event)
{
    if (cursor_left(cursor) < HEAD)
        return false;
    const layout_t *layout = &self->layouts[slot_of(cursor->at)];
    const uint8_t *starts[LAYOUT_PARTS], *constant = layout->bytes;
    cursor_t ahead = *cursor;
    event->kind = layout->kind;
    event->time_s = (double)NAN;
    for (size_t i = 0; i < layout->part_count; i++) {
        layout_part_t part = layout->parts[i];
        starts[i] = ahead.at;
        if (cursor_left(&ahead) < part.size || !same(ahead.at, constant, part.size))
            return false;
        ahead.at += part.size;
        constant += part.size;
        if (!read_part(part.type, &self->limits, &ahead, event))
            return false;
    }
    if (layout->part_count == 0)
        return false;
    fill_event(layout, starts, event);
    *cursor = ahead;
    return true;
}

/* -- learning: the event is known to be good, so nothing of its form is checked again -- */

typedef struct {
    layout_t layout;
    cursor_t cursor;
    const uint8_t *from; /* where the constant bytes of the part in hand begin */
    size_t size;         /* of all constant bytes so far */
} learner_t;

static bool add_constant(learner_t *self, layout_part_type_t type)
{
    size_t size = (size_t)(self->cursor.at - self->from);
    if (self->size + size > LAYOUT_BYTES || self->layout.part_count == LAYOUT_PARTS)
        return false;
    memcpy(self->layout.bytes + self->size, self->from, size);
    self->size += size;
    self->layout.parts[self->layout.part_count++] = (layout_part_t){(uint8_t)size, (uint8_t)type};
    return true;
}

/*  The value at the cursor is a part of its own. */
static bool add_part(learner_t *self, layout_part_type_t type)
{
    if (!add_constant(self, type) || !cursor_skip(&self->cursor))
        return false;
    self->from = self->cursor.at;
    return true;
}

static layout_place_t place_of(const learner_t *self, const void *at)
{
    return (layout_place_t){self->layout.part_count, (uint8_t)((const uint8_t *)at - self->from)};
}

static bool learn_text(learner_t *self, layout_place_t *place, uint8_t *size)
{
    text_t text;
    if (!take_text(&self->cursor, &text) || text.size > UINT8_MAX ||
        (size_t)(self->cursor.at - self->from) > UINT8_MAX)
        return false;
    *place = place_of(self, text.data);
    *size = (uint8_t)text.size;
    return true;
}

static bool learn_labels(learner_t *self)
{
    uint32_t pairs = 0;
    text_t name;
    if (!take_map(&self->cursor, &pairs) || pairs >= LAYOUT_PARTS)
        return false;
    self->layout.labels = place_of(self, self->cursor.at);
    self->layout.label_count = (uint8_t)pairs;
    for (; pairs > 0; pairs--)
        if (!take_text(&self->cursor, &name) || !add_part(self, PART_LABEL))
            return false;
    self->layout.labels_end = self->layout.part_count;
    return true;
}

static bool learn_kind(learner_t *self)
{
    text_t text;
    if (!take_text(&self->cursor, &text))
        return false;
    self->layout.kind = (uint8_t)kind_of(text);
    return true;
}

static bool learn_pair(learner_t *self)
{
    text_t key;
    if (!take_text(&self->cursor, &key))
        return false;
    if (text_is(key, "name"))
        return learn_text(self, &self->layout.name, &self->layout.name_size);
    if (text_is(key, "unit"))
        return learn_text(self, &self->layout.unit, &self->layout.unit_size);
    if (text_is(key, "kind"))
        return learn_kind(self);
    if (text_is(key, "value"))
        return add_part(self, PART_VALUE);
    if (text_is(key, "time"))
        return add_part(self, PART_TIME);
    if (text_is(key, "labels"))
        return learn_labels(self);
    return false; /* several values, or a key that means nothing: seldom */
}

static bool learn_event(learner_t *self)
{
    uint32_t pairs;
    if (!take_map(&self->cursor, &pairs))
        return false;
    for (; pairs > 0; pairs--)
        if (!learn_pair(self))
            return false;
    return add_constant(self, PART_END);
}

void layout_learn(layouts_t *self, const uint8_t *from, const uint8_t *end)
{
    if ((size_t)(end - from) < HEAD)
        return;
    layout_t *place = &self->layouts[slot_of(from)];
    if (self->misses++ % LEARN_EVERY != 0 && place->part_count > 0)
        return;
    learner_t learner = {.cursor = cursor_over(from, (size_t)(end - from)), .from = from};
    if (learn_event(&learner) && learner.layout.label_count <= self->limits.labels)
        *place = learner.layout;
}
