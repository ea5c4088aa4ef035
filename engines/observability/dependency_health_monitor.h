/*  dependency_health_monitor - can what we depend on be depended on?
 *
 *  The ratio of failures among the last `window` outcomes alone decides: up to `degraded` it is
 *  healthy, up to `unhealthy` degraded, above that unhealthy; unknown while fewer than
 *  `min_requests` outcomes are known. Compared in whole numbers: exactly 10 % is still healthy.
 *
 *      unknown ──► healthy ◄──► degraded ◄──► unhealthy      (and healthy ◄──► unhealthy)
 *
 *  Owns     a dependency's name, its last outcomes with their latencies, its last error
 *  Bounds   `dependencies` by name; a window of at most 10,000 outcomes each
 *  Time     handed in as `now`; how long it stood in a state runs on mono_ns
 *  Thread   one
 *  Refuses  limit: one dependency more than there may be
 */
#ifndef ENGINES_DEPENDENCY_HEALTH_MONITOR_H
#define ENGINES_DEPENDENCY_HEALTH_MONITOR_H

#include "proto/event.h"
#include "proto/instant.h"
#include "proto/status.h"
#include "proto/thing.h"

#include <stdbool.h>
#include <stdint.h>

#define DEPENDENCY_WINDOW_MAX 10000u

typedef struct {
    uint32_t dependencies;
    uint32_t window;       /* 1-10,000 outcomes, default 100 */
    uint32_t min_requests; /* default 5 */
    double degraded;       /* 0-1, default 0.10 */
    double unhealthy;      /* 0-1, default 0.50 */
    uint64_t seed;
} dependency_config_t;

typedef struct dependency_health_monitor dependency_health_monitor_t;

dependency_health_monitor_t *dependency_health_monitor_new(const dependency_config_t *config);
void dependency_health_monitor_destroy(dependency_health_monitor_t **self);

/*  New settings: of each window the latest outcomes stay; a state is judged anew at the next
 *  outcome. A lower limit lets no new dependency in. */
void dependency_health_monitor_configure(dependency_health_monitor_t *self,
                                         const dependency_config_t *config);

typedef struct {
    bool changed;
    dependency_status_t from, to;
    double lasted; /* seconds in `from`; NaN where that is unknown */
} dependency_change_t;

/*  The outcome of a request to its dependency. */
status_t dependency_health_monitor_record(dependency_health_monitor_t *self,
                                          const request_event_t *request, instant_t now,
                                          dependency_change_t *change);

/*  What of a dependency is told as series. */
typedef struct {
    text_t name;
    dependency_status_t status;
    double error_ratio;
    uint64_t retries;
    breaker_t breaker;
} dependency_news_t;

/*  A dependency that had outcomes since it was last told here; false when there is none. */
bool dependency_health_monitor_changed(dependency_health_monitor_t *self, dependency_news_t *news);

bool dependency_health_monitor_get(const dependency_health_monitor_t *self, text_t name,
                                   dependency_view_t *view);
/*  In order of creation: *at = 0 begins, false ends. */
bool dependency_health_monitor_next(const dependency_health_monitor_t *self, uint64_t *at,
                                    dependency_view_t *view);

#endif
