#include "broker/memory_watch.h"
#include "tests/check.h"

#define MIB (INT64_C(1) << 20)

static memory_watch_t watch;

static int set_up(void **state)
{
    (void)state;
    memory_watch_init(&watch);
    watch.limit = 1000;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    memory_watch_free(&watch);
    return 0;
}

static pressure_t judge(uint64_t resident)
{
    memory_watch_judge(&watch, resident);
    return watch.pressure;
}

static void test_memory_watch__both_sides_of_each_ratio(void **state)
{
    (void)state;
    assert_int_equal(judge(699), PRESSURE_NONE);
    assert_int_equal(judge(700), PRESSURE_SOFT);
    assert_int_equal(judge(849), PRESSURE_SOFT);
    assert_int_equal(judge(850), PRESSURE_HARD);
}

static void test_memory_watch__pressure_sinks_only_well_below(void **state)
{
    (void)state;
    judge(900);
    assert_int_equal(judge(800), PRESSURE_HARD);
    assert_int_equal(judge(799), PRESSURE_SOFT);
    assert_int_equal(judge(650), PRESSURE_SOFT);
    assert_int_equal(judge(649), PRESSURE_NONE);
    judge(900);
    assert_int_equal(judge(0), PRESSURE_NONE);
}

static void test_memory_watch__it_sees_what_this_process_holds(void **state)
{
    (void)state;
    watch.limit = UINT64_MAX;
    memory_watch_look(&watch);
    assert_true(watch.resident > 100000 && watch.resident < UINT64_C(1) << 40);
    assert_int_equal(watch.pressure, PRESSURE_NONE);
    watch.limit = 1;
    memory_watch_look(&watch);
    assert_int_equal(watch.pressure, PRESSURE_HARD);
}

static void test_memory_watch__the_endpoint_that_grew_most_is_chosen(void **state)
{
    (void)state;
    const int64_t before[] = {900 * MIB, 5 * MIB, 0};
    const int64_t now[] = {902 * MIB, 205 * MIB, 100 * MIB};
    memory_watch_settle(&watch, before, 3);
    assert_int_equal(memory_watch_choose(&watch, now, 3), 1);
    assert_int_equal(memory_watch_choose(&watch, now, 3), 2);
    assert_int_equal(memory_watch_choose(&watch, now, 3), 0);
}

static void test_memory_watch__where_nothing_stands_out_the_least_important_is_chosen(void **state)
{
    (void)state;
    const int64_t before[] = {0, 0, 0}, now[] = {-5 * MIB, 100, -7};
    memory_watch_settle(&watch, before, 3);
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(memory_watch_choose(&watch, now, 3), i);
        assert_int_equal(memory_watch_choose(&watch, now, 3), 3);
    }
}

static void test_memory_watch__at_ease_all_may_be_closed_again(void **state)
{
    (void)state;
    const int64_t held[] = {0, 0};
    assert_int_equal(memory_watch_choose(&watch, held, 2), 0);
    memory_watch_settle(&watch, held, 2);
    assert_int_equal(memory_watch_choose(&watch, held, 2), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_memory_watch__both_sides_of_each_ratio),
        TEST(test_memory_watch__pressure_sinks_only_well_below),
        TEST(test_memory_watch__it_sees_what_this_process_holds),
        TEST(test_memory_watch__the_endpoint_that_grew_most_is_chosen),
        TEST(test_memory_watch__where_nothing_stands_out_the_least_important_is_chosen),
        TEST(test_memory_watch__at_ease_all_may_be_closed_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
