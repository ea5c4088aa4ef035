#include "clients/libtocsin/event_form.h"

#include <stdarg.h>

/*  Names and values in turn up to NULL; answers how many labels. EVENT_LABELS_MAX + 1
 *  if they are too many or a value is missing. */
static size_t read_labels(va_list arguments, tocsin_label_t labels[EVENT_LABELS_MAX])
{
    for (size_t count = 0;; count++) {
        const char *name = va_arg(arguments, const char *);
        if (name == NULL)
            return count;
        const char *value = va_arg(arguments, const char *);
        if (value == NULL || count == EVENT_LABELS_MAX)
            return EVENT_LABELS_MAX + 1;
        labels[count] = (tocsin_label_t){name, value};
    }
}

tocsin_status_t tocsin_metric(tocsin_emitter_t *self, const char *name, tocsin_kind_t kind,
                              double value, ...)
{
    tocsin_label_t labels[EVENT_LABELS_MAX];
    va_list arguments;
    va_start(arguments, value);
    size_t count = read_labels(arguments, labels);
    va_end(arguments);
    if (count > EVENT_LABELS_MAX)
        return TOCSIN_INVALID;
    return tocsin_emit_metric(
        self,
        &(tocsin_metric_event_t){
            .name = name, .kind = kind, .value = value, .labels = labels, .label_count = count});
}

tocsin_status_t tocsin_request(tocsin_emitter_t *self, const char *operation, double duration,
                               const char *dependency, const char *error, ...)
{
    tocsin_label_t labels[EVENT_LABELS_MAX];
    va_list arguments;
    va_start(arguments, error);
    size_t count = read_labels(arguments, labels);
    va_end(arguments);
    if (count > EVENT_LABELS_MAX)
        return TOCSIN_INVALID;
    return tocsin_emit_request(self, &(tocsin_request_event_t){.operation = operation,
                                                               .duration = duration,
                                                               .dependency = dependency,
                                                               .error = error != NULL,
                                                               .message = error,
                                                               .labels = labels,
                                                               .label_count = count});
}

tocsin_status_t tocsin_incident(tocsin_emitter_t *self, const char *title, const char *severity,
                                ...)
{
    tocsin_label_t labels[EVENT_LABELS_MAX];
    va_list arguments;
    va_start(arguments, severity);
    size_t count = read_labels(arguments, labels);
    va_end(arguments);
    if (count > EVENT_LABELS_MAX)
        return TOCSIN_INVALID;
    return tocsin_emit_incident(
        self, &(tocsin_incident_event_t){
                  .title = title, .severity = severity, .labels = labels, .label_count = count});
}
