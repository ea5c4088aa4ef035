/*  bench_drive - a broker and the sink beside it, fed with the same load in turn.
 *
 *  Owns     both processes, the sockets to them, what the rounds measured
 *  Bounds   a round that is not taken in within PROCESS_PATIENCE_S fails
 *  Thread   one
 */
#ifndef CLIENTS_TOCSIN_BENCH_DRIVE_H
#define CLIENTS_TOCSIN_BENCH_DRIVE_H

#include "clients/libtocsin/include/tocsin.h"
#include "clients/tocsin/bench_load.h"
#include "clients/tocsin/bench_report.h"

typedef struct {
    bench_process_t broker, sink;
    void *context, *to_broker, *to_sink;
    tocsin_commander_t *commander;
    const char *lane; /* "metrics" or "requests" */
    bench_row_t row;
    bench_rounds_t walls; /* seconds a round of the broker took */
    bench_thread_t threads[PROCESS_THREADS];
    size_t thread_count;
} bench_drive_t;

bool bench_drive_open(bench_drive_t *self, const char *config, const char *lane);
void bench_drive_close(bench_drive_t *self);

/*  Send without measuring: make the series, warm what is cold. */
bool bench_drive_warm(bench_drive_t *self, const bench_load_t *load);

/*  One round of each; their costs a sample go into the row. */
bool bench_drive_round(bench_drive_t *self, const bench_load_t *load);

/*  One round of the broker alone: CPU nanoseconds for the whole load; 0 when it failed. */
uint64_t bench_drive_broker(bench_drive_t *self, const bench_load_t *load);

/*  Is the sum of every series what `load`, sent `times` times, and `warm`, sent once, come to?
 *  Looks at a sample of the series. `warm` may be NULL. */
bool bench_drive_check(bench_drive_t *self, const bench_load_t *load, uint64_t times,
                       const bench_load_t *warm);

/*  Print the row of all rounds since the last one. */
void bench_drive_report(bench_drive_t *self, const bench_options_t *options, const char *name,
                        const bench_load_t *load);

#endif
