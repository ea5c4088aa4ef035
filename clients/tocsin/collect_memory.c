#include "clients/tocsin/collect_samples.h"

#include <stdio.h>
#include <string.h>

/* Of the fifty lines of /proc/meminfo those that people watch. */
static const char *const fields[] = {"MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached",
                                     "Slab",     "Dirty",   "SwapTotal",    "SwapFree"};

static bool is_wanted(const char *field)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(fields[i], field) == 0)
            return true;
    return false;
}

static void give(const samples_t *out, const char *name, const char *unit, double value)
{
    out->take(out->context, &(sample_t){.name = name, .unit = unit, .value = value});
}

void collect_memory(const char *proc_meminfo, const samples_t *out)
{
    char field[32], name[64];
    double kib, total = 0, available = 0;
    for (const char *line = proc_meminfo; *line != '\0'; line += strcspn(line, "\n")) {
        line += *line == '\n';
        if (sscanf(line, "%31[^:]: %lf kB", field, &kib) != 2 || !is_wanted(field))
            continue;
        snprintf(name, sizeof name, "node_memory_%s_bytes", field);
        give(out, name, "bytes", kib * 1024);
        total = strcmp(field, "MemTotal") == 0 ? kib : total;
        available = strcmp(field, "MemAvailable") == 0 ? kib : available;
    }
    if (total > 0)
        give(out, "node_memory_usage_ratio", "ratio", 1 - available / total);
}
