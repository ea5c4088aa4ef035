#include "engines/operations/alert_inside.h"
#include "engines/operations/correlation.h"
#include "engines/operations/inhibition.h"
#include "proto/must.h"
#include "proto/wording.h"

#include <math.h>

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

bool alert_may_move(alert_state_t from, alert_state_t to)
{
    return moves[from][to];
}

void alert_run_clock(alert_manager_t *self, active_alert_t *alert, double until_s)
{
    active_alert_run(alert, &self->ledger.deadlines, until_s, self->effects->now);
}

void alert_drop_clock(alert_manager_t *self, active_alert_t *alert)
{
    active_alert_drop(alert, &self->ledger.deadlines);
}

active_alert_t *alert_find_identical(const alert_manager_t *self, const alerting_policy_t *policy,
                                     labels_t labels)
{
    return alert_ledger_identical(&self->ledger, policy->definition->name, labels);
}

/* -- what comes out -- */

/*  Have its row written as it is, its clock with it. */
void alert_write_row(alert_manager_t *self, active_alert_t *alert)
{
    bool stands = alert->clock_since == INSTANT_NEVER;
    alert->view->clock_s = active_alert_clock_s(alert, self->effects->now);
    alert->view->clock_at = stands ? NAN : self->effects->now.wall_s;
    effects_add(self->effects, (effect_t){.type = EFFECT_SAVE_ALERT, .as.alert = alert->view});
}

/*  It has changed. */
void alert_save(alert_manager_t *self, active_alert_t *alert)
{
    alert->view->updated_at = self->effects->now.wall_s;
    alert_write_row(self, alert);
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
    alert_save(context, alert);
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
        alert_save(self, alert);
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
        alert_save(self, alert);
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
void alert_move(alert_manager_t *self, active_alert_t *alert, alert_state_t to, int shown,
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
    alert_drop_clock(self, alert);
    if (alert->policy != NULL)
        correlation_moved(self->incidents, self->effects,
                          &(alert_move_t){.alert = view,
                                          .policy = alert->policy->definition,
                                          .from = from,
                                          .by = by,
                                          .cause = cause});
    alert_save(self, alert);
    publish(self, alert, shown);
    if (over) {
        leave_silences(self, alert);
        alert_ledger_leave(&self->ledger, alert);
    }
    if (over || !was_told)
        spread(self, alert, over);
}

void alert_move_by_itself(alert_manager_t *self, active_alert_t *alert, alert_state_t to,
                          const char *cause)
{
    alert_move(self, alert, to, (int)alert->view->state, TEXT_NONE, text_of(cause));
}

void alert_forget(alert_manager_t *self, active_alert_t *alert)
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

/*  A condition may make more labels than a sender may send: then there is no room for the policy's.
 */
static labels_t lay_over(labels_t result, labels_t policy, uint8_t *buffer)
{
    bool room = result.count + policy.count <= LABELS_MAX;
    return room ? labels_merge(result, policy, buffer) : result;
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
    view->labels = lay_over(labels, policy->labels, self->labels);
    view->fingerprint = fingerprint(policy->name, labels);
    view->runbook = policy->runbook;
    view->occurrences = 1;
    view->pending_at = view->updated_at = self->effects->now.wall_s;
}

active_alert_t *alert_begin(alert_manager_t *self, alerting_policy_t *policy, labels_t labels,
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
