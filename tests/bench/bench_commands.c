/*  How many durable commands a second, beside a bare SQLite program that commits the same rows in
 * the same groups?
 *
 *    bench_commands TOCSIND [DIRECTORY]   the daemon to measure, where its store is put (default .)
 *
 *  For 1, 16 and 256 commands in flight on one connection, ROUNDS times in turn: the daemon opens
 *  COUNT incidents, each answered when it is on disk. Then the rows that it wrote are read back and
 *  written again by a program that does nothing else, in transactions of the same commands (those
 *  of one turn carry one time), with the same settings, into an empty database on the same disk.
 *  Printed: the median of each, and of their ratios. Then how long a daemon takes to be ready that
 *  finds OPEN open incidents. */
#include "broker/store_tables.h"
#include "proto/must.h"
#include "proto/pack.h"

#include <czmq.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#define ROUNDS 5
#define OPEN 100000
#define TABLES 4

static const char *const tables[TABLES] = {"incident", "incident_move", "publication", "audit"};

typedef struct {
    pid_t pid;
    char store[300], address[128];
} daemon_t;

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void remove_folder(const char *folder)
{
    char command[512];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    must(system(command) == 0);
}

/* -- the daemon -- */

static void exec_daemon(const char *program, const char *store, int out)
{
    static const char *const endpoints[] = {
        "metrics=tcp://127.0.0.1:0", "requests=tcp://127.0.0.1:0", "incidents=tcp://127.0.0.1:0",
        "events=tcp://127.0.0.1:0",  "control=tcp://127.0.0.1:0",  "http=127.0.0.1:0"};
    const char *arguments[24] = {program, "--store", store, "--log-level", "error"};
    size_t count = 5;
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        arguments[count++] = "--endpoint";
        arguments[count++] = endpoints[i];
    }
    dup2(out, STDOUT_FILENO);
    execv(program, (char *const *)(uintptr_t)arguments);
    _exit(127);
}

/*  Answers when it is ready. */
static void daemon_start(daemon_t *self, const char *program)
{
    int pipes[2];
    char line[256];
    must(pipe(pipes) == 0);
    self->pid = fork();
    if (self->pid == 0)
        exec_daemon(program, self->store, pipes[1]);
    close(pipes[1]);
    FILE *out = fdopen(pipes[0], "r");
    must(self->pid > 0 && out != NULL);
    while (fgets(line, sizeof line, out) != NULL && strcmp(line, "ready\n") != 0)
        sscanf(line, "control %127s", self->address);
    must(strcmp(line, "ready\n") == 0);
    fclose(out);
}

static void daemon_stop(daemon_t *self)
{
    int status = 0;
    kill(self->pid, SIGTERM);
    must(waitpid(self->pid, &status, 0) == self->pid && WIFEXITED(status));
}

/* -- the commands -- */

static void send_command(void *socket, uint64_t id)
{
    msgpack_sbuffer command;
    msgpack_sbuffer_init(&command);
    pack_map(&command, 4);
    pack_string(&command, "do");
    pack_string(&command, "incident.open");
    pack_string(&command, "id");
    pack_uint(&command, id);
    pack_string(&command, "title");
    pack_string(&command, "the disk of a host is nearly full");
    pack_string(&command, "severity");
    pack_string(&command, "high");
    must(zmq_send(socket, command.data, command.size, 0) >= 0);
    msgpack_sbuffer_destroy(&command);
}

/*  Commands a second until all are answered. */
static double open_incidents(const daemon_t *daemon, uint64_t count, uint64_t in_flight)
{
    char reply[65536];
    zsock_t *dealer = zsock_new_dealer(NULL);
    zsock_set_linger(dealer, 0);
    zsock_set_sndhwm(dealer, 0);
    zsock_set_rcvtimeo(dealer, 30000);
    must(zsock_connect(dealer, "%s", daemon->address) == 0);
    void *socket = zsock_resolve(dealer);
    uint64_t sent = 0, answered = 0;
    double started = now_s();
    for (; answered < count; answered++) {
        while (sent < count && sent - answered < in_flight)
            send_command(socket, sent++);
        must(zmq_recv(socket, reply, sizeof reply, 0) > 0);
    }
    double elapsed = now_s() - started;
    zsock_destroy(&dealer);
    return (double)count / elapsed;
}

/* -- the bare program -- */

static void execute(sqlite3 *database, const char *text)
{
    char *error = NULL;
    if (sqlite3_exec(database, text, NULL, NULL, &error) != SQLITE_OK)
        must_not(error);
}

static sqlite3 *open_database(const char *folder, const char *name)
{
    char path[512];
    sqlite3 *database;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    must(sqlite3_open(path, &database) == SQLITE_OK);
    execute(database, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                      "PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;"
                      "PRAGMA wal_autocheckpoint = 2048;");
    return database;
}

static sqlite3_stmt *prepare(sqlite3 *database, const char *text)
{
    sqlite3_stmt *statement;
    must(sqlite3_prepare_v2(database, text, -1, &statement, NULL) == SQLITE_OK);
    return statement;
}

/*  All rows of a table in memory: values row by row. */
typedef struct {
    sqlite3_value **values;
    size_t rows;
    int columns;
} rows_t;

static rows_t read_rows(sqlite3 *database, const char *table)
{
    char text[64];
    snprintf(text, sizeof text, "SELECT * FROM %s", table);
    sqlite3_stmt *statement = prepare(database, text);
    rows_t self = {.columns = sqlite3_column_count(statement)};
    while (sqlite3_step(statement) == SQLITE_ROW) {
        size_t width = (size_t)self.columns;
        if ((self.rows & (self.rows - 1)) == 0)
            self.values =
                memory_grow(self.values, (self.rows * 2 + 1) * width, sizeof *self.values);
        for (int i = 0; i < self.columns; i++)
            self.values[self.rows * width + (size_t)i] =
                sqlite3_value_dup(sqlite3_column_value(statement, i));
        self.rows++;
    }
    sqlite3_finalize(statement);
    return self;
}

static void free_rows(rows_t *self)
{
    for (size_t i = 0; i < self->rows * (size_t)self->columns; i++)
        sqlite3_value_free(self->values[i]);
    free(self->values);
}

static void write_row(sqlite3_stmt *statement, const rows_t *rows, size_t row)
{
    for (int i = 0; i < rows->columns; i++)
        sqlite3_bind_value(statement, i + 1, rows->values[row * (size_t)rows->columns + (size_t)i]);
    must(sqlite3_step(statement) == SQLITE_DONE);
    sqlite3_reset(statement);
}

/*  `insert` for each table; what a turn changes once besides. */
typedef struct {
    sqlite3 *database;
    sqlite3_stmt *insert[TABLES], *begin, *commit, *head, *number;
    rows_t rows[TABLES];
    int time; /* the column of the first table that tells a group */
} bare_t;

static void commit_group(bare_t *self, size_t first, size_t end)
{
    must(sqlite3_step(self->begin) == SQLITE_DONE);
    for (size_t row = first; row < end; row++)
        for (size_t table = 0; table < TABLES; table++)
            write_row(self->insert[table], &self->rows[table], row);
    sqlite3_bind_int64(self->head, 1, (sqlite3_int64)end);
    sqlite3_bind_int64(self->number, 1, (sqlite3_int64)end);
    must(sqlite3_step(self->head) == SQLITE_DONE && sqlite3_step(self->number) == SQLITE_DONE);
    must(sqlite3_step(self->commit) == SQLITE_DONE);
    sqlite3_stmt *const used[] = {self->begin, self->commit, self->head, self->number};
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        sqlite3_reset(used[i]);
}

static double group_time(const bare_t *self, size_t row)
{
    return sqlite3_value_double(
        self->rows[0].values[row * (size_t)self->rows[0].columns + (size_t)self->time]);
}

static double commit_all(bare_t *self, size_t *groups)
{
    size_t count = self->rows[0].rows;
    double started = now_s();
    *groups = 0;
    for (size_t first = 0, end; first < count; first = end, ++*groups) {
        for (end = first + 1; end < count && group_time(self, end) <= group_time(self, first);)
            end++;
        commit_group(self, first, end);
    }
    return (double)count / (now_s() - started);
}

static void prepare_bare(bare_t *self)
{
    static const char *const marks[] = {"?", ",?"};
    for (int version = 0; version < STORE_VERSION; version++)
        execute(self->database, store_migrations[version]);
    for (size_t table = 0; table < TABLES; table++) {
        char text[512];
        int used = snprintf(text, sizeof text, "INSERT INTO %s VALUES (", tables[table]);
        for (int i = 0; i < self->rows[table].columns; i++)
            used += snprintf(text + used, sizeof text - (size_t)used, "%s", marks[i > 0]);
        snprintf(text + used, sizeof text - (size_t)used, ")");
        self->insert[table] = prepare(self->database, text);
    }
    self->begin = prepare(self->database, "BEGIN IMMEDIATE");
    self->commit = prepare(self->database, "COMMIT");
    self->head = prepare(self->database, "UPDATE head SET last = ? WHERE family = 4");
    self->number = prepare(self->database, "INSERT OR REPLACE INTO number VALUES ('incident', ?)");
}

static void close_bare(bare_t *self)
{
    sqlite3_stmt *const used[] = {self->begin, self->commit, self->head, self->number};
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        sqlite3_finalize(used[i]);
    for (size_t table = 0; table < TABLES; table++) {
        sqlite3_finalize(self->insert[table]);
        free_rows(&self->rows[table]);
    }
    sqlite3_close(self->database);
}

/*  Write what the daemon wrote once more; rows a second. */
static double write_again(const char *store, size_t *groups)
{
    bare_t bare = {.database = NULL};
    sqlite3 *source = open_database(store, "tocsin.db");
    sqlite3_stmt *columns =
        prepare(source, "SELECT cid FROM pragma_table_info('incident') WHERE name = 'created_at'");
    must(sqlite3_step(columns) == SQLITE_ROW);
    bare.time = sqlite3_column_int(columns, 0);
    sqlite3_finalize(columns);
    for (size_t table = 0; table < TABLES; table++)
        bare.rows[table] = read_rows(source, tables[table]);
    sqlite3_close(source);
    bare.database = open_database(store, "bare.db");
    prepare_bare(&bare);
    double rate = commit_all(&bare, groups);
    close_bare(&bare);
    return rate;
}

/* -- both -- */

static int compare(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static double median(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof *values, compare);
    return values[ROUNDS / 2];
}

static void measure(const char *program, const char *folder, uint64_t in_flight, uint64_t count)
{
    double daemons[ROUNDS], bares[ROUNDS], ratios[ROUNDS];
    size_t groups = 1;
    for (size_t round = 0; round < ROUNDS; round++) {
        daemon_t daemon;
        snprintf(daemon.store, sizeof daemon.store, "%s/store", folder);
        daemon_start(&daemon, program);
        daemons[round] = open_incidents(&daemon, count, in_flight);
        daemon_stop(&daemon);
        bares[round] = write_again(daemon.store, &groups);
        ratios[round] = daemons[round] / bares[round];
        remove_folder(daemon.store);
    }
    printf("%9llu %12.0f %12.0f %8.2f %10.1f\n", (unsigned long long)in_flight, median(daemons),
           median(bares), median(ratios), (double)count / (double)groups);
    fflush(stdout);
}

static void measure_restart(const char *program, const char *folder)
{
    double seconds[ROUNDS];
    daemon_t daemon;
    snprintf(daemon.store, sizeof daemon.store, "%s/store", folder);
    daemon_start(&daemon, program);
    open_incidents(&daemon, OPEN, 256);
    for (size_t round = 0; round < ROUNDS; round++) {
        daemon_stop(&daemon);
        double started = now_s();
        daemon_start(&daemon, program);
        seconds[round] = now_s() - started;
    }
    daemon_stop(&daemon);
    printf("ready with %d open incidents after %.2f s\n", OPEN, median(seconds));
}

int main(int argc, char **argv)
{
    static const uint64_t in_flight[] = {1, 16, 256}, counts[] = {1000, 10000, 40000};
    char folder[256];
    if (argc < 2) {
        fprintf(stderr, "usage: bench_commands TOCSIND [DIRECTORY]\n");
        return 64;
    }
    snprintf(folder, sizeof folder, "%s/bench-commands-XXXXXX", argc > 2 ? argv[2] : ".");
    must(mkdtemp(folder) != NULL);
    printf("in flight    tocsind/s       bare/s    ratio  a commit\n");
    for (size_t i = 0; i < sizeof in_flight / sizeof *in_flight; i++)
        measure(argv[1], folder, in_flight[i], counts[i]);
    measure_restart(argv[1], folder);
    remove_folder(folder);
    return 0;
}
