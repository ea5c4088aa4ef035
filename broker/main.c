/*  tocsind - the broker. What happens, in order. */
#include "broker/config.h"
#include "broker/log.h"
#include "broker/options.h"
#include "broker/reactor.h"
#include "broker/store.h"
#include "broker/store_check.h"

#include <czmq.h>
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <sysexits.h>

/*  As many descriptors as the system allows, and no image of the memory, which holds keys, when the
 * process dies. */
static void settle_limits(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

/* What a thread's heap grows by, and a sixteenth of what it keeps: a burst of messages must not ask
 * the system for memory and give it back for each. */
#define HEAP_STEP (1 << 20)

/*  Before any thread runs: signals are read in the loop and nowhere else, and czmq keeps its hands
 * off them. */
static void settle_process(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a full disk */
    mallopt(M_TOP_PAD, HEAP_STEP);
    mallopt(M_TRIM_THRESHOLD, HEAP_STEP * 16);
    zsys_init();
    zsys_handler_set(NULL);
    zsys_set_logstream(stderr);
}

static int fail(const store_error_t *error)
{
    log_line(LEVEL_ERROR, error->message, "exit=%d", error->exit_status);
    return error->exit_status;
}

static store_t *open_store(const config_t *config, store_error_t *error)
{
    char directory[4096];
    if (config_store_directory(config, directory, sizeof directory))
        return store_open(directory, error);
    *error =
        (store_error_t){EX_CANTCREAT, "no directory for the store: give --store DIR, or set HOME"};
    return NULL;
}

static void print_endpoints(const reactor_t *reactor)
{
    for (endpoint_t endpoint = 0; endpoint < ENDPOINT_COUNT; endpoint++)
        if (reactor_address(reactor, endpoint) != NULL)
            printf("%-9s %s\n", endpoint_names[endpoint], reactor_address(reactor, endpoint));
    puts("ready");
    fflush(stdout);
}

static int serve(config_t **config, const overrides_t *overrides)
{
    store_error_t error;
    store_t *store = open_store(*config, &error);
    if (store == NULL)
        return fail(&error);
    reactor_t *reactor = reactor_new(*config, overrides, &error);
    if (reactor == NULL) {
        store_close(&store);
        return fail(&error);
    }
    reactor_start(reactor, &store, config);
    print_endpoints(reactor);
    log_words(LEVEL_INFO, "ready");
    int exit_status = reactor_run(reactor);
    reactor_destroy(&reactor);
    return exit_status;
}

int main(int argc, char **argv)
{
    options_t options;
    int exit_status = options_read(&options, argc, argv);
    if (exit_status != 0)
        return exit_status;
    log_setup(options.log_level, options.log_format);
    if (options.check_store != NULL)
        return store_check(options.check_store, stdout);
    config_t *config = config_load(&options.overrides, stderr, &exit_status);
    if (config == NULL)
        return exit_status;
    if (options.print_config)
        config_print(config, stdout);
    if (options.check_config || options.print_config) {
        config_destroy(&config);
        return EX_OK;
    }
    settle_limits();
    settle_process();
    exit_status = serve(&config, &options.overrides);
    config_destroy(&config);
    zsys_shutdown();
    return exit_status;
}
