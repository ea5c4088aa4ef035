/*  notification_dispatcher - what is to be told to which channel, and when?
 *
 *                  something to tell              its time has come
 *    a group  quiet ───────────────────► waiting ──────────────────► under way
 *               ▲                          ▲  ▲                          │
 *               │ nothing more to tell     │  └──── failed: backoff ─────┤
 *               └──────────────────────────┴── told, or given up ────────┘
 *
 *  Owns     copies of the notices, by channel and group
 *  Bounds   notices: active alerts times channels; one notification a channel is under way at a
 * time, with NOTIFICATION_ALERTS_MAX alerts at most
 *  Time     handed in; timers run on mono_ns, told_at is wall time; jitter is handed in too
 *  Thread   one at a time
 *
 *  A channel is told of an alert once, again after the repeat interval, and once that it is over if
 *  it may have seen it fire; an alert that came and went before a channel could be told is not
 *  mentioned there. What the next try says is decided when it is made, from the newest state, so
 *  that a receiver that comes back after hours hears what is, not what was.
 *
 *  The sink hears what must be on disk: NOTICE_TRIED before a notification is sent (only then may
 * it be), NOTICE_TOLD, _MISSED and _END after. A process that dies between sending and the latter
 * sends the same notification with the same key again.
 */
#ifndef ENGINES_NOTIFICATION_DISPATCHER_H
#define ENGINES_NOTIFICATION_DISPATCHER_H

#include "engines/operations/notification_rules.h"
#include "proto/instant.h"
#include "proto/notice.h"

#define NOTIFICATION_ALERTS_MAX 500u

typedef enum {
    NOTICE_TRIED,
    NOTICE_MISSED, /* the try did not reach the receiver */
    NOTICE_TOLD,   /* `told` is what it knows now */
    NOTICE_END     /* nothing is left to tell */
} notice_effect_type_t;

typedef struct {
    notice_effect_type_t type;
    text_t channel;
    uint64_t alert;
    uint64_t revision; /* of the alert as it was told */
    told_t told;
} notice_effect_t;

typedef struct {
    void (*take)(void *context, const notice_effect_t *effect);
    void *context;
} notice_sink_t;

typedef enum {
    OUTCOME_DELIVERED,
    OUTCOME_UNREACHED, /* no connection was made: the receiver cannot have seen it */
    OUTCOME_FAILED,    /* may work later; the receiver may have seen it */
    OUTCOME_REFUSED,   /* the same message will be refused again */
    OUTCOME_COUNT
} outcome_t;

/*  How a channel fares. */
typedef struct {
    bool under_way;
    bool failing;      /* refused, or failed several times in a row, and not delivered since */
    uint32_t failures; /* in a row */
    uint64_t delivered, failed, given_up;
    double last_success, last_failure; /* Unix time; NaN: never */
    uint64_t waiting;                  /* alerts about which it has to be told something */
} channel_health_t;

typedef struct notification_dispatcher notification_dispatcher_t;

/*  `seed` for the tables. */
notification_dispatcher_t *notification_dispatcher_new(uint64_t seed, notice_sink_t sink);
void notification_dispatcher_destroy(notification_dispatcher_t **self);

/*  The channels that are; copied. Notices of others are kept and wait for their channel to come
 * back. Health and what is under way survive for a channel whose name stays. */
void notification_dispatcher_configure(notification_dispatcher_t *self,
                                       const notification_rules_t *rules, size_t count,
                                       instant_t now);

/*  A notice as it is on disk. What this dispatcher knows better (what was told) is kept. */
void notification_dispatcher_take(notification_dispatcher_t *self, const notice_t *notice,
                                  instant_t now);

/*  The local minute of the day, for quiet hours. */
void notification_dispatcher_set_minute(notification_dispatcher_t *self, int minute);

/*  The next notification that is due, of any channel that has none under way; NULL if none is. A
 * look, good until notification_dispatcher_finish is called for its channel. */
const notification_t *notification_dispatcher_next(notification_dispatcher_t *self, instant_t now);

/*  When to ask again. */
int64_t notification_dispatcher_deadline(const notification_dispatcher_t *self, instant_t now);

/*  What became of the notification that is under way on a channel. True: it was given up, and is a
 * dead letter. */
bool notification_dispatcher_finish(notification_dispatcher_t *self, text_t channel,
                                    outcome_t outcome, double retry_after_s, double jitter,
                                    instant_t now);

/*  False: there is no such channel. */
bool notification_dispatcher_health(const notification_dispatcher_t *self, text_t channel,
                                    channel_health_t *health);

#endif
