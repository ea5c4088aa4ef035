/*  commands - every command of the tocsin program, a row each: its words, its operands, its
 * options, what it asks the broker and how the answer is shown.
 *
 *  Owns     nothing; the table is constant
 */
#ifndef CLIENTS_TOCSIN_COMMANDS_H
#define CLIENTS_TOCSIN_COMMANDS_H

#include "clients/tocsin/options.h"

typedef struct call call_t;

#define OPERANDS_MAX 4u

typedef struct {
    const char *word;   /* "TITLE", for people; NULL ends the list */
    const char *key;    /* the argument it becomes on the wire; NULL: it stays here */
    option_type_t type; /* OPTION_TEXT, _NUMBER, _WORD; _PAIRS: one or more, up to the end */
    const char *const *words;
} operand_t;

/*  How people see an answer. */
typedef enum {
    SHOW_LIST,  /* {"items": [...]}: a row each; the whole list, page by page */
    SHOW_ROW,   /* one thing as the row of its list */
    SHOW_THING, /* one thing, a line a key */
} show_t;

typedef struct {
    const char *noun;
    const char *verb; /* NULL: the noun is the whole command */
    operand_t operands[OPERANDS_MAX];
    option_set_t options; /* besides those of every command */
    option_set_t needs;   /* those of them that must be given */
    bool by;              /* say who acts */
    const char *asks;     /* the command on the wire; NULL: `run` knows */
    show_t show;
    const char *part;    /* of an answer that is more than the thing: the key of the thing */
    const char *columns; /* keys, separated by blanks, of a row for people */
    int (*run)(const call_t *call); /* answers the exit status */
    const char *about;              /* one line */
} command_row_t;

extern const command_row_t commands[];
extern const size_t command_count;

/*  "incident open", or "status". Answers `out`. */
#define COMMAND_NAME_BYTES 64u
const char *command_name(const command_row_t *command, char out[COMMAND_NAME_BYTES]);

/*  The row with these words; NULL: there is none. `verb` may be NULL. */
const command_row_t *command_find(const char *noun, const char *verb);

/*  Is it the first word of any command? */
bool command_is_noun(const char *word);

#endif
