#include "clients/tocsin/collect_samples.h"

#include <stdio.h>
#include <string.h>

/* The numbers of a line of /proc/net/dev behind the colon, from 0. */
static const struct {
    size_t field;
    const char *name, *unit;
} columns[] = {
    {0, "node_network_receive_bytes_total", "bytes"},
    {1, "node_network_receive_packets_total", NULL},
    {2, "node_network_receive_errs_total", NULL},
    {3, "node_network_receive_drop_total", NULL},
    {8, "node_network_transmit_bytes_total", "bytes"},
    {9, "node_network_transmit_packets_total", NULL},
    {10, "node_network_transmit_errs_total", NULL},
    {11, "node_network_transmit_drop_total", NULL},
};
#define FIELDS 12u

static void read_device(const char *line, const samples_t *out)
{
    char device[64];
    double numbers[FIELDS];
    int used = 0; /* and stays so where no colon follows: the heading */
    if (sscanf(line, " %63[^: ]:%n", device, &used) != 1 || used == 0)
        return;
    line += used;
    for (size_t i = 0; i < FIELDS; i++, line += used)
        if (sscanf(line, "%lf%n", &numbers[i], &used) != 1)
            return;
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        out->take(out->context, &(sample_t){.name = columns[i].name,
                                            .unit = columns[i].unit,
                                            .value = numbers[columns[i].field],
                                            .scale = 1,
                                            .labels = {{"device", device}}});
}

void collect_network(const char *proc_net_dev, const samples_t *out)
{
    for (const char *line = proc_net_dev; *line != '\0'; line += strcspn(line, "\n")) {
        line += *line == '\n';
        read_device(line, out);
    }
}
