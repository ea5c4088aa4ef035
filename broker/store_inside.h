/*  store_inside - what the files of the store share. Private to the store. */
#ifndef BROKER_STORE_INSIDE_H
#define BROKER_STORE_INSIDE_H

#include "broker/store.h"

#include <sqlite3.h>
#include <sys/stat.h>

typedef enum {
    DO_BEGIN,
    DO_COMMIT_ALL,
    DO_ROLLBACK,
    DO_NOTE_INCIDENT,
    DO_NOTE_ALERT,
    DO_MOVE,
    DO_DELETE_ALERT,
    DO_AUDIT,
    DO_KEEP,
    DO_HEAD,
    DO_NUMBER,
    DO_ONCE_KEEP,
    DO_ONCE_FIND,
    DO_ONCE_FORGET,
    DO_NOTICE_TRIED,
    DO_NOTICE_MISSED,
    DO_NOTICE_TOLD,
    DO_NOTICE_END,
    DO_LETTER_DELETE,
    DO_RELAY_SENT,
    DO_RELAY_MARK,
    DO_RELAY_BEFORE,
    DO_RELAY_SERVER,
    DO_RELAY_MEET,
    DO_SINCE,
    DO_INCIDENT_NOTES,
    DO_INCIDENT_MOVES,
    DO_ALERT_NOTES,
    DO_OVER_INCIDENT_TIME,
    DO_OVER_INCIDENT_NUMBER,
    DO_OVER_ALERT_TIME,
    DO_OVER_ALERT_NUMBER,
    DO_DROP_INCIDENT_NOTES,
    DO_DROP_INCIDENT_MOVES,
    DO_DROP_ALERT_NOTES,
    DO_OLD_PUBLICATIONS,
    DO_DROP_PUBLICATIONS,
    DO_LAST_AUDIT,
    DO_OLD_AUDIT,
    DO_DROP_AUDIT,
    STATEMENT_COUNT
} statement_t;

/* Pages in the log after which they are brought into the database: 8 MiB. */
#define LOG_PAGES 2048

/*  Which file it is, whatever its name. */
typedef struct {
    dev_t device;
    ino_t number;
} store_file_t;

typedef struct store_copying store_copying_t;

struct store {
    sqlite3 *database;
    int lock; /* the lock file, held open */
    char path[4096];
    store_file_t file, log;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    sqlite3_stmt *saves[TABLE_COUNT], *deletes[TABLE_COUNT], *finds[TABLE_COUNT];
    sqlite3_stmt *find_notice, *each_notice; /* NULL until the first use */
    head_t heads[FAMILY_STORED], committed_heads[FAMILY_STORED];
    bool heads_changed[FAMILY_STORED];
    uint64_t last_ids[TABLE_COUNT], committed_last_ids[TABLE_COUNT];
    bool open;  /* a transaction */
    int failed; /* the SQLite code of the first failure since the begin */
    bool writable, dead;
    char reason[128];       /* of the last failure */
    int log_pages, log_due; /* in the log; brought into the database from here on */
    uint64_t commits;
    store_copying_t *snapshot; /* being written; NULL */
};

/*  Fill the error; false. */
bool store_refuse(store_error_t *error, int exit_status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

typedef struct {
    const char *name;
    const schema_t *schema;
    const char *key; /* the primary key's column */
} table_spec_t;

extern const table_spec_t store_tables[TABLE_COUNT];
extern const char *const store_statement_texts[STATEMENT_COUNT];

/* -- opening and closing -- */

bool store_run_text(sqlite3 *database, const char *text);
/*  The first column of the first row; -1 if it fails. */
sqlite3_int64 store_number(sqlite3 *database, const char *text);
/*  Bring a database from its version to the `known` one, a transaction a step. A copy of it is kept
 * beside it as PATH.version-N first. */
bool store_migrate(sqlite3 *database, const char *path, const char *const *steps, int known);
/*  SQLite's hook after a commit. */
int store_saw_log(void *context, sqlite3 *database, const char *name, int pages);
/*  Every number that was reserved was either used or is free again: the last commit. */
void store_settle_heads(store_t *self);

/* -- copies -- */

/*  Begin to copy a database to a file that must not exist; NULL and the message filled. Written
 * beside it as PATH.part until it is complete and synced. */
store_copying_t *store_copying_new(sqlite3 *database, const char *path, char *message, size_t size);
/*  Copy some pages (-1: all): SQLITE_DONE, SQLITE_OK when there are more, else it failed. */
int store_copying_step(store_copying_t *self, int pages, char *message, size_t size);
/*  What is not complete is deleted. */
void store_copying_destroy(store_copying_t **self);
bool store_copy(sqlite3 *database, const char *path, char *message, size_t size);

uint64_t store_bytes(const char *path, const char *ending);

/*  A prepared statement, reset and ready to bind. */
sqlite3_stmt *store_statement(store_t *self, statement_t which);

/*  Step a statement that answers no rows, in a transaction; a failure is latched. `bound` is what
 * binding answered. */
void store_run(store_t *self, sqlite3_stmt *statement, int bound);

/*  Latch a failure. */
void store_fail(store_t *self, int code);

/*  Prepare a statement for one use; NULL is latched as a failure. */
sqlite3_stmt *store_prepare(store_t *self, const char *text);

/*  Step a statement that reads; true for a row. That it failed is latched: no answer may take what
 * was read before for everything. */
bool store_next(store_t *self, sqlite3_stmt *statement);

/*  One thing by its id, or by its name where that is not TEXT_NONE. */
bool store_find_row(store_t *self, table_t table, uint64_t id, text_t name, arena_t *arena,
                    void *thing);

/*  "SELECT columns FROM table": the beginning of every query for things, into STORE_SQL_BYTES
 * bytes; answers its length. */
#define STORE_SQL_BYTES 4096
size_t store_select_from(char *text, table_t table);

/*  The newest notes (timeline) of a thing, oldest first, into the arena. */
void store_read_notes(store_t *self, statement_t which, uint64_t id, uint64_t most, arena_t *arena,
                      const note_t **notes, uint32_t *count);
void store_read_moves(store_t *self, uint64_t id, uint64_t most, arena_t *arena,
                      const move_t **moves, uint32_t *count);

#endif
