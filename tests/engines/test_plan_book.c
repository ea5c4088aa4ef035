#include "engines/observability/observability_stack.h"
#include "proto/must.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"
#include "tests/engines/wire.h"
#include "tests/engines/written_series.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*  A story: values go in at moments of a virtual clock, and what the book says comes out as lines.
 */
static observability_stack_t *stack;
static int64_t clock_ns;
static char said[65536];
static size_t said_size;

static const char *const states[RESULT_STATE_COUNT] = {"clear", "holds", "no data", "error"};

static void say_labels(labels_t labels)
{
    label_t label;
    const char *between = "";
    said_size += (size_t)sprintf(said + said_size, "{");
    for (uint32_t at = 0; labels_next(labels, &at, &label); between = ",")
        said_size += (size_t)sprintf(said + said_size, "%s%.*s=%.*s", between, (int)label.name.size,
                                     label.name.data, (int)label.value.size, label.value.data);
    said_size += (size_t)sprintf(said + said_size, "}");
}

static void take(void *context, const finding_t *finding)
{
    (void)context;
    const plan_result_t *result = &finding->as.result;
    if (finding->type != FINDING_RESULT || said_size > sizeof said / 2)
        return;
    said_size += (size_t)sprintf(said + said_size, "%s%llu", said_size == 0 ? "" : "; ",
                                 (unsigned long long)result->plan);
    say_labels(result->labels);
    said_size += (size_t)sprintf(said + said_size, " %s", states[result->state]);
    if (!isnan(result->value))
        said_size += (size_t)sprintf(said + said_size, " %g", result->value);
    if (result->state == RESULT_ERROR)
        said_size +=
            (size_t)sprintf(said + said_size, " %.*s", (int)result->error.size, result->error.data);
}

static int set_up(void **state)
{
    (void)state;
    observability_config_t config = observability_config_default();
    config.series = 1000;
    config.plans = 10;
    config.series_ttl_s = 1000;
    stack = observability_stack_new(&config, (finding_sink_t){take, NULL});
    clock_ns = 1000 * NS_PER_S;
    said_size = 0;
    said[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    observability_stack_destroy(&stack);
    return 0;
}

static instant_t now(void)
{
    return (instant_t){clock_ns, 1e9 + (double)clock_ns / 1e9};
}

static void assert_said(const char *expected)
{
    assert_string_equal(said, expected);
    said_size = 0;
    said[0] = '\0';
}

static void put(uint64_t id, const char *condition, double interval_s)
{
    assert_int_equal(
        observability_stack_plan_put(stack, id, text_of(condition), interval_s, 60, now()),
        STATUS_OK);
}

static void send(metric_kind_t kind, const char *name, const char *host, double value,
                 const char *unit)
{
    uint8_t raw[64];
    label_t pair = {TEXT_OF("host"), text_of(host)};
    metric_event_t event = {.name = text_of(name),
                            .labels = wire_labels(raw, &pair, host == NULL ? 0 : 1),
                            .unit = text_of(unit),
                            .value = value,
                            .value_count = 1,
                            .kind = kind};
    tally_t tally = {0};
    observability_stack_metrics(stack, &event, 1, now(), &tally);
    assert_int_equal(tally.accepted, 1);
}

static void gauge(const char *name, const char *host, double value)
{
    send(METRIC_GAUGE, name, host, value, NULL);
}

/*  Let time pass, and have everything that comes due done when it does. */
static void pass(double seconds)
{
    int64_t until = clock_ns + (int64_t)(seconds * 1e9);
    while (observability_stack_next(stack) <= until) {
        if (observability_stack_next(stack) > clock_ns)
            clock_ns = observability_stack_next(stack);
        observability_stack_tick(stack, now());
    }
    clock_ns = until;
}

/* -- on arrival -- */

static void test_plan_book__a_threshold_is_decided_when_its_value_arrives(void **state)
{
    (void)state;
    put(1, "cpu > 5", 60);
    gauge("cpu", "a", 4);
    assert_said("1{host=a} clear 4");
    gauge("cpu", "a", 4.5);
    assert_said("");
    gauge("cpu", "a", 6);
    assert_said("1{host=a} holds 6");
    gauge("cpu", "a", 5);
    assert_said("1{host=a} clear 5");
}

static void test_plan_book__the_greatest_value_between_two_intervals_is_said_too(void **state)
{
    (void)state;
    put(1, "cpu > 5", 60);
    gauge("cpu", "a", 6);
    assert_said("1{host=a} holds 6");
    gauge("cpu", "a", 9);
    gauge("cpu", "a", 8);
    assert_said("");
    pass(60);
    assert_said("1{host=a} holds 9; 1{host=a} holds 8");
    gauge("cpu", "a", 11);
    gauge("cpu", "a", 8);
    pass(60);
    assert_said("1{host=a} holds 11; 1{host=a} holds 8");
    gauge("cpu", "a", 10);
    gauge("cpu", "a", 7);
    gauge("cpu", "a", 2);
    assert_said("1{host=a} holds 10; 1{host=a} clear 2");
    gauge("cpu", "a", 1);
    gauge("cpu", "a", 6);
    assert_said("1{host=a} holds 6");
}

static void
test_plan_book__what_is_there_is_said_in_order_of_labels_when_a_plan_is_put(void **state)
{
    (void)state;
    gauge("cpu", "b", 9);
    gauge("cpu", "a", 1);
    gauge("cpu", "c", 8);
    put(1, "cpu > 5", 60);
    assert_said("1{host=a} clear 1; 1{host=b} holds 9; 1{host=c} holds 8");
    put(2, "max by (host) (cpu) > 5", 60);
    assert_said("2{host=a} clear 1; 2{host=b} holds 9; 2{host=c} holds 8");
}

static void test_plan_book__a_value_that_still_holds_is_said_anew_on_the_interval(void **state)
{
    (void)state;
    put(1, "cpu > 5", 10);
    gauge("cpu", "a", 6);
    gauge("cpu", "a", 7);
    assert_said("1{host=a} holds 6");
    pass(10);
    assert_said("1{host=a} holds 7");
    pass(10);
    assert_said("");
}

static void test_plan_book__a_unit_that_is_named_later_changes_what_a_percentage_means(void **state)
{
    (void)state;
    put(1, "cpu > 80%", 60);
    gauge("cpu", "a", 0.9);
    assert_said("1{host=a} clear 0.9");
    send(METRIC_GAUGE, "cpu", "b", 0.1, "ratio");
    assert_said("1{host=b} clear 0.1; 1{host=a} holds 0.9");
}

/* -- on the interval -- */

static void test_plan_book__any_other_condition_is_evaluated_on_its_interval(void **state)
{
    (void)state;
    put(1, "sum by (host) (cpu) > 5 and on (host) up == 1", 10);
    gauge("cpu", "a", 9);
    gauge("up", "a", 1);
    assert_said("");
    pass(10);
    assert_said("1{host=a} holds 9");
    gauge("up", "a", 0);
    pass(10);
    assert_said("1{host=a} clear 9");
    gauge("cpu", "a", 3);
    pass(10);
    assert_said("");
}

static void test_plan_book__a_late_tick_evaluates_once_and_keeps_to_the_grid(void **state)
{
    (void)state;
    put(1, "cpu + 0 > 5", 10);
    gauge("cpu", "a", 6);
    observability_stack_tick(stack, now());
    while (said_size == 0) {
        clock_ns = observability_stack_next(stack);
        observability_stack_tick(stack, now());
    }
    int64_t first = clock_ns;
    assert_said("1{host=a} holds 6");
    clock_ns = first + 35 * NS_PER_S;
    gauge("cpu", "a", 7);
    observability_stack_tick(stack, now());
    assert_said("1{host=a} holds 7");
    gauge("cpu", "a", 8);
    clock_ns = first + 40 * NS_PER_S - 1;
    observability_stack_tick(stack, now());
    assert_said("");
    clock_ns += 1;
    observability_stack_tick(stack, now());
    assert_said("1{host=a} holds 8");
}

static void test_plan_book__ranges_hold_the_last_value_of_each_second(void **state)
{
    (void)state;
    put(1, "sum_over_time(queue[5s]) > 0", 1);
    for (int second = 0; second < 4; second++) {
        gauge("queue", "a", 100);
        gauge("queue", "a", second);
        pass(1);
    }
    said_size = 0;
    gauge("queue", "a", 4);
    pass(1);
    assert_said("1{host=a} holds 10");
}

static void test_plan_book__a_plan_put_later_begins_with_the_present_value(void **state)
{
    (void)state;
    gauge("queue", "a", 7);
    pass(3);
    put(1, "max_over_time(queue[1m])", 10);
    assert_said("1{host=a} holds 7");
    put(2, "rate(queue[1m]) > 100", 10);
    assert_said("");
}

static void test_plan_book__a_rate_needs_two_seconds_with_values(void **state)
{
    (void)state;
    put(1, "rate(hits[10s]) > 1", 1);
    send(METRIC_COUNTER, "hits", "a", 5, NULL);
    pass(1);
    assert_said("");
    send(METRIC_COUNTER, "hits", "a", 50, NULL);
    pass(1);
    assert_true(strncmp(said, "1{host=a} holds ", 16) == 0);
}

static void test_plan_book__a_histogram_is_read_as_its_count_and_its_sum(void **state)
{
    (void)state;
    put(1, "latency_sum / latency_count > 2", 1);
    put(2, "histogram_quantile(1, latency) > 3", 1);
    put(3, "latency_count >= 2", 60);
    send(METRIC_HISTOGRAM, "latency", "a", 1, NULL);
    assert_said("3{host=a} clear 1");
    send(METRIC_HISTOGRAM, "latency", "a", 4, NULL);
    assert_said("3{host=a} holds 2");
    pass(1);
    assert_said("2{host=a} holds 4; 1{host=a} holds 2.5");
}

static void test_plan_book__a_selector_without_a_name_takes_what_its_matchers_take(void **state)
{
    (void)state;
    put(1, "count by (host) ({__name__=~\"a.*\"})", 1);
    gauge("a1", "x", 1);
    gauge("b1", "x", 1);
    send(METRIC_HISTOGRAM, "a2", "x", 1, NULL);
    pass(1);
    assert_said("1{host=x} holds 3");
}

/* -- missing data -- */

static void test_plan_book__silence_for_the_lookback_is_no_data(void **state)
{
    (void)state;
    put(1, "cpu > 5", 10);
    put(2, "avg by (host) (cpu) > 5", 1);
    gauge("cpu", "a", 9);
    gauge("cpu", "b", 1);
    pass(1);
    assert_said("1{host=a} holds 9; 1{host=b} clear 1; 2{host=a} holds 9; 2{host=b} clear 1");
    pass(58.9);
    assert_said("");
    gauge("cpu", "b", 1);
    pass(2);
    assert_said("1{host=a} no data; 2{host=a} no data");
    gauge("cpu", "a", 2);
    assert_said("1{host=a} clear 2");
    pass(1);
    assert_said("2{host=a} clear 2");
}

static void test_plan_book__a_series_that_expires_is_no_data(void **state)
{
    (void)state;
    observability_config_t config = observability_config_default();
    config.series = 1000;
    config.series_ttl_s = 5;
    observability_stack_configure(stack, &config);
    put(1, "cpu > 5", 10);
    put(2, "cpu * 1 > 5", 1);
    gauge("cpu", "a", 9);
    pass(1);
    assert_said("1{host=a} holds 9; 2{host=a} holds 9");
    pass(7);
    assert_said("1{host=a} no data; 2{host=a} no data");
}

static void test_plan_book__what_is_missing_while_its_series_lives_does_not_hold(void **state)
{
    (void)state;
    put(1, "changes(cpu[2s]) > 0", 1);
    gauge("cpu", "a", 1);
    pass(1);
    gauge("cpu", "a", 2);
    pass(1);
    assert_said("1{host=a} clear 0; 1{host=a} holds 1");
    pass(8);
    assert_said("1{host=a} clear 0");
    pass(60);
    assert_said("1{host=a} no data");
}

static void test_plan_book__absence_is_said_of_what_was_never_there(void **state)
{
    (void)state;
    put(1, "absent(cpu{host=\"a\"})", 1);
    assert_said("1{host=a} holds 1");
    gauge("cpu", "a", 1);
    pass(1);
    assert_said("1{host=a} clear");
}

/* -- errors -- */

static void test_plan_book__a_plan_that_errs_says_so_once_and_stops_no_other(void **state)
{
    (void)state;
    put(1, "cpu + on () mem > 0", 1);
    put(2, "cpu + 0 > 0", 1);
    gauge("cpu", "a", 1);
    gauge("mem", "a", 1);
    pass(1);
    assert_said("2{host=a} holds 1; 1{} holds 2");
    gauge("mem", "b", 1);
    pass(2);
    assert_said("1{} error several series on the one side of the operator match: labels that are "
                "matched must tell them apart");
}

static void test_plan_book__the_end_of_an_error_says_everything_anew(void **state)
{
    (void)state;
    put(1, "-{__name__=~\"a|b\",host=\"x\"} < 0", 1);
    gauge("a", "x", 1);
    pass(1);
    assert_said("1{host=x} holds -1");
    gauge("b", "x", 1);
    pass(1);
    assert_said("1{} error two series of the result have the same labels and no name to tell them "
                "apart");
    for (int i = 0; i < 61; i++) {
        gauge("a", "x", 1);
        pass(1);
    }
    assert_said("1{host=x} holds -1");
}

static void test_plan_book__the_end_of_an_error_is_said_even_of_nothing(void **state)
{
    (void)state;
    put(1, "latency > 5", 1);
    send(METRIC_HISTOGRAM, "latency", NULL, 1, NULL);
    pass(1);
    assert_said("1{} error latency is a histogram: it is read as its _count, as its _sum, and as "
                "itself inside histogram_quantile only");
    pass(60);
    assert_said("1{} clear");
}

static void test_plan_book__two_results_that_differ_in_name_alone_are_an_error(void **state)
{
    (void)state;
    put(1, "{__name__=~\"a|b\"} > 0", 1);
    gauge("a", "x", 1);
    gauge("b", "x", 1);
    pass(1);
    assert_said("1{} error two series of the result differ in nothing but their name");
}

static void test_plan_book__a_pattern_without_end_is_an_error_of_its_plan(void **state)
{
    (void)state;
    char host[33];
    memset(host, 'a', 31);
    host[31] = '\0';
    put(1, "cpu{host=~\"(a|a)*(a|a)*(a|a)*[bc]\"} > 0", 1);
    gauge("cpu", host, 1);
    pass(1);
    assert_said("1{} error a pattern of a selector takes too long to match");
}

/* -- against the same samples written down -- */

#define HISTORY 80

static const char *const histories[] = {
    "sum_over_time(load[10s])",
    "rate(load[30s])",
    "increase(load[7s]) > 3",
    "avg by (host) (avg_over_time(load[20s]))",
    "max_over_time(load[1m] offset 5s) - load",
    "load offset 10s",
    "count_over_time(load{host=~\"[ab]\"}[5s500ms])",
    "changes(load[15s]) / on (host) resets(load[15s] offset 3s)",
    "deriv(load[25s]) or quantile_over_time(0.5, load[25s])",
    "last_over_time({__name__=~\"lo.d\"}[3s])",
};
#define HISTORIES (sizeof histories / sizeof *histories)

static int by_labels(const void *a, const void *b)
{
    return labels_compare(((const element_t *)a)->labels, ((const element_t *)b)->labels);
}

static void check_same(const char *text, const answer_t *live, answer_t *written)
{
    if (live->vector.count != written->vector.count)
        fail_msg("%s: %zu elements, written down %zu", text, live->vector.count,
                 written->vector.count);
    if (written->vector.count > 1)
        qsort(written->vector.items, written->vector.count, sizeof(element_t), by_labels);
    for (size_t i = 0; i < live->vector.count; i++) {
        const element_t *a = &live->vector.items[i], *b = &written->vector.items[i];
        assert_true(labels_equal(a->labels, b->labels));
        if (a->value != b->value && !(isnan(a->value) && isnan(b->value)))
            fail_msg("%s: %.17g, written down %.17g", text, a->value, b->value);
    }
}

static void compare(const char *text, written_series_t *written)
{
    condition_error_t error;
    answer_t live, kept;
    arena_t arena;
    arena_init(&arena);
    condition_t *condition = condition_new(text_of(text), &error);
    condition_source_t source = written_source(written);
    condition_moment_t moment = {clock_ns / 1000000, now().wall_s, LOOKBACK_DEFAULT_MS, 7};
    assert_int_equal(observability_stack_test(stack, text_of(text), now(), &arena, &live, &error),
                     STATUS_OK);
    assert_true(condition_evaluate(condition, &source, &moment, &arena, &kept, &error));
    check_same(text, &live, &kept);
    condition_destroy(&condition);
    arena_free(&arena);
}

/* Of each second the last value, as a range buffer keeps them. */
static void write_down(written_t *series, double value)
{
    int64_t at = clock_ns / 1000000;
    if (series->count > 0 && series->points[series->count - 1].time_ms / 1000 == at / 1000)
        series->count--;
    written_add(series, at, value);
}

static void live_series_answer_as_written_ones(dice_t *dice)
{
    static const char *const hosts[] = {"a", "b", "c"};
    written_series_t written = {0};
    set_up(NULL);
    for (size_t i = 0; i < HISTORIES; i++)
        put(i + 1, histories[i], 5);
    for (size_t i = 0; i < 3; i++)
        written_new(&written, TEXT_OF("load"), &(label_t){TEXT_OF("host"), text_of(hosts[i])}, 1);
    for (int i = 0; i < HISTORY; i++) {
        size_t which = dice_below(dice, 3);
        double value = (double)dice_below(dice, 100) / 8;
        gauge("load", hosts[which], value);
        write_down(&written.items[which], value);
        pass((double)dice_below(dice, 30) / 20);
        if (i % 20 == 19)
            compare(histories[dice_below(dice, HISTORIES)], &written);
    }
    for (size_t i = 0; i < HISTORIES; i++)
        compare(histories[i], &written);
    written_free(&written);
    tear_down(NULL);
}

static void test_plan_book__live_series_answer_as_the_same_samples_written_down(void **state)
{
    (void)state;
    seeds_run(live_series_answer_as_written_ones);
}

/* -- bounds and life -- */

static void test_plan_book__ranges_beyond_their_room_are_an_error(void **state)
{
    (void)state;
    observability_config_t config = observability_config_default();
    config.series = 1000;
    config.range_bytes = 8 * 12;
    observability_stack_configure(stack, &config);
    put(1, "sum_over_time(cpu[20s])", 1);
    for (int i = 0; i < 10; i++) {
        gauge("cpu", "a", 1);
        pass(1);
    }
    assert_non_null(strstr(said, "1{} error the room for ranges (limits.ranges) is used up"));
}

static void test_plan_book__a_deleted_plan_says_nothing_more(void **state)
{
    (void)state;
    put(1, "cpu > 5", 1);
    put(2, "rate(cpu[1m]) > 5", 1);
    put(3, "{host=\"a\"} > 5", 1);
    gauge("cpu", "a", 1);
    pass(1);
    said_size = 0;
    for (uint64_t id = 1; id <= 3; id++)
        observability_stack_plan_delete(stack, id);
    gauge("cpu", "a", 9);
    pass(5);
    said[said_size] = '\0';
    assert_said("");
}

static void test_plan_book__a_plan_put_again_begins_afresh(void **state)
{
    (void)state;
    put(1, "cpu > 5", 60);
    gauge("cpu", "a", 6);
    assert_said("1{host=a} holds 6");
    put(1, "cpu > 7", 60);
    assert_said("1{host=a} clear 6");
    put(1, "cpu + 0 > 3", 60);
    assert_said("1{host=a} holds 6");
}

static void test_plan_book__more_plans_than_the_limit_are_refused(void **state)
{
    (void)state;
    for (uint64_t id = 1; id <= 10; id++)
        put(id, "cpu > 5", 60);
    assert_int_equal(observability_stack_plan_put(stack, 11, TEXT_OF("cpu > 5"), 60, 60, now()),
                     STATUS_LIMIT);
    assert_int_equal(observability_stack_plan_put(stack, 1, TEXT_OF("cpu >"), 60, 60, now()),
                     STATUS_BAD_VALUE);
    observability_stack_plan_delete(stack, 4);
    put(11, "cpu > 5", 60);
    gauge("cpu", NULL, 6);
    assert_said("1{} holds 6; 2{} holds 6; 3{} holds 6; 5{} holds 6; 6{} holds 6; 7{} holds 6; "
                "8{} holds 6; 9{} holds 6; 10{} holds 6; 11{} holds 6");
}

static void test_plan_book__series_are_found_again_after_the_limits_were_raised(void **state)
{
    (void)state;
    put(1, "cpu + 0 > 5", 1);
    gauge("cpu", "a", 6);
    observability_config_t config = observability_config_default();
    config.series = 500000;
    observability_stack_configure(stack, &config);
    pass(1);
    assert_said("1{host=a} holds 6");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test_plan_book__##test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_threshold_is_decided_when_its_value_arrives),
        TEST(what_is_there_is_said_in_order_of_labels_when_a_plan_is_put),
        TEST(the_greatest_value_between_two_intervals_is_said_too),
        TEST(a_value_that_still_holds_is_said_anew_on_the_interval),
        TEST(a_unit_that_is_named_later_changes_what_a_percentage_means),
        TEST(any_other_condition_is_evaluated_on_its_interval),
        TEST(a_late_tick_evaluates_once_and_keeps_to_the_grid),
        TEST(ranges_hold_the_last_value_of_each_second),
        TEST(a_plan_put_later_begins_with_the_present_value),
        TEST(a_rate_needs_two_seconds_with_values),
        TEST(a_histogram_is_read_as_its_count_and_its_sum),
        TEST(a_selector_without_a_name_takes_what_its_matchers_take),
        TEST(silence_for_the_lookback_is_no_data),
        TEST(a_series_that_expires_is_no_data),
        TEST(what_is_missing_while_its_series_lives_does_not_hold),
        TEST(absence_is_said_of_what_was_never_there),
        TEST(a_plan_that_errs_says_so_once_and_stops_no_other),
        TEST(the_end_of_an_error_says_everything_anew),
        TEST(the_end_of_an_error_is_said_even_of_nothing),
        TEST(two_results_that_differ_in_name_alone_are_an_error),
        TEST(a_pattern_without_end_is_an_error_of_its_plan),
        seeds_test(test_plan_book__live_series_answer_as_the_same_samples_written_down),
        TEST(ranges_beyond_their_room_are_an_error),
        TEST(a_deleted_plan_says_nothing_more),
        TEST(a_plan_put_again_begins_afresh),
        TEST(more_plans_than_the_limit_are_refused),
        TEST(series_are_found_again_after_the_limits_were_raised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
