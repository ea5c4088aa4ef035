#include "clients/tocsin/policy_lint.h"

#include "clients/tocsin/suggest.h"
#include "proto/must.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const settings_t *settings;
    const char *file;
    const yaml_value_t *yaml;
    FILE *out;
    size_t policy; /* its index in the file */
    bool good;
} lint_t;

static void complain(lint_t *self, const char *key, const char *kind, text_t name,
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
static void look_for(lint_t *self, const char *key, const char *kind, text_t name,
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

static void look_at(lint_t *self, const policy_t *policy)
{
    const settings_t *settings = self->settings;
    if (policy->runbook.size > 0)
        look_for(self, "runbook", "runbook", policy->runbook, settings->runbooks,
                 sizeof *settings->runbooks, settings->runbook_count);
    for (size_t i = 0; i < policy->inhibited_by.count; i++)
        look_for(self, "inhibited_by", "policy", policy->inhibited_by.items[i], settings->policies,
                 sizeof *settings->policies, settings->policy_count);
}

bool policy_lint(const settings_t *settings, const char *file, const yaml_value_t *yaml, FILE *out)
{
    lint_t self = {.settings = settings, .file = file, .yaml = yaml, .out = out, .good = true};
    for (; self.policy < settings->policy_count; self.policy++)
        look_at(&self, &settings->policies[self.policy]);
    return self.good;
}
