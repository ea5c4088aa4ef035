#include "clients/libtocsin/clock.h"
#include "clients/tocsin/collect_increments.h"
#include "clients/tocsin/collect_probe.h"
#include "clients/tocsin/collect_samples.h"
#include "clients/tocsin/interrupt.h"
#include "clients/tocsin/runs.h"
#include "clients/tocsin/session.h"
#include "proto/must.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define INTERVAL_S 1.0
/* How soon Ctrl-C is noticed while nothing happens. */
#define TURN_S 0.1
/* Some minutes of numbers wait for a broker that is away, the newest. */
#define QUEUE_BYTES (1u << 20)
#define LEAVE_S 0.5
/* As large as /proc/stat and its like become on a machine with a thousand processors. */
#define FILE_BYTES (1u << 20)

typedef struct {
    tocsin_emitter_t *emitter;
    const char *address; /* of the metrics socket */
    char host[HOST_NAME_MAX + 1];
    increments_t increments;
    cpu_use_t cpu;
    char *text;  /* of the file that is being read */
    bool silent; /* the broker takes nothing, and that was said */
} collector_t;

/* -- what was read, on its way -- */

static void take_sample(void *context, const sample_t *sample)
{
    collector_t *self = context;
    tocsin_label_t labels[SAMPLE_LABELS_MAX + 1] = {{"instance", self->host}};
    tocsin_metric_event_t event = {.name = sample->name,
                                   .kind = sample->scale > 0 ? TOCSIN_COUNTER : TOCSIN_GAUGE,
                                   .value = sample->value,
                                   .unit = sample->unit,
                                   .labels = labels,
                                   .label_count = 1};
    while (event.label_count <= SAMPLE_LABELS_MAX &&
           sample->labels[event.label_count - 1].name != NULL) {
        labels[event.label_count] = sample->labels[event.label_count - 1];
        event.label_count++;
    }
    if (sample->scale > 0 && !increments_take(&self->increments, sample, &event.value))
        return;
    tocsin_emit_metric(self->emitter, &event);
}

static void take_probe(void *context, const char *dependency, double duration_s, const char *error)
{
    collector_t *self = context;
    char operation[160];
    snprintf(operation, sizeof operation, "probe %s", dependency);
    tocsin_request(self->emitter, operation, duration_s, dependency, error, "instance", self->host,
                   NULL);
}

/* -- one round -- */

static const char *read_file(collector_t *self, const char *path)
{
    FILE *file = fopen(path, "re");
    size_t size = file == NULL ? 0 : fread(self->text, 1, FILE_BYTES - 1, file);
    self->text[size] = '\0';
    if (file != NULL)
        fclose(file);
    return self->text;
}

static void read_host(collector_t *self)
{
    const samples_t out = {take_sample, self};
    collect_cpu(read_file(self, "/proc/stat"), (double)sysconf(_SC_CLK_TCK), &self->cpu, &out);
    collect_load(read_file(self, "/proc/loadavg"), &out);
    collect_memory(read_file(self, "/proc/meminfo"), &out);
    collect_disks(read_file(self, "/proc/diskstats"), &out);
    collect_network(read_file(self, "/proc/net/dev"), &out);
    collect_filesystems("/proc/self/mounts", &out);
}

/*  Say when the broker goes, and when it is back; once each. */
static void watch_broker(collector_t *self)
{
    const char *address = tocsin_unsent_address(self->emitter);
    if (address != NULL && !self->silent)
        fprintf(stderr, "tocsin: no tocsind takes numbers at %s; they wait\n", address);
    if (address == NULL && self->silent)
        fputs("tocsin: tocsind takes numbers again\n", stderr);
    self->silent = address != NULL;
}

static void collect(collector_t *self, probes_t *probes)
{
    double next = clock_now();
    while (!interrupted()) {
        double now = clock_now();
        if (now >= next) {
            watch_broker(self);
            read_host(self);
            probes_begin(probes);
            while (next <= now)
                next += INTERVAL_S;
        }
        double wait_s = next - now < TURN_S ? next - now : TURN_S;
        probes_wait(probes, (int)(wait_s * 1000) + 1, take_probe, self);
    }
    tocsin_flush(self->emitter, LEAVE_S);
    if (tocsin_dropped(self->emitter) > 0)
        fprintf(stderr, "tocsin: %llu events were dropped while no tocsind took them\n",
                (unsigned long long)tocsin_dropped(self->emitter));
}

/* -- life -- */

static int collect_for(const session_t *session, probes_t *probes)
{
    collector_t self = {.address = session->addresses[AT_METRICS]};
    self.emitter =
        tocsin_emitter_new(&(tocsin_emitter_options_t){.metrics = self.address,
                                                       .requests = session->addresses[AT_REQUESTS],
                                                       .queue_bytes = QUEUE_BYTES,
                                                       .when_full = TOCSIN_DROP_OLDEST,
                                                       .linger = LEAVE_S});
    if (self.emitter == NULL)
        return session_unusable(self.address);
    if (gethostname(self.host, sizeof self.host) != 0)
        strcpy(self.host, "localhost");
    self.text = memory_new(FILE_BYTES, 1);
    fprintf(stderr, "tocsin: collecting the numbers of %s for tocsind at %s; Ctrl-C stops\n",
            self.host, self.address);
    collect(&self, probes);
    free(self.text);
    increments_free(&self.increments);
    tocsin_emitter_destroy(&self.emitter);
    return interrupt_status();
}

int collect_run(const call_t *call)
{
    session_t session;
    probes_t *probes = NULL;
    int status = session_open(&session, call);
    if (status == 0)
        status = session_locate(&session, 1u << AT_METRICS | 1u << AT_REQUESTS);
    if (status == 0) {
        probes = probes_new(call);
        status = probes == NULL ? EX_USAGE : collect_for(&session, probes);
    }
    probes_destroy(&probes);
    session_close(&session);
    return status;
}
