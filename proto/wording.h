/*  wording - text put together for people: refusals, timelines, the names of numbered things.
 *
 *  Owns     nothing: what it writes lies in the error, the arena or the buffer it was given
 *  Thread   any
 */
#ifndef PROTO_WORDING_H
#define PROTO_WORDING_H

#include "proto/arena.h"
#include "proto/schema.h"
#include "proto/status.h"
#include "proto/text.h"

#include <stdint.h>

/*  A text_t as the arguments of %.*s. */
#define WORDS(text) ((int)(text).size), ((text).data == NULL ? "" : (text).data)

/*  Say in words why something is refused, and answer the status. */
status_t refuse_with(schema_error_t *error, status_t status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

text_t words_in(arena_t *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define NUMBERED_BYTES 32

/*  "INC-1" */
text_t numbered(char out[NUMBERED_BYTES], const char *prefix, uint64_t number);

#endif
