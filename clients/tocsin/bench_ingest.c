/*  The cases in which events come in: what does one cost beside a sink that only counts it? */
#include "clients/tocsin/bench_drive.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_SINGLE 500000u /* a round, when each event is a frame */
#define EVENTS_BATCHED 2000000u
#define SERIES 1000u
#define POLICIES 1000u

/* Room for the largest case, and nothing watched unless the case is about it. */
#define CONFIG_LIMITS "limits: {series: 1200000, memory: 8GiB}\n"
#define CONFIG_QUIET CONFIG_LIMITS "anomaly: [{watch: false}]\n"

static uint64_t events_of(const bench_options_t *options, uint32_t batch)
{
    double events = (batch == 1 ? EVENTS_SINGLE : EVENTS_BATCHED) * options->scale;
    return (uint64_t)fmax(events, batch);
}

static bool open_quiet(bench_drive_t *drive, const char *lane)
{
    return bench_drive_open(drive, CONFIG_QUIET, lane);
}

/*  Warm up with `warm` if there is one, run the rounds, check the sums of counters, say it. */
static bool run_rounds(bench_drive_t *drive, const bench_options_t *options, const char *name,
                       load_shape_t shape)
{
    bench_load_t load;
    bench_load_make(&load, shape);
    bool good = bench_drive_warm(drive, &load);
    for (uint32_t i = 0; good && i < options->rounds; i++)
        good = bench_drive_round(drive, &load);
    if (good)
        bench_drive_report(drive, options, name, &load);
    bench_load_free(&load);
    return good;
}

/* -- maps with two labels -- */

static const uint32_t batches[] = {1, 10, 100, 1000};

/*  Counters hold the sum of everything that was sent, so the check needs a broker of its own. */
static bool measure_maps(const bench_options_t *options, load_shape_t shape)
{
    char name[64];
    bench_drive_t drive;
    bench_load_t all, load;
    snprintf(name, sizeof name, "maps %u series, batch %u, %s", shape.series, shape.batch,
             shape.zipf ? "zipf" : "uniform");
    bench_load_make(
        &all, (load_shape_t){
                  .series = shape.series, .batch = 100, .events = shape.series, .each_once = true});
    bench_load_make(&load, shape);
    bool good = open_quiet(&drive, "metrics") && bench_drive_warm(&drive, &all);
    for (uint32_t i = 0; good && i < options->rounds; i++)
        good = bench_drive_round(&drive, &load);
    if (good && (good = bench_drive_check(&drive, &load, options->rounds, &all)))
        bench_drive_report(&drive, options, name, &load);
    bench_load_free(&all);
    bench_load_free(&load);
    bench_drive_close(&drive);
    return good;
}

bool bench_ingest_maps(const bench_options_t *options)
{
    static const uint32_t series[] = {1000, 100000, 1000000};
    bool good = true;
    for (size_t i = 0; i < sizeof series / sizeof *series; i++)
        for (int zipf = 0; zipf < 2; zipf++)
            for (size_t b = 0; b < sizeof batches / sizeof *batches; b++)
                good &=
                    measure_maps(options, (load_shape_t){.series = series[i],
                                                         .batch = batches[b],
                                                         .events = events_of(options, batches[b]),
                                                         .zipf = zipf != 0});
    return good;
}

/* -- other forms -- */

bool bench_ingest_forms(const bench_options_t *options)
{
    bench_drive_t drive;
    bool good = open_quiet(&drive, "metrics") &&
                run_rounds(&drive, options, "maps again, batch 100",
                           (load_shape_t){.form = LOAD_MAPS,
                                          .series = SERIES,
                                          .batch = 100,
                                          .events = events_of(options, 100)}) &&
                run_rounds(&drive, options, "compact, 1,000 samples of 100 series",
                           (load_shape_t){.form = LOAD_COMPACT,
                                          .series = SERIES,
                                          .batch = 1000,
                                          .events = events_of(options, 1000)}) &&
                run_rounds(&drive, options, "values of ten, batch 100",
                           (load_shape_t){.form = LOAD_VALUES,
                                          .series = SERIES,
                                          .batch = 100,
                                          .events = events_of(options, 100) / 4});
    bench_drive_close(&drive);
    return good;
}

bool bench_ingest_requests(const bench_options_t *options)
{
    bench_drive_t drive;
    bool good = bench_drive_open(
        &drive,
        CONFIG_QUIET "slos:\n"
                     "  - {name: all, target_percent: 99.9}\n"
                     "  - {name: fast, target_percent: 99, latency: 50ms}\n"
                     "  - {name: first, target_percent: 99, match: {operation: \"GET /1\"}}\n",
        "requests");
    for (size_t b = 0; good && b < 3; b++) {
        char name[64];
        snprintf(name, sizeof name, "requests with three SLOs, batch %u", batches[b]);
        good = run_rounds(&drive, options, name,
                          (load_shape_t){.form = LOAD_REQUESTS,
                                         .series = SERIES,
                                         .batch = batches[b],
                                         .events = events_of(options, batches[b])});
    }
    bench_drive_close(&drive);
    return good;
}

/* -- what one more duty adds to an event: two brokers in turn -- */

static bool add_difference(bench_row_t *row, bench_drive_t *with, bench_drive_t *without,
                           const bench_load_t *load)
{
    double base = (double)bench_drive_broker(without, load) / (double)load->shape.events;
    double more = (double)bench_drive_broker(with, load) / (double)load->shape.events;
    bench_rounds_add(&row->yardstick, base);
    bench_rounds_add(&row->cost, more - base);
    bench_rounds_add(&row->ratio, more / base);
    return base > 0 && more > 0;
}

static bool measure_difference(const bench_options_t *options, const char *name, const char *with,
                               const char *without, load_shape_t shape)
{
    bench_drive_t one, other;
    bench_load_t load;
    bench_row_t row = {.name = name, .unit = "ns/event more"};
    bench_load_make(&load, shape);
    bool opened = bench_drive_open(&one, without, "metrics");
    bool good = opened && bench_drive_warm(&one, &load);
    if (good) {
        good = bench_drive_open(&other, with, "metrics") && bench_drive_warm(&other, &load);
        for (uint32_t i = 0; good && i < options->rounds; i++)
            good = add_difference(&row, &other, &one, &load);
        bench_drive_close(&other);
    }
    if (good)
        bench_report_row(options, &row);
    bench_drive_close(&one);
    bench_load_free(&load);
    return good;
}

bool bench_ingest_detection(const bench_options_t *options)
{
    return measure_difference(options, "anomaly detection on every gauge",
                              CONFIG_LIMITS "anomaly: [{match: {kind: gauge}, sensitivity: 10}]\n",
                              CONFIG_QUIET,
                              (load_shape_t){.form = LOAD_GAUGES,
                                             .series = SERIES,
                                             .batch = 100,
                                             .events = events_of(options, 100)});
}

bool bench_ingest_rules(const bench_options_t *options)
{
    return measure_difference(
        options, "a rule on the event's series",
        CONFIG_QUIET
        "policies: [{name: p, condition: depth > 1000, severity: low, channels: []}]\n",
        CONFIG_QUIET,
        (load_shape_t){.form = LOAD_GAUGES,
                       .series = SERIES,
                       .batch = 100,
                       .events = events_of(options, 100)});
}

/* -- all of it -- */

static char *config_of_all(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        abort();
    fputs(CONFIG_LIMITS "slos: [{name: all, target_percent: 99.9}]\npolicies:\n", out);
    for (uint32_t i = 0; i < POLICIES; i++)
        fprintf(out,
                "  - {name: p%u, condition: 'depth{service=\"s%u\", host=\"h%u\"} > 1000', "
                "severity: low, channels: []}\n",
                i, i % 100, i / 100);
    fclose(out);
    return text;
}

bool bench_ingest_together(const bench_options_t *options)
{
    bench_drive_t drive;
    char *config = config_of_all();
    bool good = bench_drive_open(&drive, config, "metrics") &&
                run_rounds(&drive, options, "gauges, detection, 1,000 policies",
                           (load_shape_t){.form = LOAD_GAUGES,
                                          .series = SERIES,
                                          .batch = 100,
                                          .events = events_of(options, 100)});
    bench_drive_close(&drive);
    free(config);
    return good;
}

/* -- memory from outside -- */

bool bench_memory(const bench_options_t *options)
{
    bench_drive_t drive;
    bench_load_t load;
    const uint32_t wanted = 1000000;
    bench_row_t row = {.name = "1,000,000 series, default limit", .unit = "bytes/series sent"};
    bench_load_make(
        &load, (load_shape_t){.series = wanted, .batch = 100, .events = wanted, .each_once = true});
    bool good = bench_drive_open(&drive, "", "metrics");
    double before = good ? (double)bench_process_bytes(&drive.broker) : 0;
    if (good && (good = bench_drive_warm(&drive, &load))) {
        bench_rounds_add(&row.cost, ((double)bench_process_bytes(&drive.broker) - before) / wanted);
        row.peak_bytes = bench_process_peak_bytes(&drive.broker);
        bench_report_row(options, &row);
    }
    bench_drive_close(&drive);
    bench_load_free(&load);
    return good;
}
