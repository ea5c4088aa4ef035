#include "clients/tocsin/collect_samples.h"

#include <stdio.h>
#include <string.h>

/* The columns of a line "cpu0 1 2 3 ..." of /proc/stat, proc(5). Guests are in user and nice
   already. */
static const char *const modes[] = {"user",   "nice", "system",  "idle",
                                    "iowait", "irq",  "softirq", "steal"};
#define MODES (sizeof modes / sizeof modes[0])
#define MODE_IDLE 3u
#define MODE_IOWAIT 4u

static void give_total(const samples_t *out, const char *name, const char *unit, double value)
{
    out->take(out->context, &(sample_t){.name = name, .unit = unit, .value = value, .scale = 1});
}

static void give_gauge(const samples_t *out, const char *name, const char *unit, double value)
{
    out->take(out->context, &(sample_t){.name = name, .unit = unit, .value = value});
}

/*  Answers how many modes the line has; old kernels have fewer. */
static size_t read_modes(const char *text, double ticks[MODES])
{
    size_t count = 0;
    unsigned long long read;
    for (int used; count < MODES && sscanf(text, "%llu%n", &read, &used) == 1; text += used)
        ticks[count++] = (double)read;
    return count;
}

static void give_processor(const samples_t *out, const char *cpu, double ticks_per_s,
                           const double ticks[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        out->take(out->context, &(sample_t){.name = "node_cpu_seconds_total",
                                            .unit = "seconds",
                                            .value = ticks[i],
                                            .scale = 1 / ticks_per_s,
                                            .labels = {{"cpu", cpu}, {"mode", modes[i]}}});
}

/*  The share of time in which the processors worked since the last reading. */
static void give_usage(const samples_t *out, cpu_use_t *before, const double ticks[], size_t count)
{
    cpu_use_t now = {0, 0};
    for (size_t i = 0; i < count; i++) {
        now.all += ticks[i];
        if (i != MODE_IDLE && i != MODE_IOWAIT)
            now.busy += ticks[i];
    }
    double all = now.all - before->all, busy = now.busy - before->busy;
    if (before->all > 0 && all > 0 && busy >= 0)
        give_gauge(out, "node_cpu_usage_ratio", "ratio", busy / all);
    *before = now;
}

static void read_processor(const char *line, double ticks_per_s, cpu_use_t *before,
                           const samples_t *out)
{
    double ticks[MODES];
    char cpu[16];
    size_t size = strcspn(line + 3, " ");
    size_t count = read_modes(line + 3 + size, ticks);
    if (size == 0) {
        give_usage(out, before, ticks, count);
        return;
    }
    snprintf(cpu, sizeof cpu, "%.*s", (int)size, line + 3);
    give_processor(out, cpu, ticks_per_s, ticks, count);
}

void collect_cpu(const char *proc_stat, double ticks_per_s, cpu_use_t *before, const samples_t *out)
{
    double number;
    for (const char *line = proc_stat; *line != '\0'; line += strcspn(line, "\n")) {
        line += *line == '\n';
        if (strncmp(line, "cpu", 3) == 0)
            read_processor(line, ticks_per_s, before, out);
        else if (sscanf(line, "ctxt %lf", &number) == 1)
            give_total(out, "node_context_switches_total", NULL, number);
        else if (sscanf(line, "processes %lf", &number) == 1)
            give_total(out, "node_forks_total", NULL, number);
        else if (sscanf(line, "procs_running %lf", &number) == 1)
            give_gauge(out, "node_procs_running", NULL, number);
        else if (sscanf(line, "procs_blocked %lf", &number) == 1)
            give_gauge(out, "node_procs_blocked", NULL, number);
    }
}

void collect_load(const char *proc_loadavg, const samples_t *out)
{
    double load1, load5, load15;
    if (sscanf(proc_loadavg, "%lf %lf %lf", &load1, &load5, &load15) != 3)
        return;
    give_gauge(out, "node_load1", NULL, load1);
    give_gauge(out, "node_load5", NULL, load5);
    give_gauge(out, "node_load15", NULL, load15);
}
