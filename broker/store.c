#include "broker/failpoint.h"
#include "broker/store_inside.h"
#include "broker/store_pages.h"
#include "broker/store_rows.h"
#include "proto/must.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Where the log cannot be brought into the database, nothing more is written beyond this many
 * pages: 64 MiB. */
#define LOG_PAGES_MOST 16384

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

const char *const store_statement_texts[STATEMENT_COUNT] = {
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
    [DO_INCIDENT_NOTES] =
        "SELECT time, by, text FROM incident_note WHERE incident = ? ORDER BY number DESC LIMIT ?",
    [DO_INCIDENT_MOVES] = ("SELECT time, by, what, \"from\", \"to\" FROM incident_move"
                           " WHERE incident = ? ORDER BY number DESC LIMIT ?"),
    [DO_ALERT_NOTES] =
        "SELECT time, by, text FROM alert_note WHERE alert = ? ORDER BY number DESC LIMIT ?",
    [DO_OVER_INCIDENT_TIME] = ("SELECT incident FROM incident WHERE status = 'closed'"
                               " AND closed_at < ? ORDER BY closed_at LIMIT ?"),
    [DO_OVER_INCIDENT_NUMBER] = ("SELECT incident FROM incident INDEXED BY incident_closed_number"
                                 " WHERE status = 'closed' AND incident <= ?"
                                 " ORDER BY incident LIMIT ?"),
    [DO_OVER_ALERT_TIME] = ("SELECT alert FROM alert WHERE state = 'resolved'"
                            " AND resolved_at < ? ORDER BY resolved_at LIMIT ?"),
    [DO_OVER_ALERT_NUMBER] = ("SELECT alert FROM alert INDEXED BY alert_resolved_number"
                              " WHERE state = 'resolved' AND alert <= ? ORDER BY alert LIMIT ?"),
    [DO_DROP_INCIDENT_NOTES] = "DELETE FROM incident_note WHERE incident = ?",
    [DO_DROP_INCIDENT_MOVES] = "DELETE FROM incident_move WHERE incident = ?",
    [DO_DROP_ALERT_NOTES] = "DELETE FROM alert_note WHERE alert = ?",
    [DO_OLD_PUBLICATIONS] =
        "SELECT seq, time FROM publication WHERE family = ? AND seq > ? ORDER BY seq",
    [DO_DROP_PUBLICATIONS] = "DELETE FROM publication WHERE family = ? AND seq <= ?",
    [DO_LAST_AUDIT] = "SELECT max(number) FROM audit",
    [DO_OLD_AUDIT] = "SELECT number, time FROM audit ORDER BY number",
    [DO_DROP_AUDIT] = "DELETE FROM audit WHERE number <= ?",
};

/* -- statements -- */

/*  Why the last write to a file failed: transactions write to the log, checkpoints to the database
 * (sqlite.org/c3ref/c_fcntl_begin_atomic_write.html). */
static int last_errno(store_t *self, int pointer)
{
    sqlite3_file *file = NULL;
    int reason = 0;
    if (sqlite3_file_control(self->database, "main", pointer, &file) == SQLITE_OK && file != NULL &&
        file->pMethods != NULL)
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &reason);
    return reason;
}

/*  A file that may not grow, and a quota, are full disks to those who meet them. */
static bool is_full(int code, int reason)
{
    return code == SQLITE_IOERR_WRITE && (reason == EFBIG || reason == EDQUOT || reason == ENOSPC);
}

static void latch(store_t *self, int code, int pointer)
{
    if (self->failed != SQLITE_OK)
        return;
    int reason = (code & 0xff) == SQLITE_IOERR ? last_errno(self, pointer) : 0;
    self->failed = is_full(code, reason) ? SQLITE_FULL : code;
    snprintf(self->reason, sizeof self->reason, "%s (%d)%s%s", store_pages_words(self->failed),
             code, reason == 0 ? "" : ": ", reason == 0 ? "" : strerror(reason));
}

void store_fail(store_t *self, int code)
{
    latch(self, code, SQLITE_FCNTL_JOURNAL_POINTER);
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

/*  Once a transaction, however many numbers it took. */
static void save_head(store_t *self, family_t family)
{
    FAILPOINT("store.head");
    sqlite3_stmt *statement = store_statement(self, DO_HEAD);
    const head_t *head = &self->heads[family];
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)head->last);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)head->reserved);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)head->trimmed);
    store_run(self, statement, sqlite3_bind_int(statement, 4, (int)family));
}

void store_settle_heads(store_t *self)
{
    for (family_t family = 0; family < FAMILY_STORED; family++) {
        self->heads[family].reserved = self->heads[family].last;
        save_head(self, family);
    }
    store_commit(self);
}

/* -- transactions -- */

void store_begin(store_t *self)
{
    if (self->open || self->failed != SQLITE_OK)
        return;
    if (self->log_pages >= LOG_PAGES_MOST)
        store_fail(self, SQLITE_FULL);
    if (self->dead)
        store_fail(self, SQLITE_IOERR);
    if (self->failed != SQLITE_OK)
        return;
    FAILPOINT("store.begin");
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

bool store_is_open(const store_t *self)
{
    return self->open;
}

bool store_writable(const store_t *self)
{
    return self->writable && !self->dead;
}

const char *store_path(const store_t *self)
{
    return self->path;
}

const char *store_reason(const store_t *self)
{
    return self->reason;
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
    self->dead = state == STORE_DEAD;
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
        FAILPOINT("store.commit");
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
    FAILPOINT("store.committed");
    return STORE_GOOD;
}

store_state_t store_probe(store_t *self)
{
    save_head(self, 0);
    return store_commit(self);
}

/* -- the log -- */

int store_saw_log(void *context, sqlite3 *database, const char *name, int pages)
{
    (void)database;
    (void)name;
    ((store_t *)context)->log_pages = pages;
    return SQLITE_OK;
}

static bool is_log_due(const store_t *self)
{
    return self->log_pages >= self->log_due || self->log_pages >= LOG_PAGES_MOST;
}

/*  Where a checkpoint finds no room, the log has everything still, and it is tried again later. */
store_state_t store_tend(store_t *self)
{
    if (self->dead)
        return STORE_DEAD;
    if (self->open || !is_log_due(self))
        return STORE_GOOD;
    FAILPOINT("store.checkpoint");
    int code =
        sqlite3_wal_checkpoint_v2(self->database, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    FAILPOINT("store.checkpointed");
    if (code == SQLITE_OK) {
        self->log_pages = 0;
        self->log_due = LOG_PAGES;
        return STORE_GOOD;
    }
    latch(self, code, SQLITE_FCNTL_FILE_POINTER);
    if (judge(self->failed) == STORE_DEAD)
        return roll_back(self);
    self->failed = SQLITE_OK;
    self->log_due = self->log_pages + LOG_PAGES / 8;
    return STORE_FULL;
}

/* -- things -- */

static void remember_id(store_t *self, table_t table, uint64_t id)
{
    if (id <= self->last_ids[table])
        return;
    self->last_ids[table] = id;
    FAILPOINT("store.number");
    sqlite3_stmt *statement = store_statement(self, DO_NUMBER);
    bind_text(statement, 1, text_of(store_tables[table].name));
    store_run(self, statement, sqlite3_bind_int64(statement, 2, (sqlite3_int64)id));
}

void store_save(store_t *self, table_t table, const void *thing)
{
    sqlite3_stmt *statement = self->saves[table];
    sqlite3_reset(statement);
    store_run(self, statement, row_bind(statement, store_tables[table].schema, thing));
    FAILPOINT("store.write");
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
    FAILPOINT("store.note");
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
    FAILPOINT("store.move");
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
    FAILPOINT("store.audit");
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
    FAILPOINT("store.reserve");
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
    FAILPOINT("store.keep");
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
    bool found = store_next(self, statement);
    if (found) {
        *ok = sqlite3_column_int(statement, 0) != 0;
        *outcome = column_text(statement, 1, arena);
    }
    sqlite3_reset(statement);
    return found;
}

void store_once_keep(store_t *self, text_t key, double time_s, bool ok, text_t outcome)
{
    FAILPOINT("store.once");
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

void store_use(const store_t *self, store_use_t *use)
{
    *use = (store_use_t){.writable = self->writable, .commits = self->commits};
    snprintf(use->path, sizeof use->path, "%s", self->path);
    use->bytes = store_bytes(self->path, "") + store_bytes(self->path, "-wal");
}
