/*  store_inside - what the files of the store share. Private to the store. */
#ifndef BROKER_STORE_INSIDE_H
#define BROKER_STORE_INSIDE_H

#include "broker/store.h"

#include <sqlite3.h>

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
    DO_OLDEST,
    DO_INCIDENT_NOTES,
    DO_INCIDENT_MOVES,
    DO_ALERT_NOTES,
    STATEMENT_COUNT
} statement_t;

struct store {
    sqlite3 *database;
    int lock; /* the lock file, held open */
    char path[4096];
    sqlite3_stmt *statements[STATEMENT_COUNT];
    sqlite3_stmt *saves[TABLE_COUNT], *deletes[TABLE_COUNT];
    head_t heads[FAMILY_STORED], committed_heads[FAMILY_STORED];
    bool heads_changed[FAMILY_STORED];
    uint64_t last_ids[TABLE_COUNT], committed_last_ids[TABLE_COUNT];
    bool open;  /* a transaction */
    int failed; /* the SQLite code of the first failure since the begin */
    bool writable;
    uint64_t commits;
};

typedef struct {
    const char *name;
    const schema_t *schema;
    const char *key; /* the primary key's column */
} table_spec_t;

extern const table_spec_t store_tables[TABLE_COUNT];

/*  A prepared statement, reset and ready to bind. */
sqlite3_stmt *store_statement(store_t *self, statement_t which);

/*  Step a statement that answers no rows, in a transaction; a failure is latched. `bound` is what
 * binding answered. */
void store_run(store_t *self, sqlite3_stmt *statement, int bound);

/*  Latch a failure. */
void store_fail(store_t *self, int code);

/*  Prepare a statement for one use; NULL is latched as a failure. */
sqlite3_stmt *store_prepare(store_t *self, const char *text);

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
