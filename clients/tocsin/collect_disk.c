#include "clients/tocsin/collect_samples.h"

#include <ctype.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

/* The kernel counts sectors of this size whatever the disk's is, proc(5). */
#define SECTOR_BYTES 512.0

/* -- disks -- */

/* The numbers of a line of /proc/diskstats behind the name, from 0. */
static const struct {
    size_t field;
    const char *name, *unit;
    double scale;
} columns[] = {
    {0, "node_disk_reads_completed_total", NULL, 1},
    {2, "node_disk_read_bytes_total", "bytes", SECTOR_BYTES},
    {3, "node_disk_read_time_seconds_total", "seconds", 1e-3},
    {4, "node_disk_writes_completed_total", NULL, 1},
    {6, "node_disk_written_bytes_total", "bytes", SECTOR_BYTES},
    {7, "node_disk_write_time_seconds_total", "seconds", 1e-3},
    {9, "node_disk_io_time_seconds_total", "seconds", 1e-3},
};
#define FIELDS 10u

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/*  "sda1", "vdb12" */
static bool is_partition_of_letters(const char *device)
{
    const char *at = strstr(device, "d");
    if (!begins(device, "sd") && !begins(device, "hd") && !begins(device, "vd") &&
        !begins(device, "xvd"))
        return false;
    return at != NULL && isdigit((unsigned char)device[strlen(device) - 1]);
}

/*  "nvme0n1p2", "mmcblk0p1" */
static bool is_partition_of_numbers(const char *device)
{
    if (!begins(device, "nvme") && !begins(device, "mmcblk"))
        return false;
    const char *at = strrchr(device, 'p');
    return at != NULL && isdigit((unsigned char)at[1]);
}

static bool is_disk(const char *device)
{
    return !begins(device, "loop") && !begins(device, "ram") && !begins(device, "zram") &&
           !begins(device, "fd") && !is_partition_of_letters(device) &&
           !is_partition_of_numbers(device);
}

static void read_disk(const char *line, const samples_t *out)
{
    char device[64];
    double numbers[FIELDS];
    int used;
    if (sscanf(line, " %*u %*u %63s%n", device, &used) != 1 || !is_disk(device))
        return;
    line += used;
    for (size_t i = 0; i < FIELDS; i++, line += used)
        if (sscanf(line, "%lf%n", &numbers[i], &used) != 1)
            return;
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        out->take(out->context, &(sample_t){.name = columns[i].name,
                                            .unit = columns[i].unit,
                                            .value = numbers[columns[i].field],
                                            .scale = columns[i].scale,
                                            .labels = {{"device", device}}});
}

void collect_disks(const char *proc_diskstats, const samples_t *out)
{
    for (const char *line = proc_diskstats; *line != '\0'; line += strcspn(line, "\n")) {
        line += *line == '\n';
        if (*line != '\0')
            read_disk(line, out);
    }
}

/* -- file systems -- */

static void give(const samples_t *out, const struct mntent *mount, const char *name,
                 const char *unit, double value)
{
    out->take(out->context, &(sample_t){.name = name,
                                        .unit = unit,
                                        .value = value,
                                        .labels = {{"device", mount->mnt_fsname},
                                                   {"fstype", mount->mnt_type},
                                                   {"mountpoint", mount->mnt_dir}}});
}

static void read_filesystem(const struct mntent *mount, const samples_t *out)
{
    struct statvfs use;
    if (statvfs(mount->mnt_dir, &use) != 0 || use.f_blocks == 0)
        return;
    double size = (double)use.f_blocks * (double)use.f_frsize;
    double available = (double)use.f_bavail * (double)use.f_frsize;
    double used = (double)(use.f_blocks - use.f_bfree) * (double)use.f_frsize;
    give(out, mount, "node_filesystem_size_bytes", "bytes", size);
    give(out, mount, "node_filesystem_avail_bytes", "bytes", available);
    if (used + available > 0)
        give(out, mount, "node_filesystem_usage_ratio", "ratio", used / (used + available));
}

/*  What lies on a disk of this host, each once: never a network's, which may not answer. */
void collect_filesystems(const char *mounts_path, const samples_t *out)
{
    char last[256] = "";
    FILE *mounts = setmntent(mounts_path, "r");
    const struct mntent *mount;
    while (mounts != NULL && (mount = getmntent(mounts)) != NULL) {
        bool root = strcmp(mount->mnt_dir, "/") == 0;
        if ((!root && !begins(mount->mnt_fsname, "/dev/")) ||
            begins(mount->mnt_fsname, "/dev/loop"))
            continue;
        if (strcmp(last, mount->mnt_fsname) == 0)
            continue; /* bind mounts of one disk follow each other */
        snprintf(last, sizeof last, "%s", mount->mnt_fsname);
        read_filesystem(mount, out);
    }
    if (mounts != NULL)
        endmntent(mounts);
}
