/*  wire - labels as a sender encodes them, in the order in which they are given. */
#ifndef TESTS_ENGINES_WIRE_H
#define TESTS_ENGINES_WIRE_H

#include "proto/event.h"
#include "proto/labels.h"

#include <string.h>

static inline size_t wire_text(uint8_t *out, text_t text)
{
    size_t head = text.size < 32 ? 1 : 2;
    out[0] = text.size < 32 ? (uint8_t)(0xa0 | text.size) : 0xd9;
    if (head == 2)
        out[1] = (uint8_t)text.size;
    memcpy(out + head, text.data, text.size);
    return head + text.size;
}

static inline raw_labels_t wire_labels(uint8_t *out, const label_t *pairs, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += wire_text(out + size, pairs[i].name);
        size += wire_text(out + size, pairs[i].value);
    }
    return (raw_labels_t){count == 0 ? NULL : out, (uint32_t)size, (uint32_t)count};
}

#endif
