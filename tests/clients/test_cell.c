#include "clients/tocsin/cell.h"
#include "proto/pack.h"
#include "tests/check.h"

#include <stdlib.h>

static msgpack_sbuffer packed;

static int begin(void **state)
{
    (void)state;
    msgpack_sbuffer_init(&packed);
    return 0;
}

static int end(void **state)
{
    (void)state;
    msgpack_sbuffer_destroy(&packed);
    return 0;
}

/*  What was packed last, as a person sees it under that key. */
static void assert_cell(const char *key, const char *expected)
{
    cursor_t cursor = cursor_over(packed.data, packed.size);
    char *text = cell_text(text_of(key), &cursor);
    assert_string_equal(text, expected);
    assert_int_equal(cursor_left(&cursor), 0);
    free(text);
    msgpack_sbuffer_clear(&packed);
}

static void assert_number(const char *key, double number, const char *expected)
{
    pack_number(&packed, number);
    assert_cell(key, expected);
}

static void test_cell__a_number_is_shown_by_the_key_it_stands_under(void **state)
{
    (void)state;
    assert_number("updated_at", 1800000000.75, "2027-01-15T08:00:00Z");
    assert_number("since", 0, "1970-01-01T00:00:00Z");
    assert_number("error_ratio", 0.3125, "31.25 %");
    assert_number("target_percent", 99.5, "99.5 %");
    assert_number("avg_latency", 0.0123, "12.3 ms");
    assert_number("for", 5400, "1h30m");
    assert_number("window", 5, "5 s");
    assert_number("p95_latency", 0.00042, "420 us");
    assert_number("period", 2592000, "30d");
    assert_number("value", 16384000000, "16384000000");
    assert_number("value", 0.1, "0.1");
}

static void test_cell__what_is_absent_or_empty_is_a_dash(void **state)
{
    (void)state;
    pack_nil(&packed);
    assert_cell("resolved_at", "-");
    pack_string(&packed, "");
    assert_cell("owner", "-");
    pack_map(&packed, 0);
    assert_cell("labels", "-");
    pack_array(&packed, 0);
    assert_cell("systems", "-");
}

static void test_cell__a_whole_number_under_the_key_of_a_duration_is_a_count(void **state)
{
    (void)state;
    pack_uint(&packed, 100);
    assert_cell("window", "100");
}

static void test_cell__a_map_leaves_out_what_says_nothing(void **state)
{
    (void)state;
    pack_map(&packed, 3);
    pack_string(&packed, "operation");
    pack_string(&packed, "GET /");
    pack_string(&packed, "dependency");
    pack_nil(&packed);
    pack_string(&packed, "labels");
    pack_map(&packed, 0);
    assert_cell("match", "operation=GET /");
    pack_map(&packed, 1);
    pack_string(&packed, "operation");
    pack_nil(&packed);
    assert_cell("match", "-");
}

static void test_cell__maps_and_lists_stand_on_one_line(void **state)
{
    (void)state;
    pack_map(&packed, 2);
    pack_string(&packed, "host");
    pack_string(&packed, "web-1");
    pack_string(&packed, "zone");
    pack_string(&packed, "a");
    assert_cell("labels", "host=web-1,zone=a");
    pack_array(&packed, 2);
    pack_string(&packed, "db-1");
    pack_string(&packed, "db-2");
    assert_cell("systems", "db-1, db-2");
}

static void test_cell__no_text_can_steer_the_terminal(void **state)
{
    (void)state;
    pack_string(&packed, "a\nb\tc\x1b[31md\x7f\xc2\x9b"
                         "e");
    assert_cell("message", "a b c [31md  e");
}

static void test_cell__width_is_that_of_the_terminal(void **state)
{
    (void)state;
    assert_int_equal(cell_width(""), 0);
    assert_int_equal(cell_width("abc"), 3);
    assert_int_equal(cell_width("h\xc3\xa9"), 2);                /* e with an accent */
    assert_int_equal(cell_width("\xe8\xad\xa6\xe5\xa0\xb1"), 4); /* two wide characters */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cell__a_number_is_shown_by_the_key_it_stands_under),
        cmocka_unit_test(test_cell__what_is_absent_or_empty_is_a_dash),
        cmocka_unit_test(test_cell__a_whole_number_under_the_key_of_a_duration_is_a_count),
        cmocka_unit_test(test_cell__a_map_leaves_out_what_says_nothing),
        cmocka_unit_test(test_cell__maps_and_lists_stand_on_one_line),
        cmocka_unit_test(test_cell__no_text_can_steer_the_terminal),
        cmocka_unit_test(test_cell__width_is_that_of_the_terminal),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
