#include "engines/operations/operations_manager.h"

#include "engines/operations/alert_manager.h"
#include "engines/operations/alerting_policy.h"
#include "engines/operations/incident_tracker.h"
#include "engines/operations/operational_metrics.h"
#include "engines/operations/runbook_library.h"
#include "engines/operations/silence_book.h"
#include "proto/must.h"
#include "proto/wording.h"

#include <math.h>
#include <stdlib.h>

struct operations_manager {
    effects_t effects;
    operational_metrics_t metrics;
    runbook_library_t runbooks;
    policy_book_t *policies;
    incident_tracker_t *incidents;
    silence_book_t *silences;
    alert_manager_t *alerts;
    kept_t gone; /* what was deleted last, for the answer */
};

operations_config_t operations_config_default(void)
{
    return (operations_config_t){.policies = 10000,
                                 .runbooks = 1000,
                                 .alerts = 50000,
                                 .incidents = 200000,
                                 .silences = 1000,
                                 .notes = NOTES_MAX};
}

operations_manager_t *operations_manager_new(const operations_config_t *config, effect_sink_t sink)
{
    operations_manager_t *self = memory_new(1, sizeof *self);
    self->effects.sink = sink;
    arena_init(&self->effects.scratch);
    operational_metrics_init(&self->metrics);
    runbook_library_init(&self->runbooks, config->runbooks, config->seed);
    self->policies = policy_book_new(config->policies, config->seed, &self->effects);
    self->incidents = incident_tracker_new(config->incidents, config->notes, config->seed,
                                           &self->effects, &self->metrics);
    self->silences = silence_book_new(config->silences, config->seed, &self->effects);
    self->alerts = alert_manager_new(config->alerts, config->seed, &self->effects, &self->metrics,
                                     self->incidents, self->policies, self->silences);
    return self;
}

void operations_manager_destroy(operations_manager_t **self)
{
    if (*self == NULL)
        return;
    alert_manager_destroy(&(*self)->alerts);
    silence_book_destroy(&(*self)->silences);
    incident_tracker_destroy(&(*self)->incidents);
    policy_book_destroy(&(*self)->policies);
    runbook_library_free(&(*self)->runbooks);
    operational_metrics_free(&(*self)->metrics);
    arena_free(&(*self)->effects.scratch);
    kept_drop(&(*self)->gone);
    free(*self);
    *self = NULL;
}

/* -- from the store -- */

void operations_manager_restore_incident(operations_manager_t *self, const incident_t *incident)
{
    incident_tracker_restore(self->incidents, incident);
}

void operations_manager_restore_alert(operations_manager_t *self, const alert_t *alert)
{
    alert_manager_restore(self->alerts, alert, policy_book_find(self->policies, alert->policy));
}

void operations_manager_restore_policy(operations_manager_t *self, const policy_t *policy)
{
    policy_book_restore(self->policies, policy);
}

void operations_manager_restore_runbook(operations_manager_t *self, const runbook_t *runbook)
{
    if (runbook_library_find(&self->runbooks, runbook->name) == NULL)
        runbook_library_put(&self->runbooks, runbook);
}

void operations_manager_restore_silence(operations_manager_t *self, const silence_t *silence)
{
    silence_book_restore(self->silences, silence);
}

void operations_manager_restore_end(operations_manager_t *self, double wall_s)
{
    alert_manager_restore_end(self->alerts, wall_s);
}

void operations_manager_restore_numbers(operations_manager_t *self, uint64_t incident,
                                        uint64_t alert, uint64_t silence)
{
    incident_tracker_number(self->incidents, incident);
    alert_manager_number(self->alerts, alert);
    silence_book_number(self->silences, silence);
}

void operations_manager_count_incident(operations_manager_t *self, const incident_t *incident)
{
    operational_metrics_count_incident(&self->metrics, incident);
}

void operations_manager_count_alert(operations_manager_t *self, const alert_t *alert)
{
    operational_metrics_count_alert(&self->metrics, alert);
}

void operations_manager_discount_incident(operations_manager_t *self, const incident_t *incident)
{
    operational_metrics_discount_incident(&self->metrics, incident);
}

void operations_manager_discount_alert(operations_manager_t *self, const alert_t *alert)
{
    operational_metrics_discount_alert(&self->metrics, alert);
}

/* -- steps -- */

static void begin_step(operations_manager_t *self, instant_t now)
{
    self->effects.now = now;
    arena_reset(&self->effects.scratch);
    alert_manager_sweep(self->alerts);
    incident_tracker_sweep(self->incidents);
    kept_drop(&self->gone);
}

static void end_step(operations_manager_t *self)
{
    incident_tracker_settle(self->incidents);
}

void operations_manager_start(operations_manager_t *self, instant_t now)
{
    begin_step(self, now);
    silence_book_start(self->silences);
    alert_manager_start(self->alerts);
    policy_book_start(self->policies);
    end_step(self);
}

/*  A policy that errs is marked, and stops no other. */
static void hear(operations_manager_t *self, alerting_policy_t *policy, const plan_result_t *result)
{
    bool errs = result->state == RESULT_ERROR;
    bool changed = policy_book_mark(self->policies, policy, errs ? result->error : TEXT_NONE);
    if (errs)
        alert_manager_fail(self->alerts, policy);
    else if (changed)
        alert_manager_mend(self->alerts, policy);
    if (!errs && result->plan == policy->definition->plan)
        alert_manager_hear(self->alerts, policy, result);
    else if (!errs)
        alert_manager_hear_resolve(self->alerts, policy, result);
}

void operations_manager_result(operations_manager_t *self, const plan_result_t *result,
                               instant_t now)
{
    begin_step(self, now);
    alerting_policy_t *policy = policy_book_of_plan(self->policies, result->plan);
    if (policy != NULL)
        hear(self, policy, result);
    end_step(self);
}

static void end_silence(operations_manager_t *self, uint64_t id, text_t by, text_t why)
{
    silence_book_end(self->silences, id, by, why);
    alert_manager_unsilence(self->alerts, id);
}

static void let_time_pass(operations_manager_t *self)
{
    for (uint64_t over; (over = silence_book_due(self->silences)) != 0;)
        end_silence(self, over, TEXT_NONE, TEXT_OF("its time is over"));
    alert_manager_tick(self->alerts);
    end_step(self);
}

void operations_manager_tick(operations_manager_t *self, instant_t now)
{
    begin_step(self, now);
    let_time_pass(self);
}

int64_t operations_manager_next(const operations_manager_t *self)
{
    int64_t alert = alert_manager_next(self->alerts);
    int64_t silence = silence_book_next(self->silences);
    return alert < silence ? alert : silence;
}

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
static const policy_t *put_policy(operations_manager_t *self, const policy_t *policy, text_t what)
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
    return answer_policy(self, put_policy(self->manager, asked, TEXT_OF("policy.put")));
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
    return answer_policy(self,
                         put_policy(self->manager, &changed, text_of(self->command->spec->name)));
}

static status_t enable_policy(step_t *self)
{
    return enable(self, true);
}

static status_t disable_policy(step_t *self)
{
    return enable(self, false);
}

static void delete_policy(operations_manager_t *self, alerting_policy_t *policy)
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
    delete_policy(self->manager, policy);
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
    end_silence(self->manager, asked->silence, asked->by, TEXT_NONE);
    return STATUS_OK;
}

/* -- runbooks -- */

static status_t no_runbook(step_t *self, text_t name)
{
    return refuse_with(self->error, STATUS_NOT_FOUND, "there is no runbook \"%.*s\"", WORDS(name));
}

static const runbook_t *put_runbook(operations_manager_t *self, const runbook_t *runbook)
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
    self->answer->runbook = put_runbook(self->manager, asked);
    return STATUS_OK;
}

static void delete_runbook(operations_manager_t *self, const runbook_t *runbook)
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
    delete_runbook(self->manager, runbook);
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
    begin_step(self, now);
    let_time_pass(self);
    step_t step = {self, command, answer, error};
    status_t status = handlers[command->which](&step);
    end_step(self);
    alert_manager_dismiss(self->alerts);
    incident_tracker_dismiss(self->incidents);
    return status;
}

/* -- the configuration file -- */

/*  What the file names, and what it does not name any more. */
typedef struct {
    roster_t policies, runbooks;
    uint32_t new_runbooks;
} inventory_t;

static void add_name(roster_t *roster, text_t name, const void *thing)
{
    if (roster_find(roster, name) == NULL)
        roster_add(roster, name, (void *)(uintptr_t)thing);
}

static status_t check_policies(operations_manager_t *self, const policy_t *policies, size_t count,
                               texts_t channels, inventory_t *inventory, size_t *wrong,
                               schema_error_t *error)
{
    policy_context_t context = {.channels = channels, .file = &inventory->policies};
    status_t status = STATUS_OK;
    for (size_t i = 0; i < count; i++)
        add_name(&inventory->policies, policies[i].name, &policies[i]);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        *wrong = i;
        status = policy_book_check(self->policies, &policies[i], &context, error);
        context.more += policy_book_find(self->policies, policies[i].name) == NULL;
    }
    return status;
}

static status_t check_runbooks(operations_manager_t *self, const runbook_t *runbooks, size_t count,
                               inventory_t *inventory, size_t *wrong, schema_error_t *error)
{
    for (size_t i = 0; i < count; i++) {
        *wrong = i;
        status_t status =
            runbook_library_check(&self->runbooks, &runbooks[i], inventory->new_runbooks, error);
        if (status != STATUS_OK)
            return status;
        inventory->new_runbooks += runbook_library_find(&self->runbooks, runbooks[i].name) == NULL;
        add_name(&inventory->runbooks, runbooks[i].name, &runbooks[i]);
    }
    return STATUS_OK;
}

static void delete_unnamed(operations_manager_t *self, const inventory_t *inventory)
{
    uint64_t at = 0;
    for (alerting_policy_t *policy; (policy = policy_book_next(self->policies, &at)) != NULL;)
        if (policy->definition->from_file &&
            roster_find(&inventory->policies, policy->definition->name) == NULL)
            delete_policy(self, policy);
    at = 0;
    for (const runbook_t *runbook; (runbook = runbook_library_next(&self->runbooks, &at)) != NULL;)
        if (runbook->from_file && roster_find(&inventory->runbooks, runbook->name) == NULL)
            delete_runbook(self, runbook);
}

static void put_named(operations_manager_t *self, const inventory_t *inventory)
{
    uint64_t at = 0;
    for (const runbook_t *runbook; (runbook = roster_next(&inventory->runbooks, &at)) != NULL;) {
        runbook_t owned = *runbook;
        owned.from_file = true;
        put_runbook(self, &owned);
    }
    at = 0;
    for (const policy_t *policy; (policy = roster_next(&inventory->policies, &at)) != NULL;) {
        policy_t owned = *policy;
        owned.from_file = true;
        put_policy(self, &owned, TEXT_OF("configuration file"));
    }
}

status_t operations_manager_own(operations_manager_t *self, const policy_t *policies,
                                size_t policy_count, const runbook_t *runbooks,
                                size_t runbook_count, texts_t channels, instant_t now,
                                size_t *wrong, schema_error_t *error)
{
    inventory_t inventory = {.new_runbooks = 0};
    roster_init(&inventory.policies, (uint32_t)policy_count, 0);
    roster_init(&inventory.runbooks, (uint32_t)runbook_count, 0);
    status_t status =
        check_policies(self, policies, policy_count, channels, &inventory, wrong, error);
    if (status == STATUS_OK)
        status = check_runbooks(self, runbooks, runbook_count, &inventory, wrong, error);
    if (status == STATUS_OK) {
        begin_step(self, now);
        policy_book_set_channels(self->policies, channels);
        delete_unnamed(self, &inventory);
        put_named(self, &inventory);
        end_step(self);
    }
    roster_free(&inventory.policies);
    roster_free(&inventory.runbooks);
    return status;
}

/* -- looks -- */

bool operations_manager_has_incident(const operations_manager_t *self, uint64_t id)
{
    return incident_tracker_find(self->incidents, id) != NULL;
}

bool operations_manager_has_alert(const operations_manager_t *self, uint64_t id)
{
    return alert_manager_find(self->alerts, id) != NULL;
}

const policy_t *operations_manager_policy(const operations_manager_t *self, text_t name)
{
    const alerting_policy_t *policy = policy_book_find(self->policies, name);
    return policy == NULL ? NULL : policy->definition;
}

const runbook_t *operations_manager_runbook(const operations_manager_t *self, text_t name)
{
    return runbook_library_find(&self->runbooks, name);
}

void operations_manager_metrics(const operations_manager_t *self, ops_metrics_t *metrics)
{
    operational_metrics_read(&self->metrics, metrics);
}

bool operations_manager_next_alert(const operations_manager_t *self, uint64_t *at,
                                   const alert_t **alert)
{
    *alert = alert_manager_next_alert(self->alerts, at);
    return *alert != NULL;
}
