#include "proto/decode_inside.h"
#include "proto/decode_layout.h"
#include "proto/must.h"

#include <math.h>

typedef enum {
    KEY_NAME,
    KEY_KIND,
    KEY_VALUE,
    KEY_VALUES,
    KEY_LABELS,
    KEY_UNIT,
    KEY_TIME,
    KEY_SERIES, /* with the next: a compact frame */
    KEY_SAMPLES,
    KEY_UNKNOWN
} metric_key_t;

#define BIT(key) (1u << (key))

/* What a key means depends on where the map stands. */
#define KEYS_OF_SERIES (BIT(KEY_NAME) | BIT(KEY_KIND) | BIT(KEY_LABELS) | BIT(KEY_UNIT))
#define KEYS_OF_EVENT (KEYS_OF_SERIES | BIT(KEY_VALUE) | BIT(KEY_VALUES) | BIT(KEY_TIME))
#define KEYS_OF_COMPACT (BIT(KEY_SERIES) | BIT(KEY_SAMPLES))

/*  What was found out about a map while its pairs went by. */
typedef struct {
    uint32_t known; /* the keys that mean something here */
    uint32_t seen;
    uint32_t twice;
    uint32_t given; /* of value and values: seen, and not nil */
    cursor_t series, samples;
} metric_map_t;

static inline metric_key_t key_of(text_t text)
{
    switch (text.size) {
    case 4:
        return KEY_IS(text, "name")   ? KEY_NAME
               : KEY_IS(text, "kind") ? KEY_KIND
               : KEY_IS(text, "unit") ? KEY_UNIT
               : KEY_IS(text, "time") ? KEY_TIME
                                      : KEY_UNKNOWN;
    case 5:
        return KEY_IS(text, "value") ? KEY_VALUE : KEY_UNKNOWN;
    case 6:
        return KEY_IS(text, "labels")   ? KEY_LABELS
               : KEY_IS(text, "values") ? KEY_VALUES
               : KEY_IS(text, "series") ? KEY_SERIES
                                        : KEY_UNKNOWN;
    case 7:
        return KEY_IS(text, "samples") ? KEY_SAMPLES : KEY_UNKNOWN;
    default:
        return KEY_UNKNOWN;
    }
}

/*  Names that only the broker gives to series. */
static inline bool is_reserved(text_t name)
{
    return (name.size >= 7 && memcmp(name.data, "tocsin_", 7) == 0) ||
           (name.size == 6 && memcmp(name.data, "ALERTS", 6) == 0);
}

static inline bool read_metric_name(frame_t *self, uint32_t room, text_t *name)
{
    if (!read_name(self, room, name))
        return false;
    if (is_reserved(*name))
        blame(self, STATUS_BAD_VALUE);
    return true;
}

static void blame_kind(frame_t *self, text_t text)
{
    if (text.size == 0)
        blame(self, STATUS_BAD_VALUE);
    else
        blame(self, text_is_clean(text, TEXT_LINE) ? STATUS_UNKNOWN_KIND : STATUS_BAD_TEXT);
}

static inline bool read_kind(frame_t *self, uint32_t room, metric_kind_t *kind)
{
    text_t text;
    if (!take_text(&self->cursor, &text))
        return skip_wrong(self, room, false);
    *kind = kind_of(text);
    if (*kind == METRIC_KIND_COUNT)
        blame_kind(self, text);
    return true;
}

/*  Beyond 2^53 not every whole number is a double; only the encodings of 64 bits reach so far. */
static inline int16_t rest_of(const uint8_t *at)
{
    if (*at != 0xcf && *at != 0xd3)
        return 0;
    cursor_t cursor = {at, at + 9};
    value_t value;
    if (!cursor_read(&cursor, &value) || value.type != VALUE_UINT)
        return 0;
    double nearest = (double)value.as.u;
    uint64_t whole = nearest < 0x1p64 ? (uint64_t)nearest : 0;
    return (int16_t)(int64_t)(value.as.u - whole);
}

/*  Whether nil is right depends on `values`: see judge_values. */
static inline bool read_value(frame_t *self, uint32_t room, metric_map_t *map,
                              metric_event_t *event)
{
    const uint8_t *at = self->cursor.at;
    double *value = &event->value;
    if (take_number(&self->cursor, value)) {
        event->rest = rest_of(at);
        map->given |= BIT(KEY_VALUE);
        if (!is_finite(*value))
            blame(self, STATUS_BAD_VALUE);
        return true;
    }
    if (cursor_left(&self->cursor) > 0 && *self->cursor.at != 0xc0)
        map->given |= BIT(KEY_VALUE);
    return skip_wrong(self, room, true);
}

static bool read_observations(frame_t *self, uint32_t room, uint32_t count)
{
    for (; count > 0; count--) {
        double number;
        if (!take_number(&self->cursor, &number)) {
            if (!skip_wrong(self, room, false))
                return false;
        } else if (!is_finite(number)) {
            blame(self, STATUS_BAD_VALUE);
        }
    }
    return true;
}

static bool read_values(frame_t *self, uint32_t room, metric_map_t *map, metric_event_t *event)
{
    uint32_t count;
    if (cursor_left(&self->cursor) > 0 && *self->cursor.at != 0xc0)
        map->given |= BIT(KEY_VALUES);
    if (!take_array(&self->cursor, &count))
        return skip_wrong(self, room, true);
    if (count == 0)
        blame(self, STATUS_BAD_VALUE);
    event->values = self->cursor.at;
    event->value_count = count;
    event->value = (double)NAN;
    return room > 0 && read_observations(self, room - 1, count);
}

/*  Steps over the value and remembers where it stands. */
static bool read_later(frame_t *self, uint32_t room, cursor_t *place)
{
    *place = self->cursor;
    return skip(self, room);
}

static inline bool read_field(frame_t *self, uint32_t room, metric_key_t key, metric_map_t *map,
                              metric_event_t *event)
{
    switch (key) {
    case KEY_NAME:
        return read_metric_name(self, room, &event->name);
    case KEY_KIND:
        return read_kind(self, room, &event->kind);
    case KEY_VALUE:
        return read_value(self, room, map, event);
    case KEY_VALUES:
        return read_values(self, room, map, event);
    case KEY_LABELS:
        return read_labels(self, room, &event->labels);
    case KEY_UNIT:
        return read_optional(self, room, self->limits->title_bytes, &event->unit);
    case KEY_TIME:
        return read_time(self, room, &event->time_s);
    case KEY_SERIES:
        return read_later(self, room, &map->series);
    case KEY_SAMPLES:
        return read_later(self, room, &map->samples);
    case KEY_UNKNOWN:
        break;
    }
    return skip(self, room);
}

static bool read_pairs(frame_t *self, uint32_t room, uint32_t pairs, metric_map_t *map,
                       metric_event_t *event)
{
    map->seen = map->twice = map->given = 0;
    *event = (metric_event_t){
        .kind = METRIC_KIND_COUNT, .value_count = 1, .time_s = (double)NAN, .value = (double)NAN};
    for (; pairs > 0; pairs--) {
        text_t text;
        if (!read_key(self, room, &text))
            return false;
        metric_key_t key = key_of(text);
        uint32_t bit = BIT(key) & map->known;
        map->twice |= map->seen & bit;
        if (bit == 0 || (map->seen & bit) != 0)
            key = KEY_UNKNOWN;
        map->seen |= bit;
        if (!read_field(self, room, key, map, event))
            return false;
    }
    return true;
}

/*  What is wrong with a map of name, kind, labels and unit as a whole. */
static inline void judge_series(frame_t *self, const metric_map_t *map)
{
    if (map->twice & ~KEYS_OF_COMPACT)
        blame(self, STATUS_DUPLICATE_KEY);
    if (~map->seen & (BIT(KEY_NAME) | BIT(KEY_KIND)))
        blame(self, STATUS_MISSING_FIELD);
}

static inline bool is_bad_value(double value, metric_kind_t kind)
{
    return !is_finite(value) || (kind == METRIC_COUNTER && value < 0);
}

/*  One of `value` and `values`, and not several increments of a counter. */
static inline void judge_values(frame_t *self, const metric_map_t *map, const metric_event_t *event)
{
    bool value = map->given & BIT(KEY_VALUE), values = map->given & BIT(KEY_VALUES);
    if (!value && !values)
        blame(self, map->seen & BIT(KEY_VALUE) ? STATUS_WRONG_TYPE : STATUS_MISSING_FIELD);
    if (values && (value || event->kind == METRIC_COUNTER))
        blame(self, STATUS_BAD_VALUE);
    if (event->kind == METRIC_COUNTER && event->value < 0)
        blame(self, STATUS_BAD_VALUE);
}

/*  The event in hand, behind the others, is kept or refused. */
static inline void keep(frame_t *self, metric_batch_t *batch)
{
    if (self->reason == NOT_BLAMED)
        batch->count++;
    else
        refuse_event(self);
}

static bool refuse_other(frame_t *self, uint32_t room)
{
    self->reason = STATUS_NOT_A_MAP;
    refuse_event(self);
    return skip(self, room);
}

/*  The usual event, read by what it has in common with one before it. Its containers nest two deep.
 */
static inline bool read_known_layout(frame_t *self, uint32_t room, metric_batch_t *batch)
{
    if (room < 2 || !layout_read(batch->layouts, &self->cursor, &batch->events[batch->count]))
        return false;
    batch->count++;
    return true;
}

/*  The event in hand, which began at `from`, is kept or refused. */
static void keep_event(frame_t *self, const uint8_t *from, metric_batch_t *batch)
{
    if (self->reason == NOT_BLAMED)
        layout_learn(batch->layouts, from, self->cursor.at);
    keep(self, batch);
}

static bool read_event(frame_t *self, uint32_t room, metric_batch_t *batch)
{
    uint32_t pairs;
    const uint8_t *from = self->cursor.at;
    if (read_known_layout(self, room, batch))
        return true;
    if (!take_map(&self->cursor, &pairs))
        return refuse_other(self, room);
    metric_event_t *event = &batch->events[batch->count];
    metric_map_t map;
    map.known = KEYS_OF_EVENT;
    self->reason = NOT_BLAMED;
    if (room == 0 || !read_pairs(self, room - 1, pairs, &map, event))
        return false;
    judge_series(self, &map);
    judge_values(self, &map, event);
    keep_event(self, from, batch);
    return true;
}

/* -- the compact frame -- */

/*  One entry of `series`: the event that each pair which names it begins with. */
static bool read_series_entry(frame_t *self, uint32_t room, metric_event_t *event)
{
    uint32_t pairs;
    metric_map_t map;
    map.known = KEYS_OF_SERIES;
    self->reason = NOT_BLAMED;
    if (!take_map(&self->cursor, &pairs)) {
        self->reason = STATUS_NOT_A_MAP;
        return skip(self, room);
    }
    if (room == 0 || !read_pairs(self, room - 1, pairs, &map, event))
        return false;
    judge_series(self, &map);
    return true;
}

static bool read_series(frame_t *self, uint32_t room, uint32_t count, metric_batch_t *batch)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!read_series_entry(self, room, &batch->series[i]))
            return false;
        batch->series_reasons[i] = self->reason;
    }
    return true;
}

/*  The index of a pair, when it is not the usual small one; `count` when there is no such entry. */
static bool read_other_index(frame_t *self, uint32_t room, uint32_t count, uint32_t *index)
{
    value_t value;
    double number;
    uint64_t whole;
    *index = count;
    if (!read_scalar(self, room, &value))
        return false;
    if (!value_number(&value, &number))
        blame(self, STATUS_WRONG_TYPE);
    else if (!value_whole(&value, &whole) || whole >= count)
        blame(self, STATUS_BAD_VALUE);
    else
        *index = (uint32_t)whole;
    return true;
}

static inline bool read_index(frame_t *self, uint32_t room, uint32_t count, uint32_t *index)
{
    const uint8_t *at = self->cursor.at;
    size_t left = cursor_left(&self->cursor);
    if (left >= 1 && at[0] < 0x80 && at[0] < count) {
        *index = at[0];
        self->cursor.at += 1;
        return true;
    }
    if (left >= 2 && at[0] == 0xcc && at[1] < count) {
        *index = at[1];
        self->cursor.at += 2;
        return true;
    }
    if (left >= 3 && at[0] == 0xcd && (uint32_t)(at[1] << 8 | at[2]) < count) {
        *index = (uint32_t)(at[1] << 8 | at[2]);
        self->cursor.at += 3;
        return true;
    }
    return read_other_index(self, room, count, index);
}

static inline bool read_sample(frame_t *self, uint32_t room, uint32_t count, metric_batch_t *batch)
{
    uint32_t index;
    double value = 0;
    self->reason = NOT_BLAMED;
    if (!read_index(self, room, count, &index))
        return false;
    const uint8_t *at = self->cursor.at;
    if (!take_number(&self->cursor, &value) && !skip_wrong(self, room, false))
        return false;
    metric_kind_t kind = METRIC_KIND_COUNT;
    if (index < count) {
        blame(self, batch->series_reasons[index]);
        kind = batch->series[index].kind;
    }
    if (is_bad_value(value, kind))
        blame(self, STATUS_BAD_VALUE);
    if (self->reason == NOT_BLAMED) {
        metric_event_t *event = &batch->events[batch->count];
        *event = batch->series[index];
        event->value = value;
        event->rest = rest_of(at);
        event->entry = index + 1;
    }
    keep(self, batch);
    return true;
}

/*  An index without a value. */
static bool read_odd_sample(frame_t *self, uint32_t room)
{
    self->reason = STATUS_MISSING_FIELD;
    refuse_event(self);
    return skip(self, room);
}

static bool read_samples(frame_t *self, uint32_t room, uint32_t samples, uint32_t count,
                         metric_batch_t *batch)
{
    for (; samples >= 2; samples -= 2) {
        if (!read_sample(self, room, count, batch))
            return false;
    }
    return samples == 0 || read_odd_sample(self, room);
}

/*  Both parts were stepped over and so are complete and not too deep; now they are read, the series
 *  before the samples in whatever order they stand. `room` is that of what is in them. */
static bool read_compact(frame_t *self, uint32_t room, const metric_map_t *map,
                         metric_batch_t *batch)
{
    cursor_t behind = self->cursor, series = map->series, samples = map->samples;
    uint32_t series_count = 0, samples_count = 0;
    self->reason = NOT_BLAMED;
    if (map->twice & KEYS_OF_COMPACT)
        blame(self, STATUS_DUPLICATE_KEY);
    if (!take_array(&series, &series_count))
        blame(self, STATUS_WRONG_TYPE);
    if (!take_array(&samples, &samples_count))
        blame(self, STATUS_WRONG_TYPE);
    uint32_t limit = self->limits->batch;
    if (series_count > limit || samples_count / 2 + samples_count % 2 > limit)
        return false;
    if (self->reason != NOT_BLAMED) {
        refuse_event(self);
        return true;
    }
    self->cursor = series;
    if (!read_series(self, room, series_count, batch))
        return false;
    self->cursor = samples;
    if (!read_samples(self, room, samples_count, series_count, batch))
        return false;
    self->cursor = behind;
    return true;
}

/* -- the frame -- */

/*  A map that is the whole frame: one event, or compact. */
static bool read_lone_map(frame_t *self, uint32_t room, uint32_t pairs, const uint8_t *from,
                          metric_batch_t *batch)
{
    metric_event_t *event = &batch->events[batch->count];
    metric_map_t map;
    map.known = KEYS_OF_EVENT | KEYS_OF_COMPACT;
    self->reason = NOT_BLAMED;
    if (room == 0 || !read_pairs(self, room - 1, pairs, &map, event))
        return false;
    if ((map.seen & KEYS_OF_COMPACT) == KEYS_OF_COMPACT)
        return read_compact(self, room < 2 ? 0 : room - 2, &map, batch);
    judge_series(self, &map);
    judge_values(self, &map, event);
    keep_event(self, from, batch);
    return true;
}

static bool read_batch(frame_t *self, uint32_t room, uint32_t count, metric_batch_t *batch)
{
    if (room == 0 || count > self->limits->batch)
        return false;
    for (; count > 0; count--) {
        if (!read_event(self, room - 1, batch))
            return false;
    }
    return true;
}

static bool read_frame(frame_t *self, metric_batch_t *batch)
{
    uint32_t count, room = whole_room(self->limits);
    const uint8_t *from = self->cursor.at;
    if (read_known_layout(self, room, batch))
        return true;
    if (take_map(&self->cursor, &count))
        return read_lone_map(self, room, count, from, batch);
    if (take_array(&self->cursor, &count))
        return read_batch(self, room, count, batch);
    return refuse_other(self, room);
}

status_t decode_metrics(const limits_t *limits, const void *frame, size_t size,
                        metric_batch_t *batch, tally_t *tally)
{
    must(batch->count <= BATCH_SLACK && limits->batch <= batch->capacity - BATCH_SLACK);
    size_t before = batch->count;
    frame_t self;
    open_frame(&self, limits, frame, size);
    layouts_obey(batch->layouts, limits);
    bool whole =
        size <= limits->frame_bytes && read_frame(&self, batch) && cursor_left(&self.cursor) == 0;
    if (!whole)
        batch->count = before;
    return close_frame(&self, whole, frame, size, tally);
}
