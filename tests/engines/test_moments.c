#include "engines/moments.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

#include <float.h>

#define ERROR_MAX 1e-9L

/* The reference: every value, summed twice over in long double. */
typedef struct {
    double values[MOMENTS_WINDOW];
    unsigned count, next;
} window_of_values_t;

static void reference_add(window_of_values_t *self, double value)
{
    self->values[self->next] = value;
    self->next = (self->next + 1) % MOMENTS_WINDOW;
    if (self->count < MOMENTS_WINDOW)
        self->count++;
}

static long double reference_mean(const window_of_values_t *self)
{
    long double sum = 0;
    for (unsigned i = 0; i < self->count; i++)
        sum += self->values[i];
    return sum / self->count;
}

static long double reference_deviation(const window_of_values_t *self, long double mean)
{
    long double squares = 0, rest = 0;
    for (unsigned i = 0; i < self->count; i++) {
        long double away = self->values[i] - mean;
        squares += away * away;
        rest += away;
    }
    squares -= rest * rest / self->count; /* what the rounding of the mean left */
    return sqrtl(squares / (self->count - 1));
}

static void assert_close(double actual, long double expected, long double scale)
{
    if (fabsl(expected) > DBL_MAX) /* what a double cannot hold is told as the greatest it can */
        expected = copysignl(DBL_MAX, expected);
    if (fabsl(actual - expected) > ERROR_MAX * scale + DBL_TRUE_MIN)
        fail_msg("%.17g, expected %.20Lg", actual, expected);
}

static bool all_equal(const window_of_values_t *self)
{
    for (unsigned i = 1; i < self->count; i++)
        if (self->values[i] != self->values[0])
            return false;
    return true;
}

/* A mean near 0 of large values is held against their spread: no sum of doubles knows it better. */
static void assert_moments(const moments_t *moments, const window_of_values_t *reference)
{
    long double mean = reference_mean(reference);
    if (reference->count < 2) {
        assert_true(isnan(moments_deviation(moments)));
        return;
    }
    long double deviation = reference_deviation(reference, mean);
    assert_close(moments_mean(moments), mean, fabsl(mean) + deviation * 1e-6L);
    if (all_equal(reference))
        assert_true(moments_deviation(moments) == 0);
    else
        assert_close(moments_deviation(moments), deviation, deviation);
}

/* A thousand windows a seed: a million in all. The shape changes within the history too. */
static void windows_are_right(dice_t *dice)
{
    moments_t moments;
    window_of_values_t reference = {.count = 0};
    moments_init(&moments);
    shape_t shape = (shape_t)dice_below(dice, SHAPE_COUNT);
    for (unsigned i = 0; i < 1000; i++) {
        if (dice_chance(dice, 0.004))
            shape = (shape_t)dice_below(dice, SHAPE_COUNT);
        double value = dice_value(dice, shape, i);
        moments_add(&moments, value);
        reference_add(&reference, value);
        assert_moments(&moments, &reference);
    }
}

static void test_moments__equal_a_long_double_reference_on_a_million_windows(void **state)
{
    (void)state;
    seeds_run(windows_are_right);
}

static void test_moments__forget_a_spike_of_1e12_entirely(void **state)
{
    (void)state;
    moments_t moments, without;
    moments_init(&moments);
    moments_init(&without);
    dice_t dice = {1};
    for (unsigned i = 0; i < 400; i++) {
        double value = 1e-3 * dice_normal(&dice);
        moments_add(&moments, i == 150 ? 1e12 : value);
        moments_add(&without, value);
    }
    assert_double(moments_deviation(&moments) / moments_deviation(&without), 1, 1e-12);
    assert_double(moments_mean(&moments) / moments_mean(&without), 1, 1e-12);
}

static void test_moments__equal_values_deviate_by_exactly_zero(void **state)
{
    (void)state;
    moments_t moments;
    moments_init(&moments);
    for (int i = 0; i < 250; i++) {
        moments_add(&moments, i < 50 ? 7e11 : 0.1);
        if (i >= 149)
            assert_true(moments_deviation(&moments) == 0 && moments_mean(&moments) == 0.1);
    }
    assert_true(moments_distance(&moments, 0.1).distance == 0);
    assert_true(moments_distance(&moments, nextafter(0.1, 1)).distance > 0);
    assert_true(moments_distance(&moments, nextafter(0.1, 0)).distance < 0);
}

static void test_moments__minus_zero_equals_zero(void **state)
{
    (void)state;
    moments_t moments;
    moments_init(&moments);
    moments_add(&moments, 0.0);
    moments_add(&moments, -0.0);
    assert_true(moments_deviation(&moments) == 0);
}

static void test_moments__one_bit_of_difference_is_a_deviation(void **state)
{
    (void)state;
    moments_t moments;
    moments_init(&moments);
    for (int i = 0; i < 100; i++)
        moments_add(&moments, i == 50 ? nextafter(1e9, 2e9) : 1e9);
    double expected = sqrt((1 - 0.01) / 99) * (nextafter(1e9, 2e9) - 1e9);
    assert_double(moments_deviation(&moments) / expected, 1, 1e-12);
}

static void test_moments__integers_stay_integers(void **state)
{
    (void)
        state; /* 99 values about 10 with a variance of exactly 1, and 13 at exactly three of it */
    moments_t moments;
    moments_init(&moments);
    for (int i = 0; i < 99; i++)
        moments_add(&moments, i == 98 ? 10 : i % 2 == 0 ? 9 : 11);
    moments_distance_t distance = moments_distance(&moments, 13);
    assert_true(distance.distance == 3 * distance.deviation);
}

static void test_moments__have_no_mean_at_first_and_no_deviation_of_one(void **state)
{
    (void)state;
    moments_t moments;
    moments_init(&moments);
    assert_true(isnan(moments_mean(&moments)) && isnan(moments_deviation(&moments)));
    moments_add(&moments, 3);
    assert_true(moments_mean(&moments) == 3 && isnan(moments_deviation(&moments)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        seeds_test(test_moments__equal_a_long_double_reference_on_a_million_windows),
        cmocka_unit_test(test_moments__forget_a_spike_of_1e12_entirely),
        cmocka_unit_test(test_moments__equal_values_deviate_by_exactly_zero),
        cmocka_unit_test(test_moments__minus_zero_equals_zero),
        cmocka_unit_test(test_moments__one_bit_of_difference_is_a_deviation),
        cmocka_unit_test(test_moments__integers_stay_integers),
        cmocka_unit_test(test_moments__have_no_mean_at_first_and_no_deviation_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
