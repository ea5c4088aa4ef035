#include "engines/sketch.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

#include <float.h>

/* What the issue of trust is: the relative error of a quantile. */
#define ERROR_MAX 0.01

static const unsigned asked[] = {1, 10, 100, 250, 500, 900, 950, 990, 999, 1000};
#define ASKED (sizeof asked / sizeof *asked)

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void assert_quantiles(const sketch_t *sketch, double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    for (size_t i = 0; i < ASKED; i++) {
        size_t rank = (size_t)ceil((double)count * asked[i] / 1000 - 1e-9);
        double expected = values[rank > 0 ? rank - 1 : 0];
        double actual = sketch_quantile(sketch, asked[i]);
        if (!(fabs(actual - expected) <= ERROR_MAX * fabs(expected)))
            fail_msg("quantile %u is %.17g, expected %.17g", asked[i], actual, expected);
    }
}

/* Values of 1e-9 to 1e9 of both signs, and zeros, in a mixture that the seed decides. */
static double fine_value(dice_t *dice, unsigned mixture)
{
    double value = pow(10, 18 * dice_unit(dice) - 9);
    switch (mixture) {
    case 0:
        return value;
    case 1:
        return -value;
    case 2:
        return dice_chance(dice, 0.3) ? 0 : dice_chance(dice, 0.5) ? value : -value;
    case 3:
        return ldexp(1, (int)dice_below(dice, 60) - 30); /* on bounds of buckets */
    default:
        return exp(dice_normal(dice));
    }
}

static void quantiles_are_close(dice_t *dice)
{
    double values[300];
    unsigned mixture = (unsigned)dice_below(dice, 5);
    size_t count = 1 + dice_below(dice, 300);
    sketch_t sketch;
    sketch_init(&sketch);
    for (size_t i = 0; i < count; i++)
        sketch_add(&sketch, values[i] = fine_value(dice, mixture));
    assert_quantiles(&sketch, values, count);
    assert_int_equal(sketch.count, count);
    assert_true(sketch.min == values[0] && sketch.max == values[count - 1]);
    sketch_free(&sketch);
}

static void test_sketch__every_quantile_is_within_one_percent(void **state)
{
    (void)state;
    seeds_run(quantiles_are_close);
}

/* -- a million values of shapes that are known to be hard -- */

#define MILLION 1000000

static double lognormal(dice_t *dice)
{
    return exp(2 * dice_normal(dice));
}

static double bimodal(dice_t *dice)
{
    return dice_chance(dice, 0.5) ? fabs(0.001 + 1e-4 * dice_normal(dice))
                                  : fabs(30 + 3 * dice_normal(dice));
}

static double heavy_tailed(dice_t *dice)
{
    return fmin(pow(dice_unit(dice), -1 / 0.8), 1e9);
}

static void assert_million(double (*draw)(dice_t *dice))
{
    double *values = malloc(MILLION * sizeof *values);
    dice_t dice = {2026};
    sketch_t sketch;
    sketch_init(&sketch);
    for (size_t i = 0; i < MILLION; i++)
        sketch_add(&sketch, values[i] = draw(&dice));
    assert_quantiles(&sketch, values, MILLION);
    sketch_free(&sketch);
    free(values);
}

static void test_sketch__a_million_lognormal_values_are_within_one_percent(void **state)
{
    (void)state;
    assert_million(lognormal);
}

static void test_sketch__a_million_bimodal_values_are_within_one_percent(void **state)
{
    (void)state;
    assert_million(bimodal);
}

static void test_sketch__a_million_heavy_tailed_values_are_within_one_percent(void **state)
{
    (void)state;
    assert_million(heavy_tailed);
}

/* -- merging -- */

static void assert_same(const sketch_t *a, const sketch_t *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->zeros, b->zeros);
    assert_true(a->min == b->min && a->max == b->max);
    assert_memory_equal(&a->sum, &b->sum, sizeof a->sum);
    for (unsigned permille = 0; permille <= 1000; permille += 50) {
        double left = sketch_quantile(a, permille), right = sketch_quantile(b, permille);
        assert_true(left == right || (isnan(left) && isnan(right)));
    }
}

/* a + (b + c) = (c + b) + a = one that saw all */
static void merging_is_adding(dice_t *dice)
{
    sketch_t part[3], all, left, right;
    sketch_init(&all);
    sketch_init(&left);
    sketch_init(&right);
    for (int p = 0; p < 3; p++) {
        shape_t shape = (shape_t)dice_below(dice, SHAPE_COUNT);
        unsigned count = (unsigned)dice_below(dice, 100);
        sketch_init(&part[p]);
        for (unsigned i = 0; i < count; i++) {
            double value = dice_value(dice, shape, i);
            sketch_add(&part[p], value);
            sketch_add(&all, value);
        }
    }
    for (int p = 0; p < 3; p++) {
        sketch_merge(&left, &part[p]);
        sketch_merge(&right, &part[2 - p]);
    }
    sketch_merge(&part[1], &part[2]);
    sketch_merge(&part[0], &part[1]);
    assert_same(&left, &all);
    assert_same(&right, &all);
    assert_same(&part[0], &all);
    for (int p = 0; p < 3; p++)
        sketch_free(&part[p]);
    sketch_free(&all);
    sketch_free(&left);
    sketch_free(&right);
}

static void test_sketch__merging_is_adding_in_any_order(void **state)
{
    (void)state;
    seeds_run(merging_is_adding);
}

/* -- edges -- */

static void test_sketch__is_empty_at_first(void **state)
{
    (void)state;
    sketch_t sketch;
    sketch_init(&sketch);
    assert_true(isnan(sketch_quantile(&sketch, 500)));
    assert_true(isnan(sketch_mean(&sketch)));
    assert_true(sketch_sum(&sketch) == 0);
    sketch_free(&sketch);
}

static void test_sketch__counts_the_least_and_the_greatest_doubles(void **state)
{
    (void)state;
    sketch_t sketch;
    sketch_init(&sketch);
    const double extremes[] = {DBL_TRUE_MIN, DBL_MIN, DBL_MAX, -DBL_TRUE_MIN,
                               -DBL_MAX,     -0.0,    1e300};
    for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++)
        sketch_add(&sketch, extremes[i]);
    assert_int_equal(sketch.count, 7);
    assert_true(sketch_quantile(&sketch, 0) == -DBL_MAX);
    assert_true(sketch_quantile(&sketch, 1000) == DBL_MAX);
    assert_true(sketch_quantile(&sketch, 3000 / 7) == 0);
    double coarse = sketch_quantile(&sketch, 6 * 1000 / 7);
    assert_true(coarse > 0.5e300 && coarse < 2e300);
    sketch_free(&sketch);
}

static void test_sketch__a_bucket_counts_beyond_every_width(void **state)
{
    (void)state;
    sketch_t one, many;
    sketch_init(&one);
    sketch_init(&many);
    sketch_add(&one, 1.5);
    sketch_add(&many, 2.9);
    for (int i = 0; i < 40; i++) { /* 2^40 times 1.5 and 2.9, by doubling */
        sketch_t twice;
        sketch_init(&twice);
        sketch_merge(&twice, &many);
        sketch_merge(&twice, &one);
        sketch_merge(&many, &twice);
        sketch_free(&twice);
    }
    sketch_add(&many, 100);
    assert_int_equal(many.count, 2 * (UINT64_C(1) << 40));
    assert_double(sketch_quantile(&many, 250), 1.5, 0.015);
    assert_double(sketch_quantile(&many, 750), 2.9, 0.029);
    assert_true(sketch_quantile(&many, 1000) == 100);
    sketch_free(&one);
    sketch_free(&many);
}

static void test_sketch__an_upper_bound_belongs_to_its_bucket(void **state)
{
    (void)state; /* 2 closes the bucket below it: the value told for it lies below 2 */
    sketch_t sketch;
    sketch_init(&sketch);
    sketch_add(&sketch, 1);
    sketch_add(&sketch, 2);
    sketch_add(&sketch, 3);
    assert_true(sketch_quantile(&sketch, 500) < 2);
    assert_double(sketch_quantile(&sketch, 500), 2, 0.02);
    sketch_free(&sketch);
}

/* One value a bucket, worked out with the mathematics library: each bucket is where it should be.
 */
static void test_sketch__buckets_lie_at_powers_of_the_64th_root_of_two(void **state)
{
    (void)state;
    for (int index = -32 * 64; index < 32 * 64; index++) {
        double low = exp2(index / 64.0), high = exp2((index + 1) / 64.0);
        double expected = 2 * low * high / (low + high);
        sketch_t sketch;
        sketch_init(&sketch);
        sketch_add(&sketch, low * 0.5);
        sketch_add(&sketch, low * (1 + 1e-12));
        sketch_add(&sketch, high * (1 - 1e-12));
        sketch_add(&sketch, high * 2);
        assert_double(sketch_quantile(&sketch, 500), expected, expected * 1e-12);
        assert_double(sketch_quantile(&sketch, 750), expected, expected * 1e-12);
        sketch_free(&sketch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        seeds_test(test_sketch__every_quantile_is_within_one_percent),
        cmocka_unit_test(test_sketch__a_million_lognormal_values_are_within_one_percent),
        cmocka_unit_test(test_sketch__a_million_bimodal_values_are_within_one_percent),
        cmocka_unit_test(test_sketch__a_million_heavy_tailed_values_are_within_one_percent),
        seeds_test(test_sketch__merging_is_adding_in_any_order),
        cmocka_unit_test(test_sketch__is_empty_at_first),
        cmocka_unit_test(test_sketch__counts_the_least_and_the_greatest_doubles),
        cmocka_unit_test(test_sketch__a_bucket_counts_beyond_every_width),
        cmocka_unit_test(test_sketch__an_upper_bound_belongs_to_its_bucket),
        cmocka_unit_test(test_sketch__buckets_lie_at_powers_of_the_64th_root_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
