#include "clients/tocsin/policy_lint.h"

#include "clients/tocsin/suggest.h"
#include "engines/condition.h"
#include "engines/condition_lint.h"
#include "proto/must.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const settings_t *settings;
    const char *file;
    const yaml_value_t *yaml;
    policy_metrics_t *metrics; /* NULL: no broker is asked */
    FILE *out;
    size_t policy; /* its index in the file */
    bool good;
} file_lint_t;

static void complain(file_lint_t *self, const char *key, const char *kind, text_t name,
                     const char *nearest)
{
    const uint8_t *at = yaml_value_find(self->yaml, "policies", self->policy, key);
    yaml_place_t place = yaml_value_place(self->yaml, at);
    fprintf(self->out, "%s:%u:%u: %s: there is no %s %.*s", self->file, place.line, place.column,
            key, kind, (int)name.size, name.data);
    if (nearest != NULL)
        fprintf(self->out, "; did you mean %s?", nearest);
    fputc('\n', self->out);
    self->good = false;
}

/*  `records` are `count` structs of `size` bytes that begin with their name. */
static void look_for(file_lint_t *self, const char *key, const char *kind, text_t name,
                     const void *records, size_t size, size_t count)
{
    char *wanted = strndup(name.data, name.size);
    must(wanted != NULL);
    suggestion_t suggestion = suggestion_for(wanted);
    char **names = memory_new(count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        const text_t *have = (const void *)((const char *)records + i * size);
        names[i] = strndup(have->data, have->size);
        must(names[i] != NULL);
        suggestion_consider(&suggestion, names[i]);
    }
    if (suggestion.nearest == NULL || suggestion.distance > 0)
        complain(self, key, kind, name, suggestion.nearest);
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
    free(wanted);
}

/* -- the conditions -- */

/*  More than anybody reads of one condition. */
#define FINDINGS_MAX 16u

static double slo_target_percent(void *context, text_t slo)
{
    const settings_t *settings = ((const file_lint_t *)context)->settings;
    for (size_t i = 0; i < settings->slo_count; i++)
        if (text_equal(settings->slos[i].name, slo))
            return settings->slos[i].target_percent;
    return NAN;
}

/* What the end of a name says by convention (prometheus.io/docs/practices/naming). */
static const struct {
    const char *ending, *unit;
    metric_kind_t kind;
} conventions[] = {
    {"_ratio", "ratio", METRIC_GAUGE},
    {"_percent", "percent", METRIC_GAUGE},
    {"_bytes", "bytes", METRIC_COUNTER},
    {"_seconds", "seconds", METRIC_COUNTER},
};

static bool ends(text_t name, const char *ending)
{
    size_t size = strlen(ending);
    return name.size >= size && memcmp(name.data + name.size - size, ending, size) == 0;
}

/*  Which metrics there will be nobody knows where no broker is: any may come. What a metric is,
 * only its name tells; where that is silent, it is taken for what goes with everything. */
static bool find_metric(void *context, text_t name, lint_metric_t *known)
{
    const file_lint_t *self = context;
    if (self->metrics != NULL)
        return policy_metrics_find(self->metrics, name, known);
    *known = (lint_metric_t){TEXT_NONE, METRIC_COUNTER};
    for (size_t i = 0; i < sizeof conventions / sizeof conventions[0]; i++)
        if (ends(name, conventions[i].ending))
            *known = (lint_metric_t){text_of(conventions[i].unit), conventions[i].kind};
    return true;
}

static void look_at_condition(file_lint_t *self, const char *key, text_t text)
{
    const lint_knowledge_t knowledge = {
        .metric = find_metric, .slo_target_percent = slo_target_percent, .context = self};
    lint_finding_t findings[FINDINGS_MAX];
    condition_error_t error;
    condition_t *condition = text.data == NULL ? NULL : condition_new(text, &error);
    size_t count =
        condition == NULL ? 0 : condition_lint(condition, &knowledge, findings, FINDINGS_MAX);
    yaml_place_t place =
        yaml_value_place(self->yaml, yaml_value_find(self->yaml, "policies", self->policy, key));
    for (size_t i = 0; i < count && i < FINDINGS_MAX; i++) {
        fprintf(self->out, "%s:%u:%u: %s: line %u, column %u: %s\n", self->file, place.line,
                place.column, key, findings[i].line, findings[i].column, findings[i].message);
        self->good = false;
    }
    condition_destroy(&condition);
}

/* -- all of it -- */

static void look_at(file_lint_t *self, const policy_t *policy)
{
    const settings_t *settings = self->settings;
    look_at_condition(self, "condition", policy->condition);
    look_at_condition(self, "resolve_condition", policy->resolve_condition);
    if (policy->runbook.size > 0)
        look_for(self, "runbook", "runbook", policy->runbook, settings->runbooks,
                 sizeof *settings->runbooks, settings->runbook_count);
    for (size_t i = 0; i < policy->inhibited_by.count; i++)
        look_for(self, "inhibited_by", "policy", policy->inhibited_by.items[i], settings->policies,
                 sizeof *settings->policies, settings->policy_count);
}

bool policy_lint(const settings_t *settings, const char *file, const yaml_value_t *yaml,
                 policy_metrics_t *metrics, FILE *out)
{
    file_lint_t self = {.settings = settings,
                        .file = file,
                        .yaml = yaml,
                        .metrics = metrics,
                        .out = out,
                        .good = true};
    for (; self.policy < settings->policy_count; self.policy++)
        look_at(&self, &settings->policies[self.policy]);
    return self.good;
}
