/*  effects - what is to be done about a step of the operations wing: rows to write, publications,
 *  plans to evaluate.
 *
 *  Owns     nothing: what an effect points at is good until `take` returns
 *  Thread   one
 *
 *  They come out in order, each with the thing as it is at that moment.
 */
#ifndef ENGINES_EFFECTS_H
#define ENGINES_EFFECTS_H

#include "proto/arena.h"
#include "proto/difference.h"
#include "proto/instant.h"
#include "proto/publication.h"
#include "proto/text.h"
#include "proto/thing.h"

typedef enum {
    EFFECT_PUBLISH_ALERT,    /* as.publish, with alert */
    EFFECT_PUBLISH_INCIDENT, /* as.publish, with incident */
    EFFECT_SAVE_INCIDENT,    /* the row as it is now; at least once at the end of each step that
                                changed it */
    EFFECT_SAVE_ALERT,
    EFFECT_FORGET_ALERT,  /* a pending alert that cleared leaves no trace: as.id */
    EFFECT_NOTE_INCIDENT, /* a row of its own: as.note */
    EFFECT_NOTE_ALERT,
    EFFECT_MOVE, /* a line of an incident's timeline: as.move */
    EFFECT_SAVE_POLICY,
    EFFECT_DELETE_POLICY, /* as.name */
    EFFECT_SAVE_RUNBOOK,
    EFFECT_DELETE_RUNBOOK, /* as.name */
    EFFECT_SAVE_SILENCE,
    EFFECT_DELETE_SILENCE, /* as.id */
    EFFECT_AUDIT,
    EFFECT_PLAN_PUT,    /* as.plan: have the observability wing evaluate it from now on */
    EFFECT_PLAN_DELETE, /* as.id: the plan */
    EFFECT_COUNT
} effect_type_t;

typedef struct {
    effect_type_t type;
    instant_t now;
    union {
        struct {
            publication_type_t type;
            const alert_t *alert;       /* of EFFECT_PUBLISH_ALERT */
            const incident_t *incident; /* of EFFECT_PUBLISH_INCIDENT */
            int from, to;               /* states, where one changed; -1 */
        } publish;
        const incident_t *incident;
        const alert_t *alert;
        const policy_t *policy;
        const runbook_t *runbook;
        const silence_t *silence;
        struct {
            uint64_t id;     /* of the incident or alert */
            uint64_t number; /* counts 1, 2, 3 … within it */
            const note_t *note;
        } note;
        struct {
            uint64_t id;
            uint64_t number;
            const move_t *move;
        } move;
        struct {
            text_t by;      /* TEXT_NONE: the broker itself */
            text_t what;    /* "incident.update" */
            text_t subject; /* "INC-1", a policy's name */
            text_t from, to;
        } audit;
        struct {
            uint64_t id;
            text_t condition;
            double interval_s;
            double lookback_s; /* silence that is no data */
        } plan;
        uint64_t id;
        text_t name;
    } as;
} effect_t;

typedef struct {
    void (*take)(void *context, const effect_t *effect);
    void *context;
} effect_sink_t;

/*  Where the effects of one step go, and when it is. */
typedef struct {
    effect_sink_t sink;
    instant_t now;
    arena_t scratch; /* for what is said in this step only */
} effects_t;

static inline void effects_add(const effects_t *self, effect_t effect)
{
    effect.now = self->now;
    self->sink.take(self->sink.context, &effect);
}

/*  Who did what to whom; TEXT_NONE: nobody, nothing. */
void effects_audit(const effects_t *self, text_t by, text_t what, text_t subject, text_t from,
                   text_t to);

/*  One line for each key in which a thing changed: "severity: low", "severity: high". */
void effects_audit_change(effects_t *self, text_t by, text_t what, text_t subject,
                          const difference_t *change);
void effects_audit_changes(effects_t *self, text_t what, text_t subject, const schema_t *schema,
                           const void *before, const void *after);

#endif
