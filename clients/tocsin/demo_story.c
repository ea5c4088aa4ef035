#include "clients/tocsin/demo_story.h"

#include "clients/tocsin/demo_world.h"

#include <string.h>

#define ALL ((1u << SEEN_COUNT) - 1)

static const struct {
    const char *type;
    const char *to; /* the new state; NULL: any */
    seen_t seen;
} happenings[] = {
    {"anomaly.detected", NULL, SEEN_ANOMALY},
    {"anomaly.cleared", NULL, SEEN_ANOMALY_END},
    {"dependency.changed", "degraded", SEEN_DEPENDENCY},
    {"dependency.changed", "unhealthy", SEEN_DEPENDENCY},
    {"dependency.changed", "healthy", SEEN_DEPENDENCY_END},
    {"slo.breached", NULL, SEEN_SLO},
    {"slo.recovered", NULL, SEEN_SLO_END},
    {"alert.firing", NULL, SEEN_ALERT},
    {"alert.resolved", NULL, SEEN_ALERT_END},
    {"incident.opened", NULL, SEEN_INCIDENT},
    {"incident.reopened", NULL, SEEN_INCIDENT},
    {"incident.resolved", NULL, SEEN_INCIDENT_END},
};

static const char *const words[SEEN_COUNT] = {
    [SEEN_ANOMALY] = "an anomaly",
    [SEEN_ANOMALY_END] = "its end",
    [SEEN_DEPENDENCY] = "a dependency that fails",
    [SEEN_DEPENDENCY_END] = "its recovery",
    [SEEN_SLO] = "an SLO that is breached",
    [SEEN_SLO_END] = "its recovery",
    [SEEN_ALERT] = "an alert that fires",
    [SEEN_ALERT_END] = "its resolution",
    [SEEN_INCIDENT] = "an incident",
    [SEEN_INCIDENT_END] = "its resolution",
};

static bool data_is(const tocsin_publication_t *publication, const char *key, const char *text)
{
    char value[128];
    tocsin_value_t data = tocsin_value_of(publication->body, "data");
    return strcmp(tocsin_value_copy(tocsin_value_of(data, key), value, sizeof value), text) == 0;
}

static bool data_begins(const tocsin_publication_t *publication, const char *key,
                        const char *prefix)
{
    char value[128];
    tocsin_value_t data = tocsin_value_of(publication->body, "data");
    tocsin_value_copy(tocsin_value_of(data, key), value, sizeof value);
    return strncmp(value, prefix, strlen(prefix)) == 0;
}

static void keep_incident(demo_story_t *self, const tocsin_publication_t *publication)
{
    tocsin_value_t data = tocsin_value_of(publication->body, "data");
    char incident[sizeof self->incident];
    tocsin_value_copy(tocsin_value_of(data, "incident"), incident, sizeof incident);
    if (incident[0] != '\0')
        memcpy(self->incident, incident, sizeof incident);
}

/*  An incident is the play's when it has the play's runbook. */
static bool concerns(const tocsin_publication_t *publication)
{
    const char *family = publication->family;
    if (strcmp(family, "anomaly") == 0)
        return data_begins(publication, "name", "demo_");
    if (strcmp(family, "dependency") == 0)
        return data_begins(publication, "name", "demo-");
    if (strcmp(family, "slo") == 0)
        return data_is(publication, "name", DEMO_SLO);
    if (strcmp(family, "alert") == 0)
        return data_is(publication, "policy", DEMO_POLICY);
    return data_is(publication, "runbook", DEMO_RUNBOOK);
}

/*  An end counts only after its beginning: a dependency is healthy from the start. */
static void keep(demo_story_t *self, seen_t seen)
{
    bool is_end = seen % 2 == 1;
    if (!is_end || (self->seen & 1u << (seen - 1)) != 0)
        self->seen |= 1u << seen;
}

bool demo_story_take(demo_story_t *self, const tocsin_publication_t *publication)
{
    if (!concerns(publication))
        return false;
    for (size_t i = 0; i < sizeof happenings / sizeof happenings[0]; i++)
        if (strcmp(happenings[i].type, publication->type) == 0 &&
            (happenings[i].to == NULL || data_is(publication, "to", happenings[i].to)))
            keep(self, happenings[i].seen);
    if (strcmp(publication->family, "alert") == 0 || strcmp(publication->family, "incident") == 0)
        keep_incident(self, publication);
    return true;
}

bool demo_story_is_complete(const demo_story_t *self)
{
    return self->seen == ALL;
}

static void tell_those(unsigned which, const char *heading, FILE *out)
{
    if (which == 0)
        return;
    fputs(heading, out);
    for (seen_t seen = 0; seen < SEEN_COUNT; seen++)
        if ((which & 1u << seen) != 0) {
            bool last = which >> (seen + 1) == 0;
            fprintf(out, " %s%s", words[seen], last ? "." : ",");
        }
    fputc('\n', out);
}

void demo_story_tell(const demo_story_t *self, FILE *out)
{
    tell_those(self->seen, "Seen:", out);
    tell_those(ALL & ~self->seen, "Not seen:", out);
}
