#include "clients/tocsin/suggest.h"

#include <string.h>

/* No word of ours is longer. */
#define WORD_MAX 32u

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t suggest_distance(const char *a, const char *b)
{
    size_t rows = strlen(a), columns = strlen(b);
    size_t table[WORD_MAX + 1][WORD_MAX + 1];
    if (rows > WORD_MAX || columns > WORD_MAX)
        return rows + columns;
    for (size_t i = 0; i <= rows; i++)
        for (size_t k = 0; k <= columns; k++) {
            if (i == 0 || k == 0) {
                table[i][k] = i + k;
                continue;
            }
            size_t change = table[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
            table[i][k] = least(change, least(table[i - 1][k], table[i][k - 1]) + 1);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                table[i][k] = least(table[i][k], table[i - 2][k - 2] + 1);
        }
    return table[rows][columns];
}

/*  A third of a word may be wrong, and at least one letter. */
suggestion_t suggestion_for(const char *wanted)
{
    return (suggestion_t){wanted, NULL, strlen(wanted) / 3 + 2};
}

void suggestion_consider(suggestion_t *self, const char *word)
{
    size_t distance = suggest_distance(self->wanted, word);
    if (distance < self->distance) {
        self->nearest = word;
        self->distance = distance;
    }
}
