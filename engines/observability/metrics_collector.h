/*  metrics_collector - what is the present value of every series?
 *
 *  A series is a metric's name and a label set. It is found by the hash of the bytes as they came;
 *  a form of its labels that was not seen before is brought into canonical order once and then
 *  remembered as an alias.
 *
 *  Owns     metrics (name, kind, unit), series (labels, value), aliases
 *  Bounds   `series` of them, as many metrics, as many aliases; beyond, a metric has one more
 *           series, labelled __overflow__="true", which takes the events that would have made a new
 *           one. A form beyond the aliases is put in order every time. `own` more are kept for what
 *           the broker says about itself. Slots, series and lists lie in memory taken once, whose
 *           pages are touched as they are used; labels and histograms come with their series
 *  Time     a series that had no event for `ttl` expires, at the first tick 1/4,000 of the ttl
 *           later, at most EXPIRY_STEP of them a tick. A metric goes with its last series, its kind
 *           and unit too
 *  Thread   one
 *  Refuses  kind_mismatch; limit when there are as many metrics as there may be
 *
 *  Counters are exact (engines/counter.h), histograms mergeable (engines/sketch.h). Two collectors
 *  merge into what one would hold that had seen the events of both.
 */
#ifndef ENGINES_METRICS_COLLECTOR_H
#define ENGINES_METRICS_COLLECTOR_H

#include "engines/counter.h"
#include "engines/sketch.h"
#include "proto/event.h"
#include "proto/instant.h"
#include "proto/labels.h"
#include "proto/status.h"
#include "proto/thing.h"

#include <stdbool.h>
#include <stdint.h>

/* Metrics beyond the limit for what the broker says about itself. */
#define INTERNAL_METRICS 1024u
/* So many can be told apart in the tables. */
#define COLLECTOR_SERIES_MAX 100000000u
/* Series that expire at one tick, so that no tick takes long: the rest follows at the next. */
#define EXPIRY_STEP 4096u
/* Events that are looked up together, so that their memory arrives while others are hashed. */
#define COLLECTOR_GROUP 64u

typedef struct {
    char *name;
    size_t name_size;
    char *unit; /* NULL until an event names one */
    size_t unit_size;
    uint64_t hash;
    uint32_t series, last_series; /* in order of creation, linked by next_of_metric */
    uint32_t overflow;            /* its __overflow__ series; 0: none */
    uint32_t next_free;
    metric_kind_t kind;
    bool internal;
} metric_t;

typedef struct {
    const uint8_t *labels; /* canonical */
    uint32_t labels_size;
    uint16_t label_count;
    uint8_t kind;      /* metric_kind_t */
    bool followed : 1; /* a watch or a plan hangs on it */
    bool internal : 1; /* beyond the limit: the broker's own */
    bool pinned : 1;   /* does not expire */
    bool overflow : 1; /* beyond the limit: takes what does not fit */
    bool borrowed : 1; /* the histogram is somebody else's */
    uint32_t metric;
    uint32_t hash;
    union {
        counter_t counter;
        double gauge;
        sketch_t *histogram;
    } value;
    int64_t touched_ns; /* when the last event came */
    double updated_at;  /* the same as Unix time */

    struct watch *watch;     /* the anomaly detector's; NULL: not watched */
    struct plan_link *plans; /* the plan book's */
    uint64_t serial;         /* order of creation */
    uint32_t score;          /* its tocsin_anomaly_score; 0: none */
    uint32_t aliases;
    uint32_t due_next; /* in the list of one moment of expiry */
    uint32_t previous_of_metric, next_of_metric;
} series_t;

typedef struct metrics_collector metrics_collector_t;

typedef struct {
    uint32_t series; /* from outside */
    uint32_t own;    /* the broker's own, beyond these */
} collector_limits_t;

metrics_collector_t *metrics_collector_new(collector_limits_t limits, double ttl_s, uint64_t seed);
void metrics_collector_destroy(metrics_collector_t **self);

/*  New limit and ttl; what is held stays, also beyond a lower limit. Looks at series end here. */
void metrics_collector_configure(metrics_collector_t *self, collector_limits_t limits,
                                 double ttl_s);

/*  Prepare to take up to COLLECTOR_GROUP events: their hashes, which _find wants. */
void metrics_collector_hash(const metrics_collector_t *self, const metric_event_t *events,
                            size_t count, uint64_t *hashes);

typedef struct {
    series_t *series; /* NULL: refused */
    status_t status;
    bool created;
    bool unit_named; /* by this event: values compared in percent may read differently now */
} found_t;

/*  The series of an event, made if need be. */
found_t metrics_collector_find(metrics_collector_t *self, const metric_event_t *event,
                               uint64_t hash, instant_t now);

/*  Let one value of an event act on its series. */
void metrics_collector_apply(series_t *series, double value, instant_t now);

/*  The same for the one whole number of a counter's event that no double holds. */
void metrics_collector_apply_whole(series_t *series, const metric_event_t *event, instant_t now);

/*  A series of the broker's own, beyond the limit. */
typedef struct {
    text_t name;
    labels_t labels;
    metric_kind_t kind;
    text_t unit;         /* TEXT_NONE: none */
    bool pinned;         /* stays until it is removed */
    sketch_t *histogram; /* of a histogram: the sketch it shows, which outlives the series */
} own_series_t;

/*  Set it, make it if need be. NULL where there is no room or the name has another kind. A counter
 *  is set to the whole number `value`; a histogram shows what its sketch holds. */
series_t *metrics_collector_set(metrics_collector_t *self, const own_series_t *what, double value,
                                instant_t now, bool *created);

/*  Add what `other` holds, but for what it says about itself: counters and histograms add up, of
 * two gauges the later one stands (of two at the same time the greater). Refused is what would be
 * refused as an event. */
void metrics_collector_merge(metrics_collector_t *self, const metrics_collector_t *other,
                             instant_t now);

/*  Series that are due: each is told to `leave`, in order of creation, and then forgotten. */
typedef void series_leave_fn(void *context, series_t *series);
void metrics_collector_expire(metrics_collector_t *self, instant_t now, series_leave_fn *leave,
                              void *context);
/*  The number of a series, by which it is found again while it is there. */
uint32_t metrics_collector_number(const metrics_collector_t *self, const series_t *series);
series_t *metrics_collector_numbered(const metrics_collector_t *self, uint32_t number);

/*  Forget a pinned series; nothing hangs on it any more. */
void metrics_collector_remove(metrics_collector_t *self, series_t *series);

/* -- looks -- */

series_t *metrics_collector_series(const metrics_collector_t *self, text_t name, labels_t labels);
const metric_t *metrics_collector_metric(const metrics_collector_t *self, text_t name);
const metric_t *metrics_collector_metric_of(const metrics_collector_t *self,
                                            const series_t *series);
/*  The series of a metric in order of creation: NULL begins; NULL ends. */
series_t *metrics_collector_next_of(const metrics_collector_t *self, const metric_t *metric,
                                    const series_t *after);
/*  All series in order of creation. *at: the serial of the one before, 0 to begin. */
series_t *metrics_collector_next(const metrics_collector_t *self, uint64_t *at);

typedef struct {
    uint64_t count; /* series that count to the limit */
    uint64_t limit;
    uint64_t overflow; /* events that went to an __overflow__ series because of the limit */
} collector_use_t;

collector_use_t metrics_collector_use(const metrics_collector_t *self);

static inline labels_t series_labels(const series_t *series)
{
    return (labels_t){series->labels, series->labels_size, series->label_count};
}

static inline text_t metric_name(const metric_t *metric)
{
    return (text_t){metric->name, metric->name_size};
}

static inline text_t metric_unit(const metric_t *metric)
{
    return (text_t){metric->unit, metric->unit_size};
}

/*  The value of a counter or gauge; NaN for a histogram. */
double series_value(const series_t *series);

void metrics_collector_view(const metrics_collector_t *self, const series_t *series,
                            metric_view_t *view);

#endif
