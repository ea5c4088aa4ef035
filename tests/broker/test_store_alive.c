#include "broker/store.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

static char folder[64];

static int set_up(void **state)
{
    store_error_t error;
    snprintf(folder, sizeof folder, "/tmp/tocsin-store-XXXXXX");
    assert_non_null(mkdtemp(folder));
    *state = store_open(folder, &error);
    return *state == NULL;
}

static int tear_down(void **state)
{
    char command[128];
    store_close((store_t **)state);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void test_store_alive__a_new_store_was_never_alive(void **state)
{
    assert_true(isnan(store_last_alive(*state)));
}

static void test_store_alive__the_last_moment_that_was_committed_is_known(void **state)
{
    store_error_t error;
    store_alive(*state, 1000.5);
    store_alive(*state, 1001.25);
    assert_int_equal(store_commit(*state), STORE_GOOD);
    store_close((store_t **)state);
    *state = store_open(folder, &error);
    assert_double(store_last_alive(*state), 1001.25, 0);
    assert_int_equal(store_last_id(*state, TABLE_INCIDENT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_store_alive__a_new_store_was_never_alive, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_store_alive__the_last_moment_that_was_committed_is_known, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("store_alive", tests, NULL, NULL);
}
