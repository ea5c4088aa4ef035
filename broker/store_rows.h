/*  store_rows - things as rows: the columns of a table are the rows of the thing's table of keys.
 *
 *  Private to the store. Lists and maps are MessagePack blobs; notes and timelines are rows of
 * their own and have no column here.
 */
#ifndef BROKER_STORE_ROWS_H
#define BROKER_STORE_ROWS_H

#include "proto/arena.h"
#include "proto/schema.h"

#include <sqlite3.h>

/*  "a, b, c" into `out`, quoted; with `marks` "?, ?, ?" instead. */
void row_columns(const schema_t *schema, bool marks, char *out, size_t size);

/*  Bind a thing to the parameters of a statement, from the first on. */
int row_bind(sqlite3_stmt *statement, const schema_t *schema, const void *thing);

/*  Read a thing from the columns of a row, from the first on; texts are copied into the arena. */
void row_read(sqlite3_stmt *statement, const schema_t *schema, arena_t *arena, void *thing);

/*  TEXT_NONE is NULL. */
int bind_text(sqlite3_stmt *statement, int at, text_t text);
int bind_blob(sqlite3_stmt *statement, int at, text_t bytes);
text_t column_text(sqlite3_stmt *statement, int at, arena_t *arena);

#endif
