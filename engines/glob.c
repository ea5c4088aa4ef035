#include "engines/glob.h"

#include <stdint.h>

/* Past the character that begins at `at`: its bytes after the first are 10xxxxxx. */
static size_t past_character(text_t text, size_t at)
{
    do
        at++;
    while (at < text.size && ((unsigned char)text.data[at] & 0xc0) == 0x80);
    return at;
}

bool glob_takes(text_t pattern, text_t name)
{
    size_t p = 0, n = 0;
    size_t star = SIZE_MAX, retry = 0; /* where the last * stood, and from where it takes more */
    while (n < name.size) {
        if (p < pattern.size && pattern.data[p] == '*') {
            star = p++;
            retry = n;
        } else if (p < pattern.size && pattern.data[p] == '?') {
            p++;
            n = past_character(name, n);
        } else if (p < pattern.size && pattern.data[p] == name.data[n]) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = retry = past_character(name, retry);
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.data[p] == '*')
        p++;
    return p == pattern.size;
}
