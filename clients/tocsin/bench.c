#include "clients/tocsin/bench.h"

#include "clients/tocsin/bench_report.h"
#include "clients/tocsin/runs.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ROUNDS 7u

enum { MAPS, FORMS, REQUESTS, DETECTION, RULES, TOGETHER, LATENCY, FANOUT, MEMORY, CASES };

const char *const bench_cases[] = {[MAPS] = "maps",         [FORMS] = "forms",
                                   [REQUESTS] = "requests", [DETECTION] = "detection",
                                   [RULES] = "rules",       [TOGETHER] = "together",
                                   [LATENCY] = "latency",   [FANOUT] = "fanout",
                                   [MEMORY] = "memory",     [CASES] = NULL};

static bool (*const measure[CASES])(const bench_options_t *options) = {
    [MAPS] = bench_ingest_maps,
    [FORMS] = bench_ingest_forms,
    [REQUESTS] = bench_ingest_requests,
    [DETECTION] = bench_ingest_detection,
    [RULES] = bench_ingest_rules,
    [TOGETHER] = bench_ingest_together,
    [LATENCY] = bench_latency,
    [FANOUT] = bench_fanout,
    [MEMORY] = bench_memory};

static uint32_t rounds_of(const call_t *call)
{
    uint64_t rounds = call_count(call, OPT_ROUNDS, ROUNDS);
    if (rounds < BENCH_ROUNDS_LEAST)
        return BENCH_ROUNDS_LEAST;
    return rounds > BENCH_ROUNDS_MAX ? BENCH_ROUNDS_MAX : (uint32_t)rounds;
}

static bool wants_json(const call_t *call)
{
    const char *output = call_text(call, OPT_OUTPUT);
    return output != NULL && strncmp(output, "json", 4) == 0;
}

int bench_run(const call_t *call)
{
    bench_options_t wanted = {.rounds = rounds_of(call),
                              .scale = call_number(call, OPT_SCALE, 1),
                              .json = wants_json(call),
                              .only = call_text(call, OPT_CASE)};
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
        fputs("tocsin bench: needs two cores, one to drive and one to measure\n", stderr);
        return EX_UNAVAILABLE;
    }
    bool good = true;
    bench_pin(BENCH_CPU_DRIVER);
    bench_report_head(&wanted);
    for (size_t i = 0; i < CASES; i++)
        if (wanted.only == NULL || strcmp(bench_cases[i], wanted.only) == 0)
            good &= measure[i](&wanted);
    return good ? EX_OK : EX_SOFTWARE;
}
