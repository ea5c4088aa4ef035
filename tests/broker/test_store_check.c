#include "broker/store_check.h"

#include "broker/store_pages.h"
#include "tests/broker/store_folder.h"

#include <sysexits.h>
#include <unistd.h>

static char said[8192];

static int check(const char *path)
{
    FILE *out = fmemopen(said, sizeof said, "w");
    assert_non_null(out);
    int exit_status = store_check(path, out);
    fclose(out);
    return exit_status;
}

static void assert_said(const char *words)
{
    if (strstr(said, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", said, words);
}

/*  Some of everything that the rules speak about. */
static void fill(store_t *store)
{
    note_t note = {.time = 1, .by = TEXT_NONE, .text = TEXT_OF("n")};
    move_t move = {.time = 1, .what = TEXT_OF("w")};
    alert_t alert;
    incident_t incident = sample_incident(1);
    incident.notes_count = incident.timeline_count = 2;
    incident.key = TEXT_OF("k");
    store_save(store, TABLE_INCIDENT, &incident);
    for (uint64_t number = 1; number <= 2; number++) {
        store_note_incident(store, 1, number, &note);
        store_move(store, 1, number, &move);
        store_keep(store, FAMILY_INCIDENT, store_next_number(store, FAMILY_INCIDENT), 1,
                   TEXT_OF("t"), TEXT_OF("\xc0"));
    }
    schema_defaults(&alert_schema, &alert);
    alert.id = 1;
    alert.policy = TEXT_OF("cpu");
    alert.state = ALERT_FIRING;
    alert.notes_count = 1;
    alert.updated_at = 1;
    store_save(store, TABLE_ALERT, &alert);
    store_note_alert(store, 1, 1, &note);
    assert_int_equal(store_commit(store), STORE_GOOD);
}

static void test_store_check__what_the_store_writes_is_sound(void **state)
{
    fill(*state);
    store_close((store_t **)state);
    assert_int_equal(check(folder), EX_OK);
    assert_said("incident rows 1, alert rows 1, policy rows 0, publication rows 2, sound");
    assert_int_equal(access(file_of("tocsin.db-wal"), F_OK), -1);
}

static void test_store_check__the_log_of_a_crash_is_read_and_stays(void **state)
{
    fill(*state);
    crash((store_t **)state);
    uint64_t bytes = store_bytes(file_of("tocsin.db"), "-wal");
    assert_true(bytes > 0);
    assert_int_equal(check(folder), EX_OK);
    assert_said("incident rows 1");
    assert_int_equal(store_bytes(file_of("tocsin.db"), "-wal"), bytes);
}

static void test_store_check__every_rule_finds_what_it_is_there_for(void **state)
{
    static const struct {
        const char *damage, *words;
    } cases[] = {
        {"UPDATE number SET last = 0 WHERE thing = 'incident'", "incident with a number"},
        {"UPDATE number SET last = 0 WHERE thing = 'alert'", "alert with a number"},
        {"INSERT INTO silence VALUES (9, x'80', x'90', x'c0', 'a', 'r', 1)",
         "silence with a number"},
        {"UPDATE incident SET notes_count = 3", "counts its notes wrong"},
        {"DELETE FROM incident_note WHERE number = 1; UPDATE incident SET notes_count = 1",
         "counts its notes wrong"},
        {"DELETE FROM incident_move WHERE number = 2", "counts its timeline wrong"},
        {"DELETE FROM alert_note", "alert that counts its notes wrong"},
        {"INSERT INTO incident_note VALUES (7, 1, 1, NULL, 'x')", "a note of no incident"},
        {"INSERT INTO incident_move VALUES (7, 1, 1, NULL, 'x', NULL, NULL)",
         "timeline of no incident"},
        {"INSERT INTO alert_note VALUES (7, 1, 1, NULL, 'x')", "a note of no alert"},
        {"UPDATE incident SET closed_at = 5", "closed incident"},
        {"UPDATE incident SET status = 'burning'", "a status that is none"},
        {"UPDATE alert SET state = 'burning'", "a state that is none"},
        {"CREATE TEMP TABLE t AS SELECT * FROM incident; UPDATE t SET incident = 2,"
         " notes_count = 0, timeline_count = 0; INSERT INTO incident SELECT * FROM t;"
         " UPDATE number SET last = 2; DROP TABLE t",
         "two unclosed incidents with one key"},
        {"CREATE TEMP TABLE t AS SELECT * FROM alert; UPDATE t SET alert = 2, notes_count = 0;"
         " INSERT INTO alert SELECT * FROM t; UPDATE number SET last = 2; DROP TABLE t",
         "two active alerts"},
        {"INSERT INTO publication VALUES (0, 5, 1, 't', x'c0')", "beyond the head"},
        {"UPDATE head SET trimmed = 1 WHERE family = 4", "counts as deleted"},
        {"UPDATE head SET reserved = 0 WHERE family = 4", "numbers are out of order"},
        {"DELETE FROM publication WHERE seq = 1", "lacks a publication"},
    };
    char fresh[128], command[512];
    fill(*state);
    store_close((store_t **)state);
    snprintf(fresh, sizeof fresh, "%s/fresh", folder);
    assert_int_equal(rename(file_of("tocsin.db"), fresh), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sqlite3 *database;
        snprintf(command, sizeof command, "cp %s %s", fresh, file_of("tocsin.db"));
        assert_int_equal(system(command), 0);
        assert_int_equal(
            sqlite3_open_v2(file_of("tocsin.db"), &database, SQLITE_OPEN_READWRITE, PAGES_VFS),
            SQLITE_OK);
        store_run_text(database, "PRAGMA locking_mode = EXCLUSIVE");
        if (!store_run_text(database, cases[i].damage))
            fail_msg("%s: %s", cases[i].damage, sqlite3_errmsg(database));
        sqlite3_close(database);
        assert_int_equal(check(folder), EX_DATAERR);
        assert_said(cases[i].words);
        assert_said("not sound");
    }
}

static void test_store_check__a_damaged_page_is_found(void **state)
{
    fill(*state);
    store_close((store_t **)state);
    FILE *file = fopen(file_of("tocsin.db"), "r+b");
    assert_non_null(file);
    for (long page = 1; page < 6; page++) {
        fseek(file, page * 4096, SEEK_SET);
        fwrite("\x55\x55\x55\x55\x55\x55\x55\x55", 1, 8, file);
    }
    fclose(file);
    assert_int_equal(check(folder), EX_DATAERR);
    assert_said("not sound");
}

static void test_store_check__a_store_in_use_is_left_alone(void **state)
{
    (void)state;
    assert_int_equal(check(folder), EX_TEMPFAIL);
    assert_said("in use");
}

static void test_store_check__where_no_store_is_there_is_none_to_check(void **state)
{
    (void)state;
    assert_int_equal(check(file_of("nothing")), EX_NOINPUT);
}

/* -- snapshots -- */

static void finish_snapshot(store_t *store)
{
    char message[256] = "";
    copy_state_t snapshot;
    while ((snapshot = store_snapshot_step(store, message, sizeof message)) == COPY_GOES_ON)
        ;
    if (snapshot != COPY_DONE)
        fail_msg("%s", message);
}

static void
test_store_check__a_snapshot_of_a_store_in_use_is_sound_and_has_what_was_committed(void **state)
{
    store_t *store = *state;
    char message[256], blob[8192];
    memset(blob, 'x', sizeof blob);
    fill(store);
    for (uint64_t seq = 1; seq <= 500; seq++)
        store_keep(store, FAMILY_SLO, seq, 1, TEXT_OF("t"), (text_t){blob, sizeof blob});
    store_use_numbers(store, FAMILY_SLO, 500);
    store_reserve(store, FAMILY_SLO);
    store_commit(store);
    assert_true(store_snapshot_begin(store, file_of("copy"), message, sizeof message));
    assert_int_equal(store_snapshot_step(store, message, sizeof message), COPY_GOES_ON);
    /* a change while it is written: into pages that are copied already, and into others */
    incident_t incident = sample_incident(2);
    store_save(store, TABLE_INCIDENT, &incident);
    store_commit(store);
    finish_snapshot(store);
    assert_int_equal(check(file_of("copy")), EX_OK);
    assert_said("incident rows 2, alert rows 1, policy rows 0, publication rows 502, sound");
    assert_int_equal(access(file_of("copy.part"), F_OK), -1);
}

static void test_store_check__a_snapshot_is_a_store(void **state)
{
    char message[256];
    arena_t arena;
    incident_t incident;
    arena_init(&arena);
    fill(*state);
    assert_true(store_snapshot_begin(*state, file_of("copy"), message, sizeof message));
    finish_snapshot(*state);
    store_close((store_t **)state);
    char copy[256];
    snprintf(copy, sizeof copy, "%s", file_of("copy"));
    assert_int_equal(rename(copy, file_of("tocsin.db")), 0);
    *state = open_again();
    assert_true(store_find_incident(*state, 1, 0, &arena, &incident));
    assert_int_equal(store_next_number(*state, FAMILY_INCIDENT), 3);
    arena_free(&arena);
}

static void test_store_check__a_snapshot_goes_to_no_file_that_is_there(void **state)
{
    char message[256];
    assert_false(store_snapshot_begin(*state, file_of("tocsind.lock"), message, sizeof message));
    assert_non_null(strstr(message, "File exists"));
    assert_false(store_snapshot_begin(*state, file_of("no/such/folder"), message, sizeof message));
    assert_true(store_snapshot_begin(*state, file_of("copy"), message, sizeof message));
    assert_false(store_snapshot_begin(*state, file_of("other"), message, sizeof message));
    assert_non_null(strstr(message, "another snapshot"));
    store_snapshot_end(*state);
    assert_int_equal(access(file_of("copy.part"), F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store_check__what_the_store_writes_is_sound),
        TEST(test_store_check__the_log_of_a_crash_is_read_and_stays),
        TEST(test_store_check__every_rule_finds_what_it_is_there_for),
        TEST(test_store_check__a_damaged_page_is_found),
        TEST(test_store_check__a_store_in_use_is_left_alone),
        TEST(test_store_check__where_no_store_is_there_is_none_to_check),
        TEST(test_store_check__a_snapshot_of_a_store_in_use_is_sound_and_has_what_was_committed),
        TEST(test_store_check__a_snapshot_is_a_store),
        TEST(test_store_check__a_snapshot_goes_to_no_file_that_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
