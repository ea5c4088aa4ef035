#include "broker/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    uint32_t network;
    int bits;
} block_t;

/* Everything that is not a host somewhere on the internet. */
static const block_t blocks[] = {
    {0x00000000, 8},  /* this network */
    {0x0a000000, 8},  /* private */
    {0x64400000, 10}, /* carrier-grade NAT */
    {0x7f000000, 8},  /* loopback */
    {0xa9fe0000, 16}, /* link-local, metadata services */
    {0xac100000, 12}, /* private */
    {0xc0000000, 24}, /* protocol assignments */
    {0xc0000200, 24}, /* documentation */
    {0xc0a80000, 16}, /* private */
    {0xc6120000, 15}, /* benchmarks */
    {0xc6336400, 24}, /* documentation */
    {0xcb007100, 24}, /* documentation */
    {0xe0000000, 4},  /* multicast */
    {0xf0000000, 4},  /* reserved, broadcast */
};

static const uint16_t ports[] = {25, 80, 443, 465, 587};

static bool is_public_v4(uint32_t host)
{
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if ((host ^ blocks[i].network) >> (32 - blocks[i].bits) == 0)
            return false;
    return true;
}

static uint32_t read_v4(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool begins(const uint8_t *bytes, const char *prefix, size_t size)
{
    return memcmp(bytes, prefix, size) == 0;
}

static bool is_public_v6(const uint8_t bytes[16])
{
    if (begins(bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) || /* mapped */
        begins(bytes, "\0\x64\xff\x9b\0\0\0\0\0\0\0\0", 12)) /* NAT64 */
        return is_public_v4(read_v4(bytes + 12));
    if (begins(bytes, "\x20\x02", 2)) /* 6to4 */
        return is_public_v4(read_v4(bytes + 2));
    /* global unicast is 2000::/3; of it, Teredo and documentation are no hosts */
    return (bytes[0] & 0xe0) == 0x20 && !begins(bytes, "\x20\x01\0\0", 4) &&
           !begins(bytes, "\x20\x01\x0d\xb8", 4);
}

static bool is_public_port(uint16_t port)
{
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        if (ports[i] == port)
            return true;
    return port >= 1024;
}

bool address_is_public(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    switch (address->sa_family) {
    case AF_INET:
        memcpy(&v4, address, sizeof v4);
        return is_public_v4(ntohl(v4.sin_addr.s_addr)) && is_public_port(ntohs(v4.sin_port));
    case AF_INET6:
        memcpy(&v6, address, sizeof v6);
        return is_public_v6(v6.sin6_addr.s6_addr) && is_public_port(ntohs(v6.sin6_port));
    default:
        return false;
    }
}
