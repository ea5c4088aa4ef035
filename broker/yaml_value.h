/*  yaml_value - a YAML document as one MessagePack value, with the place each part of it came from.
 *
 *  Owns     the packed bytes and the places
 *  Bounds   YAML_DEPTH nested containers; anchors and aliases are refused (a small file must not
 * become a huge value) Refuses  what is no YAML, more than one document, keys that are not plain
 * text
 *
 *  A plain scalar is nil, a boolean, a number or text as in YAML's core schema
 * (yaml.org/spec/1.2.2, 10.3); a quoted one is always text.
 */
#ifndef BROKER_YAML_VALUE_H
#define BROKER_YAML_VALUE_H

#include <msgpack/sbuffer.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define YAML_DEPTH 16u

typedef struct {
    size_t offset;         /* into the packed bytes */
    unsigned line, column; /* from 1 */
} yaml_place_t;

typedef struct {
    msgpack_sbuffer packed; /* empty for an empty document */
    yaml_place_t *places;   /* in order of offset */
    size_t count, capacity;
} yaml_value_t;

/*  Read a whole text. False after one line on `errors`: name:line:col: message. */
int yaml_value_read(yaml_value_t *self, const char *name, const char *text, size_t size,
                    FILE *errors);
void yaml_value_free(yaml_value_t *self);

/*  The place of the value that begins at or before `at`, a pointer into the packed bytes. */
yaml_place_t yaml_value_place(const yaml_value_t *self, const uint8_t *at);

/*  Where the value of `key` stands in element `index` of the list `section`, or in the map
 *  `section`; where the element or the map itself stands when there is no such key. The document is
 *  not empty. */
const uint8_t *yaml_value_find(const yaml_value_t *self, const char *section, size_t index,
                               const char *key);

/*  One scalar as a value of the configuration, as it would be read from a file (for the
 * environment). */
void yaml_value_pack_scalar(const char *text, size_t size, int quoted, msgpack_sbuffer *out);

/*  Write a packed value as YAML. */
void yaml_value_write(const void *bytes, size_t size, FILE *out);

#endif
