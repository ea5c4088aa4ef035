#include "engines/observability/dependency_health_monitor.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

#define CONFIG                                                                                     \
    ((dependency_config_t){                                                                        \
        .dependencies = 3, .window = 100, .min_requests = 5, .degraded = 0.10, .unhealthy = 0.50})

static dependency_health_monitor_t *monitor;
static int64_t clock_ns;

static int set_up(void **state)
{
    (void)state;
    monitor = dependency_health_monitor_new(&CONFIG);
    clock_ns = 0;
    return 0;
}

static int tear_down(void **state)
{
    dependency_health_monitor_destroy(&monitor);
    return seeds_teardown(state);
}

static instant_t now(void)
{
    return (instant_t){clock_ns, 1000 + (double)clock_ns / 1e9};
}

static dependency_change_t outcome(bool error, double latency)
{
    request_event_t request = {.operation = TEXT_OF("q"),
                               .dependency = TEXT_OF("pg"),
                               .message = error ? TEXT_OF("gone") : TEXT_NONE,
                               .duration_s = latency,
                               .attempt = 1,
                               .error = error};
    dependency_change_t change;
    assert_int_equal(dependency_health_monitor_record(monitor, &request, now(), &change),
                     STATUS_OK);
    return change;
}

static dependency_status_t status_after(int good, int bad)
{
    for (int i = 0; i < good; i++)
        outcome(false, 0.1);
    for (int i = 0; i < bad; i++)
        outcome(true, 0.1);
    dependency_view_t view;
    assert_true(dependency_health_monitor_get(monitor, TEXT_OF("pg"), &view));
    return view.status;
}

static void test_dependency_health_monitor__is_unknown_before_five_outcomes(void **state)
{
    (void)state;
    assert_int_equal(status_after(4, 0), DEPENDENCY_UNKNOWN);
    dependency_change_t change = outcome(false, 0.1);
    assert_true(change.changed && change.from == DEPENDENCY_UNKNOWN);
    assert_int_equal(change.to, DEPENDENCY_HEALTHY);
    assert_true(isnan(change.lasted));
}

static void test_dependency_health_monitor__exactly_ten_percent_is_still_healthy(void **state)
{
    (void)state;
    assert_int_equal(status_after(90, 10), DEPENDENCY_HEALTHY);
    assert_int_equal(status_after(0, 1), DEPENDENCY_DEGRADED); /* 11 of the last 100 */
}

static void test_dependency_health_monitor__exactly_ten_percent_of_few_is_healthy(void **state)
{
    (void)state;
    assert_int_equal(status_after(9, 1), DEPENDENCY_HEALTHY);
    assert_int_equal(status_after(9, 1), DEPENDENCY_HEALTHY);
    assert_int_equal(status_after(8, 1), DEPENDENCY_DEGRADED); /* 3 of 29 */
    assert_int_equal(status_after(1, 0), DEPENDENCY_HEALTHY);  /* 3 of 30 */
}

static void test_dependency_health_monitor__exactly_fifty_percent_is_still_degraded(void **state)
{
    (void)state;
    assert_int_equal(status_after(50, 50), DEPENDENCY_DEGRADED);
    assert_int_equal(status_after(0, 1), DEPENDENCY_UNHEALTHY);
}

static void test_dependency_health_monitor__the_101st_outcome_drives_the_first_out(void **state)
{
    (void)state;
    assert_int_equal(status_after(0, 11), DEPENDENCY_UNHEALTHY);
    assert_int_equal(status_after(89, 0), DEPENDENCY_DEGRADED); /* the 100th: 11 of 100 */
    assert_int_equal(status_after(1, 0), DEPENDENCY_HEALTHY);   /* the 101st: 10 of 100 */
}

static void test_dependency_health_monitor__says_how_long_a_state_stood(void **state)
{
    (void)state;
    status_after(5, 0);
    clock_ns = 2500000000;
    dependency_change_t change = outcome(true, 0.1);
    assert_true(change.changed && change.from == DEPENDENCY_HEALTHY);
    assert_double(change.lasted, 2.5, 0);
    dependency_view_t view;
    dependency_health_monitor_get(monitor, TEXT_OF("pg"), &view);
    assert_double(view.since, 1002.5, 0);
    assert_false(outcome(true, 0.1).changed);
}

static void test_dependency_health_monitor__keeps_the_last_error_and_the_breaker(void **state)
{
    (void)state;
    dependency_view_t view;
    outcome(false, 0.1);
    dependency_health_monitor_get(monitor, TEXT_OF("pg"), &view);
    assert_null(view.last_error.data);
    assert_true(isnan(view.last_error_at));
    clock_ns = 1000000000;
    outcome(true, 0.1);
    request_event_t silent = {
        .dependency = TEXT_OF("pg"), .error = false, .attempt = 2, .breaker = BREAKER_OPEN};
    dependency_change_t change;
    dependency_health_monitor_record(monitor, &silent, now(), &change);
    silent.breaker = BREAKER_UNKNOWN; /* not reported: as last reported */
    dependency_health_monitor_record(monitor, &silent, now(), &change);
    dependency_health_monitor_get(monitor, TEXT_OF("pg"), &view);
    assert_text(view.last_error, "gone");
    assert_double(view.last_error_at, 1001, 0);
    assert_int_equal(view.breaker, BREAKER_OPEN);
    assert_int_equal(view.retries, 2);
    silent.error = true;
    dependency_health_monitor_record(monitor, &silent, now(), &change);
    dependency_health_monitor_get(monitor, TEXT_OF("pg"), &view);
    assert_non_null(view.last_error.data);
    assert_text(view.last_error, "");
}

static void test_dependency_health_monitor__refuses_one_more_than_its_limit(void **state)
{
    (void)state;
    const char *names[] = {"a", "b", "c", "d", "a"};
    for (int i = 0; i < 5; i++) {
        request_event_t request = {.dependency = text_of(names[i])};
        dependency_change_t change;
        assert_int_equal(dependency_health_monitor_record(monitor, &request, now(), &change),
                         i == 3 ? STATUS_LIMIT : STATUS_OK);
    }
    dependency_config_t more = CONFIG;
    more.dependencies = 4;
    dependency_health_monitor_configure(monitor, &more);
    request_event_t request = {.dependency = TEXT_OF("d")};
    dependency_change_t change;
    assert_int_equal(dependency_health_monitor_record(monitor, &request, now(), &change),
                     STATUS_OK);
}

/* -- against a reference that keeps every outcome -- */

#define HISTORY 500

typedef struct {
    double latencies[HISTORY];
    bool failed[HISTORY];
    int count;
} history_t;

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static dependency_status_t reference_status(int failures, int count)
{
    if (count < 5)
        return DEPENDENCY_UNKNOWN;
    if (failures * 2 > count)
        return DEPENDENCY_UNHEALTHY;
    return failures * 10 > count ? DEPENDENCY_DEGRADED : DEPENDENCY_HEALTHY;
}

static void assert_view(const history_t *history, int window)
{
    int count = history->count < window ? history->count : window, failures = 0;
    double latencies[HISTORY];
    long double sum = 0;
    for (int i = 0; i < count; i++) {
        int at = history->count - count + i;
        failures += history->failed[at];
        sum += latencies[i] = history->latencies[at];
    }
    qsort(latencies, (size_t)count, sizeof *latencies, by_size);
    dependency_view_t view;
    assert_true(dependency_health_monitor_get(monitor, TEXT_OF("pg"), &view));
    assert_int_equal(view.failures, failures);
    assert_int_equal(view.successes, count - failures);
    assert_int_equal(view.status, reference_status(failures, count));
    assert_double(view.error_ratio, (double)failures / count, 0);
    assert_double(view.avg_latency, (double)(sum / count), 1e-12);
    assert_double(view.p95_latency, latencies[(count * 95 + 99) / 100 - 1], 0);
}

/* A reload with another window: the latest outcomes stay, what was driven out does not come back.
 */
static void reload(dice_t *dice, dependency_config_t *config, history_t *history)
{
    int old = (int)config->window, gone = history->count > old ? history->count - old : 0;
    memmove(history->latencies, history->latencies + gone,
            (HISTORY - (size_t)gone) * sizeof(double));
    memmove(history->failed, history->failed + gone, (HISTORY - (size_t)gone) * sizeof(bool));
    history->count -= gone;
    config->window = 5 + (uint32_t)dice_below(dice, 100);
    dependency_health_monitor_configure(monitor, config);
}

/* The share of errors drifts, so that both edges are met from both sides. */
static void equals_the_reference(dice_t *dice)
{
    history_t history = {.count = 0};
    dependency_config_t config = CONFIG;
    dependency_health_monitor_destroy(&monitor);
    monitor = dependency_health_monitor_new(&config);
    double share = dice_unit(dice);
    for (int step = 0; step < HISTORY; step++) {
        if (dice_chance(dice, 0.02))
            share = dice_chance(dice, 0.5) ? 0.1 : dice_chance(dice, 0.5) ? 0.5 : dice_unit(dice);
        if (dice_chance(dice, 0.005))
            reload(dice, &config, &history);
        int at = history.count++;
        history.failed[at] = dice_chance(dice, share);
        history.latencies[at] = dice_chance(dice, 0.5) ? 0.25 : dice_unit(dice);
        outcome(history.failed[at], history.latencies[at]);
        assert_view(&history, (int)config.window);
    }
}

static void test_dependency_health_monitor__equals_a_reference_that_keeps_all(void **state)
{
    (void)state;
    seeds_run(equals_the_reference);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_dependency_health_monitor__is_unknown_before_five_outcomes),
        TEST(test_dependency_health_monitor__exactly_ten_percent_is_still_healthy),
        TEST(test_dependency_health_monitor__exactly_ten_percent_of_few_is_healthy),
        TEST(test_dependency_health_monitor__exactly_fifty_percent_is_still_degraded),
        TEST(test_dependency_health_monitor__the_101st_outcome_drives_the_first_out),
        TEST(test_dependency_health_monitor__says_how_long_a_state_stood),
        TEST(test_dependency_health_monitor__keeps_the_last_error_and_the_breaker),
        TEST(test_dependency_health_monitor__refuses_one_more_than_its_limit),
        TEST(test_dependency_health_monitor__equals_a_reference_that_keeps_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
