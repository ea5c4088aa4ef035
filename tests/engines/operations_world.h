/*  operations_world - a simulated operations wing: a manager, a virtual clock, and a store in
 * memory that can crash.
 *
 *  Verbs move it; what it publishes is told as timed lines of text. What the manager has said since
 *  the last commit is lost in a crash.
 */
#ifndef TESTS_ENGINES_OPERATIONS_WORLD_H
#define TESTS_ENGINES_OPERATIONS_WORLD_H

#include "engines/kept.h"
#include "engines/operations/operations_manager.h"
#include "proto/must.h"
#include "proto/wording.h"
#include "tests/check.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORLD_EPOCH 1000000.0
#define WORLD_LABEL_BYTES 4096
#define WORLD_TOLD_BYTES (1u << 20)

/*  A row of the store, of a kind, and either under a number (or two) or under a name. */
typedef struct {
    effect_type_t kind; /* EFFECT_SAVE_…, EFFECT_NOTE_…, EFFECT_MOVE */
    bool deleted;
    uint64_t id, number;
    char *name;
    kept_t kept;
} row_t;

typedef struct {
    row_t *rows;
    size_t count, capacity;
} rows_t;

typedef struct {
    operations_config_t config;
    operations_manager_t *manager;
    instant_t now;
    double alive_at;   /* of the last commit */
    rows_t disk, said; /* what is committed, and what is not yet */
    uint64_t ids[3];   /* the highest numbers of incidents, alerts, silences, committed */
    uint64_t said_ids[3];
    arena_t arena;
    char *told;
    size_t told_size;
    uint32_t plans_put; /* how often a plan was put */
    operations_answer_t answer;
    schema_error_t error;
} world_t;

/* -- the store -- */

static inline bool world_same_key(const row_t *a, const row_t *b)
{
    bool same_name = (a->name == NULL) == (b->name == NULL) &&
                     (a->name == NULL || strcmp(a->name, b->name) == 0);
    return a->kind == b->kind && a->id == b->id && a->number == b->number && same_name;
}

static inline void world_drop_row(row_t *row)
{
    free(row->name);
    kept_drop(&row->kept);
}

static inline void world_append(rows_t *rows, row_t row)
{
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity * 2 + 16;
        rows->rows = memory_grow(rows->rows, rows->capacity, sizeof *rows->rows);
    }
    rows->rows[rows->count++] = row;
}

static inline void world_apply(rows_t *disk, row_t row)
{
    for (size_t i = 0; i < disk->count; i++)
        if (world_same_key(&disk->rows[i], &row)) {
            world_drop_row(&disk->rows[i]);
            disk->rows[i] = row;
            if (row.deleted) {
                world_drop_row(&row);
                memmove(&disk->rows[i], &disk->rows[i + 1],
                        (--disk->count - i) * sizeof *disk->rows);
            }
            return;
        }
    if (row.deleted)
        world_drop_row(&row);
    else
        world_append(disk, row);
}

static inline void world_say(world_t *self, effect_type_t kind, uint64_t id, uint64_t number,
                             text_t name, const schema_t *schema, const void *thing)
{
    row_t row = {.kind = kind, .id = id, .number = number, .deleted = thing == NULL};
    if (name.data != NULL) {
        row.name = memory_new(name.size + 1, 1);
        memcpy(row.name, name.data, name.size);
    }
    if (thing != NULL)
        kept_put(&row.kept, schema, thing);
    world_append(&self->said, row);
}

static inline void world_tell(world_t *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline void world_tell(world_t *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(self->told + self->told_size, WORLD_TOLD_BYTES - self->told_size, format,
                         arguments);
    va_end(arguments);
    must(size >= 0 && self->told_size + (size_t)size < WORLD_TOLD_BYTES);
    self->told_size += (size_t)size;
}

/*  Why it is over, and what keeps it quiet. */
static inline void world_tell_quiet(world_t *self, const alert_t *alert)
{
    if (alert->reason.data != NULL)
        world_tell(self, " %.*s", WORDS(alert->reason));
    for (uint32_t i = 0; i < alert->inhibited_by_count; i++)
        world_tell(self, " !ALT-%llu", (unsigned long long)alert->inhibited_by[i]);
    for (size_t i = 0; i < alert->silenced_by.count; i++)
        world_tell(self, " !%.*s", WORDS(alert->silenced_by.items[i]));
}

static inline void world_tell_publication(world_t *self, const effect_t *effect)
{
    bool is_alert = effect->type == EFFECT_PUBLISH_ALERT;
    const char *const *words = is_alert ? alert_state_words : incident_status_words;
    int from = effect->as.publish.from, to = effect->as.publish.to;
    uint64_t id = is_alert ? effect->as.publish.alert->id : effect->as.publish.incident->id;
    world_tell(self, "%g %s %s-%llu", effect->now.wall_s - WORLD_EPOCH,
               publication_type_name(effect->as.publish.type), is_alert ? "ALT" : "INC",
               (unsigned long long)id);
    if (from >= 0 || to >= 0)
        world_tell(self, " %s>%s", from < 0 ? "" : words[from], to < 0 ? "" : words[to]);
    if (is_alert)
        world_tell_quiet(self, effect->as.publish.alert);
    world_tell(self, "\n");
}

static inline void world_take(void *context, const effect_t *effect)
{
    world_t *self = context;
    const incident_t *incident = effect->as.incident;
    const alert_t *alert = effect->as.alert;
    switch (effect->type) {
    case EFFECT_PUBLISH_ALERT:
    case EFFECT_PUBLISH_INCIDENT:
        world_tell_publication(self, effect);
        break;
    case EFFECT_SAVE_INCIDENT:
        world_say(self, effect->type, incident->id, 0, TEXT_NONE, &incident_schema, incident);
        self->said_ids[0] = incident->id > self->said_ids[0] ? incident->id : self->said_ids[0];
        break;
    case EFFECT_SAVE_ALERT:
        world_say(self, effect->type, alert->id, 0, TEXT_NONE, &alert_schema, alert);
        self->said_ids[1] = alert->id > self->said_ids[1] ? alert->id : self->said_ids[1];
        break;
    case EFFECT_FORGET_ALERT:
        world_say(self, EFFECT_SAVE_ALERT, effect->as.id, 0, TEXT_NONE, NULL, NULL);
        break;
    case EFFECT_NOTE_INCIDENT:
    case EFFECT_NOTE_ALERT:
        world_say(self, effect->type, effect->as.note.id, effect->as.note.number, TEXT_NONE,
                  &note_schema, effect->as.note.note);
        break;
    case EFFECT_MOVE:
        world_say(self, effect->type, effect->as.move.id, effect->as.move.number, TEXT_NONE,
                  &move_schema, effect->as.move.move);
        break;
    case EFFECT_SAVE_POLICY:
        world_say(self, effect->type, 0, 0, effect->as.policy->name, &policy_schema,
                  effect->as.policy);
        break;
    case EFFECT_DELETE_POLICY:
        world_say(self, EFFECT_SAVE_POLICY, 0, 0, effect->as.name, NULL, NULL);
        break;
    case EFFECT_SAVE_RUNBOOK:
        world_say(self, effect->type, 0, 0, effect->as.runbook->name, &runbook_schema,
                  effect->as.runbook);
        break;
    case EFFECT_DELETE_RUNBOOK:
        world_say(self, EFFECT_SAVE_RUNBOOK, 0, 0, effect->as.name, NULL, NULL);
        break;
    case EFFECT_SAVE_SILENCE:
        world_say(self, effect->type, effect->as.silence->id, 0, TEXT_NONE, &silence_schema,
                  effect->as.silence);
        self->said_ids[2] = effect->as.silence->id;
        break;
    case EFFECT_DELETE_SILENCE:
        world_say(self, EFFECT_SAVE_SILENCE, effect->as.id, 0, TEXT_NONE, NULL, NULL);
        break;
    case EFFECT_PLAN_PUT:
        self->plans_put++;
        break;
    case EFFECT_AUDIT:
    case EFFECT_PLAN_DELETE:
    case EFFECT_COUNT:
    default:
        break;
    }
}

static inline void world_commit(world_t *self)
{
    for (size_t i = 0; i < self->said.count; i++)
        world_apply(&self->disk, self->said.rows[i]);
    self->said.count = 0;
    self->alive_at = self->now.wall_s;
    memcpy(self->ids, self->said_ids, sizeof self->ids);
}

/* -- restoring -- */

static inline uint32_t world_collect(const world_t *self, effect_type_t kind, uint64_t id,
                                     size_t size, arena_t *arena, const void **out)
{
    uint32_t count = 0, most = NOTES_SHOWN;
    char *things = arena_take(arena, size * self->disk.count + 1);
    for (size_t i = 0; i < self->disk.count; i++)
        if (self->disk.rows[i].kind == kind && self->disk.rows[i].id == id)
            memcpy(things + size * count++, self->disk.rows[i].kept.thing, size);
    uint32_t left_out = count > most ? count - most : 0;
    *out = things + size * left_out;
    return count - left_out;
}

static inline void world_restore_incident(world_t *self, const row_t *row)
{
    incident_t incident = *(const incident_t *)row->kept.thing;
    const void *notes, *lines;
    incident.notes_shown =
        world_collect(self, EFFECT_NOTE_INCIDENT, row->id, sizeof(note_t), &self->arena, &notes);
    incident.timeline_shown =
        world_collect(self, EFFECT_MOVE, row->id, sizeof(move_t), &self->arena, &lines);
    incident.notes = notes;
    incident.timeline = lines;
    if (incident.status == INCIDENT_CLOSED)
        operations_manager_count_incident(self->manager, &incident);
    else
        operations_manager_restore_incident(self->manager, &incident);
}

static inline void world_restore_alert(world_t *self, const row_t *row)
{
    const alert_t *alert = row->kept.thing;
    if (alert->state == ALERT_RESOLVED)
        operations_manager_count_alert(self->manager, alert);
    else
        operations_manager_restore_alert(self->manager, alert);
}

static inline void world_restore_kind(world_t *self, effect_type_t kind)
{
    for (size_t i = 0; i < self->disk.count; i++) {
        const row_t *row = &self->disk.rows[i];
        if (row->kind != kind)
            continue;
        if (kind == EFFECT_SAVE_POLICY)
            operations_manager_restore_policy(self->manager, row->kept.thing);
        else if (kind == EFFECT_SAVE_RUNBOOK)
            operations_manager_restore_runbook(self->manager, row->kept.thing);
        else if (kind == EFFECT_SAVE_SILENCE)
            operations_manager_restore_silence(self->manager, row->kept.thing);
        else if (kind == EFFECT_SAVE_INCIDENT)
            world_restore_incident(self, row);
        else
            world_restore_alert(self, row);
    }
}

/*  A new process stands where the store stands. */
static inline void world_restart(world_t *self)
{
    for (size_t i = 0; i < self->said.count; i++)
        world_drop_row(&self->said.rows[i]);
    self->said.count = 0;
    memcpy(self->said_ids, self->ids, sizeof self->ids);
    operations_manager_destroy(&self->manager);
    self->manager = operations_manager_new(&self->config, (effect_sink_t){world_take, self});
    operations_manager_restore_end(self->manager, self->alive_at);
    world_restore_kind(self, EFFECT_SAVE_POLICY);
    world_restore_kind(self, EFFECT_SAVE_RUNBOOK);
    world_restore_kind(self, EFFECT_SAVE_SILENCE);
    world_restore_kind(self, EFFECT_SAVE_INCIDENT);
    world_restore_kind(self, EFFECT_SAVE_ALERT);
    operations_manager_restore_numbers(self->manager, self->ids[0], self->ids[1], self->ids[2]);
    operations_manager_start(self->manager, self->now);
}

/*  The process dies, and another one is there at that second. */
static inline void world_crash(world_t *self, double second)
{
    self->now = (instant_t){ns_of(second), WORLD_EPOCH + second};
    world_restart(self);
}

/* -- life -- */

static inline void world_begin(world_t *self)
{
    *self = (world_t){.config = operations_config_default(),
                      .now = {0, WORLD_EPOCH},
                      .told = memory_new(1, WORLD_TOLD_BYTES)};
    self->config.policies = 16;
    self->config.runbooks = 4;
    self->config.alerts = 64;
    self->config.incidents = 64;
    self->config.silences = 8;
    world_restart(self);
}

static inline void world_end(world_t *self)
{
    operations_manager_destroy(&self->manager);
    for (size_t i = 0; i < self->disk.count; i++)
        world_drop_row(&self->disk.rows[i]);
    for (size_t i = 0; i < self->said.count; i++)
        world_drop_row(&self->said.rows[i]);
    free(self->disk.rows);
    free(self->said.rows);
    free(self->told);
    arena_free(&self->arena);
}

/* -- verbs -- */

/*  Let time pass until that many seconds after the beginning. */
static inline void world_at(world_t *self, double second)
{
    int64_t until_ns = ns_of(second);
    while (operations_manager_next(self->manager) <= until_ns) {
        int64_t next_ns = operations_manager_next(self->manager);
        if (next_ns > self->now.mono_ns)
            self->now = (instant_t){next_ns, WORLD_EPOCH + (double)next_ns / (double)NS_PER_S};
        operations_manager_tick(self->manager, self->now);
    }
    self->now = (instant_t){until_ns, WORLD_EPOCH + second};
}

/*  "host=a,zone=b" */
static inline labels_t world_labels(world_t *self, const char *words)
{
    label_t pairs[8];
    size_t count = 0;
    text_t rest = arena_copy(&self->arena, text_of(words));
    while (rest.size > 0) {
        const char *end = memchr(rest.data, ',', rest.size);
        size_t size = end == NULL ? rest.size : (size_t)(end - rest.data);
        const char *middle = memchr(rest.data, '=', size);
        must(middle != NULL && count < 8);
        size_t name = (size_t)(middle - rest.data);
        pairs[count++] = (label_t){{rest.data, name}, {middle + 1, size - name - 1}};
        size_t step = end == NULL ? size : size + 1;
        rest = (text_t){rest.data + step, rest.size - step};
    }
    return labels_build(pairs, count, arena_take(&self->arena, WORLD_LABEL_BYTES));
}

static inline status_t world_do(world_t *self, do_t which, const void *arguments)
{
    command_t command = {
        .which = which, .spec = command_spec(which), .id = TEXT_NONE, .arguments = arguments};
    return operations_manager_do(self->manager, &command, self->now, &self->answer, &self->error);
}

/*  A policy with its defaults, to be changed and put. */
static inline policy_t world_policy(const char *name, const char *condition)
{
    policy_t policy;
    schema_defaults(&policy_schema, &policy);
    policy.name = text_of(name);
    policy.condition = text_of(condition);
    policy.severity = SEVERITY_HIGH;
    return policy;
}

static inline void world_put(world_t *self, const policy_t *policy)
{
    if (world_do(self, DO_POLICY_PUT, policy) != STATUS_OK)
        fail_msg("policy.put: %s", self->error.message);
}

/*  The condition of a policy, or its resolve condition, stands so for one label set. */
static inline void world_hear_of(world_t *self, const char *policy, bool resolve,
                                 const char *labels, result_state_t state, double value)
{
    const policy_t *found = operations_manager_policy(self->manager, text_of(policy));
    must(found != NULL);
    plan_result_t result = {.plan = found->plan + resolve,
                            .labels = world_labels(self, labels),
                            .state = state,
                            .value = value};
    operations_manager_result(self->manager, &result, self->now);
}

/*  One result, and what follows from it at once. */
static inline void world_hear(world_t *self, const char *policy, const char *labels,
                              result_state_t state, double value)
{
    world_hear_of(self, policy, false, labels, state, value);
    world_at(self, self->now.wall_s - WORLD_EPOCH);
}

static inline status_t world_open(world_t *self, const char *title, const char *key)
{
    incident_open_t open = {.title = text_of(title), .severity = SEVERITY_LOW, .key = text_of(key)};
    return world_do(self, DO_INCIDENT_OPEN, &open);
}

static inline status_t world_move(world_t *self, uint64_t incident, int status)
{
    incident_change_t change = {.incident = incident, .status = status, .severity = -1};
    return world_do(self, DO_INCIDENT_UPDATE, &change);
}

static inline status_t world_fire(world_t *self, const char *policy, const char *labels)
{
    alert_fire_t fire = {.policy = text_of(policy), .labels = world_labels(self, labels)};
    return world_do(self, DO_ALERT_FIRE, &fire);
}

static inline status_t world_acknowledge(world_t *self, uint64_t alert)
{
    return world_do(self, DO_ALERT_ACK, &(alert_act_t){.alert = alert, .by = TEXT_OF("ann")});
}

static inline status_t world_resolve(world_t *self, uint64_t alert)
{
    return world_do(self, DO_ALERT_RESOLVE, &(alert_act_t){.alert = alert, .by = TEXT_OF("ann")});
}

/*  The row of an alert or incident as the store would show it after a commit; NULL. */
static inline const void *world_row(world_t *self, effect_type_t kind, uint64_t id)
{
    world_commit(self);
    for (size_t i = 0; i < self->disk.count; i++)
        if (self->disk.rows[i].kind == kind && self->disk.rows[i].id == id &&
            self->disk.rows[i].number == 0)
            return self->disk.rows[i].kept.thing;
    return NULL;
}

static inline const alert_t *world_alert(world_t *self, uint64_t id)
{
    return world_row(self, EFFECT_SAVE_ALERT, id);
}

static inline const incident_t *world_incident(world_t *self, uint64_t id)
{
    return world_row(self, EFFECT_SAVE_INCIDENT, id);
}

/*  What was published since the last time, line by line. */
static inline void world_tells(world_t *self, const char *expected)
{
    self->told[self->told_size] = '\0';
    assert_string_equal(self->told, expected);
    self->told_size = 0;
}

#endif
