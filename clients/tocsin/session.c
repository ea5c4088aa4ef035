#include "clients/tocsin/session.h"

#include "clients/tocsin/interrupt.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <zmq.h>

#define ANSWER_S 5.0

static const char *const names[AT_COUNT] = {"metrics", "requests", "incidents", "events",
                                            "control"};

static const char *const defaults[AT_COUNT] = {TOCSIN_METRICS_ADDRESS, TOCSIN_REQUESTS_ADDRESS,
                                               TOCSIN_INCIDENTS_ADDRESS, TOCSIN_EVENTS_ADDRESS,
                                               TOCSIN_CONTROL_ADDRESS};

/* -- where it is -- */

static void keep_address(session_t *self, at_t at, const char *address)
{
    snprintf(self->addresses[at], ADDRESS_BYTES, "%s", address);
}

static void read_environment(session_t *self)
{
    for (at_t at = 0; at < AT_COUNT; at++) {
        char variable[64];
        snprintf(variable, sizeof variable, "TOCSIN_ENDPOINTS_%s", names[at]);
        for (char *c = variable; *c != '\0'; c++)
            *c = (char)toupper((unsigned char)*c);
        const char *value = getenv(variable);
        if (value != NULL)
            keep_address(self, at, value);
    }
}

static int refuse_endpoint(const char *given)
{
    fprintf(stderr,
            "tocsin: --endpoint %s: expected metrics, requests, incidents, events or control, and "
            "= and its address\n",
            given);
    return EX_USAGE;
}

/*  http is an endpoint too, but nothing here goes there. */
static int read_option(session_t *self, const char *given)
{
    size_t size = strcspn(given, "=");
    for (at_t at = 0; at < AT_COUNT; at++)
        if (strlen(names[at]) == size && memcmp(names[at], given, size) == 0) {
            keep_address(self, at, given + size + 1);
            return 0;
        }
    return size == 4 && memcmp(given, "http", 4) == 0 ? 0 : refuse_endpoint(given);
}

int session_open(session_t *self, const call_t *call)
{
    *self = (session_t){.call = call};
    read_environment(self);
    const char *given;
    for (size_t i = 0; (given = call_next(call, OPT_ENDPOINT, &i)) != NULL;) {
        int status = read_option(self, given);
        if (status != 0)
            return status;
    }
    return 0;
}

void session_close(session_t *self)
{
    tocsin_commander_destroy(&self->commander);
}

static int ask_where(session_t *self)
{
    tocsin_reply_t *reply;
    int status = session_ask(self, "system.status", (tocsin_value_t){NULL, 0}, &reply);
    if (status != 0)
        return status;
    tocsin_value_t endpoints = tocsin_value_of(tocsin_reply_result(reply), "endpoints");
    for (at_t at = 0; at < AT_COUNT; at++)
        if (self->addresses[at][0] == '\0')
            tocsin_value_copy(tocsin_value_of(endpoints, names[at]), self->addresses[at],
                              ADDRESS_BYTES);
    tocsin_reply_destroy(&reply);
    return 0;
}

int session_locate(session_t *self, unsigned wanted)
{
    bool complete = true;
    for (at_t at = 0; at < AT_COUNT; at++)
        complete = complete && ((wanted & 1u << at) == 0 || self->addresses[at][0] != '\0');
    if (!complete && self->addresses[AT_CONTROL][0] != '\0') {
        int status = ask_where(self);
        if (status != 0)
            return status;
    }
    for (at_t at = 0; at < AT_COUNT; at++)
        if (self->addresses[at][0] == '\0')
            keep_address(self, at, defaults[at]);
    return 0;
}

/* -- what it answers -- */

int session_unusable(const char *address)
{
    int reason = errno;
    const char *keys = getenv("TOCSIN_KEY");
    if (keys != NULL && (reason == EACCES || reason == ENOENT))
        fprintf(stderr, "tocsin: TOCSIN_KEY=%s: %s\n", keys, strerror(reason));
    else
        fprintf(stderr, "tocsin: %s: %s\n", address, zmq_strerror(reason));
    return EX_USAGE;
}

int session_unreachable(const char *address)
{
    fprintf(stderr,
            "tocsin: no tocsind can be reached at %s\n"
            "Is it running? broker/run or systemctl start tocsind starts it; where it listens is "
            "said with --endpoint NAME=ADDRESS.\n",
            address);
    return EX_UNAVAILABLE;
}

static int connect_commander(session_t *self)
{
    if (self->addresses[AT_CONTROL][0] == '\0')
        keep_address(self, AT_CONTROL, defaults[AT_CONTROL]);
    if (self->commander == NULL)
        self->commander = tocsin_commander_new(self->addresses[AT_CONTROL], REACH_S);
    if (self->commander != NULL)
        return 0;
    return session_unusable(self->addresses[AT_CONTROL]);
}

/*  It is there but takes its time: wait on, and say so to a person. */
static tocsin_status_t wait_on(session_t *self, tocsin_reply_t **reply)
{
    double left = call_number(self->call, OPT_TIMEOUT, ANSWER_S) - REACH_S;
    if (left <= 0)
        return TOCSIN_TIMEOUT;
    bool person = isatty(STDERR_FILENO) != 0;
    if (person)
        fprintf(stderr, "waiting for tocsind at %s ...", self->addresses[AT_CONTROL]);
    tocsin_status_t status = tocsin_ask_again(self->commander, reply, left);
    if (person)
        fputs("\r\033[K", stderr);
    return status;
}

static int complain(const session_t *self, tocsin_status_t status)
{
    if (status == TOCSIN_INTERRUPTED || interrupted())
        return EXIT_INTERRUPTED;
    if (status == TOCSIN_TIMEOUT && !tocsin_commander_reached(self->commander))
        return session_unreachable(self->addresses[AT_CONTROL]);
    if (status == TOCSIN_TIMEOUT)
        fprintf(stderr, "tocsin: tocsind at %s does not answer; --timeout SECONDS waits longer\n",
                self->addresses[AT_CONTROL]);
    else
        fprintf(stderr, "tocsin: %s\n", tocsin_commander_error(self->commander));
    return EX_UNAVAILABLE;
}

int session_try(session_t *self, const char *command, tocsin_value_t arguments,
                tocsin_reply_t **reply)
{
    *reply = NULL;
    int unconnected = connect_commander(self);
    if (unconnected != 0)
        return unconnected;
    tocsin_status_t status = tocsin_ask_with(self->commander, reply, command, arguments);
    if (status == TOCSIN_TIMEOUT && tocsin_commander_reached(self->commander))
        status = wait_on(self, reply);
    if (status == TOCSIN_OK)
        return 0;
    return status == TOCSIN_REFUSED ? EXIT_REFUSED : complain(self, status);
}

int session_ask(session_t *self, const char *command, tocsin_value_t arguments,
                tocsin_reply_t **reply)
{
    int status = session_try(self, command, arguments, reply);
    if (status == EXIT_REFUSED) {
        fprintf(stderr, "tocsin: %s (%s)\n", tocsin_reply_message(*reply),
                tocsin_reply_code(*reply));
        tocsin_reply_destroy(reply);
    }
    return status;
}
