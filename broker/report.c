#include "broker/report.h"

#include "broker/config.h"
#include "broker/config_tables.h"
#include "broker/memory_watch.h"
#include "broker/version.h"
#include "proto/pack.h"

static void pack_pair(msgpack_sbuffer *out, const char *key, uint64_t value)
{
    pack_string(out, key);
    pack_uint(out, value);
}

static void pack_reasons(msgpack_sbuffer *out, const char *key, const uint64_t counts[STATUS_COUNT])
{
    size_t pairs = 0;
    for (status_t status = 0; status < STATUS_COUNT; status++)
        pairs += counts[status] > 0;
    pack_string(out, key);
    pack_map(out, pairs);
    for (status_t status = 0; status < STATUS_COUNT; status++)
        if (counts[status] > 0)
            pack_pair(out, status_reason(status), counts[status]);
}

static void pack_ingest(const report_t *self, msgpack_sbuffer *out)
{
    pack_string(out, "ingest");
    pack_map(out, LANE_COUNT);
    for (size_t lane = 0; lane < LANE_COUNT; lane++) {
        const tally_t *tally = &self->ingest[lane];
        pack_string(out, lane_names[lane]);
        pack_map(out, 5);
        pack_pair(out, "frames", tally->frames);
        pack_pair(out, "accepted", tally->accepted);
        pack_pair(out, "samples", tally->samples);
        pack_reasons(out, "refused", tally->refused);
        pack_reasons(out, "dropped", tally->dropped);
    }
}

static void pack_endpoints(const report_t *self, msgpack_sbuffer *out)
{
    pack_string(out, "endpoints");
    pack_map(out, REPORT_ENDPOINTS);
    for (size_t i = 0; i < REPORT_ENDPOINTS; i++) {
        pack_string(out, endpoint_names[i]);
        pack_string(out, self->endpoints[i]);
    }
}

static void pack_store(const report_t *self, msgpack_sbuffer *out)
{
    pack_string(out, "store");
    pack_map(out, 4);
    pack_string(out, "path");
    pack_string(out, self->store.path);
    pack_pair(out, "bytes", self->store.bytes);
    pack_string(out, "writable");
    pack_bool(out, self->store.writable);
    pack_pair(out, "commits", self->store.commits);
}

static void pack_limits(const report_t *self, msgpack_sbuffer *out)
{
    pack_string(out, "limits");
    schema_write(limits_schema(), &self->limits, false, out);
}

static void pack_publications(const report_t *self, msgpack_sbuffer *out)
{
    pack_string(out, "publications");
    pack_map(out, FAMILY_STORED);
    for (family_t family = 0; family < FAMILY_STORED; family++)
        pack_pair(out, family_name(family), self->heads[family]);
}

static void pack_subscriptions(const report_t *self, msgpack_sbuffer *out)
{
    pack_pair(out, "subscriptions", self->subscriptions);
    pack_pair(out, "subscriptions_refused", self->subscriptions_refused);
}

static void pack_by_endpoint(msgpack_sbuffer *out, const char *key, const uint64_t *counts,
                             size_t count)
{
    pack_string(out, key);
    pack_map(out, count);
    for (size_t i = 0; i < count; i++)
        pack_pair(out, endpoint_names[i], counts[i]);
}

static void pack_resources(const report_t *self, msgpack_sbuffer *out)
{
    static const char *const words[PRESSURE_COUNT] = {"none", "soft", "hard"};
    pack_string(out, "memory");
    pack_map(out, 3);
    pack_pair(out, "resident", self->memory);
    pack_pair(out, "limit", self->limits.memory);
    pack_string(out, "pressure");
    pack_string(out, words[self->pressure]);
    pack_string(out, "descriptors");
    pack_map(out, 2);
    pack_pair(out, "open", self->descriptors);
    pack_pair(out, "limit", self->limit_descriptors);
    pack_by_endpoint(out, "connections", self->connections, REPORT_ENDPOINTS);
    pack_by_endpoint(out, "rebound", self->rebound, REPORT_ENDPOINTS);
    pack_by_endpoint(out, "shed", self->shed, LANE_COUNT);
}

static void pack_access(const report_t *report, msgpack_sbuffer *out)
{
    const access_use_t *self = &report->access;
    pack_string(out, "access");
    pack_map(out, 5);
    pack_pair(out, "events_diverted", report->events_diverted);
    pack_string(out, "guarded");
    pack_bool(out, self->guarded);
    pack_pair(out, "keys", self->keys);
    pack_pair(out, "accepted", self->verdicts[ZAP_WELCOME]);
    pack_string(out, "refused");
    pack_map(out, ZAP_VERDICT_COUNT - 1);
    for (zap_verdict_t verdict = ZAP_WELCOME + 1; verdict < ZAP_VERDICT_COUNT; verdict++)
        pack_pair(out, zap_verdict_word(verdict), self->verdicts[verdict]);
}

static void pack_plans(const plan_use_t *self, msgpack_sbuffer *out)
{
    pack_string(out, "conditions");
    pack_map(out, 4);
    pack_pair(out, "count", self->count);
    pack_pair(out, "limit", self->limit);
    pack_pair(out, "range_bytes", self->range_bytes);
    pack_pair(out, "range_bytes_limit", self->range_limit);
}

void report_encode(const report_t *self, msgpack_sbuffer *out)
{
    pack_map(out, 19);
    pack_string(out, "version");
    pack_string(out, TOCSIN_VERSION);
    pack_string(out, "uptime");
    pack_number(out, self->uptime_s);
    pack_pair(out, "pid", self->pid);
    pack_endpoints(self, out);
    pack_ingest(self, out);
    pack_string(out, "series");
    pack_map(out, 3);
    pack_pair(out, "count", self->series.count);
    pack_pair(out, "limit", self->series.limit);
    pack_pair(out, "overflow", self->series.overflow);
    pack_plans(&self->plans, out);
    pack_publications(self, out);
    pack_pair(out, "publications_not_kept", self->publications_not_kept);
    pack_subscriptions(self, out);
    pack_access(self, out);
    pack_resources(self, out);
    pack_store(self, out);
    pack_limits(self, out);
}
