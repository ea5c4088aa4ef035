#include "clients/tocsin/demo_world.h"
#include "tests/check.h"

#include <string.h>

#define STEP_S 0.2

/*  What happened in some seconds of the play. */
typedef struct {
    unsigned requests, of_database, errors, slow_orders, orders;
    double last_error_ratio; /* of the orders, as measured */
    double least_query_s, most_query_s;
} count_t;

static void take_request(void *context, const demo_request_t *request)
{
    count_t *count = context;
    count->requests++;
    count->of_database += strcmp(request->dependency, DEMO_DATABASE) == 0;
    count->errors += request->error != NULL;
    if (strcmp(request->operation, "demo POST /orders") == 0) {
        count->orders++;
        count->slow_orders += request->duration_s > 0.25;
    }
}

static void take_gauge(void *context, const demo_gauge_t *gauge)
{
    count_t *count = context;
    if (strcmp(gauge->name, "demo_error_ratio") == 0 &&
        strcmp(gauge->value_of_label, "orders") == 0)
        count->last_error_ratio = gauge->value;
    if (strcmp(gauge->name, "demo_query_seconds") != 0)
        return;
    count->least_query_s = fmin(count->least_query_s, gauge->value);
    count->most_query_s = fmax(count->most_query_s, gauge->value);
}

static count_t play(demo_world_t *world, double from_s, double to_s)
{
    count_t count = {.least_query_s = INFINITY};
    const demo_listener_t listener = {take_request, take_gauge, &count};
    for (int step = (int)lround(from_s / STEP_S); step < (int)lround(to_s / STEP_S); step++)
        demo_world_step(world, step * STEP_S, STEP_S, &listener);
    return count;
}

static void test_demo_world__it_is_calm_then_slow_then_failing_then_well(void **state)
{
    (void)state;
    demo_world_t world;
    demo_world_init(&world);
    count_t calm = play(&world, 0, 4), slow = play(&world, 4, 6.4);
    count_t failing = play(&world, 6.6, 10), well = play(&world, 10, 14);
    assert_int_equal(calm.errors, 0);
    assert_int_equal(calm.slow_orders, 0);
    assert_int_equal(slow.errors, 0);
    assert_int_equal(slow.slow_orders, slow.orders);
    assert_true(slow.most_query_s > 10 * calm.most_query_s);
    assert_true(failing.errors * 2 > failing.of_database); /* unhealthy */
    assert_true(failing.last_error_ratio > 0.5);
    assert_int_equal(well.errors, 0);
    assert_int_equal(well.slow_orders, 0);
    assert_true(well.last_error_ratio < 0.05);
}

/*  So that the health of the database, judged over a hundred outcomes, is known within two seconds
 *  at any hour. */
static void test_demo_world__the_database_is_asked_often_at_any_hour(void **state)
{
    (void)state;
    for (int hour = 0; hour < 24; hour++)
        assert_true(0.6 * demo_rate(hour * 3600.0) > 35);
    demo_world_t world;
    demo_world_init(&world);
    count_t count = play(&world, 0, 2);
    assert_true(count.of_database > 100);
}

static void test_demo_world__the_afternoon_is_busier_than_the_night(void **state)
{
    (void)state;
    assert_true(demo_rate(14 * 3600.0) > 3 * demo_rate(2 * 3600.0));
    assert_double(demo_clock_s(0), 8 * 3600.0, 0);
    assert_double(demo_clock_s(60), 9 * 3600.0, 1e-9);
    assert_double(demo_clock_s(16 * 60), 0, 1e-6);
}

static void test_demo_world__the_same_play_is_the_same_twice(void **state)
{
    (void)state;
    demo_world_t a, b;
    demo_world_init(&a);
    demo_world_init(&b);
    count_t first = play(&a, 0, 12), second = play(&b, 0, 12);
    assert_memory_equal(&first, &second, sizeof first);
}

static void test_demo_world__a_long_pause_is_not_made_up_for(void **state)
{
    (void)state;
    demo_world_t world;
    demo_world_init(&world);
    count_t count = {.requests = 0};
    const demo_listener_t listener = {take_request, take_gauge, &count};
    demo_world_step(&world, 1000, 1000, &listener);
    assert_int_equal(count.requests, DEMO_REQUESTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_demo_world__it_is_calm_then_slow_then_failing_then_well),
        cmocka_unit_test(test_demo_world__the_database_is_asked_often_at_any_hour),
        cmocka_unit_test(test_demo_world__the_afternoon_is_busier_than_the_night),
        cmocka_unit_test(test_demo_world__the_same_play_is_the_same_twice),
        cmocka_unit_test(test_demo_world__a_long_pause_is_not_made_up_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
