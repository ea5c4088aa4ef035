#include "broker/channel.h"
#include "broker/config_tables.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static channel_t sample(const char *type)
{
    static const text_t to[] = {{"ops@example.org", 15}};
    static const text_t command[] = {{"/bin/true", 9}};
    channel_t channel;
    schema_defaults(&channel_schema, &channel);
    channel.name = TEXT_OF("ops");
    channel.type = text_of(type);
    channel.url = text_is(channel.type, "email") ? TEXT_OF("smtp://mail.example.org:25")
                                                 : TEXT_OF("https://example.org/hook");
    channel.routing_key_file = TEXT_OF("/etc/key");
    channel.from = TEXT_OF("tocsin@example.org");
    channel.to = (texts_t){to, 1};
    channel.command = (texts_t){command, 1};
    return channel;
}

static void expect_wrong(const channel_t *channel, const char *key)
{
    char words[200];
    const char *found = channel_wrong(channel, words, sizeof words);
    if (key == NULL && found != NULL)
        fail_msg("%s %s", found, words);
    if (key != NULL)
        assert_string_equal(found == NULL ? "nothing" : found, key);
}

static void test_channel__one_of_each_type_can_work(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHANNEL_TYPE_COUNT; i++) {
        channel_t channel = sample(channel_type_words[i]);
        expect_wrong(&channel, NULL);
    }
}

static void test_channel__what_its_type_needs_is_asked_for(void **state)
{
    (void)state;
    channel_t channel = sample("webhook");
    channel.url = TEXT_NONE;
    expect_wrong(&channel, "url");
    channel = sample("pagerduty");
    channel.routing_key_file = TEXT_NONE;
    expect_wrong(&channel, "routing_key_file");
    channel = sample("email");
    channel.to.count = 0;
    expect_wrong(&channel, "to");
    channel = sample("exec");
    channel.command.count = 0;
    expect_wrong(&channel, "command");
}

static void test_channel__a_command_has_an_absolute_path(void **state)
{
    (void)state;
    static const text_t command[] = {{"sh", 2}};
    channel_t channel = sample("exec");
    channel.command = (texts_t){command, 1};
    expect_wrong(&channel, "command");
}

static void test_channel__only_addresses_of_the_web_are_sent_to(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "file:///etc/passwd",
        "gopher://x/",
        "ftp://x/",
        "HTTP//x",
        "http:/x",
        "http://",
        "http:///x",
        "http://u:p@host/",
        "http://host@evil/",
        "http://host/ x",
        "http://host/\r\nX",
        "http://host/\x7f",
        "http://h\\@evil/",
        "//host",
        "smtp://host",
        "http://host/\xc3\xa9",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (channel_is_url(text_of(bad[i]), false))
            fail_msg("%s is taken for an address", bad[i]);
    assert_true(channel_is_url(TEXT_OF("http://127.0.0.1:9999/hook"), false));
    assert_true(channel_is_url(TEXT_OF("https://[::1]/a@b?c=d"), false));
    assert_true(channel_is_url(TEXT_OF("smtp://mail:25"), true));
    assert_false(channel_is_url(TEXT_OF("https://mail"), true));
}

static void test_channel__mail_addresses_cannot_leave_their_header(void **state)
{
    (void)state;
    channel_t channel = sample("email");
    channel.from = TEXT_OF("a@b\r\nBcc: c@d");
    expect_wrong(&channel, "from");
    channel.from = TEXT_OF("a@b>, <c@d");
    expect_wrong(&channel, "from");
    channel.from = TEXT_OF("nobody");
    expect_wrong(&channel, "from");
}

static void test_channel__hours_and_severities_are_checked(void **state)
{
    (void)state;
    static const text_t odd[] = {{"worse", 5}};
    channel_t channel = sample("webhook");
    channel.quiet_from = TEXT_OF("22:00");
    expect_wrong(&channel, "quiet_from");
    channel.quiet_to = TEXT_OF("24:00");
    expect_wrong(&channel, "quiet_to");
    channel.quiet_to = TEXT_OF("07:30");
    expect_wrong(&channel, NULL);
    notification_rules_t rules = channel_rules(&channel);
    assert_int_equal(rules.quiet_from, 22 * 60);
    assert_int_equal(rules.quiet_to, 7 * 60 + 30);
    channel.severities = (texts_t){odd, 1};
    expect_wrong(&channel, "severities");
}

static void test_channel__a_secret_is_the_first_line_of_its_file(void **state)
{
    (void)state;
    char path[] = "/tmp/tocsin-secret-XXXXXX", secret[64];
    int file = mkstemp(path);
    assert_int_equal(write(file, "s3cret\nrest\n", 12), 12);
    assert_true(channel_read_secret(text_of(path), secret, sizeof secret));
    assert_string_equal(secret, "s3cret");
    assert_int_equal(ftruncate(file, 0), 0);
    assert_false(channel_read_secret(text_of(path), secret, sizeof secret));
    assert_false(channel_read_secret(TEXT_OF("/nowhere"), secret, sizeof secret));
    close(file);
    unlink(path);
}

static void test_channel__an_alertmanager_is_named_by_its_base(void **state)
{
    (void)state;
    char url[256];
    channel_t channel = sample("alertmanager");
    channel.url = TEXT_OF("http://am:9093");
    assert_true(channel_url(&channel, url, sizeof url));
    assert_string_equal(url, "http://am:9093/api/v2/alerts");
    channel.url = TEXT_OF("http://am:9093/prefix/");
    assert_true(channel_url(&channel, url, sizeof url));
    assert_string_equal(url, "http://am:9093/prefix/api/v2/alerts");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channel__one_of_each_type_can_work),
        cmocka_unit_test(test_channel__what_its_type_needs_is_asked_for),
        cmocka_unit_test(test_channel__a_command_has_an_absolute_path),
        cmocka_unit_test(test_channel__only_addresses_of_the_web_are_sent_to),
        cmocka_unit_test(test_channel__mail_addresses_cannot_leave_their_header),
        cmocka_unit_test(test_channel__hours_and_severities_are_checked),
        cmocka_unit_test(test_channel__a_secret_is_the_first_line_of_its_file),
        cmocka_unit_test(test_channel__an_alertmanager_is_named_by_its_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
