#include "broker/windows_file.h"
#include "tests/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64], path[128], temporary[128];
static msgpack_sbuffer content;

static int set_up(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/tocsin-windows-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/windows", directory);
    snprintf(temporary, sizeof temporary, "%s/windows.new", directory);
    msgpack_sbuffer_init(&content);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    msgpack_sbuffer_destroy(&content);
    unlink(path);
    unlink(temporary);
    rmdir(temporary);
    return rmdir(directory);
}

static void assert_content(const char *expected)
{
    content.size = 0;
    assert_int_equal(windows_file_read(directory, &content), 0);
    assert_int_equal(content.size, strlen(expected));
    assert_memory_equal(content.data, expected, content.size);
}

static void test_windows_file__is_absent_at_first(void **state)
{
    (void)state;
    assert_int_equal(windows_file_read(directory, &content), ENOENT);
    assert_int_equal(content.size, 0);
}

static void test_windows_file__the_last_one_written_stands(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(windows_file_write(directory, TEXT_OF("one")), 0);
    assert_content("one");
    assert_int_equal(windows_file_write(directory, TEXT_OF("another")), 0);
    assert_content("another");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(stat(temporary, &status), -1);
}

static void test_windows_file__what_a_crash_left_beside_it_is_overwritten(void **state)
{
    (void)state;
    assert_int_equal(windows_file_write(directory, TEXT_OF("whole")), 0);
    FILE *half = fopen(temporary, "w");
    assert_non_null(half);
    fputs("half of something much longer", half);
    fclose(half);
    assert_content("whole");
    assert_int_equal(windows_file_write(directory, TEXT_OF("next")), 0);
    assert_content("next");
}

static void test_windows_file__the_old_one_stays_when_the_new_one_cannot_be_written(void **state)
{
    (void)state;
    assert_int_equal(windows_file_write(directory, TEXT_OF("old")), 0);
    assert_int_equal(mkdir(temporary, 0700), 0);
    assert_int_equal(windows_file_write(directory, TEXT_OF("new")), EISDIR);
    assert_content("old");
    assert_int_equal(windows_file_write("/tmp/tocsin-no-such-directory", TEXT_OF("new")), ENOENT);
}

static void test_windows_file__a_large_one_comes_back_whole(void **state)
{
    (void)state;
    size_t size = (1u << 20) + 17;
    char *bytes = malloc(size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 31 % 251);
    assert_int_equal(windows_file_write(directory, (text_t){bytes, size}), 0);
    assert_int_equal(windows_file_read(directory, &content), 0);
    assert_int_equal(content.size, size);
    assert_memory_equal(content.data, bytes, size);
    free(bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_windows_file__is_absent_at_first),
        TEST(test_windows_file__the_last_one_written_stands),
        TEST(test_windows_file__what_a_crash_left_beside_it_is_overwritten),
        TEST(test_windows_file__the_old_one_stays_when_the_new_one_cannot_be_written),
        TEST(test_windows_file__a_large_one_comes_back_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
