/*  self_series - what the broker says about itself, as series.
 *
 *  Owns     nothing
 *  Bounds   a series a lane and reason of refusal, a series a family
 *  Thread   any; each wing tells what it counts, once a second
 *
 *  Counts begin with the process, as counters do (prometheus.io/docs/concepts/metric_types).
 */
#ifndef BROKER_SELF_SERIES_H
#define BROKER_SELF_SERIES_H

#include "broker/lane.h"
#include "engines/observability/observability_stack.h"
#include "proto/event.h"
#include "proto/publication.h"

typedef struct {
    void (*take)(void *context, const sample_t *sample);
    void *context;
} sample_sink_t;

/*  tocsin_ingest_accepted_total{endpoint}, tocsin_ingest_refused_total{endpoint,reason} and
 *  tocsin_ingest_dropped_total{endpoint,reason}: the reasons that have been met. */
void self_series_ingest(lane_kind_t lane, const tally_t *tally, sample_sink_t sink);

/*  tocsin_publications_total{family} */
void self_series_publications(family_t family, uint64_t count, sample_sink_t sink);

/*  tocsin_build_info{version} 1 */
void self_series_build(sample_sink_t sink);

/*  tocsin_series, tocsin_series_limit, tocsin_series_overflow_total: how full the collector is. */
void self_series_use(series_use_t use, sample_sink_t sink);

#endif
