#include "broker/store_inside.h"
#include "broker/store_rows.h"
#include "proto/must.h"
#include "proto/pack.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const field_t audit_fields[] = {
    {.key = "time", .type = FIELD_TIME, .offset = offsetof(audit_t, time)},
    {.key = "by", .type = FIELD_TITLE, .offset = offsetof(audit_t, by)},
    {.key = "what", .type = FIELD_TEXT, .offset = offsetof(audit_t, what)},
    {.key = "subject", .type = FIELD_TEXT, .offset = offsetof(audit_t, subject)},
    {.key = "from", .type = FIELD_TEXT, .offset = offsetof(audit_t, from)},
    {.key = "to", .type = FIELD_TEXT, .offset = offsetof(audit_t, to)},
};
const schema_t audit_schema = {.name = "audit",
                               .size = sizeof(audit_t),
                               .fields = audit_fields,
                               .count = sizeof audit_fields / sizeof *audit_fields};

sqlite3_stmt *store_prepare(store_t *self, const char *text)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(self->database, text, -1, &statement, NULL) != SQLITE_OK)
        store_fail(self, sqlite3_extended_errcode(self->database));
    return statement;
}

bool store_next(store_t *self, sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        store_fail(self, sqlite3_extended_errcode(self->database));
    return code == SQLITE_ROW;
}

size_t store_select_from(char *text, table_t table)
{
    char columns[2048];
    row_columns(store_tables[table].schema, false, columns, sizeof columns);
    int size =
        snprintf(text, STORE_SQL_BYTES, "SELECT %s FROM %s ", columns, store_tables[table].name);
    must(size > 0 && size < STORE_SQL_BYTES / 2);
    return (size_t)size;
}

/* -- notes and timelines -- */

/*  Rows come newest first; the list is wanted oldest first, so it is filled from its end. */
static char *make_room(arena_t *arena, uint64_t most, size_t size, sqlite3_stmt *statement,
                       uint64_t id)
{
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)id);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)most);
    return arena_take(arena, most * size);
}

void store_read_notes(store_t *self, statement_t which, uint64_t id, uint64_t most, arena_t *arena,
                      const note_t **notes, uint32_t *count)
{
    *count = 0;
    if (most == 0)
        return;
    sqlite3_stmt *statement = store_statement(self, which);
    note_t *rows = (note_t *)(void *)make_room(arena, most, sizeof *rows, statement, id);
    uint64_t free_rows = most;
    while (free_rows > 0 && store_next(self, statement))
        rows[--free_rows] = (note_t){.time = sqlite3_column_double(statement, 0),
                                     .by = column_text(statement, 1, arena),
                                     .text = column_text(statement, 2, arena)};
    sqlite3_reset(statement);
    *notes = rows + free_rows;
    *count = (uint32_t)(most - free_rows);
}

void store_read_moves(store_t *self, uint64_t id, uint64_t most, arena_t *arena,
                      const move_t **moves, uint32_t *count)
{
    *count = 0;
    if (most == 0)
        return;
    sqlite3_stmt *statement = store_statement(self, DO_INCIDENT_MOVES);
    move_t *rows = (move_t *)(void *)make_room(arena, most, sizeof *rows, statement, id);
    uint64_t free_rows = most;
    while (free_rows > 0 && store_next(self, statement))
        rows[--free_rows] = (move_t){.time = sqlite3_column_double(statement, 0),
                                     .by = column_text(statement, 1, arena),
                                     .what = column_text(statement, 2, arena),
                                     .from = column_text(statement, 3, arena),
                                     .to = column_text(statement, 4, arena)};
    sqlite3_reset(statement);
    *moves = rows + free_rows;
    *count = (uint32_t)(most - free_rows);
}

static uint64_t at_most(uint64_t most, uint64_t count)
{
    return most == 0 || most > count ? count : most;
}

static void add_incident_rows(store_t *self, uint64_t most, arena_t *arena, incident_t *incident)
{
    store_read_notes(self, DO_INCIDENT_NOTES, incident->id, at_most(most, incident->notes_count),
                     arena, &incident->notes, &incident->notes_shown);
    store_read_moves(self, incident->id, at_most(most, incident->timeline_count), arena,
                     &incident->timeline, &incident->timeline_shown);
}

static void add_alert_rows(store_t *self, arena_t *arena, alert_t *alert)
{
    store_read_notes(self, DO_ALERT_NOTES, alert->id, at_most(NOTES_SHOWN, alert->notes_count),
                     arena, &alert->notes, &alert->notes_shown);
}

/* -- one thing, every thing -- */

bool store_find_row(store_t *self, table_t table, uint64_t id, text_t name, arena_t *arena,
                    void *thing)
{
    sqlite3_stmt *statement = self->finds[table];
    if (name.data != NULL)
        bind_text(statement, 1, name);
    else if (id <= INT64_MAX)
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)id);
    else
        return false;
    bool found = store_next(self, statement);
    if (found)
        row_read(statement, store_tables[table].schema, arena, thing);
    sqlite3_reset(statement);
    return found;
}

bool store_find_incident(store_t *self, uint64_t id, uint64_t most, arena_t *arena,
                         incident_t *incident)
{
    if (!store_find_row(self, TABLE_INCIDENT, id, TEXT_NONE, arena, incident))
        return false;
    add_incident_rows(self, most, arena, incident);
    return true;
}

bool store_find_alert(store_t *self, uint64_t id, arena_t *arena, alert_t *alert)
{
    if (!store_find_row(self, TABLE_ALERT, id, TEXT_NONE, arena, alert))
        return false;
    add_alert_rows(self, arena, alert);
    return true;
}

bool store_find_name(store_t *self, table_t table, text_t name, arena_t *arena, void *thing)
{
    return name.data != NULL && store_find_row(self, table, 0, name, arena, thing);
}

static const char *which_live(table_t table)
{
    switch ((int)table) {
    case TABLE_INCIDENT:
        return "WHERE status <> 'closed' ";
    case TABLE_ALERT:
        return "WHERE state <> 'resolved' ";
    default:
        return "";
    }
}

static void complete(store_t *self, table_t table, arena_t *arena, void *thing)
{
    if (table == TABLE_INCIDENT)
        add_incident_rows(self, NOTES_SHOWN, arena, thing);
    else if (table == TABLE_ALERT)
        add_alert_rows(self, arena, thing);
}

void store_each(store_t *self, table_t table, store_visit_t visit, void *context)
{
    char text[STORE_SQL_BYTES];
    size_t used = store_select_from(text, table);
    snprintf(text + used, sizeof text - used, "%sORDER BY %s", which_live(table),
             store_tables[table].key);
    sqlite3_stmt *statement = store_prepare(self, text);
    arena_t arena;
    arena_init(&arena);
    bool more = statement != NULL;
    while (more && store_next(self, statement)) {
        void *thing = arena_take(&arena, store_tables[table].schema->size);
        row_read(statement, store_tables[table].schema, &arena, thing);
        complete(self, table, &arena, thing);
        more = visit(context, thing);
        arena_reset(&arena);
    }
    sqlite3_finalize(statement);
    arena_free(&arena);
}

static double column_time(sqlite3_stmt *statement, int at)
{
    return sqlite3_column_type(statement, at) == SQLITE_NULL ? (double)NAN
                                                             : sqlite3_column_double(statement, at);
}

static bool visit_closed(sqlite3_stmt *statement, store_visit_t visit, void *context)
{
    incident_t incident = {.status = INCIDENT_CLOSED,
                           .created_at = column_time(statement, 0),
                           .resolved_at = column_time(statement, 1)};
    return visit(context, &incident);
}

static bool visit_resolved(sqlite3_stmt *statement, store_visit_t visit, void *context)
{
    alert_t alert = {.state = ALERT_RESOLVED,
                     .fired_at = column_time(statement, 0),
                     .acknowledged_at = column_time(statement, 1)};
    return visit(context, &alert);
}

void store_each_over(store_t *self, table_t table, store_visit_t visit, void *context)
{
    bool incidents = table == TABLE_INCIDENT;
    sqlite3_stmt *statement = store_prepare(
        self, incidents ? "SELECT created_at, resolved_at FROM incident WHERE status = 'closed'"
                        : "SELECT fired_at, acknowledged_at FROM alert WHERE state = 'resolved'");
    bool more = statement != NULL;
    while (more && store_next(self, statement))
        more = incidents ? visit_closed(statement, visit, context)
                         : visit_resolved(statement, visit, context);
    sqlite3_finalize(statement);
}

/* -- lists -- */

/*  What a list asks for, as SQL: conditions joined by AND, and what is bound to their marks. */
typedef struct {
    char text[STORE_SQL_BYTES];
    size_t used;
    struct {
        text_t text;
        double number;
    } values[8];
    size_t count;
} query_t;

static void add(query_t *self, const char *condition)
{
    int more = snprintf(self->text + self->used, sizeof self->text - self->used, "%s", condition);
    must(more >= 0 && (size_t)more < sizeof self->text - self->used);
    self->used += (size_t)more;
}

static void add_text(query_t *self, const char *condition, text_t value)
{
    if (value.data == NULL)
        return;
    add(self, condition);
    self->values[self->count++].text = value;
}

static void add_number(query_t *self, const char *condition, double value)
{
    if (isnan(value))
        return;
    add(self, condition);
    self->values[self->count++].number = value;
}

/*  A cursor is the key of the last item: a number, or a name. False when it is neither. */
static bool add_cursor(query_t *self, const list_t *list, const char *by_number,
                       const char *by_name)
{
    if (list->cursor.data == NULL)
        return true;
    cursor_t cursor = cursor_over(list->cursor.data, list->cursor.size);
    value_t value;
    uint64_t number;
    must(cursor_read(&cursor, &value));
    if (by_number != NULL && value_whole(&value, &number) && number < (UINT64_C(1) << 53))
        add_number(self, by_number, (double)number);
    else if (by_name != NULL && value.type == VALUE_STR)
        add_text(self, by_name, value.as.text);
    else
        return false;
    return true;
}

static sqlite3_stmt *open_query(store_t *self, const query_t *query)
{
    sqlite3_stmt *statement = store_prepare(self, query->text);
    for (size_t i = 0; statement != NULL && i < query->count; i++) {
        if (query->values[i].text.data != NULL)
            bind_text(statement, (int)i + 1, query->values[i].text);
        else
            sqlite3_bind_double(statement, (int)i + 1, query->values[i].number);
    }
    return statement;
}

/*  Writes items one after the other until the limit, the size, or the end, and then the cursor. */
typedef struct {
    msgpack_sbuffer items;
    uint32_t count;
    bool more; /* there was one too many: the answer needs a cursor */
} page_t;

static void page_write(page_t *self, msgpack_sbuffer *out, const msgpack_sbuffer *cursor)
{
    pack_map(out, 2);
    pack_string(out, "items");
    pack_array(out, self->count);
    pack_raw(out, (text_t){self->items.data, self->items.size});
    pack_string(out, "cursor");
    if (self->more)
        pack_raw(out, (text_t){cursor->data, cursor->size});
    else
        pack_nil(out);
    msgpack_sbuffer_destroy(&self->items);
}

static bool page_is_full(page_t *self, int64_t limit)
{
    self->more = self->count >= limit || self->items.size >= LIST_BYTES;
    return self->more;
}

static void write_key(table_t table, const void *thing, msgpack_sbuffer *cursor)
{
    const schema_t *schema = store_tables[table].schema;
    const field_t *key = schema_field(schema, text_of(store_tables[table].key));
    cursor->size = 0;
    if (key->type == FIELD_ID)
        pack_uint(cursor, *(const uint64_t *)(const void *)((const char *)thing + key->offset));
    else
        schema_write_field(key, thing, false, cursor);
}

static status_t list_things(store_t *self, table_t table, const query_t *query, int64_t limit,
                            msgpack_sbuffer *out)
{
    sqlite3_stmt *statement = open_query(self, query);
    if (statement == NULL)
        return STATUS_INTERNAL;
    page_t page = {.count = 0};
    msgpack_sbuffer cursor;
    msgpack_sbuffer_init(&page.items);
    msgpack_sbuffer_init(&cursor);
    arena_t arena;
    arena_init(&arena);
    while (store_next(self, statement) && !page_is_full(&page, limit)) {
        void *thing = arena_take(&arena, store_tables[table].schema->size);
        row_read(statement, store_tables[table].schema, &arena, thing);
        complete(self, table, &arena, thing);
        schema_write(store_tables[table].schema, thing, false, &page.items);
        write_key(table, thing, &cursor);
        page.count++;
        arena_reset(&arena);
    }
    sqlite3_finalize(statement);
    page_write(&page, out, &cursor);
    msgpack_sbuffer_destroy(&cursor);
    arena_free(&arena);
    return STATUS_OK;
}

static void begin_query(query_t *self, table_t table)
{
    *self = (query_t){.used = 0};
    self->used = store_select_from(self->text, table);
    add(self, "WHERE 1");
}

status_t store_list_incidents(store_t *self, const list_t *list, msgpack_sbuffer *out)
{
    query_t query;
    begin_query(&query, TABLE_INCIDENT);
    if (!add_cursor(&query, list, " AND incident < ?", NULL))
        return STATUS_BAD_VALUE;
    if (text_is(list->status, "open"))
        add(&query, " AND status IN ('new', 'investigating')");
    else
        add_text(&query, " AND status = ?", list->status);
    if (list->severity >= 0)
        add_text(&query, " AND severity = ?", text_of(severity_words[list->severity]));
    add_number(&query, " AND created_at >= ?", list->since);
    /* systems are a MessagePack list: an element is found by its encoding, the head byte and the
     * text */
    msgpack_sbuffer system;
    msgpack_sbuffer_init(&system);
    if (list->system.data != NULL) {
        pack_text(&system, list->system);
        add_text(&query, " AND instr(systems, CAST(? AS BLOB)) > 0",
                 (text_t){system.data, system.size});
    }
    add(&query, " ORDER BY incident DESC");
    status_t status = list_things(self, TABLE_INCIDENT, &query, list->limit, out);
    msgpack_sbuffer_destroy(&system);
    return status;
}

status_t store_list_alerts(store_t *self, const list_t *list, bool history, msgpack_sbuffer *out)
{
    query_t query;
    begin_query(&query, TABLE_ALERT);
    if (!add_cursor(&query, list, " AND alert < ?", NULL))
        return STATUS_BAD_VALUE;
    if (list->state >= 0)
        add_text(&query, " AND state = ?", text_of(alert_state_words[list->state]));
    else if (!history)
        add(&query, " AND state <> 'resolved'");
    add_text(&query, " AND policy = ?", list->policy);
    if (list->severity >= 0)
        add_text(&query, " AND severity = ?", text_of(severity_words[list->severity]));
    add_number(&query, " AND updated_at >= ?", list->since);
    add(&query, " ORDER BY alert DESC");
    return list_things(self, TABLE_ALERT, &query, list->limit, out);
}

status_t store_list_names(store_t *self, table_t table, const list_t *list, msgpack_sbuffer *out)
{
    query_t query;
    begin_query(&query, table);
    if (!add_cursor(&query, list, NULL, " AND name > ?"))
        return STATUS_BAD_VALUE;
    add(&query, " ORDER BY name");
    return list_things(self, table, &query, list->limit, out);
}

static void read_audit(sqlite3_stmt *statement, arena_t *arena, audit_t *audit)
{
    *audit = (audit_t){.time = sqlite3_column_double(statement, 1),
                       .by = column_text(statement, 2, arena),
                       .what = column_text(statement, 3, arena),
                       .subject = column_text(statement, 4, arena),
                       .from = column_text(statement, 5, arena),
                       .to = column_text(statement, 6, arena)};
}

status_t store_list_letters(store_t *self, const list_t *list, msgpack_sbuffer *out)
{
    query_t query;
    begin_query(&query, TABLE_LETTER);
    add_text(&query, " AND channel = ?", list->prefix);
    if (!add_cursor(&query, list, " AND letter > ?", NULL))
        return STATUS_BAD_VALUE;
    add(&query, " ORDER BY letter");
    return list_things(self, TABLE_LETTER, &query, list->limit, out);
}

status_t store_list_silences(store_t *self, const list_t *list, msgpack_sbuffer *out)
{
    query_t query;
    begin_query(&query, TABLE_SILENCE);
    if (!add_cursor(&query, list, " AND silence > ?", NULL))
        return STATUS_BAD_VALUE;
    add(&query, " ORDER BY silence");
    return list_things(self, TABLE_SILENCE, &query, list->limit, out);
}

status_t store_list_audit(store_t *self, const list_t *list, msgpack_sbuffer *out)
{
    query_t query = {.used = 0};
    add(&query, "SELECT number, time, by, what, subject, \"from\", \"to\" FROM audit WHERE 1");
    if (!add_cursor(&query, list, " AND number < ?", NULL))
        return STATUS_BAD_VALUE;
    add_number(&query, " AND time >= ?", list->since);
    add(&query, " ORDER BY number DESC");
    sqlite3_stmt *statement = open_query(self, &query);
    if (statement == NULL)
        return STATUS_INTERNAL;
    page_t page = {.count = 0};
    msgpack_sbuffer cursor;
    msgpack_sbuffer_init(&page.items);
    msgpack_sbuffer_init(&cursor);
    arena_t arena;
    arena_init(&arena);
    while (store_next(self, statement) && !page_is_full(&page, list->limit)) {
        audit_t audit;
        read_audit(statement, &arena, &audit);
        schema_write(&audit_schema, &audit, false, &page.items);
        cursor.size = 0;
        pack_int(&cursor, sqlite3_column_int64(statement, 0));
        page.count++;
        arena_reset(&arena);
    }
    sqlite3_finalize(statement);
    page_write(&page, out, &cursor);
    msgpack_sbuffer_destroy(&cursor);
    arena_free(&arena);
    return STATUS_OK;
}

/* -- publications -- */

/*  Numbers in a range that were never kept: the first such run. */
typedef struct {
    uint64_t from, to; /* 0, 0: none */
} hole_t;

static void see_hole(hole_t *hole, uint64_t expected, uint64_t seq)
{
    if (hole->from == 0 && seq > expected)
        *hole = (hole_t){expected, seq - 1};
}

static void write_since(page_t *page, hole_t hole, uint64_t last, uint64_t head,
                        msgpack_sbuffer *out)
{
    pack_map(out, hole.from == 0 ? 3 : 4);
    pack_string(out, "items");
    pack_array(out, page->count);
    pack_raw(out, (text_t){page->items.data, page->items.size});
    pack_string(out, "cursor");
    if (page->more)
        pack_uint(out, last);
    else
        pack_nil(out);
    pack_string(out, "head");
    pack_uint(out, head);
    if (hole.from != 0) {
        pack_string(out, "lost");
        pack_array(out, 2);
        pack_uint(out, hole.from);
        pack_uint(out, hole.to);
    }
}

status_t store_since(store_t *self, const events_since_t *since, msgpack_sbuffer *out,
                     uint64_t *oldest)
{
    const head_t *head = &self->heads[since->family];
    uint64_t after = (uint64_t)since->seq, last = after;
    if (after < head->trimmed) {
        *oldest = head->trimmed + 1;
        return STATUS_GONE;
    }
    sqlite3_stmt *statement = store_statement(self, DO_SINCE);
    sqlite3_bind_int(statement, 1, since->family);
    sqlite3_bind_int64(statement, 2, since->seq);
    sqlite3_bind_int64(statement, 3, since->limit + 1);
    page_t page = {.count = 0};
    hole_t hole = {0, 0};
    msgpack_sbuffer_init(&page.items);
    while (store_next(self, statement) && !page_is_full(&page, since->limit)) {
        uint64_t seq = (uint64_t)sqlite3_column_int64(statement, 0);
        see_hole(&hole, last + 1, seq);
        const char *body = sqlite3_column_blob(statement, 1);
        pack_raw(&page.items, (text_t){body, (size_t)sqlite3_column_bytes(statement, 1)});
        last = seq;
        page.count++;
    }
    sqlite3_reset(statement);
    if (!page.more)
        see_hole(&hole, last + 1, head->last + 1);
    write_since(&page, hole, last, head->last, out);
    msgpack_sbuffer_destroy(&page.items);
    return STATUS_OK;
}
