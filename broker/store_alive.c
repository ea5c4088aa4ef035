#include "broker/store_inside.h"
#include "broker/store_rows.h"

#include <math.h>

/* The name under which it is kept, beside the names of tables. */
#define ALIVE "alive"

void store_alive(store_t *self, double wall_s)
{
    sqlite3_stmt *statement = store_statement(self, DO_NUMBER);
    bind_text(statement, 1, TEXT_OF(ALIVE));
    store_run(self, statement, sqlite3_bind_int64(statement, 2, (sqlite3_int64)(wall_s * 1000)));
}

double store_last_alive(store_t *self)
{
    double wall_s = NAN;
    sqlite3_stmt *statement =
        store_prepare(self, "SELECT last FROM number WHERE thing = '" ALIVE "'");
    if (statement != NULL && sqlite3_step(statement) == SQLITE_ROW)
        wall_s = (double)sqlite3_column_int64(statement, 0) / 1000;
    sqlite3_finalize(statement);
    return wall_s;
}
