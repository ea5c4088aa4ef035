/*  memory_watch - how near is the process to its limit of memory, and which endpoint brought it
 *  there?
 *
 *  Owns     an open file
 *  Bounds   limits.memory: from SOFT_RATIO of it on the least important events are shed, from
 *           HARD_RATIO on connections are closed
 *  Time     one read of /proc/self/statm a look (proc(5))
 *  Thread   one
 *
 *  The endpoint to close is the one whose connections have sent most of what was never taken from
 *  it since memory was last at ease. Where the kernel does not tell (ipc://), or nothing stands
 *  out, the least important one that was not closed yet.
 */
#ifndef BROKER_MEMORY_WATCH_H
#define BROKER_MEMORY_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WATCHED_MAX 8u

typedef enum { PRESSURE_NONE, PRESSURE_SOFT, PRESSURE_HARD, PRESSURE_COUNT } pressure_t;

typedef struct {
    int statm;
    uint64_t limit, resident; /* bytes */
    pressure_t pressure;
    int64_t at_ease[WATCHED_MAX]; /* received and not taken, when memory was last at ease */
    bool closed[WATCHED_MAX];     /* since then */
} memory_watch_t;

void memory_watch_init(memory_watch_t *self);
void memory_watch_free(memory_watch_t *self);

/*  Look how much is resident now; fills `pressure`. It sinks only when memory is well below the
 *  ratio, so that it does not change to and fro. */
void memory_watch_look(memory_watch_t *self);

/*  The same with a number that was found out elsewhere. */
void memory_watch_judge(memory_watch_t *self, uint64_t resident);

/*  At ease: remember what the endpoints, the least important first, have received and not given. */
void memory_watch_settle(memory_watch_t *self, const int64_t *held, size_t count);

/*  Which endpoint to close. `count` when all were closed already: then all may be closed again. */
size_t memory_watch_choose(memory_watch_t *self, const int64_t *held, size_t count);

#endif
