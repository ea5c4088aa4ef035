#include "broker/failpoint.h"

#ifdef TOCSIN_FAILPOINTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

void failpoint_pass(const char *name)
{
    static atomic_ulong passed; /* of the one that is named */
    const char *wanted = getenv("TOCSIN_FAILPOINT");
    size_t size = strlen(name);
    if (wanted == NULL || strncmp(wanted, name, size) != 0 ||
        (wanted[size] != '@' && wanted[size] != '\0'))
        return;
    unsigned long when = wanted[size] == '@' ? strtoul(wanted + size + 1, NULL, 10) : 1;
    if (atomic_fetch_add(&passed, 1) + 1 == when)
        raise(SIGKILL);
}

#else

typedef int failpoint_is_not_compiled_in;

#endif
