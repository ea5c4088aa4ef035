/*  decode_layout - reads an event that looks like one before it: the same keys in the same order,
 *  the same name, kind and label names; only the value, the time and the label values are new.
 *
 *  A sender's events are made by one line of code each, so nearly every event is such a one. What
 *  was constant in an event that had passed every check needs to be compared, not checked again;
 *  what is new is checked as ever. An event that does not match is read the long way.
 *
 *  Measured by tests/bench/bench_engines metrics_collection: 1,152 instructions an event without
 *  it.
 *
 *  Owns     copies of the constant bytes
 *  Bounds   LAYOUTS of them, LAYOUT_BYTES and LAYOUT_PARTS each; an event that needs more is read
 *           the long way
 *  Thread   whoever owns the batch
 *  Refuses  nothing: it answers false, nothing has moved, and the long way finds the reason
 */
#ifndef PROTO_DECODE_LAYOUT_H
#define PROTO_DECODE_LAYOUT_H

#include "proto/cursor.h"
#include "proto/event.h"

#include <stdbool.h>
#include <stdint.h>

#define LAYOUTS 16u
#define LAYOUT_BYTES 192u
#define LAYOUT_PARTS 12u

/*  What follows a run of constant bytes. */
typedef enum { PART_VALUE, PART_TIME, PART_LABEL, PART_END } layout_part_type_t;

typedef struct {
    uint8_t size; /* of the constant bytes before it */
    uint8_t type;
} layout_part_t;

/*  A place in the constant bytes: of which part, and how far in. */
typedef struct {
    uint8_t part, offset;
} layout_place_t;

typedef struct {
    uint8_t bytes[LAYOUT_BYTES];
    layout_part_t parts[LAYOUT_PARTS]; /* the last is PART_END; none: nothing was learned */
    uint8_t part_count;
    uint8_t kind; /* metric_kind_t */
    layout_place_t name, unit, labels;
    uint8_t name_size, unit_size; /* no unit: 0 */
    uint8_t label_count;
    uint8_t labels_end; /* the part before which the last label value ended */
} layout_t;

typedef struct layouts {
    limits_t limits; /* under which they were learned */
    layout_t layouts[LAYOUTS];
    uint32_t misses;
} layouts_t;

/*  What was learned under other limits is forgotten. */
void layouts_obey(layouts_t *self, const limits_t *limits);

/*  Read the event at the cursor into `event`. False: nothing has moved, and what is in `event`
 *  means nothing. */
bool layout_read(const layouts_t *self, cursor_t *cursor, metric_event_t *event);

/*  The event in these bytes was read the long way and found good: remember how it is laid out. */
void layout_learn(layouts_t *self, const uint8_t *from, const uint8_t *end);

#endif
