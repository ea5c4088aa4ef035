/*  event_form - events as they stand on the wire, and what is asked of them before.
 *
 *  Owns     nothing; appends to the buffer
 *  Refuses  by `_is_good` what the broker would refuse for certain; the rest is the broker's to
 *           judge, by the limits it was given
 */
#ifndef CLIENTS_LIBTOCSIN_EVENT_FORM_H
#define CLIENTS_LIBTOCSIN_EVENT_FORM_H

#include "clients/libtocsin/buffer.h"

#include <tocsin.h>

/* As many as the broker takes. */
#define EVENT_LABELS_MAX 32u

bool metric_is_good(const tocsin_metric_event_t *event);
bool request_is_good(const tocsin_request_event_t *event);
bool incident_is_good(const tocsin_incident_event_t *event);

void metric_put(buffer_t *out, const tocsin_metric_event_t *event);
void request_put(buffer_t *out, const tocsin_request_event_t *event);
void incident_put(buffer_t *out, const tocsin_incident_event_t *event);

/*  The pair that says the kind. */
void metric_put_kind(buffer_t *out, tocsin_kind_t kind);

#endif
