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

static void at(double second)
{
    world_at(&world, second);
}

static void open_one(void)
{
    assert_int_equal(world_open(&world, "t", NULL), STATUS_OK);
}

/*  Bring INC-1 into a status, and put back what does not live any more, as the actor does it. */
static void bring(incident_status_t to)
{
    open_one();
    if (to == INCIDENT_NEW)
        return;
    at(10);
    assert_int_equal(world_move(&world, 1, (int)to), STATUS_OK);
    if (!operations_manager_has_incident(world.manager, 1))
        operations_manager_restore_incident(world.manager, world_incident(&world, 1));
}

static void test_incident_tracker__every_pair_of_states(void **state)
{
    (void)state;
    static const char *const allowed[INCIDENT_STATUS_COUNT] = {[INCIDENT_NEW] = ".yyy",
                                                               [INCIDENT_INVESTIGATING] = "..yy",
                                                               [INCIDENT_RESOLVED] = ".y.y",
                                                               [INCIDENT_CLOSED] = "...."};
    for (int from = 0; from < INCIDENT_STATUS_COUNT; from++)
        for (int to = 0; to < INCIDENT_STATUS_COUNT; to++) {
            bring((incident_status_t)from);
            bool allows = allowed[from][to] == 'y';
            assert_int_equal(world_move(&world, 1, to), allows ? STATUS_OK : STATUS_BAD_TRANSITION);
            assert_int_equal(world_incident(&world, 1)->status, allows ? to : from);
            world_end(&world);
            world_begin(&world);
        }
}

static void test_incident_tracker__a_life_in_publications(void **state)
{
    (void)state;
    open_one();
    at(1);
    world_move(&world, 1, INCIDENT_INVESTIGATING);
    at(2);
    world_move(&world, 1, INCIDENT_RESOLVED);
    at(3);
    world_move(&world, 1, INCIDENT_INVESTIGATING);
    at(4);
    world_move(&world, 1, INCIDENT_CLOSED);
    world_tells(&world, "0 incident.opened INC-1 >new\n"
                        "1 incident.updated INC-1 new>investigating\n"
                        "2 incident.resolved INC-1 investigating>resolved\n"
                        "3 incident.reopened INC-1 resolved>investigating\n"
                        "4 incident.closed INC-1 investigating>closed\n");
    const incident_t *incident = world_incident(&world, 1);
    assert_double(incident->acknowledged_at, WORLD_EPOCH + 1, 0);
    assert_double(incident->resolved_at, WORLD_EPOCH + 4, 0);
    assert_double(incident->closed_at, WORLD_EPOCH + 4, 0);
    assert_false(operations_manager_has_incident(world.manager, 1));
}

static void test_incident_tracker__reopened_it_is_not_resolved(void **state)
{
    (void)state;
    bring(INCIDENT_RESOLVED);
    at(20);
    world_move(&world, 1, INCIDENT_INVESTIGATING);
    const incident_t *incident = world_incident(&world, 1);
    assert_true(isnan(incident->resolved_at));
    assert_double(incident->acknowledged_at, WORLD_EPOCH + 20, 0);
}

static void test_incident_tracker__a_key_names_one_unclosed_incident(void **state)
{
    (void)state;
    world_open(&world, "first", "k");
    assert_false(world.answer.duplicate);
    world_move(&world, 1, INCIDENT_RESOLVED);
    world_open(&world, "second", "k");
    assert_true(world.answer.duplicate);
    assert_text(world.answer.incident->title, "first");
    assert_int_equal(world.answer.incident->occurrences, 2);
    world_open(&world, "other", "other");
    assert_int_equal(world.answer.incident->id, 2);
    world_move(&world, 1, INCIDENT_CLOSED);
    world_open(&world, "third", "k");
    assert_false(world.answer.duplicate);
    assert_int_equal(world.answer.incident->id, 3);
    world_tells(&world, "0 incident.opened INC-1 >new\n"
                        "0 incident.resolved INC-1 new>resolved\n"
                        "0 incident.updated INC-1\n"
                        "0 incident.opened INC-2 >new\n"
                        "0 incident.closed INC-1 resolved>closed\n"
                        "0 incident.opened INC-3 >new\n");
}

static void test_incident_tracker__without_a_key_or_with_an_empty_one_each_is_its_own(void **state)
{
    (void)state;
    world_open(&world, "a", NULL);
    world_open(&world, "a", NULL);
    world_open(&world, "a", "");
    world_open(&world, "a", "");
    assert_int_equal(world.answer.incident->id, 4);
}

static void test_incident_tracker__what_changed_is_a_line_with_old_and_new(void **state)
{
    (void)state;
    open_one();
    incident_change_t change = {.incident = 1,
                                .status = INCIDENT_INVESTIGATING,
                                .severity = SEVERITY_CRITICAL,
                                .owner = TEXT_OF("bob"),
                                .by = TEXT_OF("ann")};
    assert_int_equal(world_do(&world, DO_INCIDENT_UPDATE, &change), STATUS_OK);
    const incident_t *incident = world.answer.incident;
    assert_int_equal(incident->timeline_count, 4);
    static const char *const lines[][3] = {{"severity", "low", "critical"},
                                           {"status", "new", "investigating"},
                                           {"owner", NULL, "bob"}};
    for (int i = 0; i < 3; i++) {
        assert_text(incident->timeline[i + 1].what, lines[i][0]);
        if (lines[i][1] == NULL)
            assert_null(incident->timeline[i + 1].from.data);
        else
            assert_text(incident->timeline[i + 1].from, lines[i][1]);
        assert_text(incident->timeline[i + 1].to, lines[i][2]);
        assert_text(incident->timeline[i + 1].by, "ann");
    }
}

static void test_incident_tracker__an_update_that_changes_nothing_says_nothing(void **state)
{
    (void)state;
    open_one();
    world.told_size = 0;
    at(5);
    incident_change_t change = {
        .incident = 1, .status = -1, .severity = SEVERITY_LOW, .title = TEXT_OF("t")};
    assert_int_equal(world_do(&world, DO_INCIDENT_UPDATE, &change), STATUS_OK);
    world_tells(&world, "");
    assert_double(world.answer.incident->updated_at, WORLD_EPOCH, 0);
}

static void test_incident_tracker__a_change_of_what_is_resolved_is_an_update(void **state)
{
    (void)state;
    bring(INCIDENT_RESOLVED);
    world.told_size = 0;
    incident_change_t change = {
        .incident = 1, .status = -1, .severity = -1, .root_cause = TEXT_OF("the disk")};
    assert_int_equal(world_do(&world, DO_INCIDENT_UPDATE, &change), STATUS_OK);
    world_tells(&world, "10 incident.updated INC-1\n");
}

static void test_incident_tracker__a_closed_one_takes_notes_and_nothing_else(void **state)
{
    (void)state;
    bring(INCIDENT_CLOSED);
    incident_change_t change = {
        .incident = 1, .status = -1, .severity = -1, .title = TEXT_OF("other")};
    assert_int_equal(world_do(&world, DO_INCIDENT_UPDATE, &change), STATUS_BAD_TRANSITION);
    operations_manager_restore_incident(world.manager, world_incident(&world, 1));
    change = (incident_change_t){.incident = 1, .text = TEXT_OF("after"), .by = TEXT_OF("ann")};
    assert_int_equal(world_do(&world, DO_INCIDENT_NOTE, &change), STATUS_OK);
    assert_int_equal(world.answer.incident->notes_count, 1);
    assert_false(operations_manager_has_incident(world.manager, 1));
    ops_metrics_t metrics;
    operations_manager_metrics(world.manager, &metrics);
    assert_int_equal(metrics.incidents_created, 1);
    assert_int_equal(metrics.incidents_resolved, 1);
}

static void
test_incident_tracker__the_newest_hundred_notes_are_shown_and_a_thousand_taken(void **state)
{
    (void)state;
    char words[32];
    open_one();
    for (int i = 1; i <= 1000; i++) {
        snprintf(words, sizeof words, "note %d", i);
        incident_change_t change = {.incident = 1, .text = text_of(words)};
        assert_int_equal(world_do(&world, DO_INCIDENT_NOTE, &change), STATUS_OK);
    }
    const incident_t *incident = world.answer.incident;
    assert_int_equal(incident->notes_count, 1000);
    assert_int_equal(incident->notes_shown, NOTES_SHOWN);
    assert_text(incident->notes[0].text, "note 901");
    assert_text(incident->notes[99].text, "note 1000");
    incident_change_t change = {.incident = 1, .text = TEXT_OF("one more")};
    assert_int_equal(world_do(&world, DO_INCIDENT_NOTE, &change), STATUS_LIMIT);
}

static void test_incident_tracker__at_the_limit_a_closed_one_makes_room(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < world.config.incidents; i++)
        open_one();
    assert_int_equal(world_open(&world, "t", NULL), STATUS_LIMIT);
    world_move(&world, 3, INCIDENT_CLOSED);
    assert_int_equal(world_open(&world, "t", NULL), STATUS_OK);
    assert_int_equal(world.answer.incident->id, world.config.incidents + 1);
}

static void test_incident_tracker__what_was_stored_beyond_the_limit_lives(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < world.config.incidents; i++)
        open_one();
    world_commit(&world);
    world.config.incidents = 3;
    world_crash(&world, 10);
    assert_true(operations_manager_has_incident(world.manager, 64));
    assert_int_equal(world_open(&world, "t", NULL), STATUS_LIMIT);
    assert_int_equal(world_move(&world, 64, INCIDENT_RESOLVED), STATUS_OK);
}

static void test_incident_tracker__a_restart_changes_nothing_that_is_shown(void **state)
{
    (void)state;
    world_open(&world, "t", "k");
    for (int i = 0; i < 150; i++) {
        incident_change_t change = {.incident = 1, .text = TEXT_OF("n")};
        world_do(&world, DO_INCIDENT_NOTE, &change);
        world_move(&world, 1, i % 2 == 0 ? INCIDENT_RESOLVED : INCIDENT_INVESTIGATING);
    }
    incident_t *before = schema_copy(&incident_schema, world.answer.incident, &world.arena);
    world_commit(&world);
    world_crash(&world, 0);
    incident_change_t change = {.incident = 1, .status = -1, .severity = -1};
    world_do(&world, DO_INCIDENT_UPDATE, &change);
    assert_int_equal(before->timeline_shown, NOTES_SHOWN);
    assert_int_equal(before->timeline_count, 151);
    assert_true(schema_equal(&incident_schema, before, world.answer.incident));
    world_open(&world, "t", "k");
    assert_true(world.answer.duplicate);
}

#define STORY(test)                                                                                \
    cmocka_unit_test_setup_teardown(test_incident_tracker__##test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(every_pair_of_states),
        STORY(a_life_in_publications),
        STORY(reopened_it_is_not_resolved),
        STORY(a_key_names_one_unclosed_incident),
        STORY(without_a_key_or_with_an_empty_one_each_is_its_own),
        STORY(what_changed_is_a_line_with_old_and_new),
        STORY(an_update_that_changes_nothing_says_nothing),
        STORY(a_change_of_what_is_resolved_is_an_update),
        STORY(a_closed_one_takes_notes_and_nothing_else),
        STORY(the_newest_hundred_notes_are_shown_and_a_thousand_taken),
        STORY(at_the_limit_a_closed_one_makes_room),
        STORY(what_was_stored_beyond_the_limit_lives),
        STORY(a_restart_changes_nothing_that_is_shown),
    };
    return cmocka_run_group_tests_name("incident_tracker", tests, NULL, NULL);
}
