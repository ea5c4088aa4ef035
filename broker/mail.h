/*  mail - what the reactor and the actors say to each other: a kind, then frames of values.
 *
 *  Owns     a mail is a zmsg; who receives it destroys it
 *  Bounds   the pipes' high-water marks
 *
 *  The first frame is the kind, one byte. What follows:
 *
 *    ASK       reactor -> wings: the command; to operations the User-Id ("": none); the envelope
 *    ANSWER    wings -> reactor: the reply; the frames of its envelope
 *    PUBLISH   wings -> reactor: mail_number_t; topic; publication
 *    KEEP      observability -> operations: mail_number_t; time, float64; topic; publication
 *    ROOM      wings -> reactor: lane_kind_t, one byte: a block has come back
 *    RESULT    observability -> operations: mail_result_t; labels
 *    WANT      observability -> operations: family_t, one byte: reserve another block of numbers
 *    NUMBERS   operations -> observability: mail_number_t: first; mail_number_t: last
 *    PLAN      operations -> observability: mail_plan_t; condition (none: delete)
 *    SLO       operations -> observability: mail_slo_t; the definition, or the name to delete
 *    SAMPLES   operations -> observability: mail_sample_t; name; labels, once for each sample
 *    STATUS    reactor -> observability -> operations: report_t; the id to echo; the envelope
 *    CONFIG    reactor -> wings: a config_t *, the receiver's now; the id; the envelope
 *    STOP      reactor -> observability -> operations: finish what has arrived, then end
 *    STOPPED   wings -> reactor: the last mail of a wing
 *    FATAL     operations -> reactor: int: the exit status with which the process must end
 *    KEYS      access -> reactor -> wings: an access_keys_t *, a share that is the receiver's now
 *    NETWORK   reactor -> access: a network_t, the receiver's now
 *    NOTICE    operations -> notifier: a notice as it is on disk
 *    NOTE      notifier -> operations: its number; mail_note_t and channel, once for each effect
 *    NOTED     operations -> notifier: the number of a note that is on disk
 *    LETTER    notifier -> operations: a letter, its notification: keep them;
 *              operations -> notifier: a letter's number, its notification: send it again
 *    RELAY_SERVER  relay -> operations: mail_relay_t; who the server is
 *    RELAY_AT  operations -> relay: mail_relay_t, its family 1 if the server is another one than
 *              before; for each family the last number that was sent
 *    RELAY_WANT  relay -> operations: mail_relay_t: what comes after that number, once it is there
 *    RELAY_BATCH  operations -> relay: mail_relay_t; numbers and publications, packed
 *    RELAY_SENT  relay -> operations: mail_relay_t: sent up to this number
 *    FEED      relay -> wings: mail_feed_t; the entry's identity; a frame
 *    FED       wings -> relay: mail_fed_t: what became of it; of operations after the commit
 *    LETTER_SENT  notifier -> operations: the letter's number; delivered, one byte; the answer
 *    BEGUN     operations -> observability: what the store held has been sent
 *    WINDOWS   observability -> windows: a msgpack_sbuffer, the receiver's now: the records of a
 *              snapshot
 *    WINDOWS_KEPT  windows -> observability: it is on disk, or cannot be; send the next
 */
#ifndef BROKER_MAIL_H
#define BROKER_MAIL_H

#include "proto/publication.h"

#include <czmq.h>
#include <msgpack/sbuffer.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    MAIL_NONE,
    MAIL_ASK,
    MAIL_ANSWER,
    MAIL_PUBLISH,
    MAIL_KEEP,
    MAIL_ROOM,
    MAIL_RESULT,
    MAIL_WANT,
    MAIL_NUMBERS,
    MAIL_PLAN,
    MAIL_SLO,
    MAIL_SAMPLES,
    MAIL_STATUS,
    MAIL_CONFIG,
    MAIL_STOP,
    MAIL_STOPPED,
    MAIL_FATAL,
    MAIL_KEYS,
    MAIL_NETWORK,
    MAIL_NOTICE,
    MAIL_NOTE,
    MAIL_NOTED,
    MAIL_LETTER,
    MAIL_LETTER_SENT,
    MAIL_BEGUN,
    MAIL_WINDOWS,
    MAIL_WINDOWS_KEPT,
    MAIL_RELAY_SERVER,
    MAIL_RELAY_AT,
    MAIL_RELAY_WANT,
    MAIL_RELAY_BATCH,
    MAIL_RELAY_SENT,
    MAIL_FEED,
    MAIL_FED,
    MAIL_COUNT
} mail_kind_t;

typedef struct {
    uint32_t family; /* family_t */
    uint64_t seq;
} mail_number_t;

typedef struct {
    uint64_t plan;
    double value, time_s;
    int64_t mono_ns;
    uint32_t label_count;
    uint32_t state; /* result_state_t */
} mail_result_t;

typedef struct {
    uint64_t id;
    double interval_s, lookback_s;
} mail_plan_t;

typedef struct {
    bool put;
} mail_slo_t;

typedef struct {
    double value; /* NaN: it is no more */
    uint32_t kind, label_count;
} mail_sample_t;

/*  A notice_effect_t without its channel, and when it took effect. */
typedef struct {
    uint32_t type, told;
    uint64_t alert, revision;
    double time_s;
} mail_note_t;

/*  `epoch` counts connections: what belongs to an earlier one is no more of interest. */
typedef struct {
    uint32_t family;
    uint64_t seq, epoch;
} mail_relay_t;

typedef struct {
    uint64_t ticket; /* given back in mail_fed_t */
    uint32_t lane;   /* lane_kind_t */
} mail_feed_t;

typedef struct {
    uint64_t ticket;
    uint64_t accepted, refused; /* events */
    uint32_t status;            /* why one was refused */
    bool unavailable;           /* the store took none of it: once more */
} mail_fed_t;

zmsg_t *mail_new(mail_kind_t kind);

/*  Append a plain struct by value. */
void mail_add(zmsg_t *mail, const void *bytes, size_t size);
void mail_add_text(zmsg_t *mail, text_t text);
void mail_add_buffer(zmsg_t *mail, const msgpack_sbuffer *buffer);

/*  Take the kind off the front; MAIL_NONE for what is no mail of ours (czmq's own "$TERM"). */
mail_kind_t mail_open(zmsg_t *mail);

/*  Take the next frame off the front; the caller destroys it. */
zframe_t *mail_take(zmsg_t *mail);

/*  Take the next frame, which must be a struct of that size. */
void mail_take_struct(zmsg_t *mail, void *out, size_t size);

text_t frame_text(zframe_t *frame);

/*  Wait until it is sent. */
void mail_send(zmsg_t **mail, zsock_t *pipe);

/*  Send it if there is room; false and destroyed if not. */
bool mail_try(zmsg_t **mail, zsock_t *pipe);

/*  The next mail that waits; NULL if there is none. */
zmsg_t *mail_receive(zsock_t *pipe);

/*  The next mail, waited for. */
zmsg_t *mail_wait(zsock_t *pipe);

/*  Two ends of a pipe that holds up to `most` mails each way. */
void pipe_new(int most, zsock_t **one, zsock_t **other);

#endif
