#include "engines/observability/range_buffer.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

static range_budget_t budget;
static range_buffer_t *buffer;

static int set_up(void **state)
{
    (void)state;
    budget = (range_budget_t){.limit = 1 << 20};
    buffer = range_buffer_new(10000);
    return 0;
}

static int tear_down(void **state)
{
    range_buffer_destroy(&buffer, &budget);
    assert_int_equal(budget.used, 0);
    return seeds_teardown(state);
}

static size_t copy(int64_t from_ms, int64_t to_ms, point_t *out)
{
    return range_buffer_copy(buffer, from_ms, to_ms, out);
}

static void test_range_buffer__of_each_second_the_last_value_stays(void **state)
{
    (void)state;
    point_t points[8];
    range_buffer_add(buffer, 1000, 1, &budget);
    range_buffer_add(buffer, 1001, 2, &budget);
    range_buffer_add(buffer, 1999, 3, &budget);
    range_buffer_add(buffer, 2000, 4, &budget);
    assert_int_equal(copy(0, 9999, points), 2);
    assert_int_equal(points[0].time_ms, 1999);
    assert_double(points[0].value, 3, 0);
    assert_int_equal(points[1].time_ms, 2000);
    assert_double(points[1].value, 4, 0);
}

static void test_range_buffer__both_ends_of_a_range_belong_to_it(void **state)
{
    (void)state;
    point_t points[8];
    for (int64_t at = 1000; at <= 5000; at += 1000)
        range_buffer_add(buffer, at, (double)at, &budget);
    assert_int_equal(copy(2000, 4000, points), 3);
    assert_int_equal(copy(2001, 3999, points), 1);
    assert_int_equal(copy(5001, 9000, points), 0);
    assert_int_equal(copy(0, 999, points), 0);
}

static void test_range_buffer__a_value_that_stands_is_a_point_each_second(void **state)
{
    (void)state;
    point_t points[16];
    range_buffer_add(buffer, 1000, 1, &budget);
    range_buffer_add(buffer, 3000, 2, &budget);
    assert_int_equal(range_buffer_steps(buffer, 500, 5200, points), 5);
    assert_int_equal(points[0].time_ms, 1200);
    assert_double(points[1].value, 1, 0);
    assert_double(points[2].value, 2, 0);
    assert_int_equal(points[4].time_ms, 5200);
}

static void test_range_buffer__what_a_value_was_when_the_span_began_stays_known(void **state)
{
    (void)state;
    point_t points[32];
    range_buffer_add(buffer, 1000, 1, &budget);
    range_buffer_add(buffer, 60000, 2, &budget);
    assert_int_equal(range_buffer_steps(buffer, 50000, 60000, points), 11);
    assert_double(points[0].value, 1, 0);
    assert_double(points[10].value, 2, 0);
}

static void test_range_buffer__without_room_the_oldest_points_go_and_that_is_known(void **state)
{
    (void)state;
    point_t points[32];
    budget.limit = 8 * 12;
    for (int64_t at = 1; at <= 10; at++)
        range_buffer_add(buffer, at * 1000, (double)at, &budget);
    assert_int_equal(buffer->lost_ms, 2000);
    assert_int_equal(copy(0, 20000, points), 8);
    assert_double(points[0].value, 3, 0);
}

static void test_range_buffer__a_silence_of_months_is_no_riddle(void **state)
{
    (void)state;
    point_t points[8];
    range_buffer_add(buffer, 1000, 1, &budget);
    range_buffer_add(buffer, INT64_C(8000000000), 2, &budget);
    assert_int_equal(copy(0, INT64_C(9000000000), points), 1);
    assert_int_equal(points[0].time_ms, INT64_C(8000000000));
}

/* -- against all points ever -- */

#define POINTS 400u

static void holds_what_a_list_holds(dice_t *dice)
{
    static point_t kept[POINTS], got[POINTS];
    size_t count = 0;
    range_budget_t own = {.limit = UINT64_MAX};
    int64_t span = 1000 * (1 + (int64_t)dice_below(dice, 60)), now = 0;
    range_buffer_t *self = range_buffer_new(span);
    for (unsigned i = 0; i < POINTS; i++) {
        now += (int64_t)dice_below(dice, dice_chance(dice, 0.05) ? 100000 : 2500);
        double value = dice_value(dice, SHAPE_NOISE, i);
        range_buffer_add(self, now, value, &own);
        count -= count > 0 && kept[count - 1].time_ms / 1000 == now / 1000;
        kept[count++] = (point_t){now, value};
        assert_true(self->room <= (uint32_t)(span / 1000) + 3 || self->room == 8);
        int64_t from = now - (int64_t)dice_below(dice, (uint64_t)span + 1);
        size_t first = count;
        while (first > 0 && kept[first - 1].time_ms >= from)
            first--;
        assert_int_equal(range_buffer_copy(self, from, now, got), count - first);
        assert_memory_equal(got, kept + first, (count - first) * sizeof *got);
    }
    range_buffer_destroy(&self, &own);
    assert_int_equal(own.used, 0);
}

static void test_range_buffer__within_its_span_it_holds_what_a_list_holds(void **state)
{
    (void)state;
    seeds_run(holds_what_a_list_holds);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test_range_buffer__##test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_each_second_the_last_value_stays),
        TEST(both_ends_of_a_range_belong_to_it),
        TEST(a_value_that_stands_is_a_point_each_second),
        TEST(what_a_value_was_when_the_span_began_stays_known),
        TEST(without_room_the_oldest_points_go_and_that_is_known),
        TEST(a_silence_of_months_is_no_riddle),
        TEST(within_its_span_it_holds_what_a_list_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
