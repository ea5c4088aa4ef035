/*  buffer - bytes that grow while MessagePack is written into them.
 *
 *  Owns     its bytes
 *  Bounds   none of its own; whoever fills it decides
 *  Thread   one
 *  Refuses  by `failed`: once memory ran out, nothing more is written until it is cut back
 *
 *  A library must not end the process, so this is not proto/pack.h, which does when memory is out.
 *  Texts and numbers, of which events are made, are written here and not by msgpack-c's packer: an
 *  event costs half as much (tests/bench/bench_emitter.c).
 */
#ifndef CLIENTS_LIBTOCSIN_BUFFER_H
#define CLIENTS_LIBTOCSIN_BUFFER_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <tocsin.h>

typedef struct {
    char *data;
    size_t size, capacity;
    bool failed;
} buffer_t;

void buffer_free(buffer_t *self);

/*  Back to what it was when it had this size. */
static inline void buffer_cut(buffer_t *self, size_t size)
{
    self->size = size;
    self->failed = false;
}

/*  Make room for so much more; false, and failed, when memory is out. */
bool buffer_grow(buffer_t *self, size_t size);

static inline bool buffer_has_room(buffer_t *self, size_t size)
{
    return !self->failed && (self->capacity - self->size >= size || buffer_grow(self, size));
}

static inline void buffer_raw(buffer_t *self, const void *bytes, size_t size)
{
    if (size == 0 || !buffer_has_room(self, size))
        return;
    memcpy(self->data + self->size, bytes, size);
    self->size += size;
}

/*  A key, or whatever else is known when this is compiled, as it stands on the wire. */
#define buffer_literal(self, literal) buffer_raw((self), (literal), sizeof(literal) - 1)

void buffer_nil(buffer_t *self);
void buffer_bool(buffer_t *self, bool value);
void buffer_integer(buffer_t *self, int64_t value);

/*  A double takes so many bytes. */
#define BUFFER_NUMBER_BYTES 9u

/*  NaN and infinities are nil. */
static inline void buffer_number(buffer_t *self, double value)
{
    uint64_t bits;
    if (!isfinite(value)) {
        buffer_nil(self);
        return;
    }
    if (!buffer_has_room(self, BUFFER_NUMBER_BYTES))
        return;
    memcpy(&bits, &value, sizeof bits);
    bits = __builtin_bswap64(bits);
    self->data[self->size] = (char)0xcb;
    memcpy(self->data + self->size + 1, &bits, sizeof bits);
    self->size += BUFFER_NUMBER_BYTES;
}

/*  The head of a text of 32 bytes or more. */
void buffer_long_head(buffer_t *self, size_t size);

static inline void buffer_span(buffer_t *self, const char *text, size_t size)
{
    if (size >= 32) {
        buffer_long_head(self, size);
        buffer_raw(self, text, size);
        return;
    }
    if (!buffer_has_room(self, size + 1))
        return;
    self->data[self->size] = (char)(0xa0 | size);
    memcpy(self->data + self->size + 1, text, size);
    self->size += size + 1;
}

/*  NULL is nil. */
static inline void buffer_text(buffer_t *self, const char *text)
{
    if (text == NULL)
        buffer_nil(self);
    else
        buffer_span(self, text, strlen(text));
}

void buffer_labels(buffer_t *self, const tocsin_label_t *labels, size_t count);
void buffer_texts(buffer_t *self, const char *const *texts, size_t count);

/*  A map or array whose count is known only at its end: open answers where it begins. At most
 *  65,535 pairs or elements. */
size_t buffer_open_map(buffer_t *self);
size_t buffer_open_array(buffer_t *self);
void buffer_close(buffer_t *self, size_t opened, size_t count);

/*  A map of at most 15 pairs, as an event is. */
static inline size_t buffer_open_event(buffer_t *self)
{
    size_t opened = self->size;
    buffer_raw(self, "\x80", 1);
    return opened;
}

static inline void buffer_close_event(buffer_t *self, size_t opened, size_t pairs)
{
    if (!self->failed)
        self->data[opened] = (char)(0x80 | pairs);
}

/*  The head of an array of a batch, which may be longer. */
#define BUFFER_BATCH_HEAD 5u
void buffer_batch_head(buffer_t *self);
void buffer_batch_count(buffer_t *self, uint32_t count);

#endif
