#include "engines/operations/incident_record.h"

#include "engines/keep.h"
#include "proto/must.h"

#include <stdlib.h>
#include <string.h>

static void drop_note(note_t *note)
{
    drop_text(&note->by);
    drop_text(&note->text);
}

static void drop_line(move_t *line)
{
    drop_text(&line->by);
    drop_text(&line->what);
    drop_text(&line->from);
    drop_text(&line->to);
}

/*  The lists are part of what is shown. */
static void show_lists(incident_record_t *self, uint32_t notes, uint32_t lines)
{
    self->view->notes = self->notes;
    self->view->notes_shown = notes;
    self->view->timeline = self->lines;
    self->view->timeline_shown = lines;
}

static void keep_all(incident_record_t *self, const incident_t *incident)
{
    incident_t bare = *incident;
    bare.notes_shown = bare.timeline_shown = 0;
    self->view = kept_put(&self->kept, &incident_schema, &bare);
}

incident_record_t *incident_record_new(const incident_t *incident)
{
    incident_record_t *self = memory_new(1, sizeof *self);
    self->publish = PUBLISH_COUNT;
    keep_all(self, incident);
    uint64_t notes = incident->notes_count, lines = incident->timeline_count;
    show_lists(self, 0, 0);
    for (uint32_t i = 0; i < incident->notes_shown; i++)
        incident_record_note(self, &incident->notes[i]);
    for (uint32_t i = 0; i < incident->timeline_shown; i++)
        incident_record_line(self, &incident->timeline[i]);
    self->view->notes_count = notes;
    self->view->timeline_count = lines;
    return self;
}

void incident_record_destroy(incident_record_t **self)
{
    for (uint32_t i = 0; i < (*self)->view->notes_shown; i++)
        drop_note(&(*self)->notes[i]);
    for (uint32_t i = 0; i < (*self)->view->timeline_shown; i++)
        drop_line(&(*self)->lines[i]);
    free((*self)->notes);
    free((*self)->lines);
    kept_drop(&(*self)->kept);
    free(*self);
    *self = NULL;
}

void incident_record_put(incident_record_t *self, const incident_t *changed)
{
    incident_t old = *self->view;
    keep_all(self, changed);
    self->view->notes_count = old.notes_count;
    self->view->timeline_count = old.timeline_count;
    show_lists(self, old.notes_shown, old.timeline_shown);
}

/*  Lists grow by doubling. */
static bool is_to_grow(uint32_t count)
{
    return (count & (count - 1)) == 0;
}

void incident_record_note(incident_record_t *self, const note_t *note)
{
    uint32_t count = self->view->notes_shown;
    if (count == NOTES_SHOWN) {
        drop_note(&self->notes[0]);
        memmove(self->notes, self->notes + 1, --count * sizeof *self->notes);
    } else if (is_to_grow(count)) {
        self->notes = memory_grow(self->notes, count == 0 ? 1 : 2 * count, sizeof *self->notes);
    }
    self->notes[count++] = (note_t){note->time, keep_text(note->by), keep_text(note->text)};
    self->view->notes_count++;
    show_lists(self, count, self->view->timeline_shown);
}

void incident_record_line(incident_record_t *self, const move_t *line)
{
    uint32_t count = self->view->timeline_shown;
    if (count == NOTES_SHOWN) {
        drop_line(&self->lines[0]);
        memmove(self->lines, self->lines + 1, --count * sizeof *self->lines);
    } else if (is_to_grow(count)) {
        self->lines = memory_grow(self->lines, count == 0 ? 1 : 2 * count, sizeof *self->lines);
    }
    self->lines[count++] = (move_t){line->time, keep_text(line->by), keep_text(line->what),
                                    keep_text(line->from), keep_text(line->to)};
    self->view->timeline_count++;
    show_lists(self, self->view->notes_shown, count);
}
