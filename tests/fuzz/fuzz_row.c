/*  Rows of the store with anything in their columns: read as each kind of thing, which can then be
 * copied, compared and written. The first byte chooses the thing; then a column each: a byte for
 * its type and length, and its bytes. */
#include "broker/store_rows.h"
#include "proto/cursor.h"
#include "proto/must.h"
#include "proto/thing.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COLUMNS 64

static const schema_t *const schemas[] = {&incident_schema, &alert_schema, &policy_schema,
                                          &runbook_schema, &slo_schema};

static void bind_column(sqlite3_stmt *statement, int at, const uint8_t **data, size_t *size)
{
    uint8_t head = *size == 0 ? 0 : *(*data)++;
    *size -= *size > 0;
    size_t length = head >> 2 < *size ? head >> 2 : *size;
    int64_t number = 0;
    double real;
    memcpy(&number, *data, length < sizeof number ? length : sizeof number);
    memcpy(&real, &number, sizeof real);
    switch (head & 3) {
    case 0:
        sqlite3_bind_int64(statement, at, number);
        break;
    case 1:
        sqlite3_bind_double(statement, at, real);
        break;
    case 2:
        sqlite3_bind_text(statement, at, (const char *)*data, (int)length, SQLITE_STATIC);
        break;
    default:
        sqlite3_bind_blob(statement, at, *data, (int)length, SQLITE_STATIC);
    }
    *data += length;
    *size -= length;
}

static void read_row(sqlite3_stmt *statement, const schema_t *schema, arena_t *arena)
{
    void *thing = arena_take(arena, schema->size);
    row_read(statement, schema, arena, thing);
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    schema_write(schema, thing, true, &out);
    must(cursor_check(out.data, out.size, 32) == STATUS_OK);
    must(schema_equal(schema, thing, schema_copy(schema, thing, arena)));
    msgpack_sbuffer_destroy(&out);
}

static sqlite3_stmt *prepare(void)
{
    sqlite3 *database;
    sqlite3_stmt *statement;
    char query[COLUMNS * 3 + 16] = "SELECT ?";
    for (int i = 1; i < COLUMNS; i++)
        strcat(query, ",?");
    must(sqlite3_open(":memory:", &database) == SQLITE_OK);
    must(sqlite3_prepare_v2(database, query, -1, &statement, NULL) == SQLITE_OK);
    return statement;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sqlite3_stmt *statement;
    static arena_t arena;
    if (statement == NULL)
        statement = prepare();
    if (size == 0)
        return 0;
    const schema_t *schema = schemas[data[0] % (sizeof schemas / sizeof *schemas)];
    data++;
    size--;
    sqlite3_reset(statement);
    for (int at = 1; at <= COLUMNS; at++)
        bind_column(statement, at, &data, &size);
    must(sqlite3_step(statement) == SQLITE_ROW);
    read_row(statement, schema, &arena);
    arena_reset(&arena);
    return 0;
}
