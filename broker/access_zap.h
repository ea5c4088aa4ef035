/*  access_zap - may this connection come in? The answer to one request of the ZeroMQ Authentication
 *  Protocol, version 1.0 (rfc.zeromq.org/spec/27).
 *
 *  Owns     nothing
 *  Bounds   ZAP_FRAMES frames are looked at
 *  Thread   any
 *  Refuses  what is no request of the protocol, another domain than ours, another mechanism than
 *           CURVE, an address no rule allows, a key that is not in force
 */
#ifndef BROKER_ACCESS_ZAP_H
#define BROKER_ACCESS_ZAP_H

#include "broker/access_keys.h"
#include "broker/access_network.h"
#include "proto/text.h"

#include <stddef.h>

/* Enforced, so that a connection is refused when nobody answers. */
#define ZAP_DOMAIN "tocsin"

/* version, request id, domain, address, identity, mechanism, credentials */
#define ZAP_FRAMES 7u

typedef enum {
    ZAP_WELCOME,
    ZAP_MALFORMED,
    ZAP_DOMAIN_UNKNOWN,
    ZAP_MECHANISM_REFUSED,
    ZAP_ADDRESS_REFUSED,
    ZAP_KEY_UNKNOWN,
    ZAP_UNAVAILABLE, /* nobody is known now; unlike a refusal this makes a client try again */
    ZAP_VERDICT_COUNT
} zap_verdict_t;

/*  "unknown_key", …: as counted and logged. */
const char *zap_verdict_word(zap_verdict_t verdict);

/*  The status code of the reply: "200", "300", "400" or "500". */
const char *zap_verdict_code(zap_verdict_t verdict);

/*  Judge a request; fills user_id when the answer is ZAP_WELCOME, else makes it empty. */
zap_verdict_t zap_judge(const text_t *frames, size_t count, const access_keys_t *keys,
                        const network_t *network, char user_id[KEY_TEXT_SIZE]);

#endif
