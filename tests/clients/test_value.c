#include "tests/check.h"

#include <string.h>
#include <tocsin.h>

#define VALUE(literal) ((tocsin_value_t){"" literal, sizeof(literal) - 1})

static void test_value__a_key_of_a_map_is_found(void **state)
{
    (void)state;
    char text[8];
    tocsin_value_t map = VALUE("\x83\xa1"
                               "a\x01\x07\x02\xa1"
                               "b\xa3yes");
    assert_string_equal(tocsin_value_copy(tocsin_value_of(map, "b"), text, sizeof text), "yes");
    assert_int_equal(tocsin_value_of(map, "c").size, 0);
    assert_int_equal(tocsin_value_of(map, "").size, 0);
    assert_int_equal(tocsin_value_count(map), 3);
}

static void test_value__an_element_of_an_array_is_found(void **state)
{
    (void)state;
    int64_t integer = 0;
    tocsin_value_t array = VALUE("\x93\x01\x91\x02\x03");
    assert_int_equal(tocsin_value_count(array), 3);
    assert_true(tocsin_value_integer(tocsin_value_at(array, 2), &integer));
    assert_int_equal(integer, 3);
    assert_int_equal(tocsin_value_count(tocsin_value_at(array, 1)), 1);
    assert_int_equal(tocsin_value_at(array, 3).size, 0);
    assert_int_equal(tocsin_value_of(array, "a").size, 0);
}

static void test_value__what_is_absent_answers_everything_with_nothing(void **state)
{
    (void)state;
    tocsin_value_t absent = {NULL, 0};
    double number = 7;
    int64_t integer = 7;
    bool boolean = true;
    size_t size = 7;
    char text[4] = "xyz";
    assert_int_equal(tocsin_value_of(absent, "a").size, 0);
    assert_int_equal(tocsin_value_at(absent, 0).size, 0);
    assert_int_equal(tocsin_value_count(absent), 0);
    assert_false(tocsin_value_number(absent, &number));
    assert_false(tocsin_value_integer(absent, &integer));
    assert_false(tocsin_value_boolean(absent, &boolean));
    assert_null(tocsin_value_text(absent, &size));
    assert_int_equal(size, 0);
    assert_string_equal(tocsin_value_copy(absent, text, sizeof text), "");
    assert_double(number, 7, 0);
    assert_int_equal(integer, 7);
    assert_true(boolean);
}

static void test_value__a_number_may_have_any_form(void **state)
{
    (void)state;
    static const tocsin_value_t forms[] = {
        {"\x07", 1},         {"\xcc\x07", 2},
        {"\xd0\x07", 2},     {"\xca\x40\xe0\x00\x00", 5},
        {"\xcd\x00\x07", 3}, {"\xcb\x40\x1c\x00\x00\x00\x00\x00\x00", 9}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        double number = 0;
        assert_true(tocsin_value_number(forms[i], &number));
        assert_double(number, 7, 0);
    }
    double number;
    assert_false(tocsin_value_number(VALUE("\xa1"
                                           "7"),
                                     &number));
    assert_false(tocsin_value_number(VALUE("\xc3"), &number));
}

static void test_value__an_integer_is_no_fraction_and_fits(void **state)
{
    (void)state;
    int64_t integer = 0;
    assert_true(tocsin_value_integer(VALUE("\xff"), &integer));
    assert_int_equal(integer, -1);
    assert_true(tocsin_value_integer(VALUE("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), &integer));
    assert_true(integer == INT64_MAX);
    assert_false(tocsin_value_integer(VALUE("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"), &integer));
    assert_false(tocsin_value_integer(VALUE("\xca\x3f\xc0\x00\x00"), &integer));
}

static void test_value__a_copy_that_does_not_fit_is_cut_and_terminated(void **state)
{
    (void)state;
    char text[4] = "xyz";
    size_t size;
    tocsin_value_t value = VALUE("\xa5hello");
    assert_string_equal(tocsin_value_copy(value, text, sizeof text), "hel");
    assert_string_equal(tocsin_value_copy(value, text, 1), "");
    text[0] = 'k';
    tocsin_value_copy(value, text, 0);
    assert_int_equal(text[0], 'k');
    assert_memory_equal(tocsin_value_text(value, &size), "hello", 5);
    assert_int_equal(size, 5);
}

static void test_value__every_status_has_its_words(void **state)
{
    (void)state;
    for (int status = TOCSIN_OK; status <= TOCSIN_SYSTEM; status++)
        for (int other = TOCSIN_OK; other < status; other++)
            assert_string_not_equal(tocsin_status_text((tocsin_status_t)status),
                                    tocsin_status_text((tocsin_status_t)other));
    assert_string_equal(tocsin_status_text((tocsin_status_t)99), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value__a_key_of_a_map_is_found),
        cmocka_unit_test(test_value__an_element_of_an_array_is_found),
        cmocka_unit_test(test_value__what_is_absent_answers_everything_with_nothing),
        cmocka_unit_test(test_value__a_number_may_have_any_form),
        cmocka_unit_test(test_value__an_integer_is_no_fraction_and_fits),
        cmocka_unit_test(test_value__a_copy_that_does_not_fit_is_cut_and_terminated),
        cmocka_unit_test(test_value__every_status_has_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
