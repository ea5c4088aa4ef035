/*  publication - what the broker tells whoever listens: a topic and one map.
 *
 *  Owns     nothing; texts are borrowed for the call
 *  Bounds   a topic has at most PUBLICATION_TOPIC_MAX bytes (libzmq 4.3.4 mis-encodes longer ones,
 * from 246 on)
 *
 *  `seq` counts 1, 2, 3 … within its family, so that whoever sees a hole can ask for what is
 * missing.
 */
#ifndef PROTO_PUBLICATION_H
#define PROTO_PUBLICATION_H

#include "proto/text.h"
#include "proto/thing.h"

#include <msgpack/sbuffer.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    FAMILY_ANOMALY,
    FAMILY_SLO,
    FAMILY_DEPENDENCY,
    FAMILY_ALERT,
    FAMILY_INCIDENT,
    FAMILY_HEARTBEAT, /* not stored */
    FAMILY_COUNT
} family_t;

/*  The families that are stored and numbered across restarts. */
#define FAMILY_STORED FAMILY_HEARTBEAT

typedef enum {
    PUBLISH_ANOMALY_DETECTED,
    PUBLISH_ANOMALY_CLEARED,
    PUBLISH_SLO_BREACHED,
    PUBLISH_SLO_BURNING,
    PUBLISH_SLO_RECOVERED,
    PUBLISH_DEPENDENCY_CHANGED,
    PUBLISH_ALERT_FIRING,
    PUBLISH_ALERT_ACKNOWLEDGED,
    PUBLISH_ALERT_RESOLVED,
    PUBLISH_ALERT_NO_DATA,
    PUBLISH_INCIDENT_OPENED,
    PUBLISH_INCIDENT_UPDATED,
    PUBLISH_INCIDENT_NOTED,
    PUBLISH_INCIDENT_RESOLVED,
    PUBLISH_INCIDENT_CLOSED,
    PUBLISH_INCIDENT_REOPENED,
    PUBLISH_HEARTBEAT,
    PUBLISH_COUNT
} publication_type_t;

const char *family_name(family_t family);
/*  The family of that name; FAMILY_COUNT if there is none. */
family_t family_of(text_t name);

const char *publication_type_name(publication_type_t type);
family_t publication_type_family(publication_type_t type);

#define PUBLICATION_TOPIC_MAX 245u

/*  Everything but the number; `data` is one encoded MessagePack map. */
typedef struct {
    publication_type_t type;
    double time_s;
    text_t subject;      /* metric, slo, dependency or policy name; an incident's id */
    severity_t severity; /* of alerts and incidents: part of the topic */
    text_t correlation;  /* TEXT_NONE: none */
    text_t data;
} publication_t;

/*  Write the topic; answers its bytes. */
size_t publication_topic(const publication_t *self, char topic[PUBLICATION_TOPIC_MAX + 1]);

/*  Append the map of frame two. `source` names the broker. */
void publication_encode(const publication_t *self, uint64_t seq, text_t source,
                        msgpack_sbuffer *out);

#endif
