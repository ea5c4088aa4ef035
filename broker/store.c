#include "broker/store_inside.h"
#include "broker/store_rows.h"
#include "broker/store_tables.h"
#include "proto/must.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define FILE_NAME "tocsin.db"
#define LOCK_NAME "tocsind.lock"

const table_spec_t store_tables[TABLE_COUNT] = {
    [TABLE_INCIDENT] = {"incident", &incident_schema, "incident"},
    [TABLE_ALERT] = {"alert", &alert_schema, "alert"},
    [TABLE_POLICY] = {"policy", &policy_schema, "name"},
    [TABLE_RUNBOOK] = {"runbook", &runbook_schema, "name"},
    [TABLE_SLO] = {"slo", &slo_schema, "name"},
    [TABLE_NOTICE] = {"notice", &notice_schema, "channel"},
    [TABLE_LETTER] = {"letter", &letter_schema, "letter"},
    [TABLE_SILENCE] = {"silence", &silence_schema, "silence"},
};

static const char *const statement_texts[STATEMENT_COUNT] = {
    [DO_BEGIN] = "BEGIN IMMEDIATE",
    [DO_COMMIT_ALL] = "COMMIT",
    [DO_ROLLBACK] = "ROLLBACK",
    [DO_NOTE_INCIDENT] = "INSERT OR REPLACE INTO incident_note VALUES (?, ?, ?, ?, ?)",
    [DO_NOTE_ALERT] = "INSERT OR REPLACE INTO alert_note VALUES (?, ?, ?, ?, ?)",
    [DO_MOVE] = "INSERT OR REPLACE INTO incident_move VALUES (?, ?, ?, ?, ?, ?, ?)",
    [DO_DELETE_ALERT] = "DELETE FROM alert WHERE alert = ?",
    [DO_AUDIT] = "INSERT INTO audit VALUES (NULL, ?, ?, ?, ?, ?, ?)",
    [DO_KEEP] = "INSERT INTO publication VALUES (?, ?, ?, ?, ?)",
    [DO_HEAD] = "UPDATE head SET last = ?, reserved = ?, trimmed = ? WHERE family = ?",
    [DO_NUMBER] = "INSERT OR REPLACE INTO number VALUES (?, ?)",
    [DO_ONCE_KEEP] = "INSERT OR IGNORE INTO once VALUES (?, ?, ?, ?)",
    [DO_ONCE_FIND] = "SELECT ok, outcome FROM once WHERE key = ?",
    [DO_ONCE_FORGET] =
        "DELETE FROM once WHERE key IN (SELECT key FROM once WHERE time < ? LIMIT 1000)",
    [DO_NOTICE_TRIED] = ("UPDATE notice SET may_know = 1, tried_at = coalesce(tried_at, ?)"
                         " WHERE channel = ? AND alert = ?"),
    [DO_NOTICE_MISSED] =
        "UPDATE notice SET may_know = 0 WHERE channel = ? AND alert = ? AND told = 'nothing'",
    [DO_NOTICE_TOLD] = ("UPDATE notice SET told = ?, told_at = ?, tried_at = NULL"
                        " WHERE channel = ? AND alert = ?"),
    [DO_NOTICE_END] = "DELETE FROM notice WHERE channel = ? AND alert = ? AND revision = ?",
    [DO_LETTER_DELETE] = "DELETE FROM letter WHERE letter = ?",
    [DO_RELAY_SENT] = "SELECT sent FROM relay WHERE family = ?",
    [DO_RELAY_MARK] = "INSERT OR REPLACE INTO relay VALUES (?, ?)",
    [DO_RELAY_BEFORE] = ("SELECT seq FROM publication WHERE family = ? AND seq <= ? AND time < ?"
                         " ORDER BY seq DESC LIMIT 1"),
    [DO_RELAY_SERVER] = "SELECT id FROM relay_server WHERE one = 1",
    [DO_RELAY_MEET] = "INSERT OR REPLACE INTO relay_server VALUES (1, ?)",
    [DO_SINCE] =
        "SELECT seq, body FROM publication WHERE family = ? AND seq > ? ORDER BY seq LIMIT ?",
    [DO_OLDEST] = "SELECT min(seq) FROM publication WHERE family = ?",
    [DO_INCIDENT_NOTES] =
        "SELECT time, by, text FROM incident_note WHERE incident = ? ORDER BY number DESC LIMIT ?",
    [DO_INCIDENT_MOVES] = ("SELECT time, by, what, \"from\", \"to\" FROM incident_move"
                           " WHERE incident = ? ORDER BY number DESC LIMIT ?"),
    [DO_ALERT_NOTES] =
        "SELECT time, by, text FROM alert_note WHERE alert = ? ORDER BY number DESC LIMIT ?",
};

/* -- statements -- */

void store_fail(store_t *self, int code)
{
    if (self->failed == SQLITE_OK)
        self->failed = code;
}

sqlite3_stmt *store_statement(store_t *self, statement_t which)
{
    sqlite3_stmt *statement = self->statements[which];
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return statement;
}

void store_run(store_t *self, sqlite3_stmt *statement, int bound)
{
    store_begin(self);
    if (self->failed != SQLITE_OK)
        return;
    if (bound == SQLITE_OK && sqlite3_step(statement) != SQLITE_DONE)
        bound = sqlite3_extended_errcode(self->database);
    sqlite3_reset(statement);
    if (bound != SQLITE_OK)
        store_fail(self, bound);
}

/* -- opening -- */

static bool fail_open(store_error_t *error, int exit_status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail_open(store_error_t *error, int exit_status, const char *format, ...)
{
    va_list arguments;
    error->exit_status = exit_status;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return false;
}

/*  mkdir -p, the last part for nobody but us. */
static bool make_directory(const char *directory, store_error_t *error)
{
    char path[4096];
    size_t size = strlen(directory);
    if (size == 0 || size >= sizeof path - 32)
        return fail_open(error, EX_CANTCREAT, "store %s: the path is empty or too long", directory);
    memcpy(path, directory, size + 1);
    for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fail_open(error, EX_CANTCREAT, "store %s: %s", directory, strerror(errno));
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
        return fail_open(error, EX_CANTCREAT, "store %s: not a directory", directory);
    return true;
}

/*  One broker a store: the lock goes with the process, however that ends. */
static bool lock_directory(store_t *self, const char *directory, store_error_t *error)
{
    char path[4200], holder[32] = "";
    snprintf(path, sizeof path, "%s/%s", directory, LOCK_NAME);
    self->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (self->lock < 0)
        return fail_open(error, EX_CANTCREAT, "store %s: cannot write there: %s", directory,
                         strerror(errno));
    if (flock(self->lock, LOCK_EX | LOCK_NB) != 0) {
        ssize_t size = read(self->lock, holder, sizeof holder - 1);
        holder[size > 0 ? strcspn(holder, "\n") : 0] = '\0';
        return fail_open(error, EX_CANTCREAT, "store %s: in use by another tocsind, process %s",
                         directory, holder);
    }
    int length = snprintf(holder, sizeof holder, "%ld\n", (long)getpid());
    if (ftruncate(self->lock, 0) != 0 || write(self->lock, holder, (size_t)length) != length)
        return fail_open(error, EX_CANTCREAT, "store %s: cannot write there: %s", directory,
                         strerror(errno));
    return true;
}

static bool run_text(store_t *self, const char *text)
{
    return sqlite3_exec(self->database, text, NULL, NULL, NULL) == SQLITE_OK;
}

static bool fail_database(store_t *self, store_error_t *error)
{
    return fail_open(error, EX_CANTCREAT, "store %s: %s", self->path,
                     self->database == NULL ? "out of memory" : sqlite3_errmsg(self->database));
}

static int read_pragma(store_t *self, const char *text)
{
    sqlite3_stmt *statement = NULL;
    int number = -1;
    if (sqlite3_prepare_v2(self->database, text, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

static bool migrate(store_t *self, store_error_t *error)
{
    int version = read_pragma(self, "PRAGMA user_version");
    if (version < 0)
        return fail_database(self, error);
    if (version > STORE_VERSION)
        return fail_open(error, EX_CANTCREAT,
                         "store %s: written by a newer tocsind (version %d, this one knows %d)",
                         self->path, version, STORE_VERSION);
    for (; version < STORE_VERSION; version++) {
        char mark[96];
        snprintf(mark, sizeof mark, "PRAGMA user_version = %d; PRAGMA application_id = %d;",
                 version + 1, STORE_APPLICATION_ID);
        if (!run_text(self, "BEGIN IMMEDIATE") || !run_text(self, store_migrations[version]) ||
            !run_text(self, mark) || !run_text(self, "COMMIT"))
            return fail_database(self, error);
    }
    return true;
}

static bool open_database(store_t *self, const char *directory, store_error_t *error)
{
    snprintf(self->path, sizeof self->path, "%s/%s", directory, FILE_NAME);
    umask(077);
    /* exclusive locking mode: nobody else reads or writes, so no shared memory file is needed and
       no second connection can reset the log under us */
    if (sqlite3_open_v2(self->path, &self->database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK ||
        !run_text(self, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                        "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;"
                        "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536;"
                        "PRAGMA trusted_schema = OFF;"))
        return fail_database(self, error);
    return migrate(self, error);
}

static bool prepare_all(store_t *self)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        if (sqlite3_prepare_v3(self->database, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &self->statements[i], NULL) != SQLITE_OK)
            return false;
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        char columns[2048], marks[512], text[4096];
        row_columns(store_tables[i].schema, false, columns, sizeof columns);
        row_columns(store_tables[i].schema, true, marks, sizeof marks);
        snprintf(text, sizeof text, "INSERT OR REPLACE INTO %s (%s) VALUES (%s)",
                 store_tables[i].name, columns, marks);
        if (sqlite3_prepare_v3(self->database, text, -1, SQLITE_PREPARE_PERSISTENT, &self->saves[i],
                               NULL) != SQLITE_OK)
            return false;
        snprintf(text, sizeof text, "DELETE FROM %s WHERE %s = ?", store_tables[i].name,
                 store_tables[i].key);
        if (sqlite3_prepare_v3(self->database, text, -1, SQLITE_PREPARE_PERSISTENT,
                               &self->deletes[i], NULL) != SQLITE_OK)
            return false;
    }
    return true;
}

/*  Numbers that were reserved and perhaps given out are never given out again. */
static bool read_heads(store_t *self)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(self->database, "SELECT family, last, reserved, trimmed FROM head", -1,
                           &statement, NULL) != SQLITE_OK)
        return false;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int family = sqlite3_column_int(statement, 0);
        if (family < 0 || family >= (int)FAMILY_STORED)
            continue;
        head_t head = {.last = (uint64_t)sqlite3_column_int64(statement, 1),
                       .reserved = (uint64_t)sqlite3_column_int64(statement, 2),
                       .trimmed = (uint64_t)sqlite3_column_int64(statement, 3)};
        if (head.reserved > head.last)
            head.last = head.reserved;
        head.reserved = head.last;
        self->heads[family] = self->committed_heads[family] = head;
    }
    return sqlite3_finalize(statement) == SQLITE_OK;
}

static bool read_last_ids(store_t *self)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(self->database, "SELECT thing, last FROM number", -1, &statement,
                           NULL) != SQLITE_OK)
        return false;
    while (sqlite3_step(statement) == SQLITE_ROW)
        for (size_t i = 0; i < TABLE_COUNT; i++)
            if (strcmp((const char *)sqlite3_column_text(statement, 0), store_tables[i].name) == 0)
                self->last_ids[i] = self->committed_last_ids[i] =
                    (uint64_t)sqlite3_column_int64(statement, 1);
    return sqlite3_finalize(statement) == SQLITE_OK;
}

static void release(store_t *self)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(self->statements[i]);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        sqlite3_finalize(self->saves[i]);
        sqlite3_finalize(self->deletes[i]);
    }
    sqlite3_close(self->database);
    if (self->lock >= 0)
        close(self->lock);
    free(self);
}

store_t *store_open(const char *directory, store_error_t *error)
{
    store_t *self = memory_new(1, sizeof *self);
    self->lock = -1;
    self->writable = true;
    bool good = make_directory(directory, error) && lock_directory(self, directory, error) &&
                open_database(self, directory, error);
    if (good && !(prepare_all(self) && read_heads(self) && read_last_ids(self)))
        good = fail_database(self, error);
    if (good)
        return self;
    release(self);
    return NULL;
}

/*  Once a transaction, however many numbers it took. */
static void save_head(store_t *self, family_t family)
{
    sqlite3_stmt *statement = store_statement(self, DO_HEAD);
    const head_t *head = &self->heads[family];
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)head->last);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)head->reserved);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)head->trimmed);
    store_run(self, statement, sqlite3_bind_int(statement, 4, (int)family));
}

void store_close(store_t **self)
{
    if (*self == NULL)
        return;
    if ((*self)->writable) {
        for (family_t family = 0; family < FAMILY_STORED; family++) {
            (*self)->heads[family].reserved = (*self)->heads[family].last;
            save_head(*self, family);
        }
        store_commit(*self);
    }
    release(*self);
    *self = NULL;
}

/* -- transactions -- */

void store_begin(store_t *self)
{
    if (self->open || self->failed != SQLITE_OK)
        return;
    sqlite3_stmt *statement = store_statement(self, DO_BEGIN);
    if (sqlite3_step(statement) != SQLITE_DONE)
        store_fail(self, sqlite3_extended_errcode(self->database));
    else
        self->open = true;
    sqlite3_reset(statement);
}

bool store_failed(const store_t *self)
{
    return self->failed != SQLITE_OK;
}

/*  No space is a state that passes; any other failure to write leaves the disk's state unknown. */
static store_state_t judge(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
        return STORE_GOOD;
    case SQLITE_IOERR:
        return code == SQLITE_IOERR_NOMEM ? STORE_FULL : STORE_DEAD;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return STORE_DEAD;
    default:
        return STORE_FULL;
    }
}

static store_state_t roll_back(store_t *self)
{
    store_state_t state = judge(self->failed);
    if (!sqlite3_get_autocommit(self->database))
        sqlite3_step(store_statement(self, DO_ROLLBACK));
    sqlite3_reset(self->statements[DO_ROLLBACK]);
    memset(self->heads_changed, 0, sizeof self->heads_changed);
    memcpy(self->heads, self->committed_heads, sizeof self->heads);
    memcpy(self->last_ids, self->committed_last_ids, sizeof self->last_ids);
    self->open = false;
    self->failed = SQLITE_OK;
    self->writable = false;
    return state;
}

store_state_t store_commit(store_t *self)
{
    if (!self->open && self->failed == SQLITE_OK)
        return STORE_GOOD;
    for (family_t family = 0; family < FAMILY_STORED; family++)
        if (self->heads_changed[family])
            save_head(self, family);
    if (self->failed == SQLITE_OK) {
        sqlite3_stmt *statement = store_statement(self, DO_COMMIT_ALL);
        if (sqlite3_step(statement) != SQLITE_DONE)
            store_fail(self, sqlite3_extended_errcode(self->database));
        sqlite3_reset(statement);
    }
    if (self->failed != SQLITE_OK)
        return roll_back(self);
    memset(self->heads_changed, 0, sizeof self->heads_changed);
    memcpy(self->committed_heads, self->heads, sizeof self->heads);
    memcpy(self->committed_last_ids, self->last_ids, sizeof self->last_ids);
    self->open = false;
    self->writable = true;
    self->commits++;
    return STORE_GOOD;
}

/* -- things -- */

static void remember_id(store_t *self, table_t table, uint64_t id)
{
    if (id <= self->last_ids[table])
        return;
    self->last_ids[table] = id;
    sqlite3_stmt *statement = store_statement(self, DO_NUMBER);
    bind_text(statement, 1, text_of(store_tables[table].name));
    store_run(self, statement, sqlite3_bind_int64(statement, 2, (sqlite3_int64)id));
}

void store_save(store_t *self, table_t table, const void *thing)
{
    sqlite3_stmt *statement = self->saves[table];
    sqlite3_reset(statement);
    store_run(self, statement, row_bind(statement, store_tables[table].schema, thing));
    if (table == TABLE_INCIDENT)
        remember_id(self, table, ((const incident_t *)thing)->id);
    else if (table == TABLE_ALERT)
        remember_id(self, table, ((const alert_t *)thing)->id);
    else if (table == TABLE_LETTER)
        remember_id(self, table, ((const letter_t *)thing)->id);
    else if (table == TABLE_SILENCE)
        remember_id(self, table, ((const silence_t *)thing)->id);
}

uint64_t store_last_id(store_t *self, table_t table)
{
    return self->last_ids[table];
}

void store_delete_name(store_t *self, table_t table, text_t name)
{
    sqlite3_stmt *statement = self->deletes[table];
    sqlite3_reset(statement);
    store_run(self, statement, bind_text(statement, 1, name));
}

void store_delete_alert(store_t *self, uint64_t id)
{
    sqlite3_stmt *statement = store_statement(self, DO_DELETE_ALERT);
    store_run(self, statement, sqlite3_bind_int64(statement, 1, (sqlite3_int64)id));
}

void store_delete_silence(store_t *self, uint64_t id)
{
    sqlite3_stmt *statement = self->deletes[TABLE_SILENCE];
    sqlite3_reset(statement);
    store_run(self, statement, sqlite3_bind_int64(statement, 1, (sqlite3_int64)id));
}

static void save_note(store_t *self, statement_t which, uint64_t id, uint64_t number,
                      const note_t *note)
{
    sqlite3_stmt *statement = store_statement(self, which);
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)id);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)number);
    sqlite3_bind_double(statement, 3, note->time);
    bind_text(statement, 4, note->by);
    store_run(self, statement, bind_text(statement, 5, note->text));
}

void store_note_incident(store_t *self, uint64_t id, uint64_t number, const note_t *note)
{
    save_note(self, DO_NOTE_INCIDENT, id, number, note);
}

void store_note_alert(store_t *self, uint64_t id, uint64_t number, const note_t *note)
{
    save_note(self, DO_NOTE_ALERT, id, number, note);
}

void store_move(store_t *self, uint64_t id, uint64_t number, const move_t *move)
{
    sqlite3_stmt *statement = store_statement(self, DO_MOVE);
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)id);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)number);
    sqlite3_bind_double(statement, 3, move->time);
    bind_text(statement, 4, move->by);
    bind_text(statement, 5, move->what);
    bind_text(statement, 6, move->from);
    store_run(self, statement, bind_text(statement, 7, move->to));
}

void store_audit(store_t *self, const audit_t *audit)
{
    sqlite3_stmt *statement = store_statement(self, DO_AUDIT);
    sqlite3_bind_double(statement, 1, audit->time);
    bind_text(statement, 2, audit->by);
    bind_text(statement, 3, audit->what);
    bind_text(statement, 4, audit->subject);
    bind_text(statement, 5, audit->from);
    store_run(self, statement, bind_text(statement, 6, audit->to));
}

/* -- publications -- */

head_t store_head(const store_t *self, family_t family)
{
    return self->heads[family];
}

uint64_t store_next_number(store_t *self, family_t family)
{
    head_t *head = &self->heads[family];
    head->last++;
    head->reserved = head->last;
    self->heads_changed[family] = true;
    return head->last;
}

uint64_t store_reserve(store_t *self, family_t family)
{
    head_t *head = &self->heads[family];
    uint64_t first = head->reserved + 1;
    head->reserved += NUMBERS_BLOCK;
    self->heads_changed[family] = true;
    store_begin(self);
    return first;
}

void store_keep(store_t *self, family_t family, uint64_t seq, double time_s, text_t topic,
                text_t body)
{
    sqlite3_stmt *statement = store_statement(self, DO_KEEP);
    sqlite3_bind_int(statement, 1, (int)family);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)seq);
    sqlite3_bind_double(statement, 3, time_s);
    bind_text(statement, 4, topic);
    store_run(self, statement, bind_blob(statement, 5, body));
    if (seq > self->heads[family].last)
        self->heads[family].last = seq;
}

void store_use_numbers(store_t *self, family_t family, uint64_t last)
{
    if (last > self->heads[family].last)
        self->heads[family].last = last;
}

/* -- once -- */

bool store_once_find(store_t *self, text_t key, arena_t *arena, bool *ok, text_t *outcome)
{
    sqlite3_stmt *statement = store_statement(self, DO_ONCE_FIND);
    bind_text(statement, 1, key);
    bool found = sqlite3_step(statement) == SQLITE_ROW;
    if (found) {
        *ok = sqlite3_column_int(statement, 0) != 0;
        *outcome = column_text(statement, 1, arena);
    }
    sqlite3_reset(statement);
    return found;
}

void store_once_keep(store_t *self, text_t key, double time_s, bool ok, text_t outcome)
{
    sqlite3_stmt *statement = store_statement(self, DO_ONCE_KEEP);
    bind_text(statement, 1, key);
    sqlite3_bind_double(statement, 2, time_s);
    sqlite3_bind_int(statement, 3, ok);
    store_run(self, statement, bind_blob(statement, 4, outcome));
}

void store_once_forget(store_t *self, double before_s)
{
    sqlite3_stmt *statement = store_statement(self, DO_ONCE_FORGET);
    store_run(self, statement, sqlite3_bind_double(statement, 1, before_s));
}

/* -- facts -- */

static uint64_t bytes_of(const char *path, const char *ending)
{
    char name[4200];
    struct stat status;
    snprintf(name, sizeof name, "%s%s", path, ending);
    return stat(name, &status) == 0 ? (uint64_t)status.st_size : 0;
}

void store_use(const store_t *self, store_use_t *use)
{
    *use = (store_use_t){.writable = self->writable, .commits = self->commits};
    snprintf(use->path, sizeof use->path, "%s", self->path);
    use->bytes = bytes_of(self->path, "") + bytes_of(self->path, "-wal");
}

bool store_snapshot(store_t *self, const char *path, char *message, size_t size)
{
    sqlite3_stmt *statement = NULL;
    struct stat status;
    if (stat(path, &status) == 0) {
        snprintf(message, size, "%s: the file exists already", path);
        return false;
    }
    bool good =
        sqlite3_prepare_v2(self->database, "VACUUM INTO ?", -1, &statement, NULL) == SQLITE_OK &&
        bind_text(statement, 1, text_of(path)) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_DONE;
    if (!good) {
        snprintf(message, size, "%s: %s", path, sqlite3_errmsg(self->database));
        unlink(path);
    }
    sqlite3_finalize(statement);
    return good;
}
