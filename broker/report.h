/*  report - the answer to system.status on its way: each part of the broker fills in what it knows
 * and passes it on. */
#ifndef BROKER_REPORT_H
#define BROKER_REPORT_H

#include "broker/access_zap.h"
#include "broker/config.h"
#include "broker/lane.h"
#include "broker/store.h"
#include "engines/observability/observability_stack.h"
#include "proto/event.h"
#include "proto/publication.h"

#include <msgpack/sbuffer.h>

#define REPORT_ENDPOINTS 5u

/*  How connections fared; all zero without access rules. */
typedef struct {
    bool guarded;
    uint64_t keys; /* in force */
    uint64_t verdicts[ZAP_VERDICT_COUNT];
} access_use_t;

typedef struct {
    double uptime_s;
    uint64_t pid;
    char endpoints[REPORT_ENDPOINTS][256]; /* as bound; in order of endpoint_t */
    uint64_t subscriptions, subscriptions_refused;
    access_use_t access;
    uint64_t memory; /* bytes resident */
    int pressure;    /* pressure_t */
    uint64_t descriptors, limit_descriptors;
    uint64_t connections[REPORT_ENDPOINTS]; /* over TCP, open now */
    uint64_t rebound[REPORT_ENDPOINTS];     /* how often all connections were closed */
    uint64_t shed[LANE_COUNT];              /* frames thrown away for want of memory */
    uint64_t events_diverted; /* to __overflow__, because their producer had no series left */
    tally_t ingest[LANE_COUNT];
    series_use_t series;
    plan_use_t plans;
    uint64_t publications_not_kept; /* published, but the store's queue was full */
    uint64_t heads[FAMILY_STORED];
    store_use_t store;
    limit_settings_t limits;
} report_t;

void report_encode(const report_t *self, msgpack_sbuffer *out);

#endif
