/*  Frames of any bytes. The first byte chooses the socket and what limits are in force; the rest is
 * the frame. Besides not crashing, what is decoded must agree with msgpack-c, an implementation of
 * the same format that shares no line with ours, and must keep the promises of proto/decode.h. */
#include "proto/decode.h"
#include "proto/labels.h"
#include "proto/must.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHOOSES_REQUESTS 1u
#define CHOOSES_SMALL_LIMITS 2u

/* A batch of its own for every input is made no larger. */
#define FRESH_EVENTS 1024u

/* So small that the fuzzer finds both sides of each limit with few bytes. */
static limits_t small_limits(void)
{
    limits_t limits = LIMITS_DEFAULT;
    limits.frame_bytes = 200;
    limits.batch = 3;
    limits.depth = 4;
    limits.name_bytes = 4;
    limits.labels = 2;
    limits.label_name_bytes = 3;
    limits.label_value_bytes = 3;
    limits.text_bytes = 6;
    limits.title_bytes = 5;
    return limits;
}

static bool msgpack_c_agrees(const void *frame, size_t size)
{
    msgpack_unpacked unpacked;
    size_t at = 0;
    msgpack_unpacked_init(&unpacked);
    msgpack_unpack_return answer = msgpack_unpack_next(&unpacked, frame, size, &at);
    msgpack_unpacked_destroy(&unpacked);
    return answer == MSGPACK_UNPACK_SUCCESS && at == size;
}

static void must_be_inside(const void *piece, size_t piece_size, const uint8_t *frame, size_t size)
{
    const uint8_t *bytes = piece;
    must(bytes == NULL ||
         (bytes >= frame && piece_size <= size && (size_t)(bytes - frame) <= size - piece_size));
}

static void must_be_text(text_t text, uint32_t limit, text_rule_t rule, const uint8_t *frame,
                         size_t size)
{
    must_be_inside(text.data, text.size, frame, size);
    must(text.size <= limit && text_is_clean(text, rule));
}

static void must_be_labels(const limits_t *limits, raw_labels_t raw, const uint8_t *frame,
                           size_t size)
{
    static uint8_t first[LABELS_MAX_BYTES], second[LABELS_MAX_BYTES];
    must_be_inside(raw.bytes, raw.size, frame, size);
    labels_t labels = labels_canonical(raw, first);
    must(labels.count <= limits->labels && labels.size <= raw.size);
    /* canonical bytes are their own canonical form, and are labels again */
    raw_labels_t again = {labels.bytes, labels.size, labels.count};
    must(labels_equal(labels, labels_canonical(again, second)));
    cursor_t cursor = cursor_over(labels.bytes, labels.size);
    must(decode_labels(limits, &cursor, labels.count, &again) == STATUS_OK);
    must(cursor_left(&cursor) == 0);
}

static void must_be_metric(const limits_t *limits, const metric_event_t *event,
                           const uint8_t *frame, size_t size)
{
    must(event->name.size > 0 && event->kind < METRIC_KIND_COUNT && event->value_count > 0);
    must_be_text(event->name, limits->name_bytes, TEXT_LINE, frame, size);
    must_be_text(event->unit, limits->title_bytes, TEXT_LINE, frame, size);
    must_be_labels(limits, event->labels, frame, size);
    must_be_inside(event->values, event->value_count, frame, size);
    if (event->values == NULL) {
        must(event->value_count == 1 && event->value - event->value == 0);
        must(event->kind != METRIC_COUNTER || event->value >= 0);
        return;
    }
    cursor_t cursor = cursor_over(event->values, (size_t)(frame + size - event->values));
    for (uint32_t i = 0; i < event->value_count; i++) {
        value_t value;
        double number = 0;
        must(cursor_read(&cursor, &value));
        must(value_number(&value, &number));
        must(number - number == 0);
    }
}

static void must_be_request(const limits_t *limits, const request_event_t *event,
                            const uint8_t *frame, size_t size)
{
    must(event->operation.size > 0 && event->duration_s >= 0 && event->attempt >= 1);
    must(event->breaker < BREAKER_COUNT && event->duration_s - event->duration_s == 0);
    must_be_text(event->operation, limits->name_bytes, TEXT_LINE, frame, size);
    must_be_text(event->dependency, limits->name_bytes, TEXT_LINE, frame, size);
    must_be_text(event->message, limits->text_bytes, TEXT_FREE, frame, size);
    must_be_labels(limits, event->labels, frame, size);
}

/*  What decoding a frame may answer and count. */
static void must_be_counted(const limits_t *limits, const uint8_t *frame, size_t size,
                            status_t whole, size_t added, const tally_t *tally)
{
    uint64_t refused = 0;
    for (size_t i = 0; i < STATUS_COUNT; i++)
        refused += tally->refused[i];
    must(tally->frames == 1 && tally->refused[STATUS_OK] == 0);
    status_t structure =
        size > limits->frame_bytes ? STATUS_TOO_LARGE : cursor_check(frame, size, limits->depth);
    must(structure == STATUS_OK ? whole == STATUS_OK || whole == STATUS_BATCH_TOO_LONG
                                : whole == structure);
    if (whole != STATUS_OK)
        must(added == 0 && refused == 1 && tally->refused[whole] == 1);
    else
        must(added + refused <= limits->batch);
}

static void must_be_same_text(text_t a, text_t b)
{
    must(a.data == b.data && a.size == b.size);
}

/*  The same looks into the same frame. */
static void must_be_same(const metric_event_t *a, const metric_event_t *b)
{
    must_be_same_text(a->name, b->name);
    must_be_same_text(a->unit, b->unit);
    must(a->labels.bytes == b->labels.bytes && a->labels.size == b->labels.size);
    must(a->labels.count == b->labels.count && a->kind == b->kind);
    must(memcmp(&a->value, &b->value, sizeof a->value) == 0);
    must(memcmp(&a->time_s, &b->time_s, sizeof a->time_s) == 0);
    must(a->values == b->values && a->value_count == b->value_count);
    must(a->rest == b->rest && a->entry == b->entry);
}

/*  What was learned from earlier frames, and from this one, changes nothing: a batch that knows
 *  nothing is told the same. */
static void must_be_read_afresh(const limits_t *limits, const uint8_t *frame, size_t size,
                                const metric_batch_t *batch, const tally_t *tally)
{
    metric_batch_t fresh;
    limits_t few = *limits;
    tally_t again = {0};
    few.batch = limits->batch < FRESH_EVENTS ? limits->batch : FRESH_EVENTS;
    if (few.batch < limits->batch && size > few.batch) /* each event takes a byte */
        return;
    metric_batch_init(&fresh, &few);
    fresh.count = 1;
    decode_metrics(&few, frame, size, &fresh, &again);
    must(memcmp(tally, &again, sizeof again) == 0 && fresh.count == batch->count);
    for (size_t i = 1; i < fresh.count; i++)
        must_be_same(&batch->events[i], &fresh.events[i]);
    metric_batch_free(&fresh);
}

static void try_metrics(const limits_t *limits, const uint8_t *frame, size_t size,
                        metric_batch_t *batch)
{
    tally_t tally = {0};
    batch->count = 1;
    status_t whole = decode_metrics(limits, frame, size, batch, &tally);
    must_be_counted(limits, frame, size, whole, batch->count - 1, &tally);
    for (size_t i = 1; i < batch->count; i++)
        must_be_metric(limits, &batch->events[i], frame, size);
    if (whole == STATUS_OK)
        must_be_read_afresh(limits, frame, size, batch, &tally);
}

static void try_requests(const limits_t *limits, const uint8_t *frame, size_t size,
                         request_batch_t *batch)
{
    tally_t tally = {0};
    batch->count = 1;
    status_t whole = decode_requests(limits, frame, size, batch, &tally);
    must_be_counted(limits, frame, size, whole, batch->count - 1, &tally);
    for (size_t i = 1; i < batch->count; i++)
        must_be_request(limits, &batch->events[i], frame, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static metric_batch_t metrics;
    static request_batch_t requests;
    if (metrics.events == NULL) {
        limits_t most = LIMITS_DEFAULT;
        metric_batch_init(&metrics, &most);
        request_batch_init(&requests, &most);
    }
    if (size == 0)
        return 0;
    limits_t limits = data[0] & CHOOSES_SMALL_LIMITS ? small_limits() : LIMITS_DEFAULT;
    /* a copy that ends where the frame ends, so that the sanitizer sees a look beyond it */
    uint8_t *frame = memory_copy(data + 1, size - 1);
    size_t frame_size = size - 1;
    if (cursor_check(frame, frame_size, CURSOR_DEPTH_MAX) == STATUS_OK)
        must(msgpack_c_agrees(frame, frame_size));
    if (data[0] & CHOOSES_REQUESTS)
        try_requests(&limits, frame, frame_size, &requests);
    else
        try_metrics(&limits, frame, frame_size, &metrics);
    free(frame);
    return 0;
}
