#include "engines/operations/correlation.h"
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

static void put(bool auto_resolve)
{
    policy_t policy = world_policy("p", "x > 10");
    policy.open_incident = true;
    policy.auto_resolve = auto_resolve;
    policy.runbook = TEXT_OF("r");
    policy.summary = TEXT_OF("the disk is full\nand more");
    world_put(&world, &policy);
}

static void holds(const char *labels)
{
    world_hear(&world, "p", labels, RESULT_HOLDS, 11);
}

static void clears(const char *labels)
{
    world_hear(&world, "p", labels, RESULT_CLEAR, 1);
}

static void test_correlation__every_stand_and_event(void **state)
{
    (void)state;
    static const action_t expected[STAND_COUNT][EVENT_COUNT] = {
        {ACTION_OPEN, ACTION_NOTHING, ACTION_NOTHING, ACTION_NOTHING},
        {ACTION_JOIN, ACTION_TELL, ACTION_TELL, ACTION_RESOLVE},
        {ACTION_REOPEN, ACTION_TELL, ACTION_TELL, ACTION_TELL}};
    for (int stand = 0; stand < STAND_COUNT; stand++)
        for (int event = 0; event < EVENT_COUNT; event++)
            assert_int_equal(correlation_action((stand_t)stand, (event_t)event),
                             expected[stand][event]);
}

static void test_correlation__an_incident_is_opened_joined_resolved_and_reopened(void **state)
{
    (void)state;
    put(true);
    holds("host=a");
    holds("host=b");
    clears("host=a");
    clears("host=b");
    world_at(&world, 9);
    holds("host=c");
    world_tells(&world, "0 alert.firing ALT-1 >firing\n"
                        "0 incident.opened INC-1 >new\n"
                        "0 alert.firing ALT-2 >firing\n"
                        "0 incident.updated INC-1\n"
                        "0 alert.resolved ALT-1 firing>resolved recovered\n"
                        "0 incident.updated INC-1\n"
                        "0 alert.resolved ALT-2 firing>resolved recovered\n"
                        "0 incident.resolved INC-1 new>resolved\n"
                        "9 alert.firing ALT-3 >firing\n"
                        "9 incident.reopened INC-1 resolved>investigating\n");
    const incident_t *incident = world_incident(&world, 1);
    assert_int_equal(incident->alert_count, 3);
    assert_text(incident->title, "the disk is full");
    assert_text(incident->description, "x > 10");
    assert_text(incident->runbook, "r");
    assert_int_equal(incident->severity, SEVERITY_HIGH);
    assert_int_equal(world_alert(&world, 3)->incident, 1);
}

static void test_correlation__what_comes_in_one_turn_is_published_once(void **state)
{
    (void)state;
    put(true);
    world_hear_of(&world, "p", false, "host=a", RESULT_HOLDS, 11);
    world_hear_of(&world, "p", false, "host=b", RESULT_HOLDS, 11);
    world_hear_of(&world, "p", false, "host=c", RESULT_HOLDS, 11);
    world_at(&world, 0);
    world_tells(&world, "0 alert.firing ALT-1 >firing\n"
                        "0 alert.firing ALT-2 >firing\n"
                        "0 alert.firing ALT-3 >firing\n"
                        "0 incident.opened INC-1 >new\n");
    assert_int_equal(world_incident(&world, 1)->alert_count, 3);
}

static void test_correlation__what_recovers_in_one_turn_is_published_once(void **state)
{
    (void)state;
    put(true);
    holds("host=a");
    holds("host=b");
    world.told_size = 0;
    world_hear_of(&world, "p", false, "host=a", RESULT_CLEAR, 1);
    world_hear_of(&world, "p", false, "host=b", RESULT_CLEAR, 1);
    world_at(&world, 0);
    world_tells(&world, "0 alert.resolved ALT-1 firing>resolved recovered\n"
                        "0 alert.resolved ALT-2 firing>resolved recovered\n"
                        "0 incident.resolved INC-1 new>resolved\n");
}

static void test_correlation__the_timeline_says_which_alert_moved_and_why(void **state)
{
    (void)state;
    put(true);
    holds("host=a");
    world_acknowledge(&world, 1);
    clears("host=a");
    world_commit(&world);
    world_crash(&world, 0);
    incident_change_t change = {.incident = 1, .status = -1, .severity = -1};
    world_do(&world, DO_INCIDENT_UPDATE, &change);
    const move_t *lines = world.answer.incident->timeline;
    assert_int_equal(world.answer.incident->timeline_shown, 5);
    assert_text(lines[1].what, "ALT-1 of p: x > 10");
    assert_text(lines[1].to, "firing");
    assert_text(lines[2].by, "ann");
    assert_text(lines[2].to, "acknowledged");
    assert_text(lines[3].what, "ALT-1 of p: recovered");
    assert_text(lines[3].from, "acknowledged");
    assert_text(lines[4].what, "status");
    assert_text(lines[4].to, "resolved");
}

static void test_correlation__without_auto_resolve_a_person_resolves(void **state)
{
    (void)state;
    put(false);
    holds("host=a");
    clears("host=a");
    assert_int_equal(world_incident(&world, 1)->status, INCIDENT_NEW);
}

static void test_correlation__resolved_by_hand_the_last_alert_resolves_it_too(void **state)
{
    (void)state;
    put(true);
    world_fire(&world, "p", "host=a");
    world_resolve(&world, 1);
    assert_int_equal(world_incident(&world, 1)->status, INCIDENT_RESOLVED);
}

static void test_correlation__a_change_of_the_policy_resolves_no_incident(void **state)
{
    (void)state;
    put(true);
    holds("host=a");
    put(false);
    assert_int_equal(world_alert(&world, 1)->state, ALERT_RESOLVED);
    assert_int_equal(world_incident(&world, 1)->status, INCIDENT_NEW);
}

static void test_correlation__after_a_person_closed_it_another_one_is_opened(void **state)
{
    (void)state;
    put(true);
    holds("host=a");
    world_move(&world, 1, INCIDENT_CLOSED);
    holds("host=b");
    clears("host=a");
    assert_int_equal(world_alert(&world, 2)->incident, 2);
    assert_int_equal(world_incident(&world, 2)->status, INCIDENT_NEW);
    clears("host=b");
    assert_int_equal(world_incident(&world, 2)->status, INCIDENT_RESOLVED);
}

static void test_correlation__after_a_restart_the_last_alert_still_counts(void **state)
{
    (void)state;
    put(true);
    holds("host=a");
    holds("host=b");
    world_commit(&world);
    world_crash(&world, 1);
    clears("host=a");
    assert_int_equal(world_incident(&world, 1)->status, INCIDENT_NEW);
    clears("host=b");
    assert_int_equal(world_incident(&world, 1)->status, INCIDENT_RESOLVED);
}

static void test_correlation__an_incident_shows_its_newest_thousand_alerts(void **state)
{
    (void)state;
    put(false);
    for (int i = 0; i < 1005; i++) {
        holds("host=a");
        clears("host=a");
    }
    world_commit(&world);
    const incident_t *incident = world_incident(&world, 1);
    assert_int_equal(incident->alert_count, INCIDENT_ALERTS_MAX);
    assert_int_equal(incident->alerts[0], 6);
    assert_int_equal(incident->alerts[999], 1005);
}

static void test_correlation__at_the_limit_of_incidents_an_alert_fires_alone(void **state)
{
    (void)state;
    put(true);
    for (uint32_t i = 0; i < world.config.incidents; i++)
        world_open(&world, "t", NULL);
    world.told_size = 0;
    holds("host=a");
    world_tells(&world, "0 alert.firing ALT-1 >firing\n");
    assert_int_equal(world_alert(&world, 1)->incident, 0);
}

#define STORY(test) cmocka_unit_test_setup_teardown(test_correlation__##test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(every_stand_and_event),
        STORY(an_incident_is_opened_joined_resolved_and_reopened),
        STORY(what_comes_in_one_turn_is_published_once),
        STORY(what_recovers_in_one_turn_is_published_once),
        STORY(the_timeline_says_which_alert_moved_and_why),
        STORY(without_auto_resolve_a_person_resolves),
        STORY(resolved_by_hand_the_last_alert_resolves_it_too),
        STORY(a_change_of_the_policy_resolves_no_incident),
        STORY(after_a_person_closed_it_another_one_is_opened),
        STORY(after_a_restart_the_last_alert_still_counts),
        STORY(an_incident_shows_its_newest_thousand_alerts),
        STORY(at_the_limit_of_incidents_an_alert_fires_alone),
    };
    return cmocka_run_group_tests_name("correlation", tests, NULL, NULL);
}
