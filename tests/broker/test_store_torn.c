/*  A disk that loses and tears what was not synced (FAULTS D8, D9): a VFS below the store keeps
 * what each sector held before, until its file is synced; a crash gives some of the sectors back,
 * by a seed. */
#include "broker/store_check.h"
#include "tests/broker/store_folder.h"

#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#define SECTOR 512
#define ROUNDS 150

/*  A sector that was written since the last sync, as it was before. */
typedef struct undo {
    struct undo *older;
    char path[256];
    sqlite3_int64 at;
    int size; /* 0: it was not there */
    char bytes[SECTOR];
} undo_t;

typedef struct {
    sqlite3_file base;
    char path[256];
} torn_file_t;

static sqlite3_vfs torn_vfs, *system_vfs;
static undo_t *undone; /* the newest first */
static uint64_t seed;

static uint64_t draw(uint64_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % below;
}

static sqlite3_file *real(sqlite3_file *file)
{
    return (sqlite3_file *)(void *)((torn_file_t *)(void *)file + 1);
}

static void remember(sqlite3_file *file, sqlite3_int64 at)
{
    undo_t *undo = calloc(1, sizeof *undo);
    sqlite3_int64 size = 0;
    undo->older = undone;
    undo->at = at;
    snprintf(undo->path, sizeof undo->path, "%s", ((torn_file_t *)(void *)file)->path);
    real(file)->pMethods->xFileSize(real(file), &size);
    if (at < size) {
        undo->size = SECTOR;
        real(file)->pMethods->xRead(real(file), undo->bytes, SECTOR, at);
    }
    undone = undo;
}

static int write_torn(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at)
{
    for (sqlite3_int64 sector = at - at % SECTOR; sector < at + size; sector += SECTOR)
        remember(file, sector);
    return real(file)->pMethods->xWrite(real(file), bytes, size, at);
}

static void forget(const char *path)
{
    for (undo_t **undo = &undone; *undo != NULL;) {
        undo_t *old = *undo;
        if (path != NULL && strcmp(old->path, path) != 0) {
            undo = &old->older;
            continue;
        }
        *undo = old->older;
        free(old);
    }
}

static int sync_torn(sqlite3_file *file, int flags)
{
    forget(((torn_file_t *)(void *)file)->path);
    return real(file)->pMethods->xSync(real(file), flags);
}

/*  The power goes: of what was not synced, each sector is there or is not, whatever came first. */
static void lose_power(void)
{
    for (const undo_t *undo = undone; undo != NULL; undo = undo->older) {
        if (draw(2) == 0)
            continue;
        int file = open(undo->path, O_WRONLY);
        char zeros[SECTOR] = {0};
        if (file < 0)
            continue;
        const char *before = undo->size == 0 ? zeros : undo->bytes;
        assert_int_equal(pwrite(file, before, SECTOR, undo->at), SECTOR);
        close(file);
    }
    forget(NULL);
}

/* -- what is the system's -- */

static int close_torn(sqlite3_file *file)
{
    return real(file)->pMethods->xClose(real(file));
}

static int read_torn(sqlite3_file *file, void *bytes, int size, sqlite3_int64 at)
{
    return real(file)->pMethods->xRead(real(file), bytes, size, at);
}

static int truncate_torn(sqlite3_file *file, sqlite3_int64 size)
{
    return real(file)->pMethods->xTruncate(real(file), size);
}

static int size_torn(sqlite3_file *file, sqlite3_int64 *size)
{
    return real(file)->pMethods->xFileSize(real(file), size);
}

static int lock_torn(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xLock(real(file), level);
}

static int unlock_torn(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int check_torn(sqlite3_file *file, int *reserved)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), reserved);
}

static int control_torn(sqlite3_file *file, int what, void *argument)
{
    return real(file)->pMethods->xFileControl(real(file), what, argument);
}

static int sector_torn(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}

/*  It promises nothing: no sector is written whole with another, and overwriting may tear. */
static int characteristics_torn(sqlite3_file *file)
{
    (void)file;
    return 0;
}

static const sqlite3_io_methods torn_methods = {.iVersion = 1,
                                                .xClose = close_torn,
                                                .xRead = read_torn,
                                                .xWrite = write_torn,
                                                .xTruncate = truncate_torn,
                                                .xSync = sync_torn,
                                                .xFileSize = size_torn,
                                                .xLock = lock_torn,
                                                .xUnlock = unlock_torn,
                                                .xCheckReservedLock = check_torn,
                                                .xFileControl = control_torn,
                                                .xSectorSize = sector_torn,
                                                .xDeviceCharacteristics = characteristics_torn};

static int open_torn(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    torn_file_t *self = (torn_file_t *)(void *)file;
    file->pMethods = NULL;
    int code = system_vfs->xOpen(system_vfs, name, real(file), flags, out);
    if (code != SQLITE_OK)
        return code;
    snprintf(self->path, sizeof self->path, "%s", name == NULL ? "" : name);
    file->pMethods = &torn_methods;
    return SQLITE_OK;
}

/*  Below the store's own VFS, which takes the default one that it finds. */
static int insert_vfs(void **state)
{
    (void)state;
    system_vfs = sqlite3_vfs_find(NULL);
    torn_vfs = *system_vfs;
    torn_vfs.pNext = NULL;
    torn_vfs.zName = "torn";
    torn_vfs.szOsFile += (int)sizeof(torn_file_t);
    torn_vfs.xOpen = open_torn;
    return sqlite3_vfs_register(&torn_vfs, 1);
}

/* -- the story -- */

/*  A commit of some incidents, all or none of which must be there; `last` counts them. */
static bool commit_some(store_t *store, uint64_t *last)
{
    uint64_t count = 1 + draw(8);
    char words[3000];
    memset(words, 'x', sizeof words);
    for (uint64_t i = 1; i <= count; i++) {
        incident_t incident = sample_incident(*last + i);
        incident.description = (text_t){words, draw(sizeof words)};
        incident.occurrences = count; /* the size of its group */
        store_save(store, TABLE_INCIDENT, &incident);
        store_keep(store, FAMILY_INCIDENT, store_next_number(store, FAMILY_INCIDENT), 1,
                   TEXT_OF("t"), TEXT_OF("\xc0"));
    }
    if (store_commit(store) != STORE_GOOD)
        return false;
    *last += count;
    return true;
}

static uint64_t count_incidents(store_t *store)
{
    return (uint64_t)store_number(((struct store *)store)->database,
                                  "SELECT count(*) FROM incident");
}

/*  Begun and not committed: none of it may be there. */
static void begin_one(store_t *store, uint64_t last)
{
    incident_t incident = sample_incident(last + 1);
    store_save(store, TABLE_INCIDENT, &incident);
}

static void crash_once(void **state, uint64_t *last)
{
    store_t *store = *state;
    for (uint64_t commits = draw(6); commits > 0; commits--)
        assert_true(commit_some(store, last));
    if (draw(3) == 0) {
        ((struct store *)store)->log_due = 1;
        assert_int_equal(store_tend(store), STORE_GOOD);
    }
    begin_one(store, *last);
    crash((store_t **)state);
    lose_power();
    FILE *out = fopen("/dev/null", "w");
    assert_int_equal(store_check(folder, out), EX_OK);
    fclose(out);
    *state = open_again();
    assert_int_equal(count_incidents(*state), *last);
    assert_int_equal(store_last_id(*state, TABLE_INCIDENT), *last);
    assert_int_equal(store_head(*state, FAMILY_INCIDENT).last, *last);
}

static void
test_store_torn__what_was_committed_survives_the_loss_of_all_that_was_not_synced(void **state)
{
    uint64_t last = 0;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        seed = round * 7919 + 1;
        crash_once(state, &last);
    }
    assert_true(last > ROUNDS);
}

/*  That the disk above does lose something: without syncs, what was committed is not all there. */
static void test_store_torn__without_syncs_it_would_not(void **state)
{
    uint64_t last = 0, lost = 0;
    for (uint64_t round = 0; round < 20 && lost == 0; round++) {
        seed = round + 3;
        store_t *store = *state;
        assert_true(store_run_text(((struct store *)store)->database, "PRAGMA synchronous = OFF"));
        for (size_t i = 0; i < 5; i++)
            assert_true(commit_some(store, &last));
        crash((store_t **)state);
        lose_power();
        *state = open_again();
        lost += count_incidents(*state) != last;
        last = store_last_id(*state, TABLE_INCIDENT);
    }
    assert_true(lost > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store_torn__what_was_committed_survives_the_loss_of_all_that_was_not_synced),
        TEST(test_store_torn__without_syncs_it_would_not),
    };
    return cmocka_run_group_tests(tests, insert_vfs, NULL);
}
