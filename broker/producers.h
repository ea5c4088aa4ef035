/*  producers - what each key may still push: its own names only, so many events a second, so many
 *  new series within series_ttl.
 *
 *  Owns     an allowance for each principal that has pushed
 *  Bounds   PRODUCERS_MAX principals; those beyond share the allowance of the last
 *  Time     a lookup a frame, a comparison of prefixes an event
 *  Thread   one: the actor that decodes
 *  Refuses  frames of who may not push and events of other names (forbidden), events beyond the
 *           allowance (limit). Beyond the allowance of series an event goes to the series
 *           __overflow__ of its metric, unless its own series is there already
 *
 *  An allowance is a token bucket: it holds one second's events, or one series_ttl's new series,
 *  and fills evenly.
 */
#ifndef BROKER_PRODUCERS_H
#define BROKER_PRODUCERS_H

#include "broker/access_keys.h"
#include "engines/observability/observability_stack.h"
#include "proto/decode.h"
#include "proto/instant.h"

#include <stdbool.h>

#define PRODUCERS_MAX KEYS_MAX

typedef struct producers producers_t;

/*  Takes the share of the keys; NULL: everybody may push everything. */
producers_t *producers_new(access_keys_t *keys);
void producers_destroy(producers_t **self);
void producers_configure(producers_t *self, double events_per_s, double series,
                         double series_ttl_s);
void producers_take_keys(producers_t *self, access_keys_t *keys);

/*  Is anything to be checked at all? */
bool producers_are_checked(const producers_t *self);

/*  Before a frame is decoded. False: it is refused whole, and counted. */
bool producers_admit(producers_t *self, const char *user_id, instant_t now, tally_t *tally);

/*  Of what the admitted frame was decoded to, keep what its sender may push; the rest is counted.
 */
void producers_sift_metrics(producers_t *self, const observability_stack_t *stack,
                            metric_batch_t *batch, tally_t *tally);
void producers_sift_requests(producers_t *self, request_batch_t *batch, tally_t *tally);

/*  Events that went to __overflow__ because their sender had no series left. */
uint64_t producers_diverted(const producers_t *self);

/*  The frame's events were applied: there were so many series before, and are so many after. */
void producers_charge(producers_t *self, uint64_t before, uint64_t after);

#endif
