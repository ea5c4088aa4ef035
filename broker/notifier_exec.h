/*  notifier_exec - runs a channel's command with a notification on its standard input.
 *
 *  Owns     the process, until it has ended or was killed
 *  Bounds   the input is in memory; of the output nothing is kept
 *  Thread   one
 *
 *  No shell: an absolute path and its arguments, as they are configured. Of the broker's
 * descriptors and signal settings the process inherits none. It is a group of its own, so that what
 * it starts ends with it.
 */
#ifndef BROKER_NOTIFIER_EXEC_H
#define BROKER_NOTIFIER_EXEC_H

#include "proto/text.h"

#include <stdbool.h>
#include <sys/types.h>

typedef struct {
    pid_t pid;
    int fd; /* readable when the process has ended */
} exec_t;

/*  False, and errno says why, if it cannot be started. */
bool exec_start(exec_t *self, texts_t command, const char *input);

/*  Has it ended? Then *status is what waitpid says, and nothing is left of it. */
bool exec_has_ended(exec_t *self, int *status);

/*  Kill it and everything it started. */
void exec_kill(exec_t *self);

#endif
