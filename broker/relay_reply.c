#include "broker/relay_reply.h"

static bool is_array(const redisReply *reply, size_t elements)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == elements;
}

const redisReply *reply_entries(const redisReply *reply)
{
    return is_array(reply, 1) && is_array(reply->element[0], 2) ? reply->element[0]->element[1]
                                                                : reply;
}

static bool is_id(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING && reply->len > 0 && reply->len < REPLY_ID_BYTES;
}

static text_t text_of_reply(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING ? (text_t){reply->str, reply->len} : TEXT_OF("");
}

bool reply_entry(const redisReply *entry, const char **id, entry_field_t fields[REPLY_FIELDS_MAX],
                 size_t *count)
{
    *count = 0;
    if (!is_array(entry, 2) || !is_id(entry->element[0]) ||
        entry->element[1]->type != REDIS_REPLY_ARRAY)
        return false;
    const redisReply *pairs = entry->element[1];
    *id = entry->element[0]->str;
    for (; *count < REPLY_FIELDS_MAX && *count * 2 + 1 < pairs->elements; ++*count)
        fields[*count] = (entry_field_t){text_of_reply(pairs->element[*count * 2]),
                                         text_of_reply(pairs->element[*count * 2 + 1])};
    return true;
}

const char *reply_pending(const redisReply *row, uint64_t deliveries)
{
    bool good = is_array(row, 4) && is_id(row->element[0]) &&
                row->element[3]->type == REDIS_REPLY_INTEGER && row->element[3]->integer >= 0;
    return good && (uint64_t)row->element[3]->integer >= deliveries ? row->element[0]->str : NULL;
}
