#include "engines/observability/dependency_health_monitor.h"

#include "engines/fraction.h"
#include "engines/roster.h"
#include "engines/sketch.h"
#include "proto/must.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    double latency_s;
    bool failed;
} outcome_t;

typedef struct dependency {
    text_t name; /* the roster's */
    dependency_status_t status;
    double since;     /* Unix time */
    int64_t since_ns; /* the same on the monotonic clock */
    uint32_t count, next, failures;
    uint64_t retries;
    breaker_t breaker;
    char *last_error; /* NULL before the first */
    size_t last_error_size, last_error_room;
    double last_error_at;
    struct dependency *next_changed;
    bool changed;
    outcome_t *outcomes; /* a ring of `window` */
} dependency_t;

struct dependency_health_monitor {
    roster_t dependencies;
    uint32_t limit, window, min_requests;
    fraction_t degraded, unhealthy;
    double *latencies; /* room to put a window in order */
    dependency_t *first_changed, *last_changed;
};

/* -- birth and death -- */

static void set_config(dependency_health_monitor_t *self, const dependency_config_t *config)
{
    must(config->window >= 1 && config->window <= DEPENDENCY_WINDOW_MAX);
    self->window = config->window;
    self->min_requests = config->min_requests > 0 ? config->min_requests : 1;
    self->degraded = fraction_of(config->degraded);
    self->unhealthy = fraction_of(config->unhealthy);
}

dependency_health_monitor_t *dependency_health_monitor_new(const dependency_config_t *config)
{
    dependency_health_monitor_t *self = memory_new(1, sizeof *self);
    self->limit = config->dependencies;
    roster_init(&self->dependencies, config->dependencies, config->seed);
    self->latencies = memory_new(DEPENDENCY_WINDOW_MAX, sizeof *self->latencies);
    set_config(self, config);
    return self;
}

void dependency_health_monitor_destroy(dependency_health_monitor_t **self)
{
    if (*self == NULL)
        return;
    uint64_t at = 0;
    for (dependency_t *each; (each = roster_next(&(*self)->dependencies, &at)) != NULL;) {
        free(each->outcomes);
        free(each->last_error);
        free(each);
    }
    roster_free(&(*self)->dependencies);
    free((*self)->latencies);
    free(*self);
    *self = NULL;
}

/* -- outcomes -- */

static const outcome_t *outcome_at(const dependency_t *dependency, uint32_t window, uint32_t age)
{
    return &dependency->outcomes[(dependency->next + window - 1 - age) % window];
}

static void put_outcome(dependency_t *dependency, uint32_t window, outcome_t outcome)
{
    outcome_t *place = &dependency->outcomes[dependency->next];
    if (dependency->count == window)
        dependency->failures -= place->failed;
    else
        dependency->count++;
    dependency->failures += outcome.failed;
    *place = outcome;
    dependency->next = (dependency->next + 1) % window;
}

/* Keep the latest outcomes that fit into a window of another size. */
static void resize(dependency_t *dependency, uint32_t old_window, uint32_t window)
{
    dependency_t old = *dependency;
    dependency->outcomes = memory_new(window, sizeof(outcome_t));
    dependency->count = dependency->next = dependency->failures = 0;
    for (uint32_t age = old.count < window ? old.count : window; age > 0; age--)
        put_outcome(dependency, window, *outcome_at(&old, old_window, age - 1));
    free(old.outcomes);
}

void dependency_health_monitor_configure(dependency_health_monitor_t *self,
                                         const dependency_config_t *config)
{
    uint32_t old_window = self->window;
    set_config(self, config);
    roster_grow(&self->dependencies, config->dependencies);
    self->limit = config->dependencies;
    uint64_t at = 0;
    for (dependency_t *each; (each = roster_next(&self->dependencies, &at)) != NULL;)
        if (self->window != old_window)
            resize(each, old_window, self->window);
}

static bool above(uint32_t failures, uint32_t count, fraction_t limit)
{
    return failures * limit.bottom > limit.top * count;
}

static dependency_status_t judge(const dependency_health_monitor_t *self,
                                 const dependency_t *dependency)
{
    uint32_t needed = self->min_requests < self->window ? self->min_requests : self->window;
    if (dependency->count < needed)
        return DEPENDENCY_UNKNOWN;
    if (above(dependency->failures, dependency->count, self->unhealthy))
        return DEPENDENCY_UNHEALTHY;
    if (above(dependency->failures, dependency->count, self->degraded))
        return DEPENDENCY_DEGRADED;
    return DEPENDENCY_HEALTHY;
}

static void keep_error(dependency_t *dependency, const request_event_t *request, instant_t now)
{
    size_t size = request->message.size;
    if (dependency->last_error == NULL || size > dependency->last_error_room) {
        dependency->last_error = memory_grow(dependency->last_error, size + 1, 1);
        dependency->last_error_room = size;
    }
    if (size > 0)
        memcpy(dependency->last_error, request->message.data, size);
    dependency->last_error_size = size;
    dependency->last_error_at = now.wall_s;
}

static dependency_t *new_dependency(dependency_health_monitor_t *self, text_t name, instant_t now)
{
    dependency_t *dependency = memory_new(1, sizeof *dependency);
    dependency->outcomes = memory_new(self->window, sizeof(outcome_t));
    dependency->last_error_at = NAN;
    dependency->since = now.wall_s;
    dependency->since_ns = now.mono_ns;
    dependency->name = roster_add(&self->dependencies, name, dependency);
    return dependency;
}

static void note_change(dependency_health_monitor_t *self, dependency_t *dependency)
{
    if (dependency->changed)
        return;
    dependency->changed = true;
    dependency->next_changed = NULL;
    if (self->first_changed == NULL)
        self->first_changed = dependency;
    else
        self->last_changed->next_changed = dependency;
    self->last_changed = dependency;
}

static dependency_change_t move(dependency_t *dependency, dependency_status_t to, instant_t now)
{
    dependency_change_t change = {to != dependency->status, dependency->status, to, NAN};
    if (!change.changed)
        return change;
    if (change.from != DEPENDENCY_UNKNOWN)
        change.lasted = (double)(now.mono_ns - dependency->since_ns) / (double)NS_PER_S;
    dependency->status = to;
    dependency->since = now.wall_s;
    dependency->since_ns = now.mono_ns;
    return change;
}

status_t dependency_health_monitor_record(dependency_health_monitor_t *self,
                                          const request_event_t *request, instant_t now,
                                          dependency_change_t *change)
{
    dependency_t *dependency = roster_find(&self->dependencies, request->dependency);
    if (dependency == NULL && roster_count(&self->dependencies) >= self->limit)
        return STATUS_LIMIT;
    if (dependency == NULL)
        dependency = new_dependency(self, request->dependency, now);
    put_outcome(dependency, self->window, (outcome_t){request->duration_s, request->error});
    if (request->error)
        keep_error(dependency, request, now);
    dependency->retries += request->attempt > 1;
    if (request->breaker != BREAKER_UNKNOWN)
        dependency->breaker = request->breaker;
    note_change(self, dependency);
    *change = move(dependency, judge(self, dependency), now);
    return STATUS_OK;
}

/* -- looks -- */

static double error_ratio(const dependency_t *dependency)
{
    return (double)dependency->failures / dependency->count;
}

bool dependency_health_monitor_changed(dependency_health_monitor_t *self, dependency_news_t *news)
{
    dependency_t *dependency = self->first_changed;
    if (dependency == NULL)
        return false;
    self->first_changed = dependency->next_changed;
    dependency->changed = false;
    *news = (dependency_news_t){dependency->name, dependency->status, error_ratio(dependency),
                                dependency->retries, dependency->breaker};
    return true;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void view_latencies(const dependency_health_monitor_t *self, const dependency_t *dependency,
                           dependency_view_t *view)
{
    exact_sum_t sum = {{0}};
    for (uint32_t i = 0; i < dependency->count; i++) {
        self->latencies[i] = dependency->outcomes[i].latency_s;
        exact_sum_add(&sum, self->latencies[i]);
    }
    qsort(self->latencies, dependency->count, sizeof *self->latencies, by_size);
    view->avg_latency = exact_sum_mean(&sum, dependency->count);
    view->p95_latency = self->latencies[quantile_rank(dependency->count, 950) - 1];
}

static void view_dependency(const dependency_health_monitor_t *self, const dependency_t *dependency,
                            dependency_view_t *view)
{
    *view = (dependency_view_t){
        .name = dependency->name,
        .status = dependency->status,
        .window = self->window,
        .successes = dependency->count - dependency->failures,
        .failures = dependency->failures,
        .error_ratio = error_ratio(dependency),
        .last_error = {dependency->last_error, dependency->last_error_size},
        .last_error_at = dependency->last_error_at,
        .breaker = dependency->breaker,
        .retries = dependency->retries,
        .since = dependency->since,
    };
    view_latencies(self, dependency, view);
}

bool dependency_health_monitor_get(const dependency_health_monitor_t *self, text_t name,
                                   dependency_view_t *view)
{
    const dependency_t *dependency = roster_find(&self->dependencies, name);
    if (dependency != NULL)
        view_dependency(self, dependency, view);
    return dependency != NULL;
}

bool dependency_health_monitor_next(const dependency_health_monitor_t *self, uint64_t *at,
                                    dependency_view_t *view)
{
    const dependency_t *dependency = roster_next(&self->dependencies, at);
    if (dependency != NULL)
        view_dependency(self, dependency, view);
    return dependency != NULL;
}
