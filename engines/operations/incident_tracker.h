/*  incident_tracker - which incidents are there, and where does each stand?
 *
 *       ┌─────────────────────────────┐
 *       │                             ▼
 *      new ───► investigating ───► resolved ───► closed
 *                     ▲               │             ▲
 *                     └── reopened ───┘             │
 *      new, investigating ──────────────────────────┘
 *
 *  Anything else is bad_transition. A closed incident takes notes and nothing else.
 *
 *  Owns     the unclosed incidents, each with its newest NOTES_SHOWN notes and lines of its
 *           timeline; a closed one, for as long as the step that names it
 *  Bounds   `incidents` unclosed ones, more only if more are restored; `notes` of one; the
 *           newest INCIDENT_ALERTS_MAX alerts of one
 *  Time     of the effects
 *  Thread   one
 *  Refuses  not_found, bad_transition, limit
 *
 *  What a step does to an incident is published and saved once, at the end of the step or before
 *  the next move that is published by another type: incident_tracker_settle.
 */
#ifndef ENGINES_INCIDENT_TRACKER_H
#define ENGINES_INCIDENT_TRACKER_H

#include "engines/operations/effects.h"
#include "engines/operations/operational_metrics.h"
#include "proto/command.h"
#include "proto/status.h"

#define INCIDENT_ALERTS_MAX 1000u

typedef struct incident_tracker incident_tracker_t;

incident_tracker_t *incident_tracker_new(uint32_t incidents, uint32_t notes, uint64_t seed,
                                         effects_t *effects, operational_metrics_t *metrics);
void incident_tracker_destroy(incident_tracker_t **self);

/*  From the store, with its newest notes and timeline. An unclosed one is counted. */
void incident_tracker_restore(incident_tracker_t *self, const incident_t *incident);
/*  An active alert of this incident was restored. */
void incident_tracker_restore_alert(incident_tracker_t *self, uint64_t id);
/*  The last number given out. */
void incident_tracker_number(incident_tracker_t *self, uint64_t last);

/* -- what persons do; `incident` is a look until the next step -- */

/*  The draft's title, description, severity, systems, key, runbook, labels and policy. An unclosed
 * incident with the same key is answered instead. */
status_t incident_tracker_open(incident_tracker_t *self, const incident_t *draft, text_t by,
                               bool *duplicate, const incident_t **incident, schema_error_t *error);

/*  update, resolve and close: set what is given, and move where a status is given. `what` is the
 * command's name. */
status_t incident_tracker_change(incident_tracker_t *self, const incident_change_t *change,
                                 text_t what, const incident_t **incident, schema_error_t *error);
status_t incident_tracker_note(incident_tracker_t *self, uint64_t id, text_t words, text_t by,
                               const incident_t **incident, schema_error_t *error);
/*  Follow this runbook from now on. */
status_t incident_tracker_follow(incident_tracker_t *self, uint64_t id, text_t runbook, text_t by,
                                 const incident_t **incident, schema_error_t *error);
/*  A step of its runbook was taken. */
status_t incident_tracker_tick(incident_tracker_t *self, const runbook_act_t *act,
                               const incident_t **incident, schema_error_t *error);

/* -- what alerts do -- */

/*  The unclosed incident that this policy opened; NULL: none. */
const incident_t *incident_tracker_of_policy(const incident_tracker_t *self, text_t policy);
/*  The alert belongs to it from now on, and is active. */
void incident_tracker_tie(incident_tracker_t *self, uint64_t id, uint64_t alert);
/*  One of its alerts is over: how many are still active? */
uint32_t incident_tracker_release(incident_tracker_t *self, uint64_t id);
/*  A line of the timeline, unless it is closed. */
void incident_tracker_tell(incident_tracker_t *self, uint64_t id, const move_t *line);
/*  A move that no person ordered, and its cause, for the audit. */
void incident_tracker_move(incident_tracker_t *self, uint64_t id, incident_status_t to,
                           text_t cause);

/*  Publish and save what changed. */
void incident_tracker_settle(incident_tracker_t *self);
bool incident_tracker_is_settled(const incident_tracker_t *self);
/*  The command that named a closed one is done. */
void incident_tracker_dismiss(incident_tracker_t *self);
/*  A new step begins: drop what was kept for the answer to the last one. */
void incident_tracker_sweep(incident_tracker_t *self);

/*  NULL: it does not live here. */
const incident_t *incident_tracker_find(const incident_tracker_t *self, uint64_t id);

#endif
