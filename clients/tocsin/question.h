/*  question - what most commands are: operands and options become the arguments of a command on the
 *  wire, by the rows of the tables, and the answer is shown.
 */
#ifndef CLIENTS_TOCSIN_QUESTION_H
#define CLIENTS_TOCSIN_QUESTION_H

#include "clients/tocsin/call.h"

/*  Ask what the command's row says, and show the answer. Answers the exit status. */
int question_run(const call_t *call);

#endif
