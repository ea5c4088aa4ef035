#include "engines/condition.h"
#include "tests/check.h"

static bool holds(const char *text, double value, const char *unit)
{
    condition_error_t error;
    condition_t *condition = condition_new(text_of(text), &error);
    if (condition == NULL)
        fail_msg("%s: %u:%u: %s", text, error.line, error.column, error.message);
    bool answer = condition_holds(condition, value, text_of(unit));
    condition_destroy(&condition);
    return answer;
}

static void assert_refused(const char *text, uint32_t line, uint32_t column, const char *message)
{
    condition_error_t error;
    assert_null(condition_new(text_of(text), &error));
    assert_string_equal(error.message, message);
    assert_int_equal(error.line, line);
    assert_int_equal(error.column, column);
}

static void test_condition__every_comparison_is_exact_at_its_bound(void **state)
{
    (void)state;
    assert_false(holds("cpu > 2", 2, NULL));
    assert_true(holds("cpu >= 2", 2, NULL));
    assert_false(holds("cpu < 2", 2, NULL));
    assert_true(holds("cpu <= 2", 2, NULL));
    assert_true(holds("cpu == 2", 2, NULL));
    assert_false(holds("cpu != 2", 2, NULL));
}

static void test_condition__a_number_on_the_left_is_compared_the_other_way_round(void **state)
{
    (void)state;
    assert_true(holds("2 > cpu", 1, NULL));
    assert_false(holds("2 > cpu", 3, NULL));
    assert_true(holds("-1.5e1 <= cpu", -15, NULL));
}

static void test_condition__a_percentage_is_a_hundredth_for_a_ratio_alone(void **state)
{
    (void)state;
    assert_true(holds("cpu > 80%", 0.81, "ratio"));
    assert_false(holds("cpu > 80%", 0.81, "percent"));
    assert_true(holds("cpu > 80%", 80.5, NULL));
}

static void test_condition__matchers_compare_a_missing_label_as_empty(void **state)
{
    (void)state;
    condition_error_t error;
    condition_t *condition = condition_new(TEXT_OF("a{host=\"b\", core!=\"\"} > 1"), &error);
    uint8_t buffer[LABELS_MAX_BYTES];
    label_t pairs[] = {{TEXT_OF("host"), TEXT_OF("b")}, {TEXT_OF("core"), TEXT_OF("0")}};
    assert_non_null(condition);
    assert_text(condition_metric(condition), "a");
    assert_false(condition_selects(condition, labels_build(pairs, 1, buffer)));
    assert_true(condition_selects(condition, labels_build(pairs, 2, buffer)));
    condition_destroy(&condition);
}

static void test_condition__what_is_wrong_is_said_with_its_place(void **state)
{
    (void)state;
    assert_refused("", 1, 1, "found the end, expected the name of a metric");
    assert_refused("cpu\n  ~ 3", 2, 3, "found \"~\", expected < <= == != >= or >");
    assert_refused("cpu > high", 1, 7, "found \"h\", expected a number");
    assert_refused("cpu{host=b} > 1", 1, 10, "found \"b\", expected a value in double quotes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_condition__every_comparison_is_exact_at_its_bound),
        cmocka_unit_test(test_condition__a_number_on_the_left_is_compared_the_other_way_round),
        cmocka_unit_test(test_condition__a_percentage_is_a_hundredth_for_a_ratio_alone),
        cmocka_unit_test(test_condition__matchers_compare_a_missing_label_as_empty),
        cmocka_unit_test(test_condition__what_is_wrong_is_said_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
