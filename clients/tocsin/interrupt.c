#include "clients/tocsin/interrupt.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t caught; /* the signal; 0: none */

static void take(int signal_number)
{
    caught = signal_number;
}

/*  What whoever started us has told to be ignored (nohup, a shell's background) stays so. */
static void catch_signal(int signal_number)
{
    struct sigaction action, before;
    if (sigaction(signal_number, NULL, &before) != 0 || before.sa_handler == SIG_IGN)
        return;
    memset(&action, 0, sizeof action);
    action.sa_handler = take; /* without SA_RESTART: a wait must end */
    sigemptyset(&action.sa_mask);
    sigaction(signal_number, &action, NULL);
}

void interrupt_catch(void)
{
    catch_signal(SIGINT);
    catch_signal(SIGTERM);
    catch_signal(SIGHUP);
}

bool interrupted(void)
{
    return caught != 0;
}

int interrupt_status(void)
{
    return caught == SIGINT ? EXIT_INTERRUPTED : 0;
}
