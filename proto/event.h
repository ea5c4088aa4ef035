/*  event - what a service tells the broker, decoded: plain structs that point into the frame.
 *
 *  Owns     nothing: texts, labels and values are looks into the frame, valid as long as it is
 *  Bounds   every field was checked against limits_t by decode; these structs hold no unchecked
 * text
 */
#ifndef PROTO_EVENT_H
#define PROTO_EVENT_H

#include "proto/status.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    METRIC_COUNTER,   /* the value is an increment, >= 0 */
    METRIC_GAUGE,     /* the value replaces the last one */
    METRIC_HISTOGRAM, /* the value is one observation */
    METRIC_KIND_COUNT
} metric_kind_t;

/*  Labels as they came: the encoded pairs of the label map without the map's own header, in the
 *  sender's order. Identity does not depend on that order: see proto/labels.h. */
typedef struct {
    const uint8_t *bytes; /* NULL without labels */
    uint32_t size;        /* bytes */
    uint32_t count;       /* pairs */
} raw_labels_t;

typedef struct {
    text_t name;
    raw_labels_t labels;
    text_t unit;  /* TEXT_NONE when not given */
    double value; /* the one value; of several, see values */
    const uint8_t
        *values; /* the encoded numbers of `values`, one after the other; NULL when `value` */
    uint32_t value_count; /* 1 for `value` */
    int16_t rest;         /* what a whole number that came lies above its nearest double, `value` */
    metric_kind_t kind;
    uint32_t entry; /* of a compact frame: which entry of its `series` it names, from 1; its texts
                       and labels are that entry's own bytes. 0: of no compact frame */
    double time_s;  /* Unix time, NaN when not given */
} metric_event_t;

typedef enum {
    BREAKER_UNKNOWN, /* not reported */
    BREAKER_CLOSED,
    BREAKER_HALF_OPEN,
    BREAKER_OPEN,
    BREAKER_COUNT
} breaker_t;

typedef struct {
    text_t operation;
    text_t dependency; /* TEXT_NONE when not given */
    text_t message;    /* TEXT_NONE when not given */
    raw_labels_t labels;
    double duration_s; /* >= 0 */
    double time_s;     /* NaN when not given */
    uint64_t attempt;  /* 1 = the first try */
    breaker_t breaker;
    bool error;
} request_event_t;

/*  What became of the frames of one ingest endpoint; counts since the start. */
typedef struct {
    uint64_t frames;
    uint64_t accepted; /* events */
    uint64_t samples;  /* observations */
    uint64_t refused[STATUS_COUNT];
    uint64_t dropped[STATUS_COUNT]; /* accepted, then failed because of state (incidents) */
} tally_t;

/*  What a frame may hold. The defaults are LIMITS_DEFAULT. */
typedef struct {
    uint32_t frame_bytes;       /* 4 MiB */
    uint32_t batch;             /* events in a frame: 65,536 */
    uint32_t depth;             /* nested containers, batch and event included: 8 */
    uint32_t name_bytes;        /* metric, operation, dependency, policy … names: 200 */
    uint32_t labels;            /* 32 */
    uint32_t label_name_bytes;  /* 128 */
    uint32_t label_value_bytes; /* 1,024 */
    uint32_t text_bytes;        /* free text: 16 KiB */
    uint32_t title_bytes;       /* titles, keys, owners, by, units: 255 */
} limits_t;

#define LIMITS_DEFAULT                                                                             \
    ((limits_t){.frame_bytes = 4u << 20,                                                           \
                .batch = 65536,                                                                    \
                .depth = 8,                                                                        \
                .name_bytes = 200,                                                                 \
                .labels = 32,                                                                      \
                .label_name_bytes = 128,                                                           \
                .label_value_bytes = 1024,                                                         \
                .text_bytes = 16u << 10,                                                           \
                .title_bytes = 255})

#endif
