#include "broker/store_tables.h"
#include "proto/pack.h"
#include "tests/broker/store_folder.h"

#include <sysexits.h>
#include <unistd.h>

static void test_store__an_incident_comes_back_as_it_was_saved(void **state)
{
    store_t *store = *state;
    incident_t incident = sample_incident(1), again;
    note_t note = {.time = 1001, .by = TEXT_OF("ann"), .text = TEXT_OF("seen")};
    arena_t arena;
    arena_init(&arena);
    incident.notes_count = 1;
    store_save(store, TABLE_INCIDENT, &incident);
    store_note_incident(store, 1, 1, &note);
    assert_int_equal(store_commit(store), STORE_GOOD);
    store_close((store_t **)state);
    *state = store = open_again();
    assert_true(store_find_incident(store, 1, 0, &arena, &again));
    assert_int_equal(again.notes_shown, 1);
    assert_text(again.notes[0].text, "seen");
    incident.notes = again.notes;
    incident.notes_shown = again.notes_shown;
    assert_true(schema_equal(&incident_schema, &incident, &again));
    assert_false(store_find_incident(store, 2, 0, &arena, &again));
    arena_free(&arena);
}

static void test_store__what_was_not_committed_is_not_there(void **state)
{
    store_t *store = *state;
    incident_t incident = sample_incident(1);
    arena_t arena;
    arena_init(&arena);
    store_save(store, TABLE_INCIDENT, &incident);
    store_fail(store, SQLITE_FULL);
    assert_int_equal(store_commit(store), STORE_FULL);
    assert_false(store_find_incident(store, 1, 0, &arena, &incident));
    assert_int_equal(store_last_id(store, TABLE_INCIDENT), 0);
    arena_free(&arena);
}

static void test_store__a_failed_write_is_final_and_a_full_disk_is_not(void **state)
{
    store_t *store = *state;
    store_begin(store);
    store_fail(store, SQLITE_FULL);
    assert_int_equal(store_commit(store), STORE_FULL);
    assert_false(store_writable(store));
    assert_int_equal(store_probe(store), STORE_GOOD);
    assert_true(store_writable(store));
    store_begin(store);
    store_fail(store, SQLITE_IOERR_FSYNC);
    assert_int_equal(store_commit(store), STORE_DEAD);
    assert_int_equal(store_probe(store), STORE_DEAD);
    assert_int_equal(store_tend(store), STORE_DEAD);
}

static void test_store__numbers_are_never_given_out_twice_after_a_crash(void **state)
{
    store_t *store = *state;
    assert_int_equal(store_reserve(store, FAMILY_ANOMALY), 1);
    assert_int_equal(store_next_number(store, FAMILY_ALERT), 1);
    store_commit(store);
    /* a crash: the file as it is, without the clean close */
    crash((store_t **)state);
    *state = store = open_again();
    assert_int_equal(store_head(store, FAMILY_ANOMALY).last, NUMBERS_BLOCK);
    assert_int_equal(store_reserve(store, FAMILY_ANOMALY), NUMBERS_BLOCK + 1);
    assert_int_equal(store_next_number(store, FAMILY_ALERT), 2);
}

static void test_store__a_clean_close_leaves_exact_heads(void **state)
{
    store_t *store = *state;
    store_reserve(store, FAMILY_SLO);
    store_keep(store, FAMILY_SLO, 1, 5, TEXT_OF("slo.a"), TEXT_OF("\xc0"));
    store_use_numbers(store, FAMILY_SLO, 3);
    store_commit(store);
    store_close((store_t **)state);
    *state = store = open_again();
    assert_int_equal(store_head(store, FAMILY_SLO).last, 3);
    assert_int_equal(store_reserve(store, FAMILY_SLO), 4);
}

static void test_store__numbers_that_were_never_kept_are_named_as_lost(void **state)
{
    store_t *store = *state;
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    uint64_t oldest;
    for (uint64_t seq = 1; seq <= 5; seq++)
        if (seq != 3)
            store_keep(store, FAMILY_SLO, seq, 5, TEXT_OF("slo.a"), TEXT_OF("\xc0"));
    store_commit(store);
    events_since_t since = {.family = FAMILY_SLO, .seq = 1, .limit = 10};
    assert_int_equal(store_since(store, &since, &out, &oldest), STATUS_OK);
    /* items [nil nil nil], cursor nil, head 5, lost [3, 3] */
    assert_memory_equal(out.data,
                        "\x84\xa5items\x93\xc0\xc0\xc0\xa6"
                        "cursor\xc0\xa4head\x05\xa4lost\x92\x03\x03",
                        out.size);
    msgpack_sbuffer_destroy(&out);
}

static void test_store__an_answer_given_once_is_found_again(void **state)
{
    store_t *store = *state;
    arena_t arena;
    bool ok = false;
    text_t outcome;
    arena_init(&arena);
    store_once_keep(store, TEXT_OF("key"), 100, true, TEXT_OF("\xc3"));
    store_commit(store);
    assert_true(store_once_find(store, TEXT_OF("key"), &arena, &ok, &outcome));
    assert_true(ok);
    assert_text(outcome, "\xc3");
    store_once_forget(store, 100.5);
    assert_false(store_once_find(store, TEXT_OF("key"), &arena, &ok, &outcome));
    arena_free(&arena);
}

static void test_store__a_second_process_is_told_who_holds_it(void **state)
{
    (void)state;
    store_error_t error;
    char holder[32];
    assert_null(store_open(folder, &error));
    assert_int_equal(error.exit_status, EX_CANTCREAT);
    snprintf(holder, sizeof holder, "process %ld", (long)getpid());
    assert_non_null(strstr(error.message, holder));
}

static void test_store__a_store_of_a_newer_version_is_refused_and_left_alone(void **state)
{
    store_error_t error;
    struct store *store = *state;
    assert_int_equal(sqlite3_exec(store->database, "PRAGMA user_version = 999", NULL, NULL, NULL),
                     SQLITE_OK);
    store_close((store_t **)state);
    assert_null(store_open(folder, &error));
    assert_non_null(strstr(error.message, "newer"));
    *state = NULL;
}

static void test_store__every_key_of_a_thing_has_its_column(void **state)
{
    struct store *store = *state;
    /* preparing the statements at the opening names every column; here the other way round */
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        char text[128];
        sqlite3_stmt *statement = NULL;
        snprintf(text, sizeof text, "PRAGMA table_info(%s)", store_tables[i].name);
        assert_int_equal(sqlite3_prepare_v2(store->database, text, -1, &statement, NULL),
                         SQLITE_OK);
        while (sqlite3_step(statement) == SQLITE_ROW)
            if (schema_field(store_tables[i].schema,
                             text_of((const char *)sqlite3_column_text(statement, 1))) == NULL)
                fail_msg("%s.%s is no key", store_tables[i].name,
                         sqlite3_column_text(statement, 1));
        sqlite3_finalize(statement);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store__an_incident_comes_back_as_it_was_saved),
        TEST(test_store__what_was_not_committed_is_not_there),
        TEST(test_store__a_failed_write_is_final_and_a_full_disk_is_not),
        TEST(test_store__numbers_are_never_given_out_twice_after_a_crash),
        TEST(test_store__a_clean_close_leaves_exact_heads),
        TEST(test_store__numbers_that_were_never_kept_are_named_as_lost),
        TEST(test_store__an_answer_given_once_is_found_again),
        TEST(test_store__a_second_process_is_told_who_holds_it),
        TEST(test_store__a_store_of_a_newer_version_is_refused_and_left_alone),
        TEST(test_store__every_key_of_a_thing_has_its_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
