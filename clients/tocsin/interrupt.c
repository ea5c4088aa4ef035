#include "clients/tocsin/interrupt.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t caught; /* the signal; 0: none */

static void take(int signal_number)
{
    caught = signal_number;
}

void interrupt_catch(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = take; /* without SA_RESTART: a wait must end */
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool interrupted(void)
{
    return caught != 0;
}

int interrupt_status(void)
{
    return caught == SIGINT ? EXIT_INTERRUPTED : 0;
}
