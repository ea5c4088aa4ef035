#include "engines/observability/performance_profiler.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

static performance_profiler_t *profiler;

static int set_up(void **state)
{
    (void)state;
    profiler = performance_profiler_new(2, 42);
    return 0;
}

static int tear_down(void **state)
{
    performance_profiler_destroy(&profiler);
    return seeds_teardown(state);
}

static void record(const char *operation, double duration, bool error, uint64_t attempt, double at)
{
    request_event_t request = {.operation = text_of(operation),
                               .duration_s = duration,
                               .error = error,
                               .attempt = attempt};
    performance_profiler_record(profiler, &request, (instant_t){0, at});
}

static profile_view_t view_of(const char *operation)
{
    profile_view_t view;
    assert_true(performance_profiler_get(profiler, text_of(operation), &view));
    return view;
}

static void test_performance_profiler__counts_what_came(void **state)
{
    (void)state;
    record("a", 0.5, false, 1, 10);
    record("a", 0, true, 2, 11);
    record("a", 2, false, 3, 12);
    profile_view_t view = view_of("a");
    assert_int_equal(view.count, 3);
    assert_int_equal(view.errors, 1);
    assert_int_equal(view.retries, 2);
    assert_true(view.error_ratio == 1.0 / 3);
    assert_true(view.min == 0 && view.max == 2 && view.total == 2.5);
    assert_true(view.mean == 2.5 / 3 && view.last_executed == 12);
    assert_double(view.p50, 0.5, 0.005);
}

static void test_performance_profiler__beyond_the_limit_requests_go_to_overflow(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        record((char[]){(char)('a' + i), '\0'}, 1, false, 1, i);
    record("a", 1, false, 1, 10);
    assert_int_equal(view_of("a").count, 2);
    assert_int_equal(view_of("b").count, 1);
    assert_int_equal(view_of(PROFILE_OVERFLOW).count, 8);
    profile_view_t view;
    assert_false(performance_profiler_get(profiler, TEXT_OF("c"), &view));
    performance_profiler_configure(profiler, 4);
    record("c", 1, false, 1, 11);
    assert_int_equal(view_of("c").count, 1);
}

static void test_performance_profiler__lists_in_order_of_creation(void **state)
{
    (void)state;
    record("z", 1, false, 1, 0);
    record("a", 1, false, 1, 0);
    uint64_t at = 0;
    profile_view_t view;
    assert_true(performance_profiler_next(profiler, &at, &view));
    assert_text(view.operation, "z");
    assert_true(performance_profiler_next(profiler, &at, &view));
    assert_text(view.operation, "a");
    assert_false(performance_profiler_next(profiler, &at, &view));
}

static void test_performance_profiler__tells_what_had_requests_once(void **state)
{
    (void)state;
    profile_change_t change;
    record("a", 1, false, 1, 0);
    record("b", 1, true, 1, 0);
    record("b", 1, true, 2, 0);
    assert_true(performance_profiler_changed(profiler, &change));
    assert_text(change.operation, "a");
    assert_int_equal(change.errors, 0);
    assert_true(performance_profiler_changed(profiler, &change));
    assert_text(change.operation, "b");
    assert_int_equal(change.errors, 2);
    assert_int_equal(change.retries, 1);
    assert_int_equal(change.durations->count, 2);
    assert_false(performance_profiler_changed(profiler, &change));
    record("a", 1, false, 1, 0);
    assert_true(performance_profiler_changed(profiler, &change));
    assert_text(change.operation, "a");
}

/* -- against a reference that keeps every duration -- */

#define HISTORY 400

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void assert_quantile(double actual, const double *sorted, int count, int percent)
{
    double expected = sorted[(count * percent + 99) / 100 - 1];
    assert_double(actual, expected, 0.01 * expected);
}

static void equals_the_reference(dice_t *dice)
{
    double durations[HISTORY];
    uint64_t errors = 0, retries = 0;
    long double total = 0;
    int count = 1 + (int)dice_below(dice, HISTORY);
    double share = dice_unit(dice);
    performance_profiler_destroy(&profiler);
    profiler = performance_profiler_new(2, dice_next(dice));
    for (int i = 0; i < count; i++) {
        durations[i] = dice_chance(dice, 0.1) ? 0 : pow(10, 12 * dice_unit(dice) - 9);
        bool error = dice_chance(dice, share);
        uint64_t attempt = 1 + dice_below(dice, 3);
        record("a", durations[i], error, attempt, i);
        errors += error;
        retries += attempt > 1;
        total += durations[i];
    }
    qsort(durations, (size_t)count, sizeof *durations, by_size);
    profile_view_t view = view_of("a");
    assert_int_equal(view.count, count);
    assert_int_equal(view.errors, errors);
    assert_int_equal(view.retries, retries);
    assert_true(view.min == durations[0] && view.max == durations[count - 1]);
    assert_double(view.total, (double)total, 1e-15 * (double)total);
    assert_double(view.mean, (double)(total / count), 1e-15 * (double)total);
    assert_quantile(view.p50, durations, count, 50);
    assert_quantile(view.p95, durations, count, 95);
    assert_quantile(view.p99, durations, count, 99);
}

static void test_performance_profiler__equals_a_reference_that_keeps_all(void **state)
{
    (void)state;
    seeds_run(equals_the_reference);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_performance_profiler__counts_what_came),
        TEST(test_performance_profiler__beyond_the_limit_requests_go_to_overflow),
        TEST(test_performance_profiler__lists_in_order_of_creation),
        TEST(test_performance_profiler__tells_what_had_requests_once),
        TEST(test_performance_profiler__equals_a_reference_that_keeps_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
