/*  collect_increments - what was added to a counter since it was last read.
 *
 *  Owns     a copy of each series' name and labels
 *  Bounds   one entry a series that was ever read
 *
 *  The kernel counts from the start of the machine, the wire wants increments. The first reading of
 *  a series says nothing yet. A count that became smaller began anew.
 */
#ifndef CLIENTS_TOCSIN_COLLECT_INCREMENTS_H
#define CLIENTS_TOCSIN_COLLECT_INCREMENTS_H

#include "clients/tocsin/collect_samples.h"

typedef struct {
    char *series;
    double count;
} increment_t;

typedef struct {
    increment_t *items;
    size_t count, capacity;
    size_t next; /* series come in the same order each time: the next one is looked for here */
} increments_t;

/*  False at the first reading. */
bool increments_take(increments_t *self, const sample_t *sample, double *added);
void increments_free(increments_t *self);

#endif
