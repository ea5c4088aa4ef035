#include "broker/relay_config.h"
#include "tests/check.h"

static void expect_place(const char *url, const char *host, int port, int database)
{
    relay_place_t place;
    assert_true(relay_place(text_of(url), &place));
    assert_string_equal(place.host, host);
    assert_int_equal(place.port, port);
    assert_int_equal(place.database, database);
}

static void test_relay_config__a_url_names_host_port_and_database(void **state)
{
    (void)state;
    expect_place("redis://127.0.0.1:6380/2", "127.0.0.1", 6380, 2);
    expect_place("redis://localhost", "localhost", 6379, 0);
    expect_place("redis://localhost/", "localhost", 6379, 0);
    expect_place("redis://[::1]:7000/1", "::1", 7000, 1);
    expect_place("redis://[::1]", "::1", 6379, 0);
}

static void test_relay_config__what_is_no_such_url_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "http://x",
                                      "redis://",
                                      "redis://:6379",
                                      "redis://x:0",
                                      "redis://x:65536",
                                      "redis://x:12a",
                                      "redis://x:",
                                      "redis://x/-1",
                                      "redis://x/1/2",
                                      "redis://u:p@x",
                                      "redis://x:99999999999999999999"};
    relay_place_t place;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (relay_place(text_of(bad[i]), &place))
            fail_msg("%s is taken for one", bad[i]);
}

static const char *wrong_key(const relay_settings_t *settings)
{
    char words[200];
    return relay_wrong(settings, words, sizeof words);
}

static void test_relay_config__another_host_needs_a_word_of_consent(void **state)
{
    (void)state;
    relay_settings_t settings;
    schema_defaults(&relay_schema, &settings);
    assert_null(wrong_key(&settings));
    settings.url = TEXT_OF("redis://127.0.0.1");
    assert_null(wrong_key(&settings));
    settings.url = TEXT_OF("redis://10.0.0.9");
    assert_string_equal(wrong_key(&settings), "url");
    settings.allow_remote = true;
    assert_null(wrong_key(&settings));
}

static void test_relay_config__families_are_those_that_are_kept(void **state)
{
    (void)state;
    static const text_t good[] = {{"alert", 5}}, bad[] = {{"heartbeat", 9}};
    relay_settings_t settings;
    schema_defaults(&relay_schema, &settings);
    settings.url = TEXT_OF("redis://127.0.0.1");
    settings.out.families = (texts_t){good, 1};
    assert_null(wrong_key(&settings));
    assert_true(relay_sends_family(&settings.out, TEXT_OF("alert")));
    assert_false(relay_sends_family(&settings.out, TEXT_OF("slo")));
    settings.out.families = (texts_t){bad, 1};
    assert_string_equal(wrong_key(&settings), "out");
}

static void test_relay_config__streams_without_a_bus_are_a_mistake(void **state)
{
    (void)state;
    static const relay_in_t in[1];
    relay_settings_t settings;
    schema_defaults(&relay_schema, &settings);
    settings.in = in;
    settings.in_count = 1;
    assert_string_equal(wrong_key(&settings), "url");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relay_config__a_url_names_host_port_and_database),
        cmocka_unit_test(test_relay_config__what_is_no_such_url_is_refused),
        cmocka_unit_test(test_relay_config__another_host_needs_a_word_of_consent),
        cmocka_unit_test(test_relay_config__families_are_those_that_are_kept),
        cmocka_unit_test(test_relay_config__streams_without_a_bus_are_a_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
