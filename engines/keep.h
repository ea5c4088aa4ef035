/*  keep - copies of borrowed text and labels that an object keeps.
 *
 *  Owns     nothing: whoever made a copy releases it with _drop
 *  Bounds   what is copied was bounded by whoever read it
 */
#ifndef ENGINES_KEEP_H
#define ENGINES_KEEP_H

#include "proto/labels.h"
#include "proto/must.h"
#include "proto/text.h"

#include <stdint.h>
#include <stdlib.h>

static inline text_t keep_text(text_t text)
{
    return text.data == NULL ? TEXT_NONE : (text_t){memory_copy(text.data, text.size), text.size};
}

static inline void drop_text(text_t *text)
{
    free((void *)(uintptr_t)text->data);
    *text = TEXT_NONE;
}

static inline labels_t keep_labels(labels_t labels)
{
    if (labels.count == 0)
        return LABELS_NONE;
    return (labels_t){memory_copy(labels.bytes, labels.size), labels.size, labels.count};
}

static inline void drop_labels(labels_t *labels)
{
    free((void *)(uintptr_t)labels->bytes);
    *labels = LABELS_NONE;
}

#endif
