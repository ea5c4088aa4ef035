#include "broker/store_pages.h"
#include "broker/store_tables.h"
#include "tests/broker/store_folder.h"

#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/*  Opening must fail with that exit status and those words. */
static void refuse(int exit_status, const char *words)
{
    store_error_t error;
    store_t *store = store_open(folder, &error);
    if (store != NULL) {
        store_close(&store);
        fail_msg("it was opened");
    }
    assert_int_equal(error.exit_status, exit_status);
    if (strstr(error.message, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, words);
}

static void overwrite(const char *name, long at, const char *bytes, size_t size)
{
    FILE *file = fopen(file_of(name), "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static mode_t mode_of(const char *name)
{
    struct stat status;
    assert_int_equal(stat(file_of(name), &status), 0);
    return status.st_mode & 0777;
}

static void test_store_open__nobody_else_may_read_what_is_made(void **state)
{
    (void)state;
    assert_int_equal(mode_of("tocsin.db"), 0600);
    assert_int_equal(mode_of("tocsin.db-wal"), 0600);
    assert_int_equal(mode_of("tocsind.lock"), 0600);
}

static void test_store_open__a_directory_is_made_for_us_alone(void **state)
{
    store_close((store_t **)state);
    size_t size = strlen(folder);
    snprintf(folder + size, sizeof folder - size, "/a/b");
    *state = open_again();
    assert_int_equal(mode_of(""), 0700);
    store_close((store_t **)state);
    folder[size] = '\0';
}

static void test_store_open__a_directory_anybody_may_write_to_is_refused(void **state)
{
    store_close((store_t **)state);
    assert_int_equal(chmod(folder, 0777), 0);
    refuse(EX_CANTCREAT, "anybody may write there");
}

static void test_store_open__a_symbolic_link_is_refused(void **state)
{
    char target[128];
    store_close((store_t **)state);
    snprintf(target, sizeof target, "%s/elsewhere", folder);
    assert_int_equal(rename(file_of("tocsin.db"), target), 0);
    assert_int_equal(symlink(target, file_of("tocsin.db")), 0);
    refuse(EX_CANTCREAT, "a symbolic link");
}

static void test_store_open__a_store_that_others_may_read_is_refused(void **state)
{
    store_close((store_t **)state);
    assert_int_equal(chmod(file_of("tocsin.db"), 0644), 0);
    refuse(EX_CANTCREAT, "others may use it: chmod 600");
}

static void test_store_open__a_store_of_another_user_is_refused(void **state)
{
    if (geteuid() != 0)
        skip();
    store_close((store_t **)state);
    assert_int_equal(chown(file_of("tocsin.db"), 12345, 0), 0);
    refuse(EX_CANTCREAT, "belongs to user 12345");
}

static void test_store_open__a_file_that_is_no_database_is_refused(void **state)
{
    store_close((store_t **)state);
    overwrite("tocsin.db", 0, "This is a text, and no database", 31);
    refuse(EX_DATAERR, "damaged");
}

static void test_store_open__the_newest_copy_is_pointed_at(void **state)
{
    char message[512];
    assert_true(store_copy(((struct store *)*state)->database, file_of("tocsin.db.snapshot-100"),
                           message, sizeof message));
    assert_true(store_copy(((struct store *)*state)->database, file_of("tocsin.db.snapshot-200"),
                           message, sizeof message));
    store_close((store_t **)state);
    overwrite("tocsin.db", 0, "This is a text, and no database", 31);
    refuse(EX_DATAERR, "tocsin.db.snapshot-200");
}

static void test_store_open__a_database_of_another_program_is_refused(void **state)
{
    assert_true(store_run_text(((struct store *)*state)->database, "PRAGMA application_id = 5"));
    store_close((store_t **)state);
    refuse(EX_CANTCREAT, "not a store of tocsind");
}

/*  All bytes of a file; the caller frees them. */
static char *contents(const char *name, size_t *size)
{
    FILE *file = fopen(file_of(name), "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size + 1);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

static void test_store_open__a_newer_store_is_refused_and_no_byte_of_it_changes(void **state)
{
    assert_true(store_run_text(((struct store *)*state)->database, "PRAGMA user_version = 999"));
    crash((store_t **)state);
    size_t size, log_size, size_after, log_size_after;
    char *before = contents("tocsin.db", &size), *log = contents("tocsin.db-wal", &log_size);
    assert_true(log_size > 0);
    refuse(EX_CANTCREAT, "newer");
    char *after = contents("tocsin.db", &size_after);
    char *log_after = contents("tocsin.db-wal", &log_size_after);
    assert_int_equal(size_after, size);
    assert_int_equal(log_size_after, log_size);
    assert_memory_equal(after, before, size);
    assert_memory_equal(log_after, log, log_size);
    free(before);
    free(after);
    free(log);
    free(log_after);
}

/* -- migrations -- */

static sqlite3 *old_database(void)
{
    sqlite3 *database;
    assert_int_equal(sqlite3_open(file_of("old.db"), &database), SQLITE_OK);
    return database;
}

static void test_store_open__a_migration_keeps_a_copy_of_what_was(void **state)
{
    static const char *const steps[] = {"CREATE TABLE t (a); INSERT INTO t VALUES (1);",
                                        "ALTER TABLE t ADD COLUMN b DEFAULT 7;"};
    (void)state;
    sqlite3 *database = old_database(), *copy;
    assert_true(store_migrate(database, file_of("old.db"), steps, 1));
    assert_true(store_migrate(database, file_of("old.db"), steps, 2));
    assert_int_equal(store_number(database, "SELECT b FROM t"), 7);
    assert_int_equal(store_number(database, "PRAGMA user_version"), 2);
    assert_int_equal(sqlite3_open(file_of("old.db.version-1"), &copy), SQLITE_OK);
    assert_int_equal(store_number(copy, "PRAGMA user_version"), 1);
    assert_int_equal(store_number(copy, "SELECT a FROM t"), 1);
    sqlite3_close(copy);
    sqlite3_close(database);
}

static void test_store_open__a_migration_that_fails_leaves_the_version_before_it(void **state)
{
    static const char *const steps[] = {"CREATE TABLE t (a); INSERT INTO t VALUES (1);",
                                        "UPDATE t SET a = 2; ALTER TABLE none ADD COLUMN b;"};
    (void)state;
    sqlite3 *database = old_database();
    assert_false(store_migrate(database, file_of("old.db"), steps, 2));
    sqlite3_close(database);
    database = old_database();
    assert_int_equal(store_number(database, "PRAGMA user_version"), 1);
    assert_int_equal(store_number(database, "SELECT a FROM t"), 1);
    sqlite3_close(database);
}

/*  A store of every version that ever was is brought to the present one with all that is in it. */
static void test_store_open__a_store_of_every_version_is_brought_up_to_date(void **state)
{
    for (int version = 1; version < STORE_VERSION; version++) {
        sqlite3 *database;
        store_close((store_t **)state);
        unlink(file_of("tocsin.db"));
        assert_int_equal(sqlite3_open_v2(file_of("tocsin.db"), &database,
                                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, PAGES_VFS),
                         SQLITE_OK);
        store_pages_reserve(database);
        assert_true(store_migrate(database, file_of("tocsin.db"), store_migrations, version));
        assert_true(store_run_text(
            database, "INSERT INTO incident (incident, title, severity, status, systems,"
                      " occurrences, labels, alerts, notes_count, timeline_count, created_at,"
                      " updated_at) VALUES (4, 'old', 'low', 'new', x'90', 1, x'80', x'90', 0, 0,"
                      " 5, 5)"));
        sqlite3_close(database);
        *state = open_again();
        arena_t arena;
        incident_t incident;
        arena_init(&arena);
        assert_true(store_find_incident(*state, 4, 0, &arena, &incident));
        assert_text(incident.title, "old");
        arena_free(&arena);
    }
}

/* -- in use -- */

static void test_store_open__a_database_that_is_replaced_is_noticed(void **state)
{
    char other[128];
    assert_true(store_in_place(*state));
    snprintf(other, sizeof other, "%s/other", folder);
    assert_int_equal(rename(file_of("tocsin.db"), other), 0);
    assert_false(store_in_place(*state));
    assert_int_equal(rename(other, file_of("tocsin.db")), 0);
    assert_true(store_in_place(*state));
}

static void test_store_open__a_log_that_is_deleted_is_noticed(void **state)
{
    assert_int_equal(unlink(file_of("tocsin.db-wal")), 0);
    assert_false(store_in_place(*state));
}

static void test_store_open__the_log_goes_into_the_database_before_it_is_long(void **state)
{
    store_t *store = *state;
    char blob[8192];
    memset(blob, 'x', sizeof blob);
    for (uint64_t seq = 1; seq <= 12000; seq++) {
        store_keep(store, FAMILY_SLO, seq, 1, TEXT_OF("t"), (text_t){blob, sizeof blob});
        assert_int_equal(store_commit(store), STORE_GOOD);
        assert_int_equal(store_tend(store), STORE_GOOD);
    }
    assert_in_range(store_bytes(store_path(store), "-wal"), 1, 16u << 20);
    assert_in_range(store_bytes(store_path(store), ""), 90u << 20, 200u << 20);
}

static void
test_store_open__what_a_crash_left_in_the_log_is_there_and_the_log_is_empty(void **state)
{
    incident_t incident = sample_incident(1);
    arena_t arena;
    arena_init(&arena);
    store_save(*state, TABLE_INCIDENT, &incident);
    store_commit(*state);
    crash((store_t **)state);
    *state = open_again();
    assert_int_equal(store_bytes(store_path(*state), "-wal"), 0);
    assert_true(store_find_incident(*state, 1, 0, &arena, &incident));
    arena_free(&arena);
}

/*  Whoever deletes the log of a crash loses what was only there, and nothing else (FAULTS D11). */
static void test_store_open__without_its_log_a_store_is_what_was_brought_into_it(void **state)
{
    incident_t incident = sample_incident(1);
    arena_t arena;
    arena_init(&arena);
    store_save(*state, TABLE_INCIDENT, &incident);
    store_commit(*state);
    ((struct store *)*state)->log_due = 1;
    assert_int_equal(store_tend(*state), STORE_GOOD);
    incident = sample_incident(2);
    store_save(*state, TABLE_INCIDENT, &incident);
    store_commit(*state);
    crash((store_t **)state);
    assert_int_equal(unlink(file_of("tocsin.db-wal")), 0);
    *state = open_again();
    assert_true(store_find_incident(*state, 1, 0, &arena, &incident));
    assert_false(store_find_incident(*state, 2, 0, &arena, &incident));
    assert_int_equal(store_last_id(*state, TABLE_INCIDENT), 1);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store_open__nobody_else_may_read_what_is_made),
        TEST(test_store_open__a_directory_is_made_for_us_alone),
        TEST(test_store_open__a_directory_anybody_may_write_to_is_refused),
        TEST(test_store_open__a_symbolic_link_is_refused),
        TEST(test_store_open__a_store_that_others_may_read_is_refused),
        TEST(test_store_open__a_store_of_another_user_is_refused),
        TEST(test_store_open__a_file_that_is_no_database_is_refused),
        TEST(test_store_open__the_newest_copy_is_pointed_at),
        TEST(test_store_open__a_database_of_another_program_is_refused),
        TEST(test_store_open__a_newer_store_is_refused_and_no_byte_of_it_changes),
        TEST(test_store_open__a_migration_keeps_a_copy_of_what_was),
        TEST(test_store_open__a_migration_that_fails_leaves_the_version_before_it),
        TEST(test_store_open__a_store_of_every_version_is_brought_up_to_date),
        TEST(test_store_open__a_database_that_is_replaced_is_noticed),
        TEST(test_store_open__a_log_that_is_deleted_is_noticed),
        TEST(test_store_open__the_log_goes_into_the_database_before_it_is_long),
        TEST(test_store_open__what_a_crash_left_in_the_log_is_there_and_the_log_is_empty),
        TEST(test_store_open__without_its_log_a_store_is_what_was_brought_into_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
