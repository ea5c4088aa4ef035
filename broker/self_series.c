#include "broker/self_series.h"

#include "broker/version.h"

/* One or two labels, whose texts are all short words of ours. */
#define SELF_LABELS_BYTES 256

static void say(sample_sink_t sink, metric_kind_t kind, text_t name, const label_t *labels,
                size_t count, uint64_t value)
{
    uint8_t bytes[SELF_LABELS_BYTES];
    sink.take(sink.context, &(sample_t){.name = name,
                                        .labels = labels_build(labels, count, bytes),
                                        .kind = kind,
                                        .value = (double)value});
}

static void say_reasons(lane_kind_t lane, text_t name, const uint64_t counts[STATUS_COUNT],
                        sample_sink_t sink)
{
    for (status_t status = 0; status < STATUS_COUNT; status++) {
        label_t labels[] = {{TEXT_OF("endpoint"), text_of(lane_names[lane])},
                            {TEXT_OF("reason"), text_of(status_reason(status))}};
        if (counts[status] > 0)
            say(sink, METRIC_COUNTER, name, labels, 2, counts[status]);
    }
}

void self_series_ingest(lane_kind_t lane, const tally_t *tally, sample_sink_t sink)
{
    label_t endpoint = {TEXT_OF("endpoint"), text_of(lane_names[lane])};
    say(sink, METRIC_COUNTER, TEXT_OF("tocsin_ingest_accepted_total"), &endpoint, 1,
        tally->accepted);
    say_reasons(lane, TEXT_OF("tocsin_ingest_refused_total"), tally->refused, sink);
    say_reasons(lane, TEXT_OF("tocsin_ingest_dropped_total"), tally->dropped, sink);
}

void self_series_publications(family_t family, uint64_t count, sample_sink_t sink)
{
    label_t label = {TEXT_OF("family"), text_of(family_name(family))};
    say(sink, METRIC_COUNTER, TEXT_OF("tocsin_publications_total"), &label, 1, count);
}

void self_series_build(sample_sink_t sink)
{
    label_t label = {TEXT_OF("version"), TEXT_OF(TOCSIN_VERSION)};
    say(sink, METRIC_GAUGE, TEXT_OF("tocsin_build_info"), &label, 1, 1);
}

void self_series_use(series_use_t use, sample_sink_t sink)
{
    say(sink, METRIC_GAUGE, TEXT_OF("tocsin_series"), NULL, 0, use.count);
    say(sink, METRIC_GAUGE, TEXT_OF("tocsin_series_limit"), NULL, 0, use.limit);
    say(sink, METRIC_COUNTER, TEXT_OF("tocsin_series_overflow_total"), NULL, 0, use.overflow);
}
