#include "clients/libtocsin/commander.h"
#include "proto/command.h"
#include "tests/check.h"
#include "tests/clients/control.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <tocsin.h>

static control_t control;
static tocsin_commander_t *commander;
static tocsin_reply_t *reply;

/*  Long enough that a command reaches a peer that is there. */
#define SHORT_S 0.2

static int set_up(void **state)
{
    (void)state;
    control_init(&control);
    commander = tocsin_commander_new(control.peer.address, SHORT_S);
    assert_non_null(commander);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tocsin_reply_destroy(&reply);
    tocsin_commander_destroy(&commander);
    control_free(&control);
    return 0;
}

/*  Until the command has come: ask again and again, as a caller in a loop would. */
static void let_it_come(void)
{
    for (double until = clock_now() + PATIENCE_S; !control_take(&control, 0);) {
        assert_true(clock_now() < until);
        assert_int_equal(tocsin_ask_again(commander, &reply, 0.01), TOCSIN_TIMEOUT);
    }
}

static const char *result_text(void)
{
    static char text[64];
    return tocsin_value_copy(tocsin_reply_result(reply), text, sizeof text);
}

static void test_commander__a_command_is_answered(void **state)
{
    (void)state;
    peer_come(&control.peer);
    tocsin_ask(commander, NULL, "incident.close", "incident:s", "INC-1");
    let_it_come();
    assert_true(control_says(&control, "do", "incident.close"));
    assert_true(control_says(&control, "incident", "INC-1"));
    control_answer(&control, "closed");
    assert_int_equal(tocsin_ask_again(commander, &reply, PATIENCE_S), TOCSIN_OK);
    assert_string_equal(result_text(), "closed");
    assert_string_equal(tocsin_reply_code(reply), "");
    assert_string_equal(tocsin_reply_message(reply), "");
    assert_string_equal(tocsin_commander_error(commander), "");
}

static void test_commander__every_type_of_argument_arrives(void **state)
{
    (void)state;
    const tocsin_label_t labels[] = {{"host", "a"}, {"zone", "b"}};
    const char *const systems[] = {"db-1", "db-2"};
    const char raw[] = "\xa3raw";
    peer_come(&control.peer);
    tocsin_ask(commander, NULL, "incident.open",
               "text:s none:s real:f nan:f int:i long:I yes:b labels:L systems:S raw:v gone:v "
               "map:{a:i b:{c:s}} list:[i i]",
               "x", NULL, 0.5, NAN, -7, INT64_C(1) << 40, 1, labels, (size_t)2, systems, (size_t)2,
               (tocsin_value_t){raw, 4}, (tocsin_value_t){NULL, 0}, 1, "deep", 4, 5);
    let_it_come();
    tocsin_value_t command = control_command(&control);
    double real;
    int64_t integer;
    bool yes = false;
    assert_true(control_says(&control, "text", "x"));
    assert_memory_equal(tocsin_value_of(command, "none").bytes, "\xc0", 1);
    assert_true(tocsin_value_number(tocsin_value_of(command, "real"), &real));
    assert_double(real, 0.5, 0);
    assert_memory_equal(tocsin_value_of(command, "nan").bytes, "\xc0", 1);
    assert_true(tocsin_value_integer(tocsin_value_of(command, "int"), &integer));
    assert_int_equal(integer, -7);
    assert_true(tocsin_value_integer(tocsin_value_of(command, "long"), &integer));
    assert_true(integer == INT64_C(1) << 40);
    assert_true(tocsin_value_boolean(tocsin_value_of(command, "yes"), &yes));
    assert_true(yes);
    assert_int_equal(tocsin_value_count(tocsin_value_of(command, "labels")), 2);
    assert_int_equal(tocsin_value_count(tocsin_value_of(command, "systems")), 2);
    assert_true(control_says(&control, "raw", "raw"));
    assert_memory_equal(tocsin_value_of(command, "gone").bytes, "\xc0", 1);
    tocsin_value_t map = tocsin_value_of(command, "map");
    char text[8];
    assert_string_equal(
        tocsin_value_copy(tocsin_value_of(tocsin_value_of(map, "b"), "c"), text, sizeof text),
        "deep");
    tocsin_value_t list = tocsin_value_of(command, "list");
    assert_true(tocsin_value_integer(tocsin_value_at(list, 1), &integer));
    assert_int_equal(integer, 5);
    assert_int_equal(tocsin_value_at(list, 2).size, 0);
}

static void test_commander__arguments_that_cannot_be_read_are_invalid_and_not_sent(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a",
                                        "a:",
                                        ":s",
                                        "a:q",
                                        "a:{b:i",
                                        "a:[i",
                                        "a:i}",
                                        "a:]",
                                        "a:[b:i]",
                                        "a:{i}",
                                        "a:[[[[[[[[[i]]]]]]]]]"};
    peer_come(&control.peer);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(tocsin_ask(commander, &reply, "incident.open", wrong[i], 1, 1, 1),
                         TOCSIN_INVALID);
        assert_null(reply);
        assert_string_not_equal(tocsin_commander_error(commander), "");
        assert_int_equal(tocsin_ask_again(commander, &reply, 0), TOCSIN_INVALID);
    }
    assert_false(control_take(&control, 0));
}

static void test_commander__arguments_may_be_a_map_that_is_known_only_now(void **state)
{
    (void)state;
    const uint8_t map[] = {0x81, 0xa8, 'i',  'n', 'c', 'i', 'd', 'e',
                           'n',  't',  0xa5, 'I', 'N', 'C', '-', '7'};
    const uint8_t no_map[] = {0x93, 1, 2, 3}, cut[] = {0x82, 0xa1, 'a', 1};
    peer_come(&control.peer);
    tocsin_ask_with(commander, &reply, "incident.close", (tocsin_value_t){map, sizeof map});
    let_it_come();
    assert_true(control_says(&control, "do", "incident.close"));
    assert_true(control_says(&control, "incident", "INC-7"));
    assert_int_equal(
        tocsin_ask_with(commander, &reply, "x", (tocsin_value_t){no_map, sizeof no_map}),
        TOCSIN_INVALID);
    assert_int_equal(tocsin_ask_with(commander, &reply, "x", (tocsin_value_t){cut, sizeof cut}),
                     TOCSIN_INVALID);
    tocsin_ask_with(commander, &reply, "system.ping", (tocsin_value_t){NULL, 0});
    let_it_come();
    assert_true(control_says(&control, "do", "system.ping"));
}

static void test_commander__a_refusal_gives_its_code_and_message(void **state)
{
    (void)state;
    peer_come(&control.peer);
    tocsin_ask(commander, NULL, "incident.get", "incident:s", "INC-9");
    let_it_come();
    control_refuse(&control, "not_found", "there is no INC-9");
    assert_int_equal(tocsin_ask_again(commander, &reply, PATIENCE_S), TOCSIN_REFUSED);
    assert_string_equal(tocsin_reply_code(reply), "not_found");
    assert_string_equal(tocsin_reply_message(reply), "there is no INC-9");
    assert_int_equal(tocsin_reply_result(reply).size, 0);
    assert_string_equal(tocsin_commander_error(commander), "not_found: there is no INC-9");
}

static void test_commander__a_broker_that_is_not_there_is_said_with_its_address(void **state)
{
    (void)state;
    double before = clock_now();
    assert_int_equal(tocsin_ask(commander, &reply, "system.ping", NULL), TOCSIN_TIMEOUT);
    assert_true(clock_now() - before >= SHORT_S);
    assert_null(reply);
    assert_false(tocsin_commander_reached(commander));
    assert_non_null(strstr(tocsin_commander_error(commander), control.peer.address));
    assert_non_null(strstr(tocsin_commander_error(commander), "no tocsind can be reached"));
}

static void test_commander__a_broker_that_does_not_answer_is_told_from_none(void **state)
{
    (void)state;
    peer_come(&control.peer);
    tocsin_ask(commander, &reply, "system.ping", NULL);
    let_it_come();
    assert_int_equal(tocsin_ask_again(commander, &reply, 0), TOCSIN_TIMEOUT);
    assert_true(tocsin_commander_reached(commander));
    assert_non_null(strstr(tocsin_commander_error(commander), "does not answer"));
}

/* -- exactly once -- */

static void
test_commander__a_command_that_was_not_answered_is_sent_again_with_the_same_once(void **state)
{
    (void)state;
    char first[64], second[64];
    peer_come(&control.peer);
    tocsin_ask(commander, NULL, "incident.open", "title:s severity:s", "t", "low");
    let_it_come();
    tocsin_value_copy(tocsin_value_of(control_command(&control), "once"), first, sizeof first);
    assert_int_equal(strlen(first), 32);
    let_it_come();
    tocsin_value_copy(tocsin_value_of(control_command(&control), "once"), second, sizeof second);
    assert_string_equal(first, second);
    control_answer(&control, "opened");
    assert_int_equal(tocsin_ask_again(commander, &reply, PATIENCE_S), TOCSIN_OK);
    assert_string_equal(result_text(), "opened");
}

static void test_commander__a_broker_that_was_killed_gets_the_command_again(void **state)
{
    (void)state;
    char first[64];
    peer_come(&control.peer);
    tocsin_ask(commander, NULL, "incident.open", "title:s severity:s", "t", "low");
    let_it_come();
    tocsin_value_copy(tocsin_value_of(control_command(&control), "once"), first, sizeof first);
    control_forget(&control);
    peer_go(&control.peer);
    assert_int_equal(tocsin_ask_again(commander, &reply, 0.05), TOCSIN_TIMEOUT);
    peer_come(&control.peer);
    let_it_come();
    assert_true(control_says(&control, "once", first));
    control_answer(&control, "opened");
    assert_int_equal(tocsin_ask_again(commander, &reply, PATIENCE_S), TOCSIN_OK);
}

static void test_commander__each_command_has_a_once_of_its_own(void **state)
{
    (void)state;
    char first[64];
    peer_come(&control.peer);
    tocsin_ask(commander, NULL, "alert.ack", "alert:s", "ALT-1");
    let_it_come();
    tocsin_value_copy(tocsin_value_of(control_command(&control), "once"), first, sizeof first);
    tocsin_ask(commander, NULL, "alert.ack", "alert:s", "ALT-1");
    let_it_come();
    assert_false(control_says(&control, "once", first));
}

static void test_commander__a_once_of_the_caller_is_taken(void **state)
{
    (void)state;
    peer_come(&control.peer);
    tocsin_ask(commander, NULL, "incident.open", "title:s severity:s once:s", "t", "low", "mine");
    let_it_come();
    assert_true(control_says(&control, "once", "mine"));
    assert_int_equal(tocsin_value_count(control_command(&control)), 5);
}

static void test_commander__a_question_carries_no_once(void **state)
{
    (void)state;
    peer_come(&control.peer);
    tocsin_ask(commander, NULL, "incident.list", NULL);
    let_it_come();
    assert_int_equal(tocsin_value_of(control_command(&control), "once").size, 0);
}

static void test_commander__what_changes_something_is_what_the_broker_says_does(void **state)
{
    (void)state;
    for (do_t which = 0; which < DO_COUNT; which++) {
        const command_spec_t *spec = command_spec(which);
        if (command_only_looks(spec->name) && spec->changes)
            fail_msg("%s changes something", spec->name);
    }
}

static void test_commander__the_answer_to_an_earlier_command_is_not_taken_for_this_one(void **state)
{
    (void)state;
    peer_come(&control.peer);
    tocsin_ask(commander, NULL, "incident.get", "incident:s", "INC-1");
    let_it_come();
    tocsin_ask(commander, NULL, "incident.get", "incident:s", "INC-2");
    control_answer(&control, "the first");
    let_it_come();
    control_answer(&control, "the second");
    assert_int_equal(tocsin_ask_again(commander, &reply, PATIENCE_S), TOCSIN_OK);
    assert_string_equal(result_text(), "the second");
}

static void test_commander__garbage_is_no_answer(void **state)
{
    (void)state;
    peer_come(&control.peer);
    tocsin_ask(commander, NULL, "system.ping", NULL);
    let_it_come();
    static const char *const garbage[] = {"", "\xc1", "\x81", "\x93", "\xdf\xff\xff\xff\xff"};
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        msgpack_sbuffer bytes;
        msgpack_sbuffer_init(&bytes);
        pack_raw(&bytes, text_of(garbage[i]));
        control_send(&control, &bytes);
    }
    control_answer(&control, "pong");
    assert_int_equal(tocsin_ask_again(commander, &reply, PATIENCE_S), TOCSIN_OK);
    assert_string_equal(result_text(), "pong");
}

/* -- signals -- */

static void do_nothing(int number)
{
    (void)number;
}

/*  Who is asking, until it says that it was interrupted. */
typedef struct {
    pthread_t thread;
    atomic_bool interrupted;
} asking_t;

static void *signal_until_interrupted(void *context)
{
    asking_t *asking = context;
    for (int i = 0; i < 1000 && !asking->interrupted; i++) {
        pthread_kill(asking->thread, SIGUSR1);
        zmq_poll(NULL, 0, 5);
    }
    return NULL;
}

static void test_commander__a_signal_interrupts_and_it_can_be_asked_again(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = do_nothing}, before;
    sigaction(SIGUSR1, &action, &before);
    asking_t asking = {.thread = pthread_self()};
    pthread_t thread;
    tocsin_commander_t *patient = tocsin_commander_new(control.peer.address, PATIENCE_S);
    assert_int_equal(pthread_create(&thread, NULL, signal_until_interrupted, &asking), 0);
    assert_int_equal(tocsin_ask(patient, &reply, "system.ping", NULL), TOCSIN_INTERRUPTED);
    assert_string_not_equal(tocsin_commander_error(patient), "");
    asking.interrupted = true;
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(tocsin_ask_again(patient, &reply, 0), TOCSIN_TIMEOUT);
    tocsin_commander_destroy(&patient);
    sigaction(SIGUSR1, &before, NULL);
}

static void test_commander__an_address_that_is_none_is_said_at_once(void **state)
{
    (void)state;
    assert_null(tocsin_commander_new("no address", 1));
    assert_int_equal(errno, EINVAL);
}

#define with_control(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_control(test_commander__a_command_is_answered),
        with_control(test_commander__every_type_of_argument_arrives),
        with_control(test_commander__arguments_that_cannot_be_read_are_invalid_and_not_sent),
        with_control(test_commander__arguments_may_be_a_map_that_is_known_only_now),
        with_control(test_commander__a_refusal_gives_its_code_and_message),
        with_control(test_commander__a_broker_that_is_not_there_is_said_with_its_address),
        with_control(test_commander__a_broker_that_does_not_answer_is_told_from_none),
        with_control(
            test_commander__a_command_that_was_not_answered_is_sent_again_with_the_same_once),
        with_control(test_commander__a_broker_that_was_killed_gets_the_command_again),
        with_control(test_commander__each_command_has_a_once_of_its_own),
        with_control(test_commander__a_once_of_the_caller_is_taken),
        with_control(test_commander__a_question_carries_no_once),
        with_control(test_commander__what_changes_something_is_what_the_broker_says_does),
        with_control(test_commander__the_answer_to_an_earlier_command_is_not_taken_for_this_one),
        with_control(test_commander__garbage_is_no_answer),
        with_control(test_commander__a_signal_interrupts_and_it_can_be_asked_again),
        with_control(test_commander__an_address_that_is_none_is_said_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
