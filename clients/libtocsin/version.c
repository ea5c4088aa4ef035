#include <tocsin.h>

const char *tocsin_version(void)
{
    return TOCSIN_VERSION;
}

const char *tocsin_status_text(tocsin_status_t status)
{
    switch (status) {
    case TOCSIN_OK:
        return "done";
    case TOCSIN_TIMEOUT:
        return "nobody answered in time";
    case TOCSIN_REFUSED:
        return "the broker said no";
    case TOCSIN_DROPPED:
        return "the queue is full, the event is lost";
    case TOCSIN_INVALID:
        return "an argument is not valid";
    case TOCSIN_NO_MEMORY:
        return "no memory is left";
    case TOCSIN_INTERRUPTED:
        return "a signal came";
    case TOCSIN_SYSTEM:
        return "the system failed";
    }
    return "unknown status";
}
