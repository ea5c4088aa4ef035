#include "broker/store.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64];

static int set_up(void **state)
{
    store_error_t error;
    snprintf(folder, sizeof folder, "/tmp/tocsin-relay-XXXXXX");
    assert_non_null(mkdtemp(folder));
    *state = store_open(folder, &error);
    assert_non_null(*state);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    store_close((store_t **)state);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/*  Ten publications of a family, a minute apart. */
static void publish_ten(store_t *store, family_t family)
{
    for (int i = 1; i <= 10; i++)
        store_keep(store, family, store_next_number(store, family), i * 60.0, TEXT_OF("topic"),
                   TEXT_OF("\x80"));
    assert_int_equal(store_commit(store), STORE_GOOD);
}

static bool add(void *context, uint64_t seq, text_t body)
{
    uint64_t *sum = context;
    assert_int_equal(body.size, 1);
    *sum = *sum * 10 + seq;
    return *sum < 1000;
}

static void test_store_relay__publications_are_read_in_order_until_it_is_enough(void **state)
{
    uint64_t seen = 0;
    publish_ten(*state, FAMILY_ALERT);
    store_relay_read(*state, FAMILY_ALERT, 0, 2, add, &seen);
    assert_int_equal(seen, 12);
    seen = 0;
    store_relay_read(*state, FAMILY_ALERT, 3, 100, add, &seen);
    assert_int_equal(seen, 4567);
}

static void test_store_relay__how_far_was_sent_is_kept(void **state)
{
    assert_int_equal(store_relay_sent(*state, FAMILY_ALERT), 0);
    store_relay_mark(*state, FAMILY_ALERT, 7);
    store_relay_mark(*state, FAMILY_INCIDENT, 9);
    store_error_t error;
    assert_int_equal(store_commit(*state), STORE_GOOD);
    store_close((store_t **)state);
    *state = store_open(folder, &error);
    assert_int_equal(store_relay_sent(*state, FAMILY_ALERT), 7);
    assert_int_equal(store_relay_sent(*state, FAMILY_INCIDENT), 9);
}

static void test_store_relay__another_server_is_sent_the_last_minutes_again(void **state)
{
    publish_ten(*state, FAMILY_ALERT);
    publish_ten(*state, FAMILY_SLO);
    store_relay_mark(*state, FAMILY_ALERT, 9);
    store_relay_mark(*state, FAMILY_SLO, 2);
    assert_false(store_relay_meet(*state, TEXT_OF("one"), 0));
    assert_int_equal(store_relay_sent(*state, FAMILY_ALERT), 9);
    assert_false(store_relay_meet(*state, TEXT_OF("one"), 5 * 60));
    assert_int_equal(store_relay_sent(*state, FAMILY_ALERT), 9);
    assert_true(store_relay_meet(*state, TEXT_OF("two"), 5 * 60));
    assert_int_equal(store_relay_sent(*state, FAMILY_ALERT), 4); /* 5 was published in time */
    assert_int_equal(store_relay_sent(*state, FAMILY_SLO), 2);   /* never forward */
    assert_int_equal(store_relay_sent(*state, FAMILY_INCIDENT), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store_relay__publications_are_read_in_order_until_it_is_enough),
        TEST(test_store_relay__how_far_was_sent_is_kept),
        TEST(test_store_relay__another_server_is_sent_the_last_minutes_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
