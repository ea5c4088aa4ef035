/*  subscriber - what its two halves share: subscriber.c hears what is published, subscriber_fill.c
 *  asks for what was missed.
 *
 *  One publication from the wire is held at a time; while others have to come before it, the rest
 *  waits in the socket, and what does not fit there is missed and asked for. A question is never
 *  waited for longer than the caller's time: it stays asked, and its answer is taken by a later
 *  call.
 *
 *  Owns     everything below
 *  Thread   one at a time
 */
#ifndef CLIENTS_LIBTOCSIN_SUBSCRIBER_H
#define CLIENTS_LIBTOCSIN_SUBSCRIBER_H

#include "clients/libtocsin/place.h"

#include <stddef.h>
#include <tocsin.h>
#include <zmq.h>

typedef enum {
    FAMILY_ANOMALY,
    FAMILY_SLO,
    FAMILY_DEPENDENCY,
    FAMILY_ALERT,
    FAMILY_INCIDENT,
    FAMILY_HEARTBEAT, /* neither stored nor filled */
    FAMILY_COUNT
} family_t;

/*  One publication as it was read, not yet judged. */
typedef struct {
    family_t family;
    uint64_t seq;
    tocsin_value_t body; /* size 0: none */
} arrival_t;

/*  The question that is out. */
typedef enum {
    ASKED_NOTHING,
    ASKED_WHERE_TO_BEGIN,
    ASKED_WHETHER_ANEW,
    ASKED_FOR_PAGE /* of page_family */
} asked_t;

#define TOPIC_BYTES 256u

struct tocsin_subscriber {
    void *context, *socket;
    tocsin_commander_t *commander; /* NULL: holes are not filled */
    place_t places[FAMILY_COUNT];
    char *topic; /* only what begins so */
    bool replay;
    uint64_t since;
    int readable; /* an epoll of both sockets' descriptors; -1: nobody asked for it */
    bool started;
    bool suspicious; /* a heartbeat had less than was given: to be asked before it is believed, as
                        one that waited in the socket is older than what a page brought */

    zmq_msg_t message; /* the last one from the socket; `held` lies in it */
    arrival_t held;

    asked_t asked;
    family_t page_family;
    tocsin_reply_t *page;
    tocsin_value_t items; /* of the page, from the next one on: bytes without an array's head */
    size_t items_left;

    char topic_text[TOPIC_BYTES], subject[TOPIC_BYTES], type[64];
};

/*  The family of that name; FAMILY_COUNT if there is none. */
family_t family_named(const char *name, size_t size);
const char *family_word(family_t family);

/*  Read who it is; false if it is no publication. */
bool arrival_read(tocsin_value_t body, arrival_t *arrival);

/* -- subscriber_fill.c -- */

/*  Take in what is the newest of each family, from a map of them. */
void subscriber_see_heads(tocsin_subscriber_t *self, tocsin_value_t heads);

/*  Ask, and take the answer if it comes in time; TOCSIN_TIMEOUT leaves the question out. */
tocsin_status_t subscriber_ask(tocsin_subscriber_t *self, asked_t question, double until);

/*  Take the answer to the question that is out. */
tocsin_status_t subscriber_await(tocsin_subscriber_t *self, double until);

/*  The next publication of the page that was asked for; false when it has no more. */
bool subscriber_next_item(tocsin_subscriber_t *self, arrival_t *arrival);

/*  Does a heartbeat with these heads come from a broker that has less than was given? */
bool subscriber_is_behind(const tocsin_subscriber_t *self, tocsin_value_t heads);

#endif
