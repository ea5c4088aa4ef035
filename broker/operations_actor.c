#include "broker/operations_actor.h"

#include "broker/alert_series.h"
#include "broker/clock.h"
#include "broker/failpoint.h"
#include "broker/log.h"
#include "broker/mail.h"
#include "broker/operations_inside.h"
#include "broker/report.h"
#include "proto/must.h"
#include "proto/pack.h"
#include "proto/reply.h"

#include <stdlib.h>
#include <sysexits.h>

/* Commands that one transaction takes in. */
#define COMMANDS_A_TURN 256u

/* Findings: every one that was sent before a command arrived is taken in before the command. */
#define FINDINGS_A_TURN 10000u

/* The longest a turn waits for something to happen. */
#define WAIT_MS 1000

/* -- commands on control -- */

/*  The rest of the answer is known in the observability wing, which has heard of the change by
 * then. */
static void ask_observability(operations_t *self, text_t question, zmsg_t **envelope,
                              zframe_t **request)
{
    unsigned char kind = MAIL_ASK;
    zmsg_pushmem(*envelope, question.data, question.size);
    zmsg_pushmem(*envelope, &kind, 1);
    operations_send_later(self, self->given->observability, envelope);
    self->waiting[self->waiting_count - 1].request = *request;
    *request = NULL;
}

static void carry_out(operations_t *self, const command_t *command, zmsg_t **envelope,
                      zframe_t **request)
{
    executed_t outcome = operations_execute(self, command);
    if (outcome.later)
        operations_snapshot_wait(self, envelope, command->id);
    else if (outcome.ok && outcome.elsewhere.data != NULL)
        ask_observability(self, outcome.elsewhere, envelope, request);
    else
        operations_answer_later(self, envelope, command->id, outcome.ok, request);
}

static void take_command(operations_t *self, zmsg_t **mail)
{
    zframe_t *request = mail_take(*mail);
    char *user_id = zmsg_popstr(*mail);
    command_t command;
    schema_error_t error;
    FAILPOINT("operations.receive");
    status_t status = command_read(&self->given->config->limits, frame_text(request), false,
                                   &self->arena, &command, &error);
    if (status == STATUS_OK)
        status = operations_admit(self, user_id, &command, &error);
    FAILPOINT("operations.read");
    if (status == STATUS_OK) {
        carry_out(self, &command, mail, &request);
    } else {
        self->outcome.size = 0;
        reply_error(status, error.message, &self->outcome);
        operations_answer(self, mail, command.id, false);
    }
    zframe_destroy(&request);
    freen(user_id);
    arena_reset(&self->arena);
}

static void pass_status(operations_t *self, zmsg_t **mail)
{
    report_t report;
    mail_take_struct(*mail, &report, sizeof report);
    zframe_t *id = mail_take(*mail);
    report.ingest[LANE_INCIDENTS] = self->tally;
    store_use(self->given->store, &report.store);
    for (family_t family = 0; family < FAMILY_STORED; family++)
        report.heads[family] = store_head(self->given->store, family).last;
    self->outcome.size = 0;
    report_encode(&report, &self->outcome);
    operations_answer_later(self, mail, frame_text(id), true, NULL);
    zframe_destroy(&id);
}

static void take_config(operations_t *self, zmsg_t **mail)
{
    config_t *old = self->given->config;
    mail_take_struct(*mail, &self->given->config, sizeof self->given->config);
    zframe_t *id = mail_take(*mail);
    status_t status = operations_own_file(self);
    if (!operations_commit(self) || !store_writable(self->given->store))
        status = STATUS_UNAVAILABLE;
    log_words(LEVEL_INFO,
              status == STATUS_OK ? "configuration reloaded" : "configuration not reloaded");
    self->outcome.size = 0;
    if (status == STATUS_OK)
        pack_bool(&self->outcome, true);
    else
        reply_error(status, NULL, &self->outcome);
    if (zmsg_size(*mail) > 0 && !self->dead)
        operations_answer(self, mail, frame_text(id), status == STATUS_OK);
    zframe_destroy(&id);
    config_destroy(&old);
}

static void serve_reactor(operations_t *self, zmsg_t *mail)
{
    switch ((int)mail_open(mail)) {
    case MAIL_ASK:
        take_command(self, &mail);
        break;
    case MAIL_CONFIG:
        take_config(self, &mail);
        break;
    case MAIL_KEYS:
        access_keys_destroy(&self->given->keys);
        mail_take_struct(mail, &self->given->keys, sizeof self->given->keys);
        break;
    default: /* "$TERM": the actor is being destroyed */
        self->stopping = true;
    }
    zmsg_destroy(&mail);
}

/* -- mail from the observability wing -- */

static void take_result(operations_t *self, zmsg_t *mail)
{
    mail_result_t values;
    mail_take_struct(mail, &values, sizeof values);
    zframe_t *labels = mail_take(mail);
    zframe_t *error = mail_take(mail);
    plan_result_t result = {
        .plan = values.plan,
        .labels = {zframe_data(labels), (uint32_t)zframe_size(labels), values.label_count},
        .value = values.value,
        .state = (result_state_t)values.state,
        .error = frame_text(error)};
    /* the finding's own moment may lie before the turn's: a clock that only goes forward is what
     * counts */
    if (store_writable(self->given->store))
        operations_manager_result(self->manager, &result, self->now);
    zframe_destroy(&labels);
    zframe_destroy(&error);
}

static void take_publication(operations_t *self, zmsg_t *mail)
{
    mail_number_t number;
    double time_s;
    mail_take_struct(mail, &number, sizeof number);
    mail_take_struct(mail, &time_s, sizeof time_s);
    zframe_t *topic = mail_take(mail), *body = mail_take(mail);
    store_keep(self->given->store, (family_t)number.family, number.seq, time_s, frame_text(topic),
               frame_text(body));
    zframe_destroy(&topic);
    zframe_destroy(&body);
}

/*  Numbers are given once they are on disk as reserved; while nothing can be, there are none. */
static void reserve_numbers(operations_t *self, zmsg_t *mail)
{
    mail_number_t wanted;
    mail_take_struct(mail, &wanted, sizeof wanted);
    family_t family = (family_t)wanted.family;
    if (!operations_writable(self)) {
        operations_give_numbers(self, family, 0, 0);
        return;
    }
    uint64_t first = store_reserve(self->given->store, family);
    operations_give_numbers(self, family, first, first + NUMBERS_BLOCK - 1);
}

static void take_stop(operations_t *self, zmsg_t *mail)
{
    self->stopping = true;
    FAILPOINT("operations.stopping");
    while (zmsg_size(mail) > 0) {
        mail_number_t last;
        mail_take_struct(mail, &last, sizeof last);
        store_use_numbers(self->given->store, (family_t)last.family, last.seq);
    }
}

static void serve_observability(operations_t *self, zmsg_t *mail)
{
    switch ((int)mail_open(mail)) {
    case MAIL_KEEP:
        take_publication(self, mail);
        break;
    case MAIL_RESULT:
        take_result(self, mail);
        break;
    case MAIL_WANT:
        reserve_numbers(self, mail);
        break;
    case MAIL_STATUS:
        pass_status(self, &mail);
        break;
    case MAIL_STOP:
        take_stop(self, mail);
        break;
    default:
        must_not("a mail of a kind that the observability wing does not send");
    }
    zmsg_destroy(&mail);
}

/* -- the loop -- */

static void wait_for_work(operations_t *self)
{
    zmq_pollitem_t items[] = {
        {.socket = zsock_resolve(self->given->observability), .events = ZMQ_POLLIN},
        {.socket = zsock_resolve(self->reactor), .events = ZMQ_POLLIN},
        {.socket = zsock_resolve(self->given->incidents), .events = ZMQ_POLLIN},
        {.socket = zsock_resolve(self->given->notifier), .events = ZMQ_POLLIN},
        {.socket = zsock_resolve(self->given->relay), .events = ZMQ_POLLIN},
    };
    pulse_rest(self->given->pulse);
    zmq_poll(items, sizeof items / sizeof *items,
             clock_wait_ms(clock_now(), operations_deadline(self), WAIT_MS));
    pulse_beat(self->given->pulse);
}

static bool serve_mails(operations_t *self, zsock_t *pipe, size_t most,
                        void (*serve)(operations_t *, zmsg_t *))
{
    zmsg_t *mail;
    size_t count = 0;
    for (; count < most && (mail = mail_receive(pipe)) != NULL; count++) {
        pulse_beat(self->given->pulse);
        serve(self, mail);
    }
    return count > 0;
}

/*  Findings before commands: whoever saw a publication may ask for it. */
static bool take_turn(operations_t *self)
{
    pulse_beat(self->given->pulse);
    self->now = clock_now();
    self->probed = false;
    bool busy = serve_mails(self, self->given->observability, FINDINGS_A_TURN, serve_observability);
    busy |= serve_mails(self, self->reactor, COMMANDS_A_TURN, serve_reactor);
    busy |= serve_mails(self, self->given->notifier, COMMANDS_A_TURN, operations_serve_notifier);
    busy |= serve_mails(self, self->given->relay, COMMANDS_A_TURN, operations_serve_relay);
    busy |= operations_serve_lane(self);
    operations_let_time_pass(self);
    operations_serve_wants(self);
    if (self->dead || !operations_commit(self))
        return false;
    if (self->notices_lost)
        operations_notices_send_all(self);
    return operations_tend(self) || busy;
}

static void set_up(operations_t *self, zsock_t *pipe, operations_actor_t *given)
{
    *self = (operations_t){.given = given, .reactor = pipe, .now = clock_now()};
    arc4random_buf(&self->seed, sizeof self->seed);
    msgpack_sbuffer_init(&self->data);
    msgpack_sbuffer_init(&self->body);
    msgpack_sbuffer_init(&self->outcome);
    arena_init(&self->arena);
    arena_init(&self->thing_arena);
    self->alerts_told = alert_series_new();
    self->sampled = self->now; /* the other wing has yet to begin */
    for (family_t family = 0; family < FAMILY_STORED; family++)
        self->heads_at_start[family] = store_head(given->store, family).last;
    operations_restore(self);
    operations_own_file(self);
    operations_send_slos(self);
    operations_notices_send_all(self);
    operations_commit(self);
    zmsg_t *begun = mail_new(MAIL_BEGUN);
    mail_send(&begun, given->observability);
}

static void tear_down(operations_t *self)
{
    operations_manager_destroy(&self->manager);
    store_close(&self->given->store);
    msgpack_sbuffer_destroy(&self->data);
    msgpack_sbuffer_destroy(&self->body);
    msgpack_sbuffer_destroy(&self->outcome);
    arena_free(&self->arena);
    arena_free(&self->thing_arena);
    config_destroy(&self->given->config);
    access_keys_destroy(&self->given->keys);
    zsock_destroy(&self->given->observability);
    zsock_destroy(&self->given->incidents);
    zsock_destroy(&self->given->notifier);
    zsock_destroy(&self->given->relay);
    alert_series_destroy(&self->alerts_told);
    free(self->waiting);
    free(self->given);
}

static void say_last(operations_t *self)
{
    zmsg_t *mail = mail_new(self->dead ? MAIL_FATAL : MAIL_STOPPED);
    int status = EX_IOERR;
    if (self->dead)
        mail_add(mail, &status, sizeof status);
    mail_send(&mail, self->reactor);
}

void operations_actor(zsock_t *pipe, void *arguments)
{
    operations_t self;
    set_up(&self, pipe, arguments);
    zsock_signal(pipe, 0);
    bool busy = false;
    while (!self.stopping && !self.dead) {
        if (!busy)
            wait_for_work(&self);
        busy = take_turn(&self);
    }
    while (!self.dead && take_turn(&self))
        ;
    pulse_rest(self.given->pulse);
    FAILPOINT("operations.stop");
    say_last(&self);
    tear_down(&self);
}
