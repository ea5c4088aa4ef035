/*  relay_entry - an entry of a Redis stream as a frame that the sockets would take.
 *
 *  Owns     nothing; appended to the caller's buffer
 *  Bounds   what Redis hands over, ENTRY_DEPTH containers deep; the decoder that reads the frame
 * has the limits Thread   any Refuses  what is no JSON, and entries without the field they should
 * have
 *
 *  msgpack and json: the field `data` is an event, a batch or a command. fields: the entry's own
 *  fields, through the map of ours to theirs; what is a number to us is read as one; labels.NAME
 * are labels.
 */
#ifndef BROKER_RELAY_ENTRY_H
#define BROKER_RELAY_ENTRY_H

#include "broker/relay_config.h"

#include <msgpack/sbuffer.h>

typedef struct {
    text_t name, value;
} entry_field_t;

/*  False: it cannot be one, and `words` says why. */
bool entry_frame(const relay_in_t *settings, const entry_field_t *fields, size_t count,
                 msgpack_sbuffer *frame, const char **words);

#endif
