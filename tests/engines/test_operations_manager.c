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

static void says(status_t status, status_t expected, const char *words)
{
    assert_int_equal(status, expected);
    if (strstr(world.error.message, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", world.error.message, words);
}

static runbook_t runbook_of(const char *name)
{
    static const text_t procedures[] = {{"look", 4}}, steps[] = {{"top", 3}, {"df", 2}};
    static const procedure_t all[] = {{{"look", 4}, {steps, 2}}};
    return (runbook_t){.name = text_of(name),
                       .description = TEXT_OF("d"),
                       .procedures = {procedures, 1},
                       .steps = all,
                       .steps_count = 1};
}

static status_t by_name(do_t which, const char *name)
{
    return world_do(&world, which, &(named_t){.name = text_of(name)});
}

/* -- policies -- */

static void test_operations_manager__a_policy_is_refused_in_words(void **state)
{
    (void)state;
    static const text_t nowhere[] = {{"nowhere", 7}};
    policy_t policy = world_policy("p", "x >");
    says(world_do(&world, DO_POLICY_PUT, &policy), STATUS_BAD_VALUE, "condition: line 1, column");
    policy = world_policy("p", "x > 1");
    policy.resolve_condition = TEXT_OF("<");
    says(world_do(&world, DO_POLICY_PUT, &policy), STATUS_BAD_VALUE, "resolve_condition: line 1");
    policy = world_policy("p", "x > 1");
    policy.channels = (texts_t){nowhere, 1};
    says(world_do(&world, DO_POLICY_PUT, &policy), STATUS_BAD_VALUE, "no channel \"nowhere\"");
    assert_null(operations_manager_policy(world.manager, TEXT_OF("p")));
    says(by_name(DO_POLICY_DELETE, "p"), STATUS_NOT_FOUND, "no policy \"p\"");
    says(by_name(DO_POLICY_ENABLE, "p"), STATUS_NOT_FOUND, "no policy \"p\"");
    assert_int_equal(world.said.count, 0);
}

static void test_operations_manager__policies_have_a_limit(void **state)
{
    (void)state;
    char name[16];
    for (uint32_t i = 0; i < world.config.policies; i++) {
        snprintf(name, sizeof name, "p%u", i);
        policy_t policy = world_policy(name, "x > 1");
        world_put(&world, &policy);
    }
    policy_t policy = world_policy("more", "x > 1");
    says(world_do(&world, DO_POLICY_PUT, &policy), STATUS_LIMIT, "the limit");
    policy = world_policy("p3", "x > 2"); /* replacing one is none more */
    world_put(&world, &policy);
    assert_int_equal(by_name(DO_POLICY_DELETE, "p0"), STATUS_OK);
    policy = world_policy("more", "x > 1");
    world_put(&world, &policy);
}

static void test_operations_manager__a_disabled_policy_fires_nothing_and_says_why(void **state)
{
    (void)state;
    policy_t policy = world_policy("p", "x > 1");
    world_put(&world, &policy);
    assert_int_equal(by_name(DO_POLICY_DISABLE, "p"), STATUS_OK);
    assert_false(world.answer.policy->enabled);
    assert_int_equal(world_fire(&world, "p", ""), STATUS_OK);
    assert_false(world.answer.fired);
    assert_text(world.answer.reason, "disabled");
    world_hear(&world, "p", "", RESULT_HOLDS, 2); /* a result that was on its way */
    world_tells(&world, "");
    assert_int_equal(by_name(DO_POLICY_ENABLE, "p"), STATUS_OK);
    assert_int_equal(world_fire(&world, "p", ""), STATUS_OK);
    assert_true(world.answer.fired);
    assert_int_equal(world_fire(&world, "q", ""), STATUS_NOT_FOUND);
}

static void test_operations_manager__a_deleted_policy_is_answered_as_it_was(void **state)
{
    (void)state;
    policy_t policy = world_policy("p", "x > 1");
    policy.description = TEXT_OF("what it was");
    world_put(&world, &policy);
    assert_int_equal(by_name(DO_POLICY_DELETE, "p"), STATUS_OK);
    assert_text(world.answer.policy->description, "what it was");
}

/* -- runbooks -- */

static void test_operations_manager__a_runbook_is_followed_step_by_step(void **state)
{
    (void)state;
    runbook_t runbook = runbook_of("r");
    assert_int_equal(world_do(&world, DO_RUNBOOK_PUT, &runbook), STATUS_OK);
    world_open(&world, "t", NULL);
    runbook_act_t act = {.incident = 1,
                         .name = TEXT_OF("r"),
                         .procedure = TEXT_OF("look"),
                         .step = TEXT_OF("df"),
                         .outcome = TEXT_OF("full"),
                         .by = TEXT_OF("ann")};
    says(world_do(&world, DO_RUNBOOK_TICK, &act), STATUS_NOT_FOUND, "follows no runbook");
    assert_int_equal(world_do(&world, DO_RUNBOOK_START, &act), STATUS_OK);
    assert_text(world.answer.incident->runbook, "r");
    assert_int_equal(world_do(&world, DO_RUNBOOK_TICK, &act), STATUS_OK);
    const move_t *line = &world.answer.incident->timeline[2];
    assert_text(line->what, "runbook.tick look: df");
    assert_text(line->to, "full");
    assert_text(line->by, "ann");
    act.step = TEXT_OF("reboot");
    says(world_do(&world, DO_RUNBOOK_TICK, &act), STATUS_NOT_FOUND, "no such step");
    act.name = TEXT_OF("none");
    says(world_do(&world, DO_RUNBOOK_START, &act), STATUS_NOT_FOUND, "no runbook \"none\"");
    act.incident = 9;
    act.name = TEXT_OF("r");
    says(world_do(&world, DO_RUNBOOK_START, &act), STATUS_NOT_FOUND, "INC-9");
    world_move(&world, 1, INCIDENT_CLOSED);
    operations_manager_restore_incident(world.manager, world_incident(&world, 1));
    act.incident = 1;
    says(world_do(&world, DO_RUNBOOK_START, &act), STATUS_BAD_TRANSITION, "closed");
}

static void
test_operations_manager__runbooks_have_a_limit_and_are_answered_when_deleted(void **state)
{
    (void)state;
    char name[16];
    for (uint32_t i = 0; i <= world.config.runbooks; i++) {
        snprintf(name, sizeof name, "r%u", i);
        runbook_t runbook = runbook_of(name);
        assert_int_equal(world_do(&world, DO_RUNBOOK_PUT, &runbook),
                         i < world.config.runbooks ? STATUS_OK : STATUS_LIMIT);
    }
    assert_int_equal(by_name(DO_RUNBOOK_DELETE, "r0"), STATUS_OK);
    assert_text(world.answer.runbook->name, "r0");
    says(by_name(DO_RUNBOOK_DELETE, "r0"), STATUS_NOT_FOUND, "no runbook \"r0\"");
}

/* -- the file -- */

static status_t own(const policy_t *policies, size_t count, size_t *wrong)
{
    static const text_t channels[] = {{"ops", 3}};
    runbook_t runbook = runbook_of("r");
    return operations_manager_own(world.manager, policies, count, &runbook, 1,
                                  (texts_t){channels, 1}, world.now, wrong, &world.error);
}

static void test_operations_manager__what_the_file_owns_no_command_changes(void **state)
{
    (void)state;
    size_t wrong;
    policy_t policy = world_policy("p", "x > 1");
    assert_int_equal(own(&policy, 1, &wrong), STATUS_OK);
    says(world_do(&world, DO_POLICY_PUT, &policy), STATUS_CONFLICT, "configuration file");
    says(by_name(DO_POLICY_DELETE, "p"), STATUS_CONFLICT, "configuration file");
    says(by_name(DO_POLICY_DISABLE, "p"), STATUS_CONFLICT, "configuration file");
    runbook_t runbook = runbook_of("r");
    says(world_do(&world, DO_RUNBOOK_PUT, &runbook), STATUS_CONFLICT, "configuration file");
    says(by_name(DO_RUNBOOK_DELETE, "r"), STATUS_CONFLICT, "configuration file");
}

static void test_operations_manager__the_file_read_again_changes_only_what_changed(void **state)
{
    (void)state;
    size_t wrong;
    policy_t policies[] = {world_policy("p", "x > 1"), world_policy("q", "x > 1")};
    policy_t mine = world_policy("mine", "x > 1");
    world_put(&world, &mine);
    own(policies, 2, &wrong);
    world_fire(&world, "p", "");
    world_fire(&world, "q", "");
    world_fire(&world, "mine", "");
    world.told_size = 0;
    world_commit(&world);
    assert_int_equal(own(policies, 2, &wrong), STATUS_OK);
    assert_int_equal(world.said.count, 0);
    policies[0].severity = SEVERITY_LOW;
    assert_int_equal(own(policies, 1, &wrong), STATUS_OK);
    world_tells(&world, "0 alert.resolved ALT-2 firing>resolved policy_changed\n"
                        "0 alert.resolved ALT-1 firing>resolved policy_changed\n");
    assert_null(operations_manager_policy(world.manager, TEXT_OF("q")));
    assert_non_null(operations_manager_policy(world.manager, TEXT_OF("mine")));
}

static void test_operations_manager__taking_over_the_same_policy_ends_no_alert(void **state)
{
    (void)state;
    size_t wrong;
    policy_t policy = world_policy("p", "x > 1");
    world_put(&world, &policy);
    world_fire(&world, "p", "");
    world.told_size = 0;
    own(&policy, 1, &wrong);
    world_tells(&world, "");
    assert_true(operations_manager_policy(world.manager, TEXT_OF("p"))->from_file);
}

static void test_operations_manager__a_file_with_one_bad_policy_changes_nothing(void **state)
{
    (void)state;
    size_t wrong = 99;
    static const text_t nowhere[] = {{"nowhere", 7}};
    policy_t policies[] = {world_policy("p", "x > 1"), world_policy("q", "x > 1")};
    policies[1].channels = (texts_t){nowhere, 1};
    says(own(policies, 2, &wrong), STATUS_BAD_VALUE, "nowhere");
    assert_int_equal(wrong, 1);
    assert_null(operations_manager_policy(world.manager, TEXT_OF("p")));
    assert_int_equal(world.said.count, 0);
}

/* -- metrics -- */

static void test_operations_manager__metrics_are_counted_as_the_contract_says(void **state)
{
    (void)state;
    policy_t policy = world_policy("p", "x > 1");
    world_put(&world, &policy);
    world_fire(&world, "p", "host=a");
    world_fire(&world, "p", "host=b");
    world_open(&world, "t", NULL);
    world_open(&world, "t", NULL);
    world_open(&world, "t", NULL);
    world_at(&world, 60);
    world_acknowledge(&world, 1);
    world_resolve(&world, 2);
    world_move(&world, 1, INCIDENT_RESOLVED);
    world_move(&world, 2, INCIDENT_CLOSED);
    world_at(&world, 180);
    world_move(&world, 1, INCIDENT_INVESTIGATING);
    world_move(&world, 1, INCIDENT_RESOLVED);
    assert_int_equal(world_do(&world, DO_OPS_METRICS, NULL), STATUS_OK);
    const ops_metrics_t *metrics = &world.answer.metrics;
    assert_int_equal(metrics->incidents_created, 3);
    assert_int_equal(metrics->incidents_resolved, 2);
    assert_int_equal(metrics->incidents_open, 1);
    assert_int_equal(metrics->alerts_triggered, 2);
    assert_int_equal(metrics->alerts_acknowledged, 1);
    assert_int_equal(metrics->alerts_resolved, 1);
    assert_int_equal(metrics->alerts_active, 1);
    assert_double(metrics->avg_resolution_time, 120, 0);
    assert_double(metrics->mtta.mean, 60, 0);
    assert_double(metrics->mttr.p90, 180, 180 * 0.008);
}

static void test_operations_manager__what_retention_deletes_is_counted_no_longer(void **state)
{
    (void)state;
    world_open(&world, "t", NULL);
    world_at(&world, 10);
    world_move(&world, 1, INCIDENT_CLOSED);
    operations_manager_discount_incident(world.manager, world_incident(&world, 1));
    world_do(&world, DO_OPS_METRICS, NULL);
    assert_int_equal(world.answer.metrics.incidents_created, 0);
    assert_true(isnan(world.answer.metrics.mttr.mean));
}

/* -- the audit -- */

static char audit[4096];
static size_t audit_size;

static void write_down(void *context, const effect_t *effect)
{
    (void)context;
    if (effect->type == EFFECT_AUDIT)
        audit_size +=
            (size_t)snprintf(audit + audit_size, sizeof audit - audit_size,
                             "%.*s %.*s %.*s [%.*s] [%.*s]\n", WORDS(effect->as.audit.by),
                             WORDS(effect->as.audit.what), WORDS(effect->as.audit.subject),
                             WORDS(effect->as.audit.from), WORDS(effect->as.audit.to));
}

static void test_operations_manager__every_change_is_audited_with_old_and_new(void **state)
{
    (void)state;
    operations_manager_destroy(&world.manager);
    world.manager = operations_manager_new(&world.config, (effect_sink_t){write_down, NULL});
    audit_size = 0;
    policy_t policy = world_policy("p", "x > 1");
    world_put(&world, &policy);
    policy.for_s = 60;
    world_put(&world, &policy);
    by_name(DO_POLICY_DISABLE, "p");
    by_name(DO_POLICY_ENABLE, "p");
    world_fire(&world, "p", "");
    world_acknowledge(&world, 1);
    world_resolve(&world, 1);
    runbook_t runbook = runbook_of("r");
    world_do(&world, DO_RUNBOOK_PUT, &runbook);
    incident_open_t open = {.title = TEXT_OF("t"), .severity = 3, .by = TEXT_OF("bob")};
    world_do(&world, DO_INCIDENT_OPEN, &open);
    incident_change_t change = {.incident = 1,
                                .status = INCIDENT_RESOLVED,
                                .severity = SEVERITY_HIGH,
                                .by = TEXT_OF("bob")};
    world_do(&world, DO_INCIDENT_UPDATE, &change);
    change = (incident_change_t){.incident = 1, .text = TEXT_OF("n"), .by = TEXT_OF("ann")};
    world_do(&world, DO_INCIDENT_NOTE, &change);
    by_name(DO_POLICY_DELETE, "p");
    by_name(DO_RUNBOOK_DELETE, "r");
    assert_string_equal(audit, " policy.put p [] [x > 1]\n"
                               " policy.put p [for: 0] [for: 60]\n"
                               " policy.disable p [enabled: true] [enabled: false]\n"
                               " policy.enable p [enabled: false] [enabled: true]\n"
                               " alert.fire ALT-1 [] [p]\n"
                               "ann alert.ack ALT-1 [firing] [acknowledged]\n"
                               "ann alert.resolve ALT-1 [acknowledged] [resolved]\n"
                               " runbook.put r [] [d]\n"
                               "bob incident.open INC-1 [] [t]\n"
                               "bob incident.update INC-1 [severity: low] [severity: high]\n"
                               "bob incident.update INC-1 [status: new] [status: resolved]\n"
                               "ann incident.note INC-1 [] [n]\n"
                               " policy.delete p [x > 1] []\n"
                               " runbook.delete r [d] []\n");
}

#define STORY(test)                                                                                \
    cmocka_unit_test_setup_teardown(test_operations_manager__##test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_policy_is_refused_in_words),
        STORY(policies_have_a_limit),
        STORY(a_disabled_policy_fires_nothing_and_says_why),
        STORY(a_deleted_policy_is_answered_as_it_was),
        STORY(a_runbook_is_followed_step_by_step),
        STORY(runbooks_have_a_limit_and_are_answered_when_deleted),
        STORY(what_the_file_owns_no_command_changes),
        STORY(the_file_read_again_changes_only_what_changed),
        STORY(taking_over_the_same_policy_ends_no_alert),
        STORY(a_file_with_one_bad_policy_changes_nothing),
        STORY(metrics_are_counted_as_the_contract_says),
        STORY(what_retention_deletes_is_counted_no_longer),
        STORY(every_change_is_audited_with_old_and_new),
    };
    return cmocka_run_group_tests_name("operations_manager", tests, NULL, NULL);
}
