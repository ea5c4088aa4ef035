#include "broker/observability_inside.h"

#include "broker/clock.h"
#include "broker/log.h"
#include "broker/mail.h"
#include "broker/producers.h"
#include "broker/questions.h"
#include "broker/report.h"
#include "broker/self_series.h"
#include "broker/windows_keeper.h"
#include "proto/command.h"
#include "proto/decode.h"
#include "proto/must.h"
#include "proto/pack.h"
#include "proto/reply.h"

#include <stdlib.h>

/* Mails served in one turn before the lanes have theirs. */
#define MAILS_A_TURN 64u

/* How often what is counted here becomes series. */
#define TELL_NS NS_PER_S

/* The longest a turn waits for something to happen. */
#define WAIT_MS 1000

/* -- mail from the operations wing -- */

static void take_plan(observability_t *self, zmsg_t *mail)
{
    mail_plan_t plan;
    mail_take_struct(mail, &plan, sizeof plan);
    zframe_t *condition = zmsg_pop(mail);
    if (condition == NULL)
        observability_stack_plan_delete(self->stack, plan.id);
    else if (observability_stack_plan_put(self->stack, plan.id, frame_text(condition),
                                          plan.interval_s, plan.lookback_s,
                                          clock_now()) != STATUS_OK)
        log_error("a policy cannot be evaluated: too many plans", "plan=%llu",
                  (unsigned long long)plan.id);
    zframe_destroy(&condition);
}

static void take_slo(observability_t *self, zmsg_t *mail)
{
    mail_slo_t what;
    mail_take_struct(mail, &what, sizeof what);
    zframe_t *frame = mail_take(mail);
    if (!what.put) {
        observability_stack_slo_delete(self->stack, frame_text(frame));
    } else {
        slo_t slo;
        cursor_t cursor = cursor_over(zframe_data(frame), zframe_size(frame));
        status_t status = schema_read(&slo_schema, &self->given->config->limits, &cursor, false,
                                      &self->arena, &slo, NULL);
        if (status == STATUS_OK)
            status = observability_stack_slo_put(self->stack, &slo, clock_now());
        if (status != STATUS_OK)
            log_error("a stored SLO is not watched", "reason=%s", status_reason(status));
        arena_reset(&self->arena);
    }
    zframe_destroy(&frame);
}

static void take_samples(observability_t *self, zmsg_t *mail)
{
    instant_t now = clock_now();
    while (zmsg_size(mail) > 0) {
        mail_sample_t values;
        mail_take_struct(mail, &values, sizeof values);
        zframe_t *name = mail_take(mail), *labels = mail_take(mail);
        sample_t sample = {
            .name = frame_text(name),
            .labels = {zframe_data(labels), (uint32_t)zframe_size(labels), values.label_count},
            .kind = (metric_kind_t)values.kind,
            .value = values.value};
        observability_stack_sample(self->stack, &sample, now);
        zframe_destroy(&name);
        zframe_destroy(&labels);
    }
}

static void pass_status(observability_t *self, zmsg_t **mail)
{
    report_t report;
    mail_take_struct(*mail, &report, sizeof report);
    for (size_t i = 0; i < LANE_INCIDENTS; i++)
        report.ingest[i] = self->tallies[i];
    report.series = observability_stack_series(self->stack);
    report.plans = observability_stack_plans(self->stack);
    report.publications_not_kept = self->not_kept;
    report.events_diverted = producers_diverted(self->producers);
    unsigned char kind = MAIL_STATUS;
    zmsg_pushmem(*mail, &report, sizeof report);
    zmsg_pushmem(*mail, &kind, 1);
    mail_send(mail, self->given->operations);
}

static void answer(observability_t *self, zmsg_t *mail)
{
    zframe_t *request = mail_take(mail);
    self->body.size = 0;
    questions_answer(self->stack, &self->given->config->limits, frame_text(request), clock_now(),
                     &self->arena, &self->body);
    zframe_destroy(&request);
    unsigned char kind = MAIL_ANSWER;
    zmsg_pushmem(mail, self->body.data, self->body.size);
    zmsg_pushmem(mail, &kind, 1);
    mail_send(&mail, self->reactor);
}

void observability_serve_operations(observability_t *self, zmsg_t *mail)
{
    switch ((int)mail_open(mail)) {
    case MAIL_NUMBERS:
        observability_take_numbers(self, mail);
        break;
    case MAIL_PLAN:
        take_plan(self, mail);
        break;
    case MAIL_SLO:
        take_slo(self, mail);
        break;
    case MAIL_SAMPLES:
        take_samples(self, mail);
        break;
    case MAIL_ASK:
        answer(self, mail);
        return;
    case MAIL_BEGUN:
        self->begun = true;
        break;
    default:
        must_not("a mail of a kind that the operations wing does not send");
    }
    zmsg_destroy(&mail);
}

/* -- mail from the reactor -- */

static void put_file_slos(observability_t *self)
{
    const settings_t *settings = &self->given->config->settings;
    for (uint32_t i = 0; i < settings->slo_count; i++)
        if (observability_stack_slo_put(self->stack, &settings->slos[i], clock_now()) != STATUS_OK)
            log_error("an SLO of the file is not watched", "slo=%.*s",
                      (int)settings->slos[i].name.size, settings->slos[i].name.data);
}

static bool has_slo(const config_t *config, text_t name)
{
    for (uint32_t i = 0; i < config->settings.slo_count; i++)
        if (text_equal(config->settings.slos[i].name, name))
            return true;
    return false;
}

static void configure_producers(observability_t *self)
{
    const limit_settings_t *limits = &self->given->config->settings.limits;
    producers_configure(self->producers, limits->producer_events, limits->producer_series,
                        limits->series_ttl);
}

static void take_keys(observability_t *self, zmsg_t *mail)
{
    access_keys_t *keys;
    mail_take_struct(mail, &keys, sizeof keys);
    producers_take_keys(self->producers, keys);
}

static void take_config(observability_t *self, zmsg_t *mail)
{
    config_t *old = self->given->config;
    mail_take_struct(mail, &self->given->config, sizeof self->given->config);
    observability_stack_configure(self->stack, &self->given->config->observability);
    configure_producers(self);
    metric_batch_free(&self->metrics);
    request_batch_free(&self->requests);
    metric_batch_init(&self->metrics, &self->given->config->limits);
    request_batch_init(&self->requests, &self->given->config->limits);
    for (uint32_t i = 0; i < old->settings.slo_count; i++)
        if (!has_slo(self->given->config, old->settings.slos[i].name))
            observability_stack_slo_delete(self->stack, old->settings.slos[i].name);
    put_file_slos(self);
    config_destroy(&old);
}

static void serve_reactor(observability_t *self, zmsg_t *mail)
{
    switch ((int)mail_open(mail)) {
    case MAIL_ASK:
        answer(self, mail);
        return;
    case MAIL_STATUS:
        pass_status(self, &mail);
        return;
    case MAIL_CONFIG:
        take_config(self, mail);
        break;
    case MAIL_KEYS:
        take_keys(self, mail);
        break;
    case MAIL_STOP:
    default: /* or "$TERM": the actor is being destroyed */
        self->stopping = true;
        break;
    }
    zmsg_destroy(&mail);
}

/* -- what the broker says about itself -- */

static void take_sample(void *context, const sample_t *sample)
{
    observability_stack_sample(context, sample, clock_now());
}

static void tell_own(observability_t *self, instant_t now)
{
    sample_sink_t sink = {take_sample, self->stack};
    self->told_ns = now.mono_ns;
    self_series_build(sink);
    self_series_use(observability_stack_series(self->stack), sink);
    for (lane_kind_t lane = 0; lane < LANE_INCIDENTS; lane++)
        self_series_ingest(lane, &self->tallies[lane], sink);
    for (family_t family = FAMILY_ANOMALY; family <= FAMILY_DEPENDENCY; family++)
        self_series_publications(family, self->published[family], sink);
}

/* -- the loop -- */

static void wait_for_work(observability_t *self)
{
    instant_t now = clock_now();
    zmq_pollitem_t items[] = {
        {.socket = zsock_resolve(self->reactor), .events = ZMQ_POLLIN},
        {.socket = zsock_resolve(self->given->operations), .events = ZMQ_POLLIN},
        {.socket = zsock_resolve(self->given->lanes[LANE_METRICS]), .events = ZMQ_POLLIN},
        {.socket = zsock_resolve(self->given->lanes[LANE_REQUESTS]), .events = ZMQ_POLLIN},
        {.socket = zsock_resolve(self->given->relay), .events = ZMQ_POLLIN},
    };
    int64_t next = observability_stack_next(self->stack), keep = windows_keeper_next(&self->keeper);
    pulse_rest(self->given->pulse);
    zmq_poll(items, sizeof items / sizeof *items,
             clock_wait_ms(now, next < keep ? next : keep, WAIT_MS));
    pulse_beat(self->given->pulse);
}

static void serve_mails(observability_t *self, zsock_t *pipe,
                        void (*serve)(observability_t *, zmsg_t *))
{
    zmsg_t *mail;
    for (size_t i = 0; i < MAILS_A_TURN && (mail = mail_receive(pipe)) != NULL; i++) {
        pulse_beat(self->given->pulse);
        serve(self, mail);
    }
}

static double windows_interval(const observability_t *self)
{
    return self->given->config->settings.store.windows_interval;
}

static bool take_turn(observability_t *self)
{
    pulse_beat(self->given->pulse);
    serve_mails(self, self->reactor, serve_reactor);
    serve_mails(self, self->given->operations, observability_serve_operations);
    serve_mails(self, self->given->relay, observability_serve_relay);
    bool busy = observability_serve_lane(self, LANE_METRICS);
    busy |= observability_serve_lane(self, LANE_REQUESTS);
    instant_t now = clock_now();
    if (now.mono_ns >= observability_stack_next(self->stack))
        observability_stack_tick(self->stack, now);
    if (now.mono_ns >= self->told_ns + TELL_NS)
        tell_own(self, now);
    if (now.mono_ns >= windows_keeper_next(&self->keeper))
        busy |= windows_keeper_turn(&self->keeper, now, windows_interval(self));
    return busy;
}

/*  The operations wing ends while the windows are written. The last numbers given out go along, so
 * that the store closes with exact heads. */
static void pass_stop(observability_t *self)
{
    zmsg_t *mail = mail_new(MAIL_STOP);
    for (family_t family = FAMILY_ANOMALY; family <= FAMILY_DEPENDENCY; family++) {
        mail_number_t last = {.family = family, .seq = self->numbers[family].next - 1};
        mail_add(mail, &last, sizeof last);
    }
    mail_send(&mail, self->given->operations);
    windows_keeper_finish(&self->keeper, clock_now());
    mail = mail_new(MAIL_STOPPED);
    mail_send(&mail, self->reactor);
}

/*  The operations wing has sent every SLO of the store before this one began. */
static void put_stored_slos(observability_t *self)
{
    while (!self->begun) {
        zmsg_t *mail = mail_wait(self->given->operations);
        must(mail != NULL);
        observability_serve_operations(self, mail);
    }
}

static void set_up(observability_t *self, zsock_t *pipe, observability_actor_t *given)
{
    *self = (observability_t){.given = given, .reactor = pipe};
    finding_sink_t sink = {observability_take_finding, self};
    self->stack = observability_stack_new(&given->config->observability, sink);
    self->producers = producers_new(given->keys);
    configure_producers(self);
    metric_batch_init(&self->metrics, &given->config->limits);
    request_batch_init(&self->requests, &given->config->limits);
    msgpack_sbuffer_init(&self->data);
    msgpack_sbuffer_init(&self->body);
    arena_init(&self->arena);
    for (family_t family = 0; family < FAMILY_STORED; family++)
        self->numbers[family].next = 1; /* 1..0: none yet */
    windows_keeper_init(&self->keeper, self->stack, given->directory, clock_now(),
                        windows_interval(self));
    put_file_slos(self);
    put_stored_slos(self);
    stack_memory_settled(self->stack);
}

static void tear_down(observability_t *self)
{
    observability_stack_destroy(&self->stack);
    producers_destroy(&self->producers);
    metric_batch_free(&self->metrics);
    request_batch_free(&self->requests);
    msgpack_sbuffer_destroy(&self->data);
    msgpack_sbuffer_destroy(&self->body);
    arena_free(&self->arena);
    config_destroy(&self->given->config);
    zsock_destroy(&self->given->relay);
    for (size_t i = 0; i < LANE_INCIDENTS; i++)
        zsock_destroy(&self->given->lanes[i]);
    free(self->given);
}

void observability_actor(zsock_t *pipe, void *arguments)
{
    observability_t self;
    set_up(&self, pipe, arguments);
    zsock_signal(pipe, 0);
    for (family_t family = FAMILY_ANOMALY; family <= FAMILY_DEPENDENCY; family++)
        observability_want_numbers(&self, family);
    bool busy = false;
    while (!self.stopping) {
        if (!busy)
            wait_for_work(&self);
        busy = take_turn(&self);
    }
    while (take_turn(&self))
        ;
    pulse_rest(self.given->pulse);
    pass_stop(&self);
    tear_down(&self);
}
