#include "engines/observability/plan_results.h"

#include "engines/keep.h"
#include "engines/observability/plan_book.h"
#include "proto/must.h"

#include <math.h>
#include <stdlib.h>

#define ENTRIES_FIRST 16u

void plan_results_free(plan_results_t *self)
{
    for (uint32_t i = 1; i <= self->taken; i++)
        drop_labels(&self->entries[i].labels);
    free(self->entries);
    if (self->room > 0)
        table_free(&self->table);
    *self = (plan_results_t){0};
}

void plan_results_begin(plan_results_t *self)
{
    self->stamp++;
}

static void grow(plan_results_t *self)
{
    uint32_t room = self->room == 0 ? ENTRIES_FIRST : 2 * self->room;
    self->entries = memory_grow(self->entries, (size_t)room + 1, sizeof *self->entries);
    if (self->room == 0)
        table_init(&self->table, room);
    else
        table_grow(&self->table, room);
    self->room = room;
}

static plan_entry_t *add(plan_results_t *self, uint64_t hash, labels_t labels)
{
    uint32_t item = self->free;
    if (item != 0) {
        self->free = self->entries[item].next_free;
    } else {
        if (self->taken == self->room)
            grow(self);
        item = ++self->taken;
    }
    self->entries[item] = (plan_entry_t){
        .labels = keep_labels(labels), .hash = (uint32_t)hash, .said = RESULT_STATE_COUNT};
    table_add(&self->table, hash, item);
    self->count++;
    return &self->entries[item];
}

static plan_entry_t *find(const plan_results_t *self, uint64_t hash, labels_t labels)
{
    uint32_t probe = 0, item;
    if (self->room == 0)
        return NULL;
    while ((item = table_next(&self->table, hash, &probe)) != 0)
        if (labels_equal(self->entries[item].labels, labels))
            return &self->entries[item];
    return NULL;
}

stage_t plan_results_stage(plan_results_t *self, uint64_t hash, labels_t labels,
                           result_state_t state, double value, int64_t now_ns)
{
    plan_entry_t *entry = find(self, hash, labels);
    if (entry != NULL && entry->stamp == self->stamp)
        return STAGE_TWICE;
    if (entry == NULL && self->count >= PLAN_RESULTS_MAX)
        return STAGE_FULL;
    if (entry == NULL)
        entry = add(self, hash, labels);
    entry->stamp = self->stamp;
    entry->seen_ns = now_ns;
    entry->staged = (uint8_t)state;
    entry->staged_value = value;
    return STAGE_DONE;
}

void plan_results_unsay(plan_results_t *self)
{
    uint32_t at = 0;
    for (plan_entry_t *entry; (entry = plan_results_next(self, &at)) != NULL;)
        entry->said = RESULT_STATE_COUNT;
}

plan_entry_t *plan_results_next(const plan_results_t *self, uint32_t *at)
{
    while (*at < self->taken) {
        plan_entry_t *entry = &self->entries[++*at];
        if (entry->stamp != 0)
            return entry;
    }
    return NULL;
}

bool plan_results_is_staged(const plan_results_t *self, const plan_entry_t *entry)
{
    return entry->stamp == self->stamp;
}

bool plan_entry_changed(const plan_entry_t *entry)
{
    if (entry->said != entry->staged)
        return true;
    bool same =
        entry->value == entry->staged_value || (isnan(entry->value) && isnan(entry->staged_value));
    return entry->staged == RESULT_HOLDS && !same;
}

void plan_results_forget(plan_results_t *self, plan_entry_t *entry)
{
    uint32_t item = (uint32_t)(entry - self->entries);
    table_remove(&self->table, entry->hash, item);
    drop_labels(&entry->labels);
    *entry = (plan_entry_t){.next_free = self->free};
    self->free = item;
    self->count--;
}

static int by_labels(const void *a, const void *b)
{
    return labels_compare(((const plan_change_t *)a)->labels, ((const plan_change_t *)b)->labels);
}

void plan_changes_sort(plan_change_t *changes, size_t count)
{
    if (count > 1)
        qsort(changes, count, sizeof *changes, by_labels);
}
