#include "broker/config_tables.h"
#include "broker/notifier_body.h"
#include "tests/check.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/*  Two alerts of one policy, one over; the message tries to break out of every format. */
static uint8_t labels_bytes[2][256], group_bytes[64];
static notice_t notices[2];

static notification_t sample(void)
{
    static const label_t hosts[2][2] = {{{{"host", 4}, {"a", 1}}, {{"zone", 4}, {"eu", 2}}},
                                        {{{"host", 4}, {"b", 1}}, {{"zone", 4}, {"eu", 2}}}};
    static const label_t group[] = {{{"alertname", 9}, {"cpu", 3}}};
    for (size_t i = 0; i < 2; i++) {
        schema_defaults(&notice_schema, &notices[i]);
        notices[i].alert_id = i + 1;
        notices[i].alert.policy = TEXT_OF("cpu");
        notices[i].alert.severity = i == 0 ? SEVERITY_HIGH : SEVERITY_LOW;
        notices[i].alert.state = i == 0 ? ALERT_FIRING : ALERT_RESOLVED;
        notices[i].alert.labels = labels_build(hosts[i], 2, labels_bytes[i]);
        notices[i].alert.fingerprint = 0xabc + i;
        notices[i].alert.fired_at = 1700000000.25;
        notices[i].alert.resolved_at = i == 0 ? (double)NAN : 1700000060;
        notices[i].alert.value = i == 0 ? 93.5 : (double)NAN;
        notices[i].alert.message = TEXT_OF("\"hot\" <b>&\r\n${x}");
        notices[i].description = TEXT_OF("é");
    }
    return (notification_t){.channel = TEXT_OF("ops"),
                            .key = TEXT_OF("0123"),
                            .reason = REASON_SOME_RESOLVED,
                            .group = labels_build(group, 1, group_bytes),
                            .notices = notices,
                            .notice_count = 2};
}

static channel_t channel_of(const char *type)
{
    channel_t channel;
    schema_defaults(&channel_schema, &channel);
    channel.name = TEXT_OF("ops");
    channel.type = text_of(type);
    return channel;
}

/*  The body is this JSON; both are written out when it is not. */
static void expect_json(const char *type, const notification_t *notification, const char *golden)
{
    channel_t channel = channel_of(type);
    json_error_t error;
    char *body = body_json(&channel, notification, 1700000100, "KEY", "tocsin/here");
    json_t *actual = json_loads(body, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(actual);
    json_t *expected = json_loads(golden, 0, &error);
    if (expected == NULL)
        fail_msg("golden: %s at %d", error.text, error.position);
    if (!json_equal(actual, expected))
        fail_msg("it is\n%s\nand should be\n%s", body, golden);
    json_decref(actual);
    json_decref(expected);
    free(body);
}

#define ALERT_A                                                                                    \
    "\"labels\": {\"alertname\": \"cpu\", \"severity\": \"high\", \"host\": \"a\", \"zone\": "     \
    "\"eu\"}, \"annotations\": {\"summary\": \"\\\"hot\\\" <b>&\\r\\n${x}\", \"description\": "    \
    "\"é\", \"alert\": \"ALT-1\", \"value\": \"93.5\"}, \"startsAt\": "                           \
    "\"2023-11-14T22:13:20.250Z\""
#define ALERT_B                                                                                    \
    "\"labels\": {\"alertname\": \"cpu\", \"severity\": \"low\", \"host\": \"b\", \"zone\": "      \
    "\"eu\"}, \"annotations\": {\"summary\": \"\\\"hot\\\" <b>&\\r\\n${x}\", \"description\": "    \
    "\"é\", \"alert\": \"ALT-2\"}, \"startsAt\": \"2023-11-14T22:13:20.250Z\""

static void test_notifier_body__a_webhook_is_version_4_of_alertmanagers(void **state)
{
    (void)state;
    notification_t notification = sample();
    expect_json(
        "webhook", &notification,
        "{\"version\": \"4\", \"groupKey\": \"{}:{alertname=\\\"cpu\\\"}\", \"truncatedAlerts\": "
        "0, \"status\": \"firing\", \"receiver\": \"ops\", \"groupLabels\": {\"alertname\": "
        "\"cpu\"}, \"commonLabels\": {\"alertname\": \"cpu\", \"zone\": \"eu\"}, "
        "\"commonAnnotations\": {\"summary\": \"\\\"hot\\\" <b>&\\r\\n${x}\", \"description\": "
        "\"é\"}, \"externalURL\": \"\", \"notification_reason\": \"some alerts resolved\", "
        "\"alerts\": [{\"status\": \"firing\", " ALERT_A
        ", \"endsAt\": \"0001-01-01T00:00:00Z\", \"generatorURL\": \"\", \"fingerprint\": "
        "\"0000000000000abc\"}, {\"status\": \"resolved\", " ALERT_B
        ", \"endsAt\": \"2023-11-14T22:14:20.000Z\", \"generatorURL\": \"\", \"fingerprint\": "
        "\"0000000000000abd\"}]}");
}

static void test_notifier_body__an_alertmanager_is_told_when_each_alert_ends(void **state)
{
    (void)state;
    notification_t notification = sample();
    expect_json("alertmanager", &notification,
                "[{" ALERT_A ", \"endsAt\": \"2023-11-14T22:20:00.000Z\"}, {" ALERT_B
                ", \"endsAt\": \"2023-11-14T22:14:20.000Z\"}]");
}

static void test_notifier_body__slack_takes_text_for_text(void **state)
{
    (void)state;
    notification_t notification = sample();
    expect_json("slack", &notification,
                "{\"text\": \"[FIRING] cpu (high), 2 alerts\", \"attachments\": [{\"color\": "
                "\"danger\", \"title\": \"[FIRING] cpu (high), 2 alerts\", \"fallback\": "
                "\"[FIRING] cpu (high), 2 alerts\", \"footer\": \"some alerts resolved\", "
                "\"text\": \"firing ALT-1 high cpu: \\\"hot\\\" &lt;b&gt;&amp;\\r\\n${x} {host=a, "
                "zone=eu} = 93.5\\nresolved ALT-2 low cpu: \\\"hot\\\" &lt;b&gt;&amp;\\r\\n${x} "
                "{host=b, zone=eu}\"}]}");
}

static void test_notifier_body__pagerduty_has_one_key_for_an_alert(void **state)
{
    (void)state;
    notification_t notification = sample();
    notification.notice_count = 1;
    notices[0].alert.message = TEXT_OF("busy");
    expect_json("pagerduty", &notification,
                "{\"routing_key\": \"KEY\", \"event_action\": \"trigger\", \"dedup_key\": "
                "\"0000000000000abc\", \"client\": \"tocsin\", \"payload\": {\"summary\": "
                "\"[FIRING] cpu (high): busy\", \"source\": \"tocsin/here\", \"severity\": "
                "\"error\", \"timestamp\": \"2023-11-14T22:13:20.250Z\", \"class\": \"cpu\", "
                "\"custom_details\": {\"summary\": \"busy\", \"description\": \"é\", \"alert\": "
                "\"ALT-1\", \"value\": \"93.5\", \"labels\": {\"alertname\": \"cpu\", "
                "\"severity\": \"high\", \"host\": \"a\", \"zone\": \"eu\"}}}}");
}

static void test_notifier_body__pagerduty_hears_of_acknowledgement_and_end(void **state)
{
    (void)state;
    channel_t channel = channel_of("pagerduty");
    notification_t notification = sample();
    notification.notice_count = 1;
    notices[0].alert.state = ALERT_ACKNOWLEDGED;
    char *body = body_json(&channel, &notification, 0, "KEY", "here");
    assert_non_null(strstr(body, "\"event_action\":\"acknowledge\""));
    free(body);
    notices[0].alert.state = ALERT_RESOLVED;
    body = body_json(&channel, &notification, 0, "KEY", "here");
    assert_non_null(strstr(body, "\"event_action\":\"resolve\""));
    free(body);
}

static void test_notifier_body__a_subject_stays_one_line(void **state)
{
    (void)state;
    channel_t channel = channel_of("email");
    notification_t notification = sample();
    body_mail_t mail;
    notification.notice_count = 1;
    notices[0].alert.message = TEXT_OF("a\r\nBcc: everybody");
    body_mail(&channel, &notification, &mail);
    assert_string_equal(mail.subject, "Subject: [FIRING] cpu (high): a  Bcc: everybody");
    body_mail_free(&mail);
}

static void test_notifier_body__a_subject_in_other_letters_is_encoded_word_by_word(void **state)
{
    (void)state;
    channel_t channel = channel_of("email");
    notification_t notification = sample();
    body_mail_t mail;
    channel.title = TEXT_OF("ééééééééééééééééééééééé über ${alertname}");
    body_mail(&channel, &notification, &mail);
    assert_string_equal(
        mail.subject,
        "Subject: =?UTF-8?B?w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOp?="
        "\r\n =?UTF-8?B?w6nDqSDDvGJlciBjcHU=?=");
    body_mail_free(&mail);
}

static void test_notifier_body__html_takes_text_for_text(void **state)
{
    (void)state;
    channel_t channel = channel_of("email");
    notification_t notification = sample();
    body_mail_t mail;
    body_mail(&channel, &notification, &mail);
    assert_non_null(strstr(mail.html, "&quot;hot&quot; &lt;b&gt;&amp;"));
    assert_null(strstr(mail.html, "<b>"));
    assert_non_null(strstr(mail.plain, "\"hot\" <b>&"));
    body_mail_free(&mail);
}

static void test_notifier_body__a_template_that_cannot_be_expanded_has_a_plain_one(void **state)
{
    (void)state;
    channel_t channel = channel_of("slack");
    notification_t notification = sample();
    notification.notice_count = 1;
    channel.title = TEXT_OF("${labels.host} is ${status} ${labels.none}!");
    channel.text = TEXT_OF("${nonsense}");
    char *body = body_json(&channel, &notification, 0, NULL, "here");
    assert_non_null(strstr(body, "\"title\":\"a is firing !\""));
    assert_non_null(strstr(body, "firing ALT-1 high cpu"));
    free(body);
}

static void test_notifier_body__names_that_alertmanager_refuses_are_made_plain(void **state)
{
    (void)state;
    static const label_t odd[] = {{{"1st.zone-é", 11}, {"x", 1}}};
    channel_t channel = channel_of("alertmanager");
    notification_t notification = sample();
    notices[0].alert.labels = labels_build(odd, 1, labels_bytes[0]);
    char *body = body_json(&channel, &notification, 0, NULL, "here");
    assert_non_null(strstr(body, "\"_1st_zone___\":\"x\""));
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notifier_body__a_webhook_is_version_4_of_alertmanagers),
        cmocka_unit_test(test_notifier_body__an_alertmanager_is_told_when_each_alert_ends),
        cmocka_unit_test(test_notifier_body__slack_takes_text_for_text),
        cmocka_unit_test(test_notifier_body__pagerduty_has_one_key_for_an_alert),
        cmocka_unit_test(test_notifier_body__pagerduty_hears_of_acknowledgement_and_end),
        cmocka_unit_test(test_notifier_body__a_subject_stays_one_line),
        cmocka_unit_test(test_notifier_body__a_subject_in_other_letters_is_encoded_word_by_word),
        cmocka_unit_test(test_notifier_body__html_takes_text_for_text),
        cmocka_unit_test(test_notifier_body__a_template_that_cannot_be_expanded_has_a_plain_one),
        cmocka_unit_test(test_notifier_body__names_that_alertmanager_refuses_are_made_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
