/*  json - a MessagePack value written as JSON (RFC 8259).
 *
 *  Owns     nothing; everything is appended to the caller's buffer
 *  Bounds   the value was checked (cursor_check), so nesting is bounded
 *  Thread   any
 *
 *  Numbers keep what they are: whole ones every digit (jansson holds none above 2^63), floats the
 *  shortest form that reads back as the same (jansson writes 0.1 as 0.10000000000000001). NaN and
 *  infinities are null, as they are nil on the wire; binary data and extensions are null too: the
 *  broker sends none.
 */
#ifndef PROTO_JSON_H
#define PROTO_JSON_H

#include "proto/cursor.h"

#include <msgpack/sbuffer.h>

/*  Write the value at the cursor, which moves behind it. A key that is no text is written as the
 *  text of its JSON. */
void json_write(cursor_t *cursor, msgpack_sbuffer *out);

/*  A text with its quotes. */
void json_write_text(text_t text, msgpack_sbuffer *out);

/*  The shortest decimal form that reads back as the same number; NaN and infinities: "null".
 *  Answers `out`. */
#define JSON_NUMBER_BYTES 40u
const char *json_number(double number, char out[JSON_NUMBER_BYTES]);

#endif
