/*  incident_record - one incident as it lives: what is shown of it, and its newest notes and lines.
 *
 *  Owns     copies of all of it
 *  Bounds   NOTES_SHOWN notes and as many lines of its timeline
 *  Thread   one
 */
#ifndef ENGINES_INCIDENT_RECORD_H
#define ENGINES_INCIDENT_RECORD_H

#include "engines/kept.h"
#include "proto/publication.h"
#include "proto/thing.h"

#include <stdbool.h>

typedef struct incident_record {
    kept_t kept;
    incident_t *view; /* its notes and timeline point into the lists here */
    note_t *notes;
    move_t *lines;
    uint32_t active_alerts;
    uint32_t place;               /* in the tracker's registry */
    bool lives;                   /* it is counted among the unclosed ones */
    bool counted;                 /* the metrics count it as it is */
    bool touched;                 /* it changed in this step */
    publication_type_t publish;   /* PUBLISH_COUNT: nothing */
    int from;                     /* its status when that began; -1: it was not there */
    struct incident_record *next; /* of those that changed, or that are over */
} incident_record_t;

/*  With the notes and the timeline that are shown. */
incident_record_t *incident_record_new(const incident_t *incident);
void incident_record_destroy(incident_record_t **self);

/*  Take over all of it but notes, timeline and their counts; it may point into what the record
 * keeps. */
void incident_record_put(incident_record_t *self, const incident_t *changed);

void incident_record_note(incident_record_t *self, const note_t *note);
void incident_record_line(incident_record_t *self, const move_t *line);

#endif
