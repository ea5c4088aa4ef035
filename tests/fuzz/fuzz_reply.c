/*  Whatever a Redis says: it is read within bounds, and what it holds becomes frames that the
 * decoder can check. The first byte chooses the kind and the format of the stream. */
#include "broker/redis_link.h"
#include "broker/relay_reply.h"
#include "proto/cursor.h"
#include "proto/must.h"

#include <stdlib.h>

static void read_entry(const relay_in_t *settings, const redisReply *entry)
{
    entry_field_t fields[REPLY_FIELDS_MAX];
    const char *id, *words = "";
    size_t count;
    msgpack_sbuffer frame;
    if (!reply_entry(entry, &id, fields, &count))
        return;
    msgpack_sbuffer_init(&frame);
    bool made = entry_frame(settings, fields, count, &frame, &words);
    bool ours = !text_is(settings->format, "msgpack");
    /* what we write ourselves is complete; what came packed is checked by the decoder */
    if (made && ours)
        must(cursor_check(frame.data, frame.size, CURSOR_DEPTH_MAX) != STATUS_MALFORMED);
    msgpack_sbuffer_destroy(&frame);
}

static void read_reply(const relay_in_t *settings, const redisReply *reply)
{
    const redisReply *entries = reply_entries(reply);
    for (size_t i = 0; entries->type == REDIS_REPLY_ARRAY && i < entries->elements; i++) {
        read_entry(settings, entries->element[i]);
        reply_pending(entries->element[i], 5);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const text_t kinds[] = {{"metrics", 7}, {"requests", 8}, {"incidents", 9}};
    static const text_t formats[] = {{"json", 4}, {"msgpack", 7}, {"fields", 6}};
    if (size == 0)
        return 0;
    relay_in_t settings = {.kind = kinds[data[0] % 3], .format = formats[data[0] / 3 % 3]};
    redisReader *reader = redisReaderCreate();
    link_bound_reader(reader);
    redisReaderFeed(reader, (const char *)data + 1, size - 1);
    void *reply = NULL;
    while (redisReaderGetReply(reader, &reply) == REDIS_OK && reply != NULL) {
        read_reply(&settings, reply);
        freeReplyObject(reply);
        reply = NULL;
    }
    redisReaderFree(reader);
    return 0;
}
