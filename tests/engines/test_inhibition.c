#include "tests/engines/operations_world.h"

static world_t world;

static int set_up(void **state)
{
    (void)state;
    world_begin(&world);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static policy_t policy_of(const char *name, const text_t *by, size_t count)
{
    policy_t policy = world_policy(name, "x > 1");
    policy.inhibited_by = (texts_t){by, count};
    return policy;
}

static void put(const char *name, const char *by)
{
    text_t names[] = {text_of(by)};
    policy_t policy = policy_of(name, names, by == NULL ? 0 : 1);
    world_put(&world, &policy);
}

static void test_inhibition__the_cause_keeps_its_consequence_quiet(void **state)
{
    (void)state;
    put("cause", NULL);
    put("consequence", "cause");
    world_hear(&world, "cause", "host=a", RESULT_HOLDS, 2);
    world_hear(&world, "consequence", "host=b", RESULT_HOLDS, 2);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n"
                        "0 alert.firing ALT-2 >firing !ALT-1\n");
    world_hear(&world, "cause", "host=a", RESULT_CLEAR, 0);
    assert_int_equal(world_alert(&world, 2)->inhibited_by_count, 0);
    assert_int_equal(world_alert(&world, 2)->state, ALERT_FIRING);
}

static void test_inhibition__what_fires_later_keeps_quiet_what_fires_already(void **state)
{
    (void)state;
    put("cause", NULL);
    put("consequence", "cause");
    world_hear(&world, "consequence", "", RESULT_HOLDS, 2);
    assert_int_equal(world_alert(&world, 1)->inhibited_by_count, 0);
    world_hear(&world, "cause", "", RESULT_HOLDS, 2);
    assert_int_equal(world_alert(&world, 1)->inhibited_by[0], 2);
}

static void test_inhibition__within_one_evaluation_the_cause_is_decided_first(void **state)
{
    (void)state;
    put("c", "b");
    put("b", "a");
    put("a", NULL);
    world_hear_of(&world, "c", false, "", RESULT_HOLDS, 2);
    world_hear_of(&world, "b", false, "", RESULT_HOLDS, 2);
    world_hear_of(&world, "a", false, "", RESULT_HOLDS, 2);
    world_at(&world, 0);
    world_tells(&world, "0 alert.firing ALT-3 >firing\n"
                        "0 alert.firing ALT-2 >firing !ALT-3\n"
                        "0 alert.firing ALT-1 >firing !ALT-2\n");
}

static void test_inhibition__a_pending_cause_inhibits_nothing(void **state)
{
    (void)state;
    policy_t cause = world_policy("cause", "x > 1");
    cause.for_s = 60;
    world_put(&world, &cause);
    put("consequence", "cause");
    world_hear(&world, "cause", "", RESULT_HOLDS, 2);
    world_hear(&world, "consequence", "", RESULT_HOLDS, 2);
    world_tells(&world, "0 alert.firing ALT-2 >firing\n");
    world_at(&world, 60);
    assert_int_equal(world_alert(&world, 2)->inhibited_by[0], 1);
}

static void test_inhibition__an_acknowledged_cause_goes_on_inhibiting(void **state)
{
    (void)state;
    put("cause", NULL);
    put("consequence", "cause");
    world_hear(&world, "cause", "", RESULT_HOLDS, 2);
    world_acknowledge(&world, 1);
    world_hear(&world, "consequence", "", RESULT_HOLDS, 2);
    assert_int_equal(world_alert(&world, 2)->inhibited_by_count, 1);
}

static void test_inhibition__when_the_policy_of_the_cause_goes_its_hold_goes(void **state)
{
    (void)state;
    put("cause", NULL);
    put("consequence", "cause");
    world_hear(&world, "cause", "", RESULT_HOLDS, 2);
    world_hear(&world, "consequence", "", RESULT_HOLDS, 2);
    assert_int_equal(world_do(&world, DO_POLICY_DELETE, &(named_t){.name = TEXT_OF("cause")}),
                     STATUS_OK);
    assert_int_equal(world_alert(&world, 2)->inhibited_by_count, 0);
}

static void
test_inhibition__sixteen_are_listed_and_the_next_takes_a_place_that_is_free(void **state)
{
    (void)state;
    char labels[16];
    put("cause", NULL);
    put("consequence", "cause");
    world_hear(&world, "consequence", "", RESULT_HOLDS, 2);
    for (int i = 0; i < 20; i++) {
        snprintf(labels, sizeof labels, "n=%d", i);
        world_hear(&world, "cause", labels, RESULT_HOLDS, 2);
    }
    const alert_t *alert = world_alert(&world, 1);
    assert_int_equal(alert->inhibited_by_count, 16);
    assert_int_equal(alert->inhibited_by[15], 17);
    world_hear(&world, "cause", "n=0", RESULT_CLEAR, 0);
    alert = world_alert(&world, 1);
    assert_int_equal(alert->inhibited_by_count, 16);
    assert_int_equal(alert->inhibited_by[0], 3);
    assert_int_equal(alert->inhibited_by[15], 18);
}

static void refuse(const char *name, const char *by)
{
    text_t names[] = {text_of(by)};
    policy_t policy = policy_of(name, names, 1);
    assert_int_equal(world_do(&world, DO_POLICY_PUT, &policy), STATUS_BAD_VALUE);
    assert_non_null(strstr(world.error.message, "would inhibit itself"));
}

static void test_inhibition__a_circle_is_refused_whoever_closes_it(void **state)
{
    (void)state;
    refuse("a", "a");
    put("a", "b");
    put("b", "c");
    refuse("c", "a");
    refuse("c", "b");
    put("c", "d"); /* nobody yet */
    refuse("d", "a");
}

static void test_inhibition__a_circle_within_the_file_is_refused(void **state)
{
    (void)state;
    size_t wrong;
    text_t a[] = {TEXT_OF("a")}, b[] = {TEXT_OF("b")};
    policy_t policies[] = {policy_of("a", b, 1), policy_of("b", a, 1)};
    assert_int_equal(operations_manager_own(world.manager, policies, 2, NULL, 0, (texts_t){NULL, 0},
                                            world.now, &wrong, &world.error),
                     STATUS_BAD_VALUE);
    /* and what the file names no more closes none */
    policies[1].inhibited_by.count = 0;
    assert_int_equal(operations_manager_own(world.manager, policies, 2, NULL, 0, (texts_t){NULL, 0},
                                            world.now, &wrong, &world.error),
                     STATUS_OK);
    policies[1].inhibited_by.count = 1;
    assert_int_equal(operations_manager_own(world.manager, policies + 1, 1, NULL, 0,
                                            (texts_t){NULL, 0}, world.now, &wrong, &world.error),
                     STATUS_OK);
}

static void test_inhibition__it_survives_a_restart(void **state)
{
    (void)state;
    put("cause", NULL);
    put("consequence", "cause");
    world_hear(&world, "cause", "", RESULT_HOLDS, 2);
    world_hear(&world, "consequence", "", RESULT_HOLDS, 2);
    world_commit(&world);
    world_crash(&world, 5);
    assert_int_equal(world_alert(&world, 2)->inhibited_by_count, 1);
    world_hear(&world, "cause", "", RESULT_CLEAR, 0);
    assert_int_equal(world_alert(&world, 2)->inhibited_by_count, 0);
}

#define STORY(test) cmocka_unit_test_setup_teardown(test_inhibition__##test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(the_cause_keeps_its_consequence_quiet),
        STORY(what_fires_later_keeps_quiet_what_fires_already),
        STORY(within_one_evaluation_the_cause_is_decided_first),
        STORY(a_pending_cause_inhibits_nothing),
        STORY(an_acknowledged_cause_goes_on_inhibiting),
        STORY(when_the_policy_of_the_cause_goes_its_hold_goes),
        STORY(sixteen_are_listed_and_the_next_takes_a_place_that_is_free),
        STORY(a_circle_is_refused_whoever_closes_it),
        STORY(a_circle_within_the_file_is_refused),
        STORY(it_survives_a_restart),
    };
    return cmocka_run_group_tests_name("inhibition", tests, NULL, NULL);
}
