#include "broker/access_zap.h"

#include "proto/must.h"

#include <stdio.h>
#include <zmq.h>

#define KEY_BYTES 32u

/* The longest address text: IPv6 with a zone. */
#define ADDRESS_SIZE 128u

enum { VERSION, REQUEST_ID, DOMAIN, ADDRESS, IDENTITY, MECHANISM, CREDENTIALS };

static const struct {
    const char *word, *code;
} verdicts[ZAP_VERDICT_COUNT] = {
    [ZAP_WELCOME] = {"welcome", "200"},
    [ZAP_MALFORMED] = {"malformed", "500"},
    [ZAP_DOMAIN_UNKNOWN] = {"unknown_domain", "400"},
    [ZAP_MECHANISM_REFUSED] = {"mechanism", "400"},
    [ZAP_ADDRESS_REFUSED] = {"address", "400"},
    [ZAP_KEY_UNKNOWN] = {"unknown_key", "400"},
    [ZAP_UNAVAILABLE] = {"unavailable", "300"},
};

const char *zap_verdict_word(zap_verdict_t verdict)
{
    must(verdict < ZAP_VERDICT_COUNT);
    return verdicts[verdict].word;
}

const char *zap_verdict_code(zap_verdict_t verdict)
{
    must(verdict < ZAP_VERDICT_COUNT);
    return verdicts[verdict].code;
}

/*  libzmq gives a peer of ipc:// no address, or ":uid:gid:pid": who may open the socket's file is
 *  the file system's business. */
static bool is_local_peer(const char *address)
{
    return address[0] == '\0' || (address[0] == ':' && address[1] != ':');
}

static bool address_permitted(text_t text, const network_t *network)
{
    char address[ADDRESS_SIZE];
    if (text.size >= sizeof address)
        return false;
    snprintf(address, sizeof address, "%.*s", (int)text.size, text.size == 0 ? "" : text.data);
    return is_local_peer(address) || network_permits(network, address);
}

zap_verdict_t zap_judge(const text_t *frames, size_t count, const access_keys_t *keys,
                        const network_t *network, char user_id[KEY_TEXT_SIZE])
{
    user_id[0] = '\0';
    if (count < CREDENTIALS || !text_is(frames[VERSION], "1.0"))
        return ZAP_MALFORMED;
    if (!text_is(frames[DOMAIN], ZAP_DOMAIN))
        return ZAP_DOMAIN_UNKNOWN;
    if (!text_is(frames[MECHANISM], "CURVE"))
        return ZAP_MECHANISM_REFUSED;
    if (count != ZAP_FRAMES || frames[CREDENTIALS].size != KEY_BYTES)
        return ZAP_MALFORMED;
    if (!address_permitted(frames[ADDRESS], network))
        return ZAP_ADDRESS_REFUSED;
    char key[KEY_TEXT_SIZE];
    must(zmq_z85_encode(key, (const uint8_t *)frames[CREDENTIALS].data, KEY_BYTES) != NULL);
    if (access_keys_find(keys, key) == NULL)
        return keys->trusted ? ZAP_KEY_UNKNOWN : ZAP_UNAVAILABLE;
    memcpy(user_id, key, sizeof key);
    return ZAP_WELCOME;
}
