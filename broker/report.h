/*  report - the answer to system.status on its way: each part of the broker fills in what it knows
 * and passes it on. */
#ifndef BROKER_REPORT_H
#define BROKER_REPORT_H

#include "broker/lane.h"
#include "broker/store.h"
#include "engines/observability/observability_stack.h"
#include "proto/event.h"
#include "proto/publication.h"

#include <msgpack/sbuffer.h>

#define REPORT_ENDPOINTS 5u

typedef struct {
    double uptime_s;
    uint64_t pid;
    char endpoints[REPORT_ENDPOINTS][256]; /* as bound; in order of endpoint_t */
    uint64_t subscriptions;
    tally_t ingest[LANE_COUNT];
    series_use_t series;
    uint64_t publications_not_kept; /* published, but the store's queue was full */
    uint64_t heads[FAMILY_STORED];
    store_use_t store;
    limits_t limits;
    uint64_t limit_operations, limit_dependencies, limit_series;
    double limit_series_ttl;
} report_t;

void report_encode(const report_t *self, msgpack_sbuffer *out);

#endif
