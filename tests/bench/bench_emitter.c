/*  What does an event cost the thread that emits it, beside a bare zmq_send of the same event?
 *
 *    bench_emitter          CPU nanoseconds an event, of the caller's thread and of the whole
 * process: median, least and greatest of ROUNDS, and the ratio to zmq_send bench_emitter --json the
 * same, one JSON object a line
 *
 *  Every round runs every case in turn. The events go over a loopback connection to a process that
 *  only receives and counts them; all of them must arrive. */
#include "proto/must.h"
#include "proto/pack.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <tocsin.h>
#include <unistd.h>
#include <zmq.h>

#define ROUNDS 9
#define COUNT 300000u
#define SERIES 1000u
#define PATIENCE_S 60.0

/* -- the sink -- */

/*  Shared with the process that receives. */
typedef struct {
    atomic_ullong events;
    char address[64];
    atomic_bool bound;
} sink_t;

static sink_t *sink;

/*  A frame of the emitter is an array with a count of four bytes; else it is one event. */
static uint64_t count_events(const unsigned char *frame, size_t size)
{
    if (size < 5 || frame[0] != 0xdd)
        return 1;
    return (uint64_t)frame[1] << 24 | (uint64_t)frame[2] << 16 | (uint64_t)frame[3] << 8 | frame[4];
}

static void receive_for_ever(void)
{
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_PULL);
    size_t size = sizeof sink->address;
    must(zmq_bind(socket, "tcp://127.0.0.1:*") == 0);
    must(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, sink->address, &size) == 0);
    sink->bound = true;
    zmq_msg_t message;
    zmq_msg_init(&message);
    while (zmq_msg_recv(&message, socket, 0) >= 0)
        sink->events += count_events(zmq_msg_data(&message), zmq_msg_size(&message));
}

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void pause_briefly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static pid_t start_sink(void)
{
    sink = mmap(NULL, sizeof *sink, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(sink != MAP_FAILED);
    pid_t child = fork();
    must(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        receive_for_ever();
        _exit(1);
    }
    double until = seconds(CLOCK_MONOTONIC) + PATIENCE_S;
    while (!sink->bound && seconds(CLOCK_MONOTONIC) < until)
        pause_briefly();
    must(sink->bound);
    return child;
}

static void wait_for_events(uint64_t events)
{
    double until = seconds(CLOCK_MONOTONIC) + PATIENCE_S;
    while (sink->events < events && seconds(CLOCK_MONOTONIC) < until)
        pause_briefly();
    must(sink->events == events);
}

/*  At least so many, and then until no more come. */
static void wait_for_some(uint64_t events)
{
    uint64_t before;
    double until = seconds(CLOCK_MONOTONIC) + PATIENCE_S;
    do {
        before = sink->events;
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    } while ((before < events || sink->events > before) && seconds(CLOCK_MONOTONIC) < until);
    must(sink->events >= events);
}

/* -- the events: a metric with two labels, SERIES of them in turn -- */

typedef struct {
    char service[16], host[16];
} labels_text_t;

static labels_text_t series[SERIES];
static msgpack_sbuffer packed[SERIES];

static void pack_event(msgpack_sbuffer *out, const labels_text_t *labels, double value)
{
    pack_map(out, 4);
    pack_string(out, "name");
    pack_string(out, "requests");
    pack_string(out, "kind");
    pack_string(out, "counter");
    pack_string(out, "value");
    pack_number(out, value);
    pack_string(out, "labels");
    pack_map(out, 2);
    pack_string(out, "service");
    pack_string(out, labels->service);
    pack_string(out, "host");
    pack_string(out, labels->host);
}

static void make_series(void)
{
    for (unsigned i = 0; i < SERIES; i++) {
        snprintf(series[i].service, sizeof series[i].service, "s%u", i % 100);
        snprintf(series[i].host, sizeof series[i].host, "h%u", i / 100);
        msgpack_sbuffer_init(&packed[i]);
        pack_event(&packed[i], &series[i], 1.5);
    }
}

/* -- the ways to send them -- */

typedef struct {
    void *context, *socket;
    tocsin_emitter_t *emitter;
} way_t;

static void open_socket(way_t *self)
{
    self->context = zmq_ctx_new();
    self->socket = zmq_socket(self->context, ZMQ_PUSH);
    must(zmq_connect(self->socket, sink->address) == 0);
}

static void open_emitter(way_t *self)
{
    /* room for all of them: what is measured is emitting, not dropping */
    self->emitter = tocsin_emitter_new(&(tocsin_emitter_options_t){.metrics = sink->address,
                                                                   .requests = sink->address,
                                                                   .incidents = sink->address,
                                                                   .queue_bytes = 512u << 20});
    must(self->emitter != NULL);
}

static void open_aggregating_emitter(way_t *self)
{
    open_emitter(self);
    must(tocsin_aggregate(self->emitter, "requests") == TOCSIN_OK);
}

static void send_packed(way_t *self, unsigned i)
{
    zmq_send(self->socket, packed[i].data, packed[i].size, 0);
}

static void pack_and_send(way_t *self, unsigned i)
{
    static msgpack_sbuffer buffer;
    buffer.size = 0;
    pack_event(&buffer, &series[i], 1.5);
    zmq_send(self->socket, buffer.data, buffer.size, 0);
}

static void emit(way_t *self, tocsin_kind_t kind, unsigned i)
{
    tocsin_metric(self->emitter, "requests", kind, 1.5, "service", series[i].service, "host",
                  series[i].host, NULL);
}

static void emit_counter(way_t *self, unsigned i)
{
    emit(self, TOCSIN_COUNTER, i);
}

static void emit_gauge(way_t *self, unsigned i)
{
    emit(self, TOCSIN_GAUGE, i);
}

static void emit_histogram(way_t *self, unsigned i)
{
    emit(self, TOCSIN_HISTOGRAM, i);
}

static const struct {
    const char *name;
    void (*open)(way_t *self);
    void (*send)(way_t *self, unsigned i);
    bool is_aggregated;
} cases[] = {
    {"zmq_send, packed before", open_socket, send_packed, false},
    {"pack, zmq_send", open_socket, pack_and_send, false},
    {"tocsin_metric", open_emitter, emit_counter, false},
    {"aggregated counter", open_aggregating_emitter, emit_counter, true},
    {"aggregated gauge", open_aggregating_emitter, emit_gauge, true},
    {"aggregated histogram", open_aggregating_emitter, emit_histogram, true},
};

#define CASES (sizeof cases / sizeof cases[0])

/* -- measuring -- */

typedef struct {
    double caller[ROUNDS], process[ROUNDS]; /* ns an event */
} result_t;

static void end(way_t *self)
{
    if (self->emitter != NULL) {
        must(tocsin_flush(self->emitter, PATIENCE_S) == TOCSIN_OK);
        must(tocsin_dropped(self->emitter) == 0);
        tocsin_emitter_destroy(&self->emitter);
    } else {
        zmq_close(self->socket);
        zmq_ctx_term(self->context);
    }
}

static void run(size_t which, unsigned round, result_t *result)
{
    way_t way = {NULL, NULL, NULL};
    cases[which].open(&way);
    for (unsigned i = 0; i < COUNT / 10; i++) /* warm */
        cases[which].send(&way, i % SERIES);
    double caller = seconds(CLOCK_THREAD_CPUTIME_ID), process = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned i = 0; i < COUNT; i++)
        cases[which].send(&way, i % SERIES);
    result->caller[round] = (seconds(CLOCK_THREAD_CPUTIME_ID) - caller) * 1e9 / COUNT;
    end(&way);
    result->process[round] = (seconds(CLOCK_PROCESS_CPUTIME_ID) - process) * 1e9 / COUNT;
    if (cases[which].is_aggregated)
        wait_for_some(SERIES);
    else
        wait_for_events(COUNT + COUNT / 10);
    sink->events = 0;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/*  The median of the rounds' ratios: each round is compared with itself. */
static double median_ratio(const double *rounds, const double *yardstick)
{
    double ratios[ROUNDS];
    for (size_t i = 0; i < ROUNDS; i++)
        ratios[i] = rounds[i] / yardstick[i];
    qsort(ratios, ROUNDS, sizeof *ratios, compare);
    return ratios[ROUNDS / 2];
}

static void print(const char *name, result_t *result, double ratio, bool as_json)
{
    double *caller = result->caller, *process = result->process;
    qsort(caller, ROUNDS, sizeof *caller, compare);
    qsort(process, ROUNDS, sizeof *process, compare);
    if (as_json)
        printf(
            "{\"case\": \"%s\", \"caller_ns\": %.1f, \"caller_ns_min\": %.1f, \"caller_ns_max\": "
            "%.1f, \"process_ns\": %.1f, \"ratio\": %.3f, \"rounds\": %d, \"events\": %u}\n",
            name, caller[ROUNDS / 2], caller[0], caller[ROUNDS - 1], process[ROUNDS / 2], ratio,
            ROUNDS, COUNT);
    else
        printf("%-26s %7.1f ns (%.1f-%.1f) %9.1f ns %8.2f\n", name, caller[ROUNDS / 2], caller[0],
               caller[ROUNDS - 1], process[ROUNDS / 2], ratio);
}

int main(int argc, char **argv)
{
    static result_t results[CASES];
    bool as_json = argc == 2 && strcmp(argv[1], "--json") == 0;
    if (argc > 1 && !as_json) {
        fputs("usage: bench_emitter [--json]\n", stderr);
        return 64;
    }
    pid_t child = start_sink();
    make_series();
    for (unsigned round = 0; round < ROUNDS; round++)
        for (size_t which = 0; which < CASES; which++)
            run(which, round, &results[which]);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);

    double ratios[CASES];
    for (size_t which = 0; which < CASES; which++)
        ratios[which] = median_ratio(results[which].caller, results[0].caller);
    if (!as_json)
        printf("%-26s %10s %23s %9s\n", "CPU an event", "caller", "whole process", "ratio");
    for (size_t which = 0; which < CASES; which++)
        print(cases[which].name, &results[which], ratios[which], as_json);
    return 0;
}
