#include "clients/libtocsin/event_form.h"

#include <math.h>

/* -- what is good -- */

static bool is_empty(const char *text)
{
    return text == NULL || text[0] == '\0';
}

static bool labels_are_good(const tocsin_label_t *labels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_empty(labels[i].name) || labels[i].value == NULL)
            return false;
    return count <= EVENT_LABELS_MAX;
}

static bool values_are_good(const tocsin_metric_event_t *event)
{
    if (event->value_count == 0)
        return isfinite(event->value) && (event->kind != TOCSIN_COUNTER || event->value >= 0);
    for (size_t i = 0; i < event->value_count; i++)
        if (!isfinite(event->values[i]))
            return false;
    return event->kind != TOCSIN_COUNTER && event->value_count <= UINT16_MAX;
}

bool metric_is_good(const tocsin_metric_event_t *event)
{
    return !is_empty(event->name) && event->kind <= TOCSIN_HISTOGRAM && values_are_good(event) &&
           isfinite(event->time) && labels_are_good(event->labels, event->label_count);
}

bool request_is_good(const tocsin_request_event_t *event)
{
    return !is_empty(event->operation) && isfinite(event->duration) && event->duration >= 0 &&
           isfinite(event->time) && labels_are_good(event->labels, event->label_count);
}

bool incident_is_good(const tocsin_incident_event_t *event)
{
    return !is_empty(event->title) && !is_empty(event->severity) &&
           labels_are_good(event->labels, event->label_count);
}

/* -- how it is written -- */

static inline void put_text(buffer_t *out, size_t *pairs, const char *key, const char *text)
{
    if (text == NULL)
        return;
    buffer_text(out, key);
    buffer_text(out, text);
    *pairs += 1;
}

static inline void put_number(buffer_t *out, size_t *pairs, const char *key, double number)
{
    buffer_text(out, key);
    buffer_number(out, number);
    *pairs += 1;
}

static inline void put_labels(buffer_t *out, size_t *pairs, const tocsin_label_t *labels,
                              size_t count)
{
    if (count == 0)
        return;
    buffer_literal(out, "\xa6labels");
    buffer_labels(out, labels, count);
    *pairs += 1;
}

static void put_values(buffer_t *out, size_t *pairs, const tocsin_metric_event_t *event)
{
    if (event->value_count == 0) {
        buffer_literal(out, "\xa5value");
        buffer_number(out, event->value);
        *pairs += 1;
        return;
    }
    buffer_literal(out, "\xa6values");
    size_t opened = buffer_open_array(out);
    for (size_t i = 0; i < event->value_count; i++)
        buffer_number(out, event->values[i]);
    buffer_close(out, opened, event->value_count);
    *pairs += 1;
}

void metric_put_kind(buffer_t *out, tocsin_kind_t kind)
{
    if (kind == TOCSIN_COUNTER)
        buffer_literal(out, "\xa4kind\xa7"
                            "counter");
    else if (kind == TOCSIN_GAUGE)
        buffer_literal(out, "\xa4kind\xa5"
                            "gauge");
    else
        buffer_literal(out, "\xa4kind\xa9"
                            "histogram");
}

void metric_put(buffer_t *out, const tocsin_metric_event_t *event)
{
    size_t opened = buffer_open_event(out), pairs = 2;
    buffer_literal(out, "\xa4name");
    buffer_text(out, event->name);
    metric_put_kind(out, event->kind);
    put_values(out, &pairs, event);
    put_text(out, &pairs, "unit", event->unit);
    put_labels(out, &pairs, event->labels, event->label_count);
    if (event->time > 0)
        put_number(out, &pairs, "time", event->time);
    buffer_close_event(out, opened, pairs);
}

static void put_error(buffer_t *out, size_t *pairs)
{
    buffer_text(out, "error");
    buffer_bool(out, true);
    *pairs += 1;
}

static void put_attempt(buffer_t *out, size_t *pairs, unsigned attempt)
{
    buffer_text(out, "attempt");
    buffer_integer(out, attempt);
    *pairs += 1;
}

void request_put(buffer_t *out, const tocsin_request_event_t *event)
{
    size_t opened = buffer_open_event(out), pairs = 0;
    put_text(out, &pairs, "operation", event->operation);
    put_number(out, &pairs, "duration", event->duration);
    put_text(out, &pairs, "dependency", event->dependency);
    if (event->error)
        put_error(out, &pairs);
    put_text(out, &pairs, "message", event->message);
    put_text(out, &pairs, "breaker", event->breaker);
    if (event->attempt > 0)
        put_attempt(out, &pairs, event->attempt);
    put_labels(out, &pairs, event->labels, event->label_count);
    if (event->time > 0)
        put_number(out, &pairs, "time", event->time);
    buffer_close_event(out, opened, pairs);
}

static void put_systems(buffer_t *out, size_t *pairs, const tocsin_incident_event_t *event)
{
    if (event->system_count == 0)
        return;
    buffer_text(out, "systems");
    buffer_texts(out, event->systems, event->system_count);
    *pairs += 1;
}

void incident_put(buffer_t *out, const tocsin_incident_event_t *event)
{
    size_t opened = buffer_open_event(out), pairs = 0;
    put_text(out, &pairs, "do", "incident.open");
    put_text(out, &pairs, "title", event->title);
    put_text(out, &pairs, "severity", event->severity);
    put_text(out, &pairs, "description", event->description);
    put_systems(out, &pairs, event);
    put_text(out, &pairs, "key", event->key);
    put_text(out, &pairs, "runbook", event->runbook);
    put_text(out, &pairs, "by", event->by);
    put_labels(out, &pairs, event->labels, event->label_count);
    buffer_close_event(out, opened, pairs);
}
