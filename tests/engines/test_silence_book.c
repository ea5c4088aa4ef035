#include "tests/engines/operations_world.h"

#include "proto/pack.h"

static world_t world;

static int set_up(void **state)
{
    (void)state;
    world_begin(&world);
    policy_t policy = world_policy("p", "x > 1");
    world_put(&world, &policy);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static text_t encoded(double number, const char *word)
{
    msgpack_sbuffer packed;
    msgpack_sbuffer_init(&packed);
    if (word == NULL)
        pack_number(&packed, number);
    else
        pack_string(&packed, word);
    text_t copy = arena_copy(&world.arena, (text_t){packed.data, packed.size});
    msgpack_sbuffer_destroy(&packed);
    return copy;
}

static silence_put_t silence_of(const char *labels)
{
    return (silence_put_t){.match = world_labels(&world, labels),
                           .duration = NAN,
                           .by = TEXT_OF("ann"),
                           .reason = TEXT_OF("new disk")};
}

static status_t put_for(const char *labels, double duration)
{
    silence_put_t put = silence_of(labels);
    put.duration = duration;
    return world_do(&world, DO_SILENCE_PUT, &put);
}

static status_t put_until_resolved(const char *labels)
{
    silence_put_t put = silence_of(labels);
    put.until = encoded(0, "resolved");
    return world_do(&world, DO_SILENCE_PUT, &put);
}

static void holds(const char *labels)
{
    world_hear(&world, "p", labels, RESULT_HOLDS, 2);
}

static void test_silence_book__what_it_takes_is_silenced_from_the_beginning(void **state)
{
    (void)state;
    assert_int_equal(put_for("host=a", 60), STATUS_OK);
    holds("host=a,zone=z");
    holds("host=b");
    world_tells(&world, "0 alert.firing ALT-1 >firing !SIL-1\n"
                        "0 alert.firing ALT-2 >firing\n");
}

static void test_silence_book__policy_and_severity_are_labels_too(void **state)
{
    (void)state;
    put_for("policy=p,severity=high", 60);
    put_for("policy=p,severity=low", 60);
    put_for("policy=q", 60);
    holds("");
    world_tells(&world, "0 alert.firing ALT-1 >firing !SIL-1\n");
}

static void test_silence_book__an_alert_with_as_many_labels_as_there_can_be_is_covered(void **state)
{
    (void)state;
    char names[LABELS_MAX][8];
    label_t pairs[LABELS_MAX];
    policy_t policy = world_policy("p", "x > 1");
    policy.labels = world_labels(&world, "team=core");
    world_put(&world, &policy);
    for (unsigned i = 0; i < LABELS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "l%u", i);
        pairs[i] = (label_t){text_of(names[i]), TEXT_OF("v")};
    }
    alert_fire_t fire = {
        .policy = TEXT_OF("p"),
        .labels = labels_build(pairs, LABELS_MAX, arena_take(&world.arena, LABELS_MAX_BYTES))};
    put_for("l63=v,policy=p", 60);
    assert_int_equal(world_do(&world, DO_ALERT_FIRE, &fire), STATUS_OK);
    world_tells(&world, "0 alert.firing ALT-1 >firing !SIL-1\n");
    assert_int_equal(world.answer.alert->labels.count, LABELS_MAX);
}

static void test_silence_book__it_covers_what_fires_already_until_its_time_is_over(void **state)
{
    (void)state;
    holds("host=a");
    put_for("host=a", 90);
    assert_text(world_alert(&world, 1)->silenced_by.items[0], "SIL-1");
    world_at(&world, 89);
    assert_int_equal(world_alert(&world, 1)->silenced_by.count, 1);
    world_at(&world, 90);
    assert_int_equal(world_alert(&world, 1)->silenced_by.count, 0);
    assert_int_equal(world_alert(&world, 1)->state, ALERT_FIRING);
    assert_null(world_row(&world, EFFECT_SAVE_SILENCE, 1));
}

static void test_silence_book__a_pending_alert_is_silenced_when_it_fires(void **state)
{
    (void)state;
    policy_t policy = world_policy("p", "x > 1");
    policy.for_s = 10;
    world_put(&world, &policy);
    holds("host=a");
    put_for("host=a", 60);
    assert_int_equal(world_alert(&world, 1)->silenced_by.count, 0);
    world_at(&world, 10);
    world_tells(&world, "10 alert.firing ALT-1 pending>firing !SIL-1\n");
}

static void test_silence_book__until_resolved_it_ends_with_the_last_alert(void **state)
{
    (void)state;
    holds("host=a");
    put_until_resolved("policy=p");
    holds("host=b");
    world_hear(&world, "p", "host=a", RESULT_CLEAR, 0);
    assert_non_null(world_row(&world, EFFECT_SAVE_SILENCE, 1));
    world_hear(&world, "p", "host=b", RESULT_CLEAR, 0);
    assert_null(world_row(&world, EFFECT_SAVE_SILENCE, 1));
    holds("host=c");
    assert_int_equal(world_alert(&world, 3)->silenced_by.count, 0);
    assert_int_equal(world_alert(&world, 2)->silenced_by.count, 1);
}

static void test_silence_book__an_end_in_any_form_is_answered_in_unix_seconds(void **state)
{
    (void)state;
    uint32_t end = (uint32_t)WORLD_EPOCH + 60;
    const char timestamp[] = {(char)0xd6,        (char)0xff,       (char)(end >> 24),
                              (char)(end >> 16), (char)(end >> 8), (char)end};
    silence_put_t put = silence_of("host=a");
    put.until = (text_t){timestamp, sizeof timestamp};
    assert_int_equal(world_do(&world, DO_SILENCE_PUT, &put), STATUS_OK);
    text_t seconds = encoded(end, NULL);
    assert_true(text_equal(world.answer.silence->until, seconds));
}

static void test_silence_book__deleted_it_is_answered_and_covers_nothing(void **state)
{
    (void)state;
    holds("host=a");
    put_for("host=a", 60);
    put_for("policy=p", 60);
    silence_act_t act = {.silence = 1, .by = TEXT_OF("bob")};
    assert_int_equal(world_do(&world, DO_SILENCE_DELETE, &act), STATUS_OK);
    assert_text(world.answer.silence->reason, "new disk");
    const alert_t *alert = world_alert(&world, 1);
    assert_int_equal(alert->silenced_by.count, 1);
    assert_text(alert->silenced_by.items[0], "SIL-2");
    assert_int_equal(world_do(&world, DO_SILENCE_DELETE, &act), STATUS_NOT_FOUND);
}

static status_t put_matchers(const text_t *matchers, size_t count)
{
    silence_put_t put = silence_of("");
    put.matchers = (texts_t){matchers, count};
    put.duration = 60;
    return world_do(&world, DO_SILENCE_PUT, &put);
}

static void test_silence_book__matchers_are_those_of_conditions(void **state)
{
    (void)state;
    const text_t all[] = {TEXT_OF("host=~\"a.*\""), TEXT_OF("zone!=\"z\""),
                          TEXT_OF("severity!~\"low|medium\"")};
    assert_int_equal(put_matchers(all, 3), STATUS_OK);
    holds("host=ab");
    holds("host=ba");
    holds("host=a,zone=z");
    holds("host=a,zone=y");
    world_tells(&world, "0 alert.firing ALT-1 >firing !SIL-1\n"
                        "0 alert.firing ALT-2 >firing\n"
                        "0 alert.firing ALT-3 >firing\n"
                        "0 alert.firing ALT-4 >firing !SIL-1\n");
    world_commit(&world);
    world_crash(&world, 1);
    holds("host=abc");
    world_tells(&world, "1 alert.firing ALT-5 >firing !SIL-1\n");
}

static void test_silence_book__a_matcher_that_is_none_is_refused_in_words(void **state)
{
    (void)state;
    const text_t bad[] = {TEXT_OF("host"),
                          TEXT_OF("host=~\"(\""),
                          TEXT_OF("host=\"a\",zone=\"z\""),
                          TEXT_OF(""),
                          TEXT_OF("a=\"b\"} or alert{c=\"d\""),
                          TEXT_OF("host=~\"(a)\\\\1\"")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(put_matchers(&bad[i], 1), STATUS_BAD_VALUE);
        assert_non_null(strstr(world.error.message, "matchers: "));
    }
    assert_null(world_row(&world, EFFECT_SAVE_SILENCE, 1));
}

static void refuse(const silence_put_t *put, const char *words)
{
    assert_int_equal(world_do(&world, DO_SILENCE_PUT, put), STATUS_BAD_VALUE);
    if (strstr(world.error.message, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", world.error.message, words);
}

static void test_silence_book__without_an_end_or_with_two_it_is_refused(void **state)
{
    (void)state;
    silence_put_t put = silence_of("host=a");
    refuse(&put, "until: give it, or duration");
    put.duration = 5;
    put.until = encoded(WORLD_EPOCH + 5, NULL);
    refuse(&put, "not both");
    put.duration = NAN;
    put.until = encoded(WORLD_EPOCH, NULL);
    refuse(&put, "has passed");
    put.until = encoded(0, "tomorrow");
    refuse(&put, "\"resolved\"");
    put.until = encoded(WORLD_EPOCH + 1, NULL);
    put.every = encoded(1, NULL);
    refuse(&put, "every");
    put.every = TEXT_NONE;
    put.match = LABELS_NONE;
    refuse(&put, "match");
}

static void test_silence_book__silences_have_a_limit(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < world.config.silences; i++)
        assert_int_equal(put_for("host=a", 60), STATUS_OK);
    assert_int_equal(put_for("host=a", 60), STATUS_LIMIT);
    world_at(&world, 60);
    assert_int_equal(put_for("host=a", 60), STATUS_OK);
    assert_int_equal(world.answer.silence->id, world.config.silences + 1);
}

static void test_silence_book__it_survives_a_restart_and_ends_at_its_time(void **state)
{
    (void)state;
    put_for("host=a", 100);
    put_until_resolved("host=b");
    holds("host=a");
    holds("host=b");
    world_commit(&world);
    world_crash(&world, 50);
    world_at(&world, 99);
    assert_int_equal(world_alert(&world, 1)->silenced_by.count, 1);
    world_at(&world, 100);
    assert_int_equal(world_alert(&world, 1)->silenced_by.count, 0);
    world_hear(&world, "p", "host=b", RESULT_CLEAR, 0);
    assert_null(world_row(&world, EFFECT_SAVE_SILENCE, 2));
    put_for("host=a", 5);
    assert_int_equal(world.answer.silence->id, 3);
}

static void test_silence_book__one_that_ended_meanwhile_covers_nothing_after_a_restart(void **state)
{
    (void)state;
    put_for("host=a", 10);
    holds("host=a");
    world_commit(&world);
    world_crash(&world, 50);
    world_at(&world, 50);
    assert_int_equal(world_alert(&world, 1)->silenced_by.count, 0);
}

static void test_silence_book__a_silence_is_no_clock_that_a_restart_pauses(void **state)
{
    (void)state;
    put_for("host=a", 3600);
    assert_false(operations_manager_clock_runs(world.manager));
    policy_t policy = world_policy("p", "x > 1");
    policy.for_s = 10;
    world_put(&world, &policy);
    holds("host=a");
    assert_true(operations_manager_clock_runs(world.manager));
    world_at(&world, 10);
    assert_false(operations_manager_clock_runs(world.manager));
}

static void test_silence_book__a_clock_that_is_set_is_noticed_within_a_minute(void **state)
{
    (void)state;
    put_for("host=a", 3600);
    holds("host=a");
    world_at(&world, 10);
    world.now.wall_s += 7200;
    world.now.mono_ns += ns_of(50);
    operations_manager_tick(world.manager, world.now);
    assert_int_equal(world_alert(&world, 1)->silenced_by.count, 0);
}

#define STORY(test) cmocka_unit_test_setup_teardown(test_silence_book__##test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(what_it_takes_is_silenced_from_the_beginning),
        STORY(policy_and_severity_are_labels_too),
        STORY(an_alert_with_as_many_labels_as_there_can_be_is_covered),
        STORY(it_covers_what_fires_already_until_its_time_is_over),
        STORY(a_pending_alert_is_silenced_when_it_fires),
        STORY(until_resolved_it_ends_with_the_last_alert),
        STORY(an_end_in_any_form_is_answered_in_unix_seconds),
        STORY(deleted_it_is_answered_and_covers_nothing),
        STORY(matchers_are_those_of_conditions),
        STORY(a_matcher_that_is_none_is_refused_in_words),
        STORY(without_an_end_or_with_two_it_is_refused),
        STORY(silences_have_a_limit),
        STORY(it_survives_a_restart_and_ends_at_its_time),
        STORY(one_that_ended_meanwhile_covers_nothing_after_a_restart),
        STORY(a_silence_is_no_clock_that_a_restart_pauses),
        STORY(a_clock_that_is_set_is_noticed_within_a_minute),
    };
    return cmocka_run_group_tests_name("silence_book", tests, NULL, NULL);
}
