#include "clients/tocsin/bench_process.h"

#include "clients/libtocsin/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const address_names[ADDRESS_COUNT] = {"metrics", "requests", "events",
                                                         "control"};

void bench_pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

/*  In the child: die with the parent, on that core. */
static void settle_child(pid_t parent, int cpu)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    bench_pin(cpu);
}

/* -- the broker -- */

/*  The tocsind that lies beside this command, else the one on the PATH. */
static void find_daemon(char *out, size_t size)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    snprintf(out, size, "tocsind");
    if (length <= 0)
        return;
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL)
        return;
    *slash = '\0';
    char beside[4096 + 16];
    snprintf(beside, sizeof beside, "%s/tocsind", self);
    if (access(beside, X_OK) == 0)
        snprintf(out, size, "%s", beside);
}

static bool write_config(const bench_process_t *self, const char *config, char *path, size_t size)
{
    snprintf(path, size, "%s/tocsin.yaml", self->folder);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return false;
    bool written = fputs(config, file) >= 0;
    return fclose(file) == 0 && written;
}

static _Noreturn void become_broker(const bench_process_t *self, const char *config, int output)
{
    char daemon[4200], store[80];
    find_daemon(daemon, sizeof daemon);
    snprintf(store, sizeof store, "%s/store", self->folder);
    dup2(output, STDOUT_FILENO);
    char *arguments[] = {daemon,
                         "--config",
                         (char *)config,
                         "--store",
                         store,
                         "--log-level",
                         "error",
                         "--endpoint",
                         "metrics=tcp://127.0.0.1:0",
                         "--endpoint",
                         "requests=tcp://127.0.0.1:0",
                         "--endpoint",
                         "incidents=tcp://127.0.0.1:0",
                         "--endpoint",
                         "events=tcp://127.0.0.1:0",
                         "--endpoint",
                         "control=tcp://127.0.0.1:0",
                         NULL};
    execvp(daemon, arguments);
    fprintf(stderr, "tocsin bench: cannot start %s: %s\n", daemon, strerror(errno));
    _exit(127);
}

static void take_address(bench_process_t *self, const char *name, const char *address)
{
    for (size_t i = 0; i < ADDRESS_COUNT; i++)
        if (strcmp(name, address_names[i]) == 0)
            snprintf(self->addresses[i], sizeof self->addresses[i], "%s", address);
}

/*  What tocsind prints before it is ready: a line an endpoint. */
static bool read_addresses(bench_process_t *self, int input)
{
    FILE *lines = fdopen(input, "r");
    char line[256], name[32], address[128];
    bool ready = false;
    while (!ready && fgets(line, sizeof line, lines) != NULL) {
        ready = strcmp(line, "ready\n") == 0;
        if (sscanf(line, "%31s %127s", name, address) == 2)
            take_address(self, name, address);
    }
    fclose(lines);
    return ready;
}

bool bench_process_broker(bench_process_t *self, const char *config, int cpu)
{
    char path[96];
    int ends[2];
    *self = (bench_process_t){.folder = "/tmp/tocsin-bench-XXXXXX"};
    if (mkdtemp(self->folder) == NULL || !write_config(self, config, path, sizeof path) ||
        pipe2(ends, O_CLOEXEC) < 0) {
        fprintf(stderr, "tocsin bench: %s: %s\n", self->folder, strerror(errno));
        return false;
    }
    pid_t parent = getpid();
    self->pid = fork();
    if (self->pid == 0) {
        settle_child(parent, cpu);
        become_broker(self, path, ends[1]);
    }
    close(ends[1]);
    if (self->pid > 0 && read_addresses(self, ends[0]))
        return true;
    fprintf(stderr, "tocsin bench: the broker did not start\n");
    bench_process_stop(self);
    return false;
}

/* -- yardsticks -- */

bool bench_process_yardstick(bench_process_t *self, void (*serve)(bench_shared_t *), int cpu)
{
    *self = (bench_process_t){.pid = 0};
    self->shared =
        mmap(NULL, sizeof *self->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (self->shared == MAP_FAILED)
        return false;
    pid_t parent = getpid();
    self->pid = fork();
    if (self->pid == 0) {
        settle_child(parent, cpu);
        serve(self->shared);
        _exit(0);
    }
    double until = clock_now() + PROCESS_PATIENCE_S;
    while (self->shared->ready == 0 && clock_now() < until)
        poll(NULL, 0, 1);
    if (self->shared->ready != 0)
        return true;
    fprintf(stderr, "tocsin bench: the yardstick did not start\n");
    bench_process_stop(self);
    return false;
}

/* -- the end -- */

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *at)
{
    (void)about, (void)kind, (void)at;
    return remove(path);
}

static void wait_for_end(pid_t pid)
{
    double until = clock_now() + 10.0;
    while (waitpid(pid, NULL, WNOHANG) == 0) {
        if (clock_now() > until)
            kill(pid, SIGKILL);
        poll(NULL, 0, 5);
    }
}

void bench_process_stop(bench_process_t *self)
{
    if (self->pid > 0) {
        kill(self->pid, SIGCONT);
        kill(self->pid, self->shared != NULL ? SIGKILL : SIGTERM);
        wait_for_end(self->pid);
    }
    if (self->folder[0] != '\0')
        nftw(self->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    if (self->shared != NULL)
        munmap(self->shared, sizeof *self->shared);
    *self = (bench_process_t){.pid = 0};
}

/* -- weighing -- */

static bool read_line(const char *path, char *line, size_t size)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    bool read = fgets(line, (int)size, file) != NULL;
    fclose(file);
    return read;
}

static void read_thread(pid_t pid, pid_t id, bench_thread_t *thread)
{
    char path[64], line[128];
    *thread = (bench_thread_t){.id = id};
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", (int)pid, (int)id);
    if (read_line(path, line, sizeof line))
        thread->cpu_ns = strtoull(line, NULL, 10);
    snprintf(path, sizeof path, "/proc/%d/task/%d/comm", (int)pid, (int)id);
    if (read_line(path, line, sizeof line))
        snprintf(thread->name, sizeof thread->name, "%.*s", (int)strcspn(line, "\n"), line);
}

size_t bench_process_threads(const bench_process_t *self, bench_thread_t threads[PROCESS_THREADS])
{
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)self->pid);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL && count < PROCESS_THREADS;)
        if (entry->d_name[0] != '.')
            read_thread(self->pid, (pid_t)atoi(entry->d_name), &threads[count++]);
    closedir(folder);
    return count;
}

uint64_t bench_process_cpu_ns(const bench_process_t *self)
{
    bench_thread_t threads[PROCESS_THREADS];
    size_t count = bench_process_threads(self, threads);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += threads[i].cpu_ns;
    return sum;
}

static uint64_t read_status(const bench_process_t *self, const char *key)
{
    char path[64], line[256];
    uint64_t kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)self->pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtoull(line + strlen(key), NULL, 10);
    fclose(file);
    return kib * 1024;
}

uint64_t bench_process_bytes(const bench_process_t *self)
{
    return read_status(self, "VmRSS:");
}

uint64_t bench_process_peak_bytes(const bench_process_t *self)
{
    return read_status(self, "VmHWM:");
}
