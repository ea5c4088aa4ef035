#include "proto/cursor.h"

#include "tests/check.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#define CURSOR(bytes) cursor_over(bytes, sizeof(bytes) - 1)

static value_t read_whole(const char *bytes, size_t size)
{
    cursor_t cursor = cursor_over(bytes, size);
    value_t value;
    assert_true(cursor_read(&cursor, &value));
    assert_int_equal(cursor_left(&cursor), 0);
    return value;
}

#define READ(bytes) read_whole(bytes, sizeof(bytes) - 1)
#define CHECK(bytes, depth) cursor_check(bytes, sizeof(bytes) - 1, depth)

static void test_cursor__an_integer_has_one_type_however_it_is_encoded(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } sevens[] = {{"\x07", 1},
                  {"\xcc\x07", 2},
                  {"\xcd\0\x07", 3},
                  {"\xce\0\0\0\x07", 5},
                  {"\xcf\0\0\0\0\0\0\0\x07", 9},
                  {"\xd0\x07", 2},
                  {"\xd1\0\x07", 3},
                  {"\xd2\0\0\0\x07", 5},
                  {"\xd3\0\0\0\0\0\0\0\x07", 9}};
    for (size_t i = 0; i < sizeof sevens / sizeof *sevens; i++) {
        value_t value = read_whole(sevens[i].bytes, sevens[i].size);
        assert_int_equal(value.type, VALUE_UINT);
        assert_int_equal(value.as.u, 7);
    }
}

static void test_cursor__an_integer_below_zero_keeps_its_sign(void **state)
{
    (void)state;
    assert_int_equal(READ("\xff").type, VALUE_INT);
    assert_int_equal(READ("\xff").as.i, -1);
    assert_int_equal(READ("\xe0").as.i, -32);
    assert_int_equal(READ("\xd0\x80").as.i, INT8_MIN);
    assert_int_equal(READ("\xd1\x80\0").as.i, INT16_MIN);
    assert_int_equal(READ("\xd2\x80\0\0\0").as.i, INT32_MIN);
    assert_true(READ("\xd3\x80\0\0\0\0\0\0\0").as.i == INT64_MIN);
}

static void test_cursor__the_largest_integer_is_whole(void **state)
{
    (void)state;
    assert_true(READ("\xcf\xff\xff\xff\xff\xff\xff\xff\xff").as.u == UINT64_MAX);
}

static void test_cursor__floats_of_both_sizes_are_doubles(void **state)
{
    (void)state;
    assert_int_equal(READ("\xca\x3f\xc0\0\0").type, VALUE_FLOAT);
    assert_double(READ("\xca\x3f\xc0\0\0").as.f, 1.5, 0);
    assert_double(READ("\xcb\xbf\xf8\0\0\0\0\0\0").as.f, -1.5, 0);
    assert_true(isnan(READ("\xcb\x7f\xf8\0\0\0\0\0\0").as.f));
}

static void test_cursor__text_bytes_and_extensions_are_looks_into_the_span(void **state)
{
    (void)state;
    assert_int_equal(READ("\xa2hi").type, VALUE_STR);
    assert_text(READ("\xa2hi").as.text, "hi");
    assert_text(READ("\xd9\x02hi").as.text, "hi");
    assert_text(READ("\xda\0\x02hi").as.text, "hi");
    assert_text(READ("\xdb\0\0\0\x02hi").as.text, "hi");
    assert_non_null(READ("\xa0").as.text.data);
    assert_int_equal(READ("\xc4\x02hi").type, VALUE_BIN);
    assert_text(READ("\xc5\0\x02hi").as.text, "hi");
    assert_text(READ("\xc6\0\0\0\x02hi").as.text, "hi");
    assert_int_equal(READ("\xd4\xffh").ext_type, -1);
    assert_text(READ("\xd5\x05hi").as.text, "hi");
    assert_text(READ("\xc7\x02\x05hi").as.text, "hi");
    assert_int_equal(READ("\xc7\0\x05").as.text.size, 0);
    assert_int_equal(READ("\xd8\x05"
                          "0123456789abcdef")
                         .as.text.size,
                     16);
}

static void test_cursor__of_a_container_only_the_head_is_read(void **state)
{
    (void)state;
    cursor_t cursor = CURSOR("\x82\x01\x02\x03\x92\x04\x05");
    value_t value;
    assert_true(cursor_read(&cursor, &value));
    assert_int_equal(value.type, VALUE_MAP);
    assert_int_equal(value.as.count, 2);
    assert_int_equal(cursor_left(&cursor), 6);
}

static void test_cursor__a_value_cut_anywhere_is_refused_and_nothing_moves(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } whole[] = {
        {"\xcb\x3f\xf0\0\0\0\0\0\0", 9},
        {"\xce\0\0\0\x01", 5},
        {"\xa3"
         "abc",
         4},
        {"\xdb\0\0\0\x03"
         "abc",
         8},
        {"\xc8\0\x02\x05hi", 6},
        {"\x92\x01\xa1x", 4},
        {"\x82\x01\x02\x03\x04", 5},
        {"\xdd\0\0\0\x02\x01\x02", 7},
        {"\xde\0\x01\x01\x02", 5},
    };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        for (size_t size = 0; size <= whole[i].size; size++) {
            /* a copy of just that size, so that the sanitizer sees a read beyond it */
            char *cut = malloc(size + 1);
            assert_non_null(cut);
            memcpy(cut + 1, whole[i].bytes, size);
            cursor_t cursor = cursor_over(cut + 1, size);
            assert_int_equal(cursor_skip(&cursor), size == whole[i].size);
            assert_int_equal(cursor_left(&cursor), size == whole[i].size ? 0 : size);
            free(cut);
        }
    }
}

static void test_cursor__a_count_beyond_the_bytes_left_is_not_believed(void **state)
{
    (void)state;
    cursor_t array = CURSOR("\xdd\xff\xff\xff\xff"), map = CURSOR("\xdf\0\0\0\x01\x01");
    value_t value;
    assert_false(cursor_read(&array, &value));
    assert_false(cursor_read(&map, &value));
    assert_int_equal(CHECK("\xdd\xff\xff\xff\xff", 8), STATUS_MALFORMED);
    assert_int_equal(CHECK("\xdf\xff\xff\xff\xff", 8), STATUS_MALFORMED);
    assert_int_equal(CHECK("\xdb\xff\xff\xff\xff", 8), STATUS_MALFORMED);
}

static void test_cursor__a_check_takes_exactly_one_value(void **state)
{
    (void)state;
    assert_int_equal(CHECK("", 8), STATUS_MALFORMED);
    assert_int_equal(cursor_check(NULL, 0, 8), STATUS_MALFORMED);
    assert_int_equal(CHECK("\xc0", 8), STATUS_OK);
    assert_int_equal(CHECK("\xc0\xc0", 8), STATUS_MALFORMED);
    assert_int_equal(CHECK("\xc1", 8), STATUS_MALFORMED);
    assert_int_equal(CHECK("\x91\xc1", 8), STATUS_MALFORMED);
}

static void test_cursor__a_scalar_nests_zero_and_an_empty_array_one(void **state)
{
    (void)state;
    assert_int_equal(CHECK("\x01", 0), STATUS_OK);
    assert_int_equal(CHECK("\x90", 0), STATUS_TOO_DEEP);
    assert_int_equal(CHECK("\x90", 1), STATUS_OK);
    assert_int_equal(CHECK("\x81\x01\x90", 1), STATUS_TOO_DEEP);
    assert_int_equal(CHECK("\x93\x90\x80\x91\x01", 2), STATUS_OK);
}

static void test_cursor__too_deep_is_said_only_of_a_whole_value(void **state)
{
    (void)state;
    assert_int_equal(CHECK("\x91\x91\x91\x01", 2), STATUS_TOO_DEEP);
    assert_int_equal(CHECK("\x91\x91\x92\x01", 2), STATUS_MALFORMED);
    assert_int_equal(CHECK("\x91\x91\x91\x01\x01", 2), STATUS_MALFORMED);
    assert_int_equal(CHECK("\x92\x91\x91\x01\xa1x", 2), STATUS_TOO_DEEP);
    assert_int_equal(CHECK("\x92\x91\x91\x01\xa2x", 2), STATUS_MALFORMED);
}

static void test_cursor__a_walk_stands_behind_a_value_that_is_too_deep(void **state)
{
    (void)state;
    cursor_t cursor = CURSOR("\x91\x91\x01\x07");
    assert_int_equal(cursor_walk(&cursor, 1), STATUS_TOO_DEEP);
    assert_int_equal(cursor_left(&cursor), 1);
    cursor = CURSOR("\x91\x91");
    assert_int_equal(cursor_walk(&cursor, 1), STATUS_MALFORMED);
    assert_int_equal(cursor_left(&cursor), 2);
}

static void test_cursor__no_depth_asked_for_is_deeper_than_msgpack_c_unpacks(void **state)
{
    (void)state;
    char nested[CURSOR_DEPTH_MAX + 1];
    memset(nested, '\x91', sizeof nested);
    nested[CURSOR_DEPTH_MAX] = '\x90';
    assert_int_equal(cursor_check(nested, sizeof nested, UINT32_MAX), STATUS_TOO_DEEP);
    assert_int_equal(cursor_check(nested + 1, sizeof nested - 1, UINT32_MAX), STATUS_OK);

    msgpack_unpacked unpacked;
    size_t at = 0;
    msgpack_unpacked_init(&unpacked);
    assert_int_equal(msgpack_unpack_next(&unpacked, nested + 1, sizeof nested - 1, &at),
                     MSGPACK_UNPACK_SUCCESS);
    msgpack_unpacked_destroy(&unpacked);
}

static void test_cursor__a_million_nested_arrays_are_skipped_without_a_stack(void **state)
{
    (void)state;
    size_t size = 1u << 20;
    char *nested = malloc(size);
    assert_non_null(nested);
    memset(nested, '\x91', size);
    nested[size - 1] = '\x90';
    cursor_t cursor = cursor_over(nested, size);
    assert_true(cursor_skip(&cursor));
    assert_int_equal(cursor_left(&cursor), 0);
    assert_int_equal(cursor_check(nested, size, 8), STATUS_TOO_DEEP);
    assert_int_equal(cursor_check(nested, size - 1, 8), STATUS_MALFORMED);
    free(nested);
}

static void test_cursor__a_number_is_any_of_the_number_types(void **state)
{
    (void)state;
    double number = 0;
    value_t value = READ("\x07");
    assert_true(value_number(&value, &number));
    assert_double(number, 7, 0);
    value = READ("\xff");
    assert_true(value_number(&value, &number));
    assert_double(number, -1, 0);
    value = READ("\xc3");
    assert_false(value_number(&value, &number));
    value = READ("\xa1"
                 "1");
    assert_false(value_number(&value, &number));
    assert_double(number, -1, 0);
}

static void test_cursor__whole_is_an_integer_of_any_number_type(void **state)
{
    (void)state;
    uint64_t whole = 0;
    value_t value = READ("\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
    assert_true(value_whole(&value, &whole));
    assert_true(whole == UINT64_MAX);
    value = (value_t){.type = VALUE_FLOAT, .as.f = 3};
    assert_true(value_whole(&value, &whole));
    assert_int_equal(whole, 3);
    value.as.f = 0x1.fffffffffffffp63;
    assert_true(value_whole(&value, &whole));
}

static void test_cursor__no_fraction_nothing_below_zero_and_nothing_too_large_is_whole(void **state)
{
    (void)state;
    static const double bad[] = {0.5, -1, -0.5, 0x1p64, 1e300};
    uint64_t whole = 42;
    value_t value = READ("\xff");
    assert_false(value_whole(&value, &whole));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        value = (value_t){.type = VALUE_FLOAT, .as.f = bad[i]};
        assert_false(value_whole(&value, &whole));
    }
    value.as.f = (double)NAN;
    assert_false(value_whole(&value, &whole));
    value.as.f = (double)INFINITY;
    assert_false(value_whole(&value, &whole));
    assert_int_equal(whole, 42);
}

static void test_cursor__a_time_is_a_number_or_a_timestamp_of_any_size(void **state)
{
    (void)state;
    double time_s = 0;
    value_t value = READ("\xd6\xff\0\0\0\x02");
    assert_int_equal(value_time(&value, &time_s), STATUS_OK);
    assert_double(time_s, 2, 0);
    value = READ("\xd7\xff\x77\x35\x94\0\0\0\0\x03"); /* 500,000,000 ns and 3 s */
    assert_int_equal(value_time(&value, &time_s), STATUS_OK);
    assert_double(time_s, 3.5, 0);
    value = READ("\xc7\x0c\xff\x0e\xe6\xb2\x80\xff\xff\xff\xff\xff\xff\xff\xff");
    assert_int_equal(value_time(&value, &time_s), STATUS_OK);
    assert_double(time_s, -0.75, 0);
    value = READ("\x05");
    assert_int_equal(value_time(&value, &time_s), STATUS_OK);
    assert_double(time_s, 5, 0);
}

static void test_cursor__what_is_no_time_leaves_the_time_alone(void **state)
{
    (void)state;
    double time_s = 42;
    value_t value = READ("\xd7\xff\xee\x6b\x28\0\0\0\0\x03"); /* 1,000,000,000 ns */
    assert_int_equal(value_time(&value, &time_s), STATUS_BAD_VALUE);
    value = READ("\xd5\xff\0\0");
    assert_int_equal(value_time(&value, &time_s), STATUS_BAD_VALUE);
    value = READ("\xd6\x01\0\0\0\x02");
    assert_int_equal(value_time(&value, &time_s), STATUS_WRONG_TYPE);
    value = READ("\xcb\x7f\xf0\0\0\0\0\0\0");
    assert_int_equal(value_time(&value, &time_s), STATUS_BAD_VALUE);
    assert_double(time_s, 42, 0);
}

static void test_cursor__durations_in_the_form_of_prometheus(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds;
    } good[] = {{"0", 0},
                {"0s", 0},
                {"250ms", 0.25},
                {"5m", 300},
                {"1h30m", 5400},
                {"1d", 86400},
                {"1w", 604800},
                {"1y", 31536000},
                {"1m1ms", 60.001},
                {"007s", 7},
                {"1y1w1d1h1m1s1ms", 32230861.001}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double seconds = -1;
        assert_true(duration_parse(text_of(good[i].text), &seconds));
        assert_double(seconds, good[i].seconds, 0);
    }
}

static void test_cursor__what_is_no_duration_leaves_the_seconds_alone(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "1",
                                      "00",
                                      "s",
                                      "1.5s",
                                      "-1s",
                                      "+1s",
                                      " 1s",
                                      "1s ",
                                      "1m1h",
                                      "1s1s",
                                      "1H",
                                      "1us",
                                      "1ns",
                                      "1mss",
                                      "1m 1s",
                                      "1h1",
                                      "99999999999999999999s",
                                      "18446744073709551615w"};
    double seconds = 42;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (duration_parse(text_of(bad[i]), &seconds))
            fail_msg("\"%s\" was taken for %g seconds", bad[i], seconds);
    }
    assert_false(duration_parse(TEXT_NONE, &seconds));
    assert_double(seconds, 42, 0);
}

static void test_cursor__a_duration_is_not_negative_and_finite(void **state)
{
    (void)state;
    double seconds = 42;
    value_t value = READ("\xff");
    assert_int_equal(value_duration(&value, &seconds), STATUS_BAD_VALUE);
    value = READ("\xcb\x7f\xf0\0\0\0\0\0\0");
    assert_int_equal(value_duration(&value, &seconds), STATUS_BAD_VALUE);
    value = READ("\xa2"
                 "5x");
    assert_int_equal(value_duration(&value, &seconds), STATUS_BAD_VALUE);
    value = READ("\xc0");
    assert_int_equal(value_duration(&value, &seconds), STATUS_WRONG_TYPE);
    assert_double(seconds, 42, 0);
    value = READ("\xa2"
                 "5s");
    assert_int_equal(value_duration(&value, &seconds), STATUS_OK);
    assert_double(seconds, 5, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cursor__an_integer_has_one_type_however_it_is_encoded),
        cmocka_unit_test(test_cursor__an_integer_below_zero_keeps_its_sign),
        cmocka_unit_test(test_cursor__the_largest_integer_is_whole),
        cmocka_unit_test(test_cursor__floats_of_both_sizes_are_doubles),
        cmocka_unit_test(test_cursor__text_bytes_and_extensions_are_looks_into_the_span),
        cmocka_unit_test(test_cursor__of_a_container_only_the_head_is_read),
        cmocka_unit_test(test_cursor__a_value_cut_anywhere_is_refused_and_nothing_moves),
        cmocka_unit_test(test_cursor__a_count_beyond_the_bytes_left_is_not_believed),
        cmocka_unit_test(test_cursor__a_check_takes_exactly_one_value),
        cmocka_unit_test(test_cursor__a_scalar_nests_zero_and_an_empty_array_one),
        cmocka_unit_test(test_cursor__too_deep_is_said_only_of_a_whole_value),
        cmocka_unit_test(test_cursor__a_walk_stands_behind_a_value_that_is_too_deep),
        cmocka_unit_test(test_cursor__no_depth_asked_for_is_deeper_than_msgpack_c_unpacks),
        cmocka_unit_test(test_cursor__a_million_nested_arrays_are_skipped_without_a_stack),
        cmocka_unit_test(test_cursor__a_number_is_any_of_the_number_types),
        cmocka_unit_test(test_cursor__whole_is_an_integer_of_any_number_type),
        cmocka_unit_test(
            test_cursor__no_fraction_nothing_below_zero_and_nothing_too_large_is_whole),
        cmocka_unit_test(test_cursor__a_time_is_a_number_or_a_timestamp_of_any_size),
        cmocka_unit_test(test_cursor__what_is_no_time_leaves_the_time_alone),
        cmocka_unit_test(test_cursor__durations_in_the_form_of_prometheus),
        cmocka_unit_test(test_cursor__what_is_no_duration_leaves_the_seconds_alone),
        cmocka_unit_test(test_cursor__a_duration_is_not_negative_and_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
