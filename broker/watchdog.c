#include "broker/watchdog.h"

#include "broker/log.h"
#include "proto/must.h"

#include <dirent.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STACK_DEPTH 64
#define STACK_SIGNAL SIGUSR2

/* How long a thread may take to write down its stack. */
#define STACK_NS 20000000

typedef struct {
    pulse_t pulse;
    const char *name;
    unsigned warn_ticks, abort_ticks;
    unsigned last, missed; /* the beats at the last look, looks without a beat since */
} watched_t;

struct watchdog {
    watched_t watched[PULSES_MAX];
    size_t count;
    pthread_t thread;
    bool started;
    bool stopping; /* under the lock */
    pthread_mutex_t lock;
    pthread_cond_t stop;
};

/* -- stacks -- */

static void write_words(const char *words)
{
    if (write(STDERR_FILENO, words, strlen(words)) < 0)
        return; /* nobody can be told */
}

static void write_stack(int number)
{
    void *frames[STACK_DEPTH];
    (void)number;
    write_words("-- a thread:\n");
    backtrace_symbols_fd(frames, backtrace(frames, STACK_DEPTH), STDERR_FILENO);
}

/*  The first call of backtrace loads a library, which a handler must not. */
static void prepare_stacks(void)
{
    void *frame;
    (void)backtrace(&frame, 1);
    struct sigaction action = {.sa_handler = write_stack, .sa_flags = SA_RESTART};
    sigaction(STACK_SIGNAL, &action, NULL);
}

static void write_all_stacks(void)
{
    DIR *directory = opendir("/proc/self/task");
    const struct dirent *entry;
    const struct timespec while_it_writes = {.tv_nsec = STACK_NS};
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        long thread = strtol(entry->d_name, NULL, 10);
        if (thread <= 0 || syscall(SYS_tgkill, getpid(), thread, STACK_SIGNAL) != 0)
            continue;
        nanosleep(&while_it_writes, NULL);
    }
    if (directory != NULL)
        closedir(directory);
}

/* -- looking -- */

static void look(watched_t *self)
{
    unsigned beats = atomic_load_explicit(&self->pulse.beats, memory_order_relaxed);
    bool moved =
        beats != self->last || !atomic_load_explicit(&self->pulse.busy, memory_order_relaxed);
    self->last = beats;
    if (moved && self->missed >= self->warn_ticks)
        log_info("a thread moves again", "thread=%s after_ms=%u", self->name,
                 self->missed * TICK_MS);
    self->missed = moved ? 0 : self->missed + 1;
    if (self->missed == self->warn_ticks)
        log_warning("a thread does not move", "thread=%s for_ms=%u", self->name,
                    self->missed * TICK_MS);
    if (self->missed < self->abort_ticks)
        return;
    log_error("a thread is stuck: ending, to be started again", "thread=%s for_ms=%u", self->name,
              self->missed * TICK_MS);
    write_all_stacks();
    abort();
}

static bool wait_for_next(watchdog_t *self)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&self->lock);
    while (!self->stopping && pthread_cond_timedwait(&self->stop, &self->lock, &until) == 0)
        ;
    bool stopping = self->stopping;
    pthread_mutex_unlock(&self->lock);
    return !stopping;
}

static void *run(void *context)
{
    watchdog_t *self = context;
    while (wait_for_next(self))
        for (size_t i = 0; i < self->count; i++)
            look(&self->watched[i]);
    return NULL;
}

/* -- life -- */

watchdog_t *watchdog_new(void)
{
    watchdog_t *self = memory_new(1, sizeof *self);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->stop, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&self->lock, NULL);
    return self;
}

pulse_t *watchdog_watch(watchdog_t *self, const char *name, unsigned warn_ms, unsigned abort_ms)
{
    must(self->count < PULSES_MAX && !self->started);
    watched_t *watched = &self->watched[self->count++];
    watched->name = name;
    watched->warn_ticks = warn_ms / TICK_MS;
    watched->abort_ticks = abort_ms / TICK_MS;
    return &watched->pulse;
}

void watchdog_start(watchdog_t *self)
{
    prepare_stacks();
    must(pthread_create(&self->thread, NULL, run, self) == 0);
    self->started = true;
}

void watchdog_destroy(watchdog_t **self_p)
{
    watchdog_t *self = *self_p;
    if (self == NULL)
        return;
    pthread_mutex_lock(&self->lock);
    self->stopping = true;
    pthread_cond_signal(&self->stop);
    pthread_mutex_unlock(&self->lock);
    if (self->started)
        pthread_join(self->thread, NULL);
    pthread_cond_destroy(&self->stop);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}
