#include "engines/keep.h"
#include "engines/observability/slo_monitor_inside.h"
#include "proto/must.h"

#include <math.h>
#include <stdlib.h>

/* Nothing is remembered for longer than the longest window, whose length in nanoseconds times two
 * is still a number. */
#define AGO_MAX_S (2 * 366 * 86400.0)

bool slo_monitor_remember(const slo_monitor_t *self, uint64_t *at, instant_t now,
                          slo_memory_t *memory)
{
    _Static_assert(SLO_WINDOWS == W_COUNT, "one list a window");
    const slo_entry_t *entry = roster_next(&self->slos, at);
    if (entry == NULL)
        return false;
    memory->slo = entry->slo;
    memory->status = entry->status;
    memory->since = entry->since;
    memory->at = now.wall_s;
    for (int i = 0; i < W_COUNT; i++) {
        window_t window = entry->windows[i];
        window_add(&window, entry->pending);
        window_advance(&window, now.mono_ns);
        window_list(&window, memory->buckets[i]);
    }
    return true;
}

static void free_memory(slo_memory_t *memory)
{
    drop_text(&memory->slo.match.operation);
    drop_text(&memory->slo.match.dependency);
    drop_labels(&memory->slo.match.labels);
    free(memory);
}

static void forget(slo_monitor_t *self, text_t name)
{
    slo_memory_t *memory = roster_find(&self->memories, name);
    if (memory == NULL)
        return;
    roster_remove(&self->memories, name);
    free_memory(memory);
}

void slo_monitor_recall(slo_monitor_t *self, const slo_memory_t *memory)
{
    forget(self, memory->slo.name);
    if (roster_full(&self->memories))
        return;
    slo_memory_t *copy = memory_copy(memory, sizeof *memory);
    copy->slo.match.operation = keep_text(memory->slo.match.operation);
    copy->slo.match.dependency = keep_text(memory->slo.match.dependency);
    copy->slo.match.labels = keep_labels(memory->slo.match.labels);
    copy->slo.name = roster_add(&self->memories, memory->slo.name, copy);
}

void slo_monitor_forget_memories(slo_monitor_t *self)
{
    uint64_t at = 0;
    for (slo_memory_t *memory; (memory = roster_next(&self->memories, &at)) != NULL;)
        forget(self, memory->slo.name);
}

/* A wall clock that was set back meanwhile says nothing about how long ago it was. */
static int64_t ago_ns(const slo_memory_t *memory, instant_t now)
{
    double ago_s = fmin(fmax(now.wall_s - memory->at, 0), AGO_MAX_S);
    return (int64_t)(ago_s * (double)NS_PER_S);
}

static void resume(slo_entry_t *entry, const slo_memory_t *memory, instant_t now)
{
    entry->status = memory->status;
    entry->since = memory->since;
    for (int i = 0; i < W_COUNT; i++)
        window_resume(&entry->windows[i], entry->windows[i].length_ns, now.mono_ns,
                      ago_ns(memory, now), memory->buckets[i]);
    slo_entry_find_boundary(entry);
}

void slo_memory_claim(slo_monitor_t *self, slo_entry_t *entry, instant_t now)
{
    const slo_memory_t *memory = roster_find(&self->memories, entry->slo.name);
    if (memory == NULL)
        return;
    if (slo_same_definition(&memory->slo, &entry->slo)) {
        resume(entry, memory, now);
        if (entry->boundary < self->next)
            self->next = entry->boundary;
    }
    forget(self, entry->slo.name);
}
