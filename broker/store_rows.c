#include "broker/store_rows.h"

#include "proto/must.h"
#include "proto/pack.h"

#include <math.h>
#include <stdio.h>

/*  Which column a field becomes. */
typedef enum { KEPT_ELSEWHERE, AS_TEXT, AS_WORD, AS_INTEGER, AS_REAL, AS_BLOB } column_t;

static column_t column_of(const field_t *field)
{
    static const column_t columns[] = {
        [FIELD_NAME] = AS_TEXT,      [FIELD_TITLE] = AS_TEXT,
        [FIELD_TEXT] = AS_TEXT,      [FIELD_NAMES] = AS_BLOB,
        [FIELD_LINES] = AS_BLOB,     [FIELD_BOOL] = AS_INTEGER,
        [FIELD_FLAG] = AS_INTEGER,   [FIELD_UINT] = AS_INTEGER,
        [FIELD_UINT32] = AS_INTEGER, [FIELD_INT] = AS_INTEGER,
        [FIELD_NUMBER] = AS_REAL,    [FIELD_DURATION] = AS_REAL,
        [FIELD_TIME] = AS_REAL,      [FIELD_SIZE] = AS_INTEGER,
        [FIELD_ENUM] = AS_WORD,      [FIELD_WORD] = AS_TEXT,
        [FIELD_LABELS] = AS_BLOB,    [FIELD_ID] = AS_INTEGER,
        [FIELD_IDS] = AS_BLOB,       [FIELD_HEX] = AS_INTEGER,
        [FIELD_RECORD] = AS_BLOB,    [FIELD_RECORDS] = KEPT_ELSEWHERE,
        [FIELD_STEPS] = AS_BLOB,     [FIELD_RAW] = AS_BLOB,
    };
    return columns[field->type];
}

void row_columns(const schema_t *schema, bool marks, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < schema->count; i++) {
        if (column_of(&schema->fields[i]) == KEPT_ELSEWHERE)
            continue;
        int more = snprintf(out + used, size - used, marks ? "%s?" : "%s\"%s\"",
                            used == 0 ? "" : ", ", schema->fields[i].key);
        must(more > 0 && (size_t)more < size - used);
        used += (size_t)more;
    }
}

int bind_text(sqlite3_stmt *statement, int at, text_t text)
{
    if (text.data == NULL)
        return sqlite3_bind_null(statement, at);
    return sqlite3_bind_text64(statement, at, text.data, text.size, SQLITE_TRANSIENT, SQLITE_UTF8);
}

int bind_blob(sqlite3_stmt *statement, int at, text_t bytes)
{
    return sqlite3_bind_blob64(statement, at, bytes.size == 0 ? "" : bytes.data, bytes.size,
                               SQLITE_TRANSIENT);
}

text_t column_text(sqlite3_stmt *statement, int at, arena_t *arena)
{
    if (sqlite3_column_type(statement, at) == SQLITE_NULL)
        return TEXT_NONE;
    /* a text read as a blob is not copied to end it with a zero, and so cannot fail */
    const void *bytes = sqlite3_column_blob(statement, at);
    size_t size = (size_t)sqlite3_column_bytes(statement, at);
    return arena_copy(arena, (text_t){bytes == NULL ? "" : bytes, size});
}

static sqlite3_int64 integer_of(const field_t *field, const void *at)
{
    switch ((int)field->type) {
    case FIELD_BOOL:
    case FIELD_FLAG:
        return *(const bool *)at;
    case FIELD_UINT32:
        return *(const uint32_t *)at;
    case FIELD_INT:
        return *(const int64_t *)at;
    default:
        return (sqlite3_int64) * (const uint64_t *)at;
    }
}

static void set_integer(const field_t *field, void *at, sqlite3_int64 number)
{
    switch ((int)field->type) {
    case FIELD_BOOL:
    case FIELD_FLAG:
        *(bool *)at = number != 0;
        break;
    case FIELD_UINT32:
        *(uint32_t *)at = (uint32_t)number;
        break;
    case FIELD_INT:
        *(int64_t *)at = number;
        break;
    default:
        *(uint64_t *)at = (uint64_t)number;
        break;
    }
}

static int bind_packed(sqlite3_stmt *statement, int at, const field_t *field, const void *thing)
{
    msgpack_sbuffer packed;
    msgpack_sbuffer_init(&packed);
    schema_write_field(field, thing, true, &packed);
    int code = bind_blob(statement, at, (text_t){packed.data, packed.size});
    msgpack_sbuffer_destroy(&packed);
    return code;
}

static int bind_field(sqlite3_stmt *statement, int at, const field_t *field, const void *thing)
{
    const void *value = (const char *)thing + field->offset;
    switch (column_of(field)) {
    case AS_TEXT:
        return bind_text(statement, at, *(const text_t *)value);
    case AS_WORD:
        return *(const int *)value < 0
                   ? sqlite3_bind_null(statement, at)
                   : bind_text(statement, at, text_of(field->words[*(const int *)value]));
    case AS_INTEGER:
        return sqlite3_bind_int64(statement, at, integer_of(field, value));
    case AS_REAL:
        return isnan(*(const double *)value)
                   ? sqlite3_bind_null(statement, at)
                   : sqlite3_bind_double(statement, at, *(const double *)value);
    case AS_BLOB:
        return bind_packed(statement, at, field, thing);
    case KEPT_ELSEWHERE:
        break;
    }
    return SQLITE_OK;
}

int row_bind(sqlite3_stmt *statement, const schema_t *schema, const void *thing)
{
    int at = 0, code = SQLITE_OK;
    for (size_t i = 0; i < schema->count && code == SQLITE_OK; i++)
        if (column_of(&schema->fields[i]) != KEPT_ELSEWHERE)
            code = bind_field(statement, ++at, &schema->fields[i], thing);
    return code;
}

/*  Limits of old settings must not make what was stored unreadable. */
static const limits_t any_limits = {.frame_bytes = UINT32_MAX,
                                    .batch = UINT32_MAX,
                                    .depth = UINT32_MAX,
                                    .name_bytes = UINT32_MAX,
                                    .labels = LABELS_MAX,
                                    .label_name_bytes = UINT32_MAX,
                                    .label_value_bytes = UINT32_MAX,
                                    .text_bytes = UINT32_MAX,
                                    .title_bytes = UINT32_MAX};

static void read_packed(const field_t *field, text_t packed, arena_t *arena, void *thing)
{
    cursor_t cursor = cursor_over(packed.data, packed.size);
    if (packed.data == NULL || cursor_check(packed.data, packed.size, 16) != STATUS_OK)
        return;
    schema_read_field(field, &any_limits, &cursor, arena, thing, NULL);
}

static int word_of(const field_t *field, text_t word)
{
    for (int i = 0; word.data != NULL && field->words[i] != NULL; i++)
        if (text_is(word, field->words[i]))
            return i;
    return -1;
}

static void read_column(sqlite3_stmt *statement, int at, const field_t *field, arena_t *arena,
                        void *thing)
{
    void *value = (char *)thing + field->offset;
    switch (column_of(field)) {
    case AS_TEXT:
        *(text_t *)value = column_text(statement, at, arena);
        break;
    case AS_WORD:
        *(int *)value = word_of(field, column_text(statement, at, arena));
        break;
    case AS_INTEGER:
        set_integer(field, value, sqlite3_column_int64(statement, at));
        break;
    case AS_REAL:
        *(double *)value = sqlite3_column_type(statement, at) == SQLITE_NULL
                               ? (double)NAN
                               : sqlite3_column_double(statement, at);
        break;
    case AS_BLOB:
        read_packed(field, column_text(statement, at, arena), arena, thing);
        break;
    case KEPT_ELSEWHERE:
        break;
    }
}

void row_read(sqlite3_stmt *statement, const schema_t *schema, arena_t *arena, void *thing)
{
    int at = 0;
    schema_defaults(schema, thing);
    for (size_t i = 0; i < schema->count; i++)
        if (column_of(&schema->fields[i]) != KEPT_ELSEWHERE)
            read_column(statement, at++, &schema->fields[i], arena, thing);
}
