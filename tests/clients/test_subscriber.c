/*  The subscriber against a broker played by two sockets and a store of which numbers it holds.
 *  Each step of a test is one of: publish, lose, hear. */
#include "tests/check.h"
#include "tests/clients/control.h"

#include <errno.h>
#include <tocsin.h>

#define NUMBERS 3000u

/*  One family as the broker has it. */
typedef struct {
    uint64_t head;
    uint64_t trimmed;            /* up to here nothing is held */
    bool is_kept[NUMBERS];       /* by the store */
    uint64_t lost_from, lost_to; /* never kept, and the broker says so */
} shelf_t;

static shelf_t alerts, incidents;
static control_t control;
static peer_t events;
static tocsin_subscriber_t *subscriber;
static tocsin_subscriber_options_t options;
static tocsin_publication_t heard;
static const char *refusal; /* of events.since; NULL: it answers */
static unsigned questions;

static int set_up(void **state)
{
    (void)state;
    alerts = incidents = (shelf_t){0};
    refusal = NULL;
    questions = 0;
    control_init(&control);
    peer_init(&events, ZMQ_XPUB);
    options =
        (tocsin_subscriber_options_t){.events = events.address, .control = control.peer.address};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tocsin_subscriber_destroy(&subscriber);
    control_free(&control);
    peer_free(&events);
    return 0;
}

static shelf_t *shelf_of(const char *family)
{
    return strcmp(family, "alert") == 0 ? &alerts : &incidents;
}

/* -- the broker -- */

static void pack_publication(msgpack_sbuffer *out, const char *family, uint64_t seq)
{
    bool is_alert = strcmp(family, "alert") == 0;
    pack_map(out, 6);
    pack_string(out, "seq");
    pack_uint(out, seq);
    pack_string(out, "family");
    pack_string(out, family);
    pack_string(out, "type");
    pack_string(out, is_alert ? "alert.firing" : "incident.opened");
    pack_string(out, "subject");
    pack_string(out, is_alert ? "high_cpu" : "INC-1");
    pack_string(out, "time");
    pack_number(out, 1000.0 + (double)seq);
    pack_string(out, "data");
    pack_map(out, 1);
    pack_string(out, "severity");
    pack_string(out, seq % 2 == 0 ? "low" : "high");
}

static void send_event(const char *topic, msgpack_sbuffer *body)
{
    assert_true(zmq_send(events.socket, topic, strlen(topic), ZMQ_SNDMORE) >= 0);
    assert_true(zmq_send(events.socket, body->data, body->size, 0) >= 0);
    msgpack_sbuffer_destroy(body);
}

static void send_publication(const char *family, uint64_t seq)
{
    msgpack_sbuffer body;
    char topic[64];
    msgpack_sbuffer_init(&body);
    pack_publication(&body, family, seq);
    snprintf(topic, sizeof topic, "%s.%s.x", family, seq % 2 == 0 ? "low" : "high");
    send_event(topic, &body);
}

/*  The next number is kept, but does not reach the subscriber. */
static uint64_t miss(const char *family)
{
    shelf_t *shelf = shelf_of(family);
    shelf->head++;
    assert_true(shelf->head < NUMBERS);
    shelf->is_kept[shelf->head] = true;
    return shelf->head;
}

static void publish(const char *family)
{
    send_publication(family, miss(family));
}

static void pack_heads(msgpack_sbuffer *out)
{
    pack_map(out, 2);
    pack_string(out, "alert");
    pack_uint(out, alerts.head);
    pack_string(out, "incident");
    pack_uint(out, incidents.head);
}

static void beat(uint64_t seq)
{
    msgpack_sbuffer body;
    msgpack_sbuffer_init(&body);
    pack_map(&body, 4);
    pack_string(&body, "seq");
    pack_uint(&body, seq);
    pack_string(&body, "family");
    pack_string(&body, "heartbeat");
    pack_string(&body, "type");
    pack_string(&body, "heartbeat");
    pack_string(&body, "data");
    pack_map(&body, 1);
    pack_string(&body, "heads");
    pack_heads(&body);
    send_event("heartbeat", &body);
}

static void pack_page(msgpack_sbuffer *out, const char *family, uint64_t after, int64_t limit)
{
    const shelf_t *shelf = shelf_of(family);
    msgpack_sbuffer items;
    size_t count = 0;
    msgpack_sbuffer_init(&items);
    for (uint64_t seq = after + 1; seq <= shelf->head && count < (size_t)limit; seq++)
        if (shelf->is_kept[seq]) {
            pack_publication(&items, family, seq);
            count++;
        }
    pack_map(out, shelf->lost_to > after ? 2 : 1);
    pack_string(out, "items");
    pack_array(out, count);
    pack_raw(out, (text_t){items.data, items.size});
    if (shelf->lost_to > after) {
        pack_string(out, "lost");
        pack_array(out, 2);
        pack_uint(out, shelf->lost_from);
        pack_uint(out, shelf->lost_to);
    }
    msgpack_sbuffer_destroy(&items);
}

static void answer_since(void)
{
    char family[16], gone[64];
    int64_t after, limit;
    msgpack_sbuffer reply;
    tocsin_value_t command = control_command(&control);
    tocsin_value_copy(tocsin_value_of(command, "family"), family, sizeof family);
    assert_true(tocsin_value_integer(tocsin_value_of(command, "seq"), &after));
    assert_true(tocsin_value_integer(tocsin_value_of(command, "limit"), &limit));
    if (refusal != NULL) {
        control_refuse(&control, refusal, "no");
        return;
    }
    if ((uint64_t)after < shelf_of(family)->trimmed) {
        snprintf(gone, sizeof gone, "the oldest publication still held is %llu",
                 (unsigned long long)shelf_of(family)->trimmed + 1);
        control_refuse(&control, "gone", gone);
        return;
    }
    control_begin(&control, &reply, true);
    pack_page(&reply, family, (uint64_t)after, limit);
    control_send(&control, &reply);
}

/*  Answer one question, if one has come. */
static void serve(void)
{
    msgpack_sbuffer reply;
    if (!control_take(&control, 0))
        return;
    if (control_says(&control, "do", "events.since")) {
        questions++;
        answer_since();
        return;
    }
    assert_true(control_says(&control, "do", "events.heads"));
    control_begin(&control, &reply, true);
    pack_heads(&reply);
    control_send(&control, &reply);
}

static void come(void)
{
    peer_come(&control.peer);
    peer_come(&events);
}

static void go(void)
{
    control_forget(&control);
    peer_go(&control.peer);
    peer_go(&events);
}

/* -- the subscriber -- */

static tocsin_status_t receive(double timeout)
{
    tocsin_status_t status = tocsin_receive(subscriber, &heard, timeout);
    serve();
    return status;
}

/*  Until it is subscribed to this. */
static void wait_for_subscription(const char *topic)
{
    bool found = false;
    for (double until = clock_now() + PATIENCE_S; !found; receive(0.005)) {
        assert_true(clock_now() < until);
        while (!found && !peer_is_quiet(&events, 0)) {
            zmq_msg_t frame;
            peer_receive(&events, &frame);
            found = zmq_msg_size(&frame) == strlen(topic) + 1 &&
                    memcmp((char *)zmq_msg_data(&frame) + 1, topic, strlen(topic)) == 0;
            zmq_msg_close(&frame);
        }
    }
}

static void start(void)
{
    subscriber = tocsin_subscriber_new(&options);
    assert_non_null(subscriber);
}

/*  Subscribed, and told where to begin. */
static void be_heard(void)
{
    wait_for_subscription("heartbeat");
    for (double until = clock_now() + PATIENCE_S; !tocsin_subscriber_reached(subscriber);) {
        assert_true(clock_now() < until);
        assert_int_equal(receive(0.005), TOCSIN_TIMEOUT);
    }
}

static void start_and_be_heard(void)
{
    come();
    start();
    be_heard();
}

static void hear(const char *family, uint64_t seq)
{
    tocsin_status_t status = TOCSIN_TIMEOUT;
    for (double until = clock_now() + PATIENCE_S; status == TOCSIN_TIMEOUT;) {
        if (clock_now() > until)
            fail_msg("%s %llu was not heard", family, (unsigned long long)seq);
        status = receive(0.005);
    }
    assert_int_equal(status, TOCSIN_OK);
    assert_string_equal(heard.family, family);
    assert_int_equal(heard.seq, seq);
}

/*  Nothing comes, whatever was asked for is answered. */
static void hear_nothing(void)
{
    for (int i = 0; i < 20; i++)
        assert_int_equal(receive(0.005), TOCSIN_TIMEOUT);
}

/* -- hearing -- */

static void test_subscriber__a_publication_is_heard_with_all_it_says(void **state)
{
    (void)state;
    start_and_be_heard();
    publish("alert");
    hear("alert", 1);
    assert_string_equal(heard.topic, "alert.high.high_cpu");
    assert_string_equal(heard.type, "alert.firing");
    assert_string_equal(heard.subject, "high_cpu");
    assert_double(heard.time, 1001, 0);
    assert_int_equal(heard.lost, 0);
    assert_int_equal(tocsin_value_count(heard.body), 6);
    assert_int_equal(tocsin_subscriber_position(subscriber, "alert"), 1);
    assert_int_equal(tocsin_subscriber_position(subscriber, "incident"), 0);
    assert_int_equal(tocsin_subscriber_position(subscriber, "none"), 0);
}

static void test_subscriber__what_was_published_before_is_not_heard(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        miss("alert");
    start_and_be_heard();
    hear_nothing();
    publish("alert");
    hear("alert", 6);
    assert_int_equal(questions, 0);
}

static void test_subscriber__heartbeats_are_heard_where_they_are_wanted(void **state)
{
    (void)state;
    static const char *const families[] = {"heartbeat"};
    options.families = families;
    options.family_count = 1;
    start_and_be_heard();
    publish("alert");
    beat(1);
    hear("heartbeat", 1);
    assert_string_equal(heard.topic, "heartbeat");
    beat(2);
    hear("heartbeat", 2);
}

static void test_subscriber__only_the_families_that_are_wanted_are_heard(void **state)
{
    (void)state;
    static const char *const families[] = {"incident"};
    options.families = families;
    options.family_count = 1;
    miss("alert");
    start_and_be_heard();
    publish("alert");
    publish("incident");
    beat(1);
    hear("incident", 1);
    hear_nothing();
}

static void test_subscriber__a_topic_that_begins_otherwise_is_passed_over(void **state)
{
    (void)state;
    options.topic = "alert.low";
    start_and_be_heard();
    for (int i = 0; i < 4; i++)
        publish("alert");
    hear("alert", 2);
    hear("alert", 4);
    assert_int_equal(heard.lost, 0);
    assert_int_equal(questions, 0);
}

static void test_subscriber__an_unknown_family_is_refused(void **state)
{
    (void)state;
    static const char *const families[] = {"alarm"};
    const tocsin_position_t position = {"heartbeat", 1};
    options.families = families;
    options.family_count = 1;
    assert_null(tocsin_subscriber_new(&options));
    assert_int_equal(errno, EINVAL);
    options.family_count = 0;
    options.positions = &position;
    options.position_count = 1;
    assert_null(tocsin_subscriber_new(&options));
    assert_int_equal(errno, EINVAL);
}

static void test_subscriber__what_is_no_publication_is_passed_over(void **state)
{
    (void)state;
    static const char *const garbage[] = {"", "\xc1", "\x81", "\x93", "\xdf\xff\xff\xff\xff"};
    start_and_be_heard();
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        zmq_send(events.socket, "alert.x", 7, ZMQ_SNDMORE);
        zmq_send(events.socket, garbage[i], strlen(garbage[i]), 0);
    }
    publish("alert");
    hear("alert", 1);
}

/* -- filling holes -- */

static void test_subscriber__a_hole_is_filled_before_anything_later_is_given(void **state)
{
    (void)state;
    start_and_be_heard();
    publish("alert");
    hear("alert", 1);
    for (int i = 0; i < 3; i++)
        miss("alert");
    publish("alert");
    for (uint64_t seq = 2; seq <= 5; seq++) {
        hear("alert", seq);
        assert_int_equal(heard.lost, 0);
        assert_string_equal(heard.topic,
                            seq % 2 == 0 ? "alert.low.high_cpu" : "alert.high.high_cpu");
    }
    hear_nothing();
    assert_int_equal(questions, 1);
}

static void test_subscriber__a_heartbeat_shows_that_the_last_one_was_missed(void **state)
{
    (void)state;
    start_and_be_heard();
    miss("incident");
    hear_nothing();
    beat(1);
    hear("incident", 1);
}

static void test_subscriber__a_hole_of_several_pages_is_filled(void **state)
{
    (void)state;
    start_and_be_heard();
    for (int i = 0; i < 2500; i++)
        miss("alert");
    publish("alert");
    for (uint64_t seq = 1; seq <= 2501; seq++)
        hear("alert", seq);
    assert_int_equal(questions, 3);
}

static void test_subscriber__a_hole_is_filled_by_calls_that_never_wait(void **state)
{
    (void)state;
    start_and_be_heard();
    miss("alert");
    publish("alert");
    tocsin_status_t status = TOCSIN_TIMEOUT;
    for (double until = clock_now() + PATIENCE_S; status == TOCSIN_TIMEOUT; serve()) {
        assert_true(clock_now() < until);
        status = tocsin_receive(subscriber, &heard, 0);
    }
    assert_int_equal(heard.seq, 1);
}

static void test_subscriber__holes_of_two_families_are_filled(void **state)
{
    (void)state;
    start_and_be_heard();
    miss("alert");
    miss("incident");
    beat(1);
    hear("alert", 1);
    hear("incident", 1);
}

static void test_subscriber__what_comes_twice_is_heard_once(void **state)
{
    (void)state;
    start_and_be_heard();
    publish("alert");
    publish("alert");
    send_publication("alert", 1);
    send_publication("alert", 2);
    publish("alert");
    for (uint64_t seq = 1; seq <= 3; seq++)
        hear("alert", seq);
}

static void test_subscriber__what_was_trimmed_is_told_as_lost(void **state)
{
    (void)state;
    start_and_be_heard();
    publish("alert");
    hear("alert", 1);
    for (int i = 0; i < 8; i++)
        miss("alert");
    alerts.trimmed = 6;
    publish("alert");
    hear("alert", 7);
    assert_int_equal(heard.lost, 5);
    for (uint64_t seq = 8; seq <= 10; seq++) {
        hear("alert", seq);
        assert_int_equal(heard.lost, 0);
    }
}

static void test_subscriber__numbers_that_the_broker_lost_are_told_as_lost(void **state)
{
    (void)state;
    start_and_be_heard();
    publish("alert");
    hear("alert", 1);
    alerts.head = 1000;
    alerts.lost_from = 2;
    alerts.lost_to = 1000;
    beat(1);
    hear_nothing();
    publish("alert");
    hear("alert", 1001);
    assert_int_equal(heard.lost, 999);
}

static void test_subscriber__what_is_on_its_way_to_the_store_is_asked_for_again(void **state)
{
    (void)state;
    start_and_be_heard();
    miss("alert");
    alerts.is_kept[1] = false;
    publish("alert");
    alerts.is_kept[2] = false;
    hear_nothing();
    assert_true(questions > 0);
    alerts.is_kept[1] = true;
    hear("alert", 1);
    hear("alert", 2);
    assert_int_equal(heard.lost, 0);
}

static void test_subscriber__what_never_comes_to_the_store_is_lost_in_the_end(void **state)
{
    (void)state;
    start_and_be_heard();
    alerts.head = 1;
    publish("alert");
    alerts.is_kept[2] = false;
    hear("alert", 2);
    assert_int_equal(heard.lost, 1);
}

static void test_subscriber__a_broker_in_trouble_is_asked_again(void **state)
{
    (void)state;
    start_and_be_heard();
    refusal = "unavailable";
    miss("alert");
    beat(1);
    hear_nothing();
    assert_true(questions > 1);
    refusal = NULL;
    hear("alert", 1);
    assert_int_equal(heard.lost, 0);
}

static void test_subscriber__a_reader_that_may_not_ask_is_told_what_it_lost(void **state)
{
    (void)state;
    start_and_be_heard();
    refusal = "forbidden";
    miss("alert");
    publish("alert");
    hear("alert", 2);
    assert_int_equal(heard.lost, 1);
}

static void test_subscriber__without_control_a_hole_is_told_as_lost(void **state)
{
    (void)state;
    options.control = "";
    start_and_be_heard();
    for (int i = 0; i < 3; i++)
        miss("alert");
    publish("alert");
    hear("alert", 4); /* the first that is heard: before it nothing was missed */
    assert_int_equal(heard.lost, 0);
    miss("alert");
    publish("alert");
    hear("alert", 6);
    assert_int_equal(heard.lost, 1);
}

/* -- from a position on -- */

static void test_subscriber__replay_begins_with_what_came_after_a_number(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        miss("alert");
    miss("incident");
    options.replay = true;
    options.since = 3;
    start_and_be_heard();
    hear("alert", 4);
    hear("alert", 5);
    publish("incident");
    hear("incident", 2);
}

static void test_subscriber__a_position_is_taken_up_family_by_family(void **state)
{
    (void)state;
    const tocsin_position_t positions[] = {{"alert", 3}, {"incident", 1}};
    for (int i = 0; i < 5; i++)
        miss("alert");
    miss("incident");
    options.positions = positions;
    options.position_count = 2;
    start_and_be_heard();
    hear("alert", 4);
    hear("alert", 5);
    publish("incident");
    hear("incident", 2);
    assert_int_equal(tocsin_subscriber_position(subscriber, "alert"), 5);
}

/* -- the broker goes and comes -- */

static void test_subscriber__a_broker_that_is_not_there_yet_is_waited_for(void **state)
{
    (void)state;
    start();
    assert_int_equal(receive(0.05), TOCSIN_TIMEOUT);
    assert_false(tocsin_subscriber_reached(subscriber));
    come();
    be_heard();
    publish("alert");
    hear("alert", 1);
}

static void test_subscriber__a_broker_that_was_killed_is_heard_again_without_a_gap(void **state)
{
    (void)state;
    start_and_be_heard();
    for (int round = 0; round < 3; round++) {
        publish("alert");
        hear("alert", alerts.head);
        go();
        miss("alert");
        hear_nothing();
        come();
        wait_for_subscription("heartbeat");
        publish("alert");
        hear("alert", alerts.head - 1);
        hear("alert", alerts.head);
        assert_int_equal(heard.lost, 0);
    }
}

static void
test_subscriber__a_broker_killed_between_question_and_answer_is_asked_again(void **state)
{
    (void)state;
    start_and_be_heard();
    miss("alert");
    beat(1);
    for (double until = clock_now() + PATIENCE_S; !control_take(&control, 0);) {
        assert_true(clock_now() < until);
        assert_int_equal(tocsin_receive(subscriber, &heard, 0.005), TOCSIN_TIMEOUT);
    }
    go();
    come();
    hear("alert", 1);
}

static void test_subscriber__a_broker_with_an_empty_store_is_heard_from_its_first(void **state)
{
    (void)state;
    start_and_be_heard();
    for (int i = 0; i < 5; i++) {
        publish("alert");
        hear("alert", alerts.head);
    }
    go();
    alerts = (shelf_t){0};
    come();
    wait_for_subscription("heartbeat");
    publish("alert");
    beat(1);
    hear("alert", 1);
    assert_int_equal(heard.lost, 0);
    publish("alert");
    hear("alert", 2);
}

static void test_subscriber__an_old_heartbeat_makes_nothing_begin_anew(void **state)
{
    (void)state;
    start_and_be_heard();
    publish("alert");
    hear("alert", 1);
    beat(1);
    miss("alert");
    publish("alert");
    alerts.head = 1;
    beat(2); /* as it stood before */
    alerts.head = 3;
    hear("alert", 2);
    hear("alert", 3);
    hear_nothing();
    assert_int_equal(tocsin_subscriber_position(subscriber, "alert"), 3);
}

/* -- calling back -- */

static bool count_to_three(void *context, const tocsin_publication_t *publication)
{
    (void)publication;
    return ++*(int *)context < 3;
}

static void test_subscriber__a_listener_is_called_until_it_has_enough(void **state)
{
    (void)state;
    int count = 0;
    start_and_be_heard();
    for (int i = 0; i < 5; i++)
        publish("alert");
    assert_int_equal(tocsin_listen(subscriber, count_to_three, &count, PATIENCE_S), TOCSIN_OK);
    assert_int_equal(count, 3);
    hear("alert", 4);
}

static void test_subscriber__listening_ends_with_its_time(void **state)
{
    (void)state;
    int count = 0;
    start_and_be_heard();
    publish("alert");
    assert_int_equal(tocsin_listen(subscriber, count_to_three, &count, 0.2), TOCSIN_TIMEOUT);
    assert_int_equal(count, 1);
}

static void test_subscriber__an_event_loop_is_told_when_to_receive(void **state)
{
    (void)state;
    come();
    start();
    int fd = tocsin_subscriber_fd(subscriber);
    assert_true(fd >= 0);
    assert_int_equal(tocsin_subscriber_fd(subscriber), fd);
    be_heard();
    miss("alert");
    publish("alert");
    for (uint64_t wanted = 1; wanted <= 2;) {
        if (tocsin_receive(subscriber, &heard, 0) == TOCSIN_OK) {
            assert_int_equal(heard.seq, wanted++);
            continue;
        }
        zmq_pollitem_t loop[] = {{.fd = fd, .events = ZMQ_POLLIN},
                                 {.socket = control.peer.socket, .events = ZMQ_POLLIN}};
        assert_true(zmq_poll(loop, 2, PATIENCE_MS) > 0);
        serve();
    }
}

#define with_broker(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_broker(test_subscriber__a_publication_is_heard_with_all_it_says),
        with_broker(test_subscriber__what_was_published_before_is_not_heard),
        with_broker(test_subscriber__heartbeats_are_heard_where_they_are_wanted),
        with_broker(test_subscriber__only_the_families_that_are_wanted_are_heard),
        with_broker(test_subscriber__a_topic_that_begins_otherwise_is_passed_over),
        with_broker(test_subscriber__an_unknown_family_is_refused),
        with_broker(test_subscriber__what_is_no_publication_is_passed_over),
        with_broker(test_subscriber__a_hole_is_filled_before_anything_later_is_given),
        with_broker(test_subscriber__a_heartbeat_shows_that_the_last_one_was_missed),
        with_broker(test_subscriber__a_hole_of_several_pages_is_filled),
        with_broker(test_subscriber__a_hole_is_filled_by_calls_that_never_wait),
        with_broker(test_subscriber__holes_of_two_families_are_filled),
        with_broker(test_subscriber__what_comes_twice_is_heard_once),
        with_broker(test_subscriber__what_was_trimmed_is_told_as_lost),
        with_broker(test_subscriber__numbers_that_the_broker_lost_are_told_as_lost),
        with_broker(test_subscriber__what_is_on_its_way_to_the_store_is_asked_for_again),
        with_broker(test_subscriber__what_never_comes_to_the_store_is_lost_in_the_end),
        with_broker(test_subscriber__a_broker_in_trouble_is_asked_again),
        with_broker(test_subscriber__a_reader_that_may_not_ask_is_told_what_it_lost),
        with_broker(test_subscriber__without_control_a_hole_is_told_as_lost),
        with_broker(test_subscriber__replay_begins_with_what_came_after_a_number),
        with_broker(test_subscriber__a_position_is_taken_up_family_by_family),
        with_broker(test_subscriber__a_broker_that_is_not_there_yet_is_waited_for),
        with_broker(test_subscriber__a_broker_that_was_killed_is_heard_again_without_a_gap),
        with_broker(test_subscriber__a_broker_killed_between_question_and_answer_is_asked_again),
        with_broker(test_subscriber__a_broker_with_an_empty_store_is_heard_from_its_first),
        with_broker(test_subscriber__an_old_heartbeat_makes_nothing_begin_anew),
        with_broker(test_subscriber__a_listener_is_called_until_it_has_enough),
        with_broker(test_subscriber__listening_ends_with_its_time),
        with_broker(test_subscriber__an_event_loop_is_told_when_to_receive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
