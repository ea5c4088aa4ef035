/*  redis_link - one connection to one Redis, or none at the moment.
 *
 *  Owns     the connection
 *  Bounds   LINK_TIMEOUT_MS to connect and to answer, LINK_REPLY_MS to answer in full; a reply of
 * LINK_REPLY_BYTES and LINK_REPLY_ELEMENTS: whoever sends more is cut off Time     handed in; tries
 * again after 0.2 s to 30 s, doubling Thread   one
 *
 *  Whatever goes wrong, the connection is given up and made anew: a reply of an earlier command can
 *  never be taken for one of a later.
 */
#ifndef BROKER_REDIS_LINK_H
#define BROKER_REDIS_LINK_H

#include "broker/relay_config.h"
#include "proto/instant.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>

#define LINK_TIMEOUT_MS 1000 /* without a byte */
#define LINK_REPLY_MS 5000   /* for the whole of a reply */
#define LINK_REPLY_BYTES (64u << 20)
#define LINK_REPLY_ELEMENTS 65536u

typedef struct {
    redisContext *context; /* NULL: not connected */
    char run_id[64];       /* of the server, with its replication id: another one has forgotten */
    char role[16];         /* "master", "slave" */
    char error[200];       /* why it was given up last, for people */
    uint32_t failures;     /* in a row */
    uint64_t connections;  /* made so far */
    int64_t retry_ns;      /* not before this */
} redis_link_t;

/*  Connect, authenticate, select, and learn who it is, unless it is too early to try. True: it is
 * connected. */
bool link_connect(redis_link_t *self, const relay_settings_t *settings, instant_t now);

/*  Give it up, and say why. */
void link_drop(redis_link_t *self, instant_t now, const char *why);
void link_close(redis_link_t *self);

/*  Everything goes well: the next failure is a first one. */
void link_works(redis_link_t *self);

/*  Append a command to what will be written. */
void link_append(redis_link_t *self, int count, const char **words, const size_t *sizes);

/*  The next reply, written for and waited for as long as LINK_TIMEOUT_MS; NULL: the link broke, and
 * `error` says how. Freed with freeReplyObject. */
redisReply *link_reply(redis_link_t *self);

/*  One command and its reply. */
redisReply *link_command(redis_link_t *self, int count, const char **words, const size_t *sizes);

/*  The same of printf's format, as redisCommand has it. */
redisReply *link_ask(redis_link_t *self, const char *format, ...);

/*  Have a reader refuse arrays of more than LINK_REPLY_ELEMENTS: hiredis believes any count that it
 * is told, and 0.14.1 takes memory for it at once. */
void link_bound_reader(redisReader *reader);

#endif
