#include "broker/clock.h"
#include "broker/mail.h"
#include "broker/notifier_inside.h"
#include "engines/keep.h"
#include "proto/command.h"
#include "proto/must.h"
#include "proto/pack.h"
#include "proto/reply.h"

#include <stdlib.h>

/*  `envelope` becomes the answer's mail. */
static void send_answer(notifier_state_t *self, zmsg_t **envelope, text_t id, bool ok)
{
    unsigned char kind = MAIL_ANSWER;
    self->body.size = 0;
    reply_encode(id.size == 0 ? TEXT_NONE : id, ok,
                 (text_t){self->outcome.data, self->outcome.size}, &self->body);
    zmsg_pushmem(*envelope, self->body.data, self->body.size);
    zmsg_pushmem(*envelope, &kind, 1);
    mail_send(envelope, self->reactor);
}

static void pack_pair_text(msgpack_sbuffer *out, const char *key, text_t value)
{
    pack_string(out, key);
    pack_text(out, value);
}

static void pack_pair_uint(msgpack_sbuffer *out, const char *key, uint64_t value)
{
    pack_string(out, key);
    pack_uint(out, value);
}

static void pack_pair_number(msgpack_sbuffer *out, const char *key, double value)
{
    pack_string(out, key);
    pack_number(out, value);
}

/* -- channel.list -- */

/*  Scheme and host: what follows them may be a secret. */
static text_t host_of(text_t url)
{
    size_t slashes = 0, size = 0;
    while (size < url.size && (slashes += url.data[size] == '/') < 3 && url.data[size] != '?')
        size++;
    return (text_t){url.data, size};
}

/*  Where it tells, as far as that is nobody's secret. */
static text_t target_of(const channel_t *channel)
{
    if (channel_type(channel) == CHANNEL_EXEC)
        return channel->command.items[0];
    if (channel->url.data != NULL)
        return host_of(channel->url);
    return channel->url_file;
}

static void write_channel(const notifier_state_t *self, const channel_t *channel,
                          msgpack_sbuffer *out)
{
    channel_health_t health = {.last_success = (double)NAN, .last_failure = (double)NAN};
    const memory_t *memory = notifier_memory(self, channel->name);
    notification_dispatcher_health(self->dispatcher, channel->name, &health);
    pack_map(out, 13);
    pack_pair_text(out, "name", channel->name);
    pack_pair_text(out, "type", channel->type);
    pack_pair_text(out, "target", target_of(channel));
    pack_string(out, "failing");
    pack_bool(out, health.failing);
    pack_pair_uint(out, "failures", health.failures);
    pack_pair_uint(out, "delivered", health.delivered);
    pack_pair_uint(out, "failed", health.failed);
    pack_pair_uint(out, "given_up", health.given_up);
    pack_pair_uint(out, "waiting", health.waiting);
    pack_pair_number(out, "last_success", health.last_success);
    pack_pair_number(out, "last_failure", health.last_failure);
    pack_pair_uint(out, "last_status", memory == NULL ? 0 : (uint64_t)memory->status);
    pack_pair_text(out, "last_answer", text_of(memory == NULL ? "" : memory->words));
}

/*  The cursor is the place in the configuration. */
static status_t list_channels(notifier_state_t *self, const list_t *list, schema_error_t *error)
{
    const settings_t *settings = &self->given->config->settings;
    uint64_t begin = 0;
    value_t value;
    cursor_t cursor = cursor_over(list->cursor.data, list->cursor.size);
    if (list->cursor.data != NULL &&
        !(cursor_read(&cursor, &value) && value_whole(&value, &begin))) {
        snprintf(error->message, sizeof error->message, "cursor: not one that was given out");
        return STATUS_BAD_VALUE;
    }
    uint64_t end = settings->channel_count;
    if (begin > end)
        begin = end;
    if (end - begin > (uint64_t)list->limit)
        end = begin + (uint64_t)list->limit;
    pack_map(&self->outcome, 2);
    pack_string(&self->outcome, "items");
    pack_array(&self->outcome, end - begin);
    for (uint64_t i = begin; i < end; i++)
        write_channel(self, &settings->channels[i], &self->outcome);
    pack_string(&self->outcome, "cursor");
    if (end < settings->channel_count)
        pack_uint(&self->outcome, end);
    else
        pack_nil(&self->outcome);
    return STATUS_OK;
}

/* -- channel.test -- */

static status_t begin_test(notifier_state_t *self, const command_t *command, zmsg_t **mail,
                           schema_error_t *error)
{
    const named_t *named = command->arguments;
    const channel_t *channel = notifier_channel(self, named->name);
    if (channel == NULL) {
        snprintf(error->message, sizeof error->message, "there is no channel \"%.*s\"",
                 (int)named->name.size, named->name.data);
        return STATUS_NOT_FOUND;
    }
    notifier_begin_drill(self, channel, command->id, mail);
    return STATUS_OK;
}

void notifier_answer_drill(notifier_state_t *self, job_t *job, const delivery_result_t *result)
{
    self->outcome.size = 0;
    pack_map(&self->outcome, 5);
    pack_pair_text(&self->outcome, "channel", text_of(job->channel));
    pack_string(&self->outcome, "delivered");
    pack_bool(&self->outcome, result->outcome == OUTCOME_DELIVERED);
    pack_pair_uint(&self->outcome, "status", (uint64_t)result->status);
    pack_pair_text(&self->outcome, "answer", text_of(result->words));
    pack_pair_number(&self->outcome, "seconds",
                     (double)(clock_now().mono_ns - job->begun_ns) / (double)NS_PER_S);
    send_answer(self, &job->envelope, job->id, true);
}

/* -- both -- */

void notifier_answer(notifier_state_t *self, zmsg_t **mail)
{
    zframe_t *request = mail_take(*mail);
    command_t command;
    schema_error_t error;
    status_t status = command_read(&self->given->config->limits, frame_text(request), false,
                                   &self->arena, &command, &error);
    text_t id = keep_text(command.id);
    self->outcome.size = 0;
    if (status == STATUS_OK && command.which == DO_CHANNEL_TEST)
        status = begin_test(self, &command, mail, &error);
    else if (status == STATUS_OK)
        status = list_channels(self, command.arguments, &error);
    if (status != STATUS_OK)
        reply_error(status, error.message, &self->outcome);
    if (*mail != NULL)
        send_answer(self, mail, id, status == STATUS_OK);
    drop_text(&id);
    arena_reset(&self->arena);
    zframe_destroy(&request);
}

/* -- series -- */

static void add_sample(zmsg_t *mail, const char *name, metric_kind_t kind, labels_t labels,
                       double value)
{
    mail_sample_t values = {value, kind, labels.count};
    if (isnan(value))
        return;
    mail_add(mail, &values, sizeof values);
    mail_add_text(mail, text_of(name));
    mail_add_text(mail, (text_t){(const char *)labels.bytes, labels.size});
}

static void add_samples(zmsg_t *mail, const char *name, const channel_health_t *health)
{
    uint8_t buffer[LABELS_MAX_BYTES];
    label_t pair = {TEXT_OF("channel"), text_of(name)};
    labels_t labels = labels_build(&pair, 1, buffer);
    add_sample(mail, "tocsin_channel_failing", METRIC_GAUGE, labels, health->failing);
    add_sample(mail, "tocsin_channel_waiting", METRIC_GAUGE, labels, (double)health->waiting);
    add_sample(mail, "tocsin_channel_delivered_total", METRIC_COUNTER, labels,
               (double)health->delivered);
    add_sample(mail, "tocsin_channel_failed_total", METRIC_COUNTER, labels, (double)health->failed);
    add_sample(mail, "tocsin_channel_given_up_total", METRIC_COUNTER, labels,
               (double)health->given_up);
    add_sample(mail, "tocsin_channel_last_success_timestamp_seconds", METRIC_GAUGE, labels,
               health->last_success);
    add_sample(mail, "tocsin_channel_last_failure_timestamp_seconds", METRIC_GAUGE, labels,
               health->last_failure);
}

void notifier_send_samples(notifier_state_t *self)
{
    if (self->memory_count == 0)
        return;
    zmsg_t *mail = mail_new(MAIL_SAMPLES);
    for (size_t i = 0; i < self->memory_count; i++) {
        channel_health_t health;
        if (notification_dispatcher_health(self->dispatcher, text_of(self->memories[i].name),
                                           &health))
            add_samples(mail, self->memories[i].name, &health);
    }
    mail_try(&mail, self->given->operations);
}
