#include "broker/mail.h"
#include "broker/operations_inside.h"
#include "proto/must.h"
#include "proto/pack.h"

#include <stdio.h>

/* What a batch holds at most. */
#define BATCH_ROWS 1024u
#define BATCH_BYTES (2u << 20)

/* Confirmed publications are kept so long, and sent again to a server that may not have them. */
#define KEPT_S 600.0

/* -- out: batches of publications, when the bus asks for them -- */

typedef struct {
    msgpack_sbuffer packed;
    uint64_t rows;
} batch_t;

static bool add_publication(void *context, uint64_t seq, text_t body)
{
    batch_t *self = context;
    pack_uint(&self->packed, seq);
    pack_raw(&self->packed, body);
    return ++self->rows < BATCH_ROWS && self->packed.size < BATCH_BYTES;
}

static void send_batch(operations_t *self, family_t family, uint64_t epoch, const batch_t *batch)
{
    mail_relay_t about = {.family = family, .epoch = epoch};
    zmsg_t *mail = mail_new(MAIL_RELAY_BATCH);
    mail_add(mail, &about, sizeof about);
    mail_add_buffer(mail, &batch->packed);
    operations_send_later(self, self->given->relay, &mail);
}

/*  Answer what was asked for if there is something; it leaves after the commit. */
static void serve_want(operations_t *self, family_t family)
{
    relay_want_t *want = &self->relay_wants[family];
    uint64_t head = store_head(self->given->store, family).last;
    if (!want->waits || head <= want->looked)
        return;
    want->looked = head;
    batch_t batch = {.rows = 0};
    msgpack_sbuffer_init(&batch.packed);
    store_relay_read(self->given->store, family, want->after, BATCH_ROWS, add_publication, &batch);
    want->waits = batch.rows == 0;
    if (!want->waits)
        send_batch(self, family, want->epoch, &batch);
    msgpack_sbuffer_destroy(&batch.packed);
}

void operations_serve_wants(operations_t *self)
{
    for (family_t family = 0; family < FAMILY_STORED; family++)
        serve_want(self, family);
}

static void take_want(operations_t *self, zmsg_t *mail)
{
    mail_relay_t asked;
    mail_take_struct(mail, &asked, sizeof asked);
    self->relay_wants[asked.family] =
        (relay_want_t){.waits = true, .after = asked.seq, .epoch = asked.epoch};
}

static void take_sent(operations_t *self, zmsg_t *mail)
{
    mail_relay_t sent;
    mail_take_struct(mail, &sent, sizeof sent);
    store_relay_mark(self->given->store, (family_t)sent.family, sent.seq);
}

/*  Where to go on, with a server of that identity. */
static void take_server(operations_t *self, zmsg_t *mail)
{
    mail_relay_t about;
    mail_take_struct(mail, &about, sizeof about);
    zframe_t *server = mail_take(mail);
    bool again =
        store_relay_meet(self->given->store, frame_text(server), self->now.wall_s - KEPT_S);
    zmsg_t *answer = mail_new(MAIL_RELAY_AT);
    about.family = again;
    mail_add(answer, &about, sizeof about);
    for (family_t family = 0; family < FAMILY_STORED; family++) {
        uint64_t sent = store_relay_sent(self->given->store, family);
        mail_add(answer, &sent, sizeof sent);
        self->relay_wants[family].waits = false;
    }
    operations_send_later(self, self->given->relay, &answer);
    zframe_destroy(&server);
}

/* -- in: commands from a stream -- */

/*  An entry's commands carry its identity, so that a second delivery has no second effect. */
static void name_once(command_t *command, text_t entry, uint32_t number, char *once, size_t size)
{
    if (command->once.data != NULL)
        return;
    int length = snprintf(once, size, "relay:%.*s#%u", (int)entry.size, entry.data, number);
    must(length > 0);
    command->once = (text_t){once, (size_t)length < size ? (size_t)length : size - 1};
}

static void take_entry_command(operations_t *self, text_t event, text_t entry, uint32_t number,
                               mail_fed_t *fed)
{
    char once[600];
    command_t command;
    schema_error_t error;
    status_t status =
        command_read(&self->given->config->limits, event, true, &self->arena, &command, &error);
    if (status == STATUS_OK) {
        name_once(&command, entry, number, once, sizeof once);
        status = operations_execute(self, &command).status;
        fed->accepted++; /* what fails because of state has been heard all the same */
        fed->unavailable |= status == STATUS_UNAVAILABLE;
    } else {
        fed->refused++;
        fed->status = status;
    }
    arena_reset(&self->arena);
}

static void take_entry(operations_t *self, zmsg_t *mail)
{
    mail_feed_t feed;
    cursor_t cursor;
    uint32_t count = 0;
    mail_take_struct(mail, &feed, sizeof feed);
    zframe_t *entry = mail_take(mail), *frame = mail_take(mail);
    mail_fed_t fed = {.ticket = feed.ticket};
    status_t status =
        operations_check_frame(&self->given->config->limits, frame_text(frame), &cursor, &count);
    if (status != STATUS_OK) {
        fed.refused++;
        fed.status = status;
        count = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = cursor.at;
        must(cursor_skip(&cursor));
        take_entry_command(self, (text_t){(const char *)at, (size_t)(cursor.at - at)},
                           frame_text(entry), i, &fed);
    }
    zmsg_t *answer = mail_new(MAIL_FED);
    mail_add(answer, &fed, sizeof fed);
    operations_send_later(self, self->given->relay, &answer);
    zframe_destroy(&entry);
    zframe_destroy(&frame);
}

void operations_serve_relay(operations_t *self, zmsg_t *mail)
{
    switch ((int)mail_open(mail)) {
    case MAIL_RELAY_WANT:
        take_want(self, mail);
        break;
    case MAIL_RELAY_SENT:
        take_sent(self, mail);
        break;
    case MAIL_RELAY_SERVER:
        take_server(self, mail);
        break;
    case MAIL_FEED:
        take_entry(self, mail);
        break;
    default:
        must_not("a mail of a kind that the relay bus does not send");
    }
    zmsg_destroy(&mail);
}
