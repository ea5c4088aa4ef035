#include "proto/json.h"
#include "proto/pack.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static msgpack_sbuffer packed, written;

static int begin(void **state)
{
    (void)state;
    msgpack_sbuffer_init(&packed);
    msgpack_sbuffer_init(&written);
    return 0;
}

static int end(void **state)
{
    (void)state;
    msgpack_sbuffer_destroy(&packed);
    msgpack_sbuffer_destroy(&written);
    return 0;
}

/*  What was packed, as JSON. */
static text_t json(void)
{
    cursor_t cursor = cursor_over(packed.data, packed.size);
    json_write(&cursor, &written);
    assert_int_equal(cursor_left(&cursor), 0);
    return (text_t){written.data, written.size};
}

static void test_json__maps_and_arrays_nest(void **state)
{
    (void)state;
    pack_map(&packed, 2);
    pack_string(&packed, "items");
    pack_array(&packed, 3);
    pack_bool(&packed, true);
    pack_nil(&packed);
    pack_map(&packed, 0);
    pack_string(&packed, "n");
    pack_int(&packed, -7);
    assert_text(json(), "{\"items\":[true,null,{}],\"n\":-7}");
}

static void test_json__a_number_is_the_shortest_that_reads_back(void **state)
{
    (void)state;
    pack_array(&packed, 5);
    pack_number(&packed, 0.1);
    pack_number(&packed, 1.0 / 3);
    pack_number(&packed, 1e300);
    pack_number(&packed, 1795403851.2574103);
    pack_number(&packed, NAN);
    assert_text(json(), "[0.1,0.3333333333333333,1e+300,1795403851.2574103,null]");
}

static void test_json__a_point_in_time_is_written_like_any_other_number(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (int i = 0; i < 200000; i++) {
        char quick[JSON_NUMBER_BYTES], slow[JSON_NUMBER_BYTES];
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        double time = 0x1p30 + (double)(random >> 11) / 0x1p53 * (0x1p33 - 0x1p30);
        if (i % 3 != 0)
            time = round(time * (i % 3 == 1 ? 1e3 : 1e6)) / (i % 3 == 1 ? 1e3 : 1e6);
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(slow, sizeof slow, "%.*g", digits, time);
            if (strtod(slow, NULL) == time)
                break;
        }
        json_number(time, quick);
        if (strtod(quick, NULL) != time || strlen(quick) > strlen(slow))
            fail_msg("%s should be %s", quick, slow);
    }
}

static void test_json__a_whole_number_keeps_every_digit(void **state)
{
    (void)state;
    pack_array(&packed, 2);
    pack_uint(&packed, UINT64_MAX);
    pack_int(&packed, INT64_MIN);
    assert_text(json(), "[18446744073709551615,-9223372036854775808]");
}

static void test_json__text_is_escaped_where_it_must_be(void **state)
{
    (void)state;
    pack_text(&packed, TEXT_OF("a\"b\\c\n\t\x01\x7f \xc3\xa9"));
    assert_text(json(), "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f \xc3\xa9\"");
}

static void test_json__a_key_that_is_no_text_becomes_one(void **state)
{
    (void)state;
    pack_map(&packed, 1);
    pack_uint(&packed, 5);
    pack_string(&packed, "five");
    assert_text(json(), "{\"5\":\"five\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_json__maps_and_arrays_nest, begin, end),
        cmocka_unit_test_setup_teardown(test_json__a_number_is_the_shortest_that_reads_back, begin,
                                        end),
        cmocka_unit_test(test_json__a_point_in_time_is_written_like_any_other_number),
        cmocka_unit_test_setup_teardown(test_json__a_whole_number_keeps_every_digit, begin, end),
        cmocka_unit_test_setup_teardown(test_json__text_is_escaped_where_it_must_be, begin, end),
        cmocka_unit_test_setup_teardown(test_json__a_key_that_is_no_text_becomes_one, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
