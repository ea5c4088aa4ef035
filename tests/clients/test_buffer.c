/*  What is written here by hand must be what msgpack-c would write, or read back as the same. */
#include "clients/libtocsin/buffer.h"

#include "proto/cursor.h"
#include "tests/check.h"

#include <float.h>
#include <msgpack.h>

static buffer_t buffer;

static int tear_down(void **state)
{
    (void)state;
    buffer_free(&buffer);
    return 0;
}

static value_t read_back(void)
{
    value_t value;
    assert_false(buffer.failed);
    assert_int_equal(cursor_check(buffer.data, buffer.size, 8), STATUS_OK);
    cursor_t cursor = cursor_over(buffer.data, buffer.size);
    assert_true(cursor_read(&cursor, &value));
    return value;
}

static void test_buffer__a_text_of_any_length_is_as_short_as_can_be(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 31, 32, 33, 255, 256, 257, 65535, 65536, 100000};
    static char text[100000];
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        msgpack_sbuffer expected;
        msgpack_packer packer;
        msgpack_sbuffer_init(&expected);
        msgpack_packer_init(&packer, &expected, msgpack_sbuffer_write);
        msgpack_pack_str_with_body(&packer, text, sizes[i]);
        buffer_cut(&buffer, 0);
        buffer_span(&buffer, text, sizes[i]);
        assert_int_equal(buffer.size, expected.size);
        assert_memory_equal(buffer.data, expected.data, expected.size);
        msgpack_sbuffer_destroy(&expected);
    }
}

static void test_buffer__a_number_is_read_back_to_the_last_bit(void **state)
{
    (void)state;
    static const double numbers[] = {0, -0.0, 1, -1, 0.1, 1e300, DBL_MAX, DBL_MIN, DBL_TRUE_MIN};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        buffer_cut(&buffer, 0);
        buffer_number(&buffer, numbers[i]);
        double back = read_back().as.f;
        assert_memory_equal(&back, &numbers[i], sizeof back);
        assert_int_equal(buffer.size, BUFFER_NUMBER_BYTES);
    }
}

static void test_buffer__what_no_number_can_be_is_nil(void **state)
{
    (void)state;
    static const double numbers[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        buffer_cut(&buffer, 0);
        buffer_number(&buffer, numbers[i]);
        assert_int_equal(read_back().type, VALUE_NIL);
    }
    buffer_cut(&buffer, 0);
    buffer_text(&buffer, NULL);
    assert_int_equal(read_back().type, VALUE_NIL);
}

static void test_buffer__labels_have_a_head_of_their_number(void **state)
{
    (void)state;
    tocsin_label_t labels[20];
    for (size_t i = 0; i < 20; i++)
        labels[i] = (tocsin_label_t){"name", "value"};
    for (size_t count = 0; count <= 20; count++) {
        buffer_cut(&buffer, 0);
        buffer_labels(&buffer, labels, count);
        value_t map = read_back();
        assert_int_equal(map.type, VALUE_MAP);
        assert_int_equal(map.as.count, count);
    }
}

static void test_buffer__a_container_counts_to_65535_and_no_further(void **state)
{
    (void)state;
    size_t opened = buffer_open_array(&buffer);
    for (unsigned i = 0; i < 65535; i++)
        buffer_bool(&buffer, i % 2 == 0);
    buffer_close(&buffer, opened, 65535);
    assert_int_equal(read_back().as.count, 65535);
    buffer_cut(&buffer, 0);
    opened = buffer_open_array(&buffer);
    buffer_close(&buffer, opened, 65536);
    assert_true(buffer.failed);
}

static void test_buffer__what_failed_stays_so_until_it_is_cut_back(void **state)
{
    (void)state;
    buffer_text(&buffer, "kept");
    size_t size = buffer.size;
    assert_false(buffer_has_room(&buffer, SIZE_MAX - 100));
    assert_true(buffer.failed);
    buffer_text(&buffer, "not written");
    buffer_number(&buffer, 1);
    assert_int_equal(buffer.size, size);
    buffer_cut(&buffer, size);
    assert_text(read_back().as.text, "kept");
}

static void test_buffer__a_batch_has_its_count_in_four_bytes(void **state)
{
    (void)state;
    buffer_batch_head(&buffer);
    for (unsigned i = 0; i < 300; i++)
        buffer_nil(&buffer);
    buffer_batch_count(&buffer, 300);
    assert_int_equal(read_back().as.count, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_buffer__a_text_of_any_length_is_as_short_as_can_be,
                                  tear_down),
        cmocka_unit_test_teardown(test_buffer__a_number_is_read_back_to_the_last_bit, tear_down),
        cmocka_unit_test_teardown(test_buffer__what_no_number_can_be_is_nil, tear_down),
        cmocka_unit_test_teardown(test_buffer__labels_have_a_head_of_their_number, tear_down),
        cmocka_unit_test_teardown(test_buffer__a_container_counts_to_65535_and_no_further,
                                  tear_down),
        cmocka_unit_test_teardown(test_buffer__what_failed_stays_so_until_it_is_cut_back,
                                  tear_down),
        cmocka_unit_test_teardown(test_buffer__a_batch_has_its_count_in_four_bytes, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
