/*  call - one command line as it was understood: the command, its operands and its options.
 *
 *  Owns     the lists; the texts are argv's
 *  Refuses  what the tables do not allow: EX_USAGE, after one line that says what, and what was
 *           probably meant
 */
#ifndef CLIENTS_TOCSIN_CALL_H
#define CLIENTS_TOCSIN_CALL_H

#include "clients/tocsin/commands.h"

#include <stdio.h>

typedef struct {
    option_id_t option;
    const char *value; /* NULL for a flag */
} given_t;

struct call {
    const command_row_t *command; /* NULL: none was named (then --help or --version was given) */
    const char **operands;
    size_t operand_count;
    given_t *given;
    size_t given_count;
};

/*  Understand the words after the program's name. Options may stand anywhere; "--" ends them.
 *  Answers 0, or EX_USAGE after what is wrong was written to `errors`; call_free in both cases. */
int call_read(call_t *self, int count, char **words, FILE *errors);
void call_free(call_t *self);

bool call_has(const call_t *self, option_id_t option);

/*  The value given last; NULL: none. */
const char *call_text(const call_t *self, option_id_t option);

/*  As number or duration, or `otherwise`. */
double call_number(const call_t *self, option_id_t option, double otherwise);
uint64_t call_count(const call_t *self, option_id_t option, uint64_t otherwise);

/*  The next value of an option that may be given again, from *at on, which moves behind it;
 *  NULL: no more. */
const char *call_next(const call_t *self, option_id_t option, size_t *at);

#endif
