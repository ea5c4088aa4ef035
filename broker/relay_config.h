/*  relay_config - the RELAY bus as it was configured: which Redis, what goes out to it, what comes
 * in from it.
 *
 *  Owns     nothing; the texts are the configuration's
 *  Refuses  a Redis that is not on this host unless `allow_remote` says that the way there is safe:
 * the client library has no TLS
 */
#ifndef BROKER_RELAY_CONFIG_H
#define BROKER_RELAY_CONFIG_H

#include "proto/labels.h"
#include "proto/schema.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    text_t prefix; /* of the streams' names */
    text_t format; /* "json" or "msgpack": how `data` is written */
    texts_t families;
    texts_t severities, subjects; /* of alerts and incidents; globs */
    uint64_t replicas;            /* that must have it before it counts as sent; 0: none */
    uint64_t maxlen;              /* entries a stream keeps, about; 0: all */
    double max_age;               /* seconds an entry is kept, about; NaN: for ever */
    double ttl;                   /* seconds: told to the receivers; NaN: not */
    bool enabled;
} relay_out_t;

typedef struct {
    text_t stream, kind, format, group, consumer;
    double claim_idle; /* seconds until an entry that nobody acknowledged is taken over */
    uint64_t max_deliveries;
    labels_t map; /* ours: theirs */
} relay_in_t;

typedef struct {
    text_t url; /* TEXT_NONE: no bus */
    text_t username, password_file;
    bool allow_remote;
    relay_out_t out;
    const relay_in_t *in;
    uint32_t in_count;
} relay_settings_t;

extern const schema_t relay_schema;

/*  Where a Redis is: redis://HOST[:PORT][/DATABASE] */
typedef struct {
    char host[256];
    int port, database;
} relay_place_t;

bool relay_place(text_t url, relay_place_t *place);

/*  The key at fault, with what is wrong with it in words; NULL: nothing is. */
const char *relay_wrong(const relay_settings_t *self, char *words, size_t size);

/*  Does a publication of this family go out at all? */
bool relay_sends_family(const relay_out_t *self, text_t family);

#endif
