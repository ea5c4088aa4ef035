/*  What does a series cost? Bytes of resident memory each, of SERIES series with two labels, in a
 *  process of its own a kind.
 *
 *    bench_memory [SERIES]
 *
 *  A histogram in use holds VALUES lognormal values; what a watched series costs is what it has
 *  more than one that is not watched, its window full and its score told. */
#include "engines/observability/observability_stack.h"
#include "proto/must.h"
#include "proto/pack.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERIES_DEFAULT 50000u
#define VALUES 300u
#define WINDOW 110u

typedef struct {
    const char *name;
    metric_kind_t kind;
    uint32_t values; /* each */
    bool watched;
} case_t;

static const case_t cases[] = {
    {"counter", METRIC_COUNTER, 3, false},
    {"gauge", METRIC_GAUGE, 3, false},
    {"gauge, watched", METRIC_GAUGE, WINDOW, true},
    {"histogram of one value", METRIC_HISTOGRAM, 1, false},
    {"histogram in use", METRIC_HISTOGRAM, VALUES, false},
};

#define CASES (sizeof cases / sizeof *cases)

static void forget_finding(void *context, const finding_t *finding)
{
    (void)context, (void)finding;
}

static double resident(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    must(file != NULL && fscanf(file, "%*d %ld", &pages) == 1);
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Lognormal, without a generator of its own: the sum of twelve digits of a running number. */
static double value_at(uint32_t series, uint32_t turn)
{
    uint64_t state = series * UINT64_C(0x9e3779b97f4a7c15) + turn * UINT64_C(0xbf58476d1ce4e5b9);
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        state ^= state >> 27;
        state *= UINT64_C(0x94d049bb133111eb);
        sum += (double)(state >> 40) * 0x1p-24;
    }
    return exp(sum - 6) * 0.05;
}

static void take(observability_stack_t *stack, const case_t *one, uint32_t series, uint32_t turn)
{
    char service[16], host[16];
    uint8_t bytes[LABELS_MAX_BYTES];
    tally_t tally = {.frames = 0};
    snprintf(service, sizeof service, "service-%u", series % 100);
    snprintf(host, sizeof host, "host-%u", series / 100);
    label_t pairs[] = {{TEXT_OF("host"), text_of(host)}, {TEXT_OF("service"), text_of(service)}};
    labels_t labels = labels_build(pairs, 2, bytes);
    metric_event_t event = {.name = TEXT_OF("http_requests"),
                            .labels = {labels.bytes, labels.size, labels.count},
                            .value = value_at(series, turn),
                            .value_count = 1,
                            .kind = one->kind};
    observability_stack_metrics(stack, &event, 1, (instant_t){turn, turn}, &tally);
    must(tally.accepted == 1);
}

static double cost_of(const case_t *one, uint32_t series)
{
    anomaly_rule_t rule = {.kind = -1, .sensitivity = 3, .min_history = 10, .watch = one->watched};
    observability_config_t config = observability_config_default();
    config.series = series;
    config.anomaly_rules = &rule;
    config.anomaly_rule_count = 1;
    observability_stack_t *stack =
        observability_stack_new(&config, (finding_sink_t){forget_finding, NULL});
    double before = resident();
    for (uint32_t turn = 0; turn < one->values; turn++)
        for (uint32_t i = 0; i < series; i++)
            take(stack, one, i, turn);
    instant_t now = {2 * NS_PER_S, 2};
    do
        observability_stack_tick(stack, now);
    while (observability_stack_next(stack) <= now.mono_ns);
    double bytes = (resident() - before) / series;
    observability_stack_destroy(&stack);
    return bytes;
}

static double cost_in_a_process(const case_t *one, uint32_t series)
{
    int ends[2];
    double bytes = NAN;
    must(pipe(ends) == 0);
    pid_t child = fork();
    must(child >= 0);
    if (child == 0) {
        bytes = cost_of(one, series);
        _exit(write(ends[1], &bytes, sizeof bytes) == (ssize_t)sizeof bytes ? 0 : 1);
    }
    must(read(ends[0], &bytes, sizeof bytes) == (ssize_t)sizeof bytes);
    must(waitpid(child, NULL, 0) == child);
    close(ends[0]);
    close(ends[1]);
    return bytes;
}

int main(int argc, char **argv)
{
    uint32_t series = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : SERIES_DEFAULT;
    must(series > 0);
    for (size_t i = 0; i < CASES; i++)
        printf("%-24s %6.0f bytes\n", cases[i].name, cost_in_a_process(&cases[i], series));
    return 0;
}
