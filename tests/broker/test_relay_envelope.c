#include "broker/relay_envelope.h"
#include "proto/pack.h"
#include "proto/schema.h"
#include "tests/check.h"

#include <stdio.h>
#include <string.h>

static envelope_t envelope;
static relay_out_t settings;
static msgpack_sbuffer body, data;

static int set_up(void **state)
{
    (void)state;
    relay_settings_t relay;
    schema_defaults(&relay_schema, &relay);
    settings = relay.out;
    envelope_init(&envelope);
    msgpack_sbuffer_init(&body);
    msgpack_sbuffer_init(&data);
    pack_map(&data, 2);
    pack_string(&data, "severity");
    pack_string(&data, "high");
    pack_string(&data, "value");
    pack_number(&data, 0.1);
    publication_t publication = {.type = PUBLISH_ALERT_FIRING,
                                 .time_s = 1700000000.25,
                                 .subject = TEXT_OF("cpu"),
                                 .severity = SEVERITY_HIGH,
                                 .correlation = TEXT_OF("INC-3"),
                                 .data = {data.data, data.size}};
    publication_encode(&publication, 7, TEXT_OF("tocsin/here"), &body);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    envelope_free(&envelope);
    msgpack_sbuffer_destroy(&body);
    msgpack_sbuffer_destroy(&data);
    return 0;
}

static bool make(void)
{
    return envelope_make(&envelope, &settings, FAMILY_ALERT, 7, (text_t){body.data, body.size},
                         1700000001);
}

/*  The words from `from` on, joined by blanks. */
static void expect_words(int from, const char *expected)
{
    char line[2048] = "";
    for (int i = from; i < envelope.count; i++) {
        size_t used = strlen(line);
        snprintf(line + used, sizeof line - used, "%s%.*s", i == from ? "" : " ",
                 (int)envelope.sizes[i], envelope.words[i]);
    }
    assert_string_equal(line, expected);
}

static void test_relay_envelope__every_attribute_of_cloudevents_is_a_field(void **state)
{
    (void)state;
    assert_true(make());
    expect_words(0, "XADD tocsin:alert * specversion 1.0 id alert-7 source tocsin/here type "
                    "alert.firing subject cpu time 2023-11-14T22:13:20.250Z sequence 7 "
                    "correlationid INC-3 datacontenttype application/json data "
                    "{\"severity\":\"high\",\"value\":0.1}");
}

static void test_relay_envelope__messagepack_goes_as_it_is(void **state)
{
    (void)state;
    settings.format = TEXT_OF("msgpack");
    assert_true(make());
    assert_string_equal(envelope.words[envelope.count - 2], "data");
    assert_int_equal(envelope.sizes[envelope.count - 1], data.size);
    assert_memory_equal(envelope.words[envelope.count - 1], data.data, data.size);
}

static void test_relay_envelope__streams_are_trimmed_by_length_or_age(void **state)
{
    (void)state;
    settings.max_age = 60;
    assert_true(make());
    assert_string_equal(envelope.words[2], "MINID");
    assert_string_equal(envelope.words[3], "~");
    assert_string_equal(envelope.words[4], "1699999941000");
    settings.maxlen = 1000;
    assert_true(make());
    assert_string_equal(envelope.words[2], "MAXLEN");
    assert_string_equal(envelope.words[4], "1000");
}

static void test_relay_envelope__what_is_not_asked_for_does_not_go_out(void **state)
{
    (void)state;
    static const text_t low[] = {{"low", 3}}, high[] = {{"low", 3}, {"high", 4}};
    static const text_t other[] = {{"disk*", 5}}, this[] = {{"disk*", 5}, {"c?u", 3}};
    settings.severities = (texts_t){low, 1};
    assert_false(make());
    settings.severities = (texts_t){high, 2};
    assert_true(make());
    settings.subjects = (texts_t){other, 1};
    assert_false(make());
    settings.subjects = (texts_t){this, 2};
    assert_true(make());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_relay_envelope__every_attribute_of_cloudevents_is_a_field),
        TEST(test_relay_envelope__messagepack_goes_as_it_is),
        TEST(test_relay_envelope__streams_are_trimmed_by_length_or_age),
        TEST(test_relay_envelope__what_is_not_asked_for_does_not_go_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
