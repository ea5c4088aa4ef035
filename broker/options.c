#include "broker/options.h"

#include "broker/version.h"

#include <argp.h>
#include <czmq.h>
#include <msgpack.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
    KEY_STORE = 256,
    KEY_ENDPOINT,
    KEY_CHECK,
    KEY_PRINT,
    KEY_CHECK_STORE,
    KEY_LEVEL,
    KEY_FORMAT,
};

static const struct argp_option rows[] = {
    {"config", 'c', "FILE", 0, "Read the configuration from FILE (YAML)", 0},
    {"store", KEY_STORE, "DIR", 0, "Keep what must survive in DIR", 0},
    {"endpoint", KEY_ENDPOINT, "NAME=ADDRESS", 0,
     "Bind an endpoint elsewhere: metrics, requests, incidents, events, control, http; port 0 "
     "takes "
     "a free one",
     0},
    {"check-config", KEY_CHECK, NULL, 0, "Check the configuration, say what is wrong, and exit", 0},
    {"check-store", KEY_CHECK_STORE, "PATH", 0,
     "Check a store (its directory) or a snapshot of one (a file), say what is wrong, and exit", 0},
    {"print-config", KEY_PRINT, NULL, 0, "Print what is in force, secrets masked, and exit", 0},
    {"log-level", KEY_LEVEL, "LEVEL", 0, "error, warning, info (the default) or debug", 0},
    {"log-format", KEY_FORMAT, "FORMAT", 0, "text, json, or auto (the default)", 0},
    {NULL, 'h', NULL, OPTION_HIDDEN, NULL, 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static void print_version(FILE *out, struct argp_state *state)
{
    (void)state;
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    fprintf(out, "tocsind %s\nlibzmq %d.%d.%d, czmq %d.%d.%d, msgpack-c %s, SQLite %s\n",
            TOCSIN_VERSION, major, minor, patch, CZMQ_VERSION_MAJOR, CZMQ_VERSION_MINOR,
            CZMQ_VERSION_PATCH, msgpack_version(), sqlite3_libversion());
}

static int find_word(const char *const *words, const char *word)
{
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

static void set_endpoint(options_t *self, const char *argument, struct argp_state *state)
{
    const char *equals = strchr(argument, '=');
    for (size_t i = 0; equals != NULL && i < ENDPOINT_COUNT; i++)
        if (strlen(endpoint_names[i]) == (size_t)(equals - argument) &&
            strncmp(endpoint_names[i], argument, (size_t)(equals - argument)) == 0) {
            self->overrides.endpoints[i] = equals + 1;
            return;
        }
    argp_error(state,
               "--endpoint %s: expected NAME=ADDRESS with metrics, requests, incidents, "
               "events, control or http",
               argument);
}

static void set_level(options_t *self, const char *argument, struct argp_state *state)
{
    int level = find_word(log_level_words, argument);
    if (level < 0)
        argp_error(state, "--log-level %s: expected error, warning, info or debug", argument);
    self->log_level = (log_level_t)level;
}

static void set_format(options_t *self, const char *argument, struct argp_state *state)
{
    int format = find_word(log_format_words, argument);
    if (format < 0)
        argp_error(state, "--log-format %s: expected text, json or auto", argument);
    self->log_format = format == FORMAT_JSON ? FORMAT_JSON : FORMAT_TEXT;
}

static error_t take_option(int key, char *argument, struct argp_state *state)
{
    options_t *self = state->input;
    switch (key) {
    case 'c':
        self->overrides.file = argument;
        break;
    case 'h':
        argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
        break;
    case KEY_STORE:
        self->overrides.store = argument;
        break;
    case KEY_ENDPOINT:
        set_endpoint(self, argument, state);
        break;
    case KEY_CHECK:
        self->check_config = true;
        break;
    case KEY_CHECK_STORE:
        self->check_store = argument;
        break;
    case KEY_PRINT:
        self->print_config = true;
        break;
    case KEY_LEVEL:
        set_level(self, argument, state);
        break;
    case KEY_FORMAT:
        set_format(self, argument, state);
        break;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument: %s", argument);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

int options_read(options_t *self, int argc, char **argv)
{
    static const struct argp parser = {
        .options = rows,
        .parser = take_option,
        .doc = "tocsind - the alarm bell of a system of services\v"
               "Settings: flags over TOCSIN_SECTION_KEY in the environment (TOCSIN_LIMITS_SERIES) "
               "over the file over the defaults. Exit status: 0 stopped as told, 64 usage, 65 the "
               "store is "
               "damaged, 69 an address is taken, 73 the store cannot be used, 74 the disk "
               "failed, 77 an address that is not loopback, 78 the configuration is wrong."};
    *self = (options_t){.log_level = LEVEL_INFO, .log_format = FORMAT_TEXT};
    self->overrides.file = getenv("TOCSIN_CONFIG");
    argp_program_version_hook = print_version;
    argp_err_exit_status = EX_USAGE;
    return argp_parse(&parser, argc, argv, 0, NULL, self) == 0 ? 0 : EX_USAGE;
}
