/*  pack - msgpack-c's packer in the few words this project uses.
 *
 *  Owns     nothing; everything is appended to a msgpack_sbuffer, which belongs to the caller
 */
#ifndef PROTO_PACK_H
#define PROTO_PACK_H

#include "proto/labels.h"
#include "proto/text.h"

#include <msgpack/sbuffer.h>
#include <stdbool.h>
#include <stdint.h>

void pack_map(msgpack_sbuffer *out, size_t pairs);
void pack_array(msgpack_sbuffer *out, size_t elements);
void pack_nil(msgpack_sbuffer *out);
void pack_bool(msgpack_sbuffer *out, bool value);
void pack_uint(msgpack_sbuffer *out, uint64_t value);
void pack_int(msgpack_sbuffer *out, int64_t value);

/*  NaN and infinities are nil on every wire. */
void pack_number(msgpack_sbuffer *out, double value);

/*  TEXT_NONE is nil. */
void pack_text(msgpack_sbuffer *out, text_t text);
void pack_string(msgpack_sbuffer *out, const char *string);
void pack_labels(msgpack_sbuffer *out, labels_t labels);

/*  "INC-12"; 0 is nil. */
void pack_id(msgpack_sbuffer *out, const char *prefix, uint64_t id);

/*  One value that is encoded already. */
void pack_raw(msgpack_sbuffer *out, text_t encoded);

#endif
