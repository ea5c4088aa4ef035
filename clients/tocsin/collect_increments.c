#include "clients/tocsin/collect_increments.h"

#include "proto/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERIES_BYTES 512u

static void name_series(const sample_t *sample, char out[SERIES_BYTES])
{
    size_t size = (size_t)snprintf(out, SERIES_BYTES, "%s", sample->name);
    for (size_t i = 0; i < SAMPLE_LABELS_MAX && sample->labels[i].name != NULL; i++)
        if (size < SERIES_BYTES)
            size += (size_t)snprintf(out + size, SERIES_BYTES - size, "\n%s\n%s",
                                     sample->labels[i].name, sample->labels[i].value);
}

static increment_t *find(increments_t *self, const char *series)
{
    for (size_t i = 0; i < self->count; i++) {
        size_t at = (self->next + i) % self->count;
        if (strcmp(self->items[at].series, series) == 0) {
            self->next = at + 1;
            return &self->items[at];
        }
    }
    return NULL;
}

static void add(increments_t *self, const char *series, double count)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity * 2 + 64;
        self->items = memory_grow(self->items, self->capacity, sizeof *self->items);
    }
    self->items[self->count++] = (increment_t){memory_copy(series, strlen(series) + 1), count};
    self->next = self->count;
}

bool increments_take(increments_t *self, const sample_t *sample, double *added)
{
    char series[SERIES_BYTES];
    name_series(sample, series);
    increment_t *item = find(self, series);
    if (item == NULL) {
        add(self, series, sample->value);
        return false;
    }
    double more = sample->value >= item->count ? sample->value - item->count : sample->value;
    *added = more * sample->scale;
    item->count = sample->value;
    return true;
}

void increments_free(increments_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        free(self->items[i].series);
    free(self->items);
    *self = (increments_t){.items = NULL};
}
