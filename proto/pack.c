#include "proto/pack.h"

#include "proto/must.h"

#include <math.h>
#include <msgpack/pack.h>
#include <stdio.h>

static msgpack_packer packer(msgpack_sbuffer *out)
{
    msgpack_packer self;
    msgpack_packer_init(&self, out, msgpack_sbuffer_write);
    return self;
}

void pack_map(msgpack_sbuffer *out, size_t pairs)
{
    msgpack_packer self = packer(out);
    msgpack_pack_map(&self, pairs);
}

void pack_array(msgpack_sbuffer *out, size_t elements)
{
    msgpack_packer self = packer(out);
    msgpack_pack_array(&self, elements);
}

void pack_nil(msgpack_sbuffer *out)
{
    msgpack_packer self = packer(out);
    msgpack_pack_nil(&self);
}

void pack_bool(msgpack_sbuffer *out, bool value)
{
    msgpack_packer self = packer(out);
    if (value)
        msgpack_pack_true(&self);
    else
        msgpack_pack_false(&self);
}

void pack_uint(msgpack_sbuffer *out, uint64_t value)
{
    msgpack_packer self = packer(out);
    msgpack_pack_uint64(&self, value);
}

void pack_int(msgpack_sbuffer *out, int64_t value)
{
    msgpack_packer self = packer(out);
    msgpack_pack_int64(&self, value);
}

void pack_number(msgpack_sbuffer *out, double value)
{
    msgpack_packer self = packer(out);
    if (isfinite(value))
        msgpack_pack_double(&self, value);
    else
        msgpack_pack_nil(&self);
}

void pack_text(msgpack_sbuffer *out, text_t text)
{
    msgpack_packer self = packer(out);
    if (text.data == NULL) {
        msgpack_pack_nil(&self);
        return;
    }
    msgpack_pack_str(&self, text.size);
    msgpack_pack_str_body(&self, text.data, text.size);
}

void pack_string(msgpack_sbuffer *out, const char *string)
{
    pack_text(out, text_of(string));
}

void pack_labels(msgpack_sbuffer *out, labels_t labels)
{
    pack_map(out, labels.count);
    pack_raw(out, (text_t){(const char *)labels.bytes, labels.size});
}

void pack_id(msgpack_sbuffer *out, const char *prefix, uint64_t id)
{
    char text[32];
    if (id == 0) {
        pack_nil(out);
        return;
    }
    int size = snprintf(text, sizeof text, "%s%llu", prefix, (unsigned long long)id);
    must(size > 0 && (size_t)size < sizeof text);
    pack_text(out, (text_t){text, (size_t)size});
}

void pack_raw(msgpack_sbuffer *out, text_t encoded)
{
    if (encoded.size > 0)
        must(msgpack_sbuffer_write(out, encoded.data, encoded.size) == 0);
}
