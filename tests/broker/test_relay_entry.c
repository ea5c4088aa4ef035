#include "broker/relay_entry.h"
#include "proto/json.h"
#include "tests/check.h"

#include <stdlib.h>

static uint8_t map_bytes[512];

static relay_in_t settings_of(const char *kind, const char *format)
{
    return (relay_in_t){.kind = text_of(kind), .format = text_of(format)};
}

/*  The frame, written as JSON; NULL: it is none. */
static char *frame_of(const relay_in_t *settings, const entry_field_t *fields, size_t count)
{
    msgpack_sbuffer frame, json;
    const char *words = "";
    char *text = NULL;
    msgpack_sbuffer_init(&frame);
    msgpack_sbuffer_init(&json);
    if (entry_frame(settings, fields, count, &frame, &words)) {
        assert_int_equal(cursor_check(frame.data, frame.size, 32), STATUS_OK);
        cursor_t cursor = cursor_over(frame.data, frame.size);
        json_write(&cursor, &json);
        msgpack_sbuffer_write(&json, "", 1);
        text = msgpack_sbuffer_release(&json);
    } else {
        assert_true(words[0] != '\0');
    }
    msgpack_sbuffer_destroy(&frame);
    msgpack_sbuffer_destroy(&json);
    return text;
}

static void expect(const relay_in_t *settings, const entry_field_t *fields, size_t count,
                   const char *expected)
{
    char *text = frame_of(settings, fields, count);
    assert_string_equal(text == NULL ? "nothing" : text, expected);
    free(text);
}

#define FIELD(name, value)                                                                         \
    {                                                                                              \
        {(name), sizeof(name) - 1},                                                                \
        {                                                                                          \
            (value), sizeof(value) - 1                                                             \
        }                                                                                          \
    }

static void test_relay_entry__fields_are_read_as_what_they_are_to_us(void **state)
{
    (void)state;
    const entry_field_t fields[] = {FIELD("operation", "GET /"), FIELD("duration", "0.25"),
                                    FIELD("error", "true"), FIELD("attempt", "2"),
                                    FIELD("nobody", "knows")};
    relay_in_t settings = settings_of("requests", "fields");
    expect(&settings, fields, 5,
           "{\"operation\":\"GET /\",\"duration\":0.25,\"error\":true,\"attempt\":2}");
}

static void test_relay_entry__a_duration_may_be_in_words(void **state)
{
    (void)state;
    const entry_field_t fields[] = {FIELD("operation", "x"), FIELD("duration", "250ms")};
    relay_in_t settings = settings_of("requests", "fields");
    expect(&settings, fields, 2, "{\"operation\":\"x\",\"duration\":\"250ms\"}");
}

static void test_relay_entry__what_is_no_number_is_left_for_the_decoder_to_refuse(void **state)
{
    (void)state;
    const entry_field_t fields[] = {FIELD("name", "cpu"), FIELD("value", "inf"),
                                    FIELD("time", "12x")};
    relay_in_t settings = settings_of("metrics", "fields");
    expect(&settings, fields, 3, "{\"name\":\"cpu\",\"value\":\"inf\",\"time\":\"12x\"}");
}

static void test_relay_entry__their_names_become_ours(void **state)
{
    (void)state;
    const label_t pairs[] = {{TEXT_OF("operation"), TEXT_OF("op")},
                             {TEXT_OF("duration"), TEXT_OF("secs")},
                             {TEXT_OF("labels.host"), TEXT_OF("node")}};
    const entry_field_t fields[] = {FIELD("op", "x"), FIELD("secs", "1"), FIELD("node", "a"),
                                    FIELD("labels.zone", "eu"), FIELD("operation", "not this")};
    relay_in_t settings = settings_of("requests", "fields");
    settings.map = labels_build(pairs, 3, map_bytes);
    expect(&settings, fields, 5,
           "{\"operation\":\"x\",\"duration\":1,\"labels\":{\"host\":\"a\",\"zone\":\"eu\"}}");
}

static void test_relay_entry__json_keeps_what_it_says(void **state)
{
    (void)state;
    const entry_field_t fields[] = {
        FIELD("data", "[{\"name\": \"cpu\", \"value\": -1.5, \"n\": 9007199254740993, \"l\": "
                      "{\"a\": \"\\u00e9\"}, \"x\": [true, false, null]}]")};
    relay_in_t settings = settings_of("metrics", "json");
    expect(&settings, fields, 1,
           "[{\"name\":\"cpu\",\"value\":-1.5,\"n\":9007199254740993,\"l\":{\"a\":\"é\"},"
           "\"x\":[true,false,null]}]");
}

static void test_relay_entry__what_is_no_json_is_no_event(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "{", "{\"a\":1,\"a\":2}", "[1] x", "\"\xff\"", "nan"};
    relay_in_t settings = settings_of("metrics", "json");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const entry_field_t fields[] = {{TEXT_OF("data"), text_of(bad[i])}};
        expect(&settings, fields, 1, "nothing");
    }
    const entry_field_t other[] = {FIELD("body", "{}")};
    expect(&settings, other, 1, "nothing");
}

static void test_relay_entry__messagepack_is_passed_on_as_it_is(void **state)
{
    (void)state;
    const entry_field_t fields[] = {FIELD("data", "\x81\xa1k\x01")};
    relay_in_t settings = settings_of("metrics", "msgpack");
    expect(&settings, fields, 1, "{\"k\":1}");
}

static void test_relay_entry__an_entry_without_anything_is_nothing_or_an_empty_map(void **state)
{
    (void)state;
    const entry_field_t empty[] = {FIELD("data", "")};
    relay_in_t settings = settings_of("metrics", "msgpack");
    expect(&settings, empty, 1, "nothing");
    settings = settings_of("metrics", "json");
    expect(&settings, empty, 1, "nothing");
    settings = settings_of("metrics", "fields");
    expect(&settings, empty, 0, "{}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relay_entry__fields_are_read_as_what_they_are_to_us),
        cmocka_unit_test(test_relay_entry__a_duration_may_be_in_words),
        cmocka_unit_test(test_relay_entry__what_is_no_number_is_left_for_the_decoder_to_refuse),
        cmocka_unit_test(test_relay_entry__their_names_become_ours),
        cmocka_unit_test(test_relay_entry__json_keeps_what_it_says),
        cmocka_unit_test(test_relay_entry__what_is_no_json_is_no_event),
        cmocka_unit_test(test_relay_entry__messagepack_is_passed_on_as_it_is),
        cmocka_unit_test(test_relay_entry__an_entry_without_anything_is_nothing_or_an_empty_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
