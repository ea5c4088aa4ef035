#include "broker/access_network.h"

#include "proto/must.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#define IPV4_BITS 96u /* what stands before an IPv4 address in ::ffff:0:0/96 */

/*  *width is the number of bits an address of that family has. */
static bool read_address(const char *text, uint8_t address[16], unsigned *width)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char plain[64];
    size_t length = strcspn(text, "%");
    if (length >= sizeof plain)
        return false;
    memcpy(plain, text, length);
    plain[length] = '\0';
    memcpy(address, mapped, sizeof mapped);
    *width = 32;
    if (inet_pton(AF_INET, plain, address + sizeof mapped) == 1)
        return true;
    *width = 128;
    return inet_pton(AF_INET6, plain, address) == 1;
}

static bool read_rule(text_t text, network_rule_t *rule)
{
    char copy[80], *end;
    unsigned width;
    if (text.size == 0 || text.size >= sizeof copy)
        return false;
    snprintf(copy, sizeof copy, "%.*s", (int)text.size, text.data);
    char *slash = strchr(copy, '/');
    if (slash != NULL)
        *slash = '\0';
    if (!read_address(copy, rule->address, &width))
        return false;
    unsigned long bits = width;
    if (slash != NULL) {
        if (slash[1] < '0' || slash[1] > '9')
            return false;
        bits = strtoul(slash + 1, &end, 10);
        if (*end != '\0' || bits > width)
            return false;
    }
    rule->bits = (unsigned)bits + (width == 32 ? IPV4_BITS : 0);
    return true;
}

bool network_init(network_t *self, texts_t allow, texts_t deny, size_t *wrong)
{
    *self = (network_t){.count = 0};
    self->rules = memory_new(allow.count + deny.count + 1, sizeof *self->rules);
    for (size_t i = 0; i < allow.count + deny.count; i++) {
        bool allows = i < allow.count;
        text_t text = allows ? allow.items[i] : deny.items[i - allow.count];
        if (!read_rule(text, &self->rules[i])) {
            *wrong = i;
            network_free(self);
            return false;
        }
        self->rules[i].allow = allows;
        self->count++;
    }
    return true;
}

void network_free(network_t *self)
{
    free(self->rules);
    *self = (network_t){.count = 0};
}

static bool takes(const network_rule_t *rule, const uint8_t address[16])
{
    size_t whole = rule->bits / 8;
    unsigned rest = rule->bits % 8;
    if (memcmp(rule->address, address, whole) != 0)
        return false;
    return rest == 0 || (rule->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

bool network_permits(const network_t *self, const char *address)
{
    uint8_t bytes[16];
    unsigned width;
    const network_rule_t *best = NULL;
    if (!read_address(address, bytes, &width))
        return false;
    for (size_t i = 0; i < self->count; i++) {
        const network_rule_t *rule = &self->rules[i];
        /* deny stands behind allow: of equal rules it is met last */
        if (takes(rule, bytes) && (best == NULL || rule->bits >= best->bits))
            best = rule;
    }
    return best != NULL && best->allow;
}
