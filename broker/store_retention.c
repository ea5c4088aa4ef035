#include "broker/failpoint.h"
#include "broker/store_inside.h"
#include "broker/store_rows.h"

/*  What is over of one kind: the oldest by the time it ended, and the oldest by its number. */
typedef struct {
    table_t table;
    statement_t by_time, by_number;
    statement_t rows[2]; /* what belongs to it; 0 ends */
} over_t;

static const over_t over[] = {
    {TABLE_INCIDENT,
     DO_OVER_INCIDENT_TIME,
     DO_OVER_INCIDENT_NUMBER,
     {DO_DROP_INCIDENT_NOTES, DO_DROP_INCIDENT_MOVES}},
    {TABLE_ALERT, DO_OVER_ALERT_TIME, DO_OVER_ALERT_NUMBER, {DO_DROP_ALERT_NOTES, STATEMENT_COUNT}},
};

static void run_on(store_t *self, sqlite3_stmt *statement, sqlite3_int64 id)
{
    store_run(self, statement, sqlite3_bind_int64(statement, 1, id));
}

static void drop_one(store_t *self, const over_t *kind, sqlite3_int64 id, arena_t *arena,
                     store_drop_t drop, void *context)
{
    void *thing = arena_take(arena, store_tables[kind->table].schema->size);
    if (!store_find_row(self, kind->table, (uint64_t)id, TEXT_NONE, arena, thing))
        return;
    FAILPOINT("store.trim");
    drop(context, kind->table, thing);
    for (size_t i = 0; i < 2 && kind->rows[i] != STATEMENT_COUNT; i++)
        run_on(self, store_statement(self, kind->rows[i]), id);
    sqlite3_reset(self->deletes[kind->table]);
    run_on(self, self->deletes[kind->table], id);
}

/*  The ids that a statement selects are read before anything is deleted. */
static int64_t drop_selected(store_t *self, const over_t *kind, sqlite3_stmt *statement,
                             int64_t most, store_drop_t drop, void *context)
{
    arena_t arena;
    arena_init(&arena);
    sqlite3_int64 *ids = arena_take(&arena, (size_t)most * sizeof *ids);
    int64_t count = 0;
    sqlite3_bind_int64(statement, 2, most);
    while (count < most && store_next(self, statement))
        ids[count++] = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    for (int64_t i = 0; i < count; i++)
        drop_one(self, kind, ids[i], &arena, drop, context);
    arena_free(&arena);
    return count;
}

static bool trim_things(store_t *self, const over_t *kind, const retention_t *retention,
                        double before_s, int64_t most, store_drop_t drop, void *context)
{
    uint64_t last = self->last_ids[kind->table];
    sqlite3_stmt *statement = store_statement(self, kind->by_time);
    sqlite3_bind_double(statement, 1, before_s);
    int64_t count = drop_selected(self, kind, statement, most, drop, context);
    if (count == most)
        return true;
    statement = store_statement(self, kind->by_number);
    sqlite3_bind_int64(statement, 1,
                       last > retention->rows ? (sqlite3_int64)(last - retention->rows) : 0);
    return drop_selected(self, kind, statement, most - count, drop, context) == most - count;
}

/*  Rows of a log go from its beginning on: up to the first that is young enough. 0: none. */
static uint64_t find_end(store_t *self, sqlite3_stmt *statement, double before_s, uint64_t last,
                         const retention_t *retention, int64_t most, int64_t *count)
{
    uint64_t end = 0;
    *count = 0;
    while (*count < most && store_next(self, statement)) {
        uint64_t number = (uint64_t)sqlite3_column_int64(statement, 0);
        if (sqlite3_column_double(statement, 1) >= before_s && number + retention->rows > last)
            break;
        end = number;
        ++*count;
    }
    sqlite3_reset(statement);
    return end;
}

static bool trim_family(store_t *self, family_t family, const retention_t *retention,
                        double before_s, int64_t most)
{
    int64_t count;
    sqlite3_stmt *statement = store_statement(self, DO_OLD_PUBLICATIONS);
    sqlite3_bind_int(statement, 1, (int)family);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)self->heads[family].trimmed);
    uint64_t end =
        find_end(self, statement, before_s, self->heads[family].last, retention, most, &count);
    uint64_t sent = retention->relayed[family] ? store_relay_sent(self, family) : end;
    if (end > sent) {
        end = sent;
        count = 0;
    }
    if (end <= self->heads[family].trimmed)
        return false;
    FAILPOINT("store.trim_publications");
    statement = store_statement(self, DO_DROP_PUBLICATIONS);
    sqlite3_bind_int(statement, 1, (int)family);
    store_run(self, statement, sqlite3_bind_int64(statement, 2, (sqlite3_int64)end));
    self->heads[family].trimmed = end;
    self->heads_changed[family] = true;
    return count == most;
}

/*  The newest line stays, so that no number is given out twice. */
static bool trim_audit(store_t *self, const retention_t *retention, double before_s, int64_t most)
{
    int64_t count;
    uint64_t last = 0;
    sqlite3_stmt *statement = store_statement(self, DO_LAST_AUDIT);
    if (store_next(self, statement))
        last = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    uint64_t end = find_end(self, store_statement(self, DO_OLD_AUDIT), before_s, last, retention,
                            most, &count);
    if (end == 0 || last == 0)
        return false;
    run_on(self, store_statement(self, DO_DROP_AUDIT),
           (sqlite3_int64)(end == last ? end - 1 : end));
    return count == most;
}

bool store_trim(store_t *self, const retention_t *retention, double now_s, int64_t most,
                store_drop_t drop, void *context)
{
    double before_s = now_s - retention->kept_s;
    bool more = false;
    for (size_t i = 0; i < sizeof over / sizeof *over; i++)
        more |= trim_things(self, &over[i], retention, before_s, most, drop, context);
    for (family_t family = 0; family < FAMILY_STORED; family++)
        more |= trim_family(self, family, retention, before_s, most);
    return trim_audit(self, retention, before_s, most) || more;
}
