#include "engines/operations/notification_rules.h"

#include <math.h>

/* A receiver may ask for this much patience and no more. */
#define RETRY_AFTER_MOST_S 900.0

bool notification_rules_quiet(const notification_rules_t *self, int minute)
{
    if (self->quiet_from == self->quiet_to)
        return false;
    if (self->quiet_from < self->quiet_to)
        return minute >= self->quiet_from && minute < self->quiet_to;
    return minute >= self->quiet_from || minute < self->quiet_to;
}

/*  A channel that fails cannot say so itself. */
static bool is_about_itself(const notification_rules_t *self, const alert_t *alert)
{
    return text_is(alert->policy, NOTIFICATION_FAILING_POLICY) &&
           text_equal(labels_get(alert->labels, TEXT_OF("channel")), self->name);
}

bool notification_rules_route(const notification_rules_t *self, const notice_t *notice)
{
    return (self->severities & 1u << notice->alert.severity) != 0 &&
           !is_about_itself(self, &notice->alert);
}

text_t notification_label(const alert_t *alert, text_t name)
{
    if (text_is(name, "alertname"))
        return alert->policy;
    if (text_is(name, "severity"))
        return text_of(severity_words[alert->severity]);
    return labels_get(alert->labels, name);
}

labels_t notification_rules_group(const notification_rules_t *self, const alert_t *alert,
                                  uint8_t *buffer)
{
    label_t pairs[LABELS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < self->group_by.count && count < LABELS_MAX; i++) {
        text_t name = self->group_by.items[i], value = notification_label(alert, name);
        if (value.data != NULL)
            pairs[count++] = (label_t){name, value};
    }
    return labels_build(pairs, count, buffer);
}

double notification_rules_backoff(const notification_rules_t *self, uint32_t failures,
                                  double jitter, double retry_after_s)
{
    double delay = self->backoff_first_s * exp2(fmin(failures > 0 ? failures - 1 : 0, 32));
    delay = fmin(delay, self->backoff_most_s) * (1 - jitter / 2);
    return fmax(delay, fmin(retry_after_s, RETRY_AFTER_MOST_S));
}
