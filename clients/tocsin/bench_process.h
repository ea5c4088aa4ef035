/*  bench_process - children that are measured: started, pinned, weighed, stopped.
 *
 *  Owns     the child and its temporary folder; both are gone after bench_process_stop
 *  Bounds   waits end after PROCESS_PATIENCE_S
 *  Time     CPU time in nanoseconds as the scheduler counted it (/proc/PID/task/TID/schedstat)
 *  Thread   the one that started it; no ZeroMQ context may be alive in it at that moment
 *  Refuses  what cannot be started: false, and the reason on stderr
 */
#ifndef CLIENTS_TOCSIN_BENCH_PROCESS_H
#define CLIENTS_TOCSIN_BENCH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_PATIENCE_S 60.0
#define PROCESS_THREADS 16u

enum { ADDRESS_METRICS, ADDRESS_REQUESTS, ADDRESS_EVENTS, ADDRESS_CONTROL, ADDRESS_COUNT };

/*  What a yardstick and the one who drives it both see. */
typedef struct {
    char addresses[2][128]; /* where it listens; written before `ready` */
    _Atomic int ready;
    _Atomic uint64_t frames; /* received so far */
} bench_shared_t;

typedef struct {
    pid_t pid;
    char folder[64]; /* of a broker; "" of a yardstick */
    char addresses[ADDRESS_COUNT][128];
    bench_shared_t *shared; /* of a yardstick */
} bench_process_t;

/*  A tocsind with that configuration (YAML), pinned to `cpu`, on addresses of its own. */
bool bench_process_broker(bench_process_t *self, const char *config, int cpu);

/*  A child that runs `serve` and ends with it. */
bool bench_process_yardstick(bench_process_t *self, void (*serve)(bench_shared_t *shared), int cpu);

void bench_process_stop(bench_process_t *self);

/*  CPU time that all its threads have used. */
uint64_t bench_process_cpu_ns(const bench_process_t *self);

typedef struct {
    pid_t id;
    char name[24];
    uint64_t cpu_ns;
} bench_thread_t;

/*  Its threads in order of their ids; answers how many. */
size_t bench_process_threads(const bench_process_t *self, bench_thread_t threads[PROCESS_THREADS]);

/*  Memory it has now, and the most it ever had. */
uint64_t bench_process_bytes(const bench_process_t *self);
uint64_t bench_process_peak_bytes(const bench_process_t *self);

/*  Tie the calling process to a core. */
void bench_pin(int cpu);

#endif
