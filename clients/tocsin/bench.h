/*  bench - how close is the broker to the bare socket? Starts a broker and its yardsticks, drives
 *  both with the same events, and prints what each event cost.
 *
 *  A yardstick is a program that does the part of the work nobody can leave out: receive the same
 *  frames and count them, or pass the same publications on. Figures stand beside it, taken in turn
 *  in the same call, because machines are noisy and ratios are not.
 *
 *  The measured process has a core of its own, the driver has another. Before a case counts, every
 *  event sent must be accounted for in the broker's own counters and sums.
 *
 *  Bounds   rounds of a fixed number of events
 *  Refuses  a machine with one core; a broker whose counts are not what was sent
 */
#ifndef CLIENTS_TOCSIN_BENCH_H
#define CLIENTS_TOCSIN_BENCH_H

#include "clients/tocsin/bench_process.h"

#include <stdbool.h>
#include <stdint.h>

#define BENCH_CPU_DRIVER 0
#define BENCH_CPU_MEASURED 1
#define BENCH_ROUNDS_LEAST 5u
#define BENCH_ROUNDS_MAX 101u

typedef struct {
    uint32_t rounds;  /* at least BENCH_ROUNDS_LEAST */
    double scale;     /* of the number of events a round; 1 is what the documents show */
    bool json;        /* lines of JSON instead of a table */
    const char *only; /* this case; NULL: all */
} bench_options_t;

/*  The names of the cases; NULL ends. */
extern const char *const bench_cases[];

/*  One case: false when it could not be measured, and said why on stderr. */
bool bench_ingest_maps(const bench_options_t *options);
bool bench_ingest_forms(const bench_options_t *options);
bool bench_ingest_requests(const bench_options_t *options);
bool bench_ingest_detection(const bench_options_t *options);
bool bench_ingest_rules(const bench_options_t *options);
bool bench_ingest_together(const bench_options_t *options);
bool bench_memory(const bench_options_t *options);
bool bench_latency(const bench_options_t *options);
bool bench_fanout(const bench_options_t *options);

#endif
