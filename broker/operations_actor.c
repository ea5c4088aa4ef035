#include "broker/operations_actor.h"

#include "broker/alert_series.h"
#include "broker/clock.h"
#include "broker/lane.h"
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

#define SAMPLE_NS NS_PER_S        /* how often the wing's own numbers become series */
#define FORGET_NS (60 * NS_PER_S) /* how often old `once` answers are looked for */
#define ONCE_KEPT_S (7.0 * 86400) /* how long an answer is kept */

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

/*  `envelope` becomes the answer's mail. */
static void answer_later(operations_t *self, zmsg_t **envelope, text_t id, bool changes)
{
    unsigned char kind = MAIL_ANSWER;
    zmsg_pushmem(*envelope, self->body.data, self->body.size);
    zmsg_pushmem(*envelope, &kind, 1);
    waiting_t *waiting = add_waiting(self);
    *waiting = (waiting_t){.mail = *envelope,
                           .to = self->reactor,
                           .is_answer = true,
                           .changes = changes,
                           .id = zframe_new(id.data, id.size)};
    *envelope = NULL;
}

/*  What was promised did not reach the disk: say so instead. */
static void retract(operations_t *self, waiting_t *waiting)
{
    text_t id = frame_text(waiting->id);
    self->outcome.size = self->body.size = 0;
    reply_error(STATUS_UNAVAILABLE, NULL, &self->outcome);
    reply_encode(id.size == 0 ? TEXT_NONE : id, false,
                 (text_t){self->outcome.data, self->outcome.size}, &self->body);
    zframe_t *kind = zmsg_pop(waiting->mail), *reply = zmsg_pop(waiting->mail);
    zframe_destroy(&reply);
    zmsg_pushmem(waiting->mail, self->body.data, self->body.size);
    zmsg_prepend(waiting->mail, &kind);
}

static void release_waiting(operations_t *self, bool committed)
{
    for (size_t i = 0; i < self->waiting_count; i++) {
        waiting_t *waiting = &self->waiting[i];
        if (!committed && waiting->is_answer && waiting->changes)
            retract(self, waiting);
        if (committed && waiting->to == self->given->notifier)
            self->notices_lost |= !mail_try(&waiting->mail, waiting->to);
        else if (committed && waiting->to == self->given->relay)
            mail_try(&waiting->mail, waiting->to); /* it asks again */
        else if (committed || waiting->is_answer)
            mail_send(&waiting->mail, waiting->to);
        else
            zmsg_destroy(&waiting->mail);
        zframe_destroy(&waiting->id);
    }
    self->waiting_count = 0;
}

/* -- restoring -- */

static bool restore_policy(void *context, const void *thing)
{
    operations_manager_restore_policy(((operations_t *)context)->manager, thing);
    return true;
}

static bool restore_runbook(void *context, const void *thing)
{
    operations_manager_restore_runbook(((operations_t *)context)->manager, thing);
    return true;
}

static bool restore_silence(void *context, const void *thing)
{
    operations_manager_restore_silence(((operations_t *)context)->manager, thing);
    return true;
}

static bool restore_incident(void *context, const void *thing)
{
    operations_t *self = context;
    if (((const incident_t *)thing)->status == INCIDENT_CLOSED)
        operations_manager_count_incident(self->manager, thing);
    else
        operations_manager_restore_incident(self->manager, thing);
    return true;
}

static bool restore_alert(void *context, const void *thing)
{
    operations_t *self = context;
    if (((const alert_t *)thing)->state == ALERT_RESOLVED)
        operations_manager_count_alert(self->manager, thing);
    else
        operations_manager_restore_alert(self->manager, thing);
    return true;
}

static bool send_slo(void *context, const void *thing)
{
    operations_t *self = context;
    const slo_t *slo = thing;
    const settings_t *settings = &self->given->config->settings;
    for (uint32_t i = 0; i < settings->slo_count; i++)
        if (text_equal(settings->slos[i].name, slo->name))
            return true; /* the file's definition is meant */
    zmsg_t *mail = mail_new(MAIL_SLO);
    mail_add(mail, &(mail_slo_t){.put = true}, sizeof(mail_slo_t));
    self->data.size = 0;
    schema_write(&slo_schema, slo, false, &self->data);
    mail_add_buffer(mail, &self->data);
    mail_send(&mail, self->given->observability);
    return true;
}

/*  Policies and runbooks of the file; the file was checked when it was read. */
static status_t own_file(operations_t *self)
{
    const config_t *config = self->given->config;
    size_t wrong = 0;
    schema_error_t error = {.status = STATUS_OK};
    status_t status = operations_manager_own(
        self->manager, config->settings.policies, config->settings.policy_count,
        config->settings.runbooks, config->settings.runbook_count, config->channel_names, self->now,
        &wrong, &error);
    if (status != STATUS_OK)
        log_error("the policies of the file are not in force", "policy=%zu reason=\"%s\"", wrong,
                  error.message);
    return status;
}

/*  A manager that stands where the store stands. */
static void restore(operations_t *self)
{
    store_t *store = self->given->store;
    operations_manager_destroy(&self->manager);
    operations_config_t config = self->given->config->operations;
    config.seed = self->seed;
    self->manager = operations_manager_new(&config, (effect_sink_t){operations_take_effect, self});
    operations_manager_restore_end(self->manager, store_last_alive(store));
    store_each(store, TABLE_POLICY, restore_policy, self);
    store_each(store, TABLE_RUNBOOK, restore_runbook, self);
    store_each(store, TABLE_SILENCE, restore_silence, self);
    store_each(store, TABLE_INCIDENT, restore_incident, self);
    store_each(store, TABLE_ALERT, restore_alert, self);
    operations_manager_restore_numbers(self->manager, store_last_id(store, TABLE_INCIDENT),
                                       store_last_id(store, TABLE_ALERT),
                                       store_last_id(store, TABLE_SILENCE));
    operations_manager_start(self->manager, self->now);
}

/* -- the commit -- */

/*  Say so when the store stops or starts to take changes, once each. */
static void report_store(const store_use_t *before, const store_use_t *after)
{
    if (before->writable && !after->writable)
        log_error("the store takes no changes: is the disk full?", "path=%s", after->path);
    else if (!before->writable && after->writable)
        log_words(LEVEL_INFO, "the store takes changes again");
}

bool operations_commit(operations_t *self)
{
    store_use_t before, after;
    store_use(self->given->store, &before);
    store_state_t state = store_commit(self->given->store);
    store_use(self->given->store, &after);
    report_store(&before, &after);
    if (state == STORE_DEAD) {
        log_words(LEVEL_ERROR,
                  "the store failed to write: ending, to read again what is on the disk");
        self->dead = true;
        return false;
    }
    self->tally.accepted += self->pending_accepted;
    if (state != STORE_GOOD)
        self->tally.dropped[STATUS_UNAVAILABLE] += self->pending_accepted;
    self->pending_accepted = 0;
    release_waiting(self, state == STORE_GOOD);
    if (state != STORE_GOOD)
        restore(self);
    return true;
}

/* -- commands on control -- */

static void answer_command(operations_t *self, const command_t *command, status_t status,
                           const schema_error_t *error, zmsg_t **envelope)
{
    text_t elsewhere = TEXT_NONE;
    bool ok = false;
    self->outcome.size = 0;
    if (status == STATUS_OK)
        ok = operations_execute(self, command, &self->outcome, &status, &elsewhere);
    else
        reply_error(status, error->message, &self->outcome);
    if (ok && elsewhere.data != NULL) {
        unsigned char kind = MAIL_ASK;
        zmsg_pushmem(*envelope, elsewhere.data, elsewhere.size);
        zmsg_pushmem(*envelope, &kind, 1);
        operations_send_later(self, self->given->observability, envelope);
        return;
    }
    self->body.size = 0; /* publications were made in it */
    reply_encode(command->id, ok, (text_t){self->outcome.data, self->outcome.size}, &self->body);
    bool changes = command->spec != NULL && (command->spec->changes || command->once.data != NULL);
    answer_later(self, envelope, command->id, ok && changes);
}

static void take_command(operations_t *self, zmsg_t **mail)
{
    zframe_t *request = mail_take(*mail);
    char *user_id = zmsg_popstr(*mail);
    command_t command;
    schema_error_t error;
    status_t status = command_read(&self->given->config->limits, frame_text(request), false,
                                   &self->arena, &command, &error);
    if (status == STATUS_OK)
        status = operations_admit(self, user_id, &command, &error);
    answer_command(self, &command, status, &error, mail);
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
    self->outcome.size = self->body.size = 0;
    report_encode(&report, &self->outcome);
    text_t echo = frame_text(id);
    reply_encode(echo.size == 0 ? TEXT_NONE : echo, true,
                 (text_t){self->outcome.data, self->outcome.size}, &self->body);
    answer_later(self, mail, TEXT_NONE, false);
    zframe_destroy(&id);
}

static void take_config(operations_t *self, zmsg_t **mail)
{
    config_t *old = self->given->config;
    mail_take_struct(*mail, &self->given->config, sizeof self->given->config);
    zframe_t *id = mail_take(*mail);
    status_t status = own_file(self);
    log_words(LEVEL_INFO,
              status == STATUS_OK ? "configuration reloaded" : "configuration not reloaded");
    self->outcome.size = self->body.size = 0;
    if (status == STATUS_OK)
        pack_bool(&self->outcome, true);
    else
        reply_error(status, NULL, &self->outcome);
    text_t echo = frame_text(id);
    reply_encode(echo.size == 0 ? TEXT_NONE : echo, status == STATUS_OK,
                 (text_t){self->outcome.data, self->outcome.size}, &self->body);
    if (zmsg_size(*mail) > 0)
        answer_later(self, mail, echo, status == STATUS_OK);
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

/* -- frames of the incidents lane -- */

static void take_event(operations_t *self, text_t event, const char *user_id)
{
    command_t command;
    schema_error_t error;
    status_t status =
        command_read(&self->given->config->limits, event, true, &self->arena, &command, &error);
    if (status == STATUS_OK)
        status = operations_admit(self, user_id, &command, &error);
    if (status != STATUS_OK) {
        self->tally.refused[status]++;
        return;
    }
    text_t elsewhere;
    self->outcome.size = 0;
    operations_execute(self, &command, &self->outcome, &status, &elsewhere);
    if (status == STATUS_OK) {
        self->pending_accepted++;
    } else {
        self->tally.accepted++;
        self->tally.dropped[status]++;
    }
}

status_t operations_check_frame(const limits_t *limits, text_t frame, cursor_t *cursor,
                                uint32_t *count)
{
    value_t value;
    if (frame.size > limits->frame_bytes)
        return STATUS_TOO_LARGE;
    status_t status = cursor_check(frame.data, frame.size, limits->depth);
    if (status != STATUS_OK)
        return status;
    *cursor = cursor_over(frame.data, frame.size);
    *count = 1;
    cursor_t inside = *cursor;
    must(cursor_read(&inside, &value));
    if (value.type != VALUE_ARRAY)
        return STATUS_OK;
    *cursor = inside;
    *count = value.as.count;
    return *count > limits->batch ? STATUS_BATCH_TOO_LONG : STATUS_OK;
}

static void take_frame(operations_t *self, zmq_msg_t *message)
{
    const char *user_id = zmq_msg_gets(message, "User-Id");
    text_t frame = {zmq_msg_data(message), zmq_msg_size(message)};
    cursor_t cursor;
    uint32_t count = 0;
    self->tally.frames++;
    status_t status = operations_check_frame(&self->given->config->limits, frame, &cursor, &count);
    if (status != STATUS_OK) {
        self->tally.refused[status]++;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = cursor.at;
        must(cursor_skip(&cursor));
        take_event(self, (text_t){(const char *)at, (size_t)(cursor.at - at)}, user_id);
        arena_reset(&self->arena);
    }
}

static bool serve_lane(operations_t *self)
{
    block_t *block = block_take(self->given->incidents);
    if (block == NULL)
        return false;
    for (size_t i = 0; i < block->count; i++)
        take_frame(self, &block->frames[i]);
    if (block_return(block)) {
        unsigned char lane = LANE_INCIDENTS;
        zmsg_t *mail = mail_new(MAIL_ROOM);
        mail_add(mail, &lane, 1);
        mail_send(&mail, self->reactor);
    }
    return true;
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

static void reserve_numbers(operations_t *self, zmsg_t *mail)
{
    mail_number_t wanted;
    mail_take_struct(mail, &wanted, sizeof wanted);
    wanted.seq = store_reserve(self->given->store, (family_t)wanted.family);
    mail_number_t last = {.family = wanted.family, .seq = wanted.seq + NUMBERS_BLOCK - 1};
    zmsg_t *numbers = mail_new(MAIL_NUMBERS);
    mail_add(numbers, &wanted, sizeof wanted);
    mail_add(numbers, &last, sizeof last);
    operations_send_later(self, self->given->observability, &numbers);
}

static void take_stop(operations_t *self, zmsg_t *mail)
{
    self->stopping = true;
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

/* -- time -- */

static int64_t next_deadline(const operations_t *self)
{
    int64_t next = operations_manager_next(self->manager);
    int64_t sample = self->sampled.mono_ns + SAMPLE_NS;
    return next < sample ? next : sample;
}

static void let_time_pass(operations_t *self)
{
    if (self->now.mono_ns >= operations_manager_next(self->manager))
        operations_manager_tick(self->manager, self->now);
    if (self->now.mono_ns >= self->sampled.mono_ns + SAMPLE_NS) {
        self->sampled = self->now;
        operations_send_samples(self);
        if (operations_manager_next(self->manager) != INSTANT_NEVER) /* a clock runs */
            store_alive(self->given->store, self->now.wall_s);
    }
    if (self->now.mono_ns >= self->forgot.mono_ns + FORGET_NS) {
        self->forgot = self->now;
        store_once_forget(self->given->store, self->now.wall_s - ONCE_KEPT_S);
    }
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
    zmq_poll(items, sizeof items / sizeof *items,
             clock_wait_ms(clock_now(), next_deadline(self), WAIT_MS));
}

static bool serve_mails(operations_t *self, zsock_t *pipe, size_t most,
                        void (*serve)(operations_t *, zmsg_t *))
{
    zmsg_t *mail;
    size_t count = 0;
    for (; count < most && (mail = mail_receive(pipe)) != NULL; count++)
        serve(self, mail);
    return count > 0;
}

/*  Findings before commands: whoever saw a publication may ask for it. */
static bool take_turn(operations_t *self)
{
    self->now = clock_now();
    bool busy = serve_mails(self, self->given->observability, FINDINGS_A_TURN, serve_observability);
    busy |= serve_mails(self, self->reactor, COMMANDS_A_TURN, serve_reactor);
    busy |= serve_mails(self, self->given->notifier, COMMANDS_A_TURN, operations_serve_notifier);
    busy |= serve_mails(self, self->given->relay, COMMANDS_A_TURN, operations_serve_relay);
    busy |= serve_lane(self);
    let_time_pass(self);
    operations_serve_wants(self);
    if (!operations_commit(self))
        return false;
    if (self->notices_lost)
        operations_notices_send_all(self);
    return busy;
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
    for (family_t family = 0; family < FAMILY_STORED; family++)
        self->heads_at_start[family] = store_head(given->store, family).last;
    restore(self);
    own_file(self);
    store_each(given->store, TABLE_SLO, send_slo, self);
    operations_notices_send_all(self);
    operations_commit(self);
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
    say_last(&self);
    tear_down(&self);
}
