#include "broker/clock.h"
#include "broker/log.h"
#include "broker/mail.h"
#include "broker/notifier_inside.h"
#include "engines/keep.h"
#include "proto/must.h"
#include "proto/pack.h"

#include <stdlib.h>

/* A note that was not confirmed within this time was lost with a commit that failed: once more. */
#define NOTE_AGAIN_NS (2 * NS_PER_S)

/* -- notes -- */

static void add_note(notifier_state_t *self, const mail_note_t *note, text_t channel)
{
    if (self->note == NULL)
        self->note = zmsg_new();
    mail_add(self->note, note, sizeof *note);
    mail_add_text(self->note, channel);
}

void notifier_note(void *context, const notice_effect_t *effect)
{
    notifier_state_t *self = context;
    mail_note_t note = {.type = effect->type,
                        .told = effect->told,
                        .alert = effect->alert,
                        .revision = effect->revision,
                        .time_s = self->now.wall_s};
    add_note(self, &note, effect->channel);
}

uint64_t notifier_send_note(notifier_state_t *self)
{
    if (self->note == NULL)
        return 0;
    unsigned char kind = MAIL_NOTE;
    uint64_t number = ++self->notes;
    zmsg_pushmem(self->note, &number, sizeof number);
    zmsg_pushmem(self->note, &kind, 1);
    mail_try(&self->note, self->given->operations);
    self->note = NULL;
    return number;
}

/* -- jobs -- */

static job_t *add_job(notifier_state_t *self, job_kind_t kind, text_t channel)
{
    job_t *job = memory_new(1, sizeof *job);
    job->kind = kind;
    job->channel = memory_new(1, channel.size + 1);
    memcpy(job->channel, channel.data, channel.size);
    msgpack_sbuffer_init(&job->packed);
    job->begun_ns = self->now.mono_ns;
    job_t **last = &self->jobs;
    while (*last != NULL)
        last = &(*last)->next;
    *last = job;
    return job;
}

static void destroy_job(job_t *job)
{
    delivery_destroy(&job->delivery);
    msgpack_sbuffer_destroy(&job->packed);
    zmsg_destroy(&job->envelope);
    drop_text(&job->id);
    free(job->channel);
    free(job);
}

static bool read_job(notifier_state_t *self, const job_t *job, notification_t *notification)
{
    return notification_read((text_t){job->packed.data, job->packed.size}, &self->arena,
                             notification) &&
           notification->notice_count > 0;
}

static void send_job(notifier_state_t *self, job_t *job)
{
    const channel_t *channel = notifier_channel(self, text_of(job->channel));
    notification_t notification;
    job->note = 0;
    must(read_job(self, job, &notification));
    if (channel != NULL)
        job->delivery = delivery_new(self->multi, channel, &notification, self->given->source);
    arena_reset(&self->arena);
}

void notifier_begin_due(notifier_state_t *self)
{
    const notification_t *notification;
    while (!self->stopping &&
           (notification = notification_dispatcher_next(self->dispatcher, self->now)) != NULL) {
        job_t *job = add_job(self, JOB_TELL, notification->channel);
        schema_write(&notification_schema, notification, false, &job->packed);
        job->note = notifier_send_note(self);
        job->noted_ns = self->now.mono_ns;
    }
    notifier_send_note(self);
}

static void note_again(notifier_state_t *self, job_t *job)
{
    notification_t notification;
    must(read_job(self, job, &notification));
    for (uint32_t i = 0; i < notification.notice_count; i++)
        notifier_note(self, &(notice_effect_t){.type = NOTICE_TRIED,
                                               .channel = notification.channel,
                                               .alert = notification.notices[i].alert_id});
    job->note = notifier_send_note(self);
    job->noted_ns = self->now.mono_ns;
    arena_reset(&self->arena);
}

void notifier_is_noted(notifier_state_t *self, uint64_t note)
{
    for (job_t *job = self->jobs; job != NULL && !self->stopping; job = job->next)
        if (job->note == note)
            send_job(self, job);
}

/* -- drills and letters -- */

/*  An alert that nobody will take for a real one. */
static void make_drill(const channel_t *channel, instant_t now, notice_t *notice, uint8_t *buffer)
{
    const label_t labels[] = {{TEXT_OF("drill"), TEXT_OF("true")},
                              {TEXT_OF("channel"), channel->name}};
    schema_defaults(&notice_schema, notice);
    notice->channel = channel->name;
    notice->alert.policy = TEXT_OF("tocsin_drill");
    notice->alert.message = TEXT_OF("This is a drill: somebody tests this channel");
    notice->alert.severity = SEVERITY_LOW;
    notice->alert.state = ALERT_FIRING;
    notice->alert.labels = labels_build(labels, 2, buffer);
    notice->alert.fingerprint = (uint64_t)now.mono_ns;
    notice->alert.fired_at = now.wall_s;
    notice->revision = 1;
}

void notifier_begin_drill(notifier_state_t *self, const channel_t *channel, text_t id,
                          zmsg_t **envelope)
{
    uint8_t buffer[LABELS_MAX_BYTES];
    char key[40];
    notice_t notice;
    make_drill(channel, self->now, &notice, buffer);
    snprintf(key, sizeof key, "drill-%lld", (long long)self->now.mono_ns);
    notification_t notification = {.channel = channel->name,
                                   .key = text_of(key),
                                   .reason = REASON_DRILL,
                                   .notices = &notice,
                                   .notice_count = 1};
    job_t *job = add_job(self, JOB_DRILL, channel->name);
    schema_write(&notification_schema, &notification, false, &job->packed);
    job->id = keep_text(id);
    job->envelope = *envelope;
    *envelope = NULL;
    send_job(self, job);
}

void notifier_begin_letter(notifier_state_t *self, uint64_t letter, text_t packed)
{
    notification_t notification;
    job_t *job = add_job(self, JOB_LETTER, TEXT_OF(""));
    msgpack_sbuffer_write(&job->packed, packed.data, packed.size);
    job->letter = letter;
    if (read_job(self, job, &notification)) {
        free(job->channel);
        job->channel = memory_new(1, notification.channel.size + 1);
        memcpy(job->channel, notification.channel.data, notification.channel.size);
        send_job(self, job);
    }
    arena_reset(&self->arena);
}

static void finish_letter(notifier_state_t *self, const job_t *job, const delivery_result_t *result)
{
    unsigned char delivered = result->outcome == OUTCOME_DELIVERED;
    zmsg_t *mail = mail_new(MAIL_LETTER_SENT);
    mail_add(mail, &job->letter, sizeof job->letter);
    mail_add(mail, &delivered, 1);
    mail_add_text(mail, text_of(result->words));
    mail_try(&mail, self->given->operations);
}

/*  Whoever was called out by a drill is let go again. */
static void end_drill(notifier_state_t *self, const job_t *job)
{
    notification_t notification;
    must(read_job(self, job, &notification));
    notice_t notice = notification.notices[0];
    notice.alert.state = ALERT_RESOLVED;
    notice.alert.resolved_at = self->now.wall_s;
    notification.notices = &notice;
    job_t *end = add_job(self, JOB_DRILL, notification.channel);
    schema_write(&notification_schema, &notification, false, &end->packed);
    arena_reset(&self->arena);
    send_job(self, end);
}

static void finish_drill(notifier_state_t *self, job_t *job, const delivery_result_t *result)
{
    const channel_t *channel = notifier_channel(self, text_of(job->channel));
    if (job->envelope == NULL)
        return; /* the end of one */
    if (channel != NULL && channel_type(channel) == CHANNEL_PAGERDUTY &&
        result->outcome == OUTCOME_DELIVERED)
        end_drill(self, job);
    notifier_answer_drill(self, job, result);
}

/* -- what became of it -- */

static void keep_letter(notifier_state_t *self, const job_t *job, const delivery_result_t *result)
{
    notification_t notification;
    must(read_job(self, job, &notification));
    uint64_t *alerts = arena_take(&self->arena, notification.notice_count * sizeof *alerts);
    for (uint32_t i = 0; i < notification.notice_count; i++)
        alerts[i] = notification.notices[i].alert_id;
    letter_t letter = {.channel = notification.channel,
                       .key = notification.key,
                       .error = text_of(result->words),
                       .reason = notification.reason,
                       .alerts = alerts,
                       .alert_count = notification.notice_count,
                       .at = self->now.wall_s};
    self->outcome.size = 0;
    schema_write(&letter_schema, &letter, false, &self->outcome);
    zmsg_t *mail = mail_new(MAIL_LETTER);
    mail_add_buffer(mail, &self->outcome);
    mail_add_buffer(mail, &job->packed);
    mail_try(&mail, self->given->operations);
    arena_reset(&self->arena);
    log_error("a notification is given up", "channel=\"%s\" status=%ld answer=\"%s\"", job->channel,
              result->status, result->words);
}

/*  Said when it changes. */
static void say_health(notifier_state_t *self, const job_t *job, const delivery_result_t *result)
{
    channel_health_t health;
    memory_t *memory = notifier_memory(self, text_of(job->channel));
    if (memory == NULL ||
        !notification_dispatcher_health(self->dispatcher, text_of(job->channel), &health))
        return;
    memory->status = result->status;
    snprintf(memory->words, sizeof memory->words, "%s", result->words);
    if (health.failing && !memory->was_failing)
        log_warning("a channel fails", "channel=\"%s\" status=%ld answer=\"%s\"", job->channel,
                    result->status, result->words);
    else if (!health.failing && memory->was_failing)
        log_info("a channel works again", "channel=\"%s\"", job->channel);
    memory->was_failing = health.failing;
}

static void finish_tell(notifier_state_t *self, const job_t *job, const delivery_result_t *result)
{
    double jitter = (double)arc4random() / (double)UINT32_MAX;
    bool given_up =
        notification_dispatcher_finish(self->dispatcher, text_of(job->channel), result->outcome,
                                       result->retry_after_s, jitter, self->now);
    if (given_up) /* first: what is settled before it is kept could be lost between the two */
        keep_letter(self, job, result);
    notifier_send_note(self);
    say_health(self, job, result);
}

static void finish(notifier_state_t *self, job_t *job, const delivery_result_t *result)
{
    switch (job->kind) {
    case JOB_TELL:
        finish_tell(self, job, result);
        break;
    case JOB_DRILL:
        finish_drill(self, job, result);
        break;
    case JOB_LETTER:
        finish_letter(self, job, result);
        break;
    }
}

/*  NULL while it is not over. A job whose channel went away has nothing that could be sent. */
static const delivery_result_t *result_of(const job_t *job)
{
    static const delivery_result_t gone = {.outcome = OUTCOME_UNREACHED,
                                           .words = "there is no such channel any more"};
    if (job->note != 0)
        return NULL;
    return job->delivery == NULL ? &gone : delivery_result(job->delivery);
}

void notifier_finish_ended(notifier_state_t *self)
{
    for (job_t **at = &self->jobs; *at != NULL;) {
        job_t *job = *at;
        const delivery_result_t *result = result_of(job);
        if (job->note != 0 && self->now.mono_ns > job->noted_ns + NOTE_AGAIN_NS)
            note_again(self, job);
        if (result == NULL) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        finish(self, job, result);
        destroy_job(job);
    }
}

void notifier_drop_jobs(notifier_state_t *self)
{
    while (self->jobs != NULL) {
        job_t *job = self->jobs;
        self->jobs = job->next;
        destroy_job(job);
    }
}
