/*  labels - a label set in its one canonical form, so that equal sets are equal bytes.
 *
 *  Owns     nothing; the bytes lie in a buffer, an arena or an object
 *  Bounds   at most LABELS_MAX pairs and LABELS_MAX_BYTES bytes
 *
 *  Canonical: the encoded pairs of a MessagePack map without its header, names in order of bytes,
 *  every text in its shortest encoding, no pair with an empty value (an empty value is the same as
 * no label; Prometheus data model). Such bytes are compared with memcmp, hashed, stored, and copied
 *  behind a map header when they are sent.
 */
#ifndef PROTO_LABELS_H
#define PROTO_LABELS_H

#include "proto/cursor.h"
#include "proto/event.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stdint.h>

#define LABELS_MAX 64u /* more than any limit allows to configure, merged sets included */
#define LABELS_MAX_BYTES (LABELS_MAX * (128u + 1024u + 6u))

typedef struct {
    const uint8_t *bytes; /* may be NULL when count is 0 */
    uint32_t size;        /* bytes */
    uint32_t count;       /* pairs */
} labels_t;

#define LABELS_NONE ((labels_t){NULL, 0, 0})

typedef struct {
    text_t name;
    text_t value;
} label_t;

/*  Walk a set in order of names: start with at = 0; false at the end. */
bool labels_next(labels_t self, uint32_t *at, label_t *label);

/*  The value of a label; TEXT_NONE if it is not there. */
text_t labels_get(labels_t self, text_t name);

bool labels_equal(labels_t a, labels_t b);

/*  Order of bytes: a total order to sort findings and lists by. */
int labels_compare(labels_t a, labels_t b);

/*  True when every label of `wanted` is in `self` with the same value. */
bool labels_include(labels_t self, labels_t wanted);

/*  Write the canonical form of raw (already checked) labels into `buffer`, at least
 *  LABELS_MAX_BYTES long; raw may have empty values and any order, but no name twice. */
labels_t labels_canonical(raw_labels_t raw, uint8_t *buffer);

/*  Write the canonical form of `count` <= LABELS_MAX pairs in any order into `buffer`. Of a name
 * that stands twice the later wins; an empty value removes the label. */
labels_t labels_build(const label_t *pairs, size_t count, uint8_t *buffer);

/*  `over` laid upon `base`: its labels win. Written into `buffer`, which is neither's; together
 *  they have at most LABELS_MAX labels. */
labels_t labels_merge(labels_t base, labels_t over, uint8_t *buffer);

/*  The set without the label `name`. Written into `buffer`. */
labels_t labels_without(labels_t self, text_t name, uint8_t *buffer);

#endif
