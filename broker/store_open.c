#include "broker/failpoint.h"
#include "broker/store_inside.h"
#include "broker/store_pages.h"
#include "broker/store_rows.h"
#include "broker/store_tables.h"
#include "proto/must.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <sysexits.h>
#include <unistd.h>

#define FILE_NAME "tocsin.db"
#define LOCK_NAME "tocsind.lock"
#define CIFS_MAGIC 0xff534d42u

/* Whoever holds the database for a moment (the sqlite3 shell) is waited for. */
#define PATIENCE_MS 5000

bool store_refuse(store_error_t *error, int exit_status, const char *format, ...)
{
    va_list arguments;
    error->exit_status = exit_status;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return false;
}

/* -- the directory and its files -- */

/*  mkdir -p, the last part for nobody but us. */
static bool make_directory(const char *directory, store_error_t *error)
{
    char path[4096];
    size_t size = strlen(directory);
    if (size == 0 || size >= sizeof path - 64)
        return store_refuse(error, EX_CANTCREAT, "store %s: the path is empty or too long",
                            directory);
    memcpy(path, directory, size + 1);
    for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return store_refuse(error, EX_CANTCREAT, "store %s: %s", directory, strerror(errno));
    return true;
}

/*  Locks and syncs are promises that a file system over a network does not keep. */
static bool check_directory(const char *directory, store_error_t *error)
{
    struct stat status;
    struct statfs system;
    if (stat(directory, &status) != 0 || !S_ISDIR(status.st_mode))
        return store_refuse(error, EX_CANTCREAT, "store %s: not a directory", directory);
    if ((status.st_mode & S_IWOTH) != 0)
        return store_refuse(error, EX_CANTCREAT, "store %s: anybody may write there: chmod o-w",
                            directory);
    uint32_t type = statfs(directory, &system) == 0 ? (uint32_t)system.f_type : 0;
    if (type == NFS_SUPER_MAGIC || type == SMB_SUPER_MAGIC || type == SMB2_SUPER_MAGIC ||
        type == CIFS_MAGIC)
        return store_refuse(error, EX_CANTCREAT,
                            "store %s: on a file system over a network, where a lock or a sync is "
                            "no promise",
                            directory);
    return true;
}

/*  What is there already must be a file of ours that nobody else may read. */
static bool check_file(const char *path, store_error_t *error)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return errno == ENOENT ||
               store_refuse(error, EX_CANTCREAT, "store %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return store_refuse(error, EX_CANTCREAT, "store %s: %s", path,
                            S_ISLNK(status.st_mode) ? "a symbolic link" : "not a file");
    if (status.st_uid != geteuid())
        return store_refuse(error, EX_CANTCREAT, "store %s: belongs to user %u, and this is %u",
                            path, (unsigned)status.st_uid, (unsigned)geteuid());
    if ((status.st_mode & 077) != 0)
        return store_refuse(error, EX_CANTCREAT, "store %s: others may use it: chmod 600", path);
    return true;
}

static bool check_files(const store_t *self, const char *directory, store_error_t *error)
{
    char log[4200], lock[4200];
    snprintf(log, sizeof log, "%s-wal", self->path);
    snprintf(lock, sizeof lock, "%s/" LOCK_NAME, directory);
    return check_file(self->path, error) && check_file(log, error) && check_file(lock, error);
}

/*  One broker a store: the lock goes with the process, however that ends. */
static bool lock_directory(store_t *self, const char *directory, store_error_t *error)
{
    char path[4200], holder[32] = "";
    snprintf(path, sizeof path, "%s/" LOCK_NAME, directory);
    self->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (self->lock < 0)
        return store_refuse(error, EX_CANTCREAT, "store %s: cannot write there: %s", directory,
                            strerror(errno));
    if (flock(self->lock, LOCK_EX | LOCK_NB) != 0) {
        ssize_t size = read(self->lock, holder, sizeof holder - 1);
        holder[size > 0 ? strcspn(holder, "\n") : 0] = '\0';
        return store_refuse(error, EX_CANTCREAT, "store %s: in use by another tocsind, process %s",
                            directory, holder);
    }
    int length = snprintf(holder, sizeof holder, "%ld\n", (long)getpid());
    if (ftruncate(self->lock, 0) != 0 || write(self->lock, holder, (size_t)length) != length)
        return store_refuse(error, EX_CANTCREAT, "store %s: cannot write there: %s", directory,
                            strerror(errno));
    return true;
}

static store_file_t look_at(const char *path, const char *ending)
{
    char name[4200];
    struct stat status;
    snprintf(name, sizeof name, "%s%s", path, ending);
    if (lstat(name, &status) != 0)
        return (store_file_t){0, 0};
    return (store_file_t){status.st_dev, status.st_ino};
}

static bool is_same(store_file_t one, store_file_t other)
{
    return one.device == other.device && one.number == other.number;
}

bool store_in_place(const store_t *self)
{
    return is_same(self->file, look_at(self->path, "")) &&
           is_same(self->log, look_at(self->path, "-wal"));
}

/* -- the database -- */

bool store_run_text(sqlite3 *database, const char *text)
{
    return sqlite3_exec(database, text, NULL, NULL, NULL) == SQLITE_OK;
}

sqlite3_int64 store_number(sqlite3 *database, const char *text)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_int64 number = -1;
    if (sqlite3_prepare_v2(database, text, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    return sqlite3_finalize(statement) == SQLITE_OK ? number : -1;
}

/*  The name of the newest copy beside the store, to point at; "" if there is none. */
static void find_copy(const char *path, char *newest, size_t size)
{
    char directory[4096];
    struct dirent *entry;
    const char *slash = strrchr(path, '/');
    snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
    DIR *listing = opendir(directory);
    newest[0] = '\0';
    while (listing != NULL && (entry = readdir(listing)) != NULL)
        if (strncmp(entry->d_name, FILE_NAME ".snapshot-", sizeof FILE_NAME + 9) == 0 &&
            strcmp(entry->d_name, newest) > 0)
            snprintf(newest, size, "%s", entry->d_name);
    if (listing != NULL)
        closedir(listing);
}

static bool refuse_damaged(const store_t *self, store_error_t *error)
{
    char copy[256];
    find_copy(self->path, copy, sizeof copy);
    return store_refuse(error, EX_DATAERR,
                        "store %s: damaged (%s): put a copy in its place; the newest beside it: %s",
                        self->path, store_pages_words(sqlite3_extended_errcode(self->database)),
                        copy[0] == '\0' ? "none" : copy);
}

static bool refuse_database(const store_t *self, store_error_t *error)
{
    int code = self->database == NULL ? SQLITE_NOMEM : sqlite3_extended_errcode(self->database);
    switch (code == SQLITE_IOERR_DATA ? SQLITE_CORRUPT : code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return refuse_damaged(self, error);
    case SQLITE_IOERR:
        return store_refuse(error, EX_IOERR, "store %s: %s", self->path,
                            sqlite3_errmsg(self->database));
    case SQLITE_BUSY:
        return store_refuse(error, EX_CANTCREAT, "store %s: another program holds it", self->path);
    default:
        return store_refuse(error, EX_CANTCREAT, "store %s: %s", self->path,
                            self->database == NULL ? "out of memory"
                                                   : sqlite3_errmsg(self->database));
    }
}

/*  Is this ours, and not newer than we are? Nothing is written to find out. */
static bool check_version(store_t *self, store_error_t *error)
{
    sqlite3_int64 version = store_number(self->database, "PRAGMA user_version");
    sqlite3_int64 application = store_number(self->database, "PRAGMA application_id");
    sqlite3_int64 tables = store_number(self->database, "SELECT count(*) FROM sqlite_schema");
    if (version < 0 || application < 0 || tables < 0)
        return refuse_database(self, error);
    if (tables > 0 && application != STORE_APPLICATION_ID)
        return store_refuse(error, EX_CANTCREAT, "store %s: not a store of tocsind", self->path);
    if (version > STORE_VERSION)
        return store_refuse(error, EX_CANTCREAT,
                            "store %s: written by a newer tocsind (version %d, this one knows %d)",
                            self->path, (int)version, STORE_VERSION);
    return true;
}

bool store_migrate(sqlite3 *database, const char *path, const char *const *steps, int known)
{
    int version = (int)store_number(database, "PRAGMA user_version");
    char text[96], copy[4200], message[512];
    snprintf(copy, sizeof copy, "%s.version-%d", path, version);
    if (version > 0 && version < known) {
        unlink(copy);
        if (!store_copy(database, copy, message, sizeof message))
            return false;
    }
    for (; version >= 0 && version < known; version++) {
        snprintf(text, sizeof text, "PRAGMA user_version = %d; PRAGMA application_id = %d;",
                 version + 1, STORE_APPLICATION_ID);
        FAILPOINT("store.migrate");
        if (!store_run_text(database, "BEGIN IMMEDIATE") ||
            !store_run_text(database, steps[version]) || !store_run_text(database, text))
            return false;
        FAILPOINT("store.migrated");
        if (!store_run_text(database, "COMMIT"))
            return false;
    }
    return version >= 0;
}

static bool set_up_database(store_t *self, store_error_t *error)
{
    /* exclusive locking mode: nobody else reads or writes, so no shared memory file is needed and
       no second connection can reset the log under us. Checkpoints are ours: one that SQLite makes
       by itself forgets that its sync failed. */
    int on = 1;
    sqlite3_db_config(self->database, SQLITE_DBCONFIG_DEFENSIVE, on, NULL);
    sqlite3_busy_timeout(self->database, PATIENCE_MS);
    if (!store_run_text(self->database, "PRAGMA locking_mode = EXCLUSIVE;"
                                        "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;"
                                        "PRAGMA cache_size = -65536;"))
        return refuse_database(self, error);
    sqlite3_db_config(self->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on, NULL);
    if (!check_version(self, error))
        return false;
    if (!store_run_text(self->database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                        "PRAGMA wal_autocheckpoint = 0;"))
        return refuse_database(self, error);
    return true;
}

/*  Whatever an earlier process left in the log is brought into the database and synced before
 * anything is built on it: pages that a failed sync lost are clean in the kernel's eyes. */
static bool settle_log(store_t *self)
{
    FAILPOINT("store.settle");
    return sqlite3_wal_checkpoint_v2(self->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                     NULL) == SQLITE_OK;
}

static bool open_database(store_t *self, store_error_t *error)
{
    umask(077);
    store_pages_register();
    if (sqlite3_open_v2(self->path, &self->database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        PAGES_VFS) != SQLITE_OK)
        return refuse_database(self, error);
    store_pages_reserve(self->database);
    sqlite3_extended_result_codes(self->database, 1);
    FAILPOINT("store.opened");
    if (!set_up_database(self, error))
        return false;
    if (!settle_log(self) ||
        !store_migrate(self->database, self->path, store_migrations, STORE_VERSION))
        return refuse_database(self, error);
    FAILPOINT("store.settled");
    self->file = look_at(self->path, "");
    self->log = look_at(self->path, "-wal");
    sqlite3_wal_hook(self->database, store_saw_log, self);
    return true;
}

/* -- statements -- */

static bool prepare(store_t *self, const char *text, sqlite3_stmt **statement)
{
    return sqlite3_prepare_v3(self->database, text, -1, SQLITE_PREPARE_PERSISTENT, statement,
                              NULL) == SQLITE_OK;
}

static bool prepare_table(store_t *self, table_t table)
{
    const table_spec_t *spec = &store_tables[table];
    char columns[2048], marks[512], text[STORE_SQL_BYTES];
    row_columns(spec->schema, false, columns, sizeof columns);
    row_columns(spec->schema, true, marks, sizeof marks);
    snprintf(text, sizeof text, "INSERT OR REPLACE INTO %s (%s) VALUES (%s)", spec->name, columns,
             marks);
    if (!prepare(self, text, &self->saves[table]))
        return false;
    snprintf(text, sizeof text, "DELETE FROM %s WHERE %s = ?", spec->name, spec->key);
    if (!prepare(self, text, &self->deletes[table]))
        return false;
    size_t used = store_select_from(text, table);
    snprintf(text + used, sizeof text - used, "WHERE %s = ?", spec->key);
    return prepare(self, text, &self->finds[table]);
}

static bool prepare_all(store_t *self)
{
    for (statement_t which = 0; which < STATEMENT_COUNT; which++)
        if (!prepare(self, store_statement_texts[which], &self->statements[which]))
            return false;
    for (table_t table = 0; table < TABLE_COUNT; table++)
        if (!prepare_table(self, table))
            return false;
    return true;
}

/* -- numbers -- */

/*  Numbers that were reserved and perhaps given out are never given out again. */
static bool read_heads(store_t *self)
{
    sqlite3_stmt *statement = NULL;
    if (!prepare(self, "SELECT family, last, reserved, trimmed FROM head", &statement))
        return false;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int family = sqlite3_column_int(statement, 0);
        if (family < 0 || family >= (int)FAMILY_STORED)
            continue;
        head_t head = {.last = (uint64_t)sqlite3_column_int64(statement, 1),
                       .reserved = (uint64_t)sqlite3_column_int64(statement, 2),
                       .trimmed = (uint64_t)sqlite3_column_int64(statement, 3)};
        if (head.reserved > head.last)
            head.last = head.reserved;
        head.reserved = head.last;
        self->heads[family] = self->committed_heads[family] = head;
    }
    return sqlite3_finalize(statement) == SQLITE_OK;
}

static bool read_last_ids(store_t *self)
{
    sqlite3_stmt *statement = NULL;
    if (!prepare(self, "SELECT thing, last FROM number", &statement))
        return false;
    while (sqlite3_step(statement) == SQLITE_ROW)
        for (size_t i = 0; i < TABLE_COUNT; i++)
            if (strcmp((const char *)sqlite3_column_text(statement, 0), store_tables[i].name) == 0)
                self->last_ids[i] = self->committed_last_ids[i] =
                    (uint64_t)sqlite3_column_int64(statement, 1);
    return sqlite3_finalize(statement) == SQLITE_OK;
}

/* -- life -- */

static void release(store_t *self)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(self->statements[i]);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        sqlite3_finalize(self->saves[i]);
        sqlite3_finalize(self->deletes[i]);
        sqlite3_finalize(self->finds[i]);
    }
    sqlite3_finalize(self->find_notice);
    sqlite3_finalize(self->each_notice);
    sqlite3_close(self->database);
    if (self->lock >= 0)
        close(self->lock);
    free(self);
}

store_t *store_open(const char *directory, store_error_t *error)
{
    store_t *self = memory_new(1, sizeof *self);
    self->lock = -1;
    self->writable = true;
    self->log_due = LOG_PAGES;
    snprintf(self->path, sizeof self->path, "%s/" FILE_NAME, directory);
    bool good = make_directory(directory, error) && check_directory(directory, error) &&
                check_files(self, directory, error) && lock_directory(self, directory, error) &&
                open_database(self, error);
    if (good && !(prepare_all(self) && read_heads(self) && read_last_ids(self)))
        good = refuse_database(self, error);
    if (good)
        return self;
    release(self);
    return NULL;
}

/*  The log goes into the database at the end, unless a write has failed: then it stays as it is. */
void store_close(store_t **self_p)
{
    store_t *self = *self_p;
    *self_p = NULL;
    if (self == NULL)
        return;
    FAILPOINT("store.close");
    store_snapshot_end(self);
    if (self->writable && !self->dead)
        store_settle_heads(self);
    int off = 0;
    if (!self->dead)
        sqlite3_db_config(self->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, off, NULL);
    release(self);
}
