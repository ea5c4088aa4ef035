#include "proto/publication.h"

#include "proto/must.h"
#include "proto/pack.h"
#include "proto/schema.h"

#include <stdio.h>

static const char *const family_names[FAMILY_COUNT] = {
    [FAMILY_ANOMALY] = "anomaly",       [FAMILY_SLO] = "slo",
    [FAMILY_DEPENDENCY] = "dependency", [FAMILY_ALERT] = "alert",
    [FAMILY_INCIDENT] = "incident",     [FAMILY_HEARTBEAT] = "heartbeat",
};

static const struct {
    const char *name;
    family_t family;
} types[PUBLISH_COUNT] = {
    [PUBLISH_ANOMALY_DETECTED] = {"anomaly.detected", FAMILY_ANOMALY},
    [PUBLISH_ANOMALY_CLEARED] = {"anomaly.cleared", FAMILY_ANOMALY},
    [PUBLISH_SLO_BREACHED] = {"slo.breached", FAMILY_SLO},
    [PUBLISH_SLO_BURNING] = {"slo.burning", FAMILY_SLO},
    [PUBLISH_SLO_RECOVERED] = {"slo.recovered", FAMILY_SLO},
    [PUBLISH_DEPENDENCY_CHANGED] = {"dependency.changed", FAMILY_DEPENDENCY},
    [PUBLISH_ALERT_FIRING] = {"alert.firing", FAMILY_ALERT},
    [PUBLISH_ALERT_ACKNOWLEDGED] = {"alert.acknowledged", FAMILY_ALERT},
    [PUBLISH_ALERT_RESOLVED] = {"alert.resolved", FAMILY_ALERT},
    [PUBLISH_ALERT_NO_DATA] = {"alert.no_data", FAMILY_ALERT},
    [PUBLISH_INCIDENT_OPENED] = {"incident.opened", FAMILY_INCIDENT},
    [PUBLISH_INCIDENT_UPDATED] = {"incident.updated", FAMILY_INCIDENT},
    [PUBLISH_INCIDENT_NOTED] = {"incident.noted", FAMILY_INCIDENT},
    [PUBLISH_INCIDENT_RESOLVED] = {"incident.resolved", FAMILY_INCIDENT},
    [PUBLISH_INCIDENT_CLOSED] = {"incident.closed", FAMILY_INCIDENT},
    [PUBLISH_INCIDENT_REOPENED] = {"incident.reopened", FAMILY_INCIDENT},
    [PUBLISH_HEARTBEAT] = {"heartbeat", FAMILY_HEARTBEAT},
};

const char *family_name(family_t family)
{
    must(family < FAMILY_COUNT);
    return family_names[family];
}

family_t family_of(text_t name)
{
    family_t family = FAMILY_ANOMALY;
    while (family < FAMILY_COUNT && !text_is(name, family_names[family]))
        family++;
    return family;
}

const char *publication_type_name(publication_type_t type)
{
    must(type < PUBLISH_COUNT);
    return types[type].name;
}

family_t publication_type_family(publication_type_t type)
{
    must(type < PUBLISH_COUNT);
    return types[type].family;
}

size_t publication_topic(const publication_t *self, char topic[PUBLICATION_TOPIC_MAX + 1])
{
    family_t family = publication_type_family(self->type);
    const char *name = family_name(family);
    bool has_severity = family == FAMILY_ALERT || family == FAMILY_INCIDENT;
    int size =
        family == FAMILY_HEARTBEAT
            ? snprintf(topic, PUBLICATION_TOPIC_MAX + 1, "%s", name)
            : snprintf(topic, PUBLICATION_TOPIC_MAX + 1, "%s.%s%s%.*s", name,
                       has_severity ? severity_words[self->severity] : "", has_severity ? "." : "",
                       (int)self->subject.size, self->subject.size == 0 ? "" : self->subject.data);
    must(size > 0 && size <= (int)PUBLICATION_TOPIC_MAX);
    return (size_t)size;
}

void publication_encode(const publication_t *self, uint64_t seq, text_t source,
                        msgpack_sbuffer *out)
{
    pack_map(out, self->correlation.data == NULL ? 7 : 8);
    pack_string(out, "seq");
    pack_uint(out, seq);
    pack_string(out, "family");
    pack_string(out, family_name(publication_type_family(self->type)));
    pack_string(out, "type");
    pack_string(out, publication_type_name(self->type));
    pack_string(out, "time");
    pack_number(out, self->time_s);
    pack_string(out, "source");
    pack_text(out, source);
    pack_string(out, "subject");
    pack_text(out, self->subject);
    pack_string(out, "data");
    pack_raw(out, self->data);
    if (self->correlation.data != NULL) {
        pack_string(out, "correlation");
        pack_text(out, self->correlation);
    }
}
