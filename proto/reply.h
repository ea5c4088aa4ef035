/*  reply - the answer to one command: {"id", "ok": true, "result"} or {"id", "ok": false, "error"}.
 *
 *  Owns     nothing; appended to the caller's buffer
 */
#ifndef PROTO_REPLY_H
#define PROTO_REPLY_H

#include "proto/status.h"
#include "proto/text.h"

#include <msgpack/sbuffer.h>
#include <stdbool.h>

/*  `id` is the encoded value to echo, nil when TEXT_NONE; `outcome` the encoded result, or the
 * encoded error. */
void reply_encode(text_t id, bool ok, text_t outcome, msgpack_sbuffer *out);

/*  The encoded error {"code", "message"}; `words` may be NULL: then the status speaks for itself.
 */
void reply_error(status_t status, const char *words, msgpack_sbuffer *out);

#endif
