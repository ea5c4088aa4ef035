#include "engines/operations/notification_dispatcher.h"
#include "tests/check.h"

#include <stdio.h>
#include <string.h>

/*  A story: verbs in, timed lines out. One channel "ops" unless said otherwise; what the sink heard
 * is kept as the store would keep it, so that a crash can be played. */
#define ROWS_MAX 4096u

typedef struct {
    notice_t notice;
    char channel[32], policy[64];
    uint8_t labels[256];
    bool there;
} row_t;

static struct {
    notification_dispatcher_t *dispatcher;
    notification_rules_t rules[2];
    size_t rule_count;
    instant_t now;
    outcome_t outcome;
    double retry_after_s;
    char text[8192];
    char last_key[64];
    row_t rows[ROWS_MAX];
    uint64_t tries, letters;
} story;

static row_t *find_row(text_t channel, uint64_t alert)
{
    for (size_t i = 0; i < ROWS_MAX; i++)
        if (story.rows[i].there && story.rows[i].notice.alert_id == alert &&
            text_equal(story.rows[i].notice.channel, channel))
            return &story.rows[i];
    return NULL;
}

static void keep_effect(void *context, const notice_effect_t *effect)
{
    (void)context;
    row_t *row = find_row(effect->channel, effect->alert);
    assert_non_null(row);
    if (effect->type == NOTICE_TRIED) {
        row->notice.may_know = true;
        if (isnan(row->notice.tried_at))
            row->notice.tried_at = story.now.wall_s;
    } else if (effect->type == NOTICE_MISSED) {
        row->notice.may_know = false;
    } else if (effect->type == NOTICE_TOLD) {
        row->notice.told = effect->told;
        row->notice.told_at = story.now.wall_s;
        row->notice.tried_at = (double)NAN;
    } else {
        row->there = effect->revision != row->notice.revision;
    }
}

static void begin(void)
{
    story.dispatcher = notification_dispatcher_new(7, (notice_sink_t){keep_effect, NULL});
    notification_dispatcher_configure(story.dispatcher, story.rules, story.rule_count, story.now);
}

static int set_up(void **state)
{
    (void)state;
    static const text_t by_name[] = {{"alertname", 9}};
    memset(&story, 0, sizeof story);
    story.now = (instant_t){1000 * NS_PER_S, 50000};
    story.rules[0] = (notification_rules_t){.name = TEXT_OF("ops"),
                                            .severities = 0xf,
                                            .group_by = {by_name, 1},
                                            .repeat_interval_s = 14400,
                                            .backoff_first_s = 1,
                                            .backoff_most_s = 300,
                                            .give_up_s = 86400};
    story.rule_count = 1;
    begin();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    notification_dispatcher_destroy(&story.dispatcher);
    return 0;
}

static void say(const char *line)
{
    size_t used = strlen(story.text);
    snprintf(story.text + used, sizeof story.text - used, "%s\n", line);
}

static void tell(const notification_t *notification)
{
    char line[2048];
    snprintf(line, sizeof line, "%.0f %.*s %s:", story.now.wall_s - 50000,
             (int)notification->channel.size, notification->channel.data,
             notification_reason_words[notification->reason]);
    for (uint32_t i = 0; i < notification->notice_count && i < 8; i++) {
        size_t used = strlen(line);
        snprintf(line + used, sizeof line - used, " %d=%s", (int)notification->notices[i].alert_id,
                 alert_state_words[notification->notices[i].alert.state]);
    }
    say(line);
    snprintf(story.last_key, sizeof story.last_key, "%.*s", (int)notification->key.size,
             notification->key.data);
    story.tries++;
}

/*  Everything that is due now, with the outcome of the day. */
static void turn(void)
{
    const notification_t *notification;
    while ((notification = notification_dispatcher_next(story.dispatcher, story.now)) != NULL) {
        tell(notification);
        if (notification_dispatcher_finish(story.dispatcher, notification->channel, story.outcome,
                                           story.retry_after_s, 0, story.now)) {
            say("dead letter");
            story.letters++;
        }
    }
}

static void pass(double seconds)
{
    int64_t end = story.now.mono_ns + (int64_t)(seconds * 1e9);
    turn();
    for (;;) {
        int64_t next = notification_dispatcher_deadline(story.dispatcher, story.now);
        if (next > end)
            break;
        story.now.wall_s += (double)(next - story.now.mono_ns) / 1e9;
        story.now.mono_ns = next;
        turn();
    }
    story.now.wall_s += (double)(end - story.now.mono_ns) / 1e9;
    story.now.mono_ns = end;
}

static void expect(const char *text)
{
    if (strcmp(story.text, text) != 0)
        fail_msg("it went\n%sand should have gone\n%s", story.text, text);
    story.text[0] = '\0';
}

static row_t *free_row(void)
{
    size_t i = 0;
    while (story.rows[i].there)
        i++;
    assert_true(i < ROWS_MAX);
    return &story.rows[i];
}

static void change_on(const char *channel, uint64_t alert, const char *policy,
                      alert_state_t alert_state, severity_t severity)
{
    row_t *row = find_row(text_of(channel), alert);
    if (row == NULL) {
        row = free_row();
        snprintf(row->channel, sizeof row->channel, "%s", channel);
        snprintf(row->policy, sizeof row->policy, "%s", policy);
        schema_defaults(&notice_schema, &row->notice);
        row->notice.channel = text_of(row->channel);
        row->notice.alert_id = row->notice.alert.id = alert;
        row->notice.alert.policy = text_of(row->policy);
        row->there = true;
    }
    row->notice.alert.state = alert_state;
    row->notice.alert.severity = severity;
    row->notice.revision++;
    notification_dispatcher_take(story.dispatcher, &row->notice, story.now);
}

static void change(uint64_t alert, const char *policy, alert_state_t alert_state)
{
    change_on("ops", alert, policy, alert_state, SEVERITY_CRITICAL);
}

static void fire(uint64_t alert, const char *policy)
{
    change(alert, policy, ALERT_FIRING);
}

static void resolve(uint64_t alert, const char *policy)
{
    change(alert, policy, ALERT_RESOLVED);
}

static void silence(uint64_t alert, bool silenced)
{
    static const text_t silences[] = {{"SIL-1", 5}};
    row_t *row = find_row(TEXT_OF("ops"), alert);
    row->notice.alert.silenced_by = (texts_t){silences, silenced ? 1 : 0};
    row->notice.revision++;
    notification_dispatcher_take(story.dispatcher, &row->notice, story.now);
}

/*  The process dies here and comes back: only what the sink heard is left. */
static void crash(void)
{
    notification_dispatcher_destroy(&story.dispatcher);
    story.now.mono_ns = 5 * NS_PER_S; /* another boot, another monotonic clock */
    begin();
    for (size_t i = 0; i < ROWS_MAX; i++)
        if (story.rows[i].there)
            notification_dispatcher_take(story.dispatcher, &story.rows[i].notice, story.now);
}

static void test_notification_dispatcher__firing_is_told_once_and_so_is_its_end(void **state)
{
    (void)state;
    fire(1, "cpu");
    pass(60);
    resolve(1, "cpu");
    pass(60);
    expect("0 ops first notification: 1=firing\n60 ops all alerts resolved: 1=resolved\n");
    assert_null(find_row(TEXT_OF("ops"), 1));
}

static void test_notification_dispatcher__what_came_and_went_unseen_is_not_mentioned(void **state)
{
    (void)state;
    story.rules[0].group_wait_s = 30;
    notification_dispatcher_configure(story.dispatcher, story.rules, 1, story.now);
    fire(1, "cpu");
    pass(10);
    resolve(1, "cpu");
    pass(100);
    expect("");
    assert_null(find_row(TEXT_OF("ops"), 1));
}

static void test_notification_dispatcher__a_group_waits_and_gathers(void **state)
{
    (void)state;
    story.rules[0].group_wait_s = 30;
    story.rules[0].group_interval_s = 300;
    notification_dispatcher_configure(story.dispatcher, story.rules, 1, story.now);
    fire(1, "cpu");
    pass(10);
    fire(2, "cpu");
    fire(3, "disk");
    pass(40);
    fire(4, "cpu");
    pass(10);
    resolve(1, "cpu");
    pass(400);
    expect("30 ops first notification: 1=firing 2=firing\n"
           "40 ops first notification: 3=firing\n"
           "330 ops new alerts added: 4=firing 1=resolved 2=firing\n");
}

static void test_notification_dispatcher__some_are_resolved_then_all(void **state)
{
    (void)state;
    fire(1, "cpu");
    fire(2, "cpu");
    pass(10);
    resolve(2, "cpu");
    pass(10);
    resolve(1, "cpu");
    pass(10);
    expect("0 ops first notification: 1=firing 2=firing\n"
           "10 ops some alerts resolved: 2=resolved 1=firing\n"
           "20 ops all alerts resolved: 1=resolved\n");
}

static void test_notification_dispatcher__repeats_until_somebody_acknowledges(void **state)
{
    (void)state;
    fire(1, "cpu");
    pass(30000);
    change(1, "cpu", ALERT_ACKNOWLEDGED);
    pass(100000);
    expect("0 ops first notification: 1=firing\n"
           "14400 ops repeat interval elapsed: 1=firing\n"
           "28800 ops repeat interval elapsed: 1=firing\n");
}

static void test_notification_dispatcher__an_acknowledgement_is_told_to_who_wants_it(void **state)
{
    (void)state;
    story.rules[0].tells_acknowledged = story.rules[0].one_each = true;
    notification_dispatcher_configure(story.dispatcher, story.rules, 1, story.now);
    fire(1, "cpu");
    fire(2, "cpu");
    pass(5);
    change(1, "cpu", ALERT_ACKNOWLEDGED);
    pass(5);
    resolve(1, "cpu");
    pass(5);
    expect("0 ops first notification: 1=firing\n"
           "0 ops first notification: 2=firing\n"
           "5 ops alerts acknowledged: 1=acknowledged\n"
           "10 ops all alerts resolved: 1=resolved\n");
}

static void
test_notification_dispatcher__what_is_silenced_is_not_told_until_it_is_no_more(void **state)
{
    (void)state;
    story.rules[0].group_wait_s = 1;
    notification_dispatcher_configure(story.dispatcher, story.rules, 1, story.now);
    fire(1, "cpu");
    silence(1, true);
    pass(100);
    silence(1, false);
    pass(100);
    expect("101 ops first notification: 1=firing\n");
}

static void
test_notification_dispatcher__who_saw_it_fire_hears_its_end_though_silenced(void **state)
{
    (void)state;
    fire(1, "cpu");
    pass(5);
    silence(1, true);
    pass(20000);
    resolve(1, "cpu");
    pass(5);
    expect("0 ops first notification: 1=firing\n20005 ops all alerts resolved: 1=resolved\n");
}

static void test_notification_dispatcher__only_the_severities_asked_for_are_told(void **state)
{
    (void)state;
    story.rules[0].severities = 1u << SEVERITY_CRITICAL;
    notification_dispatcher_configure(story.dispatcher, story.rules, 1, story.now);
    change_on("ops", 1, "cpu", ALERT_FIRING, SEVERITY_LOW);
    change_on("ops", 2, "cpu", ALERT_FIRING, SEVERITY_CRITICAL);
    pass(5);
    expect("0 ops first notification: 2=firing\n");
}

static void test_notification_dispatcher__quiet_hours_hold_back_what_can_wait(void **state)
{
    (void)state;
    story.rules[0].quiet_from = 22 * 60;
    story.rules[0].quiet_to = 7 * 60;
    story.rules[0].quiet_severities = 1u << SEVERITY_LOW | 1u << SEVERITY_MEDIUM;
    notification_dispatcher_set_minute(story.dispatcher, 23 * 60);
    notification_dispatcher_configure(story.dispatcher, story.rules, 1, story.now);
    change_on("ops", 1, "cpu", ALERT_FIRING, SEVERITY_LOW);
    change_on("ops", 2, "disk", ALERT_FIRING, SEVERITY_HIGH);
    pass(600);
    notification_dispatcher_set_minute(story.dispatcher, 7 * 60);
    pass(5);
    expect("0 ops first notification: 2=firing\n600 ops first notification: 1=firing\n");
}

static void test_notification_dispatcher__failures_wait_longer_each_time(void **state)
{
    (void)state;
    story.outcome = OUTCOME_FAILED;
    fire(1, "cpu");
    pass(20);
    expect("0 ops first notification: 1=firing\n1 ops first notification: 1=firing\n"
           "3 ops first notification: 1=firing\n7 ops first notification: 1=firing\n"
           "15 ops first notification: 1=firing\n");
    pass(86000);
    assert_true(story.tries > 280 && story.tries < 300); /* every 300 s at last */
}

static void test_notification_dispatcher__the_key_is_the_same_for_every_try(void **state)
{
    (void)state;
    char key[64];
    story.outcome = OUTCOME_FAILED;
    fire(1, "cpu");
    pass(0);
    memcpy(key, story.last_key, sizeof key);
    pass(1000);
    assert_string_equal(key, story.last_key);
    crash();
    pass(10);
    assert_string_equal(key, story.last_key);
    story.outcome = OUTCOME_DELIVERED;
    pass(400);
    assert_string_equal(key, story.last_key);
    pass(14400);
    assert_string_not_equal(key, story.last_key);
}

static void test_notification_dispatcher__a_receiver_names_its_time_within_reason(void **state)
{
    (void)state;
    story.outcome = OUTCOME_FAILED;
    story.retry_after_s = 60;
    fire(1, "cpu");
    pass(61);
    story.retry_after_s = 1e7;
    pass(120);
    pass(1000);
    expect("0 ops first notification: 1=firing\n60 ops first notification: 1=firing\n"
           "120 ops first notification: 1=firing\n1020 ops first notification: 1=firing\n");
}

static void test_notification_dispatcher__after_a_day_of_failures_it_is_a_dead_letter(void **state)
{
    (void)state;
    story.outcome = OUTCOME_FAILED;
    fire(1, "cpu");
    pass(86300);
    assert_int_equal(story.letters, 0);
    pass(700);
    assert_int_equal(story.letters, 1);
    story.text[0] = '\0';
    story.outcome = OUTCOME_DELIVERED;
    pass(1000);
    expect("");
    resolve(1, "cpu"); /* it may have seen it fire all the same */
    pass(1);
    expect("88000 ops all alerts resolved: 1=resolved\n");
}

static void test_notification_dispatcher__a_refusal_is_not_repeated(void **state)
{
    (void)state;
    channel_health_t health;
    story.outcome = OUTCOME_REFUSED;
    fire(1, "cpu");
    pass(1000);
    expect("0 ops first notification: 1=firing\ndead letter\n");
    assert_true(notification_dispatcher_health(story.dispatcher, TEXT_OF("ops"), &health));
    assert_true(health.failing);
    assert_int_equal(health.given_up, 1);
    story.outcome = OUTCOME_DELIVERED;
    fire(2, "disk");
    pass(1);
    assert_true(notification_dispatcher_health(story.dispatcher, TEXT_OF("ops"), &health));
    assert_false(health.failing);
}

static void test_notification_dispatcher__an_outage_leaves_only_what_still_is(void **state)
{
    (void)state;
    story.outcome = OUTCOME_UNREACHED;
    for (uint64_t i = 1; i <= 2000; i++)
        fire(i, i % 2 == 0 ? "cpu" : "disk");
    pass(3600);
    for (uint64_t i = 1; i <= 1990; i++)
        resolve(i, i % 2 == 0 ? "cpu" : "disk");
    pass(3600);
    story.text[0] = '\0';
    story.outcome = OUTCOME_DELIVERED;
    pass(600);
    for (const char *line = story.text; *line != '\0'; line = strchr(line, '\n') + 1)
        assert_non_null(strstr(line, "first notification:"));
    assert_null(strstr(story.text, "resolved"));
    assert_non_null(strstr(story.text, "1992=firing"));
    size_t rows = 0;
    for (size_t i = 0; i < ROWS_MAX; i++)
        rows += story.rows[i].there;
    assert_int_equal(rows, 10);
}

static void test_notification_dispatcher__an_end_is_owed_to_who_may_have_seen_it(void **state)
{
    (void)state;
    story.outcome = OUTCOME_FAILED; /* an answer of 500, or none: who knows */
    fire(1, "cpu");
    pass(0);
    resolve(1, "cpu");
    story.outcome = OUTCOME_DELIVERED;
    pass(10);
    expect("0 ops first notification: 1=firing\n1 ops all alerts resolved: 1=resolved\n");
}

static void
test_notification_dispatcher__a_crash_between_sending_and_noting_owes_the_end(void **state)
{
    (void)state;
    fire(1, "cpu");
    tell(notification_dispatcher_next(story.dispatcher, story.now)); /* sent, never noted */
    crash();
    resolve(1, "cpu");
    pass(10);
    expect("0 ops first notification: 1=firing\n0 ops all alerts resolved: 1=resolved\n");
}

static void test_notification_dispatcher__a_restart_tells_nothing_twice(void **state)
{
    (void)state;
    fire(1, "cpu");
    pass(14000);
    crash();
    pass(500);
    expect("0 ops first notification: 1=firing\n14400 ops repeat interval elapsed: 1=firing\n");
}

static void test_notification_dispatcher__a_dead_channel_delays_no_other(void **state)
{
    (void)state;
    story.rules[1] = story.rules[0];
    story.rules[1].name = TEXT_OF("dead");
    story.rule_count = 2;
    notification_dispatcher_configure(story.dispatcher, story.rules, 2, story.now);
    change_on("dead", 1, "cpu", ALERT_FIRING, SEVERITY_HIGH);
    tell(notification_dispatcher_next(story.dispatcher, story.now)); /* and no end of it */
    fire(1, "cpu");
    pass(1);
    expect("0 dead first notification: 1=firing\n0 ops first notification: 1=firing\n");
}

static void test_notification_dispatcher__one_bad_message_does_not_hold_up_the_rest(void **state)
{
    (void)state;
    story.outcome = OUTCOME_FAILED;
    fire(1, "bad");
    pass(0);
    fire(2, "cpu");
    fire(3, "disk");
    story.outcome = OUTCOME_DELIVERED;
    pass(1);
    expect("0 ops first notification: 1=firing\n1 ops first notification: 2=firing\n"
           "1 ops first notification: 3=firing\n1 ops first notification: 1=firing\n");
}

static void test_notification_dispatcher__a_channel_is_not_told_that_it_fails_itself(void **state)
{
    (void)state;
    static const label_t pairs[] = {{{"channel", 7}, {"ops", 3}}};
    row_t *row = free_row();
    schema_defaults(&notice_schema, &row->notice);
    row->there = true;
    row->notice.channel = TEXT_OF("ops");
    row->notice.alert_id = 1;
    row->notice.revision = 1;
    row->notice.alert.policy = TEXT_OF(NOTIFICATION_FAILING_POLICY);
    row->notice.alert.state = ALERT_FIRING;
    row->notice.alert.labels = labels_build(pairs, 1, row->labels);
    notification_dispatcher_take(story.dispatcher, &row->notice, story.now);
    pass(10);
    expect("");
    story.rules[0].name = TEXT_OF("other");
    notification_dispatcher_configure(story.dispatcher, story.rules, 1, story.now);
    row->notice.channel = TEXT_OF("other");
    notification_dispatcher_take(story.dispatcher, &row->notice, story.now);
    pass(10);
    expect("10 other first notification: 1=firing\n");
}

static void test_notification_dispatcher__more_than_fits_follows_at_once(void **state)
{
    (void)state;
    story.rules[0].group_interval_s = 300;
    notification_dispatcher_configure(story.dispatcher, story.rules, 1, story.now);
    for (uint64_t i = 1; i <= 1200; i++)
        fire(i, "cpu");
    pass(1);
    assert_int_equal(story.tries, 3);
}

static void test_notification_dispatcher__a_channel_that_comes_back_finds_its_notices(void **state)
{
    (void)state;
    notification_dispatcher_configure(story.dispatcher, story.rules, 0, story.now);
    fire(1, "cpu");
    pass(10);
    notification_dispatcher_configure(story.dispatcher, story.rules, 1, story.now);
    pass(10);
    expect("10 ops first notification: 1=firing\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_notification_dispatcher__firing_is_told_once_and_so_is_its_end),
        TEST(test_notification_dispatcher__what_came_and_went_unseen_is_not_mentioned),
        TEST(test_notification_dispatcher__a_group_waits_and_gathers),
        TEST(test_notification_dispatcher__some_are_resolved_then_all),
        TEST(test_notification_dispatcher__repeats_until_somebody_acknowledges),
        TEST(test_notification_dispatcher__an_acknowledgement_is_told_to_who_wants_it),
        TEST(test_notification_dispatcher__what_is_silenced_is_not_told_until_it_is_no_more),
        TEST(test_notification_dispatcher__who_saw_it_fire_hears_its_end_though_silenced),
        TEST(test_notification_dispatcher__only_the_severities_asked_for_are_told),
        TEST(test_notification_dispatcher__quiet_hours_hold_back_what_can_wait),
        TEST(test_notification_dispatcher__failures_wait_longer_each_time),
        TEST(test_notification_dispatcher__the_key_is_the_same_for_every_try),
        TEST(test_notification_dispatcher__a_receiver_names_its_time_within_reason),
        TEST(test_notification_dispatcher__after_a_day_of_failures_it_is_a_dead_letter),
        TEST(test_notification_dispatcher__a_refusal_is_not_repeated),
        TEST(test_notification_dispatcher__an_outage_leaves_only_what_still_is),
        TEST(test_notification_dispatcher__an_end_is_owed_to_who_may_have_seen_it),
        TEST(test_notification_dispatcher__a_crash_between_sending_and_noting_owes_the_end),
        TEST(test_notification_dispatcher__a_restart_tells_nothing_twice),
        TEST(test_notification_dispatcher__a_dead_channel_delays_no_other),
        TEST(test_notification_dispatcher__one_bad_message_does_not_hold_up_the_rest),
        TEST(test_notification_dispatcher__a_channel_is_not_told_that_it_fails_itself),
        TEST(test_notification_dispatcher__more_than_fits_follows_at_once),
        TEST(test_notification_dispatcher__a_channel_that_comes_back_finds_its_notices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
