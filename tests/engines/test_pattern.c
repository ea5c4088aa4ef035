#include "engines/pattern.h"
#include "tests/check.h"

static pattern_match_t match(const char *text, const char *subject)
{
    const char *wrong;
    pattern_t *pattern = pattern_new(text_of(text), &wrong);
    if (pattern == NULL)
        fail_msg("%s: %s", text, wrong);
    pattern_match_t answer = pattern_matches(pattern, text_of(subject));
    pattern_destroy(&pattern);
    return answer;
}

static void test_pattern__the_whole_text_must_match(void **state)
{
    (void)state;
    assert_int_equal(match("b", "abc"), PATTERN_NO);
    assert_int_equal(match(".*b.*", "abc"), PATTERN_YES);
    assert_int_equal(match("a|abc", "abc"), PATTERN_YES);
    assert_int_equal(match("", ""), PATTERN_YES);
    assert_int_equal(match("^a$", "a"), PATTERN_YES);
    assert_int_equal(match("a$", "a\n"), PATTERN_NO);
    assert_int_equal(match("a.", "a\n"), PATTERN_NO);
    assert_int_equal(match("a.", "aä"), PATTERN_YES);
}

/* As regexp of Go takes them. */
static void test_pattern__what_re2_takes_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *subject;
        pattern_match_t match;
    } rows[] = {
        {"(?i)ab", "AB", PATTERN_YES},
        {"(?i-s)a", "A", PATTERN_YES},
        {"(?)a", "a", PATTERN_YES},
        {"(?i:a)b", "AB", PATTERN_NO},
        {"(?s)a.b", "a\nb", PATTERN_YES},
        {"(?P<n>a)+", "aa", PATTERN_YES},
        {"a{2}", "aa", PATTERN_YES},
        {"a{2,}?b", "aaab", PATTERN_YES},
        {"a{,2}", "a{,2}", PATTERN_YES},
        {"a{x", "a{x", PATTERN_YES},
        {"[[:alpha:]]+[^[:digit:]]", "ab-", PATTERN_YES},
        {"[]a]+", "]a", PATTERN_YES},
        {"[^\\d\\]]", "x", PATTERN_YES},
        {"\\Qa.b\\E+", "a.bb", PATTERN_YES},
        {"\\x41\\x{1F600}\\101\\0",
         "A\xf0\x9f\x98\x80"
         "A",
         PATTERN_NO},
        {"\\x41\\x{1F600}\\101",
         "A\xf0\x9f\x98\x80"
         "A",
         PATTERN_YES},
        {"\\pL\\p{Greek}\\PN", "aαb", PATTERN_YES},
        {"\\v", "\v", PATTERN_YES},
        {"\\v", "\f", PATTERN_NO},
        {"a\\.b\\-c\\/", "a.b-c/", PATTERN_YES},
        {"(a|)(b|)", "b", PATTERN_YES},
        {"\\bab\\b", "ab", PATTERN_YES},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (match(rows[i].pattern, rows[i].subject) != rows[i].match)
            fail_msg("%s against %s", rows[i].pattern, rows[i].subject);
}

static void test_pattern__what_only_pcre2_takes_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "(a)\\1",    "(?=a)",      "(?<=a)",  "(?!a)", "(?>a)", "(?|a)",  "(?R)",   "(?P=n)",
        "(?P>n)",    "(?<n>a)",    "(*FAIL)", "a*+",   "a++",   "a?+",    "a**",    "a{2}{3}",
        "\\K",       "\\G",        "\\R",     "\\X",   "\\h",   "\\Z",    "\\N",    "\\g{1}",
        "\\k<n>",    "\\cA",       "\\e",     "\\C",   "*a",    "(*a)",   "a|*",    "a{1001}",
        "a{1,1001}", "\\8",        "(",       ")",     "[a",    "a\\",    "\\Qa",   "[b-a]",
        "(?x)a b",   "(?#c)",      "[\\b]",   "\\777", "(?",    "(?-:a)", "(?i-)a", "(?--i)a",
        "(?i",       "\\x{110000}"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *wrong = NULL;
        pattern_t *pattern = pattern_new(text_of(rows[i]), &wrong);
        if (pattern != NULL)
            fail_msg("%s is taken", rows[i]);
        if (pattern == NULL)
            assert_non_null(wrong);
        pattern_destroy(&pattern);
    }
}

static void test_pattern__backtracking_without_end_is_an_error(void **state)
{
    (void)state;
    char subject[1001];
    memset(subject, 'a', 1000);
    subject[1000] = '\0';
    assert_int_equal(match("(a+)+[bc]", subject), PATTERN_ERROR);
    assert_int_equal(match("(a|aa)*(a|aa)*(a|aa)*[bc]", subject), PATTERN_ERROR);
    assert_int_equal(match(".*a.*[bc]?", subject), PATTERN_YES);
}

static void test_pattern__a_pattern_too_long_or_too_great_is_refused(void **state)
{
    (void)state;
    static char text[PATTERN_MAX_BYTES + 2];
    const char *wrong;
    memset(text, 'a', PATTERN_MAX_BYTES + 1);
    assert_null(pattern_new(text_of(text), &wrong));
    assert_null(pattern_new(TEXT_OF("(((a{1000}){1000}){1000}){1000}"), &wrong));
    memset(text, '(', 1000);
    memset(text + 1000, ')', 1000);
    text[2000] = '\0';
    assert_null(pattern_new(text_of(text), &wrong));
}

static void test_pattern__an_expansion_has_a_bound(void **state)
{
    (void)state;
    const char *wrong;
    char subject[1001];
    memset(subject, 'a', 1000);
    subject[1000] = '\0';
    arena_t arena;
    arena_init(&arena);
    text_t out;
    pattern_t *pattern = pattern_new(TEXT_OF("(.*)"), &wrong);
    assert_int_equal(pattern_expand(pattern, text_of(subject), TEXT_OF("$1$1$1$1"), &arena, &out),
                     PATTERN_YES);
    assert_int_equal(out.size, 4000);
    assert_int_equal(pattern_expand(pattern, text_of(subject), TEXT_OF("$1$1$1$1$1"), &arena, &out),
                     PATTERN_ERROR);
    pattern_destroy(&pattern);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pattern__the_whole_text_must_match),
        cmocka_unit_test(test_pattern__what_re2_takes_is_taken),
        cmocka_unit_test(test_pattern__what_only_pcre2_takes_is_refused),
        cmocka_unit_test(test_pattern__backtracking_without_end_is_an_error),
        cmocka_unit_test(test_pattern__a_pattern_too_long_or_too_great_is_refused),
        cmocka_unit_test(test_pattern__an_expansion_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
