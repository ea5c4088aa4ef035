/*  access_network - which addresses may connect: CIDR rules, the most specific one decides.
 *
 *  Owns     its rules
 *  Bounds   NETWORK_RULES_MAX rules
 *  Thread   any, once it is made
 *  Refuses  every address when there is no rule, or none that takes it
 *
 *  A rule is an address and the number of leading bits that count: 10.0.0.0/8, ::1/128, or one
 *  address alone (RFC 4632, 3.1; RFC 4291, 2.3). An IPv4 address in IPv6 clothes, ::ffff:10.1.2.3,
 *  is that IPv4 address.
 */
#ifndef BROKER_ACCESS_NETWORK_H
#define BROKER_ACCESS_NETWORK_H

#include "proto/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETWORK_RULES_MAX 1000u

typedef struct {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;       /* of the 128 */
    bool allow;
} network_rule_t;

typedef struct {
    network_rule_t *rules;
    size_t count;
} network_t;

/*  False when a text is no rule; *wrong is its place among `allow` and then `deny`. Equal rules of
 *  both lists: deny decides. */
bool network_init(network_t *self, texts_t allow, texts_t deny, size_t *wrong);
void network_free(network_t *self);

/*  `address` as ZeroMQ writes it: "10.1.2.3", "::1", "fe80::1%eth0". */
bool network_permits(const network_t *self, const char *address);

#endif
