#include "clients/tocsin/bench_report.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void bench_rounds_add(bench_rounds_t *self, double value)
{
    if (self->count < BENCH_ROUNDS_MAX)
        self->values[self->count++] = value;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

double bench_rounds_at(bench_rounds_t *self, double share)
{
    if (self->count == 0)
        return NAN;
    qsort(self->values, self->count, sizeof *self->values, compare);
    return self->values[(size_t)(share * (double)(self->count - 1) + 0.5)];
}

void bench_report_head(const bench_options_t *options)
{
    if (options->json)
        return;
    printf("%-34s %10s %19s %10s %7s %17s %10s %8s\n", "case", "median", "least-greatest",
           "yardstick", "ratio", "least-greatest", "events/s", "peak MiB");
}

static void print_spread(bench_rounds_t *rounds, int digits, int width)
{
    char text[48];
    if (rounds->count == 0)
        snprintf(text, sizeof text, "-");
    else
        snprintf(text, sizeof text, "%.*f-%.*f", digits, bench_rounds_at(rounds, 0), digits,
                 bench_rounds_at(rounds, 1));
    printf(" %*s", width, text);
}

static void print_number(double value, int digits, int width)
{
    if (isfinite(value) && value > 0)
        printf(" %*.*f", width, digits, value);
    else
        printf(" %*s", width, "-");
}

static void print_table_row(bench_row_t *row)
{
    printf("%-34s %10.1f", row->name, bench_rounds_at(&row->cost, 0.5));
    print_spread(&row->cost, 1, 19);
    print_number(bench_rounds_at(&row->yardstick, 0.5), 1, 10);
    print_number(bench_rounds_at(&row->ratio, 0.5), 2, 7);
    print_spread(&row->ratio, 2, 17);
    print_number(row->per_second, 0, 10);
    print_number((double)row->peak_bytes / 1048576.0, 0, 8);
    printf("  %s\n", row->unit);
    for (size_t i = 0; i < row->thread_count; i++)
        printf("    %-30s %10.1f\n", row->threads[i].name,
               (double)row->threads[i].cpu_ns / (double)row->events);
    fflush(stdout);
}

static json_t *json_rounds(bench_rounds_t *rounds)
{
    if (rounds->count == 0)
        return json_null();
    return json_pack("{s:f s:f s:f s:i}", "median", bench_rounds_at(rounds, 0.5), "least",
                     bench_rounds_at(rounds, 0), "greatest", bench_rounds_at(rounds, 1), "rounds",
                     (int)rounds->count);
}

static json_t *json_threads(const bench_row_t *row)
{
    json_t *threads = json_array();
    for (size_t i = 0; i < row->thread_count; i++)
        json_array_append_new(threads,
                              json_pack("{s:s s:f}", "name", row->threads[i].name, "ns_per_event",
                                        (double)row->threads[i].cpu_ns / (double)row->events));
    return threads;
}

void bench_report_row(const bench_options_t *options, bench_row_t *row)
{
    if (!options->json) {
        print_table_row(row);
        return;
    }
    json_t *line =
        json_pack("{s:s s:s s:o s:o s:o s:f s:I s:o}", "case", row->name, "unit", row->unit, "cost",
                  json_rounds(&row->cost), "yardstick", json_rounds(&row->yardstick), "ratio",
                  json_rounds(&row->ratio), "events_per_second", row->per_second, "peak_bytes",
                  (json_int_t)row->peak_bytes, "threads", json_threads(row));
    json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    fflush(stdout);
    json_decref(line);
}
