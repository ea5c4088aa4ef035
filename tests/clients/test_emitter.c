/*  The emitter against sockets that play the broker: every frame goes through the broker's own
 *  decoder. */
#include "proto/decode.h"
#include "tests/check.h"
#include "tests/clients/peer.h"

#include <errno.h>
#include <pthread.h>
#include <tocsin.h>

static limits_t limits;
static peer_t metrics, requests, incidents;
static tocsin_emitter_t *emitter;
static tocsin_emitter_options_t options;

static int set_up(void **state)
{
    (void)state;
    limits = LIMITS_DEFAULT;
    peer_init(&metrics, ZMQ_PULL);
    peer_init(&requests, ZMQ_PULL);
    peer_init(&incidents, ZMQ_PULL);
    options = (tocsin_emitter_options_t){
        .metrics = metrics.address, .requests = requests.address, .incidents = incidents.address};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tocsin_emitter_destroy(&emitter);
    peer_free(&metrics);
    peer_free(&requests);
    peer_free(&incidents);
    return 0;
}

static void start(void)
{
    emitter = tocsin_emitter_new(&options);
    assert_non_null(emitter);
}

/*  So that nothing leaves by its age. */
static void start_patient(size_t batch_events)
{
    options.batch_events = batch_events;
    options.batch_age = 1000;
    options.aggregate_age = 1000;
    start();
}

static zmq_msg_t frame;
static metric_batch_t batch;
static request_batch_t request_batch;

/*  The next frame on metrics, decoded into `batch`: answers its events. */
static size_t receive_metrics(void)
{
    static bool ready;
    tally_t tally = {0};
    if (!ready)
        metric_batch_init(&batch, &limits);
    ready = true;
    batch.count = 0;
    peer_receive(&metrics, &frame);
    assert_int_equal(
        decode_metrics(&limits, zmq_msg_data(&frame), zmq_msg_size(&frame), &batch, &tally),
        STATUS_OK);
    return batch.count;
}

static void forget_frame(void)
{
    zmq_msg_close(&frame);
}

/*  Receive so many metric events, whatever the batches. */
static void receive_count(size_t count)
{
    for (size_t received = 0; received < count; forget_frame())
        received += receive_metrics();
}

/* -- the three lines -- */

static void test_emitter__a_metric_is_a_line(void **state)
{
    (void)state;
    peer_come(&metrics);
    start();
    assert_int_equal(tocsin_metric(emitter, "queue_depth", TOCSIN_GAUGE, 17, "queue", "orders",
                                   "host", "a", NULL),
                     TOCSIN_OK);
    assert_int_equal(receive_metrics(), 1);
    assert_text(batch.events[0].name, "queue_depth");
    assert_int_equal(batch.events[0].kind, METRIC_GAUGE);
    assert_double(batch.events[0].value, 17, 0);
    assert_int_equal(batch.events[0].labels.count, 2);
    forget_frame();
}

static void test_emitter__a_request_is_a_line(void **state)
{
    (void)state;
    tally_t tally = {0};
    peer_come(&requests);
    start();
    assert_int_equal(
        tocsin_request(emitter, "POST /orders", 0.031, "postgresql", "timed out", NULL), TOCSIN_OK);
    request_batch_init(&request_batch, &limits);
    peer_receive(&requests, &frame);
    assert_int_equal(decode_requests(&limits, zmq_msg_data(&frame), zmq_msg_size(&frame),
                                     &request_batch, &tally),
                     STATUS_OK);
    assert_int_equal(request_batch.count, 1);
    assert_text(request_batch.events[0].operation, "POST /orders");
    assert_text(request_batch.events[0].dependency, "postgresql");
    assert_text(request_batch.events[0].message, "timed out");
    assert_true(request_batch.events[0].error);
    assert_double(request_batch.events[0].duration_s, 0.031, 0);
    forget_frame();
    request_batch_free(&request_batch);
}

static void test_emitter__an_incident_is_a_line_and_does_not_wait_for_others(void **state)
{
    (void)state;
    char text[64];
    peer_come(&incidents);
    start_patient(100);
    assert_int_equal(tocsin_incident(emitter, "disk is full", "high", "host", "db-1", NULL),
                     TOCSIN_OK);
    peer_receive(&incidents, &frame);
    tocsin_value_t value =
        tocsin_value_at((tocsin_value_t){zmq_msg_data(&frame), zmq_msg_size(&frame)}, 0);
    assert_string_equal(tocsin_value_copy(tocsin_value_of(value, "do"), text, sizeof text),
                        "incident.open");
    assert_string_equal(tocsin_value_copy(tocsin_value_of(value, "title"), text, sizeof text),
                        "disk is full");
    assert_string_equal(tocsin_value_copy(tocsin_value_of(value, "severity"), text, sizeof text),
                        "high");
    tocsin_value_t labels = tocsin_value_of(value, "labels");
    assert_string_equal(tocsin_value_copy(tocsin_value_of(labels, "host"), text, sizeof text),
                        "db-1");
    forget_frame();
}

static void test_emitter__everything_an_event_can_say_arrives(void **state)
{
    (void)state;
    const double values[] = {0.5, 1.5};
    const tocsin_label_t label = {"host", "a"};
    peer_come(&metrics);
    start();
    tocsin_metric_event_t event = {.name = "latency",
                                   .kind = TOCSIN_HISTOGRAM,
                                   .values = values,
                                   .value_count = 2,
                                   .unit = "seconds",
                                   .labels = &label,
                                   .label_count = 1,
                                   .time = 1e9};
    assert_int_equal(tocsin_emit_metric(emitter, &event), TOCSIN_OK);
    assert_int_equal(receive_metrics(), 1);
    assert_int_equal(batch.events[0].value_count, 2);
    assert_text(batch.events[0].unit, "seconds");
    assert_double(batch.events[0].time_s, 1e9, 0);
    forget_frame();
}

static void test_emitter__what_breaks_a_rule_is_invalid_and_not_sent(void **state)
{
    (void)state;
    peer_come(&metrics);
    start();
    const double values[] = {1, NAN};
    tocsin_metric_event_t several = {
        .name = "m", .kind = TOCSIN_GAUGE, .values = values, .value_count = 2};
    assert_int_equal(tocsin_metric(emitter, "", TOCSIN_GAUGE, 1, NULL), TOCSIN_INVALID);
    assert_int_equal(tocsin_metric(emitter, NULL, TOCSIN_GAUGE, 1, NULL), TOCSIN_INVALID);
    assert_int_equal(tocsin_metric(emitter, "m", TOCSIN_COUNTER, -1, NULL), TOCSIN_INVALID);
    assert_int_equal(tocsin_metric(emitter, "m", TOCSIN_GAUGE, NAN, NULL), TOCSIN_INVALID);
    assert_int_equal(tocsin_metric(emitter, "m", (tocsin_kind_t)7, 1, NULL), TOCSIN_INVALID);
    assert_int_equal(tocsin_metric(emitter, "m", TOCSIN_GAUGE, 1, "", "x", NULL), TOCSIN_INVALID);
    assert_int_equal(tocsin_metric(emitter, "m", TOCSIN_GAUGE, 1, "x", NULL, NULL), TOCSIN_INVALID);
    assert_int_equal(tocsin_emit_metric(emitter, &several), TOCSIN_INVALID);
    several.kind = TOCSIN_COUNTER;
    assert_int_equal(tocsin_emit_metric(emitter, &several), TOCSIN_INVALID);
    assert_int_equal(tocsin_request(emitter, "op", -1, NULL, NULL, NULL), TOCSIN_INVALID);
    assert_int_equal(tocsin_incident(emitter, "title", "", NULL), TOCSIN_INVALID);
    assert_int_equal(tocsin_aggregate(emitter, ""), TOCSIN_INVALID);
    assert_int_equal(tocsin_flush(emitter, PATIENCE_S), TOCSIN_OK);
    assert_true(peer_is_quiet(&metrics, 0));
    assert_int_equal(tocsin_dropped(emitter), 0);
}

static void test_emitter__an_address_that_is_none_is_said_at_once(void **state)
{
    (void)state;
    options.metrics = "no address";
    assert_null(tocsin_emitter_new(&options));
    assert_int_equal(errno, EINVAL);
}

/* -- batches -- */

static void test_emitter__a_full_batch_leaves_at_once(void **state)
{
    (void)state;
    peer_come(&metrics);
    start_patient(3);
    for (int i = 0; i < 7; i++)
        assert_int_equal(tocsin_metric(emitter, "m", TOCSIN_COUNTER, 1, NULL), TOCSIN_OK);
    for (int i = 0; i < 2; i++, forget_frame())
        assert_int_equal(receive_metrics(), 3);
    assert_true(peer_is_quiet(&metrics, 0));
    assert_string_equal(tocsin_unsent_address(emitter), metrics.address);
    assert_int_equal(tocsin_flush(emitter, PATIENCE_S), TOCSIN_OK);
    assert_null(tocsin_unsent_address(emitter));
    assert_int_equal(receive_metrics(), 1);
    forget_frame();
}

static void test_emitter__an_old_batch_leaves_though_the_program_falls_silent(void **state)
{
    (void)state;
    peer_come(&metrics);
    start();
    tocsin_metric(emitter, "m", TOCSIN_COUNTER, 1, NULL);
    assert_int_equal(receive_metrics(), 1);
    forget_frame();
    tocsin_metric(emitter, "m", TOCSIN_COUNTER, 1, NULL);
    assert_int_equal(receive_metrics(), 1);
    forget_frame();
}

/* -- the broker is away -- */

static void test_emitter__what_was_emitted_before_the_broker_came_arrives(void **state)
{
    (void)state;
    start();
    for (int i = 0; i < 250; i++)
        assert_int_equal(tocsin_metric(emitter, "m", TOCSIN_COUNTER, 1, NULL), TOCSIN_OK);
    assert_int_equal(tocsin_flush(emitter, 0.01), TOCSIN_TIMEOUT);
    assert_string_equal(tocsin_unsent_address(emitter), metrics.address);
    peer_come(&metrics);
    receive_count(250);
    assert_int_equal(tocsin_flush(emitter, PATIENCE_S), TOCSIN_OK);
    assert_int_equal(tocsin_dropped(emitter), 0);
}

static void test_emitter__a_connection_that_is_lost_comes_back(void **state)
{
    (void)state;
    peer_come(&metrics);
    start_patient(1);
    tocsin_metric(emitter, "m", TOCSIN_COUNTER, 1, NULL);
    receive_count(1);
    peer_go(&metrics);
    peer_come(&metrics);
    /* what is sent before the loss is noticed is lost with the connection */
    double until = clock_now() + PATIENCE_S;
    do {
        assert_true(clock_now() < until);
        tocsin_metric(emitter, "m", TOCSIN_COUNTER, 1, NULL);
    } while (peer_is_quiet(&metrics, 20));
    receive_count(1);
}

static void emit_beyond_the_queue(tocsin_full_t when_full)
{
    options.queue_bytes = 1000;
    options.when_full = when_full;
    start_patient(1);
    for (int i = 0; i < 100; i++) {
        tocsin_status_t status = tocsin_metric(emitter, "m", TOCSIN_GAUGE, i, NULL);
        assert_true(status == TOCSIN_OK ||
                    (status == TOCSIN_DROPPED && when_full == TOCSIN_DROP_NEWEST));
    }
    assert_true(tocsin_dropped(emitter) > 0);
}

static void test_emitter__beyond_its_queue_the_newest_is_dropped_and_counted(void **state)
{
    (void)state;
    emit_beyond_the_queue(TOCSIN_DROP_NEWEST);
    size_t kept = 100 - tocsin_dropped(emitter);
    peer_come(&metrics);
    for (size_t i = 0; i < kept; i++, forget_frame()) {
        assert_int_equal(receive_metrics(), 1);
        assert_double(batch.events[0].value, (double)i, 0);
    }
    assert_int_equal(tocsin_flush(emitter, PATIENCE_S), TOCSIN_OK);
    assert_true(peer_is_quiet(&metrics, 0));
}

static void test_emitter__beyond_its_queue_the_oldest_is_dropped_where_that_is_chosen(void **state)
{
    (void)state;
    emit_beyond_the_queue(TOCSIN_DROP_OLDEST);
    size_t kept = 100 - tocsin_dropped(emitter);
    double last = -1;
    peer_come(&metrics);
    for (size_t i = 0; i < kept; i++, forget_frame()) {
        assert_int_equal(receive_metrics(), 1);
        assert_true(batch.events[0].value > last);
        last = batch.events[0].value;
    }
    assert_double(last, 99, 0);
}

static void test_emitter__no_call_waits_for_a_broker_that_is_away(void **state)
{
    (void)state;
    options.queue_bytes = 64u << 10;
    start();
    double before = clock_now();
    for (int i = 0; i < 20000; i++)
        tocsin_metric(emitter, "m", TOCSIN_COUNTER, 1, NULL);
    /* a wait of a millisecond an event would be twenty seconds */
    assert_true(clock_now() - before < 10);
    assert_true(tocsin_dropped(emitter) > 0);
}

/* -- the end -- */

static void test_emitter__what_was_flushed_arrives_though_the_program_ends(void **state)
{
    (void)state;
    peer_come(&metrics);
    start_patient(100);
    for (int i = 0; i < 1050; i++)
        tocsin_metric(emitter, "m", TOCSIN_COUNTER, 1, NULL);
    assert_int_equal(tocsin_flush(emitter, PATIENCE_S), TOCSIN_OK);
    tocsin_emitter_destroy(&emitter);
    receive_count(1050);
}

static void test_emitter__what_was_not_flushed_arrives_too_if_it_can(void **state)
{
    (void)state;
    peer_come(&metrics);
    start_patient(100);
    tocsin_aggregate(emitter, "sum");
    for (int i = 0; i < 50; i++) {
        tocsin_metric(emitter, "m", TOCSIN_COUNTER, 1, NULL);
        tocsin_metric(emitter, "sum", TOCSIN_COUNTER, 1, NULL);
    }
    tocsin_emitter_destroy(&emitter);
    receive_count(51);
}

static void test_emitter__an_end_without_a_broker_takes_as_long_as_linger(void **state)
{
    (void)state;
    options.linger = 0.2;
    start();
    tocsin_metric(emitter, "m", TOCSIN_COUNTER, 1, NULL);
    double before = clock_now();
    tocsin_emitter_destroy(&emitter);
    double taken = clock_now() - before;
    assert_true(taken >= 0.2);
    assert_true(taken < 5);
}

static void test_emitter__a_broker_that_takes_nothing_does_not_hold_up_the_end(void **state)
{
    (void)state;
    char unit[256];
    memset(unit, 'u', sizeof unit - 1);
    unit[sizeof unit - 1] = '\0';
    tocsin_metric_event_t event = {.name = "m", .kind = TOCSIN_GAUGE, .unit = unit};
    options.linger = 0.2;
    options.batch_events = 1000;
    metrics.hwm = 1;
    peer_come(&metrics); /* it never reads */
    start();
    for (int i = 0; i < 100000; i++)
        tocsin_emit_metric(emitter, &event);
    assert_int_equal(tocsin_flush(emitter, 0.1), TOCSIN_TIMEOUT);
    double before = clock_now();
    tocsin_emitter_destroy(&emitter);
    assert_true(clock_now() - before < 5);
}

static void test_emitter__an_end_without_linger_does_not_wait(void **state)
{
    (void)state;
    options.linger = -1;
    start();
    for (int i = 0; i < 1000; i++)
        tocsin_metric(emitter, "m", TOCSIN_COUNTER, 1, NULL);
    double before = clock_now();
    tocsin_emitter_destroy(&emitter);
    assert_true(clock_now() - before < 1);
}

/* -- putting together -- */

static void test_emitter__an_aggregated_metric_arrives_as_one_event(void **state)
{
    (void)state;
    peer_come(&metrics);
    start_patient(10);
    assert_int_equal(tocsin_aggregate(emitter, "hits"), TOCSIN_OK);
    assert_int_equal(tocsin_aggregate(emitter, "hits"), TOCSIN_OK);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(tocsin_metric(emitter, "hits", TOCSIN_COUNTER, 2, NULL), TOCSIN_OK);
    assert_true(peer_is_quiet(&metrics, 0));
    assert_int_equal(tocsin_flush(emitter, PATIENCE_S), TOCSIN_OK);
    assert_int_equal(receive_metrics(), 1);
    assert_double(batch.events[0].value, 2000, 0);
    forget_frame();
    assert_true(peer_is_quiet(&metrics, 0));
}

static void test_emitter__an_aggregated_metric_leaves_by_its_age(void **state)
{
    (void)state;
    peer_come(&metrics);
    options.aggregate_age = 0.05;
    start();
    tocsin_aggregate(emitter, "hits");
    for (int round = 0; round < 2; round++, forget_frame()) {
        tocsin_metric(emitter, "hits", TOCSIN_COUNTER, 1, NULL);
        assert_int_equal(receive_metrics(), 1);
    }
}

static void test_emitter__values_sent_alone_before_it_was_chosen_come_first(void **state)
{
    (void)state;
    peer_come(&metrics);
    options.batch_age = 1000;
    options.aggregate_age = 0.02;
    start();
    tocsin_metric(emitter, "g", TOCSIN_GAUGE, 1, NULL);
    tocsin_aggregate(emitter, "g");
    tocsin_metric(emitter, "g", TOCSIN_GAUGE, 2, NULL);
    for (int value = 1; value <= 2; value++, forget_frame()) {
        assert_int_equal(receive_metrics(), 1);
        assert_double(batch.events[0].value, value, 0);
    }
}

static void test_emitter__an_aggregate_is_bounded_by_the_queue_and_drops_are_counted(void **state)
{
    (void)state;
    options.queue_bytes = 4096;
    start_patient(10);
    tocsin_aggregate(emitter, "hits");
    char label[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(label, sizeof label, "%d", i);
        tocsin_metric(emitter, "hits", TOCSIN_COUNTER, 1, "path", label, NULL);
    }
    tocsin_flush(emitter, 0.05);
    uint64_t dropped = tocsin_dropped(emitter);
    assert_true(dropped > 0);
    peer_come(&metrics);
    assert_int_equal(tocsin_flush(emitter, PATIENCE_S), TOCSIN_OK);
    receive_count(1000 - dropped);
    assert_true(peer_is_quiet(&metrics, 0));
}

/* -- threads -- */

#define THREADS 4
#define EVENTS_A_THREAD 500 /* TSan takes long over every message of libzmq */

static void *emit_many(void *context)
{
    (void)context;
    for (int i = 0; i < EVENTS_A_THREAD; i++) {
        tocsin_metric(emitter, "alone", TOCSIN_COUNTER, 1, NULL);
        tocsin_metric(emitter, "together", TOCSIN_COUNTER, 1, NULL);
    }
    tocsin_flush(emitter, PATIENCE_S);
    return NULL;
}

static void test_emitter__many_threads_may_use_it_at_once(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    peer_come(&metrics);
    options.aggregate_age = 0.01;
    start();
    tocsin_aggregate(emitter, "together");
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, emit_many, NULL), 0);
    double alone = 0, together = 0;
    while (alone < THREADS * EVENTS_A_THREAD || together < THREADS * EVENTS_A_THREAD) {
        size_t count = receive_metrics();
        for (size_t i = 0; i < count; i++)
            *(text_is(batch.events[i].name, "alone") ? &alone : &together) += batch.events[i].value;
        forget_frame();
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_double(alone, THREADS * EVENTS_A_THREAD, 0);
    assert_double(together, THREADS * EVENTS_A_THREAD, 0);
    assert_true(peer_is_quiet(&metrics, 0));
}

static int free_batch(void **state)
{
    (void)state;
    metric_batch_free(&batch);
    return 0;
}

#define with_broker(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_broker(test_emitter__a_metric_is_a_line),
        with_broker(test_emitter__a_request_is_a_line),
        with_broker(test_emitter__an_incident_is_a_line_and_does_not_wait_for_others),
        with_broker(test_emitter__everything_an_event_can_say_arrives),
        with_broker(test_emitter__what_breaks_a_rule_is_invalid_and_not_sent),
        with_broker(test_emitter__an_address_that_is_none_is_said_at_once),
        with_broker(test_emitter__a_full_batch_leaves_at_once),
        with_broker(test_emitter__an_old_batch_leaves_though_the_program_falls_silent),
        with_broker(test_emitter__what_was_emitted_before_the_broker_came_arrives),
        with_broker(test_emitter__a_connection_that_is_lost_comes_back),
        with_broker(test_emitter__beyond_its_queue_the_newest_is_dropped_and_counted),
        with_broker(test_emitter__beyond_its_queue_the_oldest_is_dropped_where_that_is_chosen),
        with_broker(test_emitter__no_call_waits_for_a_broker_that_is_away),
        with_broker(test_emitter__what_was_flushed_arrives_though_the_program_ends),
        with_broker(test_emitter__what_was_not_flushed_arrives_too_if_it_can),
        with_broker(test_emitter__an_end_without_a_broker_takes_as_long_as_linger),
        with_broker(test_emitter__a_broker_that_takes_nothing_does_not_hold_up_the_end),
        with_broker(test_emitter__an_end_without_linger_does_not_wait),
        with_broker(test_emitter__an_aggregated_metric_arrives_as_one_event),
        with_broker(test_emitter__an_aggregated_metric_leaves_by_its_age),
        with_broker(test_emitter__values_sent_alone_before_it_was_chosen_come_first),
        with_broker(test_emitter__an_aggregate_is_bounded_by_the_queue_and_drops_are_counted),
        with_broker(test_emitter__many_threads_may_use_it_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, free_batch);
}
