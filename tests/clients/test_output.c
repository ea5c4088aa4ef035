#include "clients/tocsin/output.h"
#include "proto/pack.h"
#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

static msgpack_sbuffer packed;
static char *text; /* what was written last */

static void pack_pair(const char *key, const char *value)
{
    pack_string(&packed, key);
    pack_string(&packed, value);
}

/*  Two incidents, of which the second has a key that the first has not. */
static int begin(void **state)
{
    (void)state;
    msgpack_sbuffer_init(&packed);
    pack_array(&packed, 2);
    pack_map(&packed, 3);
    pack_pair("incident", "INC-1");
    pack_pair("title", "disk \"full\", again");
    pack_string(&packed, "systems");
    pack_array(&packed, 2);
    pack_string(&packed, "db-1");
    pack_string(&packed, "db-2");
    pack_map(&packed, 3);
    pack_pair("incident", "INC-12");
    pack_pair("title", "h\xc3\xa9");
    pack_string(&packed, "occurrences");
    pack_uint(&packed, 3);
    return 0;
}

static int end(void **state)
{
    (void)state;
    msgpack_sbuffer_destroy(&packed);
    free(text);
    text = NULL;
    return 0;
}

static tocsin_value_t items(void)
{
    return (tocsin_value_t){packed.data, packed.size};
}

static FILE *open_text(size_t *size)
{
    free(text);
    return open_memstream(&text, size);
}

static void test_output__a_table_has_a_heading_and_a_row_an_item(void **state)
{
    (void)state;
    size_t size;
    FILE *out = open_text(&size);
    output_table("incident title occurrences", items(), out);
    fclose(out);
    assert_string_equal(text, "INCIDENT  TITLE               OCCURRENCES\n"
                              "INC-1     disk \"full\", again  -\n"
                              "INC-12    h\xc3\xa9                  3\n");
}

static void test_output__a_column_can_be_shown_as_another(void **state)
{
    (void)state;
    size_t size;
    msgpack_sbuffer_clear(&packed);
    pack_array(&packed, 1);
    pack_map(&packed, 1);
    pack_string(&packed, "mean");
    pack_number(&packed, 0.25);
    FILE *out = open_text(&size);
    output_table("mean=duration", items(), out);
    output_table("mean", items(), out);
    fclose(out);
    assert_string_equal(text, "MEAN\n250 ms\nMEAN\n0.25\n");
}

static void test_output__csv_has_every_key_and_quotes_what_it_must(void **state)
{
    (void)state;
    size_t size;
    FILE *out = open_text(&size);
    output_csv(items(), out);
    fclose(out);
    assert_string_equal(text,
                        "incident,title,systems,occurrences\n"
                        "INC-1,\"disk \"\"full\"\", again\",\"[\"\"db-1\"\",\"\"db-2\"\"]\",\n"
                        "INC-12,h\xc3\xa9,,3\n");
}

static void test_output__json_lines_are_an_item_each(void **state)
{
    (void)state;
    size_t size;
    FILE *out = open_text(&size);
    output_json_lines(items(), out);
    fclose(out);
    assert_string_equal(text,
                        "{\"incident\":\"INC-1\",\"title\":\"disk \\\"full\\\", "
                        "again\",\"systems\":[\"db-1\",\"db-2\"]}\n"
                        "{\"incident\":\"INC-12\",\"title\":\"h\xc3\xa9\",\"occurrences\":3}\n");
}

static void test_output__a_thing_has_a_line_a_key_and_its_notes_below_each_other(void **state)
{
    (void)state;
    size_t size;
    msgpack_sbuffer_clear(&packed);
    pack_map(&packed, 3);
    pack_pair("incident", "INC-1");
    pack_string(&packed, "notes");
    pack_array(&packed, 2);
    for (int i = 0; i < 2; i++) {
        pack_map(&packed, 3);
        pack_string(&packed, "time");
        pack_number(&packed, 1800000000 + i);
        pack_pair("by", "anna");
        pack_string(&packed, "text");
        pack_text(&packed, i == 0 ? TEXT_OF("it is the disk") : TEXT_NONE);
    }
    pack_string(&packed, "steps");
    pack_map(&packed, 1);
    pack_string(&packed, "look");
    pack_array(&packed, 1);
    pack_string(&packed, "top");
    FILE *out = open_text(&size);
    output_thing(items(), out);
    fclose(out);
    assert_string_equal(text, "incident  INC-1\n"
                              "notes     2027-01-15T08:00:00Z  anna  it is the disk\n"
                              "          2027-01-15T08:00:01Z  anna\n"
                              "steps     look: top\n");
}

static void test_output__nothing_in_a_list_is_a_heading_alone(void **state)
{
    (void)state;
    size_t size;
    msgpack_sbuffer_clear(&packed);
    pack_array(&packed, 0);
    FILE *out = open_text(&size);
    output_table("incident title", items(), out);
    output_csv(items(), out);
    output_json_lines(items(), out);
    fclose(out);
    assert_string_equal(text, "INCIDENT  TITLE\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_output__a_table_has_a_heading_and_a_row_an_item, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_output__a_column_can_be_shown_as_another, begin, end),
        cmocka_unit_test_setup_teardown(test_output__csv_has_every_key_and_quotes_what_it_must,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_output__json_lines_are_an_item_each, begin, end),
        cmocka_unit_test_setup_teardown(
            test_output__a_thing_has_a_line_a_key_and_its_notes_below_each_other, begin, end),
        cmocka_unit_test_setup_teardown(test_output__nothing_in_a_list_is_a_heading_alone, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
