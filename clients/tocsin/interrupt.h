/*  interrupt - Ctrl-C, SIGTERM and a terminal that goes away end what runs, in order.
 *
 *  The handler sets a flag; what waits in a system call is woken by EINTR. Process-wide, as signals
 *  are.
 */
#ifndef CLIENTS_TOCSIN_INTERRUPT_H
#define CLIENTS_TOCSIN_INTERRUPT_H

#include <stdbool.h>

#define EXIT_INTERRUPTED 130 /* 128 + SIGINT, as shells count */

void interrupt_catch(void);

/*  Was the program told to end? */
bool interrupted(void);

/*  The exit status of a command that runs until it is told to end: EXIT_INTERRUPTED after Ctrl-C,
 *  0 after any other. */
int interrupt_status(void);

#endif
