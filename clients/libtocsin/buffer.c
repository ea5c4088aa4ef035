#include "clients/libtocsin/buffer.h"

#include <msgpack/pack.h>
#include <stdlib.h>

#define CAPACITY_FIRST 512u

/* The heads of MessagePack's containers with a count of 16 and of 32 bits. */
#define HEAD_ARRAY_16 0xdc
#define HEAD_ARRAY_32 0xdd
#define HEAD_MAP_16 0xde

void buffer_free(buffer_t *self)
{
    free(self->data);
    *self = (buffer_t){0};
}

static bool resize(buffer_t *self, size_t size)
{
    size_t capacity = self->capacity == 0 ? CAPACITY_FIRST : self->capacity;
    while (capacity - self->size < size) {
        if (capacity > SIZE_MAX / 2)
            return false;
        capacity *= 2;
    }
    char *data = realloc(self->data, capacity);
    if (data == NULL)
        return false;
    self->data = data;
    self->capacity = capacity;
    return true;
}

bool buffer_grow(buffer_t *self, size_t size)
{
    self->failed = !resize(self, size);
    return !self->failed;
}

/*  As msgpack-c wants to be given a place to write to. */
static int write_bytes(void *self, const char *bytes, size_t size)
{
    buffer_raw(self, bytes, size);
    return ((buffer_t *)self)->failed ? -1 : 0;
}

static msgpack_packer packer_on(buffer_t *self)
{
    return (msgpack_packer){.data = self, .callback = write_bytes};
}

void buffer_nil(buffer_t *self)
{
    msgpack_packer packer = packer_on(self);
    msgpack_pack_nil(&packer);
}

void buffer_bool(buffer_t *self, bool value)
{
    msgpack_packer packer = packer_on(self);
    if (value)
        msgpack_pack_true(&packer);
    else
        msgpack_pack_false(&packer);
}

void buffer_integer(buffer_t *self, int64_t value)
{
    msgpack_packer packer = packer_on(self);
    msgpack_pack_int64(&packer, value);
}

void buffer_long_head(buffer_t *self, size_t size)
{
    msgpack_packer packer = packer_on(self);
    msgpack_pack_str(&packer, size);
}

static void put_map_head(buffer_t *self, size_t count)
{
    const char few = (char)(0x80 | count);
    msgpack_packer packer = packer_on(self);
    if (count < 16)
        buffer_raw(self, &few, 1);
    else
        msgpack_pack_map(&packer, count);
}

void buffer_labels(buffer_t *self, const tocsin_label_t *labels, size_t count)
{
    put_map_head(self, count);
    for (size_t i = 0; i < count; i++) {
        buffer_text(self, labels[i].name);
        buffer_text(self, labels[i].value);
    }
}

void buffer_texts(buffer_t *self, const char *const *texts, size_t count)
{
    msgpack_packer packer = packer_on(self);
    msgpack_pack_array(&packer, count);
    for (size_t i = 0; i < count; i++)
        buffer_text(self, texts[i]);
}

static size_t open_container(buffer_t *self, int head)
{
    size_t opened = self->size;
    const unsigned char bytes[] = {(unsigned char)head, 0, 0};
    buffer_raw(self, bytes, sizeof bytes);
    return opened;
}

size_t buffer_open_map(buffer_t *self)
{
    return open_container(self, HEAD_MAP_16);
}

size_t buffer_open_array(buffer_t *self)
{
    return open_container(self, HEAD_ARRAY_16);
}

void buffer_close(buffer_t *self, size_t opened, size_t count)
{
    if (count > UINT16_MAX)
        self->failed = true;
    if (self->failed)
        return;
    self->data[opened + 1] = (char)(count >> 8);
    self->data[opened + 2] = (char)count;
}

void buffer_batch_head(buffer_t *self)
{
    const unsigned char bytes[BUFFER_BATCH_HEAD] = {HEAD_ARRAY_32, 0, 0, 0, 0};
    buffer_raw(self, bytes, sizeof bytes);
}

void buffer_batch_count(buffer_t *self, uint32_t count)
{
    for (size_t i = 1; i < BUFFER_BATCH_HEAD; i++)
        self->data[i] = (char)(count >> (8 * (BUFFER_BATCH_HEAD - 1 - i)));
}
