#include "broker/mail.h"
#include "broker/operations_inside.h"
#include "engines/operations/notification_dispatcher.h"
#include "proto/must.h"
#include "proto/pack.h"

/*  An alert on its way into the notices about it. */
typedef struct {
    operations_t *actor;
    const alert_t *alert;
} change_t;

/* -- to the notifier -- */

static zmsg_t *make_mail(operations_t *self, const notice_t *notice)
{
    zmsg_t *mail = mail_new(MAIL_NOTICE);
    self->data.size = 0;
    schema_write(&notice_schema, notice, false, &self->data);
    mail_add_buffer(mail, &self->data);
    return mail;
}

static bool send_notice(void *context, const void *thing)
{
    operations_t *self = context;
    zmsg_t *mail = make_mail(self, thing);
    self->notices_lost = !mail_try(&mail, self->given->notifier);
    return !self->notices_lost;
}

void operations_notices_send_all(operations_t *self)
{
    store_each(self->given->store, TABLE_NOTICE, send_notice, self);
}

static void keep(operations_t *self, const notice_t *notice)
{
    store_save(self->given->store, TABLE_NOTICE, notice);
    zmsg_t *mail = make_mail(self, notice);
    operations_send_later(self, self->given->notifier, &mail);
}

/* -- what changes -- */

/*  A value that moves is nothing to tell: only what decides about telling counts as a change. */
static bool is_changed(const alert_t *before, const alert_t *after)
{
    bool was_muted = before->silenced_by.count > 0 || before->inhibited_by_count > 0;
    bool is_muted = after->silenced_by.count > 0 || after->inhibited_by_count > 0;
    return before->state != after->state || was_muted != is_muted ||
           before->severity != after->severity;
}

static bool refresh(void *context, const void *thing)
{
    const change_t *change = context;
    notice_t notice = *(const notice_t *)thing;
    if (!is_changed(&notice.alert, change->alert))
        return true;
    notice.alert = *change->alert;
    notice.revision++;
    keep(change->actor, &notice);
    return true;
}

void operations_notices_refresh(operations_t *self, const alert_t *alert)
{
    change_t change = {self, alert};
    if (alert->state != ALERT_PENDING)
        store_each_notice(self->given->store, alert->id, refresh, &change);
}

void operations_notices_fire(operations_t *self, const alert_t *alert)
{
    const policy_t *policy = operations_manager_policy(self->manager, alert->policy);
    arena_t arena;
    arena_init(&arena);
    for (size_t i = 0; policy != NULL && i < policy->channels.count; i++) {
        notice_t notice;
        text_t channel = policy->channels.items[i];
        if (store_find_notice(self->given->store, channel, alert->id, &arena, &notice))
            continue;
        schema_defaults(&notice_schema, &notice);
        notice.channel = channel;
        notice.alert_id = alert->id;
        notice.alert = *alert;
        notice.description = policy->description;
        notice.revision = 1;
        keep(self, &notice);
    }
    arena_free(&arena);
    operations_notices_refresh(self, alert);
}

/* -- from the notifier -- */

static void take_effect(operations_t *self, const mail_note_t *note, text_t channel)
{
    store_t *store = self->given->store;
    switch ((int)note->type) {
    case NOTICE_TRIED:
        store_notice_tried(store, channel, note->alert, note->time_s);
        break;
    case NOTICE_MISSED:
        store_notice_missed(store, channel, note->alert);
        break;
    case NOTICE_TOLD:
        store_notice_told(store, channel, note->alert, (told_t)note->told, note->time_s);
        break;
    case NOTICE_END:
        store_notice_end(store, channel, note->alert, note->revision);
        break;
    default:
        must_not("an effect that the dispatcher does not have");
    }
}

static void take_note(operations_t *self, zmsg_t *mail)
{
    uint64_t number;
    mail_take_struct(mail, &number, sizeof number);
    if (!store_writable(self->given->store))
        return; /* it is sent again until it is noted */
    while (zmsg_size(mail) > 0) {
        mail_note_t note;
        mail_take_struct(mail, &note, sizeof note);
        zframe_t *channel = mail_take(mail);
        take_effect(self, &note, frame_text(channel));
        zframe_destroy(&channel);
    }
    zmsg_t *noted = mail_new(MAIL_NOTED);
    mail_add(noted, &number, sizeof number);
    operations_send_later(self, self->given->notifier, &noted);
}

static void keep_letter(operations_t *self, zmsg_t *mail)
{
    zframe_t *packed = mail_take(mail), *notification = mail_take(mail);
    letter_t letter;
    cursor_t cursor = cursor_over(zframe_data(packed), zframe_size(packed));
    must(schema_read(&letter_schema, &LIMITS_DEFAULT, &cursor, false, &self->thing_arena, &letter,
                     NULL) == STATUS_OK);
    letter.notification = frame_text(notification);
    store_keep_letter(self->given->store, &letter);
    arena_reset(&self->thing_arena);
    zframe_destroy(&packed);
    zframe_destroy(&notification);
}

/*  Delivered at last, or not again: then the letter says why. */
static void settle_letter(operations_t *self, zmsg_t *mail)
{
    uint64_t id;
    unsigned char delivered;
    letter_t letter;
    mail_take_struct(mail, &id, sizeof id);
    mail_take_struct(mail, &delivered, sizeof delivered);
    zframe_t *answer = mail_take(mail);
    if (delivered != 0) {
        store_delete_letter(self->given->store, id);
    } else if (store_find_letter(self->given->store, id, &self->thing_arena, &letter)) {
        letter.error = frame_text(answer);
        letter.at = self->now.wall_s;
        store_keep_letter(self->given->store, &letter);
    }
    arena_reset(&self->thing_arena);
    zframe_destroy(&answer);
}

static void pass_samples(operations_t *self, zmsg_t **mail)
{
    unsigned char kind = MAIL_SAMPLES;
    zmsg_pushmem(*mail, &kind, 1);
    operations_send_later(self, self->given->observability, mail);
}

void operations_serve_notifier(operations_t *self, zmsg_t *mail)
{
    switch ((int)mail_open(mail)) {
    case MAIL_NOTE:
        take_note(self, mail);
        break;
    case MAIL_LETTER:
        keep_letter(self, mail);
        break;
    case MAIL_LETTER_SENT:
        settle_letter(self, mail);
        break;
    case MAIL_SAMPLES:
        pass_samples(self, &mail);
        break;
    default:
        must_not("a mail of a kind that the notifier does not send");
    }
    zmsg_destroy(&mail);
}

/* -- dead letters -- */

/*  A visitor of letters: those of one channel, or one of them. */
typedef struct {
    operations_t *actor;
    const letter_act_t *asked;
    uint64_t count;
} resend_t;

static bool resend(void *context, const void *thing)
{
    resend_t *self = context;
    const letter_t *letter = thing;
    if (letter->id != self->asked->letter && !text_equal(letter->channel, self->asked->name))
        return true;
    zmsg_t *mail = mail_new(MAIL_LETTER);
    mail_add(mail, &letter->id, sizeof letter->id);
    mail_add_text(mail, letter->notification);
    operations_send_later(self->actor, self->actor->given->notifier, &mail);
    self->count++;
    return true;
}

uint64_t operations_notices_resend(operations_t *self, const letter_act_t *asked)
{
    resend_t visit = {self, asked, 0};
    store_each(self->given->store, TABLE_LETTER, resend, &visit);
    return visit.count;
}
