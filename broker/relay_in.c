#include "broker/lane.h"
#include "broker/log.h"
#include "broker/relay_entry.h"
#include "broker/relay_inside.h"
#include "broker/relay_reply.h"
#include "proto/must.h"

#include <stdio.h>
#include <stdlib.h>

/* How long a read may wait for something to come; a server that is silent for longer is gone. */
#define BLOCK_MS 500
#define SILENT_NS (3 * NS_PER_S)

/* A wing that has not said what became of an entry for so long has lost it with a failed commit. */
#define FED_NS (10 * NS_PER_S)

static const char *name_of(text_t name, const char *otherwise, char *out, size_t size)
{
    snprintf(out, size, "%.*s", name.data == NULL ? (int)strlen(otherwise) : (int)name.size,
             name.data == NULL ? otherwise : name.data);
    return out;
}

static const char *stream_of(const relay_input_t *input, char out[256])
{
    return name_of(input->settings->stream, "", out, 256);
}

static const char *group_of(const relay_input_t *input, char out[256])
{
    return name_of(input->settings->group, "tocsin", out, 256);
}

/*  Brokers that share a group are told apart by the name of their host. */
static const char *consumer_of(const relay_state_t *self, const relay_input_t *input, char out[256])
{
    return name_of(input->settings->consumer, self->given->source, out, 256);
}

static uint64_t deliveries_of(const relay_input_t *input)
{
    return input->settings->max_deliveries == 0 ? 5 : input->settings->max_deliveries;
}

static long idle_ms(const relay_input_t *input)
{
    return (long)(input->settings->claim_idle * 1000);
}

/*  What is not acknowledged stays pending, and is claimed when it is old enough. */
static void give_up(relay_state_t *self, relay_input_t *input, const char *why)
{
    if (input->link.failures == 0)
        log_warning("a stream of the relay bus is out of reach", "stream=%.*s reason=\"%s\"",
                    (int)input->settings->stream.size, input->settings->stream.data, why);
    link_drop(&input->link, self->now, why);
    input->grouped = input->reading = false;
    input->flight_count = input->away = 0;
}

/*  A reply of that type, or the link is given up. */
static bool expect(relay_state_t *self, relay_input_t *input, const redisReply *reply, int type)
{
    if (reply != NULL && (reply->type == type || reply->type == REDIS_REPLY_NIL))
        return true;
    give_up(self, input,
            reply == NULL                      ? input->link.error
            : reply->type == REDIS_REPLY_ERROR ? reply->str
                                               : "a reply that makes no sense");
    return false;
}

/* -- one entry -- */

static lane_kind_t lane_of(const relay_input_t *input)
{
    lane_kind_t lane = LANE_METRICS;
    while (lane < LANE_INCIDENTS && !text_is(input->settings->kind, lane_names[lane]))
        lane++;
    return lane;
}

/*  To the wing that reads this kind. */
static void feed(relay_state_t *self, const relay_input_t *input, flight_t *flight)
{
    char identity[400];
    lane_kind_t lane = lane_of(input);
    mail_feed_t about = {.ticket = flight->ticket, .lane = lane};
    snprintf(identity, sizeof identity, "%.*s/%s", (int)input->settings->stream.size,
             input->settings->stream.data, flight->id);
    zmsg_t *mail = mail_new(MAIL_FEED);
    mail_add(mail, &about, sizeof about);
    mail_add_text(mail, text_of(identity));
    mail_add_buffer(mail, &self->frame);
    mail_send(&mail, lane == LANE_INCIDENTS ? self->given->operations : self->given->observability);
}

static void refuse(relay_input_t *input, const char *id, const char *words)
{
    input->refused++;
    snprintf(input->last_refusal, sizeof input->last_refusal, "%s: %s", id, words);
}

static void take_entry(relay_state_t *self, relay_input_t *input, const redisReply *entry)
{
    entry_field_t fields[REPLY_FIELDS_MAX];
    const char *id, *words = "";
    size_t count = 0;
    if (input->flight_count == READ_COUNT || !reply_entry(entry, &id, fields, &count))
        return;
    input->read++;
    self->frame.size = 0;
    if (!entry_frame(input->settings, fields, count, &self->frame, &words)) {
        refuse(input, id, words); /* it stays pending, and is dead after its tries */
        return;
    }
    flight_t *flight = &input->flights[input->flight_count++];
    *flight = (flight_t){.ticket = ++self->tickets};
    snprintf(flight->id, sizeof flight->id, "%s", id);
    input->away++;
    input->away_ns = self->now.mono_ns;
    feed(self, input, flight);
}

static void take_entries(relay_state_t *self, relay_input_t *input, const redisReply *entries)
{
    for (size_t i = 0; entries->type == REDIS_REPLY_ARRAY && i < entries->elements; i++)
        take_entry(self, input, entries->element[i]);
}

/* -- acknowledging -- */

static void acknowledge(relay_state_t *self, relay_input_t *input)
{
    char stream[256], group[256];
    const char *words[READ_COUNT + 3] = {"XACK", stream_of(input, stream), group_of(input, group)};
    int count = 3;
    for (size_t i = 0; i < input->flight_count; i++)
        if (input->flights[i].done)
            words[count++] = input->flights[i].id;
    input->flight_count = 0;
    if (count == 3)
        return;
    redisReply *reply = link_command(&input->link, count, words, NULL);
    if (expect(self, input, reply, REDIS_REPLY_INTEGER))
        input->acknowledged += (uint64_t)(count - 3);
    freeReplyObject(reply);
}

static flight_t *find_flight(relay_state_t *self, uint64_t ticket, relay_input_t **input)
{
    for (size_t i = 0; i < self->input_count; i++)
        for (size_t k = 0; k < self->inputs[i].flight_count; k++)
            if (self->inputs[i].flights[k].ticket == ticket) {
                *input = &self->inputs[i];
                return &self->inputs[i].flights[k];
            }
    return NULL;
}

void relay_in_take_fed(relay_state_t *self, zmsg_t *mail)
{
    mail_fed_t fed;
    relay_input_t *input;
    mail_take_struct(mail, &fed, sizeof fed);
    flight_t *flight = find_flight(self, fed.ticket, &input);
    if (flight == NULL)
        return; /* of a connection that is no more */
    flight->ticket = 0;
    flight->done = !fed.unavailable && (fed.accepted > 0 || fed.refused == 0);
    if (!flight->done && !fed.unavailable)
        refuse(input, flight->id, status_text((status_t)fed.status));
    input->away--;
}

/* -- what nobody acknowledged -- */

/*  With its fields, and where it stood, to STREAM:dead; then it is done with. */
static void bury(relay_state_t *self, relay_input_t *input, const char *id)
{
    char stream[256], group[256], dead[264];
    entry_field_t fields[REPLY_FIELDS_MAX];
    const char *found, *words[REPLY_FIELDS_MAX * 2 + 8];
    size_t sizes[REPLY_FIELDS_MAX * 2 + 8], count = 0;
    int used = 0;
    redisReply *reply =
        link_ask(&input->link, "XRANGE %s %s %s COUNT 1", stream_of(input, stream), id, id);
    if (!expect(self, input, reply, REDIS_REPLY_ARRAY)) {
        freeReplyObject(reply);
        return;
    }
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 1)
        reply_entry(reply->element[0], &found, fields, &count);
    snprintf(dead, sizeof dead, "%s:dead", stream);
    const char *const head[] = {"XADD", dead, "*", "dead_id", id};
    for (; used < 5; used++) {
        words[used] = head[used];
        sizes[used] = strlen(head[used]);
    }
    for (size_t i = 0; i < count; i++) {
        words[used] = fields[i].name.data;
        sizes[used++] = fields[i].name.size;
        words[used] = fields[i].value.data;
        sizes[used++] = fields[i].value.size;
    }
    redisReply *added = link_command(&input->link, used, words, sizes);
    bool good = expect(self, input, added, REDIS_REPLY_STRING);
    freeReplyObject(added);
    freeReplyObject(reply);
    if (!good)
        return;
    input->dead++;
    reply = link_ask(&input->link, "XACK %s %s %s", stream, group_of(input, group), id);
    expect(self, input, reply, REDIS_REPLY_INTEGER);
    freeReplyObject(reply);
}

/*  Each of them: id, consumer, idle, deliveries. */
static void bury_dead(relay_state_t *self, relay_input_t *input)
{
    char stream[256], group[256];
    redisReply *reply =
        link_ask(&input->link, "XPENDING %s %s IDLE %ld - + %u", stream_of(input, stream),
                 group_of(input, group), idle_ms(input), READ_COUNT);
    bool good = expect(self, input, reply, REDIS_REPLY_ARRAY);
    for (size_t i = 0; good && i < reply->elements && input->link.context != NULL; i++) {
        const char *id = reply_pending(reply->element[i], deliveries_of(input));
        if (id != NULL)
            bury(self, input, id);
    }
    freeReplyObject(reply);
}

/*  What a consumer that is gone held, and what was refused: once more. */
static void claim(relay_state_t *self, relay_input_t *input)
{
    char stream[256], group[256], consumer[256];
    int64_t interval = (int64_t)(input->settings->claim_idle * 0.5 * (double)NS_PER_S);
    input->claim_ns = self->now.mono_ns + interval;
    bury_dead(self, input);
    if (input->link.context == NULL)
        return;
    redisReply *reply = link_ask(
        &input->link, "XAUTOCLAIM %s %s %s %ld 0 COUNT %u", stream_of(input, stream),
        group_of(input, group), consumer_of(self, input, consumer), idle_ms(input), READ_COUNT / 2);
    if (expect(self, input, reply, REDIS_REPLY_ARRAY) && reply->elements >= 2 &&
        reply->element[1]->type == REDIS_REPLY_ARRAY) {
        input->claimed += reply->element[1]->elements;
        take_entries(self, input, reply->element[1]);
    }
    freeReplyObject(reply);
}

/* -- reading -- */

/*  From the first entry on; that there is one already is no error. */
static bool make_group(relay_state_t *self, relay_input_t *input)
{
    char stream[256], group[256];
    redisReply *reply = link_ask(&input->link, "XGROUP CREATE %s %s 0 MKSTREAM",
                                 stream_of(input, stream), group_of(input, group));
    bool there = reply != NULL && reply->type == REDIS_REPLY_ERROR &&
                 strncmp(reply->str, "BUSYGROUP", 9) == 0;
    input->grouped = there || expect(self, input, reply, REDIS_REPLY_STATUS);
    freeReplyObject(reply);
    return input->grouped;
}

static void begin_read(relay_state_t *self, relay_input_t *input)
{
    char stream[256], group[256], consumer[256], count[16], block[24];
    long wait = BLOCK_MS < idle_ms(input) ? BLOCK_MS : idle_ms(input);
    snprintf(count, sizeof count, "%u", READ_COUNT / 2);
    snprintf(block, sizeof block, "%ld", wait);
    const char *words[] = {"XREADGROUP",
                           "GROUP",
                           group_of(input, group),
                           consumer_of(self, input, consumer),
                           "COUNT",
                           count,
                           "BLOCK",
                           block,
                           "STREAMS",
                           stream_of(input, stream),
                           ">"};
    link_append(&input->link, sizeof words / sizeof *words, words, NULL);
    int done = 0;
    while (done == 0)
        if (redisBufferWrite(input->link.context, &done) != REDIS_OK) {
            give_up(self, input, input->link.context->errstr);
            return;
        }
    input->reading = true;
    input->read_ns = self->now.mono_ns;
}

void relay_in_take_reply(relay_state_t *self, relay_input_t *input)
{
    redisReply *reply = link_reply(&input->link);
    input->reading = false;
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR &&
        strncmp(reply->str, "NOGROUP", 7) == 0) {
        input->grouped = false; /* lost in a failover, or flushed */
    } else if (expect(self, input, reply, REDIS_REPLY_ARRAY)) {
        link_works(&input->link);
        take_entries(self, input, reply_entries(reply));
    }
    freeReplyObject(reply);
}

static void serve(relay_state_t *self, relay_input_t *input)
{
    if (!link_connect(&input->link, relay_settings(self), self->now))
        return;
    if (input->reading) {
        if (self->now.mono_ns > input->read_ns + SILENT_NS)
            give_up(self, input, "it is silent");
        return;
    }
    if (input->away > 0 && self->now.mono_ns < input->away_ns + FED_NS)
        return;
    acknowledge(self, input);
    if (input->link.context == NULL || (!input->grouped && !make_group(self, input)))
        return;
    if (self->now.mono_ns >= input->claim_ns)
        claim(self, input);
    if (input->link.context != NULL && input->away == 0 && !self->stopping)
        begin_read(self, input);
}

void relay_in_turn(relay_state_t *self)
{
    for (size_t i = 0; i < self->input_count; i++)
        serve(self, &self->inputs[i]);
}

void relay_in_close(relay_state_t *self)
{
    for (size_t i = 0; i < self->input_count; i++)
        link_close(&self->inputs[i].link);
    free(self->inputs);
    self->inputs = NULL;
    self->input_count = 0;
}

void relay_in_configure(relay_state_t *self)
{
    const relay_settings_t *settings = relay_settings(self);
    relay_in_close(self);
    if (settings->url.data == NULL)
        return;
    self->inputs = memory_new(settings->in_count + 1, sizeof *self->inputs);
    self->input_count = settings->in_count;
    for (size_t i = 0; i < self->input_count; i++)
        self->inputs[i].settings = &settings->in[i];
}
