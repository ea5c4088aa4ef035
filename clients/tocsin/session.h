/*  session - the broker as one command line sees it: where it is, what it answers, and what to tell
 *  a person when it does not.
 *
 *  Owns     the commander
 *  Time     a broker that is not there is known within REACH_S; an answer may take --timeout
 *  Refuses  by exit status, after one line on stderr: 1 the broker said no, EX_UNAVAILABLE nobody
 *           answers, EXIT_INTERRUPTED Ctrl-C
 */
#ifndef CLIENTS_TOCSIN_SESSION_H
#define CLIENTS_TOCSIN_SESSION_H

#include "clients/tocsin/call.h"

#include <tocsin.h>

#define EXIT_REFUSED 1 /* the broker said no */

/* Long enough for a handshake on a busy machine, short enough that nobody grows impatient. */
#define REACH_S 0.9

typedef enum { AT_METRICS, AT_REQUESTS, AT_INCIDENTS, AT_EVENTS, AT_CONTROL, AT_COUNT } at_t;

#define ADDRESS_BYTES 256u

typedef struct {
    const call_t *call;
    tocsin_commander_t *commander;
    char addresses[AT_COUNT][ADDRESS_BYTES];
} session_t;

/*  Find out where the broker is: --endpoint over TOCSIN_ENDPOINTS_<NAME> over the default. 0 or
 *  EX_USAGE; session_close in both cases. */
int session_open(session_t *self, const call_t *call);
void session_close(session_t *self);

/*  Complete the addresses of `wanted` (bits of at_t): when only `control` was named, the broker
 *  there is asked for the others. 0 or an exit status. */
int session_locate(session_t *self, unsigned wanted);

/*  Ask or command; `arguments` is a map, or absent. 0 and a reply, which is then the caller's, or
 *  an exit status. */
int session_ask(session_t *self, const char *command, tocsin_value_t arguments,
                tocsin_reply_t **reply);

/*  The same, but a refusal is not written to stderr: the reply holds it, and 1 is answered. */
int session_try(session_t *self, const char *command, tocsin_value_t arguments,
                tocsin_reply_t **reply);

/*  Neither can it be tried, errno says why: the address is none, or the keys cannot be used. Says
 *  so; answers EX_USAGE. */
int session_unusable(const char *address);

/*  Nobody takes or sends anything there: says so and what to do. Answers EX_UNAVAILABLE. */
int session_unreachable(const char *address);

#endif
