/*  What does an engine do for one event, without sockets and threads around it?
 *
 *    bench_engines [CASE]           CPU nanoseconds an operation: median, least and greatest of
 *                                   ROUNDS
 *    bench_engines CASE COUNT       COUNT operations and no more, for callgrind: the same input
 *                                   takes the same instructions (tests/bench/instructions)
 * Everything is seeded and nothing reads a clock while it is measured. */
#include "engines/observability/observability_stack.h"
#include "engines/operations/operations_manager.h"
#include "proto/decode.h"
#include "proto/must.h"
#include "proto/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 9
#define COUNT 200000u
#define SERIES 1000u
#define BATCH 100u

typedef struct {
    msgpack_sbuffer bytes;
    size_t ends[SERIES / BATCH];
} frames_t;

typedef struct {
    observability_stack_t *stack;
    operations_manager_t *manager;
    frames_t frames; /* every series in turn */
    metric_batch_t batch;
    arena_t arena;
    instant_t now;
    limits_t limits;
    uint64_t effects, plan;
} bench_t;

static void forget_finding(void *context, const finding_t *finding)
{
    (void)context, (void)finding;
}

static void count_effect(void *context, const effect_t *effect)
{
    bench_t *self = context;
    self->effects++;
    if (effect->type == EFFECT_PLAN_PUT)
        self->plan = effect->as.plan.id;
}

/* -- events -- */

static void pack_event(msgpack_sbuffer *out, uint32_t series, const char *kind)
{
    char service[16], host[16];
    snprintf(service, sizeof service, "s%u", series % 100);
    snprintf(host, sizeof host, "h%u", series / 100);
    pack_map(out, 4);
    pack_string(out, "name");
    pack_string(out, "requests");
    pack_string(out, "kind");
    pack_string(out, kind);
    pack_string(out, "value");
    pack_number(out, 1.5 + series % 7);
    pack_string(out, "labels");
    pack_map(out, 2);
    pack_string(out, "service");
    pack_string(out, service);
    pack_string(out, "host");
    pack_string(out, host);
}

static void pack_frames(frames_t *self, const char *kind)
{
    msgpack_sbuffer_init(&self->bytes);
    for (uint32_t series = 0; series < SERIES; series++) {
        if (series % BATCH == 0)
            pack_array(&self->bytes, BATCH);
        pack_event(&self->bytes, series, kind);
        self->ends[series / BATCH] = self->bytes.size;
    }
}

static void set_up_events(bench_t *self, const char *kind, bool watch)
{
    anomaly_rule_t rule = {
        .kind = -1, .sensitivity = watch ? 10 : 3, .min_history = 10, .watch = watch};
    observability_config_t config = observability_config_default();
    config.anomaly_rules = &rule;
    config.anomaly_rule_count = 1;
    self->stack = observability_stack_new(&config, (finding_sink_t){forget_finding, self});
    pack_frames(&self->frames, kind);
    metric_batch_init(&self->batch, &self->limits);
}

/*  A frame after the other, as they would come from the socket. */
static void take_events(bench_t *self, uint64_t count)
{
    tally_t tally = {.frames = 0};
    for (uint64_t done = 0; done < count; done += BATCH) {
        size_t which = done / BATCH % (SERIES / BATCH);
        size_t from = which == 0 ? 0 : self->frames.ends[which - 1];
        must(decode_metrics(&self->limits, self->frames.bytes.data + from,
                            self->frames.ends[which] - from, &self->batch, &tally) == STATUS_OK);
        observability_stack_metrics(self->stack, self->batch.events, self->batch.count, self->now,
                                    &tally);
        self->batch.count = 0;
        self->now.mono_ns += 1000;
    }
    must(tally.accepted == (count + BATCH - 1) / BATCH * BATCH);
}

static void set_up_collection(bench_t *self)
{
    set_up_events(self, "counter", false);
}

static void set_up_detection(bench_t *self)
{
    set_up_events(self, "gauge", true);
}

/* -- operations -- */

static void do_command(bench_t *self, const msgpack_sbuffer *message)
{
    command_t command;
    schema_error_t error;
    operations_answer_t answer;
    must(command_read(&self->limits, (text_t){message->data, message->size}, false, &self->arena,
                      &command, &error) == STATUS_OK);
    must(operations_manager_do(self->manager, &command, self->now, &answer, &error) == STATUS_OK);
    arena_reset(&self->arena);
    self->now.mono_ns += 1000;
}

static void set_up_operations(bench_t *self)
{
    operations_config_t config = operations_config_default();
    config.incidents = UINT32_C(10000000);
    self->manager = operations_manager_new(&config, (effect_sink_t){count_effect, self});
    arena_init(&self->arena);
    operations_manager_start(self->manager, self->now);
}

static void open_incidents(bench_t *self, uint64_t count)
{
    msgpack_sbuffer message;
    msgpack_sbuffer_init(&message);
    for (uint64_t i = 0; i < count; i++) {
        message.size = 0;
        pack_map(&message, 4);
        pack_string(&message, "do");
        pack_string(&message, "incident.open");
        pack_string(&message, "title");
        pack_string(&message, "disk full on db-1");
        pack_string(&message, "severity");
        pack_string(&message, "high");
        pack_string(&message, "by");
        pack_string(&message, "bench");
        do_command(self, &message);
    }
    msgpack_sbuffer_destroy(&message);
    must(self->effects >= count);
}

static void set_up_alerts(bench_t *self)
{
    msgpack_sbuffer message;
    set_up_operations(self);
    msgpack_sbuffer_init(&message);
    pack_map(&message, 5);
    pack_string(&message, "do");
    pack_string(&message, "policy.put");
    pack_string(&message, "name");
    pack_string(&message, "high_cpu");
    pack_string(&message, "condition");
    pack_string(&message, "cpu > 80");
    pack_string(&message, "severity");
    pack_string(&message, "critical");
    pack_string(&message, "channels");
    pack_array(&message, 0);
    do_command(self, &message);
    msgpack_sbuffer_destroy(&message);
}

/*  One alert fires and recovers. */
static void fire_alerts(bench_t *self, uint64_t count)
{
    uint8_t buffer[LABELS_MAX_BYTES];
    label_t label = {TEXT_OF("host"), TEXT_OF("web-1")};
    plan_result_t result = {
        .plan = self->plan, .labels = labels_build(&label, 1, buffer), .value = 93};
    uint64_t before = self->effects;
    for (uint64_t i = 0; i < count; i++) {
        self->now.mono_ns += 1000;
        result.state = RESULT_HOLDS;
        operations_manager_result(self->manager, &result, self->now);
        result.state = RESULT_CLEAR;
        operations_manager_result(self->manager, &result, self->now);
    }
    must(self->effects >= before + 2 * count);
}

/* -- measuring -- */

static const struct {
    const char *name;
    void (*set_up)(bench_t *self);
    void (*run)(bench_t *self, uint64_t count);
} cases[] = {
    {"metrics_collection", set_up_collection, take_events},
    {"anomaly_detection", set_up_detection, take_events},
    {"incident_creation", set_up_operations, open_incidents},
    {"alert_firing", set_up_alerts, fire_alerts},
};

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void tear_down(bench_t *self)
{
    observability_stack_destroy(&self->stack);
    operations_manager_destroy(&self->manager);
    msgpack_sbuffer_destroy(&self->frames.bytes);
    metric_batch_free(&self->batch);
    arena_free(&self->arena);
}

static void measure(size_t which, uint64_t count)
{
    double rounds[ROUNDS];
    for (size_t i = 0; i < ROUNDS; i++) {
        bench_t bench = {.now = {NS_PER_S, 1.8e9}, .limits = LIMITS_DEFAULT};
        cases[which].set_up(&bench);
        cases[which].run(&bench, count / 10); /* warm */
        double started = cpu_ns();
        cases[which].run(&bench, count);
        rounds[i] = (cpu_ns() - started) / (double)count;
        tear_down(&bench);
    }
    qsort(rounds, ROUNDS, sizeof *rounds, compare);
    printf("%-20s %9.1f ns (%.1f-%.1f)\n", cases[which].name, rounds[ROUNDS / 2], rounds[0],
           rounds[ROUNDS - 1]);
}

/*  For callgrind: one round, no more. */
static void run_once(size_t which, uint64_t count)
{
    bench_t bench = {.now = {NS_PER_S, 1.8e9}, .limits = LIMITS_DEFAULT};
    cases[which].set_up(&bench);
    cases[which].run(&bench, count);
    tear_down(&bench);
}

int main(int argc, char **argv)
{
    bool any = false;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (argc > 1 && strcmp(argv[1], cases[i].name) != 0)
            continue;
        any = true;
        if (argc > 2)
            run_once(i, strtoull(argv[2], NULL, 10));
        else
            measure(i, COUNT);
    }
    if (!any)
        fputs("usage: bench_engines [CASE [COUNT]]\n", stderr);
    return any ? 0 : 64;
}
