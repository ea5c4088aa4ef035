/*  relay_inside - what the files of the relay bus share. Private to it.
 *
 *    relay_bus      the loop, and its mails
 *    relay_out      publications to Redis
 *    relay_in       entries from Redis
 *    relay_answers  what is answered about the bus
 */
#ifndef BROKER_RELAY_INSIDE_H
#define BROKER_RELAY_INSIDE_H

#include "broker/mail.h"
#include "broker/redis_link.h"
#include "broker/relay_bus.h"
#include "broker/relay_envelope.h"
#include "broker/relay_reply.h"
#include "proto/command.h"

/* Entries of a stream that are under way at a time. */
#define READ_COUNT 256u

/*           connected: who are you?         where to go on
 *    DOWN ─────────────────────────► MET ─────────────────► SENDING
 *      ▲                              │                        │
 *      └──────── anything wrong ──────┴────────────────────────┘
 */
typedef enum { OUT_DOWN, OUT_MET, OUT_SENDING } out_state_t;

typedef struct {
    uint64_t sent;     /* confirmed up to this number */
    uint64_t marked;   /* and the operations actor told so */
    uint64_t taken_in; /* asked for up to this number */
    bool wanted;       /* the operations actor is asked */
    bool sends;        /* the family goes out at all */
} family_out_t;

typedef struct {
    out_state_t state;
    redis_link_t link;
    uint64_t epoch;
    int64_t mark_ns;  /* when to tell the operations actor again how far it came */
    int64_t asked_ns; /* MET: since when; SENDING: when something was wanted last */
    family_out_t families[FAMILY_STORED];
    envelope_t envelope;
    uint64_t sent, filtered; /* entries */
    uint64_t missing;        /* numbers that were let go, or never kept */
    uint64_t again;          /* how often another server was met */
} relay_output_t;

/*  An entry whose effect is awaited. */
typedef struct {
    char id[REPLY_ID_BYTES];
    uint64_t ticket; /* 0: it is back */
    bool done;       /* to be acknowledged */
} flight_t;

typedef struct {
    const relay_in_t *settings;
    redis_link_t link;
    bool grouped; /* the group is known to be there */
    bool reading; /* an answer to a read is awaited */
    flight_t flights[READ_COUNT];
    size_t flight_count, away;
    int64_t read_ns, away_ns, claim_ns; /* when it was read, handed over; when to claim next */
    uint64_t read, acknowledged, refused, dead, claimed;
    char last_refusal[120];
} relay_input_t;

typedef struct {
    relay_bus_t *given;
    zsock_t *reactor;
    relay_output_t out;
    relay_input_t *inputs;
    size_t input_count;
    uint64_t tickets;
    instant_t now;
    arena_t arena;
    msgpack_sbuffer body, outcome, frame;
    bool stopping, ended;
} relay_state_t;

static inline const relay_settings_t *relay_settings(const relay_state_t *self)
{
    return &self->given->config->settings.relay;
}

/* -- relay_out -- */

void relay_out_configure(relay_state_t *self);
/*  Connect if it is time, ask for what is wanted. */
void relay_out_turn(relay_state_t *self);
/*  Have it kept how far everything was sent. */
void relay_out_mark(relay_state_t *self);
void relay_out_take_at(relay_state_t *self, zmsg_t *mail);
void relay_out_take_batch(relay_state_t *self, zmsg_t *mail);

/* -- relay_in -- */

void relay_in_configure(relay_state_t *self);
void relay_in_close(relay_state_t *self);
/*  Connect, claim, read: whatever is next for each stream. */
void relay_in_turn(relay_state_t *self);
/*  The link's socket can be read. */
void relay_in_take_reply(relay_state_t *self, relay_input_t *input);
/*  A wing says what became of an entry. */
void relay_in_take_fed(relay_state_t *self, zmsg_t *mail);

/* -- relay_answers -- */

void relay_answer(relay_state_t *self, zmsg_t **mail);

#endif
