#include "clients/tocsin/bench_drive.h"

#include "clients/libtocsin/clock.h"
#include "clients/tocsin/bench_yardstick.h"

#include <math.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

/* Looking costs the broker some microseconds: seldom enough not to show. */
#define LOOK_MS 20

/* Series whose sums are compared. */
#define CHECKED 100u

#define ASK_TIMEOUT_S 20.0

/* -- opening and closing -- */

static void *connect_push(void *context, const char *address)
{
    int hwm = 10000, linger = 0;
    void *socket = zmq_socket(context, ZMQ_PUSH);
    if (socket == NULL)
        return NULL;
    zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    if (zmq_connect(socket, address) == 0)
        return socket;
    zmq_close(socket);
    return NULL;
}

/*  The children first: no thread of ours may live when they are forked. */
bool bench_drive_open(bench_drive_t *self, const char *config, const char *lane)
{
    memset(self, 0, sizeof *self);
    self->lane = lane;
    if (!bench_process_yardstick(&self->sink, bench_yardstick_sink, BENCH_CPU_MEASURED) ||
        !bench_process_broker(&self->broker, config, BENCH_CPU_MEASURED)) {
        bench_drive_close(self);
        return false;
    }
    bool requests = strcmp(lane, "requests") == 0;
    self->context = zmq_ctx_new();
    self->to_sink = connect_push(self->context, self->sink.shared->addresses[0]);
    self->to_broker = connect_push(
        self->context, self->broker.addresses[requests ? ADDRESS_REQUESTS : ADDRESS_METRICS]);
    self->commander = tocsin_commander_new(self->broker.addresses[ADDRESS_CONTROL], ASK_TIMEOUT_S);
    return self->to_sink != NULL && self->to_broker != NULL && self->commander != NULL;
}

void bench_drive_close(bench_drive_t *self)
{
    tocsin_commander_destroy(&self->commander);
    if (self->to_sink != NULL)
        zmq_close(self->to_sink);
    if (self->to_broker != NULL)
        zmq_close(self->to_broker);
    if (self->context != NULL)
        zmq_ctx_term(self->context);
    bench_process_stop(&self->sink);
    bench_process_stop(&self->broker);
}

/* -- the broker's own counts -- */

typedef struct {
    int64_t frames, accepted, samples;
} taken_t;

static bool look(bench_drive_t *self, taken_t *taken)
{
    tocsin_reply_t *reply;
    if (tocsin_ask(self->commander, &reply, "system.status", NULL) != TOCSIN_OK) {
        fprintf(stderr, "tocsin bench: %s\n", tocsin_commander_error(self->commander));
        return false;
    }
    tocsin_value_t lane =
        tocsin_value_of(tocsin_value_of(tocsin_reply_result(reply), "ingest"), self->lane);
    bool read = tocsin_value_integer(tocsin_value_of(lane, "frames"), &taken->frames) &&
                tocsin_value_integer(tocsin_value_of(lane, "accepted"), &taken->accepted) &&
                tocsin_value_integer(tocsin_value_of(lane, "samples"), &taken->samples);
    tocsin_reply_destroy(&reply);
    return read;
}

static bool all_taken(const bench_load_t *load, const taken_t *before, const taken_t *after)
{
    int64_t events = (int64_t)load->shape.events;
    int64_t samples = events * (int64_t)bench_load_samples(load->shape.form);
    if (after->accepted - before->accepted == events && after->samples - before->samples == samples)
        return true;
    fprintf(stderr, "tocsin bench: of %lld events %lld were accepted, of %lld samples %lld\n",
            (long long)events, (long long)(after->accepted - before->accepted), (long long)samples,
            (long long)(after->samples - before->samples));
    return false;
}

/*  Send the load and wait until the last frame was taken in. */
static bool feed_broker(bench_drive_t *self, const bench_load_t *load)
{
    taken_t before, now = {0, 0, 0};
    double until = clock_now() + PROCESS_PATIENCE_S;
    if (!look(self, &before) || !bench_load_send(load, self->to_broker))
        return false;
    while (look(self, &now) && now.frames - before.frames < (int64_t)load->frames) {
        if (clock_now() > until) {
            fprintf(stderr, "tocsin bench: the broker does not take everything in\n");
            return false;
        }
        poll(NULL, 0, LOOK_MS);
    }
    return all_taken(load, &before, &now);
}

static bool feed_sink(bench_drive_t *self, const bench_load_t *load)
{
    uint64_t before = self->sink.shared->frames;
    double until = clock_now() + PROCESS_PATIENCE_S;
    if (!bench_load_send(load, self->to_sink))
        return false;
    while (self->sink.shared->frames - before < load->frames && clock_now() < until)
        poll(NULL, 0, 1);
    return self->sink.shared->frames - before == load->frames;
}

/* -- rounds -- */

bool bench_drive_warm(bench_drive_t *self, const bench_load_t *load)
{
    return feed_sink(self, load) && feed_broker(self, load);
}

static void add_thread(bench_drive_t *self, const bench_thread_t *before, size_t count,
                       const bench_thread_t *after)
{
    uint64_t used = after->cpu_ns;
    for (size_t i = 0; i < count; i++)
        if (before[i].id == after->id)
            used -= before[i].cpu_ns;
    for (size_t i = 0; i < self->thread_count; i++)
        if (self->threads[i].id == after->id) {
            self->threads[i].cpu_ns += used;
            return;
        }
    self->threads[self->thread_count] = *after;
    self->threads[self->thread_count++].cpu_ns = used;
}

uint64_t bench_drive_broker(bench_drive_t *self, const bench_load_t *load)
{
    bench_thread_t before[PROCESS_THREADS], after[PROCESS_THREADS];
    size_t count = bench_process_threads(&self->broker, before);
    uint64_t used = bench_process_cpu_ns(&self->broker);
    double started = clock_now();
    if (!feed_broker(self, load))
        return 0;
    bench_rounds_add(&self->walls, clock_now() - started);
    used = bench_process_cpu_ns(&self->broker) - used;
    size_t then = bench_process_threads(&self->broker, after);
    for (size_t i = 0; i < then && self->thread_count < PROCESS_THREADS; i++)
        add_thread(self, before, count, &after[i]);
    self->row.events += load->shape.events;
    return used;
}

bool bench_drive_round(bench_drive_t *self, const bench_load_t *load)
{
    double samples = (double)load->shape.events * bench_load_samples(load->shape.form);
    uint64_t before = bench_process_cpu_ns(&self->sink);
    if (!feed_sink(self, load))
        return false;
    double sink = (double)(bench_process_cpu_ns(&self->sink) - before) / samples;
    double broker = (double)bench_drive_broker(self, load) / samples;
    bench_rounds_add(&self->row.yardstick, sink);
    bench_rounds_add(&self->row.cost, broker);
    bench_rounds_add(&self->row.ratio, broker / sink);
    return broker > 0;
}

/* -- sums -- */

static bool check_series(bench_drive_t *self, load_form_t form, uint32_t series, double expected)
{
    char service[16], host[16];
    double value = NAN;
    tocsin_reply_t *reply;
    bench_load_labels(series, service, host);
    if (tocsin_ask(self->commander, &reply, "metrics.get", "name:s labels:{service:s host:s}",
                   bench_load_metric(form), service, host) == TOCSIN_OK) {
        tocsin_value_number(tocsin_value_of(tocsin_reply_result(reply), "value"), &value);
    }
    tocsin_reply_destroy(&reply);
    if (value == expected)
        return true;
    fprintf(stderr, "tocsin bench: %s{service=\"%s\", host=\"%s\"} is %.17g, not %.17g\n",
            bench_load_metric(form), service, host, value, expected);
    return false;
}

bool bench_drive_check(bench_drive_t *self, const bench_load_t *load, uint64_t times,
                       const bench_load_t *warm)
{
    uint32_t step = load->shape.series / CHECKED + 1;
    for (uint32_t series = 0; series < load->shape.series; series += step) {
        uint64_t events = load->counts[series] * times + (warm ? warm->counts[series] : 0);
        if (events > 0 &&
            !check_series(self, load->shape.form, series, (double)events * LOAD_INCREMENT))
            return false;
    }
    return true;
}

void bench_drive_report(bench_drive_t *self, const bench_options_t *options, const char *name,
                        const bench_load_t *load)
{
    bench_row_t *row = &self->row;
    row->name = name;
    row->unit = bench_load_samples(load->shape.form) > 1 || load->shape.form == LOAD_COMPACT
                    ? "ns/sample"
                    : "ns/event";
    row->per_second = (double)load->shape.events * bench_load_samples(load->shape.form) /
                      bench_rounds_at(&self->walls, 0.5);
    row->peak_bytes = bench_process_peak_bytes(&self->broker);
    row->threads = self->threads;
    row->thread_count = self->thread_count;
    bench_report_row(options, row);
    *row = (bench_row_t){.name = NULL};
    self->walls.count = 0;
    self->thread_count = 0;
}
