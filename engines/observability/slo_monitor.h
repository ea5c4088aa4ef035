/*  slo_monitor - is the promise kept, and how fast is what may fail being used up?
 *
 *  Every SLO counts the requests it selects as good or bad, exactly, in rings of sixty buckets and
 *  the running one: over its own window, over the seven windows of the burn rates, and over its
 *  period. Status, the first that holds: no events in the window: insufficient_data; compliance
 *  below the target: breached; both windows of a burn pair above its rate, with at least min_events
 *  in the short one: burning; else ok.
 *
 *  Owns     the SLOs, each with a copy of its definition and nine rings (about 9 KiB); what is
 *           remembered of SLOs that are still to be put
 *  Bounds   `slos` of them
 *  Time     handed in as `now`; windows run on mono_ns. Status changes with a request or with time:
 *           call _roll at _next
 *  Thread   one
 *  Refuses  bad_value: target outside (0, 100) percent, window outside 60 ms - 366 d, period
 *           shorter than the window or longer than 366 d, latency below 0; limit; not_found
 *
 *  Seed: Beyer et al., The Site Reliability Workbook, chapter 5, Alerting on SLOs, table 5-8 and
 * its code: 14.4x over 1 h and 5 min, 6x over 6 h and 30 min, 3x over 24 h and 2 h, 1x over 3 d and
 * 6 h for a period of 30 days, that is 2 %, 5 %, 10 % and 10 % of the budget. For another period
 * the rate is that share x period / long window. A rate can never exceed 1 / (1 - target): pairs
 * above that, and pairs whose long window is longer than the period, are left out.
 */
#ifndef ENGINES_SLO_MONITOR_H
#define ENGINES_SLO_MONITOR_H

#include "engines/window.h"
#include "proto/event.h"
#include "proto/instant.h"
#include "proto/status.h"
#include "proto/thing.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct slo_monitor slo_monitor_t;

/*  Told of each change of status, in order, from inside the functions below. */
typedef struct {
    void (*take)(void *context, const slo_view_t *view, slo_status_t from, instant_t now);
    void *context;
} slo_sink_t;

slo_monitor_t *slo_monitor_new(uint32_t slos, uint64_t seed, slo_sink_t sink);
void slo_monitor_destroy(slo_monitor_t **self);
/*  Another limit: a lower one lets no new SLO in. */
void slo_monitor_configure(slo_monitor_t *self, uint32_t slos);

/*  Put or replace: an identical one changes nothing, a changed one starts afresh. */
status_t slo_monitor_put(slo_monitor_t *self, const slo_t *slo, instant_t now);
status_t slo_monitor_delete(slo_monitor_t *self, text_t name);

/*  Count a request in every SLO that selects it, in order of their creation. */
void slo_monitor_record(slo_monitor_t *self, const request_event_t *request, instant_t now);

/*  Let time pass for all of them. */
void slo_monitor_roll(slo_monitor_t *self, instant_t now);
/*  When the next bucket begins whose beginning may change a status. */
int64_t slo_monitor_next_boundary(const slo_monitor_t *self);

/* -- what outlives the process -- */

#define SLO_WINDOWS 9 /* 5m 30m 1h 2h 6h 24h 3d, its own, its period */

typedef struct {
    slo_t slo;
    slo_status_t status;
    double since;
    double at;                                            /* Unix time at which all this was so */
    window_counts_t buckets[SLO_WINDOWS][WINDOW_BUCKETS]; /* as window_list gives them */
} slo_memory_t;

/*  What the next SLO is to remember; in order of creation: *at = 0 begins, false ends. */
bool slo_monitor_remember(const slo_monitor_t *self, uint64_t *at, instant_t now,
                          slo_memory_t *memory);

/*  Keep it until an SLO of that name and definition is put: it then goes on as if the time between
 *  had been a silence. Copied; beyond the limit it is forgotten. */
void slo_monitor_recall(slo_monitor_t *self, const slo_memory_t *memory);
/*  What has not been put by now is gone. */
void slo_monitor_forget_memories(slo_monitor_t *self);

/* -- looks -- */

bool slo_monitor_get(const slo_monitor_t *self, text_t name, instant_t now, slo_view_t *view);
/*  In order of creation: *at = 0 begins, false ends. */
bool slo_monitor_next(const slo_monitor_t *self, uint64_t *at, instant_t now, slo_view_t *view);

#endif
