/*  demo_story - what the broker found of the play: which of the things that must be seen were seen,
 *  and in which incident they ended.
 *
 *  Given publications, tells which concern the play; keeps no text but the incident's id.
 */
#ifndef CLIENTS_TOCSIN_DEMO_STORY_H
#define CLIENTS_TOCSIN_DEMO_STORY_H

#include <stdbool.h>
#include <stdio.h>
#include <tocsin.h>

#define DEMO_SLO "demo-orders"
#define DEMO_POLICY "demo-orders-fail"
#define DEMO_RUNBOOK "demo-database"

/*  What happens, and its end; a bit each. */
typedef enum {
    SEEN_ANOMALY,
    SEEN_ANOMALY_END,
    SEEN_DEPENDENCY,
    SEEN_DEPENDENCY_END,
    SEEN_SLO,
    SEEN_SLO_END,
    SEEN_ALERT,
    SEEN_ALERT_END,
    SEEN_INCIDENT,
    SEEN_INCIDENT_END,
    SEEN_COUNT
} seen_t;

typedef struct {
    unsigned seen; /* bits of seen_t */
    char incident[32];
} demo_story_t;

/*  Does it concern the play? Then it is kept in mind. */
bool demo_story_take(demo_story_t *self, const tocsin_publication_t *publication);

bool demo_story_is_complete(const demo_story_t *self);

/*  In words, for people: what was seen, and what was not. */
void demo_story_tell(const demo_story_t *self, FILE *out);

#endif
