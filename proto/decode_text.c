#include "proto/decode_inside.h"

/*  The well-formed sequences of more than one byte (Unicode 15, table 3-7): what the second byte
 * may be tells overlong forms, surrogates and what is beyond U+10FFFF; U+0080 to U+009F are
 * controls. */
typedef struct {
    uint8_t first, last;   /* lead bytes */
    uint8_t least, most;   /* second byte */
    uint8_t continuations; /* bytes after the first */
} sequence_t;

static const sequence_t sequences[] = {
    {0xc2, 0xc2, 0xa0, 0xbf, 1}, {0xc3, 0xdf, 0x80, 0xbf, 1}, {0xe0, 0xe0, 0xa0, 0xbf, 2},
    {0xe1, 0xec, 0x80, 0xbf, 2}, {0xed, 0xed, 0x80, 0x9f, 2}, {0xee, 0xef, 0x80, 0xbf, 2},
    {0xf0, 0xf0, 0x90, 0xbf, 3}, {0xf1, 0xf3, 0x80, 0xbf, 3}, {0xf4, 0xf4, 0x80, 0x8f, 3},
};

static const sequence_t *find_sequence(uint8_t lead)
{
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
        if (lead >= sequences[i].first && lead <= sequences[i].last)
            return &sequences[i];
    }
    return NULL;
}

/*  Bytes of the character that is not ASCII at the front; 0 if it is none. */
static size_t wide_character(const uint8_t *at, size_t left)
{
    const sequence_t *sequence = find_sequence(at[0]);
    if (sequence == NULL || left <= sequence->continuations || at[1] < sequence->least ||
        at[1] > sequence->most)
        return 0;
    for (size_t i = 2; i <= sequence->continuations; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    return 1 + (size_t)sequence->continuations;
}

static bool is_control(uint8_t byte, text_rule_t rule)
{
    if (rule == TEXT_FREE && (byte == '\n' || byte == '\t'))
        return false;
    return byte < 0x20 || byte == 0x7f;
}

bool text_is_clean(text_t text, text_rule_t rule)
{
    size_t at = 0;
    while (at < text.size) {
        if (text.size - at >= 8 && word_is_plain(load8(text.data + at))) {
            at += 8;
            continue;
        }
        const uint8_t *byte = (const uint8_t *)text.data + at;
        size_t size =
            *byte < 0x80 ? !is_control(*byte, rule) : wide_character(byte, text.size - at);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}
