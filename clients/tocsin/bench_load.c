#include "clients/tocsin/bench_load.h"

#include "proto/must.h"
#include "proto/pack.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define OPERATIONS 10u
#define DEPENDENCIES 3u
#define SEED UINT64_C(0x9e3779b97f4a7c15)

static const char *const metric_names[] = {[LOAD_MAPS] = "requests",
                                           [LOAD_GAUGES] = "depth",
                                           [LOAD_COMPACT] = "compact",
                                           [LOAD_VALUES] = "latency",
                                           [LOAD_REQUESTS] = ""};

/* -- which series comes next -- */

typedef struct {
    load_shape_t shape;
    uint64_t state;
    uint32_t turn;
    double *below; /* of zipf: the share of all series up to this one */
} chooser_t;

/*  xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators"). */
static uint64_t next_random(chooser_t *self)
{
    self->state ^= self->state >> 12;
    self->state ^= self->state << 25;
    self->state ^= self->state >> 27;
    return self->state * UINT64_C(2685821657736338717);
}

static double next_share(chooser_t *self)
{
    return (double)(next_random(self) >> 11) * 0x1p-53;
}

static double *zipf_shares(uint32_t series)
{
    double *below = memory_new(series, sizeof *below), sum = 0;
    for (uint32_t i = 0; i < series; i++)
        below[i] = sum += 1.0 / (i + 1.0);
    for (uint32_t i = 0; i < series; i++)
        below[i] /= sum;
    return below;
}

static uint32_t find_share(const double *below, uint32_t series, double share)
{
    uint32_t low = 0, high = series - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (below[middle] < share)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t next_series(chooser_t *self)
{
    uint32_t series = self->shape.series;
    if (self->shape.each_once)
        return self->turn++ % series;
    if (self->below != NULL)
        return find_share(self->below, series, next_share(self));
    return (uint32_t)(((next_random(self) >> 32) * series) >> 32);
}

/* -- frames -- */

uint32_t bench_load_samples(load_form_t form)
{
    return form == LOAD_VALUES ? LOAD_OBSERVATIONS : 1;
}

const char *bench_load_metric(load_form_t form)
{
    return metric_names[form];
}

void bench_load_labels(uint32_t series, char service[16], char host[16])
{
    snprintf(service, 16, "s%u", series % 100);
    snprintf(host, 16, "h%u", series / 100);
}

static void pack_labels_of(msgpack_sbuffer *out, uint32_t series)
{
    char service[16], host[16];
    bench_load_labels(series, service, host);
    pack_map(out, 2);
    pack_string(out, "service");
    pack_string(out, service);
    pack_string(out, "host");
    pack_string(out, host);
}

static void pack_name(msgpack_sbuffer *out, load_form_t form, const char *kind)
{
    pack_string(out, "name");
    pack_string(out, metric_names[form]);
    pack_string(out, "kind");
    pack_string(out, kind);
}

static void pack_metric(msgpack_sbuffer *out, load_form_t form, uint32_t series, chooser_t *random)
{
    pack_map(out, 4);
    pack_name(out, form, form == LOAD_MAPS ? "counter" : "gauge");
    pack_string(out, "value");
    pack_number(out, form == LOAD_MAPS ? LOAD_INCREMENT : 50 + next_share(random));
    pack_string(out, "labels");
    pack_labels_of(out, series);
}

static void pack_values(msgpack_sbuffer *out, uint32_t series, chooser_t *random)
{
    pack_map(out, 4);
    pack_name(out, LOAD_VALUES, "histogram");
    pack_string(out, "values");
    pack_array(out, LOAD_OBSERVATIONS);
    for (uint32_t i = 0; i < LOAD_OBSERVATIONS; i++)
        pack_number(out, 0.001 + next_share(random));
    pack_string(out, "labels");
    pack_labels_of(out, series);
}

static void pack_request(msgpack_sbuffer *out, uint32_t series, chooser_t *random)
{
    char operation[16], dependency[16];
    snprintf(operation, sizeof operation, "GET /%u", series % OPERATIONS);
    snprintf(dependency, sizeof dependency, "db%u", series % DEPENDENCIES);
    pack_map(out, 3);
    pack_string(out, "operation");
    pack_string(out, operation);
    pack_string(out, "duration");
    pack_number(out, 0.001 + next_share(random) / 10);
    pack_string(out, "dependency");
    pack_string(out, dependency);
}

static void pack_event(msgpack_sbuffer *out, load_form_t form, uint32_t series, chooser_t *random)
{
    if (form == LOAD_REQUESTS)
        pack_request(out, series, random);
    else if (form == LOAD_VALUES)
        pack_values(out, series, random);
    else
        pack_metric(out, form, series, random);
}

/*  A compact frame names every series it uses once. */
static void pack_compact(msgpack_sbuffer *out, const uint32_t *series, uint32_t count)
{
    pack_map(out, 2);
    pack_string(out, "series");
    pack_array(out, count < 100 ? count : 100);
    for (uint32_t i = 0; i < count && i < 100; i++) {
        pack_map(out, 3);
        pack_name(out, LOAD_COMPACT, "counter");
        pack_string(out, "labels");
        pack_labels_of(out, series[i]);
    }
    pack_string(out, "samples");
    pack_array(out, (size_t)count * 2);
    for (uint32_t i = 0; i < count; i++) {
        pack_uint(out, i % 100);
        pack_number(out, LOAD_INCREMENT);
    }
}

static void choose(chooser_t *self, uint32_t *series, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        series[i] =
            self->shape.form == LOAD_COMPACT && i >= 100 ? series[i % 100] : next_series(self);
}

static void pack_frame(msgpack_sbuffer *out, chooser_t *chooser, const uint32_t *series,
                       uint32_t count)
{
    if (chooser->shape.form == LOAD_COMPACT) {
        pack_compact(out, series, count);
        return;
    }
    if (chooser->shape.batch > 1)
        pack_array(out, count);
    for (uint32_t i = 0; i < count; i++)
        pack_event(out, chooser->shape.form, series[i], chooser);
}

void bench_load_make(bench_load_t *self, load_shape_t shape)
{
    chooser_t chooser = {.shape = shape, .state = SEED};
    chooser.below = shape.zipf ? zipf_shares(shape.series) : NULL;
    *self =
        (bench_load_t){.shape = shape, .frames = (shape.events + shape.batch - 1) / shape.batch};
    self->ends = memory_new(self->frames, sizeof *self->ends);
    self->counts = memory_new(shape.series, sizeof *self->counts);
    uint32_t *series = memory_new(shape.batch, sizeof *series);
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    for (size_t frame = 0, left = shape.events; frame < self->frames; frame++) {
        uint32_t count = left < shape.batch ? (uint32_t)left : shape.batch;
        choose(&chooser, series, count);
        for (uint32_t i = 0; i < count; i++)
            self->counts[series[i]]++;
        pack_frame(&out, &chooser, series, count);
        self->ends[frame] = out.size;
        left -= count;
    }
    self->bytes = msgpack_sbuffer_release(&out);
    free(series);
    free(chooser.below);
}

void bench_load_free(bench_load_t *self)
{
    free(self->bytes);
    free(self->ends);
    free(self->counts);
    *self = (bench_load_t){.frames = 0};
}

bool bench_load_send(const bench_load_t *self, void *socket)
{
    size_t from = 0;
    for (size_t i = 0; i < self->frames; from = self->ends[i++])
        if (zmq_send_const(socket, self->bytes + from, self->ends[i] - from, 0) < 0)
            return false;
    return true;
}
