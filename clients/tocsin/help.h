/*  help - what --help prints, made from the tables of commands and options. */
#ifndef CLIENTS_TOCSIN_HELP_H
#define CLIENTS_TOCSIN_HELP_H

#include "clients/tocsin/call.h"

#include <stdio.h>

/*  One command; or (NULL) those of a noun; or, with neither, all. */
void help_write(const command_row_t *command, const char *noun, FILE *out);

/*  "TITLE --severity SEVERITY [--system NAME]...": how the command is written, without its name. */
void help_write_usage(const command_row_t *command, FILE *out);

#endif
