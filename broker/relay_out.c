#include "broker/log.h"
#include "broker/relay_inside.h"
#include "proto/must.h"

#include <stdio.h>

/* An answer that a failed commit took with it is asked for again after this. */
#define ASK_AGAIN_NS (5 * NS_PER_S)

#define WAIT_MS "500"

/* Each mark is a commit; what was sent since the last one is sent again after a crash. */
#define MARK_NS (NS_PER_S / 10)

static void ask(relay_state_t *self, mail_kind_t kind, mail_relay_t about, text_t more)
{
    zmsg_t *mail = mail_new(kind);
    about.epoch = self->out.epoch;
    mail_add(mail, &about, sizeof about);
    if (more.data != NULL)
        mail_add_text(mail, more);
    mail_send(&mail, self->given->operations);
}

static void give_up(relay_state_t *self, const char *why)
{
    relay_output_t *out = &self->out;
    if (out->state == OUT_SENDING || out->link.failures == 0)
        log_warning("the relay bus is out of reach", "reason=\"%s\"", why);
    link_drop(&out->link, self->now, why);
    out->state = OUT_DOWN;
}

void relay_out_configure(relay_state_t *self)
{
    const relay_settings_t *settings = relay_settings(self);
    link_close(&self->out.link);
    self->out.state = OUT_DOWN;
    self->out.link.retry_ns = 0;
    for (family_t family = 0; family < FAMILY_STORED; family++)
        self->out.families[family].sends =
            settings->url.data != NULL && settings->out.enabled &&
            relay_sends_family(&settings->out, text_of(family_name(family)));
}

static void meet(relay_state_t *self)
{
    relay_out_mark(self);
    self->out.epoch++;
    self->out.state = OUT_MET;
    self->out.asked_ns = self->now.mono_ns;
    ask(self, MAIL_RELAY_SERVER, (mail_relay_t){.family = 0}, text_of(self->out.link.run_id));
}

static void want(relay_state_t *self, family_t family)
{
    family_out_t *out = &self->out.families[family];
    if (!out->sends || out->wanted)
        return;
    out->wanted = true;
    self->out.asked_ns = self->now.mono_ns;
    ask(self, MAIL_RELAY_WANT, (mail_relay_t){.family = family, .seq = out->taken_in}, TEXT_NONE);
}

static bool is_wanted(const relay_state_t *self)
{
    bool sends = false;
    for (family_t family = 0; family < FAMILY_STORED; family++)
        sends |= self->out.families[family].sends;
    return sends;
}

/*  What was wanted and never came is wanted again; asking twice does no harm. */
static void ask_again(relay_state_t *self)
{
    if (self->now.mono_ns < self->out.asked_ns + ASK_AGAIN_NS)
        return;
    if (self->out.state == OUT_MET) {
        meet(self);
        return;
    }
    for (family_t family = 0; family < FAMILY_STORED; family++) {
        self->out.families[family].wanted = false;
        want(self, family);
    }
}

/*  A server that went away is noticed though nothing is published. */
static bool is_there(relay_state_t *self)
{
    redisReply *reply = link_ask(&self->out.link, "PING");
    bool good = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    if (!good)
        give_up(self, reply == NULL ? self->out.link.error : reply->str);
    freeReplyObject(reply);
    return good;
}

void relay_out_mark(relay_state_t *self)
{
    self->out.mark_ns = self->now.mono_ns + MARK_NS;
    for (family_t family = 0; family < FAMILY_STORED; family++) {
        family_out_t *out = &self->out.families[family];
        if (out->marked == out->sent)
            continue;
        out->marked = out->sent;
        ask(self, MAIL_RELAY_SENT, (mail_relay_t){.family = family, .seq = out->sent}, TEXT_NONE);
    }
}

void relay_out_turn(relay_state_t *self)
{
    relay_output_t *out = &self->out;
    if (self->now.mono_ns >= out->mark_ns)
        relay_out_mark(self);
    if (!is_wanted(self) || self->stopping)
        return;
    if (out->state == OUT_DOWN) {
        uint32_t failures = out->link.failures;
        if (link_connect(&out->link, relay_settings(self), self->now))
            meet(self);
        else if (failures == 0 && out->link.failures == 1)
            log_warning("the relay bus is out of reach", "reason=\"%s\"", out->link.error);
        return;
    }
    if (self->now.mono_ns >= out->asked_ns + ASK_AGAIN_NS && is_there(self))
        ask_again(self);
}

void relay_out_take_at(relay_state_t *self, zmsg_t *mail)
{
    mail_relay_t about;
    mail_take_struct(mail, &about, sizeof about);
    if (about.epoch != self->out.epoch || self->out.state != OUT_MET)
        return;
    for (family_t family = 0; family < FAMILY_STORED; family++) {
        family_out_t *out = &self->out.families[family];
        mail_take_struct(mail, &out->sent, sizeof out->sent);
        out->taken_in = out->marked = out->sent;
        out->wanted = false;
    }
    self->out.again += about.family;
    self->out.state = OUT_SENDING;
    log_info("the relay bus is reached", "server=%s again=%s", self->out.link.run_id,
             about.family != 0 ? "yes" : "no");
    for (family_t family = 0; family < FAMILY_STORED; family++)
        want(self, family);
}

/* -- a batch -- */

/*  Append the entry of a publication; false: it does not go out. */
static bool append(relay_state_t *self, family_t family, uint64_t seq, text_t body)
{
    relay_output_t *out = &self->out;
    if (!envelope_make(&out->envelope, &relay_settings(self)->out, family, seq, body,
                       self->now.wall_s)) {
        out->filtered++;
        return false;
    }
    link_append(&out->link, out->envelope.count, out->envelope.words, out->envelope.sizes);
    return true;
}

/*  Every reply is read, also after one that says no: order is everything on a connection. */
static bool read_replies(relay_state_t *self, uint64_t count, char *why, size_t size)
{
    bool good = true;
    for (uint64_t i = 0; i < count; i++) {
        redisReply *reply = link_reply(&self->out.link);
        if (reply == NULL) {
            snprintf(why, size, "%s", self->out.link.error);
            return false;
        }
        if (reply->type == REDIS_REPLY_ERROR && good) {
            snprintf(why, size, "%s", reply->str);
            good = false;
        }
        freeReplyObject(reply);
    }
    return good;
}

/*  Enough replicas have everything that was written on this connection. */
static bool is_replicated(relay_state_t *self, char *why, size_t size)
{
    uint64_t replicas = relay_settings(self)->out.replicas;
    if (replicas == 0)
        return true;
    redisReply *reply =
        link_ask(&self->out.link, "WAIT %llu " WAIT_MS, (unsigned long long)replicas);
    long long have = reply != NULL && reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;
    freeReplyObject(reply);
    if (have >= (long long)replicas)
        return true;
    snprintf(why, size, "%lld of %llu replicas have it", have, (unsigned long long)replicas);
    return false;
}

static void confirm(relay_state_t *self, family_t family, uint64_t last, uint64_t count)
{
    self->out.sent += count;
    self->out.families[family].sent = last;
    link_works(&self->out.link);
}

/*  Append what is new of a batch: numbers and publications, one after the other. What was asked for
 * twice may come twice. Answers how many entries there are to be confirmed. */
static uint64_t append_batch(relay_state_t *self, family_t family, text_t packed)
{
    family_out_t *out = &self->out.families[family];
    cursor_t cursor = cursor_over(packed.data, packed.size);
    value_t value;
    uint64_t seq, count = 0;
    while (cursor_left(&cursor) > 0) {
        must(cursor_read(&cursor, &value) && value_whole(&value, &seq));
        const char *body = (const char *)cursor.at;
        must(cursor_skip(&cursor));
        if (seq <= out->taken_in)
            continue;
        self->out.missing += seq - out->taken_in - 1;
        out->taken_in = seq;
        count +=
            append(self, family, seq, (text_t){body, (size_t)((const char *)cursor.at - body)});
    }
    return count;
}

void relay_out_take_batch(relay_state_t *self, zmsg_t *mail)
{
    mail_relay_t about;
    char why[200] = "";
    mail_take_struct(mail, &about, sizeof about);
    family_t family = (family_t)about.family;
    family_out_t *out = &self->out.families[family];
    if (about.epoch != self->out.epoch || self->out.state != OUT_SENDING || !out->wanted)
        return;
    zframe_t *packed = mail_take(mail);
    uint64_t count = append_batch(self, family, frame_text(packed));
    zframe_destroy(&packed);
    out->wanted = false;
    want(self, family); /* is read from the disk while this is sent */
    if (read_replies(self, count, why, sizeof why) && is_replicated(self, why, sizeof why))
        confirm(self, family, out->taken_in, count);
    else
        give_up(self, why);
}
