#include "engines/exact_sum.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

#include <float.h>

#define VALUES 50

static void shuffle(dice_t *dice, double *values, unsigned count)
{
    for (unsigned i = count - 1; i > 0; i--) {
        unsigned other = (unsigned)dice_below(dice, i + 1);
        double kept = values[i];
        values[i] = values[other];
        values[other] = kept;
    }
}

static exact_sum_t sum_of(const double *values, unsigned count)
{
    exact_sum_t sum = {{0}};
    for (unsigned i = 0; i < count; i++)
        exact_sum_add(&sum, values[i]);
    return sum;
}

static void any_order_is_the_same(dice_t *dice)
{
    double values[VALUES];
    shape_t shape = (shape_t)dice_below(dice, SHAPE_COUNT);
    for (unsigned i = 0; i < VALUES; i++)
        values[i] = dice_value(dice, shape, i);
    exact_sum_t all = sum_of(values, VALUES);
    shuffle(dice, values, VALUES);
    unsigned cut = (unsigned)dice_below(dice, VALUES);
    exact_sum_t left = sum_of(values, cut), right = sum_of(values + cut, VALUES - cut);
    exact_sum_t both = left, other_way = right;
    exact_sum_merge(&both, &right);
    exact_sum_merge(&other_way, &left);
    assert_memory_equal(&both, &all, sizeof all);
    assert_memory_equal(&other_way, &all, sizeof all);
}

static void test_exact_sum__does_not_depend_on_order_and_merges(void **state)
{
    (void)state;
    seeds_run(any_order_is_the_same);
}

/* Multiples of 2^-20 below 2^30 have sums that fit into 64 bits: the reference adds integers. */
static void equals_integers(dice_t *dice)
{
    exact_sum_t sum = {{0}};
    int64_t reference = 0;
    for (unsigned i = 0; i < VALUES; i++) {
        int64_t units = (int64_t)(dice_next(dice) >> 14) - (INT64_C(1) << 49);
        reference += units;
        exact_sum_add(&sum, ldexp((double)units, -20));
    }
    assert_true(exact_sum_value(&sum) == ldexp((double)reference, -20));
    assert_true(exact_sum_mean(&sum, 64) == ldexp((double)reference, -26));
}

static void test_exact_sum__equals_the_sum_of_integers(void **state)
{
    (void)state;
    seeds_run(equals_integers);
}

/* What two doubles add up to, the processor rounds correctly. */
static void rounds_as_the_processor(dice_t *dice)
{
    double a = dice_double(dice),
           b = dice_chance(dice, 0.5) ? dice_double(dice) : a * dice_unit(dice);
    exact_sum_t sum = sum_of((double[]){a, b}, 2);
    double expected = a + b;
    if (isfinite(expected))
        assert_true(exact_sum_value(&sum) == expected);
    exact_sum_add(&sum, -a);
    exact_sum_add(&sum, -b);
    assert_memory_equal(&sum, &(exact_sum_t){{0}}, sizeof sum);
}

static void test_exact_sum__rounds_as_the_processor_does(void **state)
{
    (void)state;
    seeds_run(rounds_as_the_processor);
}

static void test_exact_sum__never_overflows(void **state)
{
    (void)state;
    exact_sum_t sum = sum_of((double[]){DBL_MAX, DBL_MAX, DBL_MAX}, 3);
    assert_true(exact_sum_value(&sum) == DBL_MAX);
    assert_true(exact_sum_mean(&sum, 3) == DBL_MAX);
    for (int i = 0; i < 6; i++)
        exact_sum_add(&sum, -DBL_MAX);
    assert_true(exact_sum_value(&sum) == -DBL_MAX);
    for (int i = 0; i < 3; i++)
        exact_sum_add(&sum, DBL_MAX);
    exact_sum_add(&sum, DBL_TRUE_MIN);
    assert_true(exact_sum_value(&sum) == DBL_TRUE_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        seeds_test(test_exact_sum__does_not_depend_on_order_and_merges),
        seeds_test(test_exact_sum__equals_the_sum_of_integers),
        seeds_test(test_exact_sum__rounds_as_the_processor_does),
        cmocka_unit_test(test_exact_sum__never_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
