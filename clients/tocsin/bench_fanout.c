/*  What does it cost to tell one more subscriber? Beside a bare XSUB/XPUB proxy that passes the
 *  same bytes on. One subscriber more never reads. */
#include "clients/libtocsin/clock.h"
#include "clients/tocsin/bench_drive.h"
#include "clients/tocsin/bench_yardstick.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define SUBSCRIBERS_MAX 100u
#define SERIES_A_ROUND 5000u /* each is found anomalous, and clear again: two publications */
#define PUBLICATIONS (2 * SERIES_A_ROUND)
#define STEADY 12u
#define PATIENCE_S 30.0
#define HWM 100000

/*  One side of the comparison: a process that publishes, and who listens to it. */
typedef struct {
    bench_process_t process;
    void *context, *push, *stopped;
    void *subscribers[SUBSCRIBERS_MAX];
    size_t count;
    uint32_t serial;
} side_t;

/* -- subscribers -- */

static void *subscribe(side_t *self)
{
    int hwm = HWM;
    const char *address = self->process.shared != NULL ? self->process.shared->addresses[1]
                                                       : self->process.addresses[ADDRESS_EVENTS];
    void *socket = zmq_socket(self->context, ZMQ_SUB);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
    zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "anomaly.", 8);
    zmq_connect(socket, address);
    return socket;
}

static bool receive(void *socket)
{
    zmq_msg_t part;
    int more = 1;
    bool got = false;
    zmq_msg_init(&part);
    while (more && zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) >= 0) {
        more = zmq_msg_more(&part);
        got = true;
    }
    zmq_msg_close(&part);
    return got;
}

/*  Read until each of the subscribers has had `wanted`. */
static bool receive_all(side_t *self, uint64_t wanted)
{
    uint64_t all = wanted * self->count, left = all;
    double until = clock_now() + PATIENCE_S;
    while (left > 0 && clock_now() < until)
        for (size_t i = 0; i < self->count; i++)
            while (left > 0 && receive(self->subscribers[i]))
                left--;
    if (left > 0)
        fprintf(stderr, "tocsin bench: %llu of %llu publications did not come\n",
                (unsigned long long)left, (unsigned long long)all);
    return left == 0;
}

/* -- publications -- */

static void publish_by_broker(side_t *self)
{
    static const char event[] = "\x84\xa4name\xa6wobble\xa4kind\xa5gauge\xa6labels\x81\xa1n\xa8";
    static const char values[] = "\xa6values\x9e";
    char frame[128];
    for (uint32_t i = 0; i < SERIES_A_ROUND; i++) {
        size_t at = sizeof event - 1;
        memcpy(frame, event, at);
        at += (size_t)snprintf(frame + at, 16, "%08u", self->serial++);
        memcpy(frame + at, values, sizeof values - 1);
        at += sizeof values - 1;
        memset(frame + at, 1, STEADY);
        frame[at + STEADY] = 100;
        frame[at + STEADY + 1] = 1;
        zmq_send(self->push, frame, at + STEADY + 2, 0);
    }
}

/*  As large as what the broker publishes. */
static void publish_by_proxy(side_t *self)
{
    char body[400];
    memset(body, 'x', sizeof body);
    for (uint32_t i = 0; i < PUBLICATIONS; i++) {
        zmq_send(self->push, "anomaly.wobble", 14, ZMQ_SNDMORE);
        zmq_send(self->push, body, sizeof body, 0);
    }
}

static void publish(side_t *self)
{
    if (self->process.shared != NULL)
        publish_by_proxy(self);
    else
        publish_by_broker(self);
}

/* -- a side -- */

static bool open_side(side_t *self, bool proxy)
{
    int hwm = HWM;
    memset(self, 0, sizeof *self);
    bool good =
        proxy ? bench_process_yardstick(&self->process, bench_yardstick_proxy, BENCH_CPU_MEASURED)
              : bench_process_broker(&self->process, "limits: {series: 1200000, memory: 8GiB}\n",
                                     BENCH_CPU_MEASURED);
    if (!good)
        return false;
    self->context = zmq_ctx_new();
    self->push = zmq_socket(self->context, proxy ? ZMQ_PUB : ZMQ_PUSH);
    zmq_setsockopt(self->push, ZMQ_SNDHWM, &hwm, sizeof hwm);
    zmq_connect(self->push, proxy ? self->process.shared->addresses[0]
                                  : self->process.addresses[ADDRESS_METRICS]);
    self->stopped = subscribe(self);
    return true;
}

static void close_side(side_t *self)
{
    int linger = 0;
    for (size_t i = 0; i < self->count; i++)
        zmq_close(self->subscribers[i]);
    if (self->stopped != NULL)
        zmq_close(self->stopped);
    if (self->push != NULL) {
        zmq_setsockopt(self->push, ZMQ_LINGER, &linger, sizeof linger);
        zmq_close(self->push);
    }
    if (self->context != NULL)
        zmq_ctx_term(self->context);
    bench_process_stop(&self->process);
}

/*  Connected is who has received something; what came meanwhile is thrown away. */
static bool settle(side_t *self)
{
    bool heard[SUBSCRIBERS_MAX] = {false};
    size_t silent = self->count;
    double until = clock_now() + PATIENCE_S;
    while (silent > 0 && clock_now() < until) {
        publish(self);
        for (double rest = clock_now() + 0.5; clock_now() < rest;)
            for (size_t i = 0; i < self->count; i++)
                while (receive(self->subscribers[i])) {
                    silent -= !heard[i];
                    heard[i] = true;
                }
    }
    return silent == 0;
}

static bool grow(side_t *self, size_t count)
{
    while (self->count < count)
        self->subscribers[self->count++] = subscribe(self);
    return settle(self);
}

/*  CPU nanoseconds for one round of publications. */
static bool measure(side_t *self, double *cpu_ns)
{
    uint64_t before = bench_process_cpu_ns(&self->process);
    publish(self);
    if (!receive_all(self, PUBLICATIONS))
        return false;
    *cpu_ns = (double)(bench_process_cpu_ns(&self->process) - before);
    return true;
}

/* -- rounds -- */

static const size_t counts[] = {1, 10, 100};

#define COUNTS (sizeof counts / sizeof *counts)

typedef struct {
    bench_rounds_t cpu[2][COUNTS]; /* of the broker and the proxy */
} fanout_t;

static bool measure_count(side_t *sides, size_t which, const bench_options_t *options,
                          fanout_t *fanout)
{
    for (int side = 0; side < 2; side++)
        if (!grow(&sides[side], counts[which]))
            return false;
    for (uint32_t round = 0; round < options->rounds; round++)
        for (int side = 0; side < 2; side++) {
            double cpu_ns;
            if (!measure(&sides[side], &cpu_ns))
                return false;
            bench_rounds_add(&fanout->cpu[side][which], cpu_ns / PUBLICATIONS);
        }
    return true;
}

static void report(fanout_t *fanout, const bench_options_t *options)
{
    for (size_t i = 0; i < COUNTS; i++) {
        char name[64];
        snprintf(name, sizeof name, "publication to %zu, one stopped", counts[i]);
        bench_row_t row = {.name = name,
                           .unit = "ns/publication",
                           .cost = fanout->cpu[0][i],
                           .yardstick = fanout->cpu[1][i]};
        bench_report_row(options, &row);
    }
    for (size_t i = 1; i < COUNTS; i++) {
        char name[64];
        bench_row_t row = {.name = name, .unit = "ns/delivery"};
        double more = (double)(counts[i] - counts[i - 1]), cost[2];
        for (int side = 0; side < 2; side++)
            cost[side] = (bench_rounds_at(&fanout->cpu[side][i], 0.5) -
                          bench_rounds_at(&fanout->cpu[side][i - 1], 0.5)) /
                         more;
        snprintf(name, sizeof name, "one more of %zu subscribers", counts[i]);
        bench_rounds_add(&row.cost, cost[0]);
        bench_rounds_add(&row.yardstick, cost[1]);
        bench_rounds_add(&row.ratio, cost[0] / cost[1]);
        bench_report_row(options, &row);
    }
}

bool bench_fanout(const bench_options_t *options)
{
    side_t sides[2] = {{.count = 0}, {.count = 0}};
    fanout_t *fanout = calloc(1, sizeof *fanout);
    bool good = fanout != NULL && open_side(&sides[0], false);
    if (good) {
        good = open_side(&sides[1], true);
        for (size_t i = 0; good && i < COUNTS; i++)
            good = measure_count(sides, i, options, fanout);
        close_side(&sides[1]);
    }
    close_side(&sides[0]);
    if (good)
        report(fanout, options);
    free(fanout);
    return good;
}
