/*  relay_envelope - a publication as an entry of a Redis stream: the attributes of CloudEvents 1.0
 * (github.com/cloudevents/spec) as fields.
 *
 *  Owns     its buffers; the words point into them, into the publication and into the settings
 *  Bounds   ENVELOPE_WORDS words
 *  Thread   one
 *
 *  `id` is FAMILY-SEQ: unique beside `source`, and the same when an entry is sent again, so that
 * who has seen it can tell.
 */
#ifndef BROKER_RELAY_ENVELOPE_H
#define BROKER_RELAY_ENVELOPE_H

#include "broker/relay_config.h"
#include "proto/arena.h"
#include "proto/publication.h"

#include <msgpack/sbuffer.h>

#define ENVELOPE_WORDS 40u

typedef struct {
    int count;
    const char *words[ENVELOPE_WORDS];
    size_t sizes[ENVELOPE_WORDS];
    msgpack_sbuffer json;
    char stream[512], id[64], time[64], sequence[24], ttl[32], trim[32];
    char severity[16];
} envelope_t;

void envelope_init(envelope_t *self);
void envelope_free(envelope_t *self);

/*  The command that adds it. False: it is not of those that go out, and nothing is to be done.
 * `body` is the publication's map, complete and checked. */
bool envelope_make(envelope_t *self, const relay_out_t *settings, family_t family, uint64_t seq,
                   text_t body, double now_s);

#endif
