/*  decode - turns one frame from the wire into events, or says why not.
 *
 *  Owns     the arrays of a batch; the events in it point into the frames they came from
 *  Bounds   one bounded pass, no allocation after metric_batch_init; a batch has room for one frame
 *           of limits.batch events beside BATCH_SLACK events of earlier frames
 *  Time     linear in the bytes of the frame
 *  Thread   whoever owns the batch
 *  Refuses  a whole frame (too_large, malformed, too_deep, batch_too_long: counts one) or one event
 *           of it, by the first reason that holds in the order of proto/status.h; each refusal is
 *           counted in the tally
 *
 *  A frame is one map (one event), an array of maps (a batch), or, on the metrics socket, a compact
 *  frame: a map with the keys `series` and `samples`. Nothing of a refused frame is kept.
 */
#ifndef PROTO_DECODE_H
#define PROTO_DECODE_H

#include "proto/cursor.h"
#include "proto/event.h"

#include <stddef.h>

/*  As many events of earlier frames may wait in a batch when the next frame is decoded into it. */
#define BATCH_SLACK 256u

typedef struct {
    metric_event_t *events;
    size_t count;
    size_t capacity;
    metric_event_t *series;   /* scratch: the series of a compact frame, */
    status_t *series_reasons; /* and why the events that name one are refused */
    size_t series_capacity;
    struct layouts *layouts; /* what events before had in common */
} metric_batch_t;

typedef struct {
    request_event_t *events;
    size_t count;
    size_t capacity;
} request_batch_t;

void metric_batch_init(metric_batch_t *self, const limits_t *limits);
void metric_batch_free(metric_batch_t *self);
void request_batch_init(request_batch_t *self, const limits_t *limits);
void request_batch_free(request_batch_t *self);

/*  Decode one frame behind what the batch already holds (at most BATCH_SLACK events); limits.batch
 *  is no more than the batch was made for. Counts the frame and its refusals in the tally;
 *  `accepted` and `samples` are counted by whoever applies the events. Answers STATUS_OK or the
 *  reason for which the frame was refused whole.
 *
 *  Of several `values` an event holds the encoded numbers, each checked, and NaN as its `value`. */
status_t decode_metrics(const limits_t *limits, const void *frame, size_t size,
                        metric_batch_t *batch, tally_t *tally);
status_t decode_requests(const limits_t *limits, const void *frame, size_t size,
                         request_batch_t *batch, tally_t *tally);

/*  The rules for one text, also used by commands and configuration. */
typedef enum {
    TEXT_LINE, /* UTF-8 without control characters (Unicode category Cc) */
    TEXT_FREE  /* the same, but newlines and tabs are allowed */
} text_rule_t;

bool text_is_clean(text_t text, text_rule_t rule);

/*  The rules for labels, also used by commands and configuration: `pairs` pairs stand at the
 *  cursor, which is moved behind them in every case (the bytes were checked by cursor_check). Fills
 *  *labels on STATUS_OK. More than LABELS_MAX pairs are too many even where most have an empty
 * value and so do not count: each name is compared with each before it. */
status_t decode_labels(const limits_t *limits, cursor_t *cursor, uint32_t pairs,
                       raw_labels_t *labels);

#endif
