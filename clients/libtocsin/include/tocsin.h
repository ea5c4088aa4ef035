/*  tocsin - speak to the alarm broker tocsind: push events, ask and command, listen.
 *
 *  Owns     each object owns its ZeroMQ context and sockets; there is no global state
 *  Bounds   an emitter holds at most `queue_bytes` an endpoint, and drops beyond it, counted; a
 *           question is never asked beyond its timeout
 *  Time     seconds, everywhere; points in time are Unix time
 *  Thread   an emitter may be used by many threads at once. A commander and a subscriber belong to
 *           one thread at a time; different ones may live in different threads. Nothing is to be
 *           used in a child after fork(), nor in a signal's handler
 *  Refuses  by tocsin_status_t; the library never prints, never exits and never blocks longer than
 *           it was told
 *
 *  Text is UTF-8 and terminated by a NUL. Pointers given are borrowed for the call.
 */
#ifndef TOCSIN_H
#define TOCSIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TOCSIN_API __attribute__((visibility("default")))
#define TOCSIN_ENDS_WITH_NULL __attribute__((sentinel))
#else
#define TOCSIN_API
#define TOCSIN_ENDS_WITH_NULL
#endif

/*  Where the broker listens unless it is told otherwise. */
#define TOCSIN_METRICS_ADDRESS "tcp://127.0.0.1:7701"
#define TOCSIN_REQUESTS_ADDRESS "tcp://127.0.0.1:7702"
#define TOCSIN_INCIDENTS_ADDRESS "tcp://127.0.0.1:7703"
#define TOCSIN_EVENTS_ADDRESS "tcp://127.0.0.1:7704"
#define TOCSIN_CONTROL_ADDRESS "tcp://127.0.0.1:7705"

/*  "MAJOR.MINOR.PATCH" of the library that runs. */
TOCSIN_API const char *tocsin_version(void);

typedef enum {
    TOCSIN_OK = 0,
    TOCSIN_TIMEOUT,     /* nobody there, or no answer, within the time given */
    TOCSIN_REFUSED,     /* the broker said no; the reply holds its code and message */
    TOCSIN_DROPPED,     /* the emitter's queue is full: this event is lost, and counted */
    TOCSIN_INVALID,     /* an argument breaks a rule of this header; nothing was sent */
    TOCSIN_NO_MEMORY,   /* nothing was changed */
    TOCSIN_INTERRUPTED, /* by a signal; ask again if it was not meant to stop you */
    TOCSIN_SYSTEM       /* ZeroMQ or the system failed; errno says how (zmq_strerror) */
} tocsin_status_t;

/*  In words, for a person. */
TOCSIN_API const char *tocsin_status_text(tocsin_status_t status);

/*  The keys with which to speak to a broker that lets only known keys in, each 40 characters of
 *  Z85: one's own pair, and the broker's public key (rfc.zeromq.org/spec/26). Where a struct below
 *  has none, the environment is asked: TOCSIN_KEY names the file that `tocsin keygen` wrote,
 *  TOCSIN_SERVER_KEY is the broker's public key. A secret that others may read is refused: EACCES.
 */
typedef struct {
    const char *public_key, *secret_key, *server_key;
} tocsin_keys_t;

/* -- pushing events -- */

typedef enum {
    TOCSIN_COUNTER,  /* the value is an increment, >= 0 */
    TOCSIN_GAUGE,    /* the value replaces the one before */
    TOCSIN_HISTOGRAM /* the value is one observation */
} tocsin_kind_t;

typedef struct {
    const char *name;
    const char *value; /* empty: as if the label were not there */
} tocsin_label_t;

/*  What is 0 or NULL in the structs below is left out of the event. */

typedef struct {
    const char *name; /* required */
    tocsin_kind_t kind;
    double value;         /* finite; unless there are */
    const double *values; /* several values of a gauge or histogram, in order */
    size_t value_count;
    const char *unit; /* "seconds", "bytes", "ratio", "percent", ... */
    const tocsin_label_t *labels;
    size_t label_count;
    double time; /* Unix seconds */
} tocsin_metric_event_t;

typedef struct {
    const char *operation;  /* required: what was done, "GET /orders" */
    double duration;        /* seconds, >= 0 */
    const char *dependency; /* the external system that served it */
    bool error;
    const char *message; /* of the error */
    const char *breaker; /* the caller's circuit breaker: "closed", "half_open", "open" */
    unsigned attempt;    /* which try this was, from 1 */
    const tocsin_label_t *labels;
    size_t label_count;
    double time;
} tocsin_request_event_t;

typedef struct {
    const char *title;    /* required */
    const char *severity; /* required: "critical", "high", "medium", "low" */
    const char *description;
    const char *const *systems;
    size_t system_count;
    const char *key; /* an unclosed incident with this key is counted up instead */
    const char *runbook;
    const char *by;
    const tocsin_label_t *labels;
    size_t label_count;
} tocsin_incident_event_t;

typedef struct tocsin_emitter tocsin_emitter_t;

/*  What is lost when an endpoint's queue is full, because the broker is away or slow. */
typedef enum {
    TOCSIN_DROP_NEWEST, /* the event that comes: TOCSIN_DROPPED */
    TOCSIN_DROP_OLDEST  /* the batch that has waited longest */
} tocsin_full_t;

/*  All zero is a good choice. */
typedef struct {
    const char *metrics, *requests, *incidents; /* addresses; NULL: those above */
    size_t batch_events; /* sent as one frame at most, default 100, at most 65,536 */
    double batch_age;    /* seconds an event waits for others at most, default 0.05 */
    size_t queue_bytes;  /* held for an endpoint that does not take them, default 16 MiB */
    tocsin_full_t when_full;
    double aggregate_age;      /* seconds values are put together at most, default 1 */
    double linger;             /* seconds tocsin_emitter_destroy may take, default 2; < 0: none */
    const tocsin_keys_t *keys; /* NULL: as the environment says */
} tocsin_emitter_options_t;

/*  Begins to connect, once and for all: a connection that is lost comes back by itself. `options`
 *  may be NULL. NULL on failure, with errno: EINVAL for an address that is none. */
TOCSIN_API tocsin_emitter_t *tocsin_emitter_new(const tocsin_emitter_options_t *options);

/*  What is still held is sent if it can be within `linger`; what cannot is lost. What was sent has
 *  been given to the system when this returns, so end with it: a program that exits without it may
 *  lose what it flushed last. */
TOCSIN_API void tocsin_emitter_destroy(tocsin_emitter_t **self);

/*  The three that most programs need. After the named arguments stand label names and values in
 *  turn, ended by NULL:
 *
 *      tocsin_metric(emitter, "queue_depth", TOCSIN_GAUGE, 17, "queue", "orders", NULL);
 *      tocsin_request(emitter, "POST /orders", 0.031, "postgresql", NULL, NULL);
 *      tocsin_incident(emitter, "disk of db-1 is full", "high", "host", "db-1", NULL);
 *
 *  A request failed when `error` is a text; `dependency` may be NULL.
 *
 *  None of the calls that emit waits for the broker or the network: an event joins its batch, and
 *  a thread of the emitter's sends a batch that is full or old enough. Incidents are sent at once.
 *  TOCSIN_OK, TOCSIN_DROPPED, TOCSIN_INVALID, TOCSIN_NO_MEMORY. */
TOCSIN_API tocsin_status_t tocsin_metric(tocsin_emitter_t *self, const char *name,
                                         tocsin_kind_t kind, double value,
                                         ...) TOCSIN_ENDS_WITH_NULL;
TOCSIN_API tocsin_status_t tocsin_request(tocsin_emitter_t *self, const char *operation,
                                          double duration, const char *dependency,
                                          const char *error, ...) TOCSIN_ENDS_WITH_NULL;
TOCSIN_API tocsin_status_t tocsin_incident(tocsin_emitter_t *self, const char *title,
                                           const char *severity, ...) TOCSIN_ENDS_WITH_NULL;

/*  The same with everything an event can say. */
TOCSIN_API tocsin_status_t tocsin_emit_metric(tocsin_emitter_t *self,
                                              const tocsin_metric_event_t *event);
TOCSIN_API tocsin_status_t tocsin_emit_request(tocsin_emitter_t *self,
                                               const tocsin_request_event_t *event);
TOCSIN_API tocsin_status_t tocsin_emit_incident(tocsin_emitter_t *self,
                                                const tocsin_incident_event_t *event);

/*  Put the values of this metric together from now on, series by series, and send them every
 *  `aggregate_age`: counters summed, the values of a histogram in one event, of a gauge only the
 *  last. What the broker answers afterwards is the same to the last bit, but for what it makes of a
 *  gauge's values in between (anomalies, conditions). For what is counted or measured very often.
 *  TOCSIN_OK, TOCSIN_INVALID, TOCSIN_NO_MEMORY. */
TOCSIN_API tocsin_status_t tocsin_aggregate(tocsin_emitter_t *self, const char *name);

/*  Wait until everything that was emitted before has gone to a connected broker or was dropped, at
 *  most `timeout` seconds. TOCSIN_OK, TOCSIN_TIMEOUT.
 *
 *  Events are not acknowledged: what stands in the buffers of a connection is lost with it. An
 *  incident that must not be lost is opened with tocsin_ask. */
TOCSIN_API tocsin_status_t tocsin_flush(tocsin_emitter_t *self, double timeout);

/*  Events lost to a full queue, or for want of memory, since the emitter was made. */
TOCSIN_API uint64_t tocsin_dropped(const tocsin_emitter_t *self);

/*  The address of the first endpoint that does not take what is held for it; NULL: none. */
TOCSIN_API const char *tocsin_unsent_address(const tocsin_emitter_t *self);

/* -- values: what replies and publications are made of -- */

/*  One MessagePack value, borrowed from the reply or publication it lies in. It is complete and
 *  well formed. An absent one has size 0. */
typedef struct {
    const void *bytes;
    size_t size;
} tocsin_value_t;

/*  The value of that key in a map; absent if there is none or it is no map. */
TOCSIN_API tocsin_value_t tocsin_value_of(tocsin_value_t map, const char *key);

/*  Pairs of a map, elements of an array, else 0. */
TOCSIN_API size_t tocsin_value_count(tocsin_value_t value);

/*  That element of an array, counted from 0; absent if there is none. Walks from the start. */
TOCSIN_API tocsin_value_t tocsin_value_at(tocsin_value_t array, size_t index);

/*  Fill the last argument if the value is of that type, else answer false and leave it. */
TOCSIN_API bool tocsin_value_number(tocsin_value_t value, double *number);
TOCSIN_API bool tocsin_value_integer(tocsin_value_t value, int64_t *integer);
TOCSIN_API bool tocsin_value_boolean(tocsin_value_t value, bool *boolean);

/*  Text, *not* terminated; NULL, and *size 0, if the value is no text. */
TOCSIN_API const char *tocsin_value_text(tocsin_value_t value, size_t *size);

/*  Copy a text and terminate it; what does not fit is cut. Empty if the value is no text. Answers
 *  `copy`. */
TOCSIN_API const char *tocsin_value_copy(tocsin_value_t value, char *copy, size_t capacity);

/* -- asking and commanding -- */

typedef struct tocsin_commander tocsin_commander_t;
typedef struct tocsin_reply tocsin_reply_t;

/*  `address` NULL: TOCSIN_CONTROL_ADDRESS. `timeout` in seconds is how long tocsin_ask waits; 0: 5.
 *  NULL on failure, with errno. */
TOCSIN_API tocsin_commander_t *tocsin_commander_new(const char *address, double timeout);
TOCSIN_API tocsin_commander_t *tocsin_commander_new_keyed(const char *address, double timeout,
                                                          const tocsin_keys_t *keys);
TOCSIN_API void tocsin_commander_destroy(tocsin_commander_t **self);

/*  Ask or command, and wait for the answer. `arguments` names each argument and its type, the
 *  values follow; NULL: none.
 *
 *      tocsin_ask(commander, &reply, "incident.open", "title:s severity:s systems:[s s]",
 *                 "disk full", "high", "db-1", "db-2");
 *      tocsin_ask(commander, &reply, "slo.put", "name:s target_percent:f match:{operation:s}",
 *                 "orders", 99.5, "POST /orders");
 *
 *      s  const char *   NULL: nil, which is as if the argument were absent
 *      f  double         NaN: nil
 *      i  int            I  int64_t           b  int as a truth value
 *      L  const tocsin_label_t *, size_t      a map of text to text
 *      S  const char *const *, size_t         an array of texts
 *      v  tocsin_value_t                      as it is; absent: nil
 *      {key:type ...}  a map                  [type ...]  an array
 *
 *  A command that changes something is sent with a `once` of its own, and sent again until it is
 *  answered: it has its effect exactly once, even across a restart of the broker. When the time is
 *  up before an answer came, whether it had its effect is not known. Arguments may name a `once`:
 *  a program that starts anew can so repeat what it may have done already.
 *
 *  TOCSIN_OK and TOCSIN_REFUSED fill *reply, which is then yours; else it is NULL, and
 *  tocsin_commander_error says what is wrong. `reply` may be NULL. */
TOCSIN_API tocsin_status_t tocsin_ask(tocsin_commander_t *self, tocsin_reply_t **reply,
                                      const char *command, const char *arguments, ...);

/*  The same command again, if the last one got no answer: with the same `once`, for `timeout` more
 *  seconds. TOCSIN_INVALID if there is none that waits. */
TOCSIN_API tocsin_status_t tocsin_ask_again(tocsin_commander_t *self, tocsin_reply_t **reply,
                                            double timeout);

/*  tocsin_ask for arguments that are known only when the program runs: `arguments` is a map of
 *  them, absent: none. */
TOCSIN_API tocsin_status_t tocsin_ask_with(tocsin_commander_t *self, tocsin_reply_t **reply,
                                           const char *command, tocsin_value_t arguments);

/*  Did the last command go to a connected broker? False after a TOCSIN_TIMEOUT means that nobody is
 *  there. */
TOCSIN_API bool tocsin_commander_reached(const tocsin_commander_t *self);

/*  What went wrong last, naming the address; "" if nothing did. Good until the next call. */
TOCSIN_API const char *tocsin_commander_error(const tocsin_commander_t *self);

TOCSIN_API void tocsin_reply_destroy(tocsin_reply_t **self);

/*  `result` of a success; absent otherwise. */
TOCSIN_API tocsin_value_t tocsin_reply_result(const tocsin_reply_t *self);

/*  Of a refusal: its code ("not_found"), and its message; "" of a success. */
TOCSIN_API const char *tocsin_reply_code(const tocsin_reply_t *self);
TOCSIN_API const char *tocsin_reply_message(const tocsin_reply_t *self);

/* -- listening -- */

typedef struct tocsin_subscriber tocsin_subscriber_t;

/*  Where a reader stands in one family. */
typedef struct {
    const char *family; /* "alert", "incident", ... */
    uint64_t seq;       /* of the last publication it has dealt with */
} tocsin_position_t;

/*  All zero listens to everything but heartbeats, from now on. */
typedef struct {
    const char *events; /* address; NULL: the default */
    /*  NULL: the default; "": none, then holes are not filled but reported as lost. */
    const char *control;
    const char *const *families; /* "alert", "incident", ...; none: all but "heartbeat" */
    size_t family_count;
    const char *topic;                  /* only what has a topic that begins so; NULL: all */
    const tocsin_position_t *positions; /* begin behind these, as if the reader had never gone */
    size_t position_count;
    bool replay;    /* families without a position begin after `since`, else with what comes now */
    uint64_t since; /* a `seq`; 0: with the oldest there is */
    const tocsin_keys_t *keys; /* NULL: as the environment says */
} tocsin_subscriber_options_t;

/*  One publication. What it points to is good until the next call. */
typedef struct {
    const char *topic, *family, *type, *subject;
    uint64_t seq;        /* counts within the family */
    double time;         /* Unix seconds */
    uint64_t lost;       /* of its family, before it: published, but held by nobody any more */
    tocsin_value_t body; /* the whole map: `data`, `source`, `correlation`, ... */
} tocsin_publication_t;

/*  `options` may be NULL. NULL on failure, with errno: EINVAL for an unknown family. */
TOCSIN_API tocsin_subscriber_t *tocsin_subscriber_new(const tocsin_subscriber_options_t *options);
TOCSIN_API void tocsin_subscriber_destroy(tocsin_subscriber_t **self);

/*  Wait for the next publication, at most `timeout` seconds; 0 looks without waiting. Those of a
 *  family come in order and each once: what was missed (while the connection was away, or because
 *  this reader was slow) is asked for before anything later is given. A broker that begins anew,
 *  with an empty store, is heard from its first publication on. TOCSIN_OK, TOCSIN_TIMEOUT,
 *  TOCSIN_INTERRUPTED, TOCSIN_NO_MEMORY, TOCSIN_SYSTEM. Nothing is lost by a call that fails: the
 *  next one goes on where it stood. */
TOCSIN_API tocsin_status_t tocsin_receive(tocsin_subscriber_t *self,
                                          tocsin_publication_t *publication, double timeout);

/*  What is done with a publication; false ends the listening. */
typedef bool tocsin_listener_t(void *context, const tocsin_publication_t *publication);

/*  Receive and call back, until `listener` answers false (TOCSIN_OK), or until `timeout` seconds
 *  are over; < 0: for ever. Else as tocsin_receive. */
TOCSIN_API tocsin_status_t tocsin_listen(tocsin_subscriber_t *self, tocsin_listener_t *listener,
                                         void *context, double timeout);

/*  A descriptor for poll(), select() or an event loop; it belongs to the subscriber. It is readable
 *  when there may be something to receive: then call tocsin_receive with a timeout of 0 until it
 *  answers TOCSIN_TIMEOUT. -1 on failure, with errno. */
TOCSIN_API int tocsin_subscriber_fd(tocsin_subscriber_t *self);

/*  Has the broker been reached: is it known where to begin? False after a TOCSIN_TIMEOUT means that
 *  nobody answered at the control address. */
TOCSIN_API bool tocsin_subscriber_reached(const tocsin_subscriber_t *self);

/*  The `seq` of the last publication of this family that was given or passed over: a position to
 *  begin from another time. 0 as long as none is known. */
TOCSIN_API uint64_t tocsin_subscriber_position(const tocsin_subscriber_t *self, const char *family);

#ifdef __cplusplus
}
#endif

#endif
