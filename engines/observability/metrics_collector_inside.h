/*  metrics_collector_inside - what the files of the metrics collector share. Private to it.
 *
 *    metrics_collector         events, merging and looks: the way of a value to its series
 *    metrics_collector_index   which metrics, series and aliases there are: they come and go here
 *    metrics_collector_expiry  when a series goes that nothing touches any more
 */
#ifndef ENGINES_METRICS_COLLECTOR_INSIDE_H
#define ENGINES_METRICS_COLLECTOR_INSIDE_H

#include "engines/hash.h"
#include "engines/observability/metrics_collector.h"
#include "engines/roll.h"
#include "engines/table.h"

/* In the table of series: the item is an alias, the rest of it its number. */
#define ALIAS_BIT (UINT32_C(1) << 31)
/* Moments of expiry that are told apart: the ttl is this many less a few for rounding. */
#define DUE_LISTS 4096
#define DUE_STEPS 4000

/* A form of a series' labels as a sender writes it, other than the canonical one. */
typedef struct {
    uint8_t *bytes;
    uint32_t size;
    uint32_t hash;
    uint32_t series;
    uint32_t next; /* of the same series, or the next free one */
} alias_t;

struct metrics_collector {
    uint64_t seed;
    collector_limits_t limit, room; /* what may be held; what there is memory for */
    uint32_t inside, outside; /* series held: the broker's own, those that count to the limit */
    uint64_t overflow;

    series_t *series; /* from 1 */
    uint32_t series_taken, series_free;
    roll_t roll;
    table_t keys;     /* (name, labels as they came) -> series or alias */
    table_t own_keys; /* the same for the broker's own, so that the other is no larger for them */

    metric_t *metrics; /* from 1 */
    uint32_t metrics_taken, metrics_free, metrics_outside, metrics_inside;
    table_t names;

    alias_t *aliases; /* from 1 */
    uint32_t aliases_taken, aliases_free, alias_count;

    int64_t ttl_ns;
    int64_t due_step_ns; /* what one list of `due` spans */
    int64_t due_done;    /* the last step whose list was emptied */
    uint32_t due[DUE_LISTS];

    uint8_t *canonical; /* where labels are put in order */
};

static inline uint32_t collector_number_of(const metrics_collector_t *self, const series_t *series)
{
    return (uint32_t)(series - self->series);
}

static inline uint64_t collector_key_hash(const metrics_collector_t *self, text_t name,
                                          const uint8_t *bytes, uint32_t size)
{
    return hash_pair(self->seed, name, bytes, size);
}

static inline table_t *collector_keys_of(metrics_collector_t *self, const series_t *series)
{
    return series->internal ? &self->own_keys : &self->keys;
}

/* -- the index -- */

/*  0: there is none of that name. */
uint32_t collector_find_metric(const metrics_collector_t *self, text_t name, uint64_t hash);

/*  The metric of that name, made if need be. 0: refused. */
uint32_t collector_metric_for(metrics_collector_t *self, text_t name, metric_kind_t kind,
                              bool internal, status_t *status);

/*  Keep the unit if it is the first; true if it was. */
bool collector_name_unit(metric_t *metric, text_t unit);

/*  A new series of a metric, with the flags of `what`. */
series_t *collector_add_series(metrics_collector_t *self, uint32_t metric, labels_t labels,
                               const series_t *what, instant_t now);

/*  Remember another form of its labels, if there is room. */
void collector_add_alias(metrics_collector_t *self, series_t *series, raw_labels_t raw,
                         uint64_t hash);

/*  It goes, and its metric with the last one. Nothing hangs on it any more. */
void collector_forget_series(metrics_collector_t *self, series_t *series);

void collector_free_value(series_t *series);

/* -- expiry -- */

void collector_set_ttl(metrics_collector_t *self, double ttl_s);

/*  Put a series into the list of the moment at which it is due. */
void collector_put_due(metrics_collector_t *self, series_t *series);

/*  Another ttl for all that are held. */
void collector_change_ttl(metrics_collector_t *self, double ttl_s);

#endif
