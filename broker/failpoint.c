#include "broker/failpoint.h"

#ifdef TOCSIN_FAILPOINTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Before the end the other threads get time to let out what they should not. */
#define LAST_WORDS_NS 20000000

void failpoint_pass(const char *name)
{
    static atomic_ulong passed; /* of the one that is named */
    const char *wanted = getenv("TOCSIN_FAILPOINT");
    size_t size = strlen(name);
    if (wanted == NULL || strncmp(wanted, name, size) != 0 ||
        (wanted[size] != '@' && wanted[size] != '\0'))
        return;
    unsigned long when = wanted[size] == '@' ? strtoul(wanted + size + 1, NULL, 10) : 1;
    if (atomic_fetch_add(&passed, 1) + 1 != when)
        return;
    nanosleep(&(struct timespec){.tv_nsec = LAST_WORDS_NS}, NULL);
    raise(SIGKILL);
}

#else

typedef int failpoint_is_not_compiled_in;

#endif
