/*  operations_inside - what the files of the operations actor share. Private to it.
 *
 *    operations_actor     the loop, the turn, the commit
 *    operations_commands  one command: from its arguments to its outcome
 *    operations_access    who gave a command, and whether it may
 *    operations_effects   what the manager wants done: rows, publications, plans
 *    operations_samples   what the wing knows, as series
 *    operations_notices   what the channels have to be told about an alert
 *    operations_relay     publications for the relay bus, and commands from it
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
    /* of an answer, what to say instead if the commit fails: */
    bool is_answer, changes;
    zframe_t *id;
} waiting_t;

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
    relay_want_t relay_wants[FAMILY_STORED];
    bool notices_lost; /* the notifier's pipe was full: it is told everything again */
    bool stopping, dead;
} operations_t;

/*  Have a mail sent after the commit; forgotten if it fails. */
void operations_send_later(operations_t *self, zsock_t *to, zmsg_t **mail);

/*  The manager's sink. */
void operations_take_effect(void *context, const effect_t *effect);

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

/*  A mail of the relay bus. */
void operations_serve_relay(operations_t *self, zmsg_t *mail);
/*  Give the bus what it waits for, if there is some. */
void operations_serve_wants(operations_t *self);

/*  Is it one event or a batch of them? The cursor then stands at the first of `count`. */
status_t operations_check_frame(const limits_t *limits, text_t frame, cursor_t *cursor,
                                uint32_t *count);

/*  Carry out a command that was read. The encoded result or error is appended to `outcome`. True
 * for ok. When the observability wing shall answer instead, *elsewhere is the encoded question for
 * it. */
bool operations_execute(operations_t *self, const command_t *command, msgpack_sbuffer *outcome,
                        status_t *status, text_t *elsewhere);

/*  May whoever sent it give this command? Where access is configured the command is then signed
 *  with the name of the key: `by` is not what the sender says. STATUS_FORBIDDEN and words. */
status_t operations_admit(operations_t *self, const char *user_id, command_t *command,
                          schema_error_t *error);

/*  Send what the wing knows to the other one, as series. */
void operations_send_samples(operations_t *self);

/*  Commit, and send or forget what waited. False: the store is dead. */
bool operations_commit(operations_t *self);

#endif
