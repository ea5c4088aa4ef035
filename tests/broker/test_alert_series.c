#include "broker/alert_series.h"
#include "tests/check.h"

#include <stdio.h>
#include <string.h>

static alert_series_t *series;
static char said[4096];

static void hear(void *context, const sample_t *sample)
{
    (void)context;
    size_t size = strlen(said);
    label_t label;
    assert_text(sample->name, "ALERTS");
    for (uint32_t at = 0; labels_next(sample->labels, &at, &label); size = strlen(said))
        snprintf(said + size, sizeof said - size, "%.*s ", (int)label.value.size, label.value.data);
    snprintf(said + size, sizeof said - size, "%s; ", isnan(sample->value) ? "gone" : "there");
}

static const sample_sink_t sink = {hear, NULL};

static int set_up(void **state)
{
    (void)state;
    series = alert_series_new();
    said[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    alert_series_destroy(&series);
    return 0;
}

static void tell(const char *policy, alert_state_t state, severity_t severity)
{
    alert_t alert = {.policy = text_of(policy), .state = state, .severity = severity};
    alert_series_tell(series, &alert, sink);
}

static void assert_said(const char *expected)
{
    alert_series_end(series, sink);
    assert_string_equal(said, expected);
    said[0] = '\0';
}

static void test_alert_series__an_alert_is_told_when_it_comes_and_when_it_goes(void **state)
{
    (void)state;
    tell("p", ALERT_FIRING, SEVERITY_HIGH);
    assert_said("p firing high there; ");
    tell("p", ALERT_FIRING, SEVERITY_HIGH);
    assert_said("");
    assert_said("p firing high gone; ");
    assert_said("");
}

static void test_alert_series__another_state_is_another_series(void **state)
{
    (void)state;
    tell("p", ALERT_PENDING, SEVERITY_LOW);
    assert_said("p pending low there; ");
    tell("p", ALERT_NO_DATA, SEVERITY_LOW);
    assert_said("p no_data low there; p pending low gone; ");
}

static void test_alert_series__alerts_of_one_policy_and_state_are_one_series(void **state)
{
    (void)state;
    tell("p", ALERT_FIRING, SEVERITY_LOW);
    tell("p", ALERT_FIRING, SEVERITY_LOW);
    assert_said("p firing low there; ");
    tell("p", ALERT_FIRING, SEVERITY_LOW); /* one of the two is left */
    assert_said("");
}

static void test_alert_series__there_is_room_for_more_than_at_first(void **state)
{
    (void)state;
    char policy[16];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++) {
            snprintf(policy, sizeof policy, "p%d", i);
            tell(policy, ALERT_FIRING, SEVERITY_LOW);
        }
        if (round == 0)
            assert_non_null(strstr(said, "p99 firing low there; "));
        else
            assert_string_equal(said, "");
        alert_series_end(series, sink);
        said[0] = '\0';
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_alert_series__an_alert_is_told_when_it_comes_and_when_it_goes),
        TEST(test_alert_series__another_state_is_another_series),
        TEST(test_alert_series__alerts_of_one_policy_and_state_are_one_series),
        TEST(test_alert_series__there_is_room_for_more_than_at_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
