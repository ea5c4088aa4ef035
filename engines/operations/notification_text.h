/*  notification_text - the words of a notification, from a template with ${field}s.
 *
 *  Owns     nothing; writes into the caller's buffer
 *  Bounds   the buffer: what does not fit is cut between characters, and ends in "…"
 *  Thread   any
 *  Refuses  a field nobody knows and a brace that stays open: the caller has a plain text for that
 */
#ifndef ENGINES_NOTIFICATION_TEXT_H
#define ENGINES_NOTIFICATION_TEXT_H

#include "proto/text.h"

#include <stdbool.h>
#include <stddef.h>

/*  Looks up a field; TEXT_NONE: there is no such field. What it answers is copied at once. */
typedef struct {
    text_t (*look)(void *context, text_t field);
    void *context;
} field_source_t;

/*  Text that is written piece by piece into a buffer of `size` bytes, more than 3. */
typedef struct {
    char *data;
    size_t used, size;
    bool cut;
} notification_text_t;

void notification_text_add(notification_text_t *self, text_t text);

/*  As one line: control characters become spaces. */
void notification_text_add_line(notification_text_t *self, text_t text);

/*  Expand a template. False, and nothing added: it cannot be. */
bool notification_text_expand(notification_text_t *self, text_t template, field_source_t source);

static inline text_t notification_text(const notification_text_t *self)
{
    return (text_t){self->data, self->used};
}

#endif
