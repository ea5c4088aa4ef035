/*  aggregate - the values of chosen metrics, put together series by series until they are sent:
 *  counters summed, observations kept in order, of a gauge the last.
 *
 *  What the broker answers afterwards is the same to the last bit as if each value had been sent:
 *  the sum is kept as the broker keeps it (engines/counter.h), and written as increments that add
 *  up to it exactly; increments that the broker's sum does not keep exactly stay what they are; a
 *  series is its labels in canonical order, so that its values stay in order
 *  however the caller names them.
 *
 *  Owns     the series and their values
 *  Bounds   none of its own; aggregate_bytes says how much it holds
 *  Time     monotonic seconds, handed in
 *  Thread   one at a time: its emitter's lock
 *  Refuses  TOCSIN_NO_MEMORY: the value is not taken
 */
#ifndef CLIENTS_LIBTOCSIN_AGGREGATE_H
#define CLIENTS_LIBTOCSIN_AGGREGATE_H

#include "clients/libtocsin/buffer.h"
#include "clients/libtocsin/index.h"

#include <tocsin.h>

typedef struct aggregate_series aggregate_series_t;

/*  A piece of `texts`; size 0: none. */
typedef struct {
    size_t at, size;
} aggregate_text_t;

typedef struct {
    aggregate_text_t name,
        unit; /* the first unit that any of its series names, as the broker has it */
} aggregate_metric_t;

typedef struct {
    uint64_t seed;  /* of the hashes */
    buffer_t texts; /* names, units and labels, as they stand on the wire */
    aggregate_series_t *series;
    size_t series_count, series_capacity;
    aggregate_metric_t *metrics; /* by their numbers */
    size_t metric_count;
    index_t index;
    size_t value_bytes;
    double opened_at; /* when the first value came */
} aggregate_t;

void aggregate_init(aggregate_t *self, uint64_t seed);
void aggregate_free(aggregate_t *self);

/*  `metric` numbers the names, from 0. */
tocsin_status_t aggregate_add(aggregate_t *self, uint32_t metric,
                              const tocsin_metric_event_t *event, double now);

size_t aggregate_bytes(const aggregate_t *self);

/*  Where writing stands; begins zeroed. */
typedef struct {
    size_t series, part;
} aggregate_place_t;

/*  Append the next event; *calls grows by the number of the caller's that it stands for. False when
 *  all have been written. */
bool aggregate_put_next(const aggregate_t *self, aggregate_place_t *place, buffer_t *out,
                        uint64_t *calls);

/*  Forget all series; keeps the memory for the next. */
void aggregate_clear(aggregate_t *self);

#endif
