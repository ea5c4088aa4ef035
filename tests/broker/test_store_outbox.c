#include "broker/store.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64];

static store_t *open_again(void)
{
    store_error_t error;
    store_t *store = store_open(folder, &error);
    if (store == NULL)
        fail_msg("%s", error.message);
    return store;
}

static int set_up(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/tocsin-outbox-XXXXXX");
    assert_non_null(mkdtemp(folder));
    *state = open_again();
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    store_close((store_t **)state);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static notice_t sample_notice(const char *channel, uint64_t alert)
{
    static const text_t silences[] = {{"SIL-1", 5}};
    notice_t notice;
    schema_defaults(&notice_schema, &notice);
    notice.channel = text_of(channel);
    notice.alert_id = notice.alert.id = alert;
    notice.alert.policy = TEXT_OF("cpu");
    notice.alert.state = ALERT_FIRING;
    notice.alert.silenced_by = (texts_t){silences, 1};
    notice.alert.fired_at = 1000.5;
    notice.description = TEXT_OF("too busy");
    notice.revision = 3;
    return notice;
}

static void save(store_t *store, const char *channel, uint64_t alert)
{
    notice_t notice = sample_notice(channel, alert);
    store_save(store, TABLE_NOTICE, &notice);
    assert_int_equal(store_commit(store), STORE_GOOD);
}

static bool find(store_t *store, uint64_t alert, arena_t *arena, notice_t *notice)
{
    return store_find_notice(store, TEXT_OF("ops"), alert, arena, notice);
}

static void test_store_outbox__a_notice_comes_back_with_its_alert(void **state)
{
    notice_t notice, wanted = sample_notice("ops", 7);
    arena_t arena;
    arena_init(&arena);
    save(*state, "ops", 7);
    store_close((store_t **)state);
    *state = open_again();
    assert_true(find(*state, 7, &arena, &notice));
    assert_true(schema_equal(&notice_schema, &wanted, &notice));
    assert_false(find(*state, 8, &arena, &notice));
    arena_free(&arena);
}

static void test_store_outbox__the_first_try_is_remembered_until_the_channel_was_told(void **state)
{
    notice_t notice;
    arena_t arena;
    arena_init(&arena);
    save(*state, "ops", 7);
    store_notice_tried(*state, TEXT_OF("ops"), 7, 10);
    store_notice_tried(*state, TEXT_OF("ops"), 7, 20);
    assert_true(find(*state, 7, &arena, &notice));
    assert_double(notice.tried_at, 10, 0);
    assert_true(notice.may_know);
    store_notice_told(*state, TEXT_OF("ops"), 7, TOLD_FIRING, 30);
    assert_true(find(*state, 7, &arena, &notice));
    assert_double(notice.tried_at, (double)NAN, 0);
    assert_double(notice.told_at, 30, 0);
    assert_int_equal(notice.told, TOLD_FIRING);
    arena_free(&arena);
}

static void test_store_outbox__who_was_told_still_knows_after_a_miss(void **state)
{
    notice_t notice;
    arena_t arena;
    arena_init(&arena);
    save(*state, "ops", 7);
    store_notice_tried(*state, TEXT_OF("ops"), 7, 10);
    store_notice_missed(*state, TEXT_OF("ops"), 7);
    assert_true(find(*state, 7, &arena, &notice));
    assert_false(notice.may_know);
    store_notice_tried(*state, TEXT_OF("ops"), 7, 11);
    store_notice_told(*state, TEXT_OF("ops"), 7, TOLD_FIRING, 12);
    store_notice_missed(*state, TEXT_OF("ops"), 7);
    assert_true(find(*state, 7, &arena, &notice));
    assert_true(notice.may_know);
    arena_free(&arena);
}

static void test_store_outbox__a_notice_that_changed_meanwhile_does_not_end(void **state)
{
    notice_t notice;
    arena_t arena;
    arena_init(&arena);
    save(*state, "ops", 7);
    store_notice_end(*state, TEXT_OF("ops"), 7, 2);
    assert_true(find(*state, 7, &arena, &notice));
    store_notice_end(*state, TEXT_OF("ops"), 7, 3);
    assert_false(find(*state, 7, &arena, &notice));
    arena_free(&arena);
}

typedef struct {
    store_t *store;
    int count;
} visit_t;

static bool end_one(void *context, const void *thing)
{
    visit_t *visit = context;
    const notice_t *notice = thing;
    assert_int_equal(notice->alert_id, 7);
    store_notice_end(visit->store, notice->channel, 7, notice->revision);
    visit->count++;
    return true;
}

static void test_store_outbox__every_channel_of_an_alert_is_visited_once(void **state)
{
    visit_t visit = {.store = *state};
    save(*state, "ops", 7);
    save(*state, "dev", 7);
    save(*state, "ops", 8);
    store_each_notice(*state, 7, end_one, &visit);
    assert_int_equal(visit.count, 2);
    store_each_notice(*state, 7, end_one, &visit);
    assert_int_equal(visit.count, 2);
}

static void test_store_outbox__a_letter_is_kept_listed_and_taken_out(void **state)
{
    static const uint64_t alerts[] = {7, 9};
    letter_t again, letter = {.channel = TEXT_OF("ops"),
                              .key = TEXT_OF("k"),
                              .error = TEXT_OF("404"),
                              .alerts = alerts,
                              .alert_count = 2,
                              .at = 5,
                              .notification = TEXT_OF("\x81\xa1k\x01")};
    list_t list = {.limit = 10, .severity = -1, .state = -1, .since = (double)NAN};
    msgpack_sbuffer out;
    arena_t arena;
    msgpack_sbuffer_init(&out);
    arena_init(&arena);
    store_keep_letter(*state, &letter);
    assert_int_equal(letter.id, 1);
    assert_true(store_find_letter(*state, 1, &arena, &again));
    assert_true(schema_equal(&letter_schema, &letter, &again));
    assert_int_equal(store_list_letters(*state, &list, &out), STATUS_OK);
    assert_non_null(memmem(out.data, out.size, "ALT-9", 5));
    store_delete_letter(*state, 1);
    assert_false(store_find_letter(*state, 1, &arena, &again));
    msgpack_sbuffer_destroy(&out);
    arena_free(&arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store_outbox__a_notice_comes_back_with_its_alert),
        TEST(test_store_outbox__the_first_try_is_remembered_until_the_channel_was_told),
        TEST(test_store_outbox__who_was_told_still_knows_after_a_miss),
        TEST(test_store_outbox__a_notice_that_changed_meanwhile_does_not_end),
        TEST(test_store_outbox__every_channel_of_an_alert_is_visited_once),
        TEST(test_store_outbox__a_letter_is_kept_listed_and_taken_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
