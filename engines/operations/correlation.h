/*  correlation - which incident does an alert belong to, and what does each do to the other?
 *
 *  Of a policy with open_incident, by where the incident stands:
 *
 *      none ──── fires: open ────► unclosed ◄─── fires: reopen, join ─── resolved
 *       ▲                          │ fires: join                            ▲ │
 *       │                          │ moves, ends: tell                      │ │ moves, ends: tell
 *       │                          └─── the last ends, auto_resolve: ───────┘ │
 *       │                               tell, resolve                         │
 *       └───────────────────── a person closes it ────────────────────────────┘
 *
 *  Told is what becomes a line of the incident's timeline. The runbook of the policy becomes the
 *  incident's when it is opened.
 *
 *  Owns     nothing
 *  Thread   one
 *
 *  auto_resolve: an alert that ends because its policy was changed does not resolve the incident:
 *  nobody knows then whether the trouble is over.
 */
#ifndef ENGINES_CORRELATION_H
#define ENGINES_CORRELATION_H

#include "engines/operations/incident_tracker.h"
#include "proto/thing.h"

typedef enum {
    STAND_NONE,     /* there is no incident that is not closed */
    STAND_UNCLOSED, /* new or investigating */
    STAND_RESOLVED,
    STAND_COUNT
} stand_t;

typedef enum {
    EVENT_FIRES,     /* an alert that belongs to no incident yet becomes active */
    EVENT_MOVES,     /* one that does changes its state */
    EVENT_ENDS,      /* it is over, and others are not, or nothing follows from it */
    EVENT_LAST_ENDS, /* the last one is over, and that resolves the incident */
    EVENT_COUNT
} event_t;

typedef enum {
    ACTION_NOTHING,
    ACTION_OPEN,
    ACTION_JOIN,
    ACTION_REOPEN, /* and join */
    ACTION_TELL,
    ACTION_RESOLVE, /* and tell */
    ACTION_COUNT
} action_t;

action_t correlation_action(stand_t stand, event_t event);

/*  What happened to an alert: its state is what it is now. */
typedef struct {
    alert_t *alert; /* its `incident` is filled when it gets one */
    const policy_t *policy;
    alert_state_t from;
    text_t by, cause;
} alert_move_t;

/*  Carry out what follows. The alert is in no incident while the tracker is full. */
void correlation_moved(incident_tracker_t *incidents, effects_t *effects,
                       const alert_move_t *moved);

#endif
