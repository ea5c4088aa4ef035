/*  Authentication requests of any frames. The input is a list of frames, each behind a byte that
 * says how long it is. Nobody comes in but with the one key there is, from an address that a rule
 * allows. */
#include "broker/access_zap.h"
#include "proto/must.h"

#include <string.h>
#include <zmq.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char known[KEY_TEXT_SIZE] = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";

static void must_be_due(const text_t *frames, size_t count, const char *user_id)
{
    uint8_t bytes[32];
    must(zmq_z85_decode(bytes, known) != NULL);
    must(count == ZAP_FRAMES && strcmp(user_id, known) == 0);
    must(text_is(frames[0], "1.0") && text_is(frames[2], ZAP_DOMAIN) &&
         text_is(frames[5], "CURVE"));
    must(text_equal(frames[6], (text_t){(const char *)bytes, sizeof bytes}));
}

static size_t cut(const uint8_t *data, size_t size, text_t frames[ZAP_FRAMES + 1])
{
    size_t count = 0;
    while (size > 0 && count <= ZAP_FRAMES) {
        size_t length = data[0] < size ? data[0] : size - 1;
        frames[count++] = (text_t){(const char *)data + 1, length};
        data += length + 1;
        size -= length + 1;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    text_t frames[ZAP_FRAMES + 1];
    char user_id[KEY_TEXT_SIZE];
    const text_t allow[] = {TEXT_OF("10.0.0.0/8"), TEXT_OF("fe80::/10")};
    network_t network;
    size_t wrong, count = cut(data, size, frames);
    access_key_t key = {.name = TEXT_OF("k"), .role = ROLE_ADMIN};
    memcpy(key.public_key, known, sizeof known);
    access_keys_t keys = {.keys = &key, .count = 1, .trusted = true};
    must(network_init(&network, (texts_t){allow, 2}, (texts_t){NULL, 0}, &wrong));
    zap_verdict_t verdict = zap_judge(frames, count, &keys, &network, user_id);
    if (verdict == ZAP_WELCOME)
        must_be_due(frames, count, user_id);
    else
        must(user_id[0] == '\0' && strcmp(zap_verdict_code(verdict), "200") != 0);
    network_free(&network);

    /* the first frames as rules */
    texts_t rules = {frames, count};
    if (network_init(&network, rules, (texts_t){NULL, 0}, &wrong))
        network_free(&network);
    else
        must(wrong < count);
    return 0;
}
