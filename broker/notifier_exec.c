#include "broker/notifier_exec.h"

#include "proto/must.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/*  The input as a file that is in memory only. */
static int open_input(const char *input)
{
    int file = memfd_create("notification", MFD_CLOEXEC);
    size_t size = strlen(input);
    if (file >= 0 && (write(file, input, size) != (ssize_t)size || lseek(file, 0, SEEK_SET) != 0)) {
        close(file);
        file = -1;
    }
    return file;
}

static char **make_arguments(texts_t command)
{
    char **arguments = memory_new(command.count + 1, sizeof *arguments);
    for (size_t i = 0; i < command.count; i++) {
        arguments[i] = memory_new(1, command.items[i].size + 1);
        memcpy(arguments[i], command.items[i].data, command.items[i].size);
    }
    return arguments;
}

static void free_arguments(char **arguments)
{
    for (size_t i = 0; arguments[i] != NULL; i++)
        free(arguments[i]);
    free(arguments);
}

static int spawn(pid_t *pid, char **arguments, int input)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    int code = posix_spawn(pid, arguments[0], &files, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return code;
}

bool exec_start(exec_t *self, texts_t command, const char *input)
{
    int file = open_input(input);
    if (file < 0)
        return false;
    char **arguments = make_arguments(command);
    int code = spawn(&self->pid, arguments, file);
    free_arguments(arguments);
    close(file);
    errno = code;
    if (code != 0)
        return false;
    self->fd = pidfd_open(self->pid, 0);
    if (self->fd >= 0)
        return true;
    code = errno;
    exec_kill(self);
    errno = code;
    return false;
}

bool exec_has_ended(exec_t *self, int *status)
{
    if (waitpid(self->pid, status, WNOHANG) != self->pid)
        return false;
    kill(-self->pid, SIGKILL); /* what it left behind */
    close(self->fd);
    return true;
}

void exec_kill(exec_t *self)
{
    kill(-self->pid, SIGKILL);
    while (waitpid(self->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (self->fd >= 0)
        close(self->fd);
}
