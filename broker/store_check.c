#include "broker/store_check.h"

#include "broker/store_inside.h"
#include "broker/store_pages.h"
#include "broker/store_tables.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#define PROBLEMS_SHOWN 20

typedef struct {
    char path[4096];
    sqlite3 *database;
    int lock;
    FILE *out;
    uint64_t problems;
} check_t;

/* -- what must be so -- */

/*  What is wrong, and how often it is. */
typedef struct {
    const char *what, *count;
} rule_t;

#define COUNT "SELECT count(*) FROM "
/* numbers count 1, 2, 3 without a hole: as many rows as the thing says, and none higher */
#define ROWS_DIFFER(thing, said, rows)                                                             \
    COUNT thing " AS t WHERE t." said " <> (SELECT count(*) FROM " rows " AS r WHERE r." thing     \
                " = t." thing ") OR t." said " <> (SELECT coalesce(max(number), 0) FROM " rows     \
                " AS r WHERE r." thing " = t." thing ")"
#define OF_NONE(rows, thing)                                                                       \
    COUNT rows " AS r WHERE NOT EXISTS (SELECT 1 FROM " thing " AS t WHERE t." thing " = r." thing \
               ")"
#define NOT_GIVEN(thing)                                                                           \
    COUNT thing " WHERE " thing                                                                    \
                " > coalesce((SELECT last FROM number WHERE number.thing = '" thing "'), 0)"

static const rule_t rules[] = {
    {"an incident with a number that was never given", NOT_GIVEN("incident")},
    {"an alert with a number that was never given", NOT_GIVEN("alert")},
    {"a silence with a number that was never given", NOT_GIVEN("silence")},
    {"an incident that counts its notes wrong",
     ROWS_DIFFER("incident", "notes_count", "incident_note")},
    {"an incident that counts its timeline wrong",
     ROWS_DIFFER("incident", "timeline_count", "incident_move")},
    {"an alert that counts its notes wrong", ROWS_DIFFER("alert", "notes_count", "alert_note")},
    {"a note of no incident", OF_NONE("incident_note", "incident")},
    {"a line of the timeline of no incident", OF_NONE("incident_move", "incident")},
    {"a note of no alert", OF_NONE("alert_note", "alert")},
    {"a closed incident that does not say when, or one that says so and is not closed",
     COUNT "incident WHERE (status = 'closed') <> (closed_at IS NOT NULL)"},
    {"a status that is none",
     COUNT "incident WHERE status NOT IN ('new', 'investigating', 'resolved', 'closed')"},
    {"a state that is none", COUNT "alert WHERE state NOT IN ('pending', 'firing', 'acknowledged',"
                                   " 'resolved', 'no_data')"},
    {"two unclosed incidents with one key",
     COUNT "(SELECT 1 FROM incident WHERE key IS NOT NULL AND status <> 'closed'"
           " GROUP BY key HAVING count(*) > 1)"},
    {"two active alerts of one policy with the same labels",
     COUNT "(SELECT 1 FROM alert WHERE state <> 'resolved'"
           " GROUP BY policy, labels HAVING count(*) > 1)"},
    {"a publication beyond the head of its family",
     COUNT "publication JOIN head USING (family) WHERE seq > last"},
    {"a publication that counts as deleted",
     COUNT "publication JOIN head USING (family) WHERE seq <= trimmed"},
    {"a family whose numbers are out of order",
     COUNT "head WHERE reserved < last OR trimmed > last"},
    {"a family of operations that lacks a publication",
     COUNT "head WHERE family IN (3, 4) AND last - trimmed <>"
           " (SELECT count(*) FROM publication WHERE publication.family = head.family)"},
};

_Static_assert(FAMILY_ALERT == 3 && FAMILY_INCIDENT == 4, "families are stored by number");

/* -- opening -- */

static int complain(check_t *self, int exit_status, const char *words)
{
    fprintf(self->out, "%s: %s\n", self->path, words);
    return exit_status;
}

/*  A store in use changes while it is looked at; a copy beside it does not. */
static int lock_store(check_t *self)
{
    char path[4200];
    const char *slash = strrchr(self->path, '/');
    int length = slash == NULL ? 0 : (int)(slash - self->path + 1);
    if (strcmp(self->path + length, "tocsin.db") != 0)
        return EX_OK;
    snprintf(path, sizeof path, "%.*stocsind.lock", length, self->path);
    self->lock = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (self->lock >= 0 && flock(self->lock, LOCK_EX | LOCK_NB) != 0)
        return complain(self, EX_TEMPFAIL,
                        "in use by a tocsind: have it write a system.snapshot, and check that");
    return EX_OK;
}

/*  A log beside it belongs to it, and stays there. */
static int open_checked(check_t *self)
{
    struct stat status;
    if (stat(self->path, &status) != 0 || !S_ISREG(status.st_mode))
        return complain(self, EX_NOINPUT, "there is no store");
    int keeps_log = store_bytes(self->path, "-wal") > 0, exit_status = lock_store(self);
    if (exit_status != EX_OK)
        return exit_status;
    if (sqlite3_open_v2(self->path, &self->database, SQLITE_OPEN_READWRITE, PAGES_VFS) != SQLITE_OK)
        return complain(self, EX_NOINPUT, sqlite3_errmsg(self->database));
    sqlite3_db_config(self->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keeps_log, NULL);
    if (!store_run_text(self->database, "PRAGMA locking_mode = EXCLUSIVE;") ||
        store_number(self->database, "PRAGMA user_version") < 0)
        return complain(self, EX_DATAERR,
                        store_pages_words(sqlite3_extended_errcode(self->database)));
    store_run_text(self->database, "PRAGMA query_only = ON;");
    return EX_OK;
}

/* -- checking -- */

static int check_origin(check_t *self)
{
    if (store_number(self->database, "PRAGMA application_id") != STORE_APPLICATION_ID)
        return complain(self, EX_DATAERR, "not a store of tocsind");
    if (store_number(self->database, "PRAGMA user_version") > STORE_VERSION)
        return complain(self, EX_DATAERR, "written by a newer tocsind");
    return EX_OK;
}

/*  What SQLite says of its own pages and indexes. */
static void check_pages(check_t *self)
{
    char text[64];
    sqlite3_stmt *statement = NULL;
    snprintf(text, sizeof text, "PRAGMA integrity_check(%d)", PROBLEMS_SHOWN);
    int code = sqlite3_prepare_v2(self->database, text, -1, &statement, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *words = (const char *)sqlite3_column_text(statement, 0);
        code = SQLITE_OK;
        if (words == NULL || strcmp(words, "ok") == 0)
            continue;
        complain(self, EX_DATAERR, words);
        self->problems++;
    }
    if (code != SQLITE_DONE) {
        complain(self, EX_DATAERR, store_pages_words(sqlite3_extended_errcode(self->database)));
        self->problems++;
    }
    sqlite3_finalize(statement);
}

static void check_rules(check_t *self)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        sqlite3_int64 count = store_number(self->database, rules[i].count);
        if (count == 0)
            continue;
        self->problems++;
        if (count < 0)
            complain(self, EX_DATAERR, sqlite3_errmsg(self->database));
        else
            fprintf(self->out, "%s: %lld times: %s\n", self->path, (long long)count, rules[i].what);
    }
}

static int conclude(check_t *self)
{
    int version = (int)store_number(self->database, "PRAGMA user_version");
    fprintf(self->out, "%s: version %d, ", self->path, version);
    static const char *const counted[] = {"incident", "alert", "policy", "publication"};
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        char text[64];
        snprintf(text, sizeof text, COUNT "%s", counted[i]);
        sqlite3_int64 count = store_number(self->database, text);
        fprintf(self->out, "%s rows %lld, ", counted[i], (long long)count);
    }
    fputs(self->problems > 0 ? "not sound\n" : "sound\n", self->out);
    return self->problems > 0 ? EX_DATAERR : EX_OK;
}

static int check_all(check_t *self)
{
    int exit_status = open_checked(self);
    if (exit_status == EX_OK)
        exit_status = check_origin(self);
    if (exit_status != EX_OK)
        return exit_status;
    check_pages(self);
    if (store_number(self->database, "PRAGMA user_version") == STORE_VERSION)
        check_rules(self);
    else
        complain(self, EX_OK, "of an older version: only its pages are checked");
    return conclude(self);
}

int store_check(const char *path, FILE *out)
{
    check_t self = {.lock = -1, .out = out};
    store_pages_register();
    struct stat status;
    bool is_directory = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    snprintf(self.path, sizeof self.path, "%s%s", path, is_directory ? "/tocsin.db" : "");
    int exit_status = check_all(&self);
    sqlite3_close(self.database);
    if (self.lock >= 0)
        close(self.lock);
    return exit_status;
}
