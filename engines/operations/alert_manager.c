#include "engines/operations/alert_manager.h"

#include "engines/operations/alert_ledger.h"
#include "engines/operations/correlation.h"
#include "engines/operations/inhibition.h"
#include "proto/must.h"
#include "proto/wording.h"

#include <math.h>
#include <stdlib.h>

struct alert_manager {
    alert_ledger_t ledger;
    uint64_t last;
    uint8_t *labels; /* room to merge labels in */
    effects_t *effects;
    operational_metrics_t *metrics;
    incident_tracker_t *incidents;
    policy_book_t *policies;
    silence_book_t *silences;
    double ended_at; /* when the process before this one was last known to live; NaN */
};

static const bool moves[ALERT_STATE_COUNT][ALERT_STATE_COUNT] = {
    [ALERT_PENDING] = {[ALERT_FIRING] = true, [ALERT_NO_DATA] = true, [ALERT_RESOLVED] = true},
    [ALERT_FIRING] = {[ALERT_ACKNOWLEDGED] = true, [ALERT_NO_DATA] = true, [ALERT_RESOLVED] = true},
    [ALERT_ACKNOWLEDGED] = {[ALERT_NO_DATA] = true, [ALERT_RESOLVED] = true},
    [ALERT_NO_DATA] = {[ALERT_FIRING] = true, [ALERT_ACKNOWLEDGED] = true, [ALERT_RESOLVED] = true},
};

static const int publications[ALERT_STATE_COUNT] = {
    [ALERT_PENDING] = -1,
    [ALERT_FIRING] = PUBLISH_ALERT_FIRING,
    [ALERT_ACKNOWLEDGED] = PUBLISH_ALERT_ACKNOWLEDGED,
    [ALERT_RESOLVED] = PUBLISH_ALERT_RESOLVED,
    [ALERT_NO_DATA] = PUBLISH_ALERT_NO_DATA,
};

/* -- life -- */

alert_manager_t *alert_manager_new(uint32_t alerts, uint64_t seed, effects_t *effects,
                                   operational_metrics_t *metrics, incident_tracker_t *incidents,
                                   policy_book_t *policies, silence_book_t *silences)
{
    alert_manager_t *self = memory_new(1, sizeof *self);
    alert_ledger_init(&self->ledger, alerts, seed);
    self->labels = memory_new(1, LABELS_MAX_BYTES);
    self->effects = effects;
    self->metrics = metrics;
    self->incidents = incidents;
    self->policies = policies;
    self->silences = silences;
    self->ended_at = NAN;
    return self;
}

void alert_manager_destroy(alert_manager_t **self)
{
    alert_ledger_free(&(*self)->ledger);
    free((*self)->labels);
    free(*self);
    *self = NULL;
}

void alert_manager_number(alert_manager_t *self, uint64_t last)
{
    if (last > self->last)
        self->last = last;
}

void alert_manager_sweep(alert_manager_t *self)
{
    alert_ledger_sweep(&self->ledger);
}

void alert_manager_dismiss(alert_manager_t *self)
{
    alert_ledger_dismiss(&self->ledger);
}

const alert_t *alert_manager_find(const alert_manager_t *self, uint64_t id)
{
    const active_alert_t *alert = alert_ledger_find(&self->ledger, id);
    return alert == NULL ? NULL : alert->view;
}

const alert_t *alert_manager_next_alert(const alert_manager_t *self, uint64_t *at)
{
    const active_alert_t *alert = alert_ledger_next(&self->ledger, at);
    return alert == NULL ? NULL : alert->view;
}

static void run_clock(alert_manager_t *self, active_alert_t *alert, double until_s)
{
    active_alert_run(alert, &self->ledger.deadlines, until_s, self->effects->now);
}

static void drop_clock(alert_manager_t *self, active_alert_t *alert)
{
    active_alert_drop(alert, &self->ledger.deadlines);
}

/* -- what comes out -- */

/*  Have its row written as it is, its clock with it. */
static void write_row(alert_manager_t *self, active_alert_t *alert)
{
    bool stands = alert->clock_since == INSTANT_NEVER;
    alert->view->clock_s = active_alert_clock_s(alert, self->effects->now);
    alert->view->clock_at = stands ? NAN : self->effects->now.wall_s;
    effects_add(self->effects, (effect_t){.type = EFFECT_SAVE_ALERT, .as.alert = alert->view});
}

/*  It has changed. */
static void save(alert_manager_t *self, active_alert_t *alert)
{
    alert->view->updated_at = self->effects->now.wall_s;
    write_row(self, alert);
}

static void publish(alert_manager_t *self, const active_alert_t *alert, int from)
{
    int type = publications[alert->view->state];
    if (type < 0)
        return;
    effects_add(self->effects, (effect_t){.type = EFFECT_PUBLISH_ALERT,
                                          .as.publish = {.type = (publication_type_t)type,
                                                         .alert = alert->view,
                                                         .from = from,
                                                         .to = (int)alert->view->state}});
}

static void stamp(alert_t *view, double now)
{
    if (view->state == ALERT_FIRING && isnan(view->fired_at)) {
        view->fired_at = now;
        view->value_at_fire = view->value;
    }
    if (view->state == ALERT_ACKNOWLEDGED && isnan(view->acknowledged_at))
        view->acknowledged_at = now;
    if (view->state == ALERT_RESOLVED)
        view->resolved_at = now;
}

static void save_inhibited(void *context, active_alert_t *alert)
{
    save(context, alert);
}

static void put_silences(active_alert_t *alert, texts_t names)
{
    alert_t changed = *alert->view;
    changed.silenced_by = names;
    active_alert_put(alert, &changed);
}

/*  It is about to be told: what keeps it quiet? */
static void quiet(alert_manager_t *self, active_alert_t *alert)
{
    inhibition_find(alert, self->policies, &self->effects->scratch);
    texts_t names = silence_book_covering(self->silences, alert->view, &self->effects->scratch);
    for (size_t i = 0; i < names.count; i++)
        silence_book_cover(self->silences, names.items[i]);
    if (names.count > 0)
        put_silences(alert, names);
}

/*  It is over, and with it the silences that were to last as long. */
static void leave_silences(alert_manager_t *self, const active_alert_t *alert)
{
    texts_t names = alert->view->silenced_by;
    for (size_t i = 0; i < names.count; i++) {
        uint64_t ended = silence_book_uncover(self->silences, names.items[i]);
        if (ended != 0)
            silence_book_end(self->silences, ended, TEXT_NONE, TEXT_OF("resolved"));
    }
}

void alert_manager_silence(alert_manager_t *self, const silence_t *silence)
{
    uint64_t at = 0;
    for (active_alert_t *alert; (alert = alert_ledger_next(&self->ledger, &at)) != NULL;) {
        if (!active_alert_is_told(alert) ||
            !silence_book_covers(self->silences, silence->id, alert->view))
            continue;
        texts_t old = alert->view->silenced_by;
        text_t *names = arena_take(&self->effects->scratch, (old.count + 1) * sizeof *names);
        for (size_t i = 0; i < old.count; i++)
            names[i] = old.items[i];
        names[old.count] =
            numbered(arena_take(&self->effects->scratch, NUMBERED_BYTES), "SIL-", silence->id);
        silence_book_cover(self->silences, names[old.count]);
        put_silences(alert, (texts_t){names, old.count + 1});
        save(self, alert);
    }
}

void alert_manager_unsilence(alert_manager_t *self, uint64_t silence)
{
    char id[NUMBERED_BYTES];
    text_t name = numbered(id, "SIL-", silence);
    uint64_t at = 0;
    for (active_alert_t *alert; (alert = alert_ledger_next(&self->ledger, &at)) != NULL;) {
        texts_t old = alert->view->silenced_by;
        text_t *names = arena_take(&self->effects->scratch, old.count * sizeof *names);
        size_t count = 0;
        for (size_t i = 0; i < old.count; i++)
            if (!text_equal(old.items[i], name))
                names[count++] = old.items[i];
        if (count == old.count)
            continue;
        put_silences(alert, (texts_t){names, count});
        save(self, alert);
    }
}

/*  Whom it keeps quiet, now that it is told, or over. */
static void spread(alert_manager_t *self, const active_alert_t *alert, bool over)
{
    if (alert->policy == NULL)
        return;
    inhibition_sink_t sink = {save_inhibited, self};
    if (over)
        inhibition_end(alert, self->policies, &self->effects->scratch, sink);
    else
        inhibition_begin(alert, self->policies, &self->effects->scratch, sink);
}

/*  The one place in which a state changes. `shown` is the state it is said to come from; -1: none.
 */
static void move(alert_manager_t *self, active_alert_t *alert, alert_state_t to, int shown,
                 text_t by, text_t cause)
{
    bool was_told = active_alert_is_told(alert), over = to == ALERT_RESOLVED;
    if (!was_told && !over)
        quiet(self, alert);
    alert_t *view = alert->view;
    alert_state_t from = view->state;
    must(moves[from][to]);
    operational_metrics_discount_alert(self->metrics, view);
    view->state = to;
    stamp(view, self->effects->now.wall_s);
    if (over)
        view->reason = cause;
    operational_metrics_count_alert(self->metrics, view);
    drop_clock(self, alert);
    if (alert->policy != NULL)
        correlation_moved(self->incidents, self->effects,
                          &(alert_move_t){.alert = view,
                                          .policy = alert->policy->definition,
                                          .from = from,
                                          .by = by,
                                          .cause = cause});
    save(self, alert);
    publish(self, alert, shown);
    if (over) {
        leave_silences(self, alert);
        alert_ledger_leave(&self->ledger, alert);
    }
    if (over || !was_told)
        spread(self, alert, over);
}

static void move_by_itself(alert_manager_t *self, active_alert_t *alert, alert_state_t to,
                           const char *cause)
{
    move(self, alert, to, (int)alert->view->state, TEXT_NONE, text_of(cause));
}

static void forget(alert_manager_t *self, active_alert_t *alert)
{
    operational_metrics_discount_alert(self->metrics, alert->view);
    effects_add(self->effects, (effect_t){.type = EFFECT_FORGET_ALERT, .as.id = alert->view->id});
    alert_ledger_leave(&self->ledger, alert);
}

/* -- beginning -- */

/*  FNV-1a (Fowler, Noll, Vo): the same for the same policy and labels wherever it is computed. */
static uint64_t fingerprint(text_t policy, labels_t labels)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325), prime = UINT64_C(0x100000001b3);
    for (size_t i = 0; i < policy.size; i++)
        hash = (hash ^ (unsigned char)policy.data[i]) * prime;
    hash *= prime; /* a 0 between them */
    for (size_t i = 0; i < labels.size; i++)
        hash = (hash ^ labels.bytes[i]) * prime;
    return hash;
}

static void describe(alert_manager_t *self, alert_t *view, const policy_t *policy, labels_t labels)
{
    schema_defaults(&alert_schema, view);
    view->id = ++self->last;
    view->policy = policy->name;
    view->severity = policy->severity;
    view->message = policy->summary.data != NULL
                        ? policy->summary
                        : words_in(&self->effects->scratch, "%.*s: %.*s", WORDS(policy->name),
                                   WORDS(policy->condition));
    view->result_labels = labels;
    view->labels = labels_merge(labels, policy->labels, self->labels);
    view->fingerprint = fingerprint(policy->name, labels);
    view->runbook = policy->runbook;
    view->occurrences = 1;
    view->pending_at = view->updated_at = self->effects->now.wall_s;
}

static active_alert_t *begin(alert_manager_t *self, alerting_policy_t *policy, labels_t labels,
                             double value, text_t message)
{
    if (alert_ledger_full(&self->ledger)) {
        self->metrics->dropped++;
        return NULL;
    }
    alert_t view;
    describe(self, &view, policy->definition, labels);
    view.value = view.peak = value;
    if (message.data != NULL)
        view.message = message;
    active_alert_t *alert = active_alert_new(&view, policy);
    alert_ledger_enter(&self->ledger, alert);
    operational_metrics_count_alert(self->metrics, alert->view);
    return alert;
}

/*  Its condition holds from now on. Without `for` it fires when all that came with it is heard. */
static void raise_alert(alert_manager_t *self, alerting_policy_t *policy,
                        const plan_result_t *result)
{
    active_alert_t *alert = begin(self, policy, result->labels, result->value, TEXT_NONE);
    if (alert == NULL)
        return;
    alert->holds = true;
    policy_book_refresh(self->policies);
    run_clock(self, alert, policy->definition->for_s);
    if (policy->definition->for_s > 0)
        save(self, alert);
}

/* -- hearing -- */

static void take_value(active_alert_t *alert, double value)
{
    alert_t *view = alert->view;
    if (isnan(value))
        return;
    view->value = value;
    if (isnan(view->peak) || value > view->peak)
        view->peak = value;
}

/*  It fires or is acknowledged: is it over, soon over, or not? */
static void judge(alert_manager_t *self, active_alert_t *alert)
{
    const policy_t *policy = alert->policy->definition;
    bool has_resolve = policy->resolve_condition.data != NULL;
    bool over = !alert->holds && (!has_resolve || alert->resolves) && !alert->view->by_hand;
    bool was_over = active_alert_has_clock(alert);
    if (!alert->holds && has_resolve && !alert->resolve_known) {
        /* it may have held before the alert was there, and is said again only when it changes */
        alert->resolve_known = true;
        policy_book_ask_again(self->policies, alert->policy);
    }
    if (over && policy->keep_firing_for > 0) {
        run_clock(self, alert, policy->keep_firing_for);
        save(self, alert);
    } else if (over) {
        move_by_itself(self, alert, ALERT_RESOLVED, "recovered");
    } else {
        alert->view->occurrences += was_over;
        drop_clock(self, alert);
        save(self, alert);
    }
}

/*  What fired, or was acknowledged, before it stood without data does so again. */
static void go_on(alert_manager_t *self, active_alert_t *alert)
{
    bool acknowledged = !isnan(alert->view->acknowledged_at);
    move_by_itself(self, alert, acknowledged ? ALERT_ACKNOWLEDGED : ALERT_FIRING, "data is back");
}

/*  It was without data, and there is data again. One that never fired and has to wait for its `for`
 * begins anew. */
static void return_to_data(alert_manager_t *self, active_alert_t *alert,
                           const plan_result_t *result)
{
    alerting_policy_t *policy = alert->policy;
    bool fired = !isnan(alert->view->fired_at);
    bool has_resolve = policy->definition->resolve_condition.data != NULL;
    bool stays = alert->holds || (fired && has_resolve && !alert->resolves);
    if (stays && (fired || policy->definition->for_s == 0)) {
        go_on(self, alert);
        return;
    }
    move_by_itself(self, alert, ALERT_RESOLVED, "recovered");
    if (result->state == RESULT_HOLDS)
        raise_alert(self, policy, result);
}

static void hear_holds(alert_manager_t *self, active_alert_t *alert, const plan_result_t *result)
{
    alert->holds = true;
    take_value(alert, result->value);
    if (alert->view->state == ALERT_PENDING) {
        run_clock(self, alert, alert->policy->definition->for_s);
        save(self, alert);
    } else if (alert->view->state == ALERT_NO_DATA) {
        return_to_data(self, alert, result);
    } else {
        judge(self, alert);
    }
}

static void hear_clear(alert_manager_t *self, active_alert_t *alert, const plan_result_t *result)
{
    alert->holds = false;
    if (!isnan(result->value))
        alert->view->value = result->value;
    if (alert->view->state == ALERT_PENDING)
        forget(self, alert);
    else if (alert->view->state == ALERT_NO_DATA)
        return_to_data(self, alert, result);
    else
        judge(self, alert);
}

static void hear_no_data(alert_manager_t *self, active_alert_t *alert)
{
    no_data_t rule = alert->policy->definition->no_data;
    bool pending = alert->view->state == ALERT_PENDING;
    if (rule == NO_DATA_KEEP || alert->view->by_hand) {
        active_alert_stand(alert, &self->ledger.deadlines, self->effects->now);
        save(self, alert);
    } else if (rule == NO_DATA_FIRE && alert->view->state != ALERT_NO_DATA) {
        move_by_itself(self, alert, ALERT_NO_DATA, "no data");
    } else if (rule == NO_DATA_RESOLVE && pending) {
        forget(self, alert);
    } else if (rule == NO_DATA_RESOLVE) {
        move_by_itself(self, alert, ALERT_RESOLVED, "no_data");
    }
}

/*  A label set that has no alert. */
static void hear_first(alert_manager_t *self, alerting_policy_t *policy,
                       const plan_result_t *result)
{
    if (result->state == RESULT_HOLDS) {
        raise_alert(self, policy, result);
    } else if (result->state == RESULT_NO_DATA && policy->definition->no_data == NO_DATA_FIRE) {
        active_alert_t *alert = begin(self, policy, result->labels, NAN, TEXT_NONE);
        if (alert != NULL)
            move(self, alert, ALERT_NO_DATA, -1, TEXT_NONE, TEXT_OF("no data"));
    }
}

static active_alert_t *find_identical(const alert_manager_t *self, const alerting_policy_t *policy,
                                      labels_t labels)
{
    return alert_ledger_identical(&self->ledger, policy->definition->name, labels);
}

/*  It was restored, and is heard of for the first time. */
static void greet(alert_manager_t *self, active_alert_t *alert)
{
    if (alert->unheard)
        deadlines_clear(&self->ledger.deadlines, alert->place);
    alert->unheard = false;
}

/*  Its time has come, and more is heard of it before the others that are due. */
static bool is_due(const alert_manager_t *self, const active_alert_t *alert)
{
    return alert->view->state == ALERT_PENDING && alert->clock_since != INSTANT_NEVER &&
           active_alert_clock_s(alert, self->effects->now) >= alert->policy->definition->for_s;
}

void alert_manager_hear(alert_manager_t *self, alerting_policy_t *policy,
                        const plan_result_t *result)
{
    active_alert_t *alert = find_identical(self, policy, result->labels);
    if (alert != NULL && is_due(self, alert)) {
        alert_manager_tick(self);
        alert = find_identical(self, policy, result->labels);
    }
    if (alert != NULL)
        greet(self, alert);
    if (alert == NULL)
        hear_first(self, policy, result);
    else if (result->state == RESULT_HOLDS)
        hear_holds(self, alert, result);
    else if (result->state == RESULT_CLEAR)
        hear_clear(self, alert, result);
    else
        hear_no_data(self, alert);
}

void alert_manager_hear_resolve(alert_manager_t *self, alerting_policy_t *policy,
                                const plan_result_t *result)
{
    active_alert_t *alert = find_identical(self, policy, result->labels);
    if (alert == NULL || (result->state != RESULT_HOLDS && result->state != RESULT_CLEAR))
        return;
    alert->resolves = result->state == RESULT_HOLDS;
    alert->resolve_known = true;
    if (alert->view->state == ALERT_FIRING || alert->view->state == ALERT_ACKNOWLEDGED)
        judge(self, alert);
}

/* -- policies that cannot be evaluated: an alert without labels stands for that -- */

void alert_manager_fail(alert_manager_t *self, alerting_policy_t *policy)
{
    active_alert_t *alert = find_identical(self, policy, LABELS_NONE);
    text_t words = words_in(&self->effects->scratch, "%.*s cannot be evaluated: %.*s",
                            WORDS(policy->definition->name), WORDS(policy->definition->error));
    if (alert == NULL) {
        alert = begin(self, policy, LABELS_NONE, NAN, words);
        if (alert != NULL)
            move(self, alert, ALERT_NO_DATA, -1, TEXT_NONE, words);
    } else if (alert->view->state != ALERT_NO_DATA && !alert->view->by_hand) {
        move(self, alert, ALERT_NO_DATA, (int)alert->view->state, TEXT_NONE, words);
    }
}

void alert_manager_mend(alert_manager_t *self, alerting_policy_t *policy)
{
    active_alert_t *alert = find_identical(self, policy, LABELS_NONE);
    if (alert == NULL || alert->view->state != ALERT_NO_DATA)
        return;
    if (isnan(alert->view->fired_at))
        move_by_itself(self, alert, ALERT_RESOLVED, "recovered");
    else
        go_on(self, alert);
}

/* -- time -- */

static void fire(alert_manager_t *self, active_alert_t *alert, text_t by, text_t cause)
{
    /* an alert that waits for nothing was never seen pending */
    bool was_seen = alert->policy->definition->for_s > 0 && !alert->view->by_hand;
    move(self, alert, ALERT_FIRING, was_seen ? ALERT_PENDING : -1, by, cause);
}

void alert_manager_tick(alert_manager_t *self)
{
    uint32_t place;
    while ((place = deadlines_take(&self->ledger.deadlines, self->effects->now.mono_ns)) != 0) {
        active_alert_t *alert = registry_at(&self->ledger.alerts, place);
        if (alert->unheard) {
            greet(self, alert);
            hear_no_data(self, alert);
        } else if (alert->view->state == ALERT_PENDING)
            fire(self, alert, TEXT_NONE, alert->policy->definition->condition);
        else
            move_by_itself(self, alert, ALERT_RESOLVED, "recovered");
    }
}

int64_t alert_manager_next(const alert_manager_t *self)
{
    return deadlines_next(&self->ledger.deadlines);
}

/* -- the store -- */

/*  How far its clock was when the process ended: a restart is a pause. */
static double clock_at_the_end(const alert_manager_t *self, const alert_t *stored)
{
    double more_s = self->ended_at - stored->clock_at;
    return more_s > 0 ? stored->clock_s + more_s : stored->clock_s; /* NaN is not > 0 */
}

void alert_manager_restore(alert_manager_t *self, const alert_t *stored, alerting_policy_t *policy)
{
    if (alert_ledger_find(&self->ledger, stored->id) != NULL)
        return;
    active_alert_t *alert = active_alert_new(stored, policy);
    if (stored->state == ALERT_RESOLVED) {
        alert_ledger_invite(&self->ledger, alert);
        return;
    }
    alert->clock_s = clock_at_the_end(self, stored);
    alert->holds = !active_alert_has_clock(alert);
    alert->unheard = true;
    alert_ledger_enter(&self->ledger, alert);
    operational_metrics_count_alert(self->metrics, alert->view);
    for (size_t i = 0; i < stored->silenced_by.count; i++)
        silence_book_cover(self->silences, stored->silenced_by.items[i]);
    if (stored->incident != 0)
        incident_tracker_restore_alert(self->incidents, stored->incident);
    alert_manager_number(self, stored->id);
}

void alert_manager_restore_end(alert_manager_t *self, double wall_s)
{
    self->ended_at = wall_s;
}

/*  What is not heard of for its policy's lookback from now on has no data. A clock that ran stands
 * until then, also in the store. */
static void wait_for_data(alert_manager_t *self, active_alert_t *alert)
{
    deadlines_set(&self->ledger.deadlines, alert->place,
                  self->effects->now.mono_ns + ns_of(alert->policy->definition->lookback),
                  alert->view->id);
    if (!isnan(alert->view->clock_at))
        write_row(self, alert);
}

void alert_manager_start(alert_manager_t *self)
{
    uint64_t at = 0;
    for (active_alert_t *alert; (alert = alert_ledger_next(&self->ledger, &at)) != NULL;)
        if (alert->policy == NULL)
            move_by_itself(self, alert, ALERT_RESOLVED, "policy_changed");
        else
            wait_for_data(self, alert);
}

void alert_manager_end_policy(alert_manager_t *self, alerting_policy_t *policy)
{
    while (policy->first != NULL)
        if (policy->first->view->state == ALERT_PENDING)
            forget(self, policy->first);
        else
            move_by_itself(self, policy->first, ALERT_RESOLVED, "policy_changed");
}

/* -- what persons do -- */

status_t alert_manager_fire(alert_manager_t *self, alerting_policy_t *policy,
                            const alert_fire_t *given, const alert_t **view, schema_error_t *error)
{
    char id[NUMBERED_BYTES];
    active_alert_t *alert = find_identical(self, policy, given->labels);
    if (alert != NULL) {
        alert->view->occurrences++;
        save(self, alert);
    } else {
        alert = begin(self, policy, given->labels, NAN, given->message);
        if (alert == NULL)
            return refuse_with(error, STATUS_LIMIT, "there are %u active alerts, the limit",
                               self->ledger.limit);
        alert->view->by_hand = true;
        fire(self, alert, TEXT_NONE, TEXT_OF("by hand"));
    }
    effects_audit(self->effects, TEXT_NONE, TEXT_OF("alert.fire"),
                  numbered(id, "ALT-", alert->view->id), TEXT_NONE, policy->definition->name);
    *view = alert->view;
    return STATUS_OK;
}

static void add_note(alert_manager_t *self, active_alert_t *alert, const alert_act_t *act)
{
    if (act->note.size == 0)
        return;
    alert_t next = *alert->view;
    note_t *notes = arena_take(&self->effects->scratch, (next.notes_shown + 1) * sizeof *notes);
    for (uint32_t i = 0; i < next.notes_shown; i++)
        notes[i] = next.notes[i];
    notes[next.notes_shown++] = (note_t){self->effects->now.wall_s, act->by, act->note};
    next.notes = notes;
    next.notes_count++;
    active_alert_put(alert, &next);
    effects_add(self->effects,
                (effect_t){.type = EFFECT_NOTE_ALERT,
                           .as.note = {next.id, next.notes_count, &notes[next.notes_shown - 1]}});
}

/*  A person moves it. `allowed`: from which state it may, ALERT_STATE_COUNT: from any active one.
 */
static status_t move_by_hand(alert_manager_t *self, const alert_act_t *act, alert_state_t allowed,
                             alert_state_t to, text_t what, active_alert_t **alert,
                             schema_error_t *error)
{
    char id[NUMBERED_BYTES];
    text_t subject = numbered(id, "ALT-", act->alert);
    *alert = alert_ledger_find(&self->ledger, act->alert);
    if (*alert == NULL)
        return refuse_with(error, STATUS_NOT_FOUND, "there is no alert %.*s", WORDS(subject));
    alert_state_t from = (*alert)->view->state;
    if (!moves[from][to] || (allowed != ALERT_STATE_COUNT && from != allowed))
        return refuse_with(error, STATUS_BAD_TRANSITION, "%.*s is %s and cannot become %s",
                           WORDS(subject), alert_state_words[from], alert_state_words[to]);
    add_note(self, *alert, act);
    effects_audit(self->effects, act->by, what, subject, text_of(alert_state_words[from]),
                  text_of(alert_state_words[to]));
    move(self, *alert, to, (int)from, act->by, TEXT_OF("by_hand"));
    return STATUS_OK;
}

status_t alert_manager_acknowledge(alert_manager_t *self, const alert_act_t *act,
                                   const alert_t **view, schema_error_t *error)
{
    active_alert_t *alert;
    status_t status = move_by_hand(self, act, ALERT_FIRING, ALERT_ACKNOWLEDGED,
                                   TEXT_OF("alert.ack"), &alert, error);
    if (status == STATUS_OK)
        *view = alert->view;
    return status;
}

status_t alert_manager_resolve(alert_manager_t *self, const alert_act_t *act, const alert_t **view,
                               schema_error_t *error)
{
    active_alert_t *alert;
    status_t status = move_by_hand(self, act, ALERT_STATE_COUNT, ALERT_RESOLVED,
                                   TEXT_OF("alert.resolve"), &alert, error);
    if (status == STATUS_OK)
        *view = alert->view;
    return status;
}
