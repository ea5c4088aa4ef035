#include "engines/operations/incident_tracker.h"

#include "engines/hash.h"
#include "engines/operations/incident_record.h"
#include "engines/registry.h"
#include "proto/must.h"
#include "proto/wording.h"

#include <math.h>
#include <stdlib.h>

/*  Records in the order in which they came. */
typedef struct {
    incident_record_t *first, *last;
} queue_t;

struct incident_tracker {
    registry_t records; /* unclosed ones */
    table_t by_key, by_policy;
    incident_record_t *guest; /* a closed one that a command names */
    queue_t touched, over;
    uint64_t last, seed;
    uint32_t limit, notes;
    effects_t *effects;
    operational_metrics_t *metrics;
};

static const bool moves[INCIDENT_STATUS_COUNT][INCIDENT_STATUS_COUNT] = {
    [INCIDENT_NEW] =
        {[INCIDENT_INVESTIGATING] = true, [INCIDENT_RESOLVED] = true, [INCIDENT_CLOSED] = true},
    [INCIDENT_INVESTIGATING] = {[INCIDENT_RESOLVED] = true, [INCIDENT_CLOSED] = true},
    [INCIDENT_RESOLVED] = {[INCIDENT_INVESTIGATING] = true, [INCIDENT_CLOSED] = true},
};

/* -- life -- */

incident_tracker_t *incident_tracker_new(uint32_t incidents, uint32_t notes, uint64_t seed,
                                         effects_t *effects, operational_metrics_t *metrics)
{
    incident_tracker_t *self = memory_new(1, sizeof *self);
    registry_init(&self->records, incidents, seed);
    table_init(&self->by_key, incidents);
    table_init(&self->by_policy, incidents);
    self->seed = seed;
    self->limit = incidents;
    self->notes = notes;
    self->effects = effects;
    self->metrics = metrics;
    return self;
}

static void enqueue(queue_t *queue, incident_record_t *record)
{
    record->next = NULL;
    if (queue->last == NULL)
        queue->first = record;
    else
        queue->last->next = record;
    queue->last = record;
}

static void destroy_queue(queue_t *queue)
{
    for (incident_record_t *record = queue->first; record != NULL;) {
        incident_record_t *next = record->next;
        incident_record_destroy(&record);
        record = next;
    }
    *queue = (queue_t){NULL, NULL};
}

void incident_tracker_destroy(incident_tracker_t **self)
{
    incident_tracker_dismiss(*self);
    destroy_queue(&(*self)->over);
    uint64_t at = 0;
    for (incident_record_t *record; (record = registry_next(&(*self)->records, &at)) != NULL;)
        incident_record_destroy(&record);
    registry_free(&(*self)->records);
    table_free(&(*self)->by_key);
    table_free(&(*self)->by_policy);
    free(*self);
    *self = NULL;
}

void incident_tracker_number(incident_tracker_t *self, uint64_t last)
{
    if (last > self->last)
        self->last = last;
}

/* -- finding -- */

static incident_record_t *find(const incident_tracker_t *self, uint64_t id)
{
    if (self->guest != NULL && self->guest->view->id == id)
        return self->guest;
    return registry_find(&self->records, id);
}

const incident_t *incident_tracker_find(const incident_tracker_t *self, uint64_t id)
{
    const incident_record_t *record = find(self, id);
    return record == NULL ? NULL : record->view;
}

static const text_t *key_of(const incident_t *incident)
{
    return &incident->key;
}

static const text_t *policy_of(const incident_t *incident)
{
    return &incident->policy;
}

typedef const text_t *(*index_of_t)(const incident_t *);

static incident_record_t *find_by(const incident_tracker_t *self, const table_t *table,
                                  index_of_t of, text_t wanted)
{
    uint32_t probe = 0, place;
    uint64_t hash = hash_text(self->seed, wanted);
    while (wanted.size > 0 && (place = table_next(table, hash, &probe)) != 0) {
        incident_record_t *record = registry_at(&self->records, place);
        if (text_equal(*of(record->view), wanted))
            return record;
    }
    return NULL;
}

const incident_t *incident_tracker_of_policy(const incident_tracker_t *self, text_t policy)
{
    const incident_record_t *record = find_by(self, &self->by_policy, policy_of, policy);
    return record == NULL ? NULL : record->view;
}

static void index_record(incident_tracker_t *self, const incident_record_t *record, uint32_t place)
{
    text_t key = record->view->key, policy = record->view->policy;
    if (key.size > 0)
        table_add(&self->by_key, hash_text(self->seed, key), place);
    if (policy.size > 0)
        table_add(&self->by_policy, hash_text(self->seed, policy), place);
}

/*  What is in the store is let in, whatever the limit is now. */
static void make_room(incident_tracker_t *self)
{
    if (!registry_full(&self->records))
        return;
    uint32_t more = 2 * self->records.limit + 1;
    registry_grow(&self->records, more);
    table_grow(&self->by_key, more);
    table_grow(&self->by_policy, more);
}

static void enter(incident_tracker_t *self, incident_record_t *record)
{
    make_room(self);
    record->lives = true;
    record->place = registry_add(&self->records, record->view->id, record);
    index_record(self, record, record->place);
}

static void leave(incident_tracker_t *self, incident_record_t *record)
{
    text_t key = record->view->key, policy = record->view->policy;
    if (key.size > 0)
        table_remove(&self->by_key, hash_text(self->seed, key), record->place);
    if (policy.size > 0)
        table_remove(&self->by_policy, hash_text(self->seed, policy), record->place);
    registry_remove(&self->records, record->view->id);
    record->lives = false;
    enqueue(&self->over, record);
}

void incident_tracker_restore(incident_tracker_t *self, const incident_t *incident)
{
    if (find(self, incident->id) != NULL)
        return;
    incident_record_t *record = incident_record_new(incident);
    record->counted = true;
    if (incident->status == INCIDENT_CLOSED) {
        incident_tracker_dismiss(self);
        self->guest = record;
        return;
    }
    enter(self, record);
    operational_metrics_count_incident(self->metrics, record->view);
    incident_tracker_number(self, incident->id);
}

void incident_tracker_restore_alert(incident_tracker_t *self, uint64_t id)
{
    incident_record_t *record = registry_find(&self->records, id);
    if (record != NULL)
        record->active_alerts++;
}

void incident_tracker_dismiss(incident_tracker_t *self)
{
    if (self->guest != NULL)
        enqueue(&self->over, self->guest);
    self->guest = NULL;
}

void incident_tracker_sweep(incident_tracker_t *self)
{
    destroy_queue(&self->over);
}

/* -- what a step changes -- */

static void publish(incident_tracker_t *self, incident_record_t *record)
{
    int from = record->from, to = (int)record->view->status;
    if (from == to)
        from = to = -1;
    effects_add(
        self->effects,
        (effect_t){.type = EFFECT_PUBLISH_INCIDENT,
                   .as.publish = {
                       .type = record->publish, .incident = record->view, .from = from, .to = to}});
    record->publish = PUBLISH_COUNT;
}

/*  It is about to change: to be published by that type. An update goes along with what is published
 * anyway. */
static void touch(incident_tracker_t *self, incident_record_t *record, publication_type_t type)
{
    if (record->counted)
        operational_metrics_discount_incident(self->metrics, record->view);
    record->counted = false;
    if (!record->touched)
        enqueue(&self->touched, record);
    record->touched = true;
    bool waits = record->publish != PUBLISH_COUNT;
    if (waits && record->publish != PUBLISH_INCIDENT_UPDATED && type != PUBLISH_INCIDENT_UPDATED) {
        publish(self, record);
        waits = false;
    }
    if (!waits)
        record->from = (int)record->view->status;
    if (!waits || record->publish == PUBLISH_INCIDENT_UPDATED)
        record->publish = type;
    record->view->updated_at = self->effects->now.wall_s;
}

void incident_tracker_settle(incident_tracker_t *self)
{
    for (incident_record_t *record = self->touched.first; record != NULL;) {
        incident_record_t *next = record->next;
        if (record->publish != PUBLISH_COUNT)
            publish(self, record);
        effects_add(self->effects,
                    (effect_t){.type = EFFECT_SAVE_INCIDENT, .as.incident = record->view});
        operational_metrics_count_incident(self->metrics, record->view);
        record->counted = true;
        record->touched = false;
        if (record->lives && record->view->status == INCIDENT_CLOSED)
            leave(self, record);
        record = next;
    }
    self->touched = (queue_t){NULL, NULL};
}

bool incident_tracker_is_settled(const incident_tracker_t *self)
{
    return self->touched.first == NULL;
}

static incident_t without_lists(const incident_t *incident)
{
    incident_t bare = *incident;
    bare.notes_shown = bare.timeline_shown = 0;
    return bare;
}

static void add_line(incident_tracker_t *self, incident_record_t *record, const move_t *line)
{
    move_t timed = *line;
    timed.time = self->effects->now.wall_s;
    incident_record_line(record, &timed);
    effects_add(self->effects,
                (effect_t){.type = EFFECT_MOVE,
                           .as.move = {record->view->id, record->view->timeline_count, &timed}});
}

/*  A line of the timeline and of the audit for each key in which it changes. */
static void write_changes(incident_tracker_t *self, incident_record_t *record,
                          const incident_t *next, text_t what, text_t by)
{
    char id[NUMBERED_BYTES];
    text_t subject = numbered(id, "INC-", next->id);
    incident_t before = without_lists(record->view), after = without_lists(next);
    difference_t change;
    for (size_t at = 0; difference_next(&incident_schema, &before, &after, &at,
                                        &self->effects->scratch, &change);) {
        add_line(
            self, record,
            &(move_t){.by = by, .what = text_of(change.key), .from = change.from, .to = change.to});
        effects_audit_change(self->effects, by, what, subject, &change);
    }
}

static publication_type_t type_of_move(incident_status_t from, incident_status_t to)
{
    static const publication_type_t types[INCIDENT_STATUS_COUNT] = {
        [INCIDENT_NEW] = PUBLISH_INCIDENT_UPDATED,
        [INCIDENT_INVESTIGATING] = PUBLISH_INCIDENT_UPDATED,
        [INCIDENT_RESOLVED] = PUBLISH_INCIDENT_RESOLVED,
        [INCIDENT_CLOSED] = PUBLISH_INCIDENT_CLOSED};
    bool reopens = from == INCIDENT_RESOLVED && to == INCIDENT_INVESTIGATING;
    if (from == to)
        return PUBLISH_INCIDENT_UPDATED;
    return reopens ? PUBLISH_INCIDENT_REOPENED : types[to];
}

/*  The one place in which a status changes. */
static void move_to(incident_t *incident, incident_status_t to, double now)
{
    must(moves[incident->status][to]);
    incident->status = to;
    if (to == INCIDENT_INVESTIGATING && isnan(incident->acknowledged_at))
        incident->acknowledged_at = now;
    if (to == INCIDENT_INVESTIGATING)
        incident->resolved_at = NAN;
    else if (to == INCIDENT_RESOLVED || isnan(incident->resolved_at))
        incident->resolved_at = now; /* whoever closes an incident resolves it */
    if (to == INCIDENT_CLOSED)
        incident->closed_at = now;
}

/*  Make it so, and say so. */
static void replace(incident_tracker_t *self, incident_record_t *record, incident_t *next,
                    text_t what, text_t by)
{
    touch(self, record, type_of_move(record->view->status, next->status));
    write_changes(self, record, next, what, by);
    next->updated_at = self->effects->now.wall_s;
    incident_record_put(record, next);
}

/* -- what persons do -- */

static incident_record_t *repeat(incident_tracker_t *self, incident_record_t *record, text_t by)
{
    incident_t next = *record->view;
    next.occurrences++;
    replace(self, record, &next, TEXT_OF("incident.open"), by);
    return record;
}

static incident_record_t *create(incident_tracker_t *self, const incident_t *draft, text_t by)
{
    double now = self->effects->now.wall_s;
    incident_t incident = *draft;
    incident.id = ++self->last;
    incident.status = INCIDENT_NEW;
    incident.occurrences = 1;
    incident.created_at = incident.updated_at = now;
    incident.acknowledged_at = incident.resolved_at = incident.closed_at = NAN;
    incident_record_t *record = incident_record_new(&incident);
    enter(self, record);
    touch(self, record, PUBLISH_INCIDENT_OPENED);
    record->from = -1;
    add_line(self, record,
             &(move_t){.by = by,
                       .what = TEXT_OF("status"),
                       .to = text_of(incident_status_words[INCIDENT_NEW])});
    char id[NUMBERED_BYTES];
    effects_audit(self->effects, by, TEXT_OF("incident.open"), numbered(id, "INC-", incident.id),
                  TEXT_NONE, incident.title);
    return record;
}

status_t incident_tracker_open(incident_tracker_t *self, const incident_t *draft, text_t by,
                               bool *duplicate, const incident_t **incident, schema_error_t *error)
{
    incident_record_t *record = find_by(self, &self->by_key, key_of, draft->key);
    *duplicate = record != NULL;
    if (record != NULL)
        record = repeat(self, record, by);
    else if (registry_count(&self->records) < self->limit)
        record = create(self, draft, by);
    else
        return refuse_with(error, STATUS_LIMIT, "there are %u unclosed incidents, the limit",
                           self->limit);
    *incident = record->view;
    return STATUS_OK;
}

static status_t find_to_change(incident_tracker_t *self, uint64_t id, incident_record_t **record,
                               schema_error_t *error)
{
    *record = find(self, id);
    if (*record == NULL)
        return refuse_with(error, STATUS_NOT_FOUND, "there is no incident INC-%llu",
                           (unsigned long long)id);
    if ((*record)->view->status == INCIDENT_CLOSED)
        return refuse_with(error, STATUS_BAD_TRANSITION, "INC-%llu is closed, which is final",
                           (unsigned long long)id);
    return STATUS_OK;
}

static void set_text(text_t *field, text_t given)
{
    if (given.data != NULL)
        *field = given;
}

/*  The incident as it will be, but for its status. */
static incident_t apply(const incident_t *view, const incident_change_t *change)
{
    incident_t next = *view;
    set_text(&next.title, change->title);
    set_text(&next.description, change->description);
    set_text(&next.root_cause, change->root_cause);
    set_text(&next.resolution, change->resolution);
    set_text(&next.owner, change->owner);
    if (change->systems.count > 0)
        next.systems = change->systems;
    if (change->severity >= 0)
        next.severity = (severity_t)change->severity;
    return next;
}

status_t incident_tracker_change(incident_tracker_t *self, const incident_change_t *change,
                                 text_t what, const incident_t **incident, schema_error_t *error)
{
    incident_record_t *record;
    status_t status = find_to_change(self, change->incident, &record, error);
    if (status != STATUS_OK)
        return status;
    incident_status_t from = record->view->status;
    if (change->status >= 0 && !moves[from][change->status])
        return refuse_with(error, STATUS_BAD_TRANSITION, "INC-%llu is %s and cannot become %s",
                           (unsigned long long)change->incident, incident_status_words[from],
                           incident_status_words[change->status]);
    incident_t next = apply(record->view, change);
    if (change->status >= 0)
        move_to(&next, (incident_status_t)change->status, self->effects->now.wall_s);
    if (!schema_equal(&incident_schema, &next, record->view))
        replace(self, record, &next, what, change->by);
    *incident = record->view;
    return STATUS_OK;
}

status_t incident_tracker_note(incident_tracker_t *self, uint64_t id, text_t words, text_t by,
                               const incident_t **incident, schema_error_t *error)
{
    incident_record_t *record = find(self, id);
    if (record == NULL)
        return refuse_with(error, STATUS_NOT_FOUND, "there is no incident INC-%llu",
                           (unsigned long long)id);
    if (record->view->notes_count >= self->notes)
        return refuse_with(error, STATUS_LIMIT, "INC-%llu has %u notes, the limit",
                           (unsigned long long)id, self->notes);
    touch(self, record, PUBLISH_INCIDENT_NOTED);
    note_t note = {self->effects->now.wall_s, by, words};
    incident_record_note(record, &note);
    effects_add(self->effects, (effect_t){.type = EFFECT_NOTE_INCIDENT,
                                          .as.note = {id, record->view->notes_count, &note}});
    char subject[NUMBERED_BYTES];
    effects_audit(self->effects, by, TEXT_OF("incident.note"), numbered(subject, "INC-", id),
                  TEXT_NONE, words);
    *incident = record->view;
    return STATUS_OK;
}

status_t incident_tracker_follow(incident_tracker_t *self, uint64_t id, text_t runbook, text_t by,
                                 const incident_t **incident, schema_error_t *error)
{
    incident_record_t *record;
    status_t status = find_to_change(self, id, &record, error);
    if (status != STATUS_OK)
        return status;
    char subject[NUMBERED_BYTES];
    touch(self, record, PUBLISH_INCIDENT_UPDATED);
    add_line(self, record, &(move_t){.by = by, .what = TEXT_OF("runbook.start"), .to = runbook});
    effects_audit(self->effects, by, TEXT_OF("runbook.start"), numbered(subject, "INC-", id),
                  record->view->runbook, runbook);
    incident_t next = *record->view;
    next.runbook = runbook;
    incident_record_put(record, &next);
    *incident = record->view;
    return STATUS_OK;
}

status_t incident_tracker_tick(incident_tracker_t *self, const runbook_act_t *act,
                               const incident_t **incident, schema_error_t *error)
{
    incident_record_t *record;
    status_t status = find_to_change(self, act->incident, &record, error);
    if (status != STATUS_OK)
        return status;
    char subject[NUMBERED_BYTES];
    text_t step =
        words_in(&self->effects->scratch, "%.*s: %.*s", WORDS(act->procedure), WORDS(act->step));
    touch(self, record, PUBLISH_INCIDENT_UPDATED);
    add_line(self, record,
             &(move_t){.by = act->by,
                       .what = words_in(&self->effects->scratch, "runbook.tick %.*s", WORDS(step)),
                       .to = act->outcome});
    effects_audit(self->effects, act->by, TEXT_OF("runbook.tick"),
                  numbered(subject, "INC-", act->incident), step, act->outcome);
    *incident = record->view;
    return STATUS_OK;
}

/* -- what alerts do -- */

void incident_tracker_tie(incident_tracker_t *self, uint64_t id, uint64_t alert)
{
    incident_record_t *record = registry_find(&self->records, id);
    must(record != NULL);
    touch(self, record, PUBLISH_INCIDENT_UPDATED);
    record->active_alerts++;
    incident_t next = *record->view;
    uint32_t kept =
        next.alert_count < INCIDENT_ALERTS_MAX ? next.alert_count : INCIDENT_ALERTS_MAX - 1;
    uint64_t *alerts = arena_take(&self->effects->scratch, (kept + 1) * sizeof *alerts);
    for (uint32_t i = 0; i < kept; i++)
        alerts[i] = next.alerts[next.alert_count - kept + i];
    alerts[kept] = alert;
    next.alerts = alerts;
    next.alert_count = kept + 1;
    incident_record_put(record, &next);
}

uint32_t incident_tracker_release(incident_tracker_t *self, uint64_t id)
{
    incident_record_t *record = registry_find(&self->records, id);
    if (record == NULL)
        return 0;
    must(record->active_alerts > 0);
    return --record->active_alerts;
}

void incident_tracker_tell(incident_tracker_t *self, uint64_t id, const move_t *line)
{
    incident_record_t *record = registry_find(&self->records, id);
    must(record != NULL);
    touch(self, record, PUBLISH_INCIDENT_UPDATED);
    add_line(self, record, line);
}

void incident_tracker_move(incident_tracker_t *self, uint64_t id, incident_status_t to,
                           text_t cause)
{
    incident_record_t *record = registry_find(&self->records, id);
    must(record != NULL);
    incident_t next = *record->view;
    move_to(&next, to, self->effects->now.wall_s);
    replace(self, record, &next, cause, TEXT_NONE);
}
