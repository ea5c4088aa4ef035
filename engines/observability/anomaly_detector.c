#include "engines/observability/anomaly_detector.h"

#include "engines/glob.h"
#include "engines/keep.h"
#include "engines/roster.h"
#include "proto/must.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Watches from before the process began that there is room for, until there are more. */
#define MEMORIES_AT_FIRST 16u

/* A mode is a way to judge over the state that every watch has: another one is another table. */
typedef struct {
    const char *name;
    verdict_t (*judge)(const watch_t *watch, double value);
    void (*take)(watch_t *watch, double value);
} anomaly_mode_t;

struct watch {
    const anomaly_mode_t *mode;
    anomaly_detector_t *detector;
    watch_t *previous_changed, *next_changed;
    bool changed;    /* in the detector's list */
    uint32_t number; /* of its series */
    double sensitivity;
    uint32_t min_history;
    severity_t severity;
    bool anomalous;
    double last_value; /* NaN before the first */
    double score;
    double since;
    moments_t moments;
};

struct anomaly_detector {
    anomaly_rule_t *rules; /* with texts and labels of our own */
    size_t count;
    watch_t *first_changed, *last_changed; /* took values since they were told */
    roster_t memories;                     /* watches from before, by metric and labels */
};

/* -- mode gaussian -- */

static verdict_t gaussian_judge(const watch_t *watch, double value)
{
    const moments_t *before = &watch->moments;
    verdict_t verdict = {moments_mean(before), moments_deviation(before), NAN, false};
    if (before->count < 2)
        return verdict;
    moments_distance_t from_mean = moments_distance(before, value);
    if (from_mean.deviation > 0)
        verdict.score = from_mean.distance / from_mean.deviation;
    verdict.anomalous = before->count >= watch->min_history &&
                        fabs(from_mean.distance) > watch->sensitivity * from_mean.deviation;
    return verdict;
}

static void gaussian_take(watch_t *watch, double value)
{
    moments_add(&watch->moments, value);
}

static const anomaly_mode_t gaussian = {"gaussian", gaussian_judge, gaussian_take};

/* -- rules -- */

static const anomaly_rule_t default_rules[] = {{.name_glob = {NULL, 0},
                                                .kind = METRIC_GAUGE,
                                                .sensitivity = ANOMALY_SENSITIVITY_DEFAULT,
                                                .min_history = ANOMALY_HISTORY_DEFAULT,
                                                .severity = SEVERITY_MEDIUM,
                                                .watch = true}};

status_t anomaly_rule_check(const anomaly_rule_t *rule)
{
    bool good = rule->sensitivity >= ANOMALY_SENSITIVITY_MIN &&
                rule->sensitivity <= ANOMALY_SENSITIVITY_MAX &&
                rule->min_history >= ANOMALY_HISTORY_MIN && rule->min_history <= MOMENTS_WINDOW &&
                rule->kind >= -1 && rule->kind < METRIC_KIND_COUNT &&
                rule->severity < SEVERITY_COUNT;
    return good ? STATUS_OK : STATUS_BAD_VALUE;
}

static void drop_rules(anomaly_detector_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        drop_text(&self->rules[i].name_glob);
        drop_labels(&self->rules[i].labels);
    }
    free(self->rules);
}

void anomaly_detector_configure(anomaly_detector_t *self, const anomaly_rule_t *rules, size_t count)
{
    if (count == 0) {
        rules = default_rules;
        count = sizeof default_rules / sizeof *default_rules;
    }
    anomaly_rule_t *copies = memory_new(count, sizeof *copies);
    for (size_t i = 0; i < count; i++) {
        must(anomaly_rule_check(&rules[i]) == STATUS_OK);
        copies[i] = rules[i];
        copies[i].name_glob = keep_text(rules[i].name_glob);
        copies[i].labels = keep_labels(rules[i].labels);
    }
    drop_rules(self);
    self->rules = copies;
    self->count = count;
}

anomaly_detector_t *anomaly_detector_new(const anomaly_rule_t *rules, size_t count, uint64_t seed)
{
    anomaly_detector_t *self = memory_new(1, sizeof *self);
    roster_init(&self->memories, MEMORIES_AT_FIRST, seed);
    anomaly_detector_configure(self, rules, count);
    return self;
}

void anomaly_detector_destroy(anomaly_detector_t **self)
{
    if (*self == NULL)
        return;
    drop_rules(*self);
    anomaly_detector_forget_memories(*self);
    roster_free(&(*self)->memories);
    free(*self);
    *self = NULL;
}

/* What the broker says about itself is watched only by a rule that names it; scores never, for a
 * score has no score. */
static bool rule_names(const anomaly_rule_t *rule, text_t name)
{
    if (text_is(name, ANOMALY_SCORE_SERIES))
        return false;
    bool own = text_begins(name, TEXT_OF("tocsin_")) || text_is(name, "ALERTS");
    if (own && !text_begins(rule->name_glob, TEXT_OF("tocsin_")) &&
        !text_equal(rule->name_glob, name))
        return false;
    return rule->name_glob.data == NULL || glob_takes(rule->name_glob, name);
}

static const anomaly_rule_t *rule_for(const anomaly_detector_t *self, watched_t what)
{
    for (size_t i = 0; i < self->count; i++) {
        const anomaly_rule_t *rule = &self->rules[i];
        if ((rule->kind < 0 || rule->kind == (int)what.kind) && rule_names(rule, what.name) &&
            labels_include(what.labels, rule->labels))
            return rule;
    }
    return NULL;
}

static watch_t *new_watch(anomaly_detector_t *detector)
{
    watch_t *watch = memory_new(1, sizeof *watch);
    watch->mode = &gaussian;
    watch->detector = detector;
    watch->last_value = watch->score = watch->since = NAN;
    moments_init(&watch->moments);
    return watch;
}

/* -- what outlives the process -- */

/* A metric and its labels as one text; free it. */
static text_t key_of(text_t name, labels_t labels)
{
    size_t size = name.size + 1 + labels.size;
    char *key = memory_new(size, 1);
    memcpy(key, name.data, name.size);
    if (labels.size > 0)
        memcpy(key + name.size + 1, labels.bytes, labels.size);
    return (text_t){key, size};
}

/* Take what is remembered of a series; NULL if nothing is. */
static watch_t *take_memory(anomaly_detector_t *self, text_t name, labels_t labels)
{
    if (roster_count(&self->memories) == 0)
        return NULL;
    text_t key = key_of(name, labels);
    watch_t *watch = roster_find(&self->memories, key);
    if (watch != NULL)
        roster_remove(&self->memories, key);
    drop_text(&key);
    return watch;
}

void anomaly_detector_recall(anomaly_detector_t *self, const watch_memory_t *memory)
{
    must(memory->count > 0);
    if (!text_is(memory->mode, gaussian.name))
        return;
    watch_t *watch = new_watch(self), *old = take_memory(self, memory->name, memory->labels);
    for (uint32_t i = 0; i < memory->count; i++)
        watch->mode->take(watch, memory->values[i]);
    watch->last_value = memory->values[memory->count - 1];
    watch->score = memory->score;
    watch->since = memory->since;
    watch->anomalous = memory->anomalous;
    text_t key = key_of(memory->name, memory->labels);
    if (roster_full(&self->memories))
        roster_grow(&self->memories, 2 * roster_count(&self->memories));
    roster_add(&self->memories, key, watch);
    drop_text(&key);
    anomaly_watch_destroy(&old);
}

void anomaly_detector_forget_memories(anomaly_detector_t *self)
{
    uint64_t at = 0, seed = self->memories.seed;
    for (watch_t *watch; (watch = roster_next(&self->memories, &at)) != NULL;)
        anomaly_watch_destroy(&watch);
    roster_free(&self->memories);
    roster_init(&self->memories, MEMORIES_AT_FIRST, seed);
}

bool anomaly_watch_remember(const watch_t *watch, double values[MOMENTS_WINDOW],
                            watch_memory_t *memory)
{
    memory->mode = text_of(watch->mode->name);
    memory->values = values;
    memory->count = moments_values(&watch->moments, values);
    memory->score = watch->score;
    memory->since = watch->since;
    memory->anomalous = watch->anomalous;
    return memory->count > 0;
}

void anomaly_detector_rule(anomaly_detector_t *self, watched_t what, watch_t **watch)
{
    const anomaly_rule_t *rule = rule_for(self, what);
    if (rule == NULL || !rule->watch) {
        anomaly_watch_destroy(watch);
        return;
    }
    if (*watch == NULL)
        *watch = take_memory(self, what.name, what.labels);
    if (*watch == NULL)
        *watch = new_watch(self);
    (*watch)->number = what.number;
    (*watch)->sensitivity = rule->sensitivity;
    (*watch)->min_history = rule->min_history;
    (*watch)->severity = rule->severity;
}

static void note_change(watch_t *watch)
{
    anomaly_detector_t *detector = watch->detector;
    if (watch->changed)
        return;
    watch->changed = true;
    watch->previous_changed = detector->last_changed;
    if (detector->last_changed == NULL)
        detector->first_changed = watch;
    else
        detector->last_changed->next_changed = watch;
    detector->last_changed = watch;
}

static void leave_changed(watch_t *watch)
{
    anomaly_detector_t *detector = watch->detector;
    if (!watch->changed)
        return;
    if (watch->previous_changed == NULL)
        detector->first_changed = watch->next_changed;
    else
        watch->previous_changed->next_changed = watch->next_changed;
    if (watch->next_changed == NULL)
        detector->last_changed = watch->previous_changed;
    else
        watch->next_changed->previous_changed = watch->previous_changed;
    watch->previous_changed = watch->next_changed = NULL;
    watch->changed = false;
}

bool anomaly_detector_changed(anomaly_detector_t *self, uint32_t *number, double *score)
{
    watch_t *watch = self->first_changed;
    if (watch == NULL)
        return false;
    leave_changed(watch);
    *number = watch->number;
    *score = watch->score;
    return true;
}

void anomaly_watch_destroy(watch_t **watch)
{
    if (*watch == NULL)
        return;
    leave_changed(*watch);
    free(*watch);
    *watch = NULL;
}

/* -- values -- */

verdict_t anomaly_watch_check(const watch_t *watch, double value)
{
    return watch->mode->judge(watch, value);
}

episode_t anomaly_watch_take(watch_t *watch, double value, instant_t now, verdict_t *verdict)
{
    *verdict = watch->mode->judge(watch, value);
    watch->mode->take(watch, value);
    note_change(watch);
    bool was = watch->anomalous, first = isnan(watch->last_value);
    watch->anomalous = verdict->anomalous;
    watch->last_value = value;
    watch->score = verdict->score;
    if (was != watch->anomalous || first)
        watch->since = now.wall_s;
    if (was == watch->anomalous)
        return EPISODE_NONE;
    return was ? EPISODE_ENDS : EPISODE_BEGINS;
}

void anomaly_watch_view(const watch_t *watch, anomaly_view_t *view)
{
    view->mode = text_of(watch->mode->name);
    view->sensitivity = watch->sensitivity;
    view->history = watch->moments.count;
    view->mean = moments_mean(&watch->moments);
    view->stddev = moments_deviation(&watch->moments);
    view->last_value = watch->last_value;
    view->score = watch->score;
    view->anomalous = watch->anomalous;
    view->since = watch->since;
    view->severity = watch->severity;
}
