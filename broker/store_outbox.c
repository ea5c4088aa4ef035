#include "broker/store_inside.h"
#include "broker/store_rows.h"

#include <stdio.h>

/* -- notices -- */

/*  Every change of an alert asks for them: prepared once. */
static sqlite3_stmt *select_notices(store_t *self, sqlite3_stmt **prepared, const char *condition)
{
    if (*prepared == NULL) {
        char text[STORE_SQL_BYTES];
        size_t used = store_select_from(text, TABLE_NOTICE);
        snprintf(text + used, sizeof text - used, "%s", condition);
        *prepared = store_prepare(self, text);
    }
    sqlite3_reset(*prepared);
    return *prepared;
}

bool store_find_notice(store_t *self, text_t channel, uint64_t alert, arena_t *arena,
                       notice_t *notice)
{
    sqlite3_stmt *statement =
        select_notices(self, &self->find_notice, "WHERE channel = ? AND alert = ?");
    if (statement == NULL)
        return false;
    bind_text(statement, 1, channel);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)alert);
    bool found = store_next(self, statement);
    if (found)
        row_read(statement, &notice_schema, arena, notice);
    sqlite3_reset(statement);
    return found;
}

/*  Read first, then visited: the rows may change under a statement that still reads them. */
void store_each_notice(store_t *self, uint64_t alert, store_visit_t visit, void *context)
{
    sqlite3_stmt *statement =
        select_notices(self, &self->each_notice, "WHERE alert = ? ORDER BY channel");
    struct item {
        notice_t notice;
        struct item *next;
    } *first = NULL, **last = &first;
    arena_t arena;
    arena_init(&arena);
    if (statement != NULL)
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)alert);
    while (statement != NULL && store_next(self, statement)) {
        struct item *item = arena_take(&arena, sizeof *item);
        row_read(statement, &notice_schema, &arena, &item->notice);
        *last = item;
        last = &item->next;
    }
    sqlite3_reset(statement);
    for (struct item *item = first; item != NULL && visit(context, &item->notice);)
        item = item->next;
    arena_free(&arena);
}

/*  Bind which notice is meant from parameter `at` on, and run it. */
static void run_on(store_t *self, sqlite3_stmt *statement, int at, text_t channel, uint64_t alert)
{
    bind_text(statement, at, channel);
    store_run(self, statement, sqlite3_bind_int64(statement, at + 1, (sqlite3_int64)alert));
}

void store_notice_tried(store_t *self, text_t channel, uint64_t alert, double time_s)
{
    sqlite3_stmt *statement = store_statement(self, DO_NOTICE_TRIED);
    sqlite3_bind_double(statement, 1, time_s);
    run_on(self, statement, 2, channel, alert);
}

void store_notice_missed(store_t *self, text_t channel, uint64_t alert)
{
    run_on(self, store_statement(self, DO_NOTICE_MISSED), 1, channel, alert);
}

void store_notice_told(store_t *self, text_t channel, uint64_t alert, told_t told, double time_s)
{
    sqlite3_stmt *statement = store_statement(self, DO_NOTICE_TOLD);
    bind_text(statement, 1, text_of(told_words[told]));
    sqlite3_bind_double(statement, 2, time_s);
    run_on(self, statement, 3, channel, alert);
}

void store_notice_end(store_t *self, text_t channel, uint64_t alert, uint64_t revision)
{
    sqlite3_stmt *statement = store_statement(self, DO_NOTICE_END);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)revision);
    run_on(self, statement, 1, channel, alert);
}

/* -- letters -- */

void store_keep_letter(store_t *self, letter_t *letter)
{
    if (letter->id == 0)
        letter->id = self->last_ids[TABLE_LETTER] + 1;
    store_save(self, TABLE_LETTER, letter);
}

bool store_find_letter(store_t *self, uint64_t id, arena_t *arena, letter_t *letter)
{
    return store_find_row(self, TABLE_LETTER, id, TEXT_NONE, arena, letter);
}

void store_delete_letter(store_t *self, uint64_t id)
{
    sqlite3_stmt *statement = store_statement(self, DO_LETTER_DELETE);
    store_run(self, statement, sqlite3_bind_int64(statement, 1, (sqlite3_int64)id));
}
