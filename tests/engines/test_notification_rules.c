#include "engines/operations/notification_rules.h"
#include "tests/check.h"

static notification_rules_t rules_of(int quiet_from, int quiet_to)
{
    return (notification_rules_t){.name = TEXT_OF("ops"),
                                  .severities = 1u << SEVERITY_CRITICAL | 1u << SEVERITY_HIGH,
                                  .backoff_first_s = 1,
                                  .backoff_most_s = 300,
                                  .quiet_from = quiet_from,
                                  .quiet_to = quiet_to};
}

static void test_notification_rules__quiet_hours_begin_with_their_first_minute(void **state)
{
    (void)state;
    notification_rules_t rules = rules_of(8 * 60, 17 * 60);
    assert_false(notification_rules_quiet(&rules, 8 * 60 - 1));
    assert_true(notification_rules_quiet(&rules, 8 * 60));
    assert_true(notification_rules_quiet(&rules, 17 * 60 - 1));
    assert_false(notification_rules_quiet(&rules, 17 * 60));
}

static void test_notification_rules__quiet_hours_may_cross_midnight(void **state)
{
    (void)state;
    notification_rules_t rules = rules_of(22 * 60, 7 * 60);
    assert_true(notification_rules_quiet(&rules, MINUTES_A_DAY - 1));
    assert_true(notification_rules_quiet(&rules, 0));
    assert_true(notification_rules_quiet(&rules, 7 * 60 - 1));
    assert_false(notification_rules_quiet(&rules, 7 * 60));
    assert_false(notification_rules_quiet(&rules, 22 * 60 - 1));
}

static void test_notification_rules__the_same_minute_twice_is_never_quiet(void **state)
{
    (void)state;
    notification_rules_t rules = rules_of(60, 60);
    for (int minute = 0; minute < MINUTES_A_DAY; minute++)
        assert_false(notification_rules_quiet(&rules, minute));
}

static void test_notification_rules__a_route_is_for_its_severities(void **state)
{
    (void)state;
    notification_rules_t rules = rules_of(0, 0);
    for (severity_t severity = 0; severity < SEVERITY_COUNT; severity++) {
        notice_t notice = {.alert = {.policy = TEXT_OF("cpu"), .severity = severity}};
        assert_int_equal(notification_rules_route(&rules, &notice), severity <= SEVERITY_HIGH);
    }
}

static void test_notification_rules__a_group_shares_the_labels_that_are_asked_for(void **state)
{
    (void)state;
    static const text_t by[] = {{"severity", 8}, {"zone", 4}, {"none", 4}, {"alertname", 9}};
    const label_t pairs[] = {{TEXT_OF("zone"), TEXT_OF("eu")}, {TEXT_OF("host"), TEXT_OF("a")}};
    uint8_t labels[LABELS_MAX_BYTES], group[LABELS_MAX_BYTES];
    notification_rules_t rules = rules_of(0, 0);
    rules.group_by = (texts_t){by, 4};
    alert_t alert = {.policy = TEXT_OF("cpu"),
                     .severity = SEVERITY_LOW,
                     .labels = labels_build(pairs, 2, labels)};
    labels_t found = notification_rules_group(&rules, &alert, group);
    assert_int_equal(found.count, 3);
    assert_text(labels_get(found, TEXT_OF("alertname")), "cpu");
    assert_text(labels_get(found, TEXT_OF("severity")), "low");
    assert_text(labels_get(found, TEXT_OF("zone")), "eu");
}

static void test_notification_rules__backoff_doubles_to_its_bound(void **state)
{
    (void)state;
    notification_rules_t rules = rules_of(0, 0);
    assert_double(notification_rules_backoff(&rules, 1, 0, 0), 1, 0);
    assert_double(notification_rules_backoff(&rules, 2, 0, 0), 2, 0);
    assert_double(notification_rules_backoff(&rules, 9, 0, 0), 256, 0);
    assert_double(notification_rules_backoff(&rules, 10, 0, 0), 300, 0);
    assert_double(notification_rules_backoff(&rules, UINT32_MAX, 0, 0), 300, 0);
}

static void test_notification_rules__chance_takes_away_up_to_a_half(void **state)
{
    (void)state;
    notification_rules_t rules = rules_of(0, 0);
    assert_double(notification_rules_backoff(&rules, 4, 1, 0), 4, 0);
    assert_double(notification_rules_backoff(&rules, 4, 0.5, 0), 6, 0);
}

static void test_notification_rules__a_receiver_may_ask_for_a_quarter_of_an_hour(void **state)
{
    (void)state;
    notification_rules_t rules = rules_of(0, 0);
    assert_double(notification_rules_backoff(&rules, 1, 0, 30), 30, 0);
    assert_double(notification_rules_backoff(&rules, 10, 0, 30), 300, 0);
    assert_double(notification_rules_backoff(&rules, 1, 0, 1e9), 900, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notification_rules__quiet_hours_begin_with_their_first_minute),
        cmocka_unit_test(test_notification_rules__quiet_hours_may_cross_midnight),
        cmocka_unit_test(test_notification_rules__the_same_minute_twice_is_never_quiet),
        cmocka_unit_test(test_notification_rules__a_route_is_for_its_severities),
        cmocka_unit_test(test_notification_rules__a_group_shares_the_labels_that_are_asked_for),
        cmocka_unit_test(test_notification_rules__backoff_doubles_to_its_bound),
        cmocka_unit_test(test_notification_rules__chance_takes_away_up_to_a_half),
        cmocka_unit_test(test_notification_rules__a_receiver_may_ask_for_a_quarter_of_an_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
