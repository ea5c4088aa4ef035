/*  buffer - bytes that grow while MessagePack is written into them.
 *
 *  Owns     its bytes
 *  Bounds   none of its own; whoever fills it decides
 *  Thread   one
 *  Refuses  by `failed`: once memory ran out, nothing more is written until it is cut back
 *
 *  A library must not end the process, so this is not proto/pack.h, which does when memory is out.
 */
#ifndef CLIENTS_LIBTOCSIN_BUFFER_H
#define CLIENTS_LIBTOCSIN_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tocsin.h>

typedef struct {
    char *data;
    size_t size, capacity;
    bool failed;
} buffer_t;

void buffer_free(buffer_t *self);

/*  Back to what it was when it had this size. */
void buffer_cut(buffer_t *self, size_t size);

void buffer_raw(buffer_t *self, const void *bytes, size_t size);
void buffer_nil(buffer_t *self);
void buffer_bool(buffer_t *self, bool value);
void buffer_integer(buffer_t *self, int64_t value);
/*  NaN and infinities are nil. */
void buffer_number(buffer_t *self, double value);
void buffer_span(buffer_t *self, const char *text, size_t size);
/*  NULL is nil. */
void buffer_text(buffer_t *self, const char *text);
void buffer_labels(buffer_t *self, const tocsin_label_t *labels, size_t count);
void buffer_texts(buffer_t *self, const char *const *texts, size_t count);

/*  A map or array whose count is known only at its end: open answers where it begins. At most
 *  65,535 pairs or elements. */
size_t buffer_open_map(buffer_t *self);
size_t buffer_open_array(buffer_t *self);
void buffer_close(buffer_t *self, size_t opened, size_t count);

/*  The head of an array of a batch, which may be longer. */
#define BUFFER_BATCH_HEAD 5u
void buffer_batch_head(buffer_t *self);
void buffer_batch_count(buffer_t *self, uint32_t count);

#endif
