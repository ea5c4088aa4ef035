#include "engines/glob.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

/* The reference says what a pattern means, one character after the other, by trying everything. */
static bool takes(const char *pattern, const char *name)
{
    if (*pattern == '*')
        return takes(pattern + 1, name) || (*name != '\0' && takes(pattern, name + 1));
    if (*name == '\0' || *pattern == '\0')
        return *pattern == *name;
    return (*pattern == '?' || *pattern == *name) && takes(pattern + 1, name + 1);
}

static void write_any(dice_t *dice, char *out, size_t room, const char *letters)
{
    size_t size = dice_below(dice, room);
    for (size_t i = 0; i < size; i++)
        out[i] = letters[dice_below(dice, strlen(letters))];
    out[size] = '\0';
}

static void is_as_the_reference(dice_t *dice)
{
    char pattern[8], name[12];
    for (int i = 0; i < 20; i++) {
        write_any(dice, pattern, sizeof pattern, "ab*?");
        write_any(dice, name, sizeof name, "ab");
        assert_int_equal(glob_takes(text_of(pattern), text_of(name)), takes(pattern, name));
    }
}

static void test_glob__takes_what_the_reference_takes(void **state)
{
    (void)state;
    seeds_run(is_as_the_reference);
}

static void test_glob__a_question_mark_takes_one_character_of_any_length(void **state)
{
    (void)state;
    assert_true(glob_takes(TEXT_OF("h?te"), TEXT_OF("h\xc3\xb4te")));
    assert_false(glob_takes(TEXT_OF("h??te"), TEXT_OF("h\xc3\xb4te")));
    assert_true(glob_takes(TEXT_OF("*\xb4"), TEXT_OF("h\xc3\xb4")) == false);
}

static void test_glob__many_stars_take_no_longer_than_a_product(void **state)
{
    (void)state;
    char name[10001] = {0};
    memset(name, 'a', sizeof name - 1);
    assert_false(glob_takes(TEXT_OF("*a*a*a*a*a*a*a*a*a*a*b"), text_of(name)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        seeds_test(test_glob__takes_what_the_reference_takes),
        cmocka_unit_test(test_glob__a_question_mark_takes_one_character_of_any_length),
        cmocka_unit_test(test_glob__many_stars_take_no_longer_than_a_product),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
