#include "broker/memory_watch.h"

#include "proto/must.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOFT_RATIO 0.70
#define HARD_RATIO 0.85
#define BACK_RATIO 0.05 /* so far below a ratio the pressure sinks */

/* Less than this stands out in no lane: what is under way in the kernel and in ZeroMQ. */
#define NOTICEABLE (INT64_C(1) << 20)

void memory_watch_init(memory_watch_t *self)
{
    *self = (memory_watch_t){.limit = UINT64_MAX};
    self->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

void memory_watch_free(memory_watch_t *self)
{
    if (self->statm > 0)
        close(self->statm);
    self->statm = -1;
}

static uint64_t read_resident(int statm)
{
    char text[128];
    ssize_t size = pread(statm, text, sizeof text - 1, 0);
    if (size <= 0)
        return 0;
    text[size] = '\0';
    const char *second = strchr(text, ' ');
    return second == NULL ? 0 : strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

void memory_watch_judge(memory_watch_t *self, uint64_t resident)
{
    static const double above[PRESSURE_COUNT] = {
        [PRESSURE_SOFT] = SOFT_RATIO, [PRESSURE_HARD] = HARD_RATIO};
    double ratio = (double)resident / (double)self->limit;
    self->resident = resident;
    while (self->pressure < PRESSURE_HARD && ratio >= above[self->pressure + 1])
        self->pressure++;
    while (self->pressure > PRESSURE_NONE && ratio < above[self->pressure] - BACK_RATIO)
        self->pressure--;
}

void memory_watch_look(memory_watch_t *self)
{
    memory_watch_judge(self, read_resident(self->statm));
}

void memory_watch_settle(memory_watch_t *self, const int64_t *held, size_t count)
{
    must(count <= WATCHED_MAX);
    memcpy(self->at_ease, held, count * sizeof *held);
    memset(self->closed, 0, sizeof self->closed);
}

size_t memory_watch_choose(memory_watch_t *self, const int64_t *held, size_t count)
{
    size_t most = count, first = count;
    for (size_t i = count; i-- > 0;) {
        if (self->closed[i])
            continue;
        first = i;
        int64_t grown = held[i] - self->at_ease[i];
        if (grown >= NOTICEABLE && (most == count || grown >= held[most] - self->at_ease[most]))
            most = i;
    }
    size_t chosen = most < count ? most : first;
    if (chosen < count)
        self->closed[chosen] = true;
    else
        memset(self->closed, 0, sizeof self->closed);
    return chosen;
}
