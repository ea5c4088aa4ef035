#include "engines/operations/effects.h"

#include "proto/wording.h"

void effects_audit(const effects_t *self, text_t by, text_t what, text_t subject, text_t from,
                   text_t to)
{
    effects_add(
        self, (effect_t){.type = EFFECT_AUDIT,
                         .as.audit = {
                             .by = by, .what = what, .subject = subject, .from = from, .to = to}});
}

static text_t name_value(effects_t *self, const char *key, text_t value)
{
    return value.data == NULL ? TEXT_NONE : words_in(&self->scratch, "%s: %.*s", key, WORDS(value));
}

void effects_audit_change(effects_t *self, text_t by, text_t what, text_t subject,
                          const difference_t *change)
{
    effects_audit(self, by, what, subject, name_value(self, change->key, change->from),
                  name_value(self, change->key, change->to));
}

void effects_audit_changes(effects_t *self, text_t what, text_t subject, const schema_t *schema,
                           const void *before, const void *after)
{
    difference_t change;
    for (size_t at = 0; difference_next(schema, before, after, &at, &self->scratch, &change);)
        effects_audit_change(self, TEXT_NONE, what, subject, &change);
}
