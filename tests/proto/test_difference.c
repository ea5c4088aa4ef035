#include "proto/difference.h"
#include "proto/wording.h"
#include "tests/check.h"

static arena_t arena;

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static policy_t policy_of(const char *name)
{
    policy_t policy;
    schema_defaults(&policy_schema, &policy);
    policy.name = text_of(name);
    return policy;
}

static void test_difference__equal_things_do_not_differ(void **state)
{
    (void)state;
    policy_t a = policy_of("p"), b = policy_of("p");
    size_t at = 0;
    difference_t difference;
    assert_false(difference_next(&policy_schema, &a, &b, &at, &arena, &difference));
}

static void test_difference__each_key_is_said_in_the_order_of_the_table(void **state)
{
    (void)state;
    static const text_t channels[] = {{"ops", 3}, {"dev", 3}};
    uint8_t bytes[LABELS_MAX_BYTES];
    const label_t pairs[] = {{TEXT_OF("team"), TEXT_OF("core")}, {TEXT_OF("a"), TEXT_OF("b")}};
    policy_t a = policy_of("p"), b = policy_of("p");
    b.severity = SEVERITY_CRITICAL;
    b.channels = (texts_t){channels, 2};
    b.for_s = 90.5;
    b.enabled = false;
    b.labels = labels_build(pairs, 2, bytes);
    a.summary = TEXT_OF("one\ntwo");
    b.plan = 7; /* hidden: not a difference to anybody */
    static const char *const expected[][3] = {{"severity", "low", "critical"},
                                              {"channels", "", "ops, dev"},
                                              {"for", "0", "90.5"},
                                              {"enabled", "true", "false"},
                                              {"labels", "", "a=b, team=core"},
                                              {"summary", "one\ntwo", NULL}};
    size_t at = 0;
    difference_t difference;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_true(difference_next(&policy_schema, &a, &b, &at, &arena, &difference));
        assert_string_equal(difference.key, expected[i][0]);
        assert_text(difference.from, expected[i][1]);
        if (expected[i][2] == NULL)
            assert_null(difference.to.data);
        else
            assert_text(difference.to, expected[i][2]);
    }
    assert_false(difference_next(&policy_schema, &a, &b, &at, &arena, &difference));
}

static void test_difference__points_in_time_are_not_compared(void **state)
{
    (void)state;
    incident_t a, b;
    schema_defaults(&incident_schema, &a);
    b = a;
    b.updated_at = 5;
    size_t at = 0;
    difference_t difference;
    assert_false(difference_next(&incident_schema, &a, &b, &at, &arena, &difference));
}

static void test_wording__text_without_end_is_put_in_at_its_length(void **state)
{
    (void)state;
    text_t part = {"hosts", 4};
    assert_text(words_in(&arena, "%.*s of %.*s", WORDS(part), WORDS(TEXT_NONE)), "host of ");
    char id[NUMBERED_BYTES];
    assert_text(numbered(id, "INC-", UINT64_MAX), "INC-18446744073709551615");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_difference__equal_things_do_not_differ, tear_down),
        cmocka_unit_test_teardown(test_difference__each_key_is_said_in_the_order_of_the_table,
                                  tear_down),
        cmocka_unit_test_teardown(test_difference__points_in_time_are_not_compared, tear_down),
        cmocka_unit_test_teardown(test_wording__text_without_end_is_put_in_at_its_length,
                                  tear_down),
    };
    return cmocka_run_group_tests_name("difference", tests, NULL, NULL);
}
