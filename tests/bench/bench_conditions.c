/*  What do conditions cost? 100,000 series of 1,000 metrics, 1,000 policies of one kind at a time,
 *  each over the 100 series of its metric, evaluated every second while every series has an event
 *  every second.
 *
 *    bench_conditions       for each kind of condition: nanoseconds of CPU an event costs with its
 *                           policies and without, and a series an evaluation; the share of one core
 *                           that evaluating everything once a second takes; bytes of range buffers
 *                           a series
 */
#include "engines/observability/metrics_collector.h"
#include "engines/observability/plan_book.h"
#include "proto/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define METRICS 1000u
#define HOSTS 100u
#define SERIES (METRICS * HOSTS)
#define SECONDS 70u /* the ranges of a minute are full */

typedef struct {
    metrics_collector_t *collector;
    plan_book_t *book;
    series_t *series[SERIES];
    instant_t now;
    uint64_t said;
} bench_t;

static const struct {
    const char *name;
    const char *condition; /* @: the policy's metric; NULL: no policies */
} kinds[] = {
    {"none", NULL},
    {"threshold", "m@ > 1e9"},
    {"threshold of a label", "m@{zone=\"z1\"} > 1e9"},
    {"aggregation", "avg by (zone) (m@) > 1e9"},
    {"arithmetic of two", "m@ / on (host, zone) m@ > 1e9"},
    {"rate over a minute", "rate(m@[1m]) > 1e9"},
    {"sum of rates", "sum by (zone) (rate(m@[1m])) > 1e9"},
};

static void count_finding(void *context, const finding_t *finding)
{
    bench_t *self = context;
    self->said += finding->type == FINDING_RESULT;
}

static double cpu_s(void)
{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static series_t *make_series(bench_t *self, uint32_t metric, uint32_t host)
{
    char name[16], host_name[16], zone[8];
    uint8_t labels[64];
    snprintf(name, sizeof name, "m%u", metric);
    snprintf(host_name, sizeof host_name, "host-%u", host);
    snprintf(zone, sizeof zone, "z%u", host % 4);
    label_t pairs[] = {{TEXT_OF("host"), text_of(host_name)}, {TEXT_OF("zone"), text_of(zone)}};
    labels_t made = labels_build(pairs, 2, labels);
    metric_event_t event = {.name = text_of(name),
                            .labels = {made.bytes, made.size, made.count},
                            .value_count = 1,
                            .kind = METRIC_GAUGE};
    uint64_t hash;
    metrics_collector_hash(self->collector, &event, 1, &hash);
    found_t found = metrics_collector_find(self->collector, &event, hash, self->now);
    must(found.series != NULL);
    return found.series;
}

/* With the number of the metric in the place of each @. */
static void write_condition(char *text, size_t room, const char *condition, uint32_t metric)
{
    size_t used = 0;
    for (; *condition != '\0'; condition++)
        used += (size_t)(*condition == '@' ? snprintf(text + used, room - used, "%u", metric)
                                           : snprintf(text + used, room - used, "%c", *condition));
}

static void put_policies(bench_t *self, const char *condition)
{
    char text[128];
    for (uint32_t i = 0; condition != NULL && i < METRICS; i++) {
        write_condition(text, sizeof text, condition, i);
        must(plan_book_put(self->book, i + 1, text_of(text), 1, 300, self->now) == STATUS_OK);
    }
}

static bench_t *set_up(const char *condition)
{
    bench_t *self = memory_new(1, sizeof *self);
    self->collector = metrics_collector_new((collector_limits_t){.series = SERIES}, 3600, 42);
    self->book = plan_book_new(METRICS, UINT64_C(1) << 32, 42, self->collector,
                               (finding_sink_t){count_finding, self});
    for (uint32_t i = 0; i < SERIES; i++)
        self->series[i] = make_series(self, i % METRICS, i / METRICS);
    put_policies(self, condition);
    return self;
}

static void tear_down(bench_t *self)
{
    for (uint32_t i = 0; i < SERIES; i++)
        plan_book_leave(self->book, self->series[i], self->now);
    plan_book_destroy(&self->book);
    metrics_collector_destroy(&self->collector);
    free(self);
}

/* One event of every series. */
static double take_events(bench_t *self, uint32_t second)
{
    double before = cpu_s();
    for (uint32_t i = 0; i < SERIES; i++) {
        metrics_collector_apply(self->series[i], second + i % 7, self->now);
        if (self->series[i]->plans != NULL)
            plan_book_take(self->book, self->series[i], self->now);
    }
    return cpu_s() - before;
}

/* All that comes due within the next second. */
static double evaluate(bench_t *self)
{
    int64_t until = self->now.mono_ns + NS_PER_S;
    double before = cpu_s();
    while (plan_book_next(self->book) <= until) {
        self->now.mono_ns = plan_book_next(self->book);
        plan_book_tick(self->book, self->now);
    }
    self->now.mono_ns = until;
    return cpu_s() - before;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

#define MEASURED 9u

static double median(double *values)
{
    qsort(values, MEASURED, sizeof *values, by_value);
    return values[MEASURED / 2];
}

static void run(const char *name, const char *condition)
{
    bench_t *self = set_up(condition);
    double events[MEASURED], evaluations[MEASURED];
    for (uint32_t second = 0; second < SECONDS; second++) {
        double event = take_events(self, second), evaluation = evaluate(self);
        if (second >= SECONDS - MEASURED) {
            events[second - (SECONDS - MEASURED)] = event;
            evaluations[second - (SECONDS - MEASURED)] = evaluation;
        }
    }
    double a_second = median(evaluations);
    printf("%-22s %8.1f ns an event %8.1f ns a series evaluated %7.2f %% of a core %8.0f bytes\n",
           name, median(events) / SERIES * 1e9, a_second / SERIES * 1e9, 100 * a_second,
           (double)plan_book_use(self->book).range_bytes / SERIES);
    tear_down(self);
}

int main(void)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        run(kinds[i].name, kinds[i].condition);
    return 0;
}
