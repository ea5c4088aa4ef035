/*  notice - what a channel has to be told about an alert, and what it knows already.
 *
 *  Owns     nothing: texts, labels and lists belong to whoever filled the struct
 *  Units    seconds, Unix time in seconds; NaN is nil
 *
 *  One notice a channel and alert, with the alert as it is now: what waits for a channel that is
 * down does not grow with how often its alerts change. Kept in the store (broker/store.h) from the
 * first firing until the channel was told that it is over;
 * engines/operations/notification_dispatcher.h decides from notices alone what is sent when.
 */
#ifndef PROTO_NOTICE_H
#define PROTO_NOTICE_H

#include "proto/arena.h"
#include "proto/labels.h"
#include "proto/schema.h"
#include "proto/text.h"
#include "proto/thing.h"

/*  What the receiver has confirmed. */
typedef enum { TOLD_NOTHING, TOLD_FIRING, TOLD_ACKNOWLEDGED, TOLD_RESOLVED, TOLD_COUNT } told_t;

typedef struct {
    text_t channel;
    uint64_t alert_id;
    alert_t alert;      /* as it is now */
    text_t description; /* its policy's */
    uint64_t revision;  /* counts the changes of `alert`, from 1 */
    told_t told;
    double told_at;  /* when; NaN before the first time */
    double tried_at; /* the first try of what is owed now; NaN while nothing was tried */
    bool may_know;   /* a try was made whose end is not known: the receiver may have seen it fire */
} notice_t;

typedef enum {
    REASON_FIRST,
    REASON_NEW_ALERTS,
    REASON_ACKNOWLEDGED,
    REASON_SOME_RESOLVED,
    REASON_ALL_RESOLVED,
    REASON_REPEAT,
    REASON_DRILL,
    REASON_COUNT
} notification_reason_t;

/*  One message to one channel. */
typedef struct {
    text_t channel;
    text_t key; /* of idempotency: the same for every try of the same message */
    notification_reason_t reason;
    labels_t group; /* what its alerts have in common by the channel's group_by */
    const notice_t *notices;
    uint32_t notice_count;
    uint64_t truncated; /* alerts of the group that found no room in it */
} notification_t;

/*  A notification that was given up: refused by its receiver, or failing for too long. */
typedef struct {
    uint64_t id;
    text_t channel, key, error;
    notification_reason_t reason;
    const uint64_t *alerts;
    uint32_t alert_count;
    double at;
    text_t notification; /* encoded, to be sent again. Not on the wire. */
} letter_t;

extern const char *const told_words[];
extern const char *const notification_reason_words[];

extern const schema_t notice_schema, notification_schema, letter_schema;

/*  Read what schema_write wrote, whatever limits are in force; texts point into `packed`, lists lie
 * in the arena. False: it is none. */
bool notice_read(text_t packed, arena_t *arena, notice_t *notice);
bool notification_read(text_t packed, arena_t *arena, notification_t *notification);

/*  Is it firing as its receivers understand it? */
bool notice_is_active(const notice_t *self);

/*  Silenced or inhibited: nobody is told that it fires. */
bool notice_is_muted(const notice_t *self);

#endif
