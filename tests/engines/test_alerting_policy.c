#include "engines/operations/alerting_policy.h"
#include "tests/check.h"

#include <stdio.h>
#include <string.h>

static char said[2048];
static policy_book_t *book;
static effects_t effects;

static void hear(void *context, const effect_t *effect)
{
    (void)context;
    size_t size = strlen(said);
    if (effect->type == EFFECT_PLAN_PUT)
        snprintf(said + size, sizeof said - size, "+%d:%.*s/%g/%g ", (int)effect->as.plan.id,
                 (int)effect->as.plan.condition.size, effect->as.plan.condition.data,
                 effect->as.plan.interval_s, effect->as.plan.lookback_s);
    else if (effect->type == EFFECT_PLAN_DELETE)
        snprintf(said + size, sizeof said - size, "-%d ", (int)effect->as.id);
}

static int set_up(void **state)
{
    (void)state;
    said[0] = '\0';
    effects = (effects_t){.sink = {hear, NULL}};
    book = policy_book_new(8, 7, &effects);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    policy_book_destroy(&book);
    arena_free(&effects.scratch);
    return 0;
}

static policy_t policy_of(const char *name, const text_t *by)
{
    policy_t policy;
    schema_defaults(&policy_schema, &policy);
    policy.name = text_of(name);
    policy.condition = TEXT_OF("x > 1");
    policy.inhibited_by = (texts_t){by, by == NULL ? 0 : 1};
    return policy;
}

static void says(const char *expected)
{
    assert_string_equal(said, expected);
    said[0] = '\0';
}

static void test_alerting_policy__each_version_has_plans_of_its_own(void **state)
{
    (void)state;
    policy_t policy = policy_of("p", NULL);
    policy.resolve_condition = TEXT_OF("x < 0");
    policy.lookback = 30;
    policy_book_put(book, &policy);
    says("+2:x > 1/60/30 +3:x < 0/60/30 ");
    policy.resolve_condition = TEXT_NONE;
    policy_book_put(book, &policy);
    says("-2 -3 +4:x > 1/60/30 ");
    assert_null(policy_book_of_plan(book, 2));
    assert_text(policy_book_of_plan(book, 4)->definition->name, "p");
    policy_book_delete(book, policy_book_find(book, TEXT_OF("p")));
    says("-4 ");
}

static void test_alerting_policy__a_disabled_one_is_not_evaluated(void **state)
{
    (void)state;
    policy_t policy = policy_of("p", NULL);
    policy.enabled = false;
    policy_book_put(book, &policy);
    policy.enabled = true;
    policy_book_put(book, &policy);
    says("+4:x > 1/60/300 ");
}

static void test_alerting_policy__restored_it_keeps_its_plan_and_new_ones_come_after(void **state)
{
    (void)state;
    policy_t policy = policy_of("p", NULL);
    policy.plan = 40;
    policy_book_restore(book, &policy);
    says("");
    policy_book_start(book);
    says("+40:x > 1/60/300 ");
    policy = policy_of("q", NULL);
    policy_book_put(book, &policy);
    says("+42:x > 1/60/300 ");
}

static void test_alerting_policy__ranks_follow_the_longest_way_and_every_change(void **state)
{
    (void)state;
    const text_t a = TEXT_OF("a"), b = TEXT_OF("b"), both[] = {TEXT_OF("a"), TEXT_OF("c")};
    policy_t policies[] = {policy_of("d", both), policy_of("c", &b), policy_of("b", &a),
                           policy_of("a", NULL)};
    policies[0].inhibited_by.count = 2;
    for (size_t i = 0; i < 4; i++)
        policy_book_put(book, &policies[i]);
    policy_book_refresh(book);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(policy_book_find(book, policies[i].name)->rank, 3 - i);
    policies_t inhibited = policy_book_inhibited(book, policy_book_find(book, a));
    assert_int_equal(inhibited.count, 2);
    assert_text(inhibited.items[0]->definition->name, "d");
    assert_text(inhibited.items[1]->definition->name, "b");
    policy_book_delete(book, policy_book_find(book, a));
    policy_book_refresh(book);
    assert_int_equal(policy_book_find(book, b)->rank, 0);
    assert_int_equal(policy_book_find(book, TEXT_OF("d"))->rank, 2);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test_alerting_policy__##test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_version_has_plans_of_its_own),
        CASE(a_disabled_one_is_not_evaluated),
        CASE(restored_it_keeps_its_plan_and_new_ones_come_after),
        CASE(ranks_follow_the_longest_way_and_every_change),
    };
    return cmocka_run_group_tests_name("alerting_policy", tests, NULL, NULL);
}
