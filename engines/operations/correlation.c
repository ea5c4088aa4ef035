#include "engines/operations/correlation.h"

#include "proto/must.h"
#include "proto/wording.h"

/* A title is one line of at most this many bytes. */
#define TITLE_BYTES 255u

action_t correlation_action(stand_t stand, event_t event)
{
    static const action_t actions[STAND_COUNT][EVENT_COUNT] = {
        [STAND_NONE] = {[EVENT_FIRES] = ACTION_OPEN},
        [STAND_UNCLOSED] = {[EVENT_FIRES] = ACTION_JOIN,
                            [EVENT_MOVES] = ACTION_TELL,
                            [EVENT_ENDS] = ACTION_TELL,
                            [EVENT_LAST_ENDS] = ACTION_RESOLVE},
        [STAND_RESOLVED] = {[EVENT_FIRES] = ACTION_REOPEN,
                            [EVENT_MOVES] = ACTION_TELL,
                            [EVENT_ENDS] = ACTION_TELL,
                            [EVENT_LAST_ENDS] = ACTION_TELL},
    };
    return actions[stand][event];
}

/*  One move on its way. */
typedef struct {
    incident_tracker_t *incidents;
    effects_t *effects;
    const alert_move_t *moved;
    uint64_t incident; /* 0: none that is not closed */
} step_t;

/*  The first line of what the policy says of itself, as far as a title goes. */
static text_t title_of(const policy_t *policy)
{
    text_t title = policy->summary.size > 0 ? policy->summary : policy->name;
    size_t size = 0;
    while (size < title.size && size < TITLE_BYTES && title.data[size] != '\n')
        size++;
    /* not in the middle of a character */
    while (size < title.size && size > 0 && ((unsigned char)title.data[size] & 0xc0) == 0x80)
        size--;
    return size > 0 ? (text_t){title.data, size} : policy->name;
}

static void open_incident(step_t *self)
{
    const policy_t *policy = self->moved->policy;
    incident_t draft;
    schema_defaults(&incident_schema, &draft);
    draft.title = title_of(policy);
    draft.description = policy->description.size > 0 ? policy->description : policy->condition;
    draft.severity = policy->severity;
    draft.labels = policy->labels;
    draft.runbook = policy->runbook;
    draft.policy = policy->name;
    bool duplicate;
    const incident_t *incident;
    schema_error_t error;
    if (incident_tracker_open(self->incidents, &draft, TEXT_NONE, &duplicate, &incident, &error) ==
        STATUS_OK)
        self->incident = incident->id;
}

/*  "ALT-1 of high_cpu: recovered" */
static text_t describe(step_t *self)
{
    char id[NUMBERED_BYTES];
    text_t alert = numbered(id, "ALT-", self->moved->alert->id);
    return words_in(&self->effects->scratch, "%.*s of %.*s%s%.*s", WORDS(alert),
                    WORDS(self->moved->policy->name), self->moved->cause.size > 0 ? ": " : "",
                    WORDS(self->moved->cause));
}

static void tell(step_t *self)
{
    const alert_move_t *moved = self->moved;
    incident_tracker_tell(self->incidents, self->incident,
                          &(move_t){.by = moved->by,
                                    .what = describe(self),
                                    .from = text_of(alert_state_words[moved->from]),
                                    .to = text_of(alert_state_words[moved->alert->state])});
}

static void join(step_t *self)
{
    if (self->incident == 0)
        return;
    self->moved->alert->incident = self->incident;
    incident_tracker_tie(self->incidents, self->incident, self->moved->alert->id);
    tell(self);
}

static void act(step_t *self, action_t action)
{
    switch (action) {
    case ACTION_OPEN:
        open_incident(self);
        join(self);
        break;
    case ACTION_REOPEN:
        incident_tracker_move(self->incidents, self->incident, INCIDENT_INVESTIGATING,
                              describe(self));
        join(self);
        break;
    case ACTION_JOIN:
        join(self);
        break;
    case ACTION_RESOLVE:
        tell(self);
        incident_tracker_move(self->incidents, self->incident, INCIDENT_RESOLVED, describe(self));
        break;
    case ACTION_TELL:
        tell(self);
        break;
    case ACTION_NOTHING:
        break;
    case ACTION_COUNT:
    default:
        must_not("an action that is none");
    }
}

static stand_t stand_of(const incident_t *incident)
{
    if (incident == NULL || incident->status == INCIDENT_CLOSED)
        return STAND_NONE;
    return incident->status == INCIDENT_RESOLVED ? STAND_RESOLVED : STAND_UNCLOSED;
}

static event_t event_of(step_t *self, const incident_t *incident)
{
    const alert_move_t *moved = self->moved;
    if (moved->alert->incident == 0)
        return EVENT_FIRES;
    if (moved->alert->state != ALERT_RESOLVED)
        return EVENT_MOVES;
    bool last = incident != NULL && incident_tracker_release(self->incidents, incident->id) == 0;
    bool resolves = moved->policy->auto_resolve && !text_is(moved->cause, "policy_changed");
    return last && resolves ? EVENT_LAST_ENDS : EVENT_ENDS;
}

void correlation_moved(incident_tracker_t *incidents, effects_t *effects, const alert_move_t *moved)
{
    step_t step = {.incidents = incidents, .effects = effects, .moved = moved};
    bool belongs = moved->alert->incident != 0;
    bool fires = moved->alert->state != ALERT_RESOLVED && moved->policy->open_incident;
    if (!belongs && !fires)
        return;
    const incident_t *incident = belongs
                                     ? incident_tracker_find(incidents, moved->alert->incident)
                                     : incident_tracker_of_policy(incidents, moved->policy->name);
    stand_t stand = stand_of(incident);
    step.incident = stand == STAND_NONE ? 0 : incident->id;
    act(&step, correlation_action(stand, event_of(&step, incident)));
}
