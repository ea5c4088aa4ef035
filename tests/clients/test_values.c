#include "clients/tocsin/suggest.h"
#include "clients/tocsin/values.h"
#include "tests/check.h"

static void test_values__numbers_are_decimal_and_finite(void **state)
{
    (void)state;
    const char *const bad[] = {"", "x", "1x", " 1", "inf", "nan", "0x10", "1e999", "--1", "."};
    double number = 42;
    assert_true(value_of_number("-4.5e1", &number));
    assert_double(number, -45, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (value_of_number(bad[i], &number))
            fail_msg("%s is taken for a number", bad[i]);
    assert_double(number, -45, 0);
}

static void test_values__counts_are_whole_and_fit(void **state)
{
    (void)state;
    uint64_t count = 0;
    assert_true(value_of_count("18446744073709551615", &count));
    assert_true(count == UINT64_MAX);
    assert_false(value_of_count("18446744073709551616", &count));
    assert_false(value_of_count("-1", &count));
    assert_false(value_of_count("1.0", &count));
    assert_false(value_of_count("", &count));
}

static void test_values__durations_are_seconds_or_words(void **state)
{
    (void)state;
    double seconds;
    assert_true(value_of_duration("1h30m", &seconds));
    assert_double(seconds, 5400, 0);
    assert_true(value_of_duration("0.25", &seconds));
    assert_double(seconds, 0.25, 0);
    assert_false(value_of_duration("-1", &seconds));
    assert_false(value_of_duration("1 h", &seconds));
}

static void test_values__times_are_unix_a_date_or_ago(void **state)
{
    (void)state;
    double unix_s;
    assert_true(value_of_time("1800000000", 0, &unix_s));
    assert_double(unix_s, 1800000000, 0);
    assert_true(value_of_time("2027-01-15T08:00:00Z", 0, &unix_s));
    assert_double(unix_s, 1800000000, 0);
    assert_true(value_of_time("2027-01-15", 0, &unix_s));
    assert_double(unix_s, 1800000000 - 8 * 3600, 0);
    assert_true(value_of_time("2h", 10000, &unix_s));
    assert_double(unix_s, 2800, 0);
    assert_false(value_of_time("yesterday", 0, &unix_s));
    assert_false(value_of_time("2027-01-15T08:00:00+01:00", 0, &unix_s));
}

static void test_suggest__distance_counts_insertions_deletions_changes_and_swaps(void **state)
{
    (void)state;
    assert_int_equal(suggest_distance("list", "list"), 0);
    assert_int_equal(suggest_distance("lst", "list"), 1);
    assert_int_equal(suggest_distance("lisst", "list"), 1);
    assert_int_equal(suggest_distance("lisp", "list"), 1);
    assert_int_equal(suggest_distance("lsit", "list"), 1);
    assert_int_equal(suggest_distance("", "list"), 4);
}

static void test_suggest__what_is_too_far_is_not_meant(void **state)
{
    (void)state;
    suggestion_t suggestion = suggestion_for("frobnicate");
    suggestion_consider(&suggestion, "status");
    assert_null(suggestion.nearest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values__numbers_are_decimal_and_finite),
        cmocka_unit_test(test_values__counts_are_whole_and_fit),
        cmocka_unit_test(test_values__durations_are_seconds_or_words),
        cmocka_unit_test(test_values__times_are_unix_a_date_or_ago),
        cmocka_unit_test(test_suggest__distance_counts_insertions_deletions_changes_and_swaps),
        cmocka_unit_test(test_suggest__what_is_too_far_is_not_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
