#include "engines/counter.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

__extension__ typedef unsigned __int128 wide_t;

/* The reference: increments in units of 2^-64 as one wide integer. */
static wide_t units_of(double value)
{
    double whole = floor(value);
    return ((wide_t)(uint64_t)whole << 64) + (uint64_t)((value - whole) * 0x1p64);
}

static double increment(dice_t *dice)
{
    switch (dice_below(dice, 5)) {
    case 0:
        return (double)dice_below(dice, 1000);
    case 1:
        return dice_unit(dice) + 0x1p-12;
    case 2:
        return 0.1;
    case 3:
        return ldexp(dice_unit(dice) + 1, (int)dice_below(dice, 60) - 12);
    default:
        return 0;
    }
}

static void sums_are_exact(dice_t *dice)
{
    counter_t all = {0}, left = {0}, right = {0};
    wide_t reference = 0;
    for (int i = 0; i < 200; i++) {
        double value = increment(dice);
        counter_add(&all, value);
        counter_add(dice_chance(dice, 0.5) ? &left : &right, value);
        reference += units_of(value);
    }
    assert_true(all.whole == (uint64_t)(reference >> 64) && all.part == (uint64_t)reference);
    assert_true(all.dust == 0);
    assert_int_equal(counter_is_whole(&all), (uint64_t)reference == 0);
    counter_t other_way = right;
    counter_merge(&other_way, &left);
    counter_merge(&left, &right);
    assert_memory_equal(&left, &all, sizeof all);
    assert_memory_equal(&other_way, &all, sizeof all);
}

static void test_counter__is_the_exact_sum_in_any_order(void **state)
{
    (void)state;
    seeds_run(sums_are_exact);
}

static void test_counter__counts_ones_at_two_to_the_63(void **state)
{
    (void)state;
    counter_t counter = {0};
    counter_add(&counter, 0x1p63 - 1024);
    for (int i = 0; i < 1023; i++)
        counter_add(&counter, 1);
    assert_true(counter.whole == (UINT64_C(1) << 63) - 1 && counter_is_whole(&counter));
    counter_add(&counter, 1);
    assert_true(counter.whole == UINT64_C(1) << 63);
}

static void test_counter__a_whole_number_that_no_double_holds_is_set_right(void **state)
{
    (void)state;
    counter_t counter = {0};
    counter_add(&counter, 0x1p53);
    counter_correct(&counter, 1);
    assert_true(counter.whole == (UINT64_C(1) << 53) + 1);
    counter_add(&counter, 0x1p62);
    counter_correct(&counter, -1);
    assert_true(counter.whole == (UINT64_C(1) << 62) + (UINT64_C(1) << 53));
    assert_true(counter_is_whole(&counter));
}

static void test_counter__stays_at_its_greatest(void **state)
{
    (void)state;
    counter_t counter = {0};
    counter_add(&counter, 0.5);
    counter_add(&counter, 0x1p63);
    counter_add(&counter, 0x1p63);
    assert_true(counter.whole == UINT64_MAX && counter_is_whole(&counter));
    counter_add(&counter, 1e300);
    counter_add(&counter, 0.75);
    counter_correct(&counter, 7);
    counter_correct(&counter, -7);
    assert_true(counter.whole == UINT64_MAX && counter_is_whole(&counter));
}

static void test_counter__a_quarter_four_times_is_whole_again(void **state)
{
    (void)state;
    counter_t counter = {0};
    for (int i = 0; i < 3; i++)
        counter_add(&counter, 0.25);
    assert_false(counter_is_whole(&counter));
    assert_true(counter_value(&counter) == 0.75);
    counter_add(&counter, 0.25);
    assert_true(counter_is_whole(&counter) && counter.whole == 1);
}

static void test_counter__the_smallest_increments_are_not_lost(void **state)
{
    (void)state;
    counter_t counter = {0};
    for (int i = 0; i < 1000; i++)
        counter_add(&counter, 1e-300);
    assert_double(counter_value(&counter) * 1e297, 1, 1e-12);
    for (int i = 0; i < 1000; i++)
        counter_add(&counter, 1e-19);
    assert_double(counter_value(&counter) * 1e16, 1, 1e-12);
    assert_false(counter_is_whole(&counter));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        seeds_test(test_counter__is_the_exact_sum_in_any_order),
        cmocka_unit_test(test_counter__counts_ones_at_two_to_the_63),
        cmocka_unit_test(test_counter__a_whole_number_that_no_double_holds_is_set_right),
        cmocka_unit_test(test_counter__stays_at_its_greatest),
        cmocka_unit_test(test_counter__a_quarter_four_times_is_whole_again),
        cmocka_unit_test(test_counter__the_smallest_increments_are_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
