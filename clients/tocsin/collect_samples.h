/*  collect_samples - the numbers of a host as they are read: one sample a series.
 *
 *  Names and labels are those of node_exporter (github.com/prometheus/node_exporter) where it has
 *  them; what it leaves to be worked out by a query stands beside them as a ratio (0-1).
 *  A reader is given the text of a file of /proc and hands each sample on; it keeps nothing.
 */
#ifndef CLIENTS_TOCSIN_COLLECT_SAMPLES_H
#define CLIENTS_TOCSIN_COLLECT_SAMPLES_H

#include <tocsin.h>

#define SAMPLE_LABELS_MAX 4u

typedef struct {
    const char *name, *unit; /* the unit may be NULL */
    double value;
    /*  Counts since some moment: what was added since the last time, times this (seconds a tick),
     * is the event. 0: the value itself is. */
    double scale;
    tocsin_label_t labels[SAMPLE_LABELS_MAX]; /* up to the first without a name */
} sample_t;

/*  Where samples go; what they point to is good for the call. */
typedef struct {
    void (*take)(void *context, const sample_t *sample);
    void *context;
} samples_t;

/*  What was seen of all processors the last time: busy and all ticks; 0: nothing yet. */
typedef struct {
    double busy, all;
} cpu_use_t;

void collect_cpu(const char *proc_stat, double ticks_per_s, cpu_use_t *before,
                 const samples_t *out);
void collect_load(const char *proc_loadavg, const samples_t *out);
void collect_memory(const char *proc_meminfo, const samples_t *out);
void collect_disks(const char *proc_diskstats, const samples_t *out);
void collect_network(const char *proc_net_dev, const samples_t *out);

/*  Asks the system about each mounted disk named in that file. */
void collect_filesystems(const char *mounts_path, const samples_t *out);

#endif
