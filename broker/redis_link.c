#include "broker/redis_link.h"

#include "broker/channel.h"
#include "broker/clock.h"
#include "proto/must.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#define RETRY_FIRST_NS (NS_PER_S / 5)
#define RETRY_MOST_NS (5 * NS_PER_S)

/* -- bounds -- */

/*  Those of hiredis, but for one: there is no public name for them. */
static redisReplyObjectFunctions functions;
static void *(*make_array)(const redisReadTask *, int);

static void *make_bounded_array(const redisReadTask *task, int elements)
{
    return elements > (int)LINK_REPLY_ELEMENTS ? NULL : make_array(task, elements);
}

void link_bound_reader(redisReader *reader)
{
    if (make_array == NULL) {
        functions = *reader->fn;
        make_array = functions.createArray;
        functions.createArray = make_bounded_array;
    }
    reader->fn = &functions;
}

/* -- the connection -- */

void link_close(redis_link_t *self)
{
    if (self->context != NULL)
        redisFree(self->context);
    self->context = NULL;
}

void link_drop(redis_link_t *self, instant_t now, const char *why)
{
    if (why != self->error)
        snprintf(self->error, sizeof self->error, "%s", why);
    for (char *c = self->error; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
            *c = ' ';
    link_close(self);
    int64_t delay = RETRY_FIRST_NS << (self->failures < 10 ? self->failures : 10);
    self->retry_ns = now.mono_ns + (delay < RETRY_MOST_NS ? delay : RETRY_MOST_NS);
    self->failures++;
}

void link_works(redis_link_t *self)
{
    self->failures = 0;
    self->error[0] = '\0';
}

static bool fail(redis_link_t *self, instant_t now, const redisReply *reply)
{
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
        link_drop(self, now, reply->str);
    else
        link_drop(self, now, self->error[0] == '\0' ? "no answer that makes sense" : self->error);
    return false;
}

static bool is_status(const redisReply *reply)
{
    return reply != NULL && reply->type == REDIS_REPLY_STATUS;
}

static bool authenticate(redis_link_t *self, const relay_settings_t *settings)
{
    char password[CHANNEL_SECRET_MAX], user[256];
    if (settings->password_file.data == NULL)
        return true;
    if (!channel_read_secret(settings->password_file, password, sizeof password)) {
        snprintf(self->error, sizeof self->error, "cannot read password_file");
        return false;
    }
    snprintf(user, sizeof user, "%.*s", (int)settings->username.size,
             settings->username.data == NULL ? "" : settings->username.data);
    redisReply *reply = settings->username.data == NULL
                            ? link_ask(self, "AUTH %s", password)
                            : link_ask(self, "AUTH %s %s", user, password);
    explicit_bzero(password, sizeof password);
    bool good = is_status(reply);
    if (!good && reply != NULL && reply->type == REDIS_REPLY_ERROR)
        snprintf(self->error, sizeof self->error, "%s", reply->str);
    freeReplyObject(reply);
    return good;
}

static bool select_database(redis_link_t *self, int database)
{
    if (database == 0)
        return true;
    redisReply *reply = link_ask(self, "SELECT %d", database);
    bool good = is_status(reply);
    freeReplyObject(reply);
    return good;
}

/*  The value of `key` in the text of INFO, up to the end of its line. */
static void read_info(const char *info, const char *key, char *out, size_t size)
{
    const char *at = strstr(info, key);
    snprintf(out, size, "%.*s", at == NULL ? 0 : (int)strcspn(at + strlen(key), "\r\n"),
             at == NULL ? "" : at + strlen(key));
}

/*  Another process, or the same one after a failover, may not have what was confirmed. */
static bool learn_who(redis_link_t *self, instant_t now)
{
    char run_id[24], replication_id[24];
    redisReply *reply = link_ask(self, "INFO");
    if (reply == NULL || reply->type != REDIS_REPLY_STRING) {
        fail(self, now, reply);
        freeReplyObject(reply);
        return false;
    }
    read_info(reply->str, "\nrun_id:", run_id, sizeof run_id);
    read_info(reply->str, "\nmaster_replid:", replication_id, sizeof replication_id);
    read_info(reply->str, "\nrole:", self->role, sizeof self->role);
    bool loading = strstr(reply->str, "\nloading:1") != NULL;
    freeReplyObject(reply);
    snprintf(self->run_id, sizeof self->run_id, "%s/%s", run_id, replication_id);
    if (loading || strcmp(self->role, "master") != 0) {
        link_drop(self, now, loading ? "it is loading" : "it is a replica");
        return false;
    }
    return true;
}

bool link_connect(redis_link_t *self, const relay_settings_t *settings, instant_t now)
{
    relay_place_t place;
    struct timeval timeout = {.tv_sec = LINK_TIMEOUT_MS / 1000};
    if (self->context != NULL)
        return true;
    if (now.mono_ns < self->retry_ns || !relay_place(settings->url, &place))
        return false;
    self->context = redisConnectWithTimeout(place.host, place.port, timeout);
    must(self->context != NULL);
    if (self->context->err != 0) {
        link_drop(self, now, self->context->errstr);
        return false;
    }
    link_bound_reader(self->context->reader);
    redisSetTimeout(self->context, timeout);
    redisEnableKeepAlive(self->context);
    if (!authenticate(self, settings) || !select_database(self, place.database))
        return fail(self, now, NULL);
    self->connections++;
    return learn_who(self, now);
}

/* -- commands -- */

void link_append(redis_link_t *self, int count, const char **words, const size_t *sizes)
{
    must(redisAppendCommandArgv(self->context, count, words, sizes) == REDIS_OK);
}

static bool flush(redis_link_t *self)
{
    int done = 0;
    while (done == 0)
        if (redisBufferWrite(self->context, &done) != REDIS_OK)
            return false;
    return true;
}

redisReply *link_reply(redis_link_t *self)
{
    void *reply = NULL;
    redisContext *context = self->context;
    int64_t deadline = clock_now().mono_ns + LINK_REPLY_MS * INT64_C(1000000);
    bool good = flush(self);
    while (good && reply == NULL) {
        good = redisReaderGetReply(context->reader, &reply) == REDIS_OK;
        if (good && reply == NULL)
            good = context->reader->len - context->reader->pos <= LINK_REPLY_BYTES &&
                   clock_now().mono_ns < deadline && redisBufferRead(context) == REDIS_OK;
    }
    if (good)
        return reply;
    const char *why = context->err != 0 ? context->errstr : context->reader->errstr;
    snprintf(self->error, sizeof self->error, "%s",
             why[0] == '\0' ? "a reply is too large, or came too slowly" : why);
    return NULL;
}

redisReply *link_command(redis_link_t *self, int count, const char **words, const size_t *sizes)
{
    link_append(self, count, words, sizes);
    return link_reply(self);
}

redisReply *link_ask(redis_link_t *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int code = redisvAppendCommand(self->context, format, arguments);
    va_end(arguments);
    must(code == REDIS_OK);
    return link_reply(self);
}
