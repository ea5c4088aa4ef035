/*  Seeded stories: people, conditions and crashes against the operations wing, held against a model
 *  that keeps everything in arrays and looks at all of it at every step.
 */
#include "tests/engines/operations_world.h"
#include "tests/engines/seeds.h"

enum { POLICIES = 3, LABEL_SETS = 3, KEYS = 3, MATCHES = 3, MOST = 512, STEPS = 150 };

#define LOOKBACK_S 300.0

static const char *const policy_names[POLICIES] = {"p0", "p1", "p2"};
static const char *const label_sets[LABEL_SETS] = {"host=a", "host=b", "host=a,zone=z"};
static const char *const keys[KEYS] = {NULL, "k1", "k2"};
static const char *const matches[MATCHES] = {"host=a", "zone=z", "policy=p1,severity=high"};

typedef struct {
    bool there, enabled, opens, resolves, inhibited; /* by the policy before it */
    bool hysteresis;                                 /* it has a resolve condition */
    double for_s, keep_s;
    no_data_t no_data;
} model_policy_t;

typedef struct {
    bool there, holds, recovers, by_hand, unheard;
    int policy, labels;
    int rank; /* its policy's among those who inhibit each other, when its clock was set */
    alert_state_t state;
    uint64_t occurrences, incident;
    const char *reason;
    double fired_at, acknowledged_at;
    double clock_s;    /* NaN: none */
    double running_at; /* when it showed that; NaN: it stands */
    double unheard_until;
} model_alert_t;

typedef struct {
    int key, policy; /* -1: a person's */
    incident_status_t status;
    uint64_t occurrences, notes, alerts;
    double created_at, acknowledged_at, resolved_at;
} model_incident_t;

typedef struct {
    bool there;
    int match;
    double until; /* NaN: until what it covers is resolved */
} model_silence_t;

typedef struct {
    model_policy_t policies[POLICIES];
    model_silence_t silences[MOST];
    uint64_t last_silence;
    model_alert_t alerts[MOST]; /* by number */
    model_incident_t incidents[MOST];
    uint64_t last_alert, last_incident;
    double now;
} model_t;

static model_t model, committed;
static world_t world;
static dice_t *dice;

/* -- the model: incidents -- */

static uint64_t unclosed_of(int policy)
{
    for (uint64_t id = 1; id <= model.last_incident; id++)
        if (model.incidents[id].policy == policy && model.incidents[id].status != INCIDENT_CLOSED)
            return id;
    return 0;
}

static bool may_move(incident_status_t from, incident_status_t to)
{
    bool reopens = from == INCIDENT_RESOLVED && to == INCIDENT_INVESTIGATING;
    return from != INCIDENT_CLOSED && (to > from || reopens);
}

static void move_incident(model_incident_t *incident, incident_status_t to)
{
    if (to == INCIDENT_INVESTIGATING && isnan(incident->acknowledged_at))
        incident->acknowledged_at = model.now;
    if (to == INCIDENT_INVESTIGATING)
        incident->resolved_at = NAN;
    else if (to == INCIDENT_RESOLVED || incident->status != INCIDENT_RESOLVED)
        incident->resolved_at = model.now;
    incident->status = to;
}

static uint64_t open_incident(int key, int policy)
{
    model.incidents[++model.last_incident] = (model_incident_t){.key = key,
                                                                .policy = policy,
                                                                .occurrences = 1,
                                                                .created_at = model.now,
                                                                .acknowledged_at = NAN,
                                                                .resolved_at = NAN};
    return model.last_incident;
}

static uint64_t active_in(uint64_t incident)
{
    uint64_t count = 0;
    for (uint64_t id = 1; id <= model.last_alert; id++)
        count += model.alerts[id].there && model.alerts[id].incident == incident &&
                 model.alerts[id].state != ALERT_RESOLVED;
    return count;
}

/*  What a move of an alert does to incidents. */
static void correlate(model_alert_t *alert)
{
    const model_policy_t *policy = &model.policies[alert->policy];
    if (alert->incident == 0 && policy->opens && alert->state != ALERT_RESOLVED) {
        alert->incident = unclosed_of(alert->policy);
        if (alert->incident == 0)
            alert->incident = open_incident(0, alert->policy);
        else if (model.incidents[alert->incident].status == INCIDENT_RESOLVED)
            move_incident(&model.incidents[alert->incident], INCIDENT_INVESTIGATING);
        model.incidents[alert->incident].alerts++;
        return;
    }
    model_incident_t *incident = &model.incidents[alert->incident];
    if (alert->incident != 0 && alert->state == ALERT_RESOLVED && policy->resolves &&
        strcmp(alert->reason, "policy_changed") != 0 && active_in(alert->incident) == 0 &&
        incident->status < INCIDENT_RESOLVED)
        move_incident(incident, INCIDENT_RESOLVED);
}

/* -- the model: who is told -- */

static bool is_told(const model_alert_t *alert)
{
    return alert->there && alert->state != ALERT_RESOLVED && alert->state != ALERT_PENDING;
}

static bool covers(const model_silence_t *silence, const model_alert_t *alert)
{
    const bool takes[MATCHES] = {alert->labels != 1, alert->labels == 2, alert->policy == 1};
    return silence->there && takes[silence->match];
}

static uint64_t covered_by(const model_silence_t *silence)
{
    uint64_t count = 0;
    for (uint64_t id = 1; id <= model.last_alert; id++)
        count += is_told(&model.alerts[id]) && covers(silence, &model.alerts[id]) ? 1 : 0;
    return count;
}

/*  A told alert has ended: so have the silences that covered it and nothing else. */
static void end_silences(const model_alert_t *alert)
{
    for (uint64_t id = 1; id <= model.last_silence; id++) {
        model_silence_t *silence = &model.silences[id];
        if (covers(silence, alert) && isnan(silence->until) && covered_by(silence) == 0)
            silence->there = false;
    }
}

/* -- the model: alerts -- */

static model_alert_t *active(int policy, int labels)
{
    for (uint64_t id = 1; id <= model.last_alert; id++) {
        model_alert_t *alert = &model.alerts[id];
        if (alert->there && alert->state != ALERT_RESOLVED && alert->policy == policy &&
            alert->labels == labels)
            return alert;
    }
    return NULL;
}

static void stop_clock(model_alert_t *alert)
{
    alert->clock_s = alert->running_at = NAN;
}

static void move_alert(model_alert_t *alert, alert_state_t to, const char *reason)
{
    bool was_told = is_told(alert);
    alert->state = to;
    alert->reason = to == ALERT_RESOLVED ? reason : NULL;
    if (to == ALERT_FIRING && isnan(alert->fired_at))
        alert->fired_at = model.now;
    if (to == ALERT_ACKNOWLEDGED && isnan(alert->acknowledged_at))
        alert->acknowledged_at = model.now;
    stop_clock(alert);
    correlate(alert);
    if (was_told && to == ALERT_RESOLVED)
        end_silences(alert);
}

static model_alert_t *new_alert(int policy, int labels)
{
    model_alert_t *alert = &model.alerts[++model.last_alert];
    *alert = (model_alert_t){.there = true,
                             .policy = policy,
                             .labels = labels,
                             .occurrences = 1,
                             .fired_at = NAN,
                             .acknowledged_at = NAN};
    stop_clock(alert);
    return alert;
}

static double clock_of(const model_alert_t *alert)
{
    return isnan(alert->running_at) ? alert->clock_s
                                    : alert->clock_s + model.now - alert->running_at;
}

static int rank_of(int policy)
{
    bool inhibited = model.policies[policy].inhibited && model.policies[policy - 1].there;
    return inhibited ? 1 + rank_of(policy - 1) : 0;
}

static void run_clock(model_alert_t *alert)
{
    alert->rank = rank_of(alert->policy);
    alert->clock_s = isnan(alert->clock_s) ? 0 : clock_of(alert);
    alert->running_at = model.now;
}

static void raise_alert(int policy, int labels)
{
    model_alert_t *alert = new_alert(policy, labels);
    alert->holds = true;
    if (model.policies[policy].for_s > 0)
        run_clock(alert);
    else
        move_alert(alert, ALERT_FIRING, NULL);
}

static void no_data(model_alert_t *alert)
{
    const model_policy_t *policy = &model.policies[alert->policy];
    if (policy->no_data == NO_DATA_KEEP || alert->by_hand) {
        alert->clock_s = clock_of(alert);
        alert->running_at = NAN;
    } else if (policy->no_data == NO_DATA_FIRE) {
        if (alert->state != ALERT_NO_DATA)
            move_alert(alert, ALERT_NO_DATA, NULL);
    } else if (alert->state == ALERT_PENDING) {
        alert->there = false;
    } else {
        move_alert(alert, ALERT_RESOLVED, "no_data");
    }
}

/*  Is what fires over by what was heard of it? */
static bool is_over(const model_alert_t *alert)
{
    return !alert->holds && (!model.policies[alert->policy].hysteresis || alert->recovers);
}

static void data_is_back(model_alert_t *alert)
{
    bool fired = !isnan(alert->fired_at), holds = alert->holds;
    int policy = alert->policy, labels = alert->labels;
    bool stays = holds || (fired && !is_over(alert));
    if (stays && (fired || model.policies[policy].for_s == 0)) {
        bool acknowledged = !isnan(alert->acknowledged_at);
        move_alert(alert, acknowledged ? ALERT_ACKNOWLEDGED : ALERT_FIRING, NULL);
        return;
    }
    move_alert(alert, ALERT_RESOLVED, "recovered");
    if (holds)
        raise_alert(policy, labels);
}

static void judge(model_alert_t *alert)
{
    if (!is_over(alert) || alert->by_hand) {
        alert->occurrences += isnan(alert->clock_s) ? 0 : 1;
        stop_clock(alert);
    } else if (model.policies[alert->policy].keep_s > 0) {
        run_clock(alert);
    } else {
        move_alert(alert, ALERT_RESOLVED, "recovered");
    }
}

static void hear_known(model_alert_t *alert, bool holds)
{
    alert->holds = holds;
    if (alert->state == ALERT_NO_DATA) {
        data_is_back(alert);
    } else if (alert->state == ALERT_PENDING) {
        alert->there = holds;
        run_clock(alert);
    } else {
        judge(alert);
    }
}

/*  The resolve condition. */
static void hear_recovery(int policy, int labels, bool recovers)
{
    model_alert_t *alert = active(policy, labels);
    if (alert == NULL)
        return;
    alert->recovers = recovers;
    if (!alert->unheard && (alert->state == ALERT_FIRING || alert->state == ALERT_ACKNOWLEDGED))
        judge(alert);
}

static void hear(int policy, int labels, result_state_t state)
{
    model_alert_t *alert = active(policy, labels);
    if (!model.policies[policy].there || !model.policies[policy].enabled)
        return;
    if (alert != NULL)
        alert->unheard = false;
    if (alert != NULL && state == RESULT_NO_DATA)
        no_data(alert);
    else if (alert != NULL)
        hear_known(alert, state == RESULT_HOLDS);
    else if (state == RESULT_HOLDS)
        raise_alert(policy, labels);
    else if (state == RESULT_NO_DATA && model.policies[policy].no_data == NO_DATA_FIRE)
        move_alert(new_alert(policy, labels), ALERT_NO_DATA, NULL);
}

/*  When something happens to an alert by itself; INFINITY: never. */
static double deadline_of(const model_alert_t *alert)
{
    const model_policy_t *policy = &model.policies[alert->policy];
    if (!alert->there || alert->state == ALERT_RESOLVED)
        return INFINITY;
    if (alert->unheard)
        return alert->unheard_until;
    if (isnan(alert->running_at))
        return INFINITY;
    double until = alert->state == ALERT_PENDING ? policy->for_s : policy->keep_s;
    return alert->running_at + fmax(0, until - alert->clock_s);
}

static void pass_silences(double until)
{
    for (uint64_t id = 1; id <= model.last_silence; id++)
        if (model.silences[id].until <= until)
            model.silences[id].there = false;
}

/*  Of what happens at the same moment causes come first; alerts are asked in order of number. */
static bool comes_before(const model_alert_t *a, const model_alert_t *b)
{
    int rank_a = a->unheard ? 0 : a->rank, rank_b = b->unheard ? 0 : b->rank;
    return deadline_of(a) < deadline_of(b) || (deadline_of(a) == deadline_of(b) && rank_a < rank_b);
}

static void pass_time(double until)
{
    for (;;) {
        model_alert_t *first = NULL;
        for (uint64_t id = 1; id <= model.last_alert; id++)
            if (deadline_of(&model.alerts[id]) <= until &&
                (first == NULL || comes_before(&model.alerts[id], first)))
                first = &model.alerts[id];
        if (first == NULL)
            break;
        model.now = fmax(model.now, deadline_of(first));
        if (first->unheard) {
            first->unheard = false;
            no_data(first);
        } else if (first->state == ALERT_PENDING) {
            move_alert(first, ALERT_FIRING, NULL);
        } else {
            move_alert(first, ALERT_RESOLVED, "recovered");
        }
    }
    model.now = until;
    pass_silences(until);
}

static void end_policy(int policy)
{
    for (uint64_t id = 1; id <= model.last_alert; id++) {
        model_alert_t *alert = &model.alerts[id];
        if (!alert->there || alert->policy != policy || alert->state == ALERT_RESOLVED)
            continue;
        if (alert->state == ALERT_PENDING)
            alert->there = false;
        else
            move_alert(alert, ALERT_RESOLVED, "policy_changed");
    }
}

/*  A new process: clocks stand where they stood at the commit, until their conditions are heard of.
 */
static void crash_model(double second)
{
    model = committed;
    for (uint64_t id = 1; id <= model.last_alert; id++) {
        model_alert_t *alert = &model.alerts[id];
        alert->clock_s = clock_of(alert);
        alert->running_at = NAN;
        alert->unheard = true;
        alert->holds = isnan(alert->clock_s);
        alert->recovers = false;
        alert->unheard_until = second + LOOKBACK_S;
    }
    model.now = second;
}

/* -- both at once -- */

static int any_of(int count)
{
    return (int)dice_below(dice, (uint64_t)count);
}

static void put_policy(void)
{
    static const double for_s[] = {0, 10, 30}, keep_s[] = {0, 0, 20};
    int which = any_of(POLICIES);
    model_policy_t put = {.there = true,
                          .enabled = dice_chance(dice, 0.9),
                          .opens = dice_chance(dice, 0.6),
                          .resolves = dice_chance(dice, 0.6),
                          .hysteresis = dice_chance(dice, 0.3),
                          .inhibited = which > 0 && dice_chance(dice, 0.7),
                          .for_s = for_s[any_of(3)],
                          .keep_s = keep_s[any_of(3)],
                          .no_data = (no_data_t)any_of(NO_DATA_COUNT)};
    policy_t policy = world_policy(policy_names[which], "x > 1");
    policy.enabled = put.enabled;
    policy.open_incident = put.opens;
    policy.auto_resolve = put.resolves;
    policy.for_s = put.for_s;
    policy.keep_firing_for = put.keep_s;
    policy.no_data = put.no_data;
    if (put.hysteresis)
        policy.resolve_condition = TEXT_OF("x < 0");
    text_t inhibitor[] = {text_of(policy_names[which > 0 ? which - 1 : 0])};
    policy.inhibited_by = (texts_t){inhibitor, put.inhibited ? 1 : 0};
    world_put(&world, &policy);
    const model_policy_t *old = &model.policies[which];
    bool same = old->there && old->enabled == put.enabled && old->opens == put.opens &&
                old->resolves == put.resolves && old->inhibited == put.inhibited &&
                old->hysteresis == put.hysteresis && old->for_s == put.for_s &&
                old->keep_s == put.keep_s && old->no_data == put.no_data;
    if (!same)
        end_policy(which);
    model.policies[which] = put;
}

static void delete_policy(void)
{
    int which = any_of(POLICIES);
    named_t named = {.name = text_of(policy_names[which])};
    bool there = model.policies[which].there;
    assert_int_equal(world_do(&world, DO_POLICY_DELETE, &named),
                     there ? STATUS_OK : STATUS_NOT_FOUND);
    end_policy(which);
    model.policies[which].there = false;
}

static void hear_both(void)
{
    static const result_state_t states[] = {RESULT_HOLDS, RESULT_HOLDS, RESULT_CLEAR,
                                            RESULT_NO_DATA};
    int policy = any_of(POLICIES), labels = any_of(LABEL_SETS);
    result_state_t state = states[any_of(4)];
    if (!model.policies[policy].there)
        return;
    if (model.policies[policy].hysteresis && model.policies[policy].enabled &&
        dice_chance(dice, 0.4)) {
        bool recovers = dice_chance(dice, 0.5);
        world_hear_of(&world, policy_names[policy], true, label_sets[labels],
                      recovers ? RESULT_HOLDS : RESULT_CLEAR, 1);
        world_at(&world, model.now);
        hear_recovery(policy, labels, recovers);
        return;
    }
    world_hear(&world, policy_names[policy], label_sets[labels], state, 1 + any_of(9));
    hear(policy, labels, state);
}

static void pass_time_both(void)
{
    double until = model.now + any_of(40);
    world_at(&world, until);
    pass_time(until);
}

static void fire(void)
{
    int policy = any_of(POLICIES), labels = any_of(LABEL_SETS);
    status_t status = world_fire(&world, policy_names[policy], label_sets[labels]);
    model_alert_t *alert = active(policy, labels);
    assert_int_equal(status, model.policies[policy].there ? STATUS_OK : STATUS_NOT_FOUND);
    if (status != STATUS_OK)
        return;
    assert_int_equal(world.answer.fired, model.policies[policy].enabled);
    if (!model.policies[policy].enabled)
        return;
    if (alert != NULL) {
        alert->occurrences++;
        return;
    }
    alert = new_alert(policy, labels);
    alert->by_hand = true;
    move_alert(alert, ALERT_FIRING, NULL);
}

static void act_on_alert(bool resolve)
{
    uint64_t id = 1 + dice_below(dice, model.last_alert + 1);
    model_alert_t *alert = &model.alerts[id];
    if (id > model.last_alert || !alert->there || alert->state == ALERT_RESOLVED)
        return; /* what is over lives in the store alone: test_alert_manager */
    bool may = resolve || alert->state == ALERT_FIRING;
    assert_int_equal(resolve ? world_resolve(&world, id) : world_acknowledge(&world, id),
                     may ? STATUS_OK : STATUS_BAD_TRANSITION);
    if (may)
        move_alert(alert, resolve ? ALERT_RESOLVED : ALERT_ACKNOWLEDGED, "by_hand");
}

static void open_both(void)
{
    int key = any_of(KEYS);
    uint64_t known = 0;
    for (uint64_t id = 1; key != 0 && id <= model.last_incident; id++)
        if (model.incidents[id].key == key && model.incidents[id].status != INCIDENT_CLOSED)
            known = id;
    assert_int_equal(world_open(&world, "t", keys[key]), STATUS_OK);
    assert_int_equal(world.answer.duplicate, known != 0);
    if (known != 0)
        model.incidents[known].occurrences++;
    else
        known = open_incident(key, -1);
    assert_int_equal(world.answer.incident->id, known);
}

static void act_on_incident(bool note)
{
    uint64_t id = 1 + dice_below(dice, model.last_incident + 1);
    model_incident_t *incident = &model.incidents[id];
    if (id > model.last_incident || incident->status == INCIDENT_CLOSED)
        return;
    incident_status_t to = (incident_status_t)any_of(INCIDENT_STATUS_COUNT);
    incident_change_t change = {.incident = id, .text = TEXT_OF("n")};
    if (note) {
        assert_int_equal(world_do(&world, DO_INCIDENT_NOTE, &change), STATUS_OK);
        incident->notes++;
        return;
    }
    bool may = may_move(incident->status, to);
    assert_int_equal(world_move(&world, id, (int)to), may ? STATUS_OK : STATUS_BAD_TRANSITION);
    if (may)
        move_incident(incident, to);
}

static void silence_both(void)
{
    silence_put_t put = {.duration = NAN, .by = TEXT_OF("ann"), .reason = TEXT_OF("r")};
    model_silence_t silence = {.there = true, .match = any_of(MATCHES), .until = NAN};
    uint64_t count = 0;
    for (uint64_t id = 1; id <= model.last_silence; id++)
        count += model.silences[id].there ? 1 : 0;
    put.match = world_labels(&world, matches[silence.match]);
    put.until = (text_t){"\xa8resolved", 9};
    if (dice_chance(dice, 0.6)) {
        put.until = TEXT_NONE;
        put.duration = 1 + any_of(90);
        silence.until = model.now + put.duration;
    }
    bool room = count < world.config.silences;
    assert_int_equal(world_do(&world, DO_SILENCE_PUT, &put), room ? STATUS_OK : STATUS_LIMIT);
    if (room)
        model.silences[++model.last_silence] = silence;
}

static void unsilence_both(void)
{
    silence_act_t act = {.silence = 1 + dice_below(dice, model.last_silence + 1)};
    bool there = act.silence <= model.last_silence && model.silences[act.silence].there;
    assert_int_equal(world_do(&world, DO_SILENCE_DELETE, &act),
                     there ? STATUS_OK : STATUS_NOT_FOUND);
    model.silences[act.silence].there = false;
}

/* -- comparing -- */

static void compare_quiet(uint64_t id, const alert_t *alert)
{
    const model_alert_t *expected = &model.alerts[id];
    uint32_t inhibitors = 0;
    size_t silences = 0;
    char name[NUMBERED_BYTES];
    if (!is_told(expected))
        return;
    for (uint64_t other = 1; other <= model.last_alert; other++) {
        if (!model.policies[expected->policy].inhibited || !is_told(&model.alerts[other]) ||
            model.alerts[other].policy != expected->policy - 1)
            continue;
        assert_true(inhibitors < alert->inhibited_by_count);
        assert_int_equal(alert->inhibited_by[inhibitors++], other);
    }
    assert_int_equal(alert->inhibited_by_count, inhibitors);
    for (uint64_t silence = 1; silence <= model.last_silence; silence++) {
        if (!covers(&model.silences[silence], expected))
            continue;
        assert_true(silences < alert->silenced_by.count);
        assert_true(
            text_equal(alert->silenced_by.items[silences++], numbered(name, "SIL-", silence)));
    }
    assert_int_equal(alert->silenced_by.count, silences);
}

static void compare_alert(uint64_t id)
{
    const model_alert_t *expected = &model.alerts[id];
    const alert_t *alert = world_alert(&world, id);
    assert_int_equal(alert != NULL, expected->there);
    if (alert == NULL)
        return;
    assert_text(alert->policy, policy_names[expected->policy]);
    assert_string_equal(alert_state_words[alert->state], alert_state_words[expected->state]);
    assert_int_equal(alert->occurrences, expected->occurrences);
    assert_int_equal(alert->incident, expected->incident);
    assert_true(text_equal(alert->reason, text_of(expected->reason)));
    assert_double(alert->fired_at, WORLD_EPOCH + expected->fired_at, 1e-6);
    assert_double(alert->acknowledged_at, WORLD_EPOCH + expected->acknowledged_at, 1e-6);
    compare_quiet(id, alert);
}

static void compare_incident(uint64_t id)
{
    const model_incident_t *expected = &model.incidents[id];
    const incident_t *incident = world_incident(&world, id);
    assert_non_null(incident);
    assert_string_equal(incident_status_words[incident->status],
                        incident_status_words[expected->status]);
    assert_int_equal(incident->occurrences, expected->occurrences);
    assert_int_equal(incident->notes_count, expected->notes);
    assert_int_equal(incident->alert_count, expected->alerts);
    assert_double(incident->acknowledged_at, WORLD_EPOCH + expected->acknowledged_at, 1e-6);
    assert_double(incident->resolved_at, WORLD_EPOCH + expected->resolved_at, 1e-6);
}

/*  A recount of everything there is. */
static void compare_metrics(void)
{
    uint64_t states[ALERT_STATE_COUNT] = {0}, statuses[INCIDENT_STATUS_COUNT] = {0};
    uint64_t triggered = 0, acknowledged = 0, resolved = 0;
    double to_acknowledge = 0, to_resolve = 0;
    for (uint64_t id = 1; id <= model.last_alert; id++) {
        const model_alert_t *alert = &model.alerts[id];
        if (!alert->there)
            continue;
        states[alert->state]++;
        triggered += isnan(alert->fired_at) ? 0 : 1;
        acknowledged += isnan(alert->acknowledged_at) ? 0 : 1;
        if (!isnan(alert->acknowledged_at))
            to_acknowledge += alert->acknowledged_at - alert->fired_at;
    }
    for (uint64_t id = 1; id <= model.last_incident; id++) {
        const model_incident_t *incident = &model.incidents[id];
        statuses[incident->status]++;
        if (incident->status < INCIDENT_RESOLVED)
            continue;
        resolved++;
        to_resolve += incident->resolved_at - incident->created_at;
    }
    ops_metrics_t metrics;
    operations_manager_metrics(world.manager, &metrics);
    assert_int_equal(metrics.incidents_created, model.last_incident);
    assert_int_equal(metrics.incidents_resolved, resolved);
    assert_int_equal(metrics.incidents_open, model.last_incident - resolved);
    assert_int_equal(metrics.alerts_triggered, triggered);
    assert_int_equal(metrics.alerts_acknowledged, acknowledged);
    assert_int_equal(metrics.alerts_resolved, states[ALERT_RESOLVED]);
    assert_int_equal(metrics.alerts_active, states[ALERT_PENDING] + states[ALERT_FIRING] +
                                                states[ALERT_ACKNOWLEDGED] + states[ALERT_NO_DATA]);
    assert_double(metrics.mttr.mean, to_resolve / (double)resolved, 1e-6);
    assert_double(metrics.mtta.mean, to_acknowledge / (double)acknowledged, 1e-6);
}

static void commit(void)
{
    world_commit(&world);
    committed = model;
    for (uint64_t id = 1; id <= model.last_alert; id++)
        compare_alert(id);
    for (uint64_t id = 1; id <= model.last_incident; id++)
        compare_incident(id);
    compare_metrics();
}

static void crash(void)
{
    double second = model.now + any_of(400);
    world_crash(&world, second);
    crash_model(second);
    world_at(&world, second); /* what ended meanwhile */
    pass_silences(second);
    /* forgotten pending alerts' numbers may be given out again: nobody has seen them */
    model.last_alert = committed.last_alert;
    compare_metrics();
}

static void step(void)
{
    switch (any_of(20)) {
    case 0:
        put_policy();
        break;
    case 1:
        if (dice_chance(dice, 0.3))
            delete_policy();
        break;
    case 2:
        fire();
        break;
    case 3:
        act_on_alert(false);
        break;
    case 4:
        act_on_alert(true);
        break;
    case 5:
        open_both();
        break;
    case 6:
    case 7:
        act_on_incident(false);
        break;
    case 8:
        act_on_incident(true);
        break;
    case 9:
        if (dice_chance(dice, 0.3))
            crash();
        break;
    case 10:
    case 11:
    case 12:
        pass_time_both();
        break;
    case 13:
    case 14:
        commit();
        break;
    case 15:
        if (dice_chance(dice, 0.5))
            silence_both();
        else
            unsilence_both();
        break;
    default:
        hear_both();
    }
}

static void any_story(dice_t *given)
{
    dice = given;
    model = committed = (model_t){.now = 0};
    world_begin(&world);
    for (int i = 0; i < 4; i++)
        put_policy();
    commit();
    for (int i = 0; i < STEPS; i++)
        step();
    commit();
    world_end(&world);
}

static void test_operations_story__equals_the_model_whatever_happens(void **state)
{
    (void)state;
    seeds_run(any_story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        seeds_test(test_operations_story__equals_the_model_whatever_happens),
    };
    return cmocka_run_group_tests_name("operations_story", tests, NULL, NULL);
}
