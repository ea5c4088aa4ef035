/*  suggest - which word was probably meant. */
#ifndef CLIENTS_TOCSIN_SUGGEST_H
#define CLIENTS_TOCSIN_SUGGEST_H

#include <stddef.h>

/*  Keeps the nearest of the words it is told. */
typedef struct {
    const char *wanted;
    const char *nearest; /* NULL: none is near enough to be meant */
    size_t distance;
} suggestion_t;

suggestion_t suggestion_for(const char *wanted);
void suggestion_consider(suggestion_t *self, const char *word);

/*  Insertions, deletions, changes and swaps of neighbours that make the one of the other (optimal
 *  string alignment). */
size_t suggest_distance(const char *a, const char *b);

#endif
