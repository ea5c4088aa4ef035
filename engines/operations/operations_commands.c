#include "engines/operations/operations_inside.h"
#include "proto/must.h"
#include "proto/wording.h"

/* -- one command on its way -- */

typedef struct {
    operations_manager_t *manager;
    const command_t *command;
    operations_answer_t *answer;
    schema_error_t *error;
} step_t;

static status_t answer_incident(step_t *self, status_t status)
{
    if (status == STATUS_OK)
        self->answer->type = ANSWER_INCIDENT;
    return status;
}

static status_t open_incident(step_t *self)
{
    const incident_open_t *asked = self->command->arguments;
    incident_t draft;
    schema_defaults(&incident_schema, &draft);
    draft.title = asked->title;
    draft.description = asked->description;
    draft.severity = (severity_t)asked->severity;
    draft.systems = asked->systems;
    draft.key = asked->key;
    draft.runbook = asked->runbook;
    draft.labels = asked->labels;
    return answer_incident(self, incident_tracker_open(self->manager->incidents, &draft, asked->by,
                                                       &self->answer->duplicate,
                                                       &self->answer->incident, self->error));
}

static status_t change_incident(step_t *self, int status)
{
    incident_change_t change = *(const incident_change_t *)self->command->arguments;
    if (status >= 0)
        change.status = status;
    return answer_incident(self, incident_tracker_change(self->manager->incidents, &change,
                                                         text_of(self->command->spec->name),
                                                         &self->answer->incident, self->error));
}

static status_t update_incident(step_t *self)
{
    return change_incident(self, -1);
}

static status_t resolve_incident(step_t *self)
{
    return change_incident(self, INCIDENT_RESOLVED);
}

static status_t close_incident(step_t *self)
{
    return change_incident(self, INCIDENT_CLOSED);
}

static status_t note_incident(step_t *self)
{
    const incident_change_t *asked = self->command->arguments;
    return answer_incident(self, incident_tracker_note(self->manager->incidents, asked->incident,
                                                       asked->text, asked->by,
                                                       &self->answer->incident, self->error));
}

/* -- policies -- */

static status_t no_policy(step_t *self, text_t name)
{
    return refuse_with(self->error, STATUS_NOT_FOUND, "there is no policy \"%.*s\"", WORDS(name));
}

static status_t refuse_of_file(step_t *self, const char *what, text_t name)
{
    return refuse_with(self->error, STATUS_CONFLICT,
                       "%s \"%.*s\" is owned by the configuration file", what, WORDS(name));
}

static status_t answer_policy(step_t *self, const policy_t *policy)
{
    self->answer->type = ANSWER_POLICY;
    self->answer->policy = policy;
    return STATUS_OK;
}

/*  Put one that was checked: its old alerts are over if it changes. */
const policy_t *operations_put_policy(operations_manager_t *self, const policy_t *policy,
                                      text_t what)
{
    alerting_policy_t *old = policy_book_find(self->policies, policy->name);
    if (old == NULL) {
        effects_audit(&self->effects, TEXT_NONE, what, policy->name, TEXT_NONE, policy->condition);
        return policy_book_put(self->policies, policy)->definition;
    }
    if (policy_is_same(old->definition, policy))
        return policy_book_claim(self->policies, old, policy->from_file);
    effects_audit_changes(&self->effects, what, policy->name, &policy_schema, old->definition,
                          policy);
    alert_manager_end_policy(self->alerts, old);
    return policy_book_put(self->policies, policy)->definition;
}

static status_t put_policy_asked(step_t *self)
{
    const policy_t *asked = self->command->arguments;
    const alerting_policy_t *old = policy_book_find(self->manager->policies, asked->name);
    if (old != NULL && old->definition->from_file)
        return refuse_of_file(self, "policy", asked->name);
    policy_context_t context = {.channels = policy_book_channels(self->manager->policies)};
    status_t status = policy_book_check(self->manager->policies, asked, &context, self->error);
    if (status != STATUS_OK)
        return status;
    return answer_policy(self, operations_put_policy(self->manager, asked, TEXT_OF("policy.put")));
}

static status_t enable(step_t *self, bool enabled)
{
    const named_t *named = self->command->arguments;
    const alerting_policy_t *policy = policy_book_find(self->manager->policies, named->name);
    if (policy == NULL)
        return no_policy(self, named->name);
    if (policy->definition->from_file)
        return refuse_of_file(self, "policy", named->name);
    policy_t changed = *policy->definition;
    changed.enabled = enabled;
    return answer_policy(
        self, operations_put_policy(self->manager, &changed, text_of(self->command->spec->name)));
}

static status_t enable_policy(step_t *self)
{
    return enable(self, true);
}

static status_t disable_policy(step_t *self)
{
    return enable(self, false);
}

void operations_delete_policy(operations_manager_t *self, alerting_policy_t *policy)
{
    const policy_t *definition = policy->definition;
    alert_manager_end_policy(self->alerts, policy);
    effects_audit(&self->effects, TEXT_NONE, TEXT_OF("policy.delete"), definition->name,
                  definition->condition, TEXT_NONE);
    policy_book_delete(self->policies, policy);
}

static status_t delete_policy_asked(step_t *self)
{
    const named_t *named = self->command->arguments;
    alerting_policy_t *policy = policy_book_find(self->manager->policies, named->name);
    if (policy == NULL)
        return no_policy(self, named->name);
    if (policy->definition->from_file)
        return refuse_of_file(self, "policy", named->name);
    answer_policy(self, kept_put(&self->manager->gone, &policy_schema, policy->definition));
    operations_delete_policy(self->manager, policy);
    return STATUS_OK;
}

/* -- alerts -- */

static status_t fire_alert(step_t *self)
{
    const alert_fire_t *asked = self->command->arguments;
    alerting_policy_t *policy = policy_book_find(self->manager->policies, asked->policy);
    if (policy == NULL)
        return no_policy(self, asked->policy);
    self->answer->type = ANSWER_FIRED;
    self->answer->fired = policy->definition->enabled;
    self->answer->reason = TEXT_OF("disabled");
    if (!policy->definition->enabled)
        return STATUS_OK;
    return alert_manager_fire(self->manager->alerts, policy, asked, &self->answer->alert,
                              self->error);
}

static status_t acknowledge_alert(step_t *self)
{
    self->answer->type = ANSWER_ALERT;
    return alert_manager_acknowledge(self->manager->alerts, self->command->arguments,
                                     &self->answer->alert, self->error);
}

static status_t resolve_alert(step_t *self)
{
    self->answer->type = ANSWER_ALERT;
    return alert_manager_resolve(self->manager->alerts, self->command->arguments,
                                 &self->answer->alert, self->error);
}

/* -- silences -- */

static status_t put_silence(step_t *self)
{
    operations_manager_t *manager = self->manager;
    status_t status = silence_book_put(manager->silences, self->command->arguments,
                                       &self->answer->silence, self->error);
    if (status != STATUS_OK)
        return status;
    self->answer->type = ANSWER_SILENCE;
    alert_manager_silence(manager->alerts, self->answer->silence);
    return STATUS_OK;
}

static status_t delete_silence(step_t *self)
{
    const silence_act_t *asked = self->command->arguments;
    const silence_t *silence = silence_book_find(self->manager->silences, asked->silence);
    if (silence == NULL)
        return refuse_with(self->error, STATUS_NOT_FOUND, "there is no silence SIL-%llu",
                           (unsigned long long)asked->silence);
    self->answer->type = ANSWER_SILENCE;
    self->answer->silence = kept_put(&self->manager->gone, &silence_schema, silence);
    operations_end_silence(self->manager, asked->silence, asked->by, TEXT_NONE);
    return STATUS_OK;
}

/* -- runbooks -- */

static status_t no_runbook(step_t *self, text_t name)
{
    return refuse_with(self->error, STATUS_NOT_FOUND, "there is no runbook \"%.*s\"", WORDS(name));
}

const runbook_t *operations_put_runbook(operations_manager_t *self, const runbook_t *runbook)
{
    const runbook_t *old = runbook_library_find(&self->runbooks, runbook->name);
    if (old != NULL && schema_equal(&runbook_schema, old, runbook))
        return old;
    if (old == NULL)
        effects_audit(&self->effects, TEXT_NONE, TEXT_OF("runbook.put"), runbook->name, TEXT_NONE,
                      runbook->description);
    else
        effects_audit_changes(&self->effects, TEXT_OF("runbook.put"), runbook->name,
                              &runbook_schema, old, runbook);
    const runbook_t *kept = runbook_library_put(&self->runbooks, runbook);
    effects_add(&self->effects, (effect_t){.type = EFFECT_SAVE_RUNBOOK, .as.runbook = kept});
    return kept;
}

static status_t put_runbook_asked(step_t *self)
{
    const runbook_t *asked = self->command->arguments;
    const runbook_t *old = runbook_library_find(&self->manager->runbooks, asked->name);
    if (old != NULL && old->from_file)
        return refuse_of_file(self, "runbook", asked->name);
    status_t status = runbook_library_check(&self->manager->runbooks, asked, 0, self->error);
    if (status != STATUS_OK)
        return status;
    self->answer->type = ANSWER_RUNBOOK;
    self->answer->runbook = operations_put_runbook(self->manager, asked);
    return STATUS_OK;
}

void operations_delete_runbook(operations_manager_t *self, const runbook_t *runbook)
{
    effects_audit(&self->effects, TEXT_NONE, TEXT_OF("runbook.delete"), runbook->name,
                  runbook->description, TEXT_NONE);
    effects_add(&self->effects,
                (effect_t){.type = EFFECT_DELETE_RUNBOOK, .as.name = runbook->name});
    runbook_library_delete(&self->runbooks, runbook->name);
}

static status_t delete_runbook_asked(step_t *self)
{
    const named_t *named = self->command->arguments;
    const runbook_t *runbook = runbook_library_find(&self->manager->runbooks, named->name);
    if (runbook == NULL)
        return no_runbook(self, named->name);
    if (runbook->from_file)
        return refuse_of_file(self, "runbook", named->name);
    self->answer->type = ANSWER_RUNBOOK;
    self->answer->runbook = kept_put(&self->manager->gone, &runbook_schema, runbook);
    operations_delete_runbook(self->manager, runbook);
    return STATUS_OK;
}

static status_t start_runbook(step_t *self)
{
    const runbook_act_t *asked = self->command->arguments;
    if (runbook_library_find(&self->manager->runbooks, asked->name) == NULL)
        return no_runbook(self, asked->name);
    return answer_incident(self, incident_tracker_follow(self->manager->incidents, asked->incident,
                                                         asked->name, asked->by,
                                                         &self->answer->incident, self->error));
}

/*  The step must be one of the runbook that the incident follows. */
static status_t check_step(step_t *self, const runbook_act_t *asked)
{
    const incident_t *incident = incident_tracker_find(self->manager->incidents, asked->incident);
    if (incident == NULL)
        return STATUS_OK; /* the tracker says so */
    if (incident->runbook.size == 0)
        return refuse_with(self->error, STATUS_NOT_FOUND, "INC-%llu follows no runbook",
                           (unsigned long long)asked->incident);
    const runbook_t *runbook = runbook_library_find(&self->manager->runbooks, incident->runbook);
    if (runbook == NULL)
        return no_runbook(self, incident->runbook);
    if (!runbook_has_step(runbook, asked->procedure, asked->step))
        return refuse_with(self->error, STATUS_NOT_FOUND,
                           "runbook \"%.*s\" has no such step in procedure \"%.*s\"",
                           WORDS(runbook->name), WORDS(asked->procedure));
    return STATUS_OK;
}

static status_t tick_runbook(step_t *self)
{
    const runbook_act_t *asked = self->command->arguments;
    status_t status = check_step(self, asked);
    if (status != STATUS_OK)
        return status;
    return answer_incident(self, incident_tracker_tick(self->manager->incidents, asked,
                                                       &self->answer->incident, self->error));
}

static status_t read_metrics(step_t *self)
{
    self->answer->type = ANSWER_OPS_METRICS;
    operations_manager_metrics(self->manager, &self->answer->metrics);
    return STATUS_OK;
}

static status_t (*const handlers[DO_COUNT])(step_t *) = {
    [DO_INCIDENT_OPEN] = open_incident,       [DO_INCIDENT_UPDATE] = update_incident,
    [DO_INCIDENT_NOTE] = note_incident,       [DO_INCIDENT_RESOLVE] = resolve_incident,
    [DO_INCIDENT_CLOSE] = close_incident,     [DO_POLICY_PUT] = put_policy_asked,
    [DO_POLICY_DELETE] = delete_policy_asked, [DO_POLICY_ENABLE] = enable_policy,
    [DO_POLICY_DISABLE] = disable_policy,     [DO_ALERT_FIRE] = fire_alert,
    [DO_ALERT_ACK] = acknowledge_alert,       [DO_ALERT_RESOLVE] = resolve_alert,
    [DO_RUNBOOK_PUT] = put_runbook_asked,     [DO_RUNBOOK_DELETE] = delete_runbook_asked,
    [DO_RUNBOOK_START] = start_runbook,       [DO_RUNBOOK_TICK] = tick_runbook,
    [DO_SILENCE_PUT] = put_silence,           [DO_SILENCE_DELETE] = delete_silence,
    [DO_OPS_METRICS] = read_metrics,
};

status_t operations_manager_do(operations_manager_t *self, const command_t *command, instant_t now,
                               operations_answer_t *answer, schema_error_t *error)
{
    must(handlers[command->which] != NULL);
    *answer = (operations_answer_t){.type = ANSWER_NOTHING};
    operations_begin_step(self, now);
    operations_pass_time(self);
    step_t step = {self, command, answer, error};
    status_t status = handlers[command->which](&step);
    operations_end_step(self);
    alert_manager_dismiss(self->alerts);
    incident_tracker_dismiss(self->incidents);
    return status;
}
