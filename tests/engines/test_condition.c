#include "engines/condition.h"
#include "tests/check.h"
#include "tests/engines/written_series.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static written_series_t series;

static int tear_down(void **state)
{
    (void)state;
    written_free(&series);
    return 0;
}

/* -- results as text -- */

#define SECOND INT64_C(1000)

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *sample_text(const element_t *sample)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    write_sample_labels(out, sample);
    fprintf(out, " %.17g", sample->value);
    fclose(out);
    return text;
}

/* Elements sorted, one after the other behind "; ". */
static char *vector_text(const vector_t *vector)
{
    char **items = calloc(vector->count + 1, sizeof *items), *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; i < vector->count; i++)
        items[i] = sample_text(&vector->items[i]);
    qsort(items, vector->count, sizeof *items, by_text);
    for (size_t i = 0; i < vector->count; i++) {
        fprintf(out, "%s%s", i == 0 ? "" : "; ", items[i]);
        free(items[i]);
    }
    free(items);
    fclose(out);
    return text;
}

static condition_t *compile(const char *text)
{
    condition_error_t error;
    condition_t *condition = condition_new(text_of(text), &error);
    if (condition == NULL)
        fail_msg("%s: %u:%u: %s", text, error.line, error.column, error.message);
    return condition;
}

typedef bool evaluate_fn(const condition_t *, const condition_source_t *,
                         const condition_moment_t *, arena_t *, answer_t *, condition_error_t *);

static char *run(evaluate_fn *evaluate, const char *text, int64_t at_ms)
{
    condition_t *condition = compile(text);
    condition_source_t source = written_source(&series);
    condition_moment_t moment = {
        .at_ms = at_ms, .time_s = (double)at_ms / 1000, .lookback_ms = LOOKBACK_DEFAULT_MS};
    arena_t arena;
    arena_init(&arena);
    answer_t answer;
    condition_error_t error;
    char *out;
    if (!evaluate(condition, &source, &moment, &arena, &answer, &error))
        assert_true(asprintf(&out, "%u:%u: %s", error.line, error.column, error.message) > 0);
    else if (answer.is_scalar)
        assert_true(asprintf(&out, "%.17g", answer.scalar) > 0);
    else
        out = vector_text(&answer.vector);
    arena_free(&arena);
    condition_destroy(&condition);
    return out;
}

static void assert_worth(const char *text, int64_t at_ms, const char *expected)
{
    char *got = run(condition_evaluate, text, at_ms);
    assert_string_equal(got, expected);
    free(got);
}

static void assert_refused(const char *text, uint32_t line, uint32_t column, const char *message)
{
    condition_error_t error;
    condition_t *condition = condition_new(text_of(text), &error);
    if (condition != NULL)
        fail_msg("%s is taken", text);
    assert_string_equal(error.message, message);
    assert_int_equal(error.line, line);
    assert_int_equal(error.column, column);
}

/* -- thresholds -- */

static bool holds(const char *text, double value, bool ratio)
{
    condition_t *condition = compile(text);
    assert_non_null(condition_threshold(condition));
    bool answer = condition_holds(condition, value, ratio);
    condition_destroy(&condition);
    return answer;
}

static void test_condition__every_comparison_is_exact_at_its_bound(void **state)
{
    (void)state;
    assert_false(holds("cpu > 2", 2, false));
    assert_true(holds("cpu >= 2", 2, false));
    assert_false(holds("cpu < 2", 2, false));
    assert_true(holds("cpu <= 2", 2, false));
    assert_true(holds("cpu == 2", 2, false));
    assert_false(holds("cpu != 2", 2, false));
}

static void test_condition__a_number_on_the_left_stays_on_the_left(void **state)
{
    (void)state;
    assert_true(holds("2 > cpu", 1, false));
    assert_false(holds("2 > cpu", 3, false));
    assert_true(holds("-1.5e1 <= cpu", -15, false));
}

static void test_condition__a_percentage_is_a_hundredth_for_a_ratio_alone(void **state)
{
    (void)state;
    assert_true(holds("cpu > 80%", 0.81, true));
    assert_false(holds("cpu > 80%", 0.81, false));
    assert_true(holds("cpu > 80%", 80.5, false));
}

static void test_condition__a_percentage_follows_the_unit_through_what_keeps_it(void **state)
{
    (void)state;
    written_load(&series, "cpu{host=\"a\"}", "0.5 0.9", SECOND)->ratio = true;
    written_load(&series, "cpu{host=\"b\"}", "0.5 0.7", SECOND)->ratio = true;
    assert_worth("max(cpu) > 80%", SECOND, "{} 0.90000000000000002");
    assert_worth("avg_over_time(cpu[5s]) >= 70%", SECOND, "{host=\"a\"} 0.69999999999999996");
    assert_refused("count(cpu) > 80%", 1, 14,
                   "a percentage is compared with a metric in its own unit; for anything else "
                   "write the number meant");
    assert_refused("cpu + 80%", 1, 7,
                   "a percentage is compared with a metric in its own unit; for "
                   "anything else write the number meant");
}

static void test_condition__a_percent_sign_before_an_operand_is_modulo(void **state)
{
    (void)state;
    written_load(&series, "a", "7", SECOND);
    assert_worth("17 % 5", 0, "2");
    assert_worth("17 % a", 0, "{} 3");
    assert_worth("a > 5% and a < 80%", 0, "a{} 7");
}

/* -- the grammar -- */

static void test_condition__what_is_wrong_is_said_with_its_place(void **state)
{
    (void)state;
    assert_refused("", 1, 1, "found the end, expected an expression");
    assert_refused("cpu\n  ~ 3", 2, 3, "found \"~\", expected an operator or the end");
    assert_refused("cpu{host=b} > 1", 1, 10, "found \"b\", expected a string in quotes");
    assert_refused("ä > 1", 1, 1, "found \"ä\", expected an expression");
    assert_refused("a > \"ä\" + é", 1, 11, "found \"é\", expected an expression");
    assert_refused("rate(cpu)", 1, 6, "found an instant vector, expected a range vector for rate");
    assert_refused("abs(cpu[5m])", 1, 5,
                   "found a range vector, expected an instant vector for abs");
    assert_refused("cpu[5m]", 1, 1,
                   "found a range vector, expected a number or an instant vector for a condition");
    assert_refused("1 > 2", 1, 3, "a comparison of two numbers, expected \"bool\" behind it");
    assert_refused("{a=~\".*\"}", 1, 1,
                   "a selector without a name needs a matcher that the empty text does not match");
    assert_refused("a > 5 b", 1, 7, "found \"b\", expected an operator or the end");
    assert_refused("rate(a[5x])", 1, 8,
                   "found \"5x\", neither a number nor a duration, expected a duration, as 5m");
    assert_refused("a > 1e999", 1, 5, "found \"1e999\", expected a number that a float64 can hold");
    assert_refused("clamp(a, 1)", 1, 1, "found 2 arguments of clamp, expected 3");
}

static void test_condition__what_is_not_supported_is_refused_by_name(void **state)
{
    (void)state;
    assert_refused("predict_linear(a[5m], 60)", 1, 1,
                   "found \"predict_linear\": this function is not supported");
    assert_refused("group by (a) (b)", 1, 1, "found \"group\": this aggregation is not supported");
    assert_refused("rate(a[5m:1m])", 1, 10, "found \":1m\": this subquery is not supported");
    assert_refused("a @ 5", 1, 3, "found \"@\": this modifier is not supported");
    assert_refused("a atan2 b", 1, 3, "found \"atan2\": this operator is not supported");
    assert_refused("nonsense(a)", 1, 1,
                   "found \"nonsense\", expected the name of a function before (");
    assert_refused("a{b=~\"(?=x)\"}", 1, 3,
                   "a regular expression that cannot be used: lookaround and other special groups "
                   "are not supported");
    assert_refused("a{b=~\"(x)\\\\1\"}", 1, 3,
                   "a regular expression that cannot be used: backreferences are not supported");
}

static void test_condition__operators_bind_as_in_promql(void **state)
{
    (void)state;
    assert_worth("1 + 2 * 3", 0, "7");
    assert_worth("2 ^ 3 ^ 2", 0, "512");
    assert_worth("-2 ^ 2", 0, "-4");
    assert_worth("2 ^ -1 * 4", 0, "2");
    assert_worth("10 - 3 - 2", 0, "5");
    assert_worth("0x1f + 010 + 08 + 1e2 + .5", 0, "147.5");
    assert_worth("7 % -4 # the sign is that of the left", 0, "3");
    assert_worth("1 > bool 2 == bool 0", 0, "1");
    assert_worth("-Inf", 0, "-inf");
}

static void test_condition__keywords_may_name_metrics_and_labels(void **state)
{
    (void)state;
    written_load(&series, "{__name__=\"sum\",by=\"x\"}", "3", SECOND);
    written_load(&series, "{__name__=\"GET /orders\"}", "4", SECOND);
    assert_worth("sum", 0, "sum{by=\"x\"} 3");
    assert_worth("sum by (by) (sum)", 0, "{by=\"x\"} 3");
    assert_worth("SUM(sum) BY (by,)", 0, "{by=\"x\"} 3");
    assert_worth("{__name__=\"GET /orders\"} > 1", 0, "GET /orders{} 4");
}

static void test_condition__strings_have_the_escapes_of_go(void **state)
{
    (void)state;
    label_t pair = {TEXT_OF("a"), TEXT_OF("ä\"A`")};
    written_add(written_new(&series, TEXT_OF("m"), &pair, 1), 0, 1);
    assert_worth("count(m{a=\"\\u00e4\\\"\\x41\\140\"})", 0, "{} 1");
    assert_worth("count(m{a='\\303\\244\"A`'})", 0, "{} 1");
    assert_refused(
        "m{a='\\\"'}", 1, 5,
        "found \"'\", a string with an escape that is none, expected a string in quotes");
}

static void test_condition__ten_to_the_fifth_parentheses_are_refused_at_once(void **state)
{
    (void)state;
    char *text = malloc(100001);
    memset(text, '(', 100000);
    text[100000] = '\0';
    assert_refused(text, 1, 1, "a condition has at most 16 KiB");
    text[16000] = '\0';
    assert_refused(text, 1, 201, "expressions nested too deep: at most 200 levels");
    for (size_t i = 0; i < 16000; i++)
        text[i] = i % 2 == 0 ? '1' : '+';
    text[15999] = '\0';
    assert_refused(text, 1, 400, "expressions nested too deep: at most 200 levels");
    free(text);
}

/* Each term keeps the elements of all before it. */
static void test_condition__an_evaluation_that_grows_without_end_is_bounded(void **state)
{
    (void)state;
    char text[2048] = "a";
    for (int i = 0; i < 12000; i++) {
        char value[16];
        snprintf(value, sizeof value, "%d", i);
        label_t pair = {TEXT_OF("x"), text_of(value)};
        written_add(written_new(&series, TEXT_OF("a"), &pair, 1), 0, 1);
    }
    for (int i = 0; i < 150; i++)
        strcat(text, " or a + 1");
    char *got = run(condition_evaluate, text, 0);
    assert_non_null(strstr(got, "the evaluation needs more than 256 MiB of memory"));
    free(got);
}

static void test_condition__an_evaluation_that_takes_without_end_is_bounded(void **state)
{
    (void)state;
    char text[2048] = "a";
    for (int i = 0; i < 30000; i++) {
        char value[16];
        snprintf(value, sizeof value, "%d", i);
        label_t pair = {TEXT_OF("x"), text_of(value)};
        written_add(written_new(&series, TEXT_OF("a"), &pair, 1), 0, 1);
    }
    for (int i = 0; i < 190; i++)
        strcat(text, " + 1");
    char *got = run(condition_evaluate, text, 0);
    assert_non_null(strstr(got, "the evaluation reads more than 50 million points"));
    free(got);
}

/* -- selectors -- */

static void test_condition__a_missing_label_matches_as_the_empty_text(void **state)
{
    (void)state;
    written_load(&series, "a{host=\"b\"}", "1", SECOND);
    written_load(&series, "a{host=\"b\",core=\"0\"}", "2", SECOND);
    assert_worth("a{core=\"\"}", 0, "a{host=\"b\"} 1");
    assert_worth("a{core!=\"\"}", 0, "a{core=\"0\", host=\"b\"} 2");
    assert_worth("a{core=~\"0?\",host!~\"c\"}", 0, "a{core=\"0\", host=\"b\"} 2; a{host=\"b\"} 1");
    assert_worth("{__name__=~\"a|b\",core=~\".+\"}", 0, "a{core=\"0\", host=\"b\"} 2");
}

static void test_condition__a_present_value_is_at_most_as_old_as_the_lookback(void **state)
{
    (void)state;
    written_load(&series, "a", "1", SECOND);
    assert_worth("a", 300 * SECOND, "a{} 1");
    assert_worth("a", 300 * SECOND + 1, "");
    assert_worth("a offset 5m", 600 * SECOND, "a{} 1");
    assert_worth("a offset -5m", 0, "a{} 1");
}

static void test_condition__a_range_has_both_its_ends(void **state)
{
    (void)state;
    written_load(&series, "a", "1 2 3 4 5", SECOND);
    assert_worth("count_over_time(a[2s])", 4 * SECOND, "{} 3");
    assert_worth("sum_over_time(a[2s] offset 1s)", 4 * SECOND, "{} 9");
    assert_worth("rate(a[4s])", 4 * SECOND, "{} 1");
    assert_worth("rate(a[4s])", 0, "");
}

/* -- results -- */

static void test_condition__two_series_that_become_one_are_an_error(void **state)
{
    (void)state;
    written_load(&series, "a{x=\"1\"}", "1", SECOND);
    written_load(&series, "b{x=\"1\"}", "2", SECOND);
    assert_worth("-{x=\"1\"}", 0,
                 "1:1: two series of the result have the same labels and no name to tell them "
                 "apart");
    assert_worth("a + on (x) {x=\"1\"}", 0,
                 "1:3: several series on the one side of the operator match: labels that are "
                 "matched must tell them apart");
}

static void test_condition__a_histogram_is_itself_inside_histogram_quantile_only(void **state)
{
    (void)state;
    sketch_t sketch;
    sketch_init(&sketch);
    for (int i = 1; i <= 100; i++)
        sketch_add(&sketch, i);
    written_load(&series, "latency{op=\"a\"}", "", SECOND)->histogram = &sketch;
    char *got = run(condition_evaluate, "histogram_quantile(0.9, latency)", 0);
    assert_true(strncmp(got, "{op=\"a\"} ", 9) == 0);
    assert_double(strtod(got + 9, NULL), 90, 0.6);
    free(got);
    assert_worth("histogram_quantile(1, latency) > 99", 0, "{op=\"a\"} 100");
    assert_worth("latency > 5", 0,
                 "1:1: latency is a histogram: it is read as its _count, as its _sum, and as "
                 "itself inside histogram_quantile only");
    sketch_free(&sketch);
}

static void test_condition__a_regular_expression_that_takes_too_long_is_bounded(void **state)
{
    (void)state;
    char value[1001];
    memset(value, 'a', 1000);
    value[1000] = '\0';
    label_t pair = {TEXT_OF("x"), text_of(value)};
    written_add(written_new(&series, TEXT_OF("m"), &pair, 1), 0, 1);
    assert_worth("label_replace(m, \"y\", \"$1\", \"x\", \"(a+)+[bc]\")", 0,
                 "1:1: the pattern or its replacement takes too long");
}

static void test_condition__label_replace_expands_as_go_does(void **state)
{
    (void)state;
    written_load(&series, "m{x=\"ab-12\"}", "1", SECOND);
    assert_worth("label_replace(m, \"y\", \"$2${1}$$-$1x\", \"x\", \"([a-z]+)-(\\\\d+)\")", 0,
                 "m{x=\"ab-12\", y=\"12ab$-\"} 1");
    assert_worth("label_replace(m, \"x\", \"\", \"x\", \".*\")", 0, "m{} 1");
    assert_worth("label_replace(m, \"__name__\", \"${n}\", \"x\", \"(?P<n>a).*\")", 0,
                 "a{x=\"ab-12\"} 1");
}

/* -- without filters -- */

static void assert_unfiltered(const char *text, const char *expected)
{
    char *got = run(condition_evaluate_unfiltered, text, 0);
    assert_string_equal(got, expected);
    free(got);
}

static void test_condition__without_its_filters_every_label_set_with_data_is_there(void **state)
{
    (void)state;
    written_load(&series, "a{x=\"1\"}", "1", SECOND);
    written_load(&series, "a{x=\"2\"}", "2", SECOND);
    written_load(&series, "b{x=\"1\"}", "3", SECOND);
    assert_unfiltered("a > 5", "a{x=\"1\"} 1; a{x=\"2\"} 2");
    assert_unfiltered("5 < a", "a{x=\"1\"} 1; a{x=\"2\"} 2");
    assert_unfiltered("a > b", "a{x=\"1\"} 1");
    assert_unfiltered("a and b", "a{x=\"1\"} 1; a{x=\"2\"} 2");
    assert_unfiltered("topk(1, a) unless b", "a{x=\"1\"} 1; a{x=\"2\"} 2");
    assert_unfiltered("count(a > 5) > 9", "{} 2");
    assert_unfiltered("absent(a)", "{} 1");
}

static void test_condition__values_are_known_where_only_filters_stand_before_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool filters, known;
    } rows[] = {{"a", false, true},
                {"a > 5", true, true},
                {"5 < a and b > 3", true, true},
                {"count(a > 5) > 9", true, false},
                {"a > bool 5", false, true},
                {"absent(a)", true, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        condition_t *condition = compile(rows[i].text);
        assert_int_equal(condition_filters(condition), rows[i].filters);
        assert_int_equal(condition_values_known(condition), rows[i].known);
        condition_destroy(&condition);
    }
}

static void test_condition__a_threshold_compares_one_plain_metric_with_a_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool threshold;
    } rows[] = {{"a > 5", true},          {"5 >= a{x=~\"y.*\"}", true}, {"(a) != (3)", true},
                {"a > bool 5", false},    {"a offset 5m > 5", false},   {"a > b", false},
                {"{x=\"y\"} > 5", false}, {"a + 1 > 5", false},         {"a", false},
                {"a > -5", true},         {"a > time()", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        condition_t *condition = compile(rows[i].text);
        assert_int_equal(condition_threshold(condition) != NULL, rows[i].threshold);
        condition_destroy(&condition);
    }
}

#define TEST(test) cmocka_unit_test_teardown(test_condition__##test, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_comparison_is_exact_at_its_bound),
        TEST(a_number_on_the_left_stays_on_the_left),
        TEST(a_percentage_is_a_hundredth_for_a_ratio_alone),
        TEST(a_percentage_follows_the_unit_through_what_keeps_it),
        TEST(a_percent_sign_before_an_operand_is_modulo),
        TEST(what_is_wrong_is_said_with_its_place),
        TEST(what_is_not_supported_is_refused_by_name),
        TEST(operators_bind_as_in_promql),
        TEST(keywords_may_name_metrics_and_labels),
        TEST(strings_have_the_escapes_of_go),
        TEST(ten_to_the_fifth_parentheses_are_refused_at_once),
        TEST(an_evaluation_that_grows_without_end_is_bounded),
        TEST(an_evaluation_that_takes_without_end_is_bounded),
        TEST(a_missing_label_matches_as_the_empty_text),
        TEST(a_present_value_is_at_most_as_old_as_the_lookback),
        TEST(a_range_has_both_its_ends),
        TEST(two_series_that_become_one_are_an_error),
        TEST(a_histogram_is_itself_inside_histogram_quantile_only),
        TEST(a_regular_expression_that_takes_too_long_is_bounded),
        TEST(label_replace_expands_as_go_does),
        TEST(without_its_filters_every_label_set_with_data_is_there),
        TEST(values_are_known_where_only_filters_stand_before_them),
        TEST(a_threshold_compares_one_plain_metric_with_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
