/*  bench_report - figures of several rounds, and the row they make.
 *
 *  Owns     nothing
 *  Time     nanoseconds of CPU time, or of waiting where the row says so
 */
#ifndef CLIENTS_TOCSIN_BENCH_REPORT_H
#define CLIENTS_TOCSIN_BENCH_REPORT_H

#include "clients/tocsin/bench.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    double values[BENCH_ROUNDS_MAX];
    size_t count;
} bench_rounds_t;

void bench_rounds_add(bench_rounds_t *self, double value);
/*  The value below which that share of them lies; NaN of none. Sorts. */
double bench_rounds_at(bench_rounds_t *self, double share);

/*  One row: what was measured, the median with its least and greatest, and the same of the
 *  yardstick; the ratio is the median of the rounds' own ratios. */
typedef struct {
    const char *name;
    bench_rounds_t cost, yardstick, ratio; /* a yardstick without rounds: there is none */
    const char *unit;                      /* of cost: "ns/event" */
    double per_second;                     /* events; 0: not said */
    uint64_t peak_bytes;                   /* 0: not said */
    const bench_thread_t *threads;         /* CPU time a thread used over all rounds */
    size_t thread_count;
    uint64_t events; /* over all rounds: what the threads' time is divided by */
} bench_row_t;

void bench_report_head(const bench_options_t *options);
void bench_report_row(const bench_options_t *options, bench_row_t *row);

#endif
