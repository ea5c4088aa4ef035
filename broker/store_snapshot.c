#include "broker/failpoint.h"
#include "broker/store_inside.h"
#include "proto/must.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Pages that one step of a snapshot copies: 1 MiB. */
#define PAGES_A_STEP 256

struct store_copying {
    char path[4096], part[4200];
    sqlite3 *copy;
    sqlite3_backup *backup;
};

uint64_t store_bytes(const char *path, const char *ending)
{
    char name[4200];
    struct stat status;
    snprintf(name, sizeof name, "%s%s", path, ending);
    return stat(name, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static bool complain(const char *path, const char *words, char *message, size_t size)
{
    snprintf(message, size, "%s: %s", path, words);
    return false;
}

/*  A file of our own, so that no other is written over. */
static bool make_file(const store_copying_t *self, char *message, size_t size)
{
    struct stat status;
    if (lstat(self->path, &status) == 0)
        return complain(self->path, strerror(EEXIST), message, size);
    unlink(self->part);
    int file = open(self->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return complain(self->path, strerror(errno), message, size);
    close(file);
    return true;
}

/*  Nobody sees the copy before it is complete: it needs no journal and no sync of its own. */
static bool open_copy(store_copying_t *self, sqlite3 *database, char *message, size_t size)
{
    sqlite3_vfs *vfs = NULL; /* that of the original: a page is copied as it is */
    sqlite3_file_control(database, "main", SQLITE_FCNTL_VFS_POINTER, &vfs);
    bool good =
        sqlite3_open_v2(self->part, &self->copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        vfs == NULL ? NULL : vfs->zName) == SQLITE_OK &&
        store_run_text(self->copy, "PRAGMA locking_mode = EXCLUSIVE;"
                                   "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;");
    if (good)
        self->backup = sqlite3_backup_init(self->copy, "main", database, "main");
    return self->backup != NULL || complain(self->path, sqlite3_errmsg(self->copy), message, size);
}

store_copying_t *store_copying_new(sqlite3 *database, const char *path, char *message, size_t size)
{
    store_copying_t *self = memory_new(1, sizeof *self);
    snprintf(self->path, sizeof self->path, "%s", path);
    snprintf(self->part, sizeof self->part, "%s.part", path);
    if (!make_file(self, message, size) || !open_copy(self, database, message, size))
        store_copying_destroy(&self);
    return self;
}

static bool sync_path(const char *path, int flags)
{
    int file = open(path, flags | O_CLOEXEC);
    bool good = file >= 0 && fsync(file) == 0;
    if (file >= 0)
        close(file);
    return good;
}

/*  Whole and on disk, and only then under its name. */
static bool publish_file(const store_copying_t *self)
{
    char directory[4096];
    const char *slash = strrchr(self->path, '/');
    snprintf(directory, sizeof directory, "%.*s", slash == NULL ? 1 : (int)(slash - self->path + 1),
             slash == NULL ? "." : self->path);
    if (!sync_path(self->part, O_RDWR))
        return false;
    FAILPOINT("store.copy_synced");
    if (renameat2(AT_FDCWD, self->part, AT_FDCWD, self->path, RENAME_NOREPLACE) != 0)
        return false;
    FAILPOINT("store.copy_named");
    return sync_path(directory, O_RDONLY | O_DIRECTORY);
}

/*  A copy stands alone: it has no log beside it. */
static bool finish(store_copying_t *self, char *message, size_t size)
{
    int code = sqlite3_backup_finish(self->backup);
    self->backup = NULL;
    FAILPOINT("store.copied");
    bool good = code == SQLITE_OK && store_run_text(self->copy, "PRAGMA journal_mode = DELETE;");
    if (!good)
        complain(self->path, sqlite3_errmsg(self->copy), message, size);
    sqlite3_close(self->copy);
    self->copy = NULL;
    return good && (publish_file(self) || complain(self->path, strerror(errno), message, size));
}

int store_copying_step(store_copying_t *self, int pages, char *message, size_t size)
{
    FAILPOINT("store.copy");
    int code = sqlite3_backup_step(self->backup, pages);
    if (code == SQLITE_OK)
        return SQLITE_OK;
    if (code == SQLITE_DONE)
        return finish(self, message, size) ? SQLITE_DONE : SQLITE_ERROR;
    complain(self->path, sqlite3_errstr(code), message, size);
    return code;
}

void store_copying_destroy(store_copying_t **self)
{
    if (*self == NULL)
        return;
    sqlite3_backup_finish((*self)->backup);
    sqlite3_close((*self)->copy);
    unlink((*self)->part);
    free(*self);
    *self = NULL;
}

bool store_copy(sqlite3 *database, const char *path, char *message, size_t size)
{
    store_copying_t *copying = store_copying_new(database, path, message, size);
    bool good = copying != NULL && store_copying_step(copying, -1, message, size) == SQLITE_DONE;
    store_copying_destroy(&copying);
    return good;
}

/* -- of a store in use -- */

bool store_snapshot_begin(store_t *self, const char *path, char *message, size_t size)
{
    if (self->snapshot != NULL)
        return complain(path, "another snapshot is being written", message, size);
    self->snapshot = store_copying_new(self->database, path, message, size);
    return self->snapshot != NULL;
}

copy_state_t store_snapshot_step(store_t *self, char *message, size_t size)
{
    if (self->snapshot == NULL)
        return COPY_NONE;
    int code = store_copying_step(self->snapshot, PAGES_A_STEP, message, size);
    if (code == SQLITE_OK)
        return COPY_GOES_ON;
    store_snapshot_end(self);
    return code == SQLITE_DONE ? COPY_DONE : COPY_FAILED;
}

void store_snapshot_end(store_t *self)
{
    store_copying_destroy(&self->snapshot);
}
