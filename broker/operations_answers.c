#include "broker/failpoint.h"
#include "broker/log.h"
#include "broker/mail.h"
#include "broker/operations_inside.h"
#include "proto/must.h"
#include "proto/reply.h"

#include <stdlib.h>
#include <string.h>

/* -- what waits for the commit -- */

static waiting_t *add_waiting(operations_t *self)
{
    if (self->waiting_count == self->waiting_capacity) {
        self->waiting_capacity = self->waiting_capacity * 2 + 64;
        self->waiting = memory_grow(self->waiting, self->waiting_capacity, sizeof *self->waiting);
    }
    waiting_t *waiting = &self->waiting[self->waiting_count++];
    *waiting = (waiting_t){.mail = NULL};
    return waiting;
}

void operations_send_later(operations_t *self, zsock_t *to, zmsg_t **mail)
{
    waiting_t *waiting = add_waiting(self);
    waiting->mail = *mail;
    waiting->to = to;
    *mail = NULL;
}

/*  The reply before the envelope, and the mail's kind before both. */
static void close_answer(operations_t *self, zmsg_t *envelope, text_t id, bool ok)
{
    unsigned char kind = MAIL_ANSWER;
    self->body.size = 0; /* publications were made in it */
    reply_encode(id.size == 0 ? TEXT_NONE : id, ok,
                 (text_t){self->outcome.data, self->outcome.size}, &self->body);
    zmsg_pushmem(envelope, self->body.data, self->body.size);
    zmsg_pushmem(envelope, &kind, 1);
}

void operations_answer(operations_t *self, zmsg_t **envelope, text_t id, bool ok)
{
    close_answer(self, *envelope, id, ok);
    mail_send(envelope, self->reactor);
}

void operations_answer_later(operations_t *self, zmsg_t **envelope, text_t id, bool ok,
                             zframe_t **request)
{
    close_answer(self, *envelope, id, ok);
    waiting_t *waiting = add_waiting(self);
    *waiting = (waiting_t){.mail = *envelope, .to = self->reactor, .is_answer = true};
    *envelope = NULL;
    if (request != NULL && store_is_open(self->given->store)) {
        waiting->request = *request;
        *request = NULL;
    }
}

void operations_give_numbers(operations_t *self, family_t family, uint64_t first, uint64_t last)
{
    mail_number_t numbers[] = {{.family = family, .seq = first}, {.family = family, .seq = last}};
    zmsg_t *mail = mail_new(MAIL_NUMBERS);
    mail_add(mail, &numbers[0], sizeof numbers[0]);
    mail_add(mail, &numbers[1], sizeof numbers[1]);
    if (first == 0) {
        mail_send(&mail, self->given->observability);
        return;
    }
    self->reserved[family] = true;
    operations_send_later(self, self->given->observability, &mail);
}

/* -- after the commit -- */

static void send_waiting(operations_t *self, waiting_t *waiting)
{
    if (waiting->to == self->given->notifier)
        self->notices_lost |= !mail_try(&waiting->mail, waiting->to);
    else if (waiting->to == self->given->relay)
        mail_try(&waiting->mail, waiting->to); /* it asks again */
    else
        mail_send(&waiting->mail, waiting->to);
    zframe_destroy(&waiting->request);
}

static void send_all(operations_t *self)
{
    for (size_t i = 0; i < self->waiting_count; i++) {
        if (self->waiting[i].is_answer)
            FAILPOINT("operations.answer");
        else
            FAILPOINT("operations.publish");
        send_waiting(self, &self->waiting[i]);
    }
    self->waiting_count = 0;
    memset(self->reserved, 0, sizeof self->reserved);
}

/*  Nothing that was promised or seen in this turn reached the disk: changes are refused, questions
 * are asked again of what is there. */
static void answer_anew(operations_t *self, waiting_t *waiting)
{
    zframe_t *kind = zmsg_pop(waiting->mail), *reply = zmsg_pop(waiting->mail);
    zframe_destroy(&kind);
    zframe_destroy(&reply);
    command_t command;
    schema_error_t error;
    bool ok = false;
    self->outcome.size = 0;
    status_t status = command_read(&self->given->config->limits, frame_text(waiting->request),
                                   false, &self->arena, &command, &error);
    if (status == STATUS_OK && !operations_changes(&command))
        ok = operations_execute(self, &command).ok;
    else
        reply_error(STATUS_UNAVAILABLE, store_reason(self->given->store), &self->outcome);
    operations_answer(self, &waiting->mail, command.id, ok);
    arena_reset(&self->arena);
}

static void forget_all(operations_t *self)
{
    operations_restore(self);
    for (size_t i = 0; i < self->waiting_count; i++) {
        waiting_t *waiting = &self->waiting[i];
        if (waiting->request != NULL)
            answer_anew(self, waiting);
        else if (waiting->is_answer)
            mail_send(&waiting->mail, waiting->to);
        zmsg_destroy(&waiting->mail);
        zframe_destroy(&waiting->request);
    }
    self->waiting_count = 0;
    for (family_t family = 0; family < FAMILY_STORED; family++)
        if (self->reserved[family])
            operations_give_numbers(self, family, 0, 0);
    memset(self->reserved, 0, sizeof self->reserved);
}

bool operations_end(operations_t *self)
{
    log_error("the store failed to write: ending, to read again what is on the disk",
              "reason=\"%s\"", store_reason(self->given->store));
    self->dead = true;
    return false;
}

static void count_accepted(operations_t *self, bool committed)
{
    self->tally.accepted += self->pending_accepted;
    if (!committed)
        self->tally.dropped[STATUS_UNAVAILABLE] += self->pending_accepted;
    self->pending_accepted = 0;
}

bool operations_commit(operations_t *self)
{
    store_t *store = self->given->store;
    bool was_writable = store_writable(store);
    store_state_t state = store_commit(store);
    if (state == STORE_DEAD)
        return operations_end(self);
    count_accepted(self, state == STORE_GOOD);
    if (state == STORE_GOOD) {
        send_all(self);
        return true;
    }
    if (was_writable)
        log_error("the store takes no changes until it can write again", "reason=\"%s\"",
                  store_reason(store));
    forget_all(self);
    return true;
}

/* -- while the store takes no changes -- */

bool operations_writable(operations_t *self)
{
    store_t *store = self->given->store;
    if (store_writable(store) || self->probed || self->dead)
        return store_writable(store);
    self->probed = true;
    store_state_t state = store_probe(store);
    if (state == STORE_DEAD)
        return operations_end(self);
    if (state != STORE_GOOD)
        return false;
    log_words(LEVEL_INFO, "the store takes changes again");
    /* what was found meanwhile was not heard: the plans are put anew, and their results come again
     */
    operations_restore(self);
    operations_own_file(self);
    self->notices_lost = true;
    return true;
}
