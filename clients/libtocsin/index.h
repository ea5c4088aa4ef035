/*  index - which numbers carry this hash?
 *
 *  Open addressing over (hash, number); what the numbers stand for, and whether it is really equal,
 *  is the caller's to know. Numbers are never taken out one by one.
 *
 *  Owns     its slots
 *  Refuses  by false when memory is out, with nothing changed: a library must not end the process,
 *           so this is not engines/table.h, which does
 */
#ifndef CLIENTS_LIBTOCSIN_INDEX_H
#define CLIENTS_LIBTOCSIN_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t hash;
    uint32_t number_1; /* the number + 1; 0: free */
} index_slot_t;

typedef struct {
    index_slot_t *slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t count;
} index_t;

/*  Where a search stands. */
typedef struct {
    size_t at;
    uint64_t hash;
} index_probe_t;

void index_free(index_t *self);
void index_clear(index_t *self);

index_probe_t index_probe(const index_t *self, uint64_t hash);
/*  The next number with that hash; false when there is none left. */
bool index_next(const index_t *self, index_probe_t *probe, uint32_t *number);

bool index_add(index_t *self, uint64_t hash, uint32_t number);

#endif
