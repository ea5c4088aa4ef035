#include "engines/observability/anomaly_detector.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

static anomaly_detector_t *detector;
static watch_t *watch;

static const anomaly_rule_t rule = {
    .kind = -1, .sensitivity = 3, .min_history = 10, .severity = SEVERITY_HIGH, .watch = true};

static void begin(const anomaly_rule_t *rules, size_t count)
{
    anomaly_watch_destroy(&watch);
    anomaly_detector_destroy(&detector);
    detector = anomaly_detector_new(rules, count, 42);
}

static int set_up(void **state)
{
    (void)state;
    begin(&rule, 1);
    watched_t what = {TEXT_OF("cpu"), LABELS_NONE, METRIC_GAUGE, 1};
    anomaly_detector_rule(detector, what, &watch);
    assert_non_null(watch);
    return 0;
}

static int tear_down(void **state)
{
    anomaly_watch_destroy(&watch);
    anomaly_detector_destroy(&detector);
    return seeds_teardown(state);
}

static episode_t take(double value, double wall_s)
{
    verdict_t verdict;
    return anomaly_watch_take(watch, value, (instant_t){0, wall_s}, &verdict);
}

static void take_alternating(int count)
{
    for (int i = 0; i < count; i++)
        take(i % 2 == 0 ? 9 : 11, i);
}

static anomaly_view_t view(void)
{
    anomaly_view_t answer;
    anomaly_watch_view(watch, &answer);
    return answer;
}

/* -- to the letter -- */

static void test_anomaly_detector__judges_nothing_before_ten_values(void **state)
{
    (void)state;
    take_alternating(9);
    assert_false(anomaly_watch_check(watch, 1e9).anomalous);
    assert_true(!isnan(anomaly_watch_check(watch, 1e9).score));
    take(10, 9);
    assert_true(anomaly_watch_check(watch, 1e9).anomalous);
}

static void test_anomaly_detector__exactly_three_deviations_is_not_anomalous(void **state)
{
    (void)state; /* 98 values at 1 from the mean and one on it: the deviation is exactly 1 */
    take_alternating(98);
    take(10, 98);
    assert_true(view().mean == 10 && view().stddev == 1);
    assert_false(anomaly_watch_check(watch, 13).anomalous);
    assert_false(anomaly_watch_check(watch, 7).anomalous);
    assert_true(anomaly_watch_check(watch, nextafter(13, 14)).anomalous);
    assert_true(anomaly_watch_check(watch, nextafter(7, 6)).anomalous);
    assert_true(anomaly_watch_check(watch, 14).score == 4);
    assert_true(anomaly_watch_check(watch, 6).score == -4);
}

static void test_anomaly_detector__a_tested_value_is_not_in_its_own_window(void **state)
{
    (void)state; /* else no score above 9.9 is possible among a hundred values */
    take_alternating(100);
    take(1e6, 100);
    assert_true(view().score > 1e5);
    assert_true(view().anomalous);
    assert_int_equal(view().history, 100);
    assert_true(view().mean > 1000); /* now it is */
}

static void test_anomaly_detector__with_no_deviation_any_other_value_is_anomalous(void **state)
{
    (void)state;
    for (int i = 0; i < 150; i++)
        assert_int_equal(take(0.1, i), EPISODE_NONE);
    assert_false(anomaly_watch_check(watch, 0.1).anomalous);
    verdict_t verdict = anomaly_watch_check(watch, nextafter(0.1, 1));
    assert_true(verdict.anomalous && isnan(verdict.score));
    assert_true(verdict.mean == 0.1 && verdict.stddev == 0);
    assert_int_equal(take(nextafter(0.1, 0), 150), EPISODE_BEGINS);
}

static void test_anomaly_detector__an_episode_begins_once_and_ends_once(void **state)
{
    (void)state;
    take_alternating(100);
    assert_int_equal(take(100, 200), EPISODE_BEGINS);
    assert_int_equal(take(200, 201), EPISODE_NONE);
    assert_true(view().anomalous);
    assert_double(view().since, 200, 0);
    assert_int_equal(take(10, 202), EPISODE_ENDS);
    assert_int_equal(take(10, 203), EPISODE_NONE);
    assert_double(view().since, 202, 0);
}

static void test_anomaly_detector__checking_adds_nothing(void **state)
{
    (void)state;
    take_alternating(50);
    anomaly_view_t before = view();
    for (int i = 0; i < 1000; i++)
        anomaly_watch_check(watch, i);
    anomaly_view_t after = view();
    assert_memory_equal(&before, &after, sizeof before);
}

static void test_anomaly_detector__knows_nothing_before_the_first_value(void **state)
{
    (void)state;
    anomaly_view_t answer = view();
    assert_int_equal(answer.history, 0);
    assert_true(isnan(answer.mean) && isnan(answer.stddev) && isnan(answer.last_value));
    assert_true(isnan(answer.score) && isnan(answer.since) && !answer.anomalous);
    assert_text(answer.mode, "gaussian");
    take(5, 77);
    assert_double(view().since, 77, 0);
    assert_int_equal(view().severity, SEVERITY_HIGH);
}

static void test_anomaly_detector__tells_what_took_values_once(void **state)
{
    (void)state;
    watch_t *other = NULL, *third = NULL;
    uint32_t number;
    double score;
    anomaly_detector_rule(detector, (watched_t){TEXT_OF("b"), LABELS_NONE, METRIC_GAUGE, 2},
                          &other);
    anomaly_detector_rule(detector, (watched_t){TEXT_OF("c"), LABELS_NONE, METRIC_GAUGE, 3},
                          &third);
    take_alternating(100);
    verdict_t verdict;
    anomaly_watch_take(other, 1, (instant_t){0, 0}, &verdict);
    anomaly_watch_take(third, 1, (instant_t){0, 0}, &verdict);
    take(12, 100);
    anomaly_watch_destroy(&other); /* it leaves the list as well */
    assert_true(anomaly_detector_changed(detector, &number, &score));
    assert_int_equal(number, 1);
    assert_double(score, view().score, 0);
    assert_true(anomaly_detector_changed(detector, &number, &score));
    assert_int_equal(number, 3);
    assert_true(isnan(score));
    assert_false(anomaly_detector_changed(detector, &number, &score));
    anomaly_watch_destroy(&third);
}

/* -- rules -- */

static void test_anomaly_detector__refuses_rules_out_of_range(void **state)
{
    (void)state;
    const struct {
        double sensitivity;
        status_t status;
    } cases[] = {{0.1, STATUS_OK},         {10, STATUS_OK},         {0.09, STATUS_BAD_VALUE},
                 {10.1, STATUS_BAD_VALUE}, {NAN, STATUS_BAD_VALUE}, {-3, STATUS_BAD_VALUE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        anomaly_rule_t changed = rule;
        changed.sensitivity = cases[i].sensitivity;
        assert_int_equal(anomaly_rule_check(&changed), cases[i].status);
    }
    anomaly_rule_t changed = rule;
    changed.min_history = 101;
    assert_int_equal(anomaly_rule_check(&changed), STATUS_BAD_VALUE);
}

static bool is_watched(text_t name, labels_t labels, metric_kind_t kind)
{
    watch_t *made = NULL;
    anomaly_detector_rule(detector, (watched_t){name, labels, kind, 1}, &made);
    bool is = made != NULL;
    anomaly_watch_destroy(&made);
    return is;
}

static void test_anomaly_detector__without_rules_every_gauge_but_our_own_is_watched(void **state)
{
    (void)state;
    begin(NULL, 0);
    assert_true(is_watched(TEXT_OF("cpu"), LABELS_NONE, METRIC_GAUGE));
    assert_false(is_watched(TEXT_OF("cpu"), LABELS_NONE, METRIC_COUNTER));
    assert_false(is_watched(TEXT_OF("cpu"), LABELS_NONE, METRIC_HISTOGRAM));
    assert_false(is_watched(TEXT_OF("tocsin_slo_burn_rate"), LABELS_NONE, METRIC_GAUGE));
    assert_false(is_watched(TEXT_OF("ALERTS"), LABELS_NONE, METRIC_GAUGE));
}

static void test_anomaly_detector__the_first_rule_that_matches_rules(void **state)
{
    (void)state;
    uint8_t one[LABELS_MAX_BYTES], two[LABELS_MAX_BYTES];
    label_t pairs[] = {{TEXT_OF("env"), TEXT_OF("test")}, {TEXT_OF("host"), TEXT_OF("a")}};
    labels_t test = labels_build(pairs, 1, one), both = labels_build(pairs, 2, two);
    anomaly_rule_t rules[3] = {rule, rule, rule};
    rules[0].labels = test;
    rules[0].watch = false;
    rules[1].name_glob = TEXT_OF("cpu*");
    rules[1].kind = METRIC_GAUGE;
    rules[1].sensitivity = 2.5;
    rules[2].name_glob = TEXT_OF("tocsin_slo_*");
    begin(rules, 3);
    assert_false(is_watched(TEXT_OF("cpu"), both, METRIC_GAUGE));
    assert_true(is_watched(TEXT_OF("cpu_user"), LABELS_NONE, METRIC_GAUGE));
    assert_false(is_watched(TEXT_OF("cpu_user"), LABELS_NONE, METRIC_COUNTER));
    assert_false(is_watched(TEXT_OF("mem"), LABELS_NONE, METRIC_GAUGE));
    assert_true(is_watched(TEXT_OF("tocsin_slo_burn_rate"), LABELS_NONE, METRIC_GAUGE));
}

static void test_anomaly_detector__a_score_has_no_score(void **state)
{
    (void)state;
    anomaly_rule_t all = rule;
    all.name_glob = TEXT_OF("tocsin_*");
    begin(&all, 1);
    assert_false(is_watched(TEXT_OF("tocsin_anomaly_score"), LABELS_NONE, METRIC_GAUGE));
}

static void test_anomaly_detector__a_new_rule_keeps_the_window(void **state)
{
    (void)state;
    take_alternating(100);
    anomaly_rule_t sharper = rule;
    sharper.sensitivity = 1.5;
    anomaly_detector_configure(detector, &sharper, 1);
    watched_t what = {TEXT_OF("cpu"), LABELS_NONE, METRIC_GAUGE, 1};
    anomaly_detector_rule(detector, what, &watch);
    assert_int_equal(view().history, 100);
    assert_true(view().sensitivity == 1.5);
    assert_true(anomaly_watch_check(watch, 12).anomalous);
    sharper.watch = false;
    anomaly_detector_configure(detector, &sharper, 1);
    anomaly_detector_rule(detector, what, &watch);
    assert_null(watch);
}

/* -- against a reference in long double -- */

#define HISTORY 600

/* Is the value outside? Too near to the edge for long double to say: neither. */
typedef enum { INSIDE, OUTSIDE, ON_THE_EDGE } place_t;

static place_t place_of(const double *values, int count, double value)
{
    int from = count > 100 ? count - 100 : 0, n = count - from;
    bool equal = true;
    long double sum = 0, squares = 0, rest = 0;
    for (int i = from; i < count; i++)
        sum += values[i];
    long double mean = sum / n;
    for (int i = from; i < count; i++) {
        long double away = values[i] - mean;
        squares += away * away;
        rest += away;
        equal = equal && values[i] == values[count - 1];
    }
    if (n < 10)
        return INSIDE;
    if (equal)
        return value == values[count - 1] ? INSIDE : OUTSIDE;
    long double deviation = sqrtl((squares - rest * rest / n) / (n - 1));
    long double distance = fabsl(value - mean), edge = 3 * deviation;
    if (fabsl(distance - edge) <= 1e-9L * edge)
        return ON_THE_EDGE;
    return distance > edge ? OUTSIDE : INSIDE;
}

static void judges_as_the_reference(dice_t *dice)
{
    double values[HISTORY];
    anomaly_watch_destroy(&watch);
    anomaly_detector_rule(detector, (watched_t){TEXT_OF("x"), LABELS_NONE, METRIC_GAUGE, 1},
                          &watch);
    shape_t shape = (shape_t)dice_below(dice, SHAPE_COUNT);
    bool was = false;
    for (int i = 0; i < HISTORY; i++) {
        if (dice_chance(dice, 0.005))
            shape = (shape_t)dice_below(dice, SHAPE_COUNT);
        values[i] = dice_value(dice, shape, (unsigned)i);
        place_t place = place_of(values, i, values[i]);
        episode_t episode = take(values[i], i);
        bool is = view().anomalous;
        if (place != ON_THE_EDGE)
            assert_int_equal(is, place == OUTSIDE);
        assert_int_equal(episode, is == was ? EPISODE_NONE : is ? EPISODE_BEGINS : EPISODE_ENDS);
        was = is;
    }
}

static void test_anomaly_detector__judges_as_a_long_double_reference(void **state)
{
    (void)state;
    seeds_run(judges_as_the_reference);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_anomaly_detector__judges_nothing_before_ten_values),
        TEST(test_anomaly_detector__exactly_three_deviations_is_not_anomalous),
        TEST(test_anomaly_detector__a_tested_value_is_not_in_its_own_window),
        TEST(test_anomaly_detector__with_no_deviation_any_other_value_is_anomalous),
        TEST(test_anomaly_detector__an_episode_begins_once_and_ends_once),
        TEST(test_anomaly_detector__checking_adds_nothing),
        TEST(test_anomaly_detector__knows_nothing_before_the_first_value),
        TEST(test_anomaly_detector__tells_what_took_values_once),
        TEST(test_anomaly_detector__refuses_rules_out_of_range),
        TEST(test_anomaly_detector__without_rules_every_gauge_but_our_own_is_watched),
        TEST(test_anomaly_detector__the_first_rule_that_matches_rules),
        TEST(test_anomaly_detector__a_score_has_no_score),
        TEST(test_anomaly_detector__a_new_rule_keeps_the_window),
        TEST(test_anomaly_detector__judges_as_a_long_double_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
