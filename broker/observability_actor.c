#include "broker/observability_actor.h"

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

/* Events are applied in groups: as many as the stack can prefetch for at a time. */
#define GROUP_EVENTS 64u

/* Mails served in one turn before the lanes have theirs. */
#define MAILS_A_TURN 64u

/* Ask for the next block of numbers when so many are left. */
#define NUMBERS_LOW (NUMBERS_BLOCK / 2)

/* How often what is counted here becomes series. */
#define TELL_NS NS_PER_S

/* The longest a turn waits for something to happen. */
#define WAIT_MS 1000

typedef struct {
    uint64_t next, last;           /* may be given out: next..last */
    uint64_t then_next, then_last; /* the block after it, once it has come */
    bool asked, none;
} numbers_t;

typedef struct {
    observability_actor_t *given;
    zsock_t *reactor;
    observability_stack_t *stack;
    windows_keeper_t keeper;
    metric_batch_t metrics;
    request_batch_t requests;
    tally_t tallies[LANE_INCIDENTS];
    producers_t *producers;
    numbers_t numbers[FAMILY_STORED];
    uint64_t published[FAMILY_STORED], not_kept;
    int64_t told_ns; /* when the broker's own series were last told */
    arena_t arena;
    msgpack_sbuffer data, body;
    bool begun; /* what the store held has come */
    bool stopping;
} actor_t;

static void serve_operations(actor_t *self, zmsg_t *mail);

/* -- numbers -- */

static void want_numbers(actor_t *self, family_t family)
{
    numbers_t *numbers = &self->numbers[family];
    if (numbers->asked)
        return;
    zmsg_t *mail = mail_new(MAIL_WANT);
    mail_add(mail, &(mail_number_t){.family = family}, sizeof(mail_number_t));
    mail_send(&mail, self->given->operations);
    numbers->asked = true;
}

static void take_numbers(actor_t *self, zmsg_t *mail)
{
    mail_number_t first, last;
    mail_take_struct(mail, &first, sizeof first);
    mail_take_struct(mail, &last, sizeof last);
    numbers_t *numbers = &self->numbers[first.family];
    numbers->asked = false;
    numbers->none = first.seq == 0;
    if (numbers->none)
        return;
    if (numbers->next > numbers->last) {
        numbers->next = first.seq;
        numbers->last = last.seq;
    } else {
        numbers->then_next = first.seq;
        numbers->then_last = last.seq;
    }
}

/*  A number is on disk as reserved before it is given out; when none is left, the wing waits for
 * the operations wing, which never waits for this one. 0: the disk takes no reservation now. */
static uint64_t next_number(actor_t *self, family_t family)
{
    numbers_t *numbers = &self->numbers[family];
    if (numbers->next > numbers->last && numbers->then_next != 0) {
        numbers->next = numbers->then_next;
        numbers->last = numbers->then_last;
        numbers->then_next = 0;
    }
    numbers->none = false;
    while (numbers->next > numbers->last) {
        if (numbers->none)
            return 0;
        want_numbers(self, family);
        pulse_rest(self->given->pulse);
        zmsg_t *mail = zmsg_recv(self->given->operations);
        pulse_beat(self->given->pulse);
        must(mail != NULL);
        serve_operations(self, mail);
    }
    uint64_t number = numbers->next++;
    if (numbers->last - number < NUMBERS_LOW && numbers->then_next == 0)
        want_numbers(self, family);
    return number;
}

/* -- findings -- */

static void publish(actor_t *self, const publication_t *publication)
{
    char topic[PUBLICATION_TOPIC_MAX + 1];
    text_t name = {topic, publication_topic(publication, topic)};
    family_t family = publication_type_family(publication->type);
    mail_number_t number = {.family = family, .seq = next_number(self, family)};
    if (number.seq == 0) {
        self->not_kept++;
        return;
    }
    self->published[family]++;
    self->body.size = 0;
    publication_encode(publication, number.seq, text_of(self->given->source), &self->body);

    /* to the store first: whoever sees the publication may ask for it at once */
    zmsg_t *keep = mail_new(MAIL_KEEP);
    mail_add(keep, &number, sizeof number);
    mail_add(keep, &publication->time_s, sizeof publication->time_s);
    mail_add_text(keep, name);
    mail_add_buffer(keep, &self->body);
    if (!mail_try(&keep, self->given->operations))
        self->not_kept++;

    zmsg_t *mail = mail_new(MAIL_PUBLISH);
    mail_add(mail, &number, sizeof number);
    mail_add_text(mail, name);
    mail_add_buffer(mail, &self->body);
    mail_send(&mail, self->reactor);
}

static text_t write_anomaly(actor_t *self, const finding_t *finding)
{
    schema_write_with(&anomaly_schema, &finding->as.anomaly.view, 2, &self->data);
    pack_string(&self->data, "expected_mean");
    pack_number(&self->data, finding->as.anomaly.expected_mean);
    pack_string(&self->data, "expected_stddev");
    pack_number(&self->data, finding->as.anomaly.expected_stddev);
    return finding->as.anomaly.view.name;
}

static void write_change(actor_t *self, const char *from, const char *to)
{
    pack_string(&self->data, "from");
    pack_string(&self->data, from);
    pack_string(&self->data, "to");
    pack_string(&self->data, to);
}

static text_t write_slo(actor_t *self, const finding_t *finding)
{
    schema_write_with(&slo_view_schema, &finding->as.slo.view, 2, &self->data);
    write_change(self, slo_status_words[finding->as.slo.from],
                 slo_status_words[finding->as.slo.to]);
    return finding->as.slo.view.slo.name;
}

static text_t write_dependency(actor_t *self, const finding_t *finding)
{
    schema_write_with(&dependency_schema, &finding->as.dependency.view, 3, &self->data);
    write_change(self, dependency_status_words[finding->as.dependency.from],
                 dependency_status_words[finding->as.dependency.to]);
    pack_string(&self->data, "lasted");
    pack_number(&self->data, finding->as.dependency.lasted);
    return finding->as.dependency.view.name;
}

static const struct {
    publication_type_t type;
    text_t (*write)(actor_t *, const finding_t *); /* the data; answers the subject */
} published[FINDING_COUNT] = {
    [FINDING_ANOMALY_DETECTED] = {PUBLISH_ANOMALY_DETECTED, write_anomaly},
    [FINDING_ANOMALY_CLEARED] = {PUBLISH_ANOMALY_CLEARED, write_anomaly},
    [FINDING_SLO_BREACHED] = {PUBLISH_SLO_BREACHED, write_slo},
    [FINDING_SLO_BURNING] = {PUBLISH_SLO_BURNING, write_slo},
    [FINDING_SLO_RECOVERED] = {PUBLISH_SLO_RECOVERED, write_slo},
    [FINDING_DEPENDENCY_CHANGED] = {PUBLISH_DEPENDENCY_CHANGED, write_dependency},
};

static void send_result(actor_t *self, const finding_t *finding)
{
    const plan_result_t *result = &finding->as.result;
    mail_result_t values = {.plan = result->plan,
                            .value = result->value,
                            .time_s = finding->now.wall_s,
                            .mono_ns = finding->now.mono_ns,
                            .label_count = result->labels.count,
                            .state = result->state};
    zmsg_t *mail = mail_new(MAIL_RESULT);
    mail_add(mail, &values, sizeof values);
    mail_add_text(mail, (text_t){(const char *)result->labels.bytes, result->labels.size});
    mail_add_text(mail, result->error);
    mail_send(&mail, self->given->operations);
}

static void take_finding(void *context, const finding_t *finding)
{
    actor_t *self = context;
    if (finding->type == FINDING_RESULT) {
        send_result(self, finding);
        return;
    }
    self->data.size = 0;
    text_t subject = published[finding->type].write(self, finding);
    publication_t publication = {.type = published[finding->type].type,
                                 .time_s = finding->now.wall_s,
                                 .subject = subject,
                                 .data = {self->data.data, self->data.size}};
    publish(self, &publication);
}

/* -- blocks -- */

static void apply_metrics(actor_t *self, instant_t now)
{
    observability_stack_metrics(self->stack, self->metrics.events, self->metrics.count, now,
                                &self->tallies[LANE_METRICS]);
    self->metrics.count = 0;
}

static void apply_requests(actor_t *self, instant_t now)
{
    observability_stack_requests(self->stack, self->requests.events, self->requests.count, now,
                                 &self->tallies[LANE_REQUESTS]);
    self->requests.count = 0;
}

static void decode_metric_frame(actor_t *self, zmq_msg_t *frame)
{
    decode_metrics(&self->given->config->limits, zmq_msg_data(frame), zmq_msg_size(frame),
                   &self->metrics, &self->tallies[LANE_METRICS]);
}

/*  Frame by frame, so that what a frame makes is charged to its sender. */
static void read_checked_metrics(actor_t *self, block_t *block)
{
    tally_t *tally = &self->tallies[LANE_METRICS];
    for (size_t i = 0; i < block->count; i++) {
        zmq_msg_t *frame = &block->frames[i];
        if (!producers_admit(self->producers, zmq_msg_gets(frame, "User-Id"), block->now, tally))
            continue;
        decode_metric_frame(self, frame);
        producers_sift_metrics(self->producers, self->stack, &self->metrics, tally);
        uint64_t before = observability_stack_series(self->stack).count;
        apply_metrics(self, block->now);
        producers_charge(self->producers, before, observability_stack_series(self->stack).count);
    }
}

static void read_metrics(actor_t *self, block_t *block)
{
    if (producers_are_checked(self->producers)) {
        read_checked_metrics(self, block);
        return;
    }
    for (size_t i = 0; i < block->count; i++) {
        decode_metric_frame(self, &block->frames[i]);
        if (self->metrics.count >= GROUP_EVENTS)
            apply_metrics(self, block->now);
    }
    apply_metrics(self, block->now);
}

static void decode_request_frame(actor_t *self, zmq_msg_t *frame)
{
    decode_requests(&self->given->config->limits, zmq_msg_data(frame), zmq_msg_size(frame),
                    &self->requests, &self->tallies[LANE_REQUESTS]);
}

static void read_checked_requests(actor_t *self, block_t *block)
{
    tally_t *tally = &self->tallies[LANE_REQUESTS];
    for (size_t i = 0; i < block->count; i++) {
        zmq_msg_t *frame = &block->frames[i];
        if (!producers_admit(self->producers, zmq_msg_gets(frame, "User-Id"), block->now, tally))
            continue;
        decode_request_frame(self, frame);
        producers_sift_requests(self->producers, &self->requests, tally);
        apply_requests(self, block->now);
    }
}

static void read_requests(actor_t *self, block_t *block)
{
    if (producers_are_checked(self->producers)) {
        read_checked_requests(self, block);
        return;
    }
    for (size_t i = 0; i < block->count; i++) {
        decode_request_frame(self, &block->frames[i]);
        if (self->requests.count >= GROUP_EVENTS)
            apply_requests(self, block->now);
    }
    apply_requests(self, block->now);
}

static bool serve_lane(actor_t *self, lane_kind_t kind)
{
    block_t *block = block_take(self->given->lanes[kind]);
    if (block == NULL)
        return false;
    if (kind == LANE_METRICS)
        read_metrics(self, block);
    else
        read_requests(self, block);
    if (block_return(block)) {
        unsigned char lane = (unsigned char)kind;
        zmsg_t *mail = mail_new(MAIL_ROOM);
        mail_add(mail, &lane, 1);
        mail_send(&mail, self->reactor);
    }
    return true;
}

/* -- entries from the relay bus -- */

static void read_entry(actor_t *self, lane_kind_t lane, zframe_t *frame)
{
    const limits_t *limits = &self->given->config->limits;
    tally_t *tally = &self->tallies[lane];
    if (lane == LANE_METRICS) {
        decode_metrics(limits, zframe_data(frame), zframe_size(frame), &self->metrics, tally);
        apply_metrics(self, clock_now());
    } else {
        decode_requests(limits, zframe_data(frame), zframe_size(frame), &self->requests, tally);
        apply_requests(self, clock_now());
    }
}

/*  How many events were refused, and the first reason by which one was. */
static uint64_t count_refused(const tally_t *before, const tally_t *after, uint32_t *reason)
{
    uint64_t count = 0;
    for (status_t status = 0; status < STATUS_COUNT; status++) {
        uint64_t more = after->refused[status] - before->refused[status];
        if (count == 0 && more > 0)
            *reason = status;
        count += more;
    }
    return count;
}

/*  Decoded and counted as a frame of the lane is; then the bus is told what became of it. */
static void serve_relay(actor_t *self, zmsg_t *mail)
{
    mail_feed_t feed;
    must(mail_open(mail) == MAIL_FEED);
    mail_take_struct(mail, &feed, sizeof feed);
    must(feed.lane < LANE_INCIDENTS);
    zframe_t *entry = mail_take(mail), *frame = mail_take(mail);
    tally_t before = self->tallies[feed.lane];
    read_entry(self, (lane_kind_t)feed.lane, frame);
    const tally_t *after = &self->tallies[feed.lane];
    mail_fed_t fed = {.ticket = feed.ticket, .accepted = after->accepted - before.accepted};
    fed.refused = count_refused(&before, after, &fed.status);
    zmsg_t *answer = mail_new(MAIL_FED);
    mail_add(answer, &fed, sizeof fed);
    mail_try(&answer, self->given->relay); /* what is not answered is delivered again */
    zframe_destroy(&entry);
    zframe_destroy(&frame);
    zmsg_destroy(&mail);
}

/* -- mail from the operations wing -- */

static void take_plan(actor_t *self, zmsg_t *mail)
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

static void take_slo(actor_t *self, zmsg_t *mail)
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

static void take_samples(actor_t *self, zmsg_t *mail)
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

static void pass_status(actor_t *self, zmsg_t **mail)
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

static void answer(actor_t *self, zmsg_t *mail)
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

static void serve_operations(actor_t *self, zmsg_t *mail)
{
    switch ((int)mail_open(mail)) {
    case MAIL_NUMBERS:
        take_numbers(self, mail);
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

static void put_file_slos(actor_t *self)
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

static void configure_producers(actor_t *self)
{
    const limit_settings_t *limits = &self->given->config->settings.limits;
    producers_configure(self->producers, limits->producer_events, limits->producer_series,
                        limits->series_ttl);
}

static void take_keys(actor_t *self, zmsg_t *mail)
{
    access_keys_t *keys;
    mail_take_struct(mail, &keys, sizeof keys);
    producers_take_keys(self->producers, keys);
}

static void take_config(actor_t *self, zmsg_t *mail)
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

static void serve_reactor(actor_t *self, zmsg_t *mail)
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

static void tell_own(actor_t *self, instant_t now)
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

static void wait_for_work(actor_t *self)
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

static void serve_mails(actor_t *self, zsock_t *pipe, void (*serve)(actor_t *, zmsg_t *))
{
    zmsg_t *mail;
    for (size_t i = 0; i < MAILS_A_TURN && (mail = mail_receive(pipe)) != NULL; i++) {
        pulse_beat(self->given->pulse);
        serve(self, mail);
    }
}

static double windows_interval(const actor_t *self)
{
    return self->given->config->settings.store.windows_interval;
}

static bool take_turn(actor_t *self)
{
    pulse_beat(self->given->pulse);
    serve_mails(self, self->reactor, serve_reactor);
    serve_mails(self, self->given->operations, serve_operations);
    serve_mails(self, self->given->relay, serve_relay);
    bool busy = serve_lane(self, LANE_METRICS);
    busy |= serve_lane(self, LANE_REQUESTS);
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
static void pass_stop(actor_t *self)
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
static void put_stored_slos(actor_t *self)
{
    while (!self->begun) {
        zmsg_t *mail = zmsg_recv(self->given->operations);
        must(mail != NULL);
        serve_operations(self, mail);
    }
}

static void set_up(actor_t *self, zsock_t *pipe, observability_actor_t *given)
{
    *self = (actor_t){.given = given, .reactor = pipe};
    finding_sink_t sink = {take_finding, self};
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

static void tear_down(actor_t *self)
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
    actor_t self;
    set_up(&self, pipe, arguments);
    zsock_signal(pipe, 0);
    for (family_t family = FAMILY_ANOMALY; family <= FAMILY_DEPENDENCY; family++)
        want_numbers(&self, family);
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
