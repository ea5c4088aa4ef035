/*  relay_reply - what a reply of Redis holds, if it holds what it should.
 *
 *  Owns     nothing; what is answered lies in the reply
 *  Bounds   REPLY_FIELDS_MAX fields of an entry, REPLY_ID_BYTES of its id
 *  Thread   any
 *  Refuses  every other shape: a reply is a stranger's word
 */
#ifndef BROKER_RELAY_REPLY_H
#define BROKER_RELAY_REPLY_H

#include "broker/relay_entry.h"

#include <hiredis/hiredis.h>

#define REPLY_FIELDS_MAX 256u
#define REPLY_ID_BYTES 48u

/*  The entries in an answer to a read of one stream, [[stream, [entry, ...]]]; the answer itself if
 * nothing came. */
const redisReply *reply_entries(const redisReply *reply);

/*  [id, [name, value, ...]]; false: it is none, or it was deleted. */
bool reply_entry(const redisReply *entry, const char **id, entry_field_t fields[REPLY_FIELDS_MAX],
                 size_t *count);

/*  Of [id, consumer, idle, deliveries], the id where it was delivered so often; else NULL. */
const char *reply_pending(const redisReply *row, uint64_t deliveries);

#endif
