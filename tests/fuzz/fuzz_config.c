/*  Any text as the configuration file. What is accepted is printed, and what is printed is accepted
 * again and printed the same. */
#include "broker/config.h"
#include "proto/must.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static config_t *load(int file, const char *path, const void *text, size_t size)
{
    static FILE *nowhere;
    overrides_t overrides = {.file = path};
    int exit_status;
    if (nowhere == NULL)
        nowhere = fopen("/dev/null", "w");
    must(nowhere != NULL && ftruncate(file, 0) == 0);
    must(pwrite(file, text, size, 0) == (ssize_t)size);
    return config_load(&overrides, nowhere, &exit_status);
}

static char *print(const config_t *config, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    must(out != NULL);
    config_print(config, out);
    fclose(out);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    static char path[64];
    if (file < 0) {
        file = memfd_create("configuration", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    config_t *config = load(file, path, data, size);
    /* a channel's address is masked when it is shown, and so cannot be read again */
    if (config != NULL && config->settings.channel_count == 0) {
        size_t first_size, second_size;
        char *first = print(config, &first_size);
        config_t *again = load(file, path, first, first_size);
        must(again != NULL);
        char *second = print(again, &second_size);
        must(first_size == second_size && memcmp(first, second, first_size) == 0);
        config_destroy(&again);
        free(first);
        free(second);
    }
    config_destroy(&config);
    return 0;
}
