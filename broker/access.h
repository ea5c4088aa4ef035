/*  access - who may do what: one table of roles and actions, and one function that is asked for
 *  every message.
 *
 *  Owns     nothing; a key's texts belong to the access_keys_t it lies in
 *  Time     a walk over the prefixes of one key
 *  Thread   any
 *  Refuses  everything to nobody: a key that is not known has no rights
 *
 *  A right is never remembered with a connection: ZeroMQ names the key with every message
 *  (`User-Id`, rfc.zeromq.org/spec/27), so what is taken away is gone with the next message.
 *
 *  What is one's own: a producer's are the names of metrics, operations and systems that begin with
 *  one of its `write` prefixes; a reader's are the topics that begin with one of its `read`
 *  prefixes. A question is about the topic of what it asks for: metrics.get {name: "cpu"} about
 *  "metrics.cpu", a list without a prefix about "metrics.".
 */
#ifndef BROKER_ACCESS_H
#define BROKER_ACCESS_H

#include "proto/command.h"
#include "proto/text.h"

#include <stdbool.h>

typedef enum { ROLE_PRODUCER, ROLE_SUBSCRIBER, ROLE_OPERATOR, ROLE_ADMIN, ROLE_COUNT } role_t;

extern const char *const role_words[]; /* "producer", …; NULL at the end */

typedef enum {
    ACTION_ADMINISTER, /* what is in no table is for the administrator */
    ACTION_PUSH,       /* metric and request events */
    ACTION_REPORT,     /* open an incident, add a note */
    ACTION_OPERATE,    /* change the state of incidents and alerts */
    ACTION_DEFINE,     /* change policies, runbooks, SLOs */
    ACTION_READ,       /* subscribe, replay, ask */
    ACTION_INSPECT,    /* how the broker is */
    ACTION_GREET,      /* is it there */
    ACTION_COUNT
} action_t;

/*  One public key. Its text is also the User-Id of the connections that hold it. */
#define KEY_TEXT_SIZE 41u /* 40 characters of Z85 (rfc.zeromq.org/spec/32) and a NUL */

typedef struct {
    text_t name; /* the principal; several keys may share it while one replaces the other */
    role_t role;
    char public_key[KEY_TEXT_SIZE];
    texts_t write, read;        /* prefixes; "*" stands for everything */
    double not_before, expires; /* Unix seconds; NaN: no bound */
} access_key_t;

action_t access_action(do_t command);

/*  May this key do that to what is named so? NULL: nobody. */
bool access_permits(const access_key_t *who, action_t action, text_t subject);

/*  May it do that to anything at all? For what has no subject, or one that is not known yet. */
bool access_permits_at_all(const access_key_t *who, action_t action);

/*  May this key give that command? Incidents are told apart by what they name; which incident a
 *  note is for only its own state tells: see access_permits_incident. */
bool access_permits_command(const access_key_t *who, const command_t *command);

/*  May this key speak about that incident: are all of its systems its own? */
bool access_permits_incident(const access_key_t *who, texts_t systems, text_t key);

/*  What of a wish to subscribe is served: 1 the topic itself, or as many read prefixes that lie
 *  within it; 0 nothing. `take` is called for each. */
size_t access_topics(const access_key_t *who, text_t topic,
                     void (*take)(void *context, text_t prefix), void *context);

#endif
