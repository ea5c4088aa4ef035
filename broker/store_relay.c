#include "broker/store_inside.h"
#include "broker/store_rows.h"

#include <string.h>

uint64_t store_relay_sent(store_t *self, family_t family)
{
    sqlite3_stmt *statement = store_statement(self, DO_RELAY_SENT);
    sqlite3_bind_int(statement, 1, (int)family);
    uint64_t sent = 0;
    if (sqlite3_step(statement) == SQLITE_ROW)
        sent = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return sent;
}

void store_relay_mark(store_t *self, family_t family, uint64_t seq)
{
    sqlite3_stmt *statement = store_statement(self, DO_RELAY_MARK);
    sqlite3_bind_int(statement, 1, (int)family);
    store_run(self, statement, sqlite3_bind_int64(statement, 2, (sqlite3_int64)seq));
}

void store_relay_read(store_t *self, family_t family, uint64_t after, uint64_t most,
                      store_publication_t take, void *context)
{
    sqlite3_stmt *statement = store_statement(self, DO_SINCE);
    sqlite3_bind_int(statement, 1, (int)family);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)after);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)most);
    bool more = true;
    while (more && sqlite3_step(statement) == SQLITE_ROW) {
        text_t body = {sqlite3_column_blob(statement, 1),
                       (size_t)sqlite3_column_bytes(statement, 1)};
        more = take(context, (uint64_t)sqlite3_column_int64(statement, 0), body);
    }
    sqlite3_reset(statement);
}

/*  The newest publication that is older than that, among those that were sent. */
static uint64_t sent_before(store_t *self, family_t family, uint64_t sent, double before_s)
{
    sqlite3_stmt *statement = store_statement(self, DO_RELAY_BEFORE);
    sqlite3_bind_int(statement, 1, (int)family);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)sent);
    sqlite3_bind_double(statement, 3, before_s);
    uint64_t seq = 0;
    if (sqlite3_step(statement) == SQLITE_ROW)
        seq = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return seq;
}

static bool is_known(store_t *self, text_t server, bool *first)
{
    sqlite3_stmt *statement = store_statement(self, DO_RELAY_SERVER);
    arena_t arena;
    arena_init(&arena);
    *first = sqlite3_step(statement) != SQLITE_ROW;
    bool known = !*first && text_equal(column_text(statement, 0, &arena), server);
    sqlite3_reset(statement);
    arena_free(&arena);
    return known;
}

bool store_relay_meet(store_t *self, text_t server, double since_s)
{
    bool first;
    if (is_known(self, server, &first))
        return false;
    for (family_t family = 0; !first && family < FAMILY_STORED; family++) {
        uint64_t sent = store_relay_sent(self, family);
        store_relay_mark(self, family, sent_before(self, family, sent, since_s));
    }
    sqlite3_stmt *statement = store_statement(self, DO_RELAY_MEET);
    store_run(self, statement, bind_text(statement, 1, server));
    return !first;
}
