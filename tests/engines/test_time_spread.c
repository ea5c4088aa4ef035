#include "engines/operations/time_spread.h"
#include "engines/sketch.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

static void test_time_spread__of_nothing_nothing_is_known(void **state)
{
    (void)state;
    time_spread_t spread;
    time_spread_init(&spread);
    assert_true(isnan(time_spread_read(&spread).mean));
    time_spread_add(&spread, 5);
    time_spread_take(&spread, 5);
    assert_true(isnan(time_spread_read(&spread).p50));
    time_spread_free(&spread);
}

static void test_time_spread__what_is_too_short_or_too_long_is_counted_at_the_ends(void **state)
{
    (void)state;
    time_spread_t spread;
    time_spread_init(&spread);
    time_spread_add(&spread, -3); /* a clock that was set back */
    time_spread_add(&spread, 0);
    time_spread_add(&spread, 1e-9);
    assert_double(time_spread_read(&spread).p90, 0, 0);
    time_spread_add(&spread, 1e300);
    assert_double(time_spread_read(&spread).p90, 1073741824.0, 1073741824.0 / 64);
    time_spread_free(&spread);
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void check(const time_spread_t *spread, double *values, uint64_t count)
{
    double sum = 0;
    for (uint64_t i = 0; i < count; i++)
        sum += values[i];
    spread_t read = time_spread_read(spread);
    assert_double(read.mean, sum / (double)count, 1e-9 * sum);
    qsort(values, count, sizeof *values, by_size);
    double p50 = values[quantile_rank(count, 500) - 1], p90 = values[quantile_rank(count, 900) - 1];
    assert_double(read.p50, p50, 0.008 * p50);
    assert_double(read.p90, p90, 0.008 * p90);
}

static void any_history(dice_t *dice)
{
    double values[200];
    uint64_t count = 0;
    time_spread_t spread;
    time_spread_init(&spread);
    for (int step = 0; step < 200; step++) {
        if (count > 0 && dice_chance(dice, 0.4)) {
            uint64_t at = dice_below(dice, count);
            time_spread_take(&spread, values[at]);
            values[at] = values[--count];
        } else {
            values[count] = ldexp(1 + dice_unit(dice), (int)dice_below(dice, 35) - 8);
            time_spread_add(&spread, values[count++]);
        }
    }
    if (count > 0)
        check(&spread, values, count);
    time_spread_free(&spread);
}

static void test_time_spread__equals_the_sorted_list_whatever_is_taken_out(void **state)
{
    (void)state;
    seeds_run(any_history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_spread__of_nothing_nothing_is_known),
        cmocka_unit_test(test_time_spread__what_is_too_short_or_too_long_is_counted_at_the_ends),
        seeds_test(test_time_spread__equals_the_sorted_list_whatever_is_taken_out),
    };
    return cmocka_run_group_tests_name("time_spread", tests, NULL, NULL);
}
