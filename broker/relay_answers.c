#include "broker/relay_inside.h"
#include "engines/keep.h"
#include "proto/pack.h"
#include "proto/reply.h"

#include <stdio.h>

static void send_answer(relay_state_t *self, zmsg_t **envelope, text_t id, bool ok)
{
    unsigned char kind = MAIL_ANSWER;
    self->body.size = 0;
    reply_encode(id.size == 0 ? TEXT_NONE : id, ok,
                 (text_t){self->outcome.data, self->outcome.size}, &self->body);
    zmsg_pushmem(*envelope, self->body.data, self->body.size);
    zmsg_pushmem(*envelope, &kind, 1);
    mail_send(envelope, self->reactor);
}

static void pack_pair_uint(msgpack_sbuffer *out, const char *key, uint64_t value)
{
    pack_string(out, key);
    pack_uint(out, value);
}

static void pack_pair_bool(msgpack_sbuffer *out, const char *key, bool value)
{
    pack_string(out, key);
    pack_bool(out, value);
}

static void pack_pair_text(msgpack_sbuffer *out, const char *key, text_t value)
{
    pack_string(out, key);
    pack_text(out, value);
}

/* -- relay.status -- */

static void write_out(const relay_state_t *self, msgpack_sbuffer *out)
{
    const relay_output_t *output = &self->out;
    size_t families = 0;
    for (family_t family = 0; family < FAMILY_STORED; family++)
        families += output->families[family].sends;
    pack_map(out, 9);
    pack_pair_bool(out, "connected", output->state == OUT_SENDING);
    pack_pair_text(out, "server", text_of(output->link.run_id));
    pack_pair_text(out, "error", text_of(output->link.error));
    pack_pair_uint(out, "sent", output->sent);
    pack_pair_uint(out, "filtered", output->filtered);
    pack_pair_uint(out, "missing", output->missing);
    pack_pair_uint(out, "connections", output->link.connections);
    pack_pair_uint(out, "sent_again", output->again);
    pack_string(out, "families");
    pack_map(out, families);
    for (family_t family = 0; family < FAMILY_STORED; family++)
        if (output->families[family].sends)
            pack_pair_uint(out, family_name(family), output->families[family].sent);
}

static void write_in(const relay_input_t *input, msgpack_sbuffer *out)
{
    pack_map(out, 10);
    pack_pair_text(out, "stream", input->settings->stream);
    pack_pair_text(out, "kind", input->settings->kind);
    pack_pair_bool(out, "connected", input->link.context != NULL);
    pack_pair_text(out, "error", text_of(input->link.error));
    pack_pair_uint(out, "read", input->read);
    pack_pair_uint(out, "acknowledged", input->acknowledged);
    pack_pair_uint(out, "claimed", input->claimed);
    pack_pair_uint(out, "refused", input->refused);
    pack_pair_uint(out, "dead", input->dead);
    pack_pair_text(out, "last_refusal", text_of(input->last_refusal));
}

static status_t answer_status(relay_state_t *self)
{
    relay_place_t place = {.port = 0};
    char server[300] = "";
    bool configured = relay_place(relay_settings(self)->url, &place);
    if (configured)
        snprintf(server, sizeof server, "%s:%d/%d", place.host, place.port, place.database);
    pack_map(&self->outcome, 4);
    pack_pair_bool(&self->outcome, "configured", configured);
    pack_pair_text(&self->outcome, "redis", configured ? text_of(server) : TEXT_NONE);
    pack_string(&self->outcome, "out");
    write_out(self, &self->outcome);
    pack_string(&self->outcome, "in");
    pack_array(&self->outcome, self->input_count);
    for (size_t i = 0; i < self->input_count; i++)
        write_in(&self->inputs[i], &self->outcome);
    return STATUS_OK;
}

/* -- relay.tail, relay.dead: the newest entries of streams -- */

static void write_entry(const char *stream, const redisReply *entry, msgpack_sbuffer *out)
{
    const redisReply *pairs = entry->element[1];
    size_t count = pairs->type == REDIS_REPLY_ARRAY ? pairs->elements / 2 : 0;
    pack_map(out, 3);
    pack_pair_text(out, "stream", text_of(stream));
    pack_pair_text(out, "entry", text_of(entry->element[0]->str));
    pack_string(out, "fields");
    pack_map(out, count);
    for (size_t i = 0; i < count * 2; i++)
        pack_text(out, (text_t){pairs->element[i]->str, pairs->element[i]->len});
}

/*  Appends its newest entries, newest first; answers how many. */
static size_t read_newest(relay_state_t *self, const char *stream, int64_t most,
                          msgpack_sbuffer *items)
{
    size_t count = 0;
    redisReply *reply =
        link_ask(&self->out.link, "XREVRANGE %s + - COUNT %lld", stream, (long long)most);
    if (reply == NULL) {
        link_drop(&self->out.link, self->now, self->out.link.error);
        self->out.state = OUT_DOWN;
    }
    for (size_t i = 0; reply != NULL && reply->type == REDIS_REPLY_ARRAY && i < reply->elements;
         i++) {
        const redisReply *entry = reply->element[i];
        if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2 ||
            entry->element[0]->type != REDIS_REPLY_STRING)
            continue;
        write_entry(stream, entry, items);
        count++;
    }
    freeReplyObject(reply);
    return count;
}

static size_t read_families(relay_state_t *self, const list_t *list, msgpack_sbuffer *items)
{
    char stream[512];
    size_t count = 0;
    text_t prefix = relay_settings(self)->out.prefix;
    if (prefix.data == NULL)
        prefix = TEXT_OF("tocsin:");
    for (family_t family = 0; family < FAMILY_STORED && self->out.link.context != NULL; family++) {
        if (list->prefix.data != NULL && !text_is(list->prefix, family_name(family)))
            continue;
        snprintf(stream, sizeof stream, "%.*s%s", (int)prefix.size, prefix.data,
                 family_name(family));
        count += read_newest(self, stream, list->limit, items);
    }
    return count;
}

static size_t read_dead(relay_state_t *self, const list_t *list, msgpack_sbuffer *items)
{
    char stream[512];
    size_t count = 0;
    for (size_t i = 0; i < self->input_count && self->out.link.context != NULL; i++) {
        text_t name = self->inputs[i].settings->stream;
        if (list->prefix.data != NULL && !text_equal(list->prefix, name))
            continue;
        snprintf(stream, sizeof stream, "%.*s:dead", (int)name.size, name.data);
        count += read_newest(self, stream, list->limit, items);
    }
    return count;
}

static status_t answer_entries(relay_state_t *self, const command_t *command, schema_error_t *error)
{
    msgpack_sbuffer items;
    if (!link_connect(&self->out.link, relay_settings(self), self->now)) {
        snprintf(error->message, sizeof error->message, "the relay bus is out of reach: %.150s",
                 self->out.link.error[0] == '\0' ? "no url is configured" : self->out.link.error);
        return STATUS_UNAVAILABLE;
    }
    msgpack_sbuffer_init(&items);
    size_t count = command->which == DO_RELAY_DEAD
                       ? read_dead(self, command->arguments, &items)
                       : read_families(self, command->arguments, &items);
    pack_map(&self->outcome, 2);
    pack_string(&self->outcome, "items");
    pack_array(&self->outcome, count);
    pack_raw(&self->outcome, (text_t){items.data, items.size});
    pack_string(&self->outcome, "cursor");
    pack_nil(&self->outcome);
    msgpack_sbuffer_destroy(&items);
    return STATUS_OK;
}

void relay_answer(relay_state_t *self, zmsg_t **mail)
{
    zframe_t *request = mail_take(*mail);
    command_t command;
    schema_error_t error;
    status_t status = command_read(&self->given->config->limits, frame_text(request), false,
                                   &self->arena, &command, &error);
    self->outcome.size = 0;
    if (status == STATUS_OK)
        status = command.which == DO_RELAY_STATUS ? answer_status(self)
                                                  : answer_entries(self, &command, &error);
    if (status != STATUS_OK)
        reply_error(status, error.message, &self->outcome);
    send_answer(self, mail, command.id, status == STATUS_OK);
    arena_reset(&self->arena);
    zframe_destroy(&request);
}
