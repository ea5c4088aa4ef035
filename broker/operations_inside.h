/*  operations_inside - what the files of the operations actor share. Private to it.
 *
 *    operations_actor     the loop, the turn, the mails
 *    operations_lane      the frames of the incidents lane
 *    operations_commands  one command: from its arguments to its outcome
 *    operations_access    who gave a command, and whether it may
 *    operations_effects   what the manager wants done: rows, publications, plans
 *    operations_answers   the commit, what waits for it, and what becomes of that when it fails
 *    operations_restore   from what is on disk to a manager that stands there
 *    operations_samples   what the wing knows, as series
 *    operations_notices   what the channels have to be told about an alert
 *    operations_relay     publications for the relay bus, and commands from it
 *    operations_upkeep    what time brings: retention, the log, snapshots
 *
 *               a commit or a write that finds no room
 *        .-------------------------------------------------.
 *        |                                                 v
 *    WRITABLE                                          READ ONLY: changes are refused, findings and
 *        ^  |                                              |  |   timers wait, questions are
 * answered |  |                                              |  |
 *        `--|---- a write that changes nothing succeeds ---'  |
 *           |     (tried each second, and for each change)    |
 *           |                                                 |
 *           `------> DEAD: a sync or a write failed <---------'
 *                    nothing is answered any more; the process ends with EX_IOERR
 */
#ifndef BROKER_OPERATIONS_INSIDE_H
#define BROKER_OPERATIONS_INSIDE_H

#include "broker/operations_actor.h"
#include "engines/operations/operations_manager.h"
#include "proto/arena.h"
#include "proto/command.h"

#include <msgpack/sbuffer.h>

/*  A mail that waits for the commit. */
typedef struct {
    zmsg_t *mail;
    zsock_t *to;
    bool is_answer;
    zframe_t *request; /* of what must be answered otherwise if the commit fails; NULL */
} waiting_t;

/*  The snapshot that is being written, and who asked for it. */
typedef struct {
    char path[4096];
    zmsg_t *envelope;
    zframe_t *id;
} copying_t;

/*  What became of a command; the encoded result or error is in `outcome` of the actor. */
typedef struct {
    bool ok;
    status_t status;  /* of a refusal */
    text_t elsewhere; /* the encoded question that the observability wing shall answer instead */
    bool later;       /* the answer comes when the snapshot is written */
} executed_t;

/*  The relay bus waits for the publications of a family after this number. */
typedef struct {
    bool waits;
    uint64_t after, epoch;
    uint64_t looked; /* up to this head there was nothing */
} relay_want_t;

typedef struct {
    operations_actor_t *given;
    zsock_t *reactor;
    operations_manager_t *manager;
    instant_t now; /* of the turn */
    uint64_t seed; /* of the manager's tables */
    tally_t tally; /* of the incidents lane */
    uint64_t heads_at_start[FAMILY_STORED];
    struct alert_series *alerts_told;
    uint64_t pending_accepted; /* of this turn, by commands whose commit is still to come */
    waiting_t *waiting;
    size_t waiting_count, waiting_capacity;
    arena_t arena, thing_arena;
    msgpack_sbuffer data, body, outcome;
    instant_t sampled, forgot; /* when the samples were sent, old `once` answers forgotten */
    int64_t trim_ns;           /* when what is over is looked for next */
    copying_t copying;
    relay_want_t relay_wants[FAMILY_STORED];
    bool notices_lost;            /* the notifier's pipe was full: it is told everything again */
    bool reserved[FAMILY_STORED]; /* numbers that are given out after the commit */
    bool probed; /* in this turn it was tried whether the store takes changes again */
    bool stopping, dead;
} operations_t;

/* -- answers -- */

/*  Have a mail sent after the commit; forgotten if it fails. */
void operations_send_later(operations_t *self, zsock_t *to, zmsg_t **mail);

/*  Answer with `outcome`; `envelope` becomes the mail. */
void operations_answer(operations_t *self, zmsg_t **envelope, text_t id, bool ok);
/*  After the commit. If that fails, the request (taken if it is needed; may be NULL) is refused, or
 * when it is a question, asked anew. */
void operations_answer_later(operations_t *self, zmsg_t **envelope, text_t id, bool ok,
                             zframe_t **request);

/*  Tell the observability wing which numbers it may give out, after the commit; 0, 0: none now. */
void operations_give_numbers(operations_t *self, family_t family, uint64_t first, uint64_t last);

/*  Commit, and send or take back what waited. False: the store is dead. */
bool operations_commit(operations_t *self);
/*  The store is dead: say so, and end. Answers false. */
bool operations_end(operations_t *self);
/*  Does the store take changes? Where it did not, it is tried once a turn. */
bool operations_writable(operations_t *self);

/* -- restoring -- */

/*  A manager that stands where the store stands. */
void operations_restore(operations_t *self);
/*  Policies and runbooks of the file; the file was checked when it was read. */
status_t operations_own_file(operations_t *self);
void operations_send_slos(operations_t *self);

/* -- upkeep -- */

void operations_let_time_pass(operations_t *self);
/*  Send what the wing knows to the other one, as series. */
void operations_send_samples(operations_t *self);
/*  When it wants to be called next. */
int64_t operations_deadline(const operations_t *self);
/*  After the answers of a turn: true when there is more to do at once. */
bool operations_tend(operations_t *self);
status_t operations_snapshot(operations_t *self, text_t path, schema_error_t *error);
/*  Who is to be told when it is written. */
void operations_snapshot_wait(operations_t *self, zmsg_t **envelope, text_t id);

/* -- the lane -- */

/*  Take in one block of frames; false if none waits. */
bool operations_serve_lane(operations_t *self);
/*  Is it one event or a batch of them? The cursor then stands at the first of `count`. */
status_t operations_check_frame(const limits_t *limits, text_t frame, cursor_t *cursor,
                                uint32_t *count);

/* -- the relay bus -- */

/*  A mail of the relay bus. */
void operations_serve_relay(operations_t *self, zmsg_t *mail);
/*  Give the bus what it waits for, if there is some. */
void operations_serve_wants(operations_t *self);

/* -- effects -- */

/*  The manager's sink. */
void operations_take_effect(void *context, const effect_t *effect);

/*  May whoever sent it give this command? Where access is configured the command is then signed
 *  with the name of the key: `by` is not what the sender says. STATUS_FORBIDDEN and words. */
status_t operations_admit(operations_t *self, const char *user_id, command_t *command,
                          schema_error_t *error);

/* -- notices -- */

/*  An alert fires: the channels of its policy are to be told. */
void operations_notices_fire(operations_t *self, const alert_t *alert);
/*  An alert changed: so do the notices about it that are there already. */
void operations_notices_refresh(operations_t *self, const alert_t *alert);

/*  Everything that is to be told, to a notifier that knows nothing, or lost some of it. */
void operations_notices_send_all(operations_t *self);
/*  A mail of the notifier. */
void operations_serve_notifier(operations_t *self, zmsg_t *mail);
/*  Have dead letters sent again; answers how many. */
uint64_t operations_notices_resend(operations_t *self, const letter_act_t *asked);

/* -- commands -- */

/*  Does it change what is stored, if only the answer that `once` keeps? */
bool operations_changes(const command_t *command);
/*  Carry out a command that was read. */
executed_t operations_execute(operations_t *self, const command_t *command);

#endif
