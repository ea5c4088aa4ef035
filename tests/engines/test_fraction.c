#include "engines/fraction.h"
#include "tests/check.h"

static void assert_fraction(fraction_t fraction, uint64_t top, uint64_t bottom)
{
    assert_int_equal(fraction.top, top);
    assert_int_equal(fraction.bottom, bottom);
}

static void test_fraction__is_the_decimal_that_was_written(void **state)
{
    (void)state;
    assert_fraction(fraction_of(0.10), 1, 10);
    assert_fraction(fraction_of(0.5), 1, 2);
    assert_fraction(fraction_of(0.1 + 0.2), 3, 10);
    assert_fraction(fraction_of(100 - 99.9), 1, 10);
    assert_fraction(fraction_of(100 - 99.999), 1, 1000);
    assert_fraction(fraction_of(1), 1, 1);
    assert_fraction(fraction_of(0), 0, 1);
    assert_fraction(fraction_of(1.0 / 3), 333333333, 1000000000);
}

static void test_fraction__has_no_common_divisor(void **state)
{
    (void)state;
    assert_fraction(fraction_reduce(72, 5), 72, 5);
    assert_fraction(fraction_reduce(144, 10), 72, 5);
    assert_fraction(fraction_reduce(0, 7), 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fraction__is_the_decimal_that_was_written),
        cmocka_unit_test(test_fraction__has_no_common_divisor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
