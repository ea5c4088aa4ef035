/*  store - what must not be forgotten, on disk: SQLite in WAL mode, written by one thread.
 *
 *  Owns     the database, its lock file and its prepared statements
 *  Bounds   answers of lists end at the limit asked for or at LIST_BYTES
 *  Thread   one: the operations actor, after whoever opened it has handed it over
 *  Refuses  a path it cannot use, a store of a newer version, a store that another process holds;
 * at run time a failure is latched: from then on nothing is written until store_rollback
 *
 *  synchronous=FULL: what is committed is on the disk (sqlite.org/pragma.html#pragma_synchronous).
 * After an fsync that failed nobody knows what is on the disk: STORE_DEAD is final, the process
 * must end and read again (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX
 * ATC 2020).
 */
#ifndef BROKER_STORE_H
#define BROKER_STORE_H

#include "proto/arena.h"
#include "proto/command.h"
#include "proto/notice.h"
#include "proto/publication.h"
#include "proto/thing.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct store store_t;

typedef struct {
    int exit_status; /* of sysexits.h */
    char message[512];
} store_error_t;

/*  Open or create the store in a directory (made 0700 if it is not there). NULL and a filled error.
 */
store_t *store_open(const char *directory, store_error_t *error);
/*  Closes cleanly: the heads are exact from then on. */
void store_close(store_t **self);

/* -- transactions -- */

typedef enum {
    STORE_GOOD,
    STORE_FULL, /* no space, or the like: rolled back, may work again later */
    STORE_DEAD  /* an I/O error or a failed fsync: final */
} store_state_t;

/*  Does the store take changes again? A write that changes nothing is tried. */
store_state_t store_probe(store_t *self);

/*  Begin one unless one is open. Every function below that writes does it. */
void store_begin(store_t *self);
/*  Commit what is open. If not STORE_GOOD, everything since the begin is gone. */
store_state_t store_commit(store_t *self);
/*  Did anything fail since the begin? */
bool store_failed(const store_t *self);
/*  Has anything been written since the last commit? */
bool store_is_open(const store_t *self);
/*  Did the last commit succeed? If not, store_reason says in words why. */
bool store_writable(const store_t *self);
const char *store_reason(const store_t *self);
const char *store_path(const store_t *self);

/* -- things -- */

typedef enum {
    TABLE_INCIDENT,
    TABLE_ALERT,
    TABLE_POLICY,
    TABLE_RUNBOOK,
    TABLE_SLO,
    TABLE_NOTICE,
    TABLE_LETTER,
    TABLE_SILENCE,
    TABLE_COUNT
} table_t;

void store_save(store_t *self, table_t table, const void *thing);
void store_delete_name(store_t *self, table_t table, text_t name);
void store_delete_alert(store_t *self, uint64_t id);
void store_delete_silence(store_t *self, uint64_t id);

void store_note_incident(store_t *self, uint64_t id, uint64_t number, const note_t *note);
void store_note_alert(store_t *self, uint64_t id, uint64_t number, const note_t *note);
void store_move(store_t *self, uint64_t id, uint64_t number, const move_t *move);

typedef struct {
    double time;
    text_t by, what, subject, from, to;
} audit_t;

extern const schema_t audit_schema;

void store_audit(store_t *self, const audit_t *audit);

/*  Called with each thing, which lies in the arena that is reset after each call. False ends the
 * walk. */
typedef bool (*store_visit_t)(void *context, const void *thing);

/*  Every row, in order of id or name; of incidents and alerts those that live (unclosed, active),
 * with their newest notes and timeline. */
void store_each(store_t *self, table_t table, store_visit_t visit, void *context);
/*  Every closed incident or resolved alert, in any order, and of it nothing but its state and the
 * times that the operational metrics are made of. */
void store_each_over(store_t *self, table_t table, store_visit_t visit, void *context);

/*  One incident with at most `most` of its newest notes and timeline (0: all); one alert. False: it
 * is not there. */
bool store_find_incident(store_t *self, uint64_t id, uint64_t most, arena_t *arena,
                         incident_t *incident);
bool store_find_alert(store_t *self, uint64_t id, arena_t *arena, alert_t *alert);
bool store_find_name(store_t *self, table_t table, text_t name, arena_t *arena, void *thing);
/*  The highest number ever given to an incident or alert, kept even when the thing itself was
 * deleted. */
uint64_t store_last_id(store_t *self, table_t table);

/* -- lists: the encoded answer {"items", "cursor"} is appended; STATUS_BAD_VALUE for a cursor that
 * is none -- */

#define LIST_BYTES (4u << 20)

status_t store_list_incidents(store_t *self, const list_t *list, msgpack_sbuffer *out);
/*  Active alerts unless a state is asked for; with `history` all of them, newest first. */
status_t store_list_alerts(store_t *self, const list_t *list, bool history, msgpack_sbuffer *out);
status_t store_list_names(store_t *self, table_t table, const list_t *list, msgpack_sbuffer *out);
status_t store_list_silences(store_t *self, const list_t *list, msgpack_sbuffer *out);
status_t store_list_audit(store_t *self, const list_t *list, msgpack_sbuffer *out);

/* -- the outbox: what the channels have to be told. A notice changes in the transaction that
 * changes its alert. -- */

bool store_find_notice(store_t *self, text_t channel, uint64_t alert, arena_t *arena,
                       notice_t *notice);
/*  Every notice about an alert, by channel; the visitor may change what it visits. */
void store_each_notice(store_t *self, uint64_t alert, store_visit_t visit, void *context);

/*  The channel is about to be told: from now on it may know. */
void store_notice_tried(store_t *self, text_t channel, uint64_t alert, double time_s);
/*  It was not reached after all. */
void store_notice_missed(store_t *self, text_t channel, uint64_t alert);
/*  It was told, and `time_s` is when. */
void store_notice_told(store_t *self, text_t channel, uint64_t alert, told_t told, double time_s);
/*  There is nothing more to tell, unless the alert has changed since that revision. */
void store_notice_end(store_t *self, text_t channel, uint64_t alert, uint64_t revision);

/*  Keep a notification that was given up; its number is given here. */
void store_keep_letter(store_t *self, letter_t *letter);
bool store_find_letter(store_t *self, uint64_t id, arena_t *arena, letter_t *letter);
void store_delete_letter(store_t *self, uint64_t id);
status_t store_list_letters(store_t *self, const list_t *list, msgpack_sbuffer *out);

/* -- upkeep, between transactions -- */

/*  Bring the log into the database when it is due: after the answers of a turn have gone. */
store_state_t store_tend(store_t *self);
/*  Are the files still those that were opened? What is written to others is lost. */
bool store_in_place(const store_t *self);

/*  How long what is over is kept: until it is older than `kept_s`, or more than `rows` newer ones
 * came. Publications that are still to be sent over the RELAY bus are kept in any case, where
 * `relayed` says so of their family. */
typedef struct {
    double kept_s;
    uint64_t rows;
    bool relayed[FAMILY_STORED];
} retention_t;

/*  Called with each incident or alert that is about to be deleted. */
typedef void (*store_drop_t)(void *context, table_t table, const void *thing);

/*  Delete at most `most` of each kind of what is over: closed incidents, resolved alerts,
 * publications, lines of the audit. Answers whether there may be more. */
bool store_trim(store_t *self, const retention_t *retention, double now_s, int64_t most,
                store_drop_t drop, void *context);

/* -- publications -- */

#define NUMBERS_BLOCK 1000u

typedef struct {
    uint64_t last;     /* the number of the newest publication */
    uint64_t reserved; /* numbers up to here may have been given out */
    uint64_t trimmed;  /* numbers up to here are no longer held */
} head_t;

head_t store_head(const store_t *self, family_t family);
/*  The next number of a family that is published after its commit. */
uint64_t store_next_number(store_t *self, family_t family);
/*  Reserve a block of numbers: answers its first; it is good after the commit. */
uint64_t store_reserve(store_t *self, family_t family);
void store_keep(store_t *self, family_t family, uint64_t seq, double time_s, text_t topic,
                text_t body);

/*  Numbers up to this one were given out, kept or not. */
void store_use_numbers(store_t *self, family_t family, uint64_t last);

/*  The encoded answer to events.since; STATUS_GONE with the oldest number still held. */
status_t store_since(store_t *self, const events_since_t *since, msgpack_sbuffer *out,
                     uint64_t *oldest);

/* -- the RELAY bus: how far the publications were sent -- */

/*  Up to which number of a family they were sent. */
uint64_t store_relay_sent(store_t *self, family_t family);
void store_relay_mark(store_t *self, family_t family, uint64_t seq);

/*  What was published after `after`, oldest first; `take` answers whether it wants more. */
typedef bool (*store_publication_t)(void *context, uint64_t seq, text_t body);
void store_relay_read(store_t *self, family_t family, uint64_t after, uint64_t most,
                      store_publication_t take, void *context);

/*  Another server than the last one may lack what was sent: what was published since `since_s`
 * counts as not sent then, and the answer is true. The first server ever is nobody's successor. */
bool store_relay_meet(store_t *self, text_t server, double since_s);

/* -- once: the answer that was given first -- */

bool store_once_find(store_t *self, text_t key, arena_t *arena, bool *ok, text_t *outcome);
void store_once_keep(store_t *self, text_t key, double time_s, bool ok, text_t outcome);
/*  Forget answers older than that. */
void store_once_forget(store_t *self, double before_s);

/* -- alive: the moment up to which clocks ran that a restart pauses -- */

void store_alive(store_t *self, double wall_s);
/*  NaN when it was never said. */
double store_last_alive(store_t *self);

/* -- facts -- */

typedef struct {
    char path[4096];
    uint64_t bytes; /* database and write-ahead log */
    bool writable;
    uint64_t commits;
} store_use_t;

void store_use(const store_t *self, store_use_t *use);

/* -- snapshots: a copy of everything committed, written some pages at a time while the store is in
 * use. It is what was committed when its last page was written. -- */

/*  To a file that must not exist. False and a message: it cannot be written, or another one is. */
bool store_snapshot_begin(store_t *self, const char *path, char *message, size_t size);

typedef enum { COPY_NONE, COPY_GOES_ON, COPY_DONE, COPY_FAILED } copy_state_t;

/*  Write the next pages, outside a transaction. */
copy_state_t store_snapshot_step(store_t *self, char *message, size_t size);
/*  Give up what is not complete. */
void store_snapshot_end(store_t *self);

#endif
