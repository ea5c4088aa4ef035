#include "proto/reply.h"

#include "proto/pack.h"

void reply_encode(text_t id, bool ok, text_t outcome, msgpack_sbuffer *out)
{
    pack_map(out, 3);
    pack_string(out, "id");
    if (id.data == NULL)
        pack_nil(out);
    else
        pack_raw(out, id);
    pack_string(out, "ok");
    pack_bool(out, ok);
    pack_string(out, ok ? "result" : "error");
    pack_raw(out, outcome);
}

void reply_error(status_t status, const char *words, msgpack_sbuffer *out)
{
    pack_map(out, 2);
    pack_string(out, "code");
    pack_string(out, status_code(status));
    pack_string(out, "message");
    pack_string(out, words == NULL || words[0] == '\0' ? status_text(status) : words);
}
