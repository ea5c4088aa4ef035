#include "broker/store_pages.h"

#include "proto/must.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <xxhash.h>

#define PAGE_BYTES 4096
#define HEADER_BYTES 100   /* what SQLite reads to learn the size of a page */
#define HEADER_RESERVED 20 /* where in it the number of bytes stands that a page leaves alone */

/*  The system's file lies behind it in the memory that SQLite gives. */
typedef struct {
    sqlite3_file base;
    unsigned char page[PAGE_BYTES]; /* being written */
} pages_file_t;

static sqlite3_vfs pages_vfs;
static sqlite3_vfs *system_vfs;

static sqlite3_file *real(sqlite3_file *file)
{
    return (sqlite3_file *)((pages_file_t *)file + 1);
}

/* -- checksums -- */

/*  Of a page at its place: one that lies where another belongs does not agree either. */
static XXH64_canonical_t sum_of(const unsigned char *page, sqlite3_int64 at)
{
    XXH64_canonical_t sum;
    XXH64_canonicalFromHash(
        &sum, XXH3_64bits_withSeed(page, PAGE_BYTES - PAGES_RESERVED, (XXH64_hash_t)at));
    return sum;
}

static bool was_never_written(const unsigned char *page)
{
    return page[0] == 0 && memcmp(page, page + 1, PAGE_BYTES - 1) == 0;
}

static bool is_good(const unsigned char *page, sqlite3_int64 at)
{
    XXH64_canonical_t sum = sum_of(page, at);
    return memcmp(page + PAGE_BYTES - PAGES_RESERVED, &sum, sizeof sum) == 0 ||
           was_never_written(page);
}

static bool is_page(int size, sqlite3_int64 at)
{
    return size == PAGE_BYTES && at % PAGE_BYTES == 0;
}

static int read_page(sqlite3_file *file, void *bytes, int size, sqlite3_int64 at)
{
    int code = real(file)->pMethods->xRead(real(file), bytes, size, at);
    if (code != SQLITE_OK)
        return code;
    if (at == 0 && size >= HEADER_BYTES &&
        ((unsigned char *)bytes)[HEADER_RESERVED] != PAGES_RESERVED)
        return SQLITE_IOERR_DATA;
    return !is_page(size, at) || is_good(bytes, at) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

static int write_page(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at)
{
    pages_file_t *self = (pages_file_t *)file;
    if (is_page(size, at)) {
        memcpy(self->page, bytes, PAGE_BYTES);
        XXH64_canonical_t sum = sum_of(self->page, at);
        memcpy(self->page + PAGE_BYTES - PAGES_RESERVED, &sum, sizeof sum);
        bytes = self->page;
    }
    return real(file)->pMethods->xWrite(real(file), bytes, size, at);
}

/* -- everything else is the system's -- */

static int close_file(sqlite3_file *file)
{
    return real(file)->pMethods->xClose(real(file));
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    return real(file)->pMethods->xTruncate(real(file), size);
}

static int sync_file(sqlite3_file *file, int flags)
{
    return real(file)->pMethods->xSync(real(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real(file)->pMethods->xFileSize(real(file), size);
}

static int lock_file(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xLock(real(file), level);
}

static int unlock_file(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int check_lock(sqlite3_file *file, int *reserved)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), reserved);
}

static int control_file(sqlite3_file *file, int what, void *argument)
{
    return real(file)->pMethods->xFileControl(real(file), what, argument);
}

static int sector_size(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}

static int characteristics(sqlite3_file *file)
{
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

/*  Version 1 of the methods: no shared memory, which exclusive locking does without, and no
 * mapping. */
static const sqlite3_io_methods pages_methods = {.iVersion = 1,
                                                 .xClose = close_file,
                                                 .xRead = read_page,
                                                 .xWrite = write_page,
                                                 .xTruncate = truncate_file,
                                                 .xSync = sync_file,
                                                 .xFileSize = file_size,
                                                 .xLock = lock_file,
                                                 .xUnlock = unlock_file,
                                                 .xCheckReservedLock = check_lock,
                                                 .xFileControl = control_file,
                                                 .xSectorSize = sector_size,
                                                 .xDeviceCharacteristics = characteristics};

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
        return system_vfs->xOpen(system_vfs, name, file, flags, out);
    file->pMethods = NULL;
    int code = system_vfs->xOpen(system_vfs, name, real(file), flags, out);
    if (code == SQLITE_OK)
        file->pMethods = &pages_methods;
    return code;
}

void store_pages_register(void)
{
    if (sqlite3_vfs_find(PAGES_VFS) != NULL)
        return;
    system_vfs = sqlite3_vfs_find(NULL);
    must(system_vfs != NULL);
    pages_vfs = *system_vfs;
    pages_vfs.pNext = NULL;
    pages_vfs.zName = PAGES_VFS;
    pages_vfs.szOsFile += (int)sizeof(pages_file_t);
    pages_vfs.xOpen = open_file;
    must(sqlite3_vfs_register(&pages_vfs, 0) == SQLITE_OK);
}

const char *store_pages_words(int code)
{
    return code == SQLITE_IOERR_DATA ? "a page does not agree with its checksum"
                                     : sqlite3_errstr(code);
}

void store_pages_reserve(sqlite3 *database)
{
    int bytes = PAGES_RESERVED;
    sqlite3_file_control(database, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
}
