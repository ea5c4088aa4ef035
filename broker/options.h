/*  options - the command line of tocsind.
 *
 *  Refuses  unknown flags and arguments: EX_USAGE
 */
#ifndef BROKER_OPTIONS_H
#define BROKER_OPTIONS_H

#include "broker/config.h"
#include "broker/log.h"

#include <stdbool.h>

typedef struct {
    overrides_t overrides;
    bool check_config, print_config;
    const char *check_store; /* a path; NULL: not asked for */
    log_level_t log_level;
    log_format_t log_format;
} options_t;

/*  0, or the status to exit with after what is wrong was said. --help, --usage and --version print
 * and exit with 0. */
int options_read(options_t *self, int argc, char **argv);

#endif
