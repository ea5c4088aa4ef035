#include "proto/labels.h"

#include "tests/check.h"

#include <stdio.h>
#include <string.h>

static uint8_t buffer[LABELS_MAX_BYTES], other_buffer[LABELS_MAX_BYTES],
    third_buffer[LABELS_MAX_BYTES];

/*  Pairs of C strings, ended by NULL. */
static labels_t build(uint8_t *bytes, const char *const *words)
{
    label_t pairs[LABELS_MAX];
    size_t count = 0;
    for (; words[2 * count] != NULL; count++)
        pairs[count] = (label_t){text_of(words[2 * count]), text_of(words[2 * count + 1])};
    return labels_build(pairs, count, bytes);
}

#define BUILD(bytes, ...) build(bytes, (const char *const[]){__VA_ARGS__, NULL})

/*  "a=1,b=2" */
static const char *shown(labels_t labels)
{
    static char text[4096];
    size_t size = 0;
    label_t label;
    text[0] = '\0';
    for (uint32_t at = 0; labels_next(labels, &at, &label);)
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%.*s=%.*s",
                                 size == 0 ? "" : ",", (int)label.name.size, label.name.data,
                                 (int)label.value.size, label.value.data);
    return text;
}

static raw_labels_t raw(const char *bytes, size_t size, uint32_t pairs)
{
    return (raw_labels_t){(const uint8_t *)bytes, (uint32_t)size, pairs};
}

#define RAW(bytes, pairs) raw(bytes, sizeof(bytes) - 1, pairs)

static void test_labels__order_of_sending_does_not_matter(void **state)
{
    (void)state;
    labels_t one = labels_canonical(RAW("\xa1"
                                        "a\xa1"
                                        "1\xa1"
                                        "b\xa1"
                                        "2",
                                        2),
                                    buffer);
    labels_t two = labels_canonical(RAW("\xa1"
                                        "b\xa1"
                                        "2\xa1"
                                        "a\xa1"
                                        "1",
                                        2),
                                    other_buffer);
    assert_true(labels_equal(one, two));
    assert_int_equal(one.count, 2);
    assert_string_equal(shown(two), "a=1,b=2");
}

static void test_labels__an_empty_value_is_no_label(void **state)
{
    (void)state;
    labels_t one = labels_canonical(RAW("\xa1"
                                        "a\xa0\xa1"
                                        "b\xa1"
                                        "2",
                                        2),
                                    buffer);
    assert_string_equal(shown(one), "b=2");
    assert_int_equal(one.count, 1);
    assert_true(labels_equal(labels_canonical(RAW("\xa1"
                                                  "a\xa0",
                                                  1),
                                              buffer),
                             LABELS_NONE));
}

static void test_labels__no_labels_are_no_bytes(void **state)
{
    (void)state;
    labels_t none = labels_canonical((raw_labels_t){NULL, 0, 0}, buffer);
    assert_int_equal(none.size, 0);
    assert_int_equal(none.count, 0);
    assert_true(labels_equal(none, LABELS_NONE));
}

static void test_labels__a_long_encoding_becomes_the_shortest(void **state)
{
    (void)state;
    labels_t labels = labels_canonical(RAW("\xda\0\x01"
                                           "a\xdb\0\0\0\x01"
                                           "1",
                                           1),
                                       buffer);
    assert_int_equal(labels.size, 4);
    assert_memory_equal(labels.bytes,
                        "\xa1"
                        "a\xa1"
                        "1",
                        4);
}

static void test_labels__each_length_has_its_shortest_header(void **state)
{
    (void)state;
    static const struct {
        size_t size, header;
    } rows[] = {{1, 1}, {31, 1}, {32, 2}, {255, 2}, {256, 3}, {1024, 3}};
    char value[1024];
    memset(value, 'v', sizeof value);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        label_t label = {TEXT_OF("n"), {value, rows[i].size}};
        labels_t labels = labels_build(&label, 1, buffer);
        assert_int_equal(labels.size, 2 + rows[i].header + rows[i].size);
        assert_int_equal(labels_get(labels, TEXT_OF("n")).size, rows[i].size);
    }
}

static void test_labels__names_stand_in_order_of_bytes_and_the_shorter_first(void **state)
{
    (void)state;
    labels_t labels = BUILD(buffer, "b", "1", "aa", "2", "a", "3", "\xc3\xa4", "4", "B", "5");
    assert_string_equal(shown(labels), "B=5,a=3,aa=2,b=1,\xc3\xa4=4");
}

static void test_labels__of_a_name_built_twice_the_later_wins(void **state)
{
    (void)state;
    assert_string_equal(shown(BUILD(buffer, "a", "1", "b", "2", "a", "3")), "a=3,b=2");
}

static void test_labels__an_empty_value_built_later_removes_the_label(void **state)
{
    (void)state;
    assert_string_equal(shown(BUILD(buffer, "a", "1", "b", "2", "a", "")), "b=2");
    assert_string_equal(shown(BUILD(buffer, "a", "", "a", "1")), "a=1");
}

static void test_labels__as_many_as_there_may_be_of_the_longest_fit(void **state)
{
    (void)state;
    static char names[LABELS_MAX][128], value[1024];
    label_t pairs[LABELS_MAX];
    memset(value, 'v', sizeof value);
    for (size_t i = 0; i < LABELS_MAX; i++) {
        memset(names[i], 'n', sizeof names[i]);
        names[i][0] = (char)('0' + (LABELS_MAX - 1 - i));
        pairs[i] = (label_t){{names[i], sizeof names[i]}, {value, sizeof value}};
    }
    labels_t labels = labels_build(pairs, LABELS_MAX, buffer);
    assert_int_equal(labels.count, LABELS_MAX);
    assert_true(labels.size <= LABELS_MAX_BYTES);
    assert_int_equal(labels.bytes[2], '0');
}

static void test_labels__a_label_is_found_by_its_name(void **state)
{
    (void)state;
    labels_t labels = BUILD(buffer, "a", "1", "bb", "2");
    assert_text(labels_get(labels, TEXT_OF("bb")), "2");
    assert_null(labels_get(labels, TEXT_OF("b")).data);
    assert_null(labels_get(LABELS_NONE, TEXT_OF("a")).data);
}

static void test_labels__a_set_includes_each_of_its_parts(void **state)
{
    (void)state;
    labels_t set = BUILD(buffer, "a", "1", "b", "2", "c", "3");
    assert_true(labels_include(set, LABELS_NONE));
    assert_true(labels_include(set, set));
    assert_true(labels_include(set, BUILD(other_buffer, "b", "2")));
    assert_true(labels_include(set, BUILD(other_buffer, "a", "1", "c", "3")));
    assert_false(labels_include(set, BUILD(other_buffer, "b", "3")));
    assert_false(labels_include(set, BUILD(other_buffer, "a", "1", "d", "3")));
    assert_false(labels_include(set, BUILD(other_buffer, "0", "1")));
    assert_false(labels_include(LABELS_NONE, set));
}

static void test_labels__what_is_laid_over_wins(void **state)
{
    (void)state;
    labels_t base = BUILD(buffer, "a", "1", "b", "2", "d", "4");
    labels_t over = BUILD(other_buffer, "b", "x", "c", "3", "e", "5");
    labels_t merged = labels_merge(base, over, third_buffer);
    assert_string_equal(shown(merged), "a=1,b=x,c=3,d=4,e=5");
    assert_int_equal(merged.count, 5);
    assert_true(labels_equal(labels_merge(base, LABELS_NONE, third_buffer), base));
    assert_true(labels_equal(labels_merge(LABELS_NONE, over, third_buffer), over));
}

static void test_labels__without_a_label_the_others_stay(void **state)
{
    (void)state;
    labels_t labels = BUILD(buffer, "a", "1", "b", "2", "c", "3");
    labels_t less = labels_without(labels, TEXT_OF("b"), other_buffer);
    assert_string_equal(shown(less), "a=1,c=3");
    assert_int_equal(less.count, 2);
    assert_true(labels_equal(labels_without(labels, TEXT_OF("x"), other_buffer), labels));
}

static void test_labels__the_order_of_sets_is_total(void **state)
{
    (void)state;
    labels_t a = BUILD(buffer, "a", "1"), b = BUILD(other_buffer, "a", "1", "b", "2");
    assert_true(labels_compare(a, b) < 0);
    assert_true(labels_compare(b, a) > 0);
    assert_int_equal(labels_compare(a, a), 0);
    assert_true(labels_compare(LABELS_NONE, a) < 0);
    assert_int_equal(labels_compare(LABELS_NONE, LABELS_NONE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels__order_of_sending_does_not_matter),
        cmocka_unit_test(test_labels__an_empty_value_is_no_label),
        cmocka_unit_test(test_labels__no_labels_are_no_bytes),
        cmocka_unit_test(test_labels__a_long_encoding_becomes_the_shortest),
        cmocka_unit_test(test_labels__each_length_has_its_shortest_header),
        cmocka_unit_test(test_labels__names_stand_in_order_of_bytes_and_the_shorter_first),
        cmocka_unit_test(test_labels__of_a_name_built_twice_the_later_wins),
        cmocka_unit_test(test_labels__an_empty_value_built_later_removes_the_label),
        cmocka_unit_test(test_labels__as_many_as_there_may_be_of_the_longest_fit),
        cmocka_unit_test(test_labels__a_label_is_found_by_its_name),
        cmocka_unit_test(test_labels__a_set_includes_each_of_its_parts),
        cmocka_unit_test(test_labels__what_is_laid_over_wins),
        cmocka_unit_test(test_labels__without_a_label_the_others_stay),
        cmocka_unit_test(test_labels__the_order_of_sets_is_total),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
