/*  Real subscribers over TCP, each known to ZeroMQ by its descriptor. */
#include "broker/subscriptions.h"
#include "tests/check.h"

#include <stdio.h>

#define PATIENCE_MS 10000

static zsock_t *events;
static subscriptions_t subscriptions;
static char address[256];

static int set_up(void **state)
{
    (void)state;
    events = zsock_new(ZMQ_XPUB);
    zsock_set_linger(events, 0);
    assert_true(zsock_bind(events, "tcp://127.0.0.1:*") > 0);
    subscriptions_init(&subscriptions, events);
    char *bound = zsock_last_endpoint(events);
    snprintf(address, sizeof address, "%s", bound);
    freen(bound);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    subscriptions_free(&subscriptions);
    zsock_destroy(&events);
    return 0;
}

/*  An XSUB says in messages of its own what it wants: "\1topic", "\0topic", or anything else. */
static zsock_t *subscriber(void)
{
    zsock_t *self = zsock_new(ZMQ_XSUB);
    zsock_set_linger(self, 0);
    zsock_set_rcvtimeo(self, PATIENCE_MS);
    assert_int_equal(zsock_connect(self, "%s", address), 0);
    return self;
}

static void wish(zsock_t *self, const char *bytes, size_t size)
{
    zframe_t *frame = zframe_new(bytes, size);
    assert_int_equal(zframe_send(&frame, self, 0), 0);
}

/*  Serve until so many are served and refused since the start. */
static void serve_until(uint64_t served, uint64_t refused)
{
    for (int i = 0; subscriptions.served != served || subscriptions.refused != refused; i++) {
        if (i == PATIENCE_MS)
            fail_msg("%llu served, %llu refused", (unsigned long long)subscriptions.served,
                     (unsigned long long)subscriptions.refused);
        zclock_sleep(1);
        subscriptions_serve(&subscriptions, NULL);
    }
}

static void assert_hears(zsock_t *self, const char *topic)
{
    assert_int_equal(zstr_send(events, topic), 0);
    char *heard = zstr_recv(self);
    assert_non_null(heard);
    assert_string_equal(heard, topic);
    freen(heard);
}

static void test_subscriptions__a_wish_is_served(void **state)
{
    (void)state;
    zsock_t *one = subscriber();
    wish(one, "\1alert.", 7);
    serve_until(1, 0);
    assert_int_equal(zstr_send(events, "incident.x"), 0);
    assert_hears(one, "alert.x");
    zsock_destroy(&one);
}

static void test_subscriptions__the_same_wish_counts_once(void **state)
{
    (void)state;
    zsock_t *one = subscriber(), *two = subscriber();
    for (int i = 0; i < 3; i++)
        wish(one, "\1a", 2);
    wish(one, "\1b", 2);
    serve_until(2, 0);
    wish(two, "\1a", 2);
    serve_until(3, 0);
    assert_hears(two, "a");
    zsock_destroy(&one);
    zsock_destroy(&two);
}

static void test_subscriptions__beyond_the_limit_of_a_connection_nothing_is_served(void **state)
{
    (void)state;
    subscriptions.most = 10;
    zsock_t *greedy = subscriber(), *modest = subscriber();
    for (int i = 0; i < 25; i++) {
        char topic[16];
        int size = snprintf(topic, sizeof topic, "\1%d.", i);
        wish(greedy, topic, (size_t)size);
    }
    serve_until(10, 15);
    wish(modest, "\1m", 2);
    serve_until(11, 15);
    assert_hears(modest, "m");
    assert_hears(greedy, "9.");
    zsock_destroy(&greedy);
    zsock_destroy(&modest);
}

static void test_subscriptions__what_was_refused_cannot_be_given_back_for_room(void **state)
{
    (void)state;
    subscriptions.most = 1;
    zsock_t *one = subscriber();
    wish(one, "\1a", 2);
    serve_until(1, 0);
    for (int i = 0; i < 3; i++) {
        wish(one, "\1b", 2);
        wish(one, "\0b", 2);
    }
    wish(one, "\1c", 2);
    serve_until(1, 4);
    wish(one, "\0a", 2);
    serve_until(0, 4);
    wish(one, "\1c", 2);
    serve_until(1, 4);
    assert_hears(one, "c");
    zsock_destroy(&one);
}

static void test_subscriptions__a_connection_that_is_gone_holds_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        zsock_t *one = subscriber();
        wish(one, "\1a", 2);
        wish(one, "\1b", 2);
        serve_until(2, 0);
        zsock_destroy(&one);
        serve_until(0, 0);
    }
}

/*  It connects again by itself, with its wishes and without its message. */
static void test_subscriptions__who_sends_what_is_no_wish_is_cut(void **state)
{
    (void)state;
    zsock_t *one = subscriber(), *other = subscriber();
    wish(one, "\1a", 2);
    wish(other, "\1b", 2);
    serve_until(2, 0);
    wish(one, "zzz", 3);
    serve_until(1, 1);
    for (int i = 0; subscriptions.served == 1; i++) {
        assert_true(i < PATIENCE_MS);
        zclock_sleep(1);
        zsock_events(one); /* a subscriber wishes again when its program looks at it */
        subscriptions_serve(&subscriptions, NULL);
    }
    assert_hears(one, "a");
    assert_hears(other, "b");
    zsock_destroy(&one);
    zsock_destroy(&other);
}

/*  Have libzmq queue what has arrived, without taking anything from the queue. The pause is no wait
 *  for anything: where it is too short, the order below is another one, which is harmless. */
static void queue(void)
{
    zclock_sleep(10);
    zsock_events(events);
}

/*  libzmq would serve the wish of one connection to the other: at the message it takes the victim's
 *  connection from its list, at the secret wish the accomplice's. */
static void test_subscriptions__nobody_is_served_what_another_wished_for(void **state)
{
    (void)state;
    zsock_t *liar = subscriber(), *victim = subscriber(), *accomplice = subscriber();
    zsock_set_rcvtimeo(accomplice, 0);
    wish(liar, "\1own", 4);
    wish(victim, "\1own", 4);
    wish(accomplice, "\1own", 4);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; subscriptions.served < 3; i++) { /* they come again by themselves */
            assert_true(i < PATIENCE_MS);
            zclock_sleep(1);
            zsock_events(liar);
            zsock_events(victim);
            zsock_events(accomplice);
            subscriptions_serve(&subscriptions, NULL);
        }
        wish(liar, "zzz", 3);
        queue();
        wish(victim, "\1secret", 7);
        queue();
        wish(accomplice, "\1own2", 5);
        queue();
        subscriptions_serve(&subscriptions, NULL);
        assert_int_equal(zstr_send(events, "secret"), 0);
        queue();
        char *heard = zstr_recv(accomplice);
        assert_null(heard);
        wish(victim, "\0secret", 7);
        wish(accomplice, "\0own2", 5);
    }
    assert_true(subscriptions.refused > 0);
    zsock_destroy(&liar);
    zsock_destroy(&victim);
    zsock_destroy(&accomplice);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_subscriptions__a_wish_is_served),
        TEST(test_subscriptions__the_same_wish_counts_once),
        TEST(test_subscriptions__beyond_the_limit_of_a_connection_nothing_is_served),
        TEST(test_subscriptions__what_was_refused_cannot_be_given_back_for_room),
        TEST(test_subscriptions__a_connection_that_is_gone_holds_nothing),
        TEST(test_subscriptions__who_sends_what_is_no_wish_is_cut),
        TEST(test_subscriptions__nobody_is_served_what_another_wished_for),
    };
    zsys_init();
    zsys_handler_set(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
