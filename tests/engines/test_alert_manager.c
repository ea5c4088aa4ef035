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

static void put(double for_s, double keep_s, no_data_t no_data, const char *resolve)
{
    policy_t policy = world_policy("p", "x > 10");
    policy.for_s = for_s;
    policy.keep_firing_for = keep_s;
    policy.no_data = no_data;
    policy.resolve_condition = text_of(resolve);
    world_put(&world, &policy);
}

static void hear(result_state_t state, double value)
{
    world_hear(&world, "p", "host=a", state, value);
}

static alert_state_t state_of(uint64_t alert)
{
    return world_alert(&world, alert)->state;
}

/* -- for, and what it holds back -- */

static void test_alert_manager__without_for_it_fires_at_once(void **state)
{
    (void)state;
    put(0, 0, NO_DATA_KEEP, NULL);
    hear(RESULT_HOLDS, 11);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n");
    hear(RESULT_CLEAR, 3);
    world_tells(&world, "0 alert.resolved ALT-1 firing>resolved recovered\n");
    const alert_t *alert = world_alert(&world, 1);
    assert_double(alert->value, 3, 0);
    assert_double(alert->value_at_fire, 11, 0);
    assert_double(alert->peak, 11, 0);
    assert_text(alert->message, "p: x > 10");
}

static void test_alert_manager__both_crossings_within_a_turn_are_told(void **state)
{
    (void)state;
    put(0, 0, NO_DATA_KEEP, NULL);
    world_hear_of(&world, "p", false, "host=a", RESULT_HOLDS, 11);
    world_hear_of(&world, "p", false, "host=a", RESULT_CLEAR, 1);
    world_hear_of(&world, "p", false, "host=a", RESULT_HOLDS, 12);
    world_at(&world, 0);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n"
                        "0 alert.resolved ALT-1 firing>resolved recovered\n"
                        "0 alert.firing ALT-2 >firing\n");
}

static void test_alert_manager__it_fires_when_for_is_over_and_not_before(void **state)
{
    (void)state;
    put(60, 0, NO_DATA_KEEP, NULL);
    hear(RESULT_HOLDS, 11);
    assert_int_equal(state_of(1), ALERT_PENDING);
    world_at(&world, 59.9);
    world_tells(&world, "");
    world_at(&world, 60);
    world_tells(&world, "60 alert.firing ALT-1 pending>firing\n");
}

static void test_alert_manager__a_pending_one_that_clears_leaves_no_trace(void **state)
{
    (void)state;
    put(60, 0, NO_DATA_KEEP, NULL);
    hear(RESULT_HOLDS, 11);
    world_at(&world, 59);
    hear(RESULT_CLEAR, 1);
    world_at(&world, 100);
    world_tells(&world, "");
    assert_null(world_alert(&world, 1));
    ops_metrics_t metrics;
    operations_manager_metrics(world.manager, &metrics);
    assert_int_equal(metrics.alerts_active + metrics.alerts_triggered, 0);
}

static void test_alert_manager__a_pause_in_the_data_pauses_for(void **state)
{
    (void)state;
    put(60, 0, NO_DATA_KEEP, NULL);
    hear(RESULT_HOLDS, 11);
    world_at(&world, 40);
    hear(RESULT_NO_DATA, NAN);
    world_at(&world, 1000);
    world_tells(&world, "");
    hear(RESULT_HOLDS, 12);
    world_at(&world, 1019.9);
    world_tells(&world, "");
    world_at(&world, 1020);
    world_tells(&world, "1020 alert.firing ALT-1 pending>firing\n");
}

/* -- keep_firing_for, flapping, hysteresis -- */

static void test_alert_manager__it_keeps_firing_for_as_long_as_asked(void **state)
{
    (void)state;
    put(0, 30, NO_DATA_KEEP, NULL);
    hear(RESULT_HOLDS, 11);
    world_at(&world, 10);
    hear(RESULT_CLEAR, 5);
    world_at(&world, 39);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n");
    world_at(&world, 40);
    world_tells(&world, "40 alert.resolved ALT-1 firing>resolved recovered\n");
}

static void test_alert_manager__flapping_is_one_alert_with_a_count(void **state)
{
    (void)state;
    put(0, 30, NO_DATA_KEEP, NULL);
    for (int i = 0; i < 5; i++) {
        hear(RESULT_HOLDS, 11 + i);
        world_at(&world, 20 * i + 10);
        hear(RESULT_CLEAR, 5);
        world_at(&world, 20 * (i + 1));
    }
    world_at(&world, 1000);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n"
                        "120 alert.resolved ALT-1 firing>resolved recovered\n");
    assert_int_equal(world_alert(&world, 1)->occurrences, 5);
    assert_double(world_alert(&world, 1)->peak, 15, 0);
}

static void test_alert_manager__with_a_resolve_condition_that_one_decides(void **state)
{
    (void)state;
    put(0, 0, NO_DATA_KEEP, "x < 5");
    hear(RESULT_HOLDS, 11);
    hear(RESULT_CLEAR, 8);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n");
    world_hear_of(&world, "p", true, "host=a", RESULT_HOLDS, 4);
    world_tells(&world, "0 alert.resolved ALT-1 firing>resolved recovered\n");
}

static void test_alert_manager__a_resolve_condition_that_held_before_is_asked_again(void **state)
{
    (void)state;
    put(0, 0, NO_DATA_KEEP, "up == 1");
    world_hear_of(&world, "p", true, "host=a", RESULT_HOLDS, 1);
    world_hear_of(&world, "p", true, "host=b", RESULT_HOLDS, 1);
    hear(RESULT_HOLDS, 11);
    world_hear(&world, "p", "host=b", RESULT_HOLDS, 11);
    world.plans_put = 0;
    hear(RESULT_CLEAR, 3);
    world_hear(&world, "p", "host=b", RESULT_CLEAR, 3);
    assert_int_equal(world.plans_put, 1);
    world_hear_of(&world, "p", true, "host=a", RESULT_HOLDS, 1);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n"
                        "0 alert.firing ALT-2 >firing\n"
                        "0 alert.resolved ALT-1 firing>resolved recovered\n");
}

static void test_alert_manager__it_is_not_over_while_both_conditions_hold(void **state)
{
    (void)state;
    put(0, 0, NO_DATA_KEEP, "y < 5");
    hear(RESULT_HOLDS, 11);
    world_hear_of(&world, "p", true, "host=a", RESULT_HOLDS, 4);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n");
    hear(RESULT_CLEAR, 8);
    world_tells(&world, "0 alert.resolved ALT-1 firing>resolved recovered\n");
}

/* -- missing data -- */

static void test_alert_manager__missing_data_is_not_resolution(void **state)
{
    (void)state;
    put(0, 0, NO_DATA_KEEP, NULL);
    hear(RESULT_HOLDS, 11);
    hear(RESULT_NO_DATA, NAN);
    world_at(&world, 100000);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n");
    assert_double(world_alert(&world, 1)->value, 11, 0);
}

static void test_alert_manager__no_data_resolve_says_so(void **state)
{
    (void)state;
    put(0, 0, NO_DATA_RESOLVE, NULL);
    hear(RESULT_NO_DATA, NAN);
    hear(RESULT_HOLDS, 11);
    hear(RESULT_NO_DATA, NAN);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n"
                        "0 alert.resolved ALT-1 firing>resolved no_data\n");
}

static void test_alert_manager__no_data_fire_stands_until_data_is_back(void **state)
{
    (void)state;
    put(60, 0, NO_DATA_FIRE, NULL);
    hear(RESULT_NO_DATA, NAN);
    world_at(&world, 500);
    hear(RESULT_CLEAR, 1);
    world_tells(&world, "0 alert.no_data ALT-1 >no_data\n"
                        "500 alert.resolved ALT-1 no_data>resolved recovered\n");
    ops_metrics_t metrics;
    operations_manager_metrics(world.manager, &metrics);
    assert_int_equal(metrics.alerts_triggered, 0);
    assert_int_equal(metrics.alerts_resolved, 1);
}

static void test_alert_manager__what_fired_before_goes_on_firing_when_data_is_back(void **state)
{
    (void)state;
    put(60, 0, NO_DATA_FIRE, NULL);
    hear(RESULT_HOLDS, 11);
    world_at(&world, 60);
    assert_int_equal(world_acknowledge(&world, 1), STATUS_OK);
    hear(RESULT_NO_DATA, NAN);
    assert_int_equal(world_acknowledge(&world, 1), STATUS_BAD_TRANSITION);
    hear(RESULT_HOLDS, 12);
    world_tells(&world, "60 alert.firing ALT-1 pending>firing\n"
                        "60 alert.acknowledged ALT-1 firing>acknowledged\n"
                        "60 alert.no_data ALT-1 acknowledged>no_data\n"
                        "60 alert.acknowledged ALT-1 no_data>acknowledged\n");
}

static void test_alert_manager__what_never_fired_has_to_wait_for_its_for(void **state)
{
    (void)state;
    put(60, 0, NO_DATA_FIRE, NULL);
    hear(RESULT_NO_DATA, NAN);
    world_at(&world, 10);
    hear(RESULT_HOLDS, 11);
    world_tells(&world, "0 alert.no_data ALT-1 >no_data\n"
                        "10 alert.resolved ALT-1 no_data>resolved recovered\n");
    world_at(&world, 70);
    world_tells(&world, "70 alert.firing ALT-2 pending>firing\n");
}

/* -- hands -- */

static void test_alert_manager__fired_by_hand_it_is_ended_by_hand(void **state)
{
    (void)state;
    put(60, 0, NO_DATA_RESOLVE, NULL);
    assert_int_equal(world_fire(&world, "p", "host=a"), STATUS_OK);
    hear(RESULT_HOLDS, 11);
    hear(RESULT_CLEAR, 1);
    hear(RESULT_NO_DATA, NAN);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n");
    assert_int_equal(world_resolve(&world, 1), STATUS_OK);
    world_tells(&world, "0 alert.resolved ALT-1 firing>resolved by_hand\n");
}

static void test_alert_manager__firing_what_is_active_answers_it(void **state)
{
    (void)state;
    put(60, 0, NO_DATA_KEEP, NULL);
    hear(RESULT_HOLDS, 11);
    assert_int_equal(world_fire(&world, "p", "host=a"), STATUS_OK);
    assert_int_equal(world.answer.alert->id, 1);
    assert_int_equal(world.answer.alert->occurrences, 2);
    world_tells(&world, "");
    assert_int_equal(world_fire(&world, "p", "host=b"), STATUS_OK);
    assert_int_equal(world.answer.alert->id, 2);
}

/*  Bring ALT-1 into a state. */
static void bring(alert_state_t to)
{
    put(60, 0, to == ALERT_NO_DATA ? NO_DATA_FIRE : NO_DATA_KEEP, NULL);
    hear(RESULT_HOLDS, 11);
    if (to != ALERT_PENDING)
        world_at(&world, 60);
    if (to == ALERT_ACKNOWLEDGED)
        world_acknowledge(&world, 1);
    else if (to == ALERT_RESOLVED)
        hear(RESULT_CLEAR, 1);
    else if (to == ALERT_NO_DATA)
        hear(RESULT_NO_DATA, NAN);
    assert_int_equal(state_of(1), to);
}

/*  What a command names is put back from the store first, as the actor does it. */
static void bring_back(void)
{
    if (!operations_manager_has_alert(world.manager, 1))
        operations_manager_restore_alert(world.manager, world_alert(&world, 1));
}

static void
test_alert_manager__only_firing_is_acknowledged_and_every_active_state_resolved(void **state)
{
    (void)state;
    static const status_t acknowledged[ALERT_STATE_COUNT] = {
        [ALERT_PENDING] = STATUS_BAD_TRANSITION,
        [ALERT_FIRING] = STATUS_OK,
        [ALERT_ACKNOWLEDGED] = STATUS_BAD_TRANSITION,
        [ALERT_RESOLVED] = STATUS_BAD_TRANSITION,
        [ALERT_NO_DATA] = STATUS_BAD_TRANSITION};
    for (int from = 0; from < ALERT_STATE_COUNT; from++)
        for (int resolve = 0; resolve < 2; resolve++) {
            bring((alert_state_t)from);
            bring_back();
            status_t expected = from == ALERT_RESOLVED ? STATUS_BAD_TRANSITION : STATUS_OK;
            if (resolve)
                assert_int_equal(world_resolve(&world, 1), expected);
            else
                assert_int_equal(world_acknowledge(&world, 1), acknowledged[from]);
            world_end(&world);
            world_begin(&world);
        }
}

static void test_alert_manager__a_note_goes_with_the_move(void **state)
{
    (void)state;
    put(0, 0, NO_DATA_KEEP, NULL);
    hear(RESULT_HOLDS, 11);
    alert_act_t act = {.alert = 1, .by = TEXT_OF("ann"), .note = TEXT_OF("mine")};
    assert_int_equal(world_do(&world, DO_ALERT_ACK, &act), STATUS_OK);
    act.note = TEXT_OF("fixed");
    assert_int_equal(world_do(&world, DO_ALERT_RESOLVE, &act), STATUS_OK);
    assert_int_equal(world.answer.alert->notes_count, 2);
    assert_text(world.answer.alert->notes[1].text, "fixed");
    assert_text(world.answer.alert->notes[0].by, "ann");
}

static void test_alert_manager__at_the_limit_nothing_new_fires(void **state)
{
    (void)state;
    char labels[32];
    put(0, 0, NO_DATA_KEEP, NULL);
    for (uint32_t i = 0; i < world.config.alerts; i++) {
        snprintf(labels, sizeof labels, "host=%u", i);
        world_hear(&world, "p", labels, RESULT_HOLDS, 11);
    }
    world.told_size = 0;
    world_hear(&world, "p", "host=more", RESULT_HOLDS, 11);
    world_tells(&world, "");
    assert_int_equal(world_fire(&world, "p", "host=other"), STATUS_LIMIT);
    assert_int_equal(world_do(&world, DO_OPS_METRICS, NULL), STATUS_OK);
    assert_int_equal(world.answer.metrics.alerts_dropped, 2);
    world_hear(&world, "p", "host=0", RESULT_CLEAR, 1);
    assert_int_equal(world_fire(&world, "p", "host=other"), STATUS_OK);
}

/* -- restarts -- */

static void test_alert_manager__a_restart_is_a_pause_in_for(void **state)
{
    (void)state;
    put(60, 0, NO_DATA_KEEP, NULL);
    hear(RESULT_HOLDS, 11);
    world_at(&world, 40);
    world_commit(&world);
    world_crash(&world, 500);
    world_at(&world, 600);
    hear(RESULT_HOLDS, 12);
    world_at(&world, 619.9);
    world_tells(&world, "");
    world_at(&world, 620);
    world_tells(&world, "620 alert.firing ALT-1 pending>firing\n");
}

static void test_alert_manager__two_restarts_are_two_pauses(void **state)
{
    (void)state;
    put(60, 0, NO_DATA_KEEP, NULL);
    hear(RESULT_HOLDS, 11);
    world_at(&world, 40);
    world_commit(&world);
    world_crash(&world, 50);
    world_at(&world, 80);
    world_commit(&world);
    world_crash(&world, 100);
    hear(RESULT_HOLDS, 11);
    world_at(&world, 119.9);
    world_tells(&world, "");
    world_at(&world, 120);
    world_tells(&world, "120 alert.firing ALT-1 pending>firing\n");
}

static void test_alert_manager__a_restart_is_a_pause_in_keep_firing_for(void **state)
{
    (void)state;
    put(0, 60, NO_DATA_KEEP, NULL);
    hear(RESULT_HOLDS, 11);
    hear(RESULT_CLEAR, 1);
    world_at(&world, 50);
    world_commit(&world);
    world_crash(&world, 100);
    hear(RESULT_CLEAR, 1);
    world_at(&world, 109.9);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n");
    world_at(&world, 110);
    world_tells(&world, "110 alert.resolved ALT-1 firing>resolved recovered\n");
}

static void test_alert_manager__what_is_not_heard_of_after_a_restart_has_no_data(void **state)
{
    (void)state;
    put(0, 0, NO_DATA_RESOLVE, NULL);
    hear(RESULT_HOLDS, 11);
    world_commit(&world);
    world_crash(&world, 1000);
    world_at(&world, 1299);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n");
    world_at(&world, 1300);
    world_tells(&world, "1300 alert.resolved ALT-1 firing>resolved no_data\n");
}

static void test_alert_manager__a_resolve_condition_alone_ends_nothing_after_a_restart(void **state)
{
    (void)state;
    put(0, 0, NO_DATA_KEEP, "y < 5");
    hear(RESULT_HOLDS, 11);
    world_commit(&world);
    world_crash(&world, 0);
    world_hear_of(&world, "p", true, "host=a", RESULT_HOLDS, 4);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n");
    hear(RESULT_CLEAR, 8);
    world_tells(&world, "0 alert.resolved ALT-1 firing>resolved recovered\n");
}

static void test_alert_manager__after_a_restart_its_clock_waits_for_its_own_condition(void **state)
{
    (void)state;
    put(0, 60, NO_DATA_KEEP, "y < 5");
    hear(RESULT_HOLDS, 11);
    hear(RESULT_CLEAR, 8);
    world_hear_of(&world, "p", true, "host=a", RESULT_HOLDS, 4);
    world_commit(&world);
    world_crash(&world, 30);
    world_hear_of(&world, "p", true, "host=a", RESULT_HOLDS, 4);
    world_at(&world, 200);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n");
    hear(RESULT_CLEAR, 8);
    world_at(&world, 260);
    world_tells(&world, "260 alert.resolved ALT-1 firing>resolved recovered\n");
}

/* -- its policy -- */

static void test_alert_manager__a_change_of_the_policy_ends_its_alerts(void **state)
{
    (void)state;
    put(0, 0, NO_DATA_KEEP, NULL);
    hear(RESULT_HOLDS, 11);
    world_hear(&world, "p", "host=b", RESULT_HOLDS, 12);
    put(0, 0, NO_DATA_KEEP, NULL);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n0 alert.firing ALT-2 >firing\n");
    put(5, 0, NO_DATA_KEEP, NULL);
    world_tells(&world, "0 alert.resolved ALT-1 firing>resolved policy_changed\n"
                        "0 alert.resolved ALT-2 firing>resolved policy_changed\n");
}

static void test_alert_manager__a_result_of_a_plan_that_is_no_more_is_ignored(void **state)
{
    (void)state;
    put(0, 0, NO_DATA_KEEP, NULL);
    uint64_t plan = operations_manager_policy(world.manager, TEXT_OF("p"))->plan;
    put(1, 0, NO_DATA_KEEP, NULL);
    plan_result_t late = {.plan = plan, .state = RESULT_HOLDS, .value = 11};
    operations_manager_result(world.manager, &late, world.now);
    world_at(&world, 10);
    world_tells(&world, "");
}

static void test_alert_manager__labels_are_the_results_under_the_policys(void **state)
{
    (void)state;
    policy_t policy = world_policy("p", "x > 10");
    policy.labels = world_labels(&world, "team=core,zone=z");
    world_put(&world, &policy);
    world_hear(&world, "p", "host=a,zone=b", RESULT_HOLDS, 11);
    const alert_t *alert = world_alert(&world, 1);
    assert_true(labels_equal(alert->labels, world_labels(&world, "host=a,team=core,zone=z")));
    assert_true(labels_equal(alert->result_labels, world_labels(&world, "host=a,zone=b")));
}

/* -- errors -- */

static void err(const char *words)
{
    const policy_t *policy = operations_manager_policy(world.manager, TEXT_OF("p"));
    plan_result_t result = {
        .plan = policy->plan, .state = RESULT_ERROR, .value = NAN, .error = text_of(words)};
    operations_manager_result(world.manager, &result, world.now);
}

static void
test_alert_manager__a_policy_that_errs_is_marked_and_told_until_it_does_not(void **state)
{
    (void)state;
    put(60, 0, NO_DATA_KEEP, NULL);
    err("many to many");
    err("many to many");
    assert_text(operations_manager_policy(world.manager, TEXT_OF("p"))->error, "many to many");
    assert_text(world_alert(&world, 1)->message, "p cannot be evaluated: many to many");
    world_commit(&world);
    world_crash(&world, 5);
    hear(RESULT_CLEAR, 1);
    assert_null(operations_manager_policy(world.manager, TEXT_OF("p"))->error.data);
    world_tells(&world, "0 alert.no_data ALT-1 >no_data\n"
                        "5 alert.resolved ALT-1 no_data>resolved recovered\n");
}

static void test_alert_manager__what_fired_before_an_error_goes_on_firing_after_it(void **state)
{
    (void)state;
    put(0, 0, NO_DATA_KEEP, NULL);
    world_hear(&world, "p", "", RESULT_HOLDS, 11);
    err("too much memory");
    world_hear(&world, "p", "", RESULT_HOLDS, 12);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n"
                        "0 alert.no_data ALT-1 firing>no_data\n"
                        "0 alert.firing ALT-1 no_data>firing\n");
}

static void test_alert_manager__the_same_policy_put_again_keeps_its_mark(void **state)
{
    (void)state;
    put(0, 0, NO_DATA_KEEP, NULL);
    err("many to many");
    put(0, 0, NO_DATA_KEEP, NULL);
    assert_int_equal(state_of(1), ALERT_NO_DATA);
    put(5, 0, NO_DATA_KEEP, NULL);
    assert_null(operations_manager_policy(world.manager, TEXT_OF("p"))->error.data);
}

#define STORY(test) cmocka_unit_test_setup_teardown(test_alert_manager__##test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(without_for_it_fires_at_once),
        STORY(both_crossings_within_a_turn_are_told),
        STORY(it_fires_when_for_is_over_and_not_before),
        STORY(a_pending_one_that_clears_leaves_no_trace),
        STORY(a_pause_in_the_data_pauses_for),
        STORY(it_keeps_firing_for_as_long_as_asked),
        STORY(flapping_is_one_alert_with_a_count),
        STORY(with_a_resolve_condition_that_one_decides),
        STORY(a_resolve_condition_that_held_before_is_asked_again),
        STORY(it_is_not_over_while_both_conditions_hold),
        STORY(missing_data_is_not_resolution),
        STORY(no_data_resolve_says_so),
        STORY(no_data_fire_stands_until_data_is_back),
        STORY(what_fired_before_goes_on_firing_when_data_is_back),
        STORY(what_never_fired_has_to_wait_for_its_for),
        STORY(fired_by_hand_it_is_ended_by_hand),
        STORY(firing_what_is_active_answers_it),
        STORY(only_firing_is_acknowledged_and_every_active_state_resolved),
        STORY(a_note_goes_with_the_move),
        STORY(at_the_limit_nothing_new_fires),
        STORY(a_restart_is_a_pause_in_for),
        STORY(two_restarts_are_two_pauses),
        STORY(a_restart_is_a_pause_in_keep_firing_for),
        STORY(what_is_not_heard_of_after_a_restart_has_no_data),
        STORY(a_resolve_condition_alone_ends_nothing_after_a_restart),
        STORY(a_policy_that_errs_is_marked_and_told_until_it_does_not),
        STORY(what_fired_before_an_error_goes_on_firing_after_it),
        STORY(the_same_policy_put_again_keeps_its_mark),
        STORY(after_a_restart_its_clock_waits_for_its_own_condition),
        STORY(a_change_of_the_policy_ends_its_alerts),
        STORY(a_result_of_a_plan_that_is_no_more_is_ignored),
        STORY(labels_are_the_results_under_the_policys),
    };
    return cmocka_run_group_tests_name("alert_manager", tests, NULL, NULL);
}
