#include "broker/notifier.h"

#include "broker/clock.h"
#include "broker/mail.h"
#include "broker/notifier_inside.h"
#include "proto/must.h"

#include <stdlib.h>
#include <time.h>

#define MAILS_A_TURN 1000u

/* The longest a turn waits for something to happen; it looks at the hour at least so often. */
#define WAIT_MS 1000L

#define SAMPLE_NS NS_PER_S

/* After a stop, what is under way has this long to end. */
#define STOP_NS (NS_PER_S)

/* Descriptors to wait for besides curl's: two pipes, and the processes of channels. */
#define EXTRA_MAX 64u

const channel_t *notifier_channel(const notifier_state_t *self, text_t name)
{
    const settings_t *settings = &self->given->config->settings;
    for (size_t i = 0; i < settings->channel_count; i++)
        if (text_equal(settings->channels[i].name, name))
            return &settings->channels[i];
    return NULL;
}

memory_t *notifier_memory(const notifier_state_t *self, text_t name)
{
    for (size_t i = 0; i < self->memory_count; i++)
        if (text_is(name, self->memories[i].name))
            return &self->memories[i];
    return NULL;
}

/* -- the configuration -- */

static void free_memories(memory_t *memories, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(memories[i].name);
    free(memories);
}

/*  What is known of a channel outlives a change of its settings. */
static void configure(notifier_state_t *self)
{
    const settings_t *settings = &self->given->config->settings;
    size_t count = settings->channel_count;
    notification_rules_t *rules = memory_new(count + 1, sizeof *rules);
    memory_t *memories = memory_new(count + 1, sizeof *memories);
    for (size_t i = 0; i < count; i++) {
        const channel_t *channel = &settings->channels[i];
        const memory_t *known = notifier_memory(self, channel->name);
        rules[i] = channel_rules(channel);
        if (known != NULL)
            memories[i] = *known;
        memories[i].name = memory_new(1, channel->name.size + 1);
        memcpy(memories[i].name, channel->name.data, channel->name.size);
    }
    notification_dispatcher_configure(self->dispatcher, rules, count, self->now);
    free_memories(self->memories, self->memory_count);
    self->memories = memories;
    self->memory_count = count;
    free(rules);
}

/* -- mails -- */

static void take_config(notifier_state_t *self, zmsg_t *mail)
{
    config_destroy(&self->given->config);
    mail_take_struct(mail, &self->given->config, sizeof self->given->config);
    configure(self);
}

static void serve_reactor(notifier_state_t *self, zmsg_t *mail)
{
    switch ((int)mail_open(mail)) {
    case MAIL_ASK:
        notifier_answer(self, &mail);
        break;
    case MAIL_CONFIG:
        take_config(self, mail);
        break;
    case MAIL_STOP:
        self->stopping = true;
        self->stop_ns = self->now.mono_ns + STOP_NS;
        break;
    default: /* "$TERM": the actor is being destroyed */
        self->ended = true;
    }
    zmsg_destroy(&mail);
}

static void take_notice(notifier_state_t *self, zmsg_t *mail)
{
    zframe_t *frame = mail_take(mail);
    notice_t notice;
    must(notice_read(frame_text(frame), &self->arena, &notice));
    notification_dispatcher_take(self->dispatcher, &notice, self->now);
    arena_reset(&self->arena);
    zframe_destroy(&frame);
}

static void take_letter(notifier_state_t *self, zmsg_t *mail)
{
    uint64_t letter;
    mail_take_struct(mail, &letter, sizeof letter);
    zframe_t *packed = mail_take(mail);
    notifier_begin_letter(self, letter, frame_text(packed));
    zframe_destroy(&packed);
}

static void serve_operations(notifier_state_t *self, zmsg_t *mail)
{
    uint64_t note;
    switch ((int)mail_open(mail)) {
    case MAIL_NOTICE:
        take_notice(self, mail);
        break;
    case MAIL_NOTED:
        mail_take_struct(mail, &note, sizeof note);
        notifier_is_noted(self, note);
        break;
    case MAIL_LETTER:
        take_letter(self, mail);
        break;
    default:
        must_not("a mail of a kind that the operations wing does not send");
    }
    zmsg_destroy(&mail);
}

static void serve_pipe(notifier_state_t *self, zsock_t *pipe,
                       void (*serve)(notifier_state_t *, zmsg_t *))
{
    zmsg_t *mail;
    for (size_t i = 0; i < MAILS_A_TURN && (mail = mail_receive(pipe)) != NULL; i++)
        serve(self, mail);
}

/* -- the loop -- */

static bool has_mail(const notifier_state_t *self)
{
    return (zsock_events(self->reactor) & ZMQ_POLLIN) != 0 ||
           (zsock_events(self->given->operations) & ZMQ_POLLIN) != 0;
}

static long wait_ms(const notifier_state_t *self)
{
    instant_t now = clock_now();
    int64_t deadline = self->sampled.mono_ns + SAMPLE_NS;
    int64_t due =
        self->stopping ? self->stop_ns : notification_dispatcher_deadline(self->dispatcher, now);
    return clock_wait_ms(now, due < deadline ? due : deadline, WAIT_MS);
}

/*  The descriptor of a ZeroMQ socket tells of changes only: the sockets are asked first. */
static void wait_for_work(notifier_state_t *self)
{
    struct curl_waitfd extra[EXTRA_MAX] = {
        {.fd = zsock_fd(self->reactor), .events = CURL_WAIT_POLLIN},
        {.fd = zsock_fd(self->given->operations), .events = CURL_WAIT_POLLIN}};
    unsigned count = 2;
    for (const job_t *job = self->jobs; job != NULL && count < EXTRA_MAX; job = job->next) {
        int fd = job->delivery == NULL ? -1 : delivery_fd(job->delivery);
        if (fd >= 0)
            extra[count++] = (struct curl_waitfd){.fd = fd, .events = CURL_WAIT_POLLIN};
    }
    long wait = has_mail(self) ? 0 : wait_ms(self);
    curl_multi_poll(self->multi, extra, count, (int)wait, NULL);
}

static void drive_transfers(notifier_state_t *self)
{
    int running, left;
    CURLMsg *message;
    curl_multi_perform(self->multi, &running);
    while ((message = curl_multi_info_read(self->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            delivery_of(message->easy_handle, message->data.result);
}

static int minute_of_day(instant_t now)
{
    struct tm parts;
    time_t whole = (time_t)now.wall_s;
    return localtime_r(&whole, &parts) == NULL ? 0 : parts.tm_hour * 60 + parts.tm_min;
}

static void take_turn(notifier_state_t *self)
{
    self->now = clock_now();
    notification_dispatcher_set_minute(self->dispatcher, minute_of_day(self->now));
    serve_pipe(self, self->reactor, serve_reactor);
    serve_pipe(self, self->given->operations, serve_operations);
    drive_transfers(self);
    notifier_finish_ended(self);
    notifier_begin_due(self);
    if (self->now.mono_ns >= self->sampled.mono_ns + SAMPLE_NS) {
        self->sampled = self->now;
        notifier_send_samples(self);
    }
}

static bool is_under_way(const notifier_state_t *self)
{
    for (const job_t *job = self->jobs; job != NULL; job = job->next)
        if (job->delivery != NULL)
            return true;
    return false;
}

/*  What is on its way may still arrive and be noted; then the reactor is told that it is over. */
static void stop_if_idle(notifier_state_t *self)
{
    if (!self->stopping || self->ended || (is_under_way(self) && self->now.mono_ns < self->stop_ns))
        return;
    zmsg_t *mail = mail_new(MAIL_STOPPED);
    mail_send(&mail, self->reactor);
    self->ended = true;
}

static void set_up(notifier_state_t *self, zsock_t *pipe, notifier_t *given)
{
    uint64_t seed;
    *self = (notifier_state_t){.given = given, .reactor = pipe, .now = clock_now()};
    arc4random_buf(&seed, sizeof seed);
    self->dispatcher = notification_dispatcher_new(seed, (notice_sink_t){notifier_note, self});
    must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    self->multi = curl_multi_init();
    must(self->multi != NULL);
    arena_init(&self->arena);
    msgpack_sbuffer_init(&self->body);
    msgpack_sbuffer_init(&self->outcome);
    configure(self);
}

static void tear_down(notifier_state_t *self)
{
    notifier_drop_jobs(self);
    zmsg_destroy(&self->note);
    curl_multi_cleanup(self->multi);
    curl_global_cleanup();
    notification_dispatcher_destroy(&self->dispatcher);
    free_memories(self->memories, self->memory_count);
    arena_free(&self->arena);
    msgpack_sbuffer_destroy(&self->body);
    msgpack_sbuffer_destroy(&self->outcome);
    zsock_destroy(&self->given->operations);
    config_destroy(&self->given->config);
    free(self->given);
}

void notifier_actor(zsock_t *pipe, void *arguments)
{
    notifier_state_t self;
    set_up(&self, pipe, arguments);
    zsock_signal(pipe, 0);
    while (!self.ended) {
        wait_for_work(&self);
        take_turn(&self);
        stop_if_idle(&self);
    }
    tear_down(&self);
}
