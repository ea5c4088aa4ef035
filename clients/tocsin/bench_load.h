/*  bench_load - the same events for the broker and for its yardstick, made before anything is
 *  measured, from a seed.
 *
 *  Owns     the frames and the expected sums
 *  Bounds   what the shape says
 *  Thread   one
 */
#ifndef CLIENTS_TOCSIN_BENCH_LOAD_H
#define CLIENTS_TOCSIN_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    LOAD_MAPS,    /* counters with two labels, a map each */
    LOAD_GAUGES,  /* the same as gauges */
    LOAD_COMPACT, /* counters in compact frames */
    LOAD_VALUES,  /* histograms, ten observations an event */
    LOAD_REQUESTS /* of ten operations on three dependencies */
} load_form_t;

typedef struct {
    load_form_t form;
    uint32_t series; /* different label sets */
    uint32_t batch;  /* events a frame; 1: a bare map */
    uint64_t events;
    bool zipf; /* the n-th most frequent series has 1/n of the first one's share; else uniform */
    bool each_once; /* every series in turn, to have them all made */
} load_shape_t;

typedef struct {
    load_shape_t shape;
    char *bytes; /* frames, one after the other */
    size_t *ends;
    size_t frames;
    uint64_t *counts; /* events a series, for the check of the sums */
} bench_load_t;

#define LOAD_OBSERVATIONS 10u /* in an event of LOAD_VALUES */
#define LOAD_INCREMENT 1.5    /* of every counter: sums of it are exact */

void bench_load_make(bench_load_t *self, load_shape_t shape);
void bench_load_free(bench_load_t *self);

/*  Send every frame to a ZeroMQ socket; false when it fails. */
bool bench_load_send(const bench_load_t *self, void *socket);

/*  Observations that one event carries. */
uint32_t bench_load_samples(load_form_t form);

/*  The name of the metric, and the two label values of a series. */
const char *bench_load_metric(load_form_t form);
void bench_load_labels(uint32_t series, char service[16], char host[16]);

#endif
