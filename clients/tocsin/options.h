/*  options - every option of the command line, a row each: how it is written, what it takes, which
 *  key of the wire it fills, and what it is for.
 *
 *  Owns     nothing; the table is constant
 *  Refuses  values that are not of an option's type, by a line that says what was expected
 *
 *  Parsing, --help, completions and the manual are all made from this table and from commands.h.
 */
#ifndef CLIENTS_TOCSIN_OPTIONS_H
#define CLIENTS_TOCSIN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    OPTION_FLAG,     /* takes no value */
    OPTION_TEXT,     /* any text */
    OPTION_WORD,     /* one of `words` */
    OPTION_WORDS,    /* the same; may be given again */
    OPTION_TEXTS,    /* any text; may be given again */
    OPTION_PAIRS,    /* NAME=VALUE; may be given again */
    OPTION_COUNT,    /* a whole number >= 0 */
    OPTION_NUMBER,   /* a finite number */
    OPTION_DURATION, /* seconds, or "1h30m" */
    OPTION_TIME,     /* Unix seconds, a date, or a duration ago */
    OPTION_UNTIL     /* Unix seconds, a date, or one of `words` */
} option_type_t;

typedef struct {
    const char *name;  /* without the dashes */
    char letter;       /* of the short form; 0: none */
    const char *value; /* what it takes, for people: "SECONDS"; NULL: nothing */
    option_type_t type;
    const char *key; /* the argument it becomes on the wire; NULL: it stays here */
    const char *const *words;
    const char *about; /* one line */
} option_t;

typedef enum {
    /* of every command */
    OPT_ENDPOINT,
    OPT_OUTPUT,
    OPT_BY,
    OPT_TIMEOUT,
    OPT_HELP,
    OPT_VERSION,
    /* of some */
    OPT_LABEL,
    OPT_PREFIX,
    OPT_LIMIT,
    OPT_INCIDENT_STATUS, /* to look for */
    OPT_STATUS,          /* to move to */
    OPT_SEVERITY,
    OPT_SYSTEM_FILTER, /* one to look for */
    OPT_SYSTEM,        /* those that are concerned */
    OPT_STATE,
    OPT_POLICY,
    OPT_SINCE,
    OPT_TITLE,
    OPT_DESCRIPTION,
    OPT_KEY,
    OPT_RUNBOOK,
    OPT_ROOT_CAUSE,
    OPT_RESOLUTION,
    OPT_OWNER,
    OPT_MESSAGE,
    OPT_NOTE,
    OPT_DURATION,
    OPT_UNTIL,
    OPT_REASON,
    OPT_FAMILY,
    OPT_TOPIC,
    OPT_SEQ,
    OPT_COUNT,
    OPT_KIND,
    OPT_UNIT,
    OPT_DEPENDENCY,
    OPT_ERROR,
    OPT_PROBE,
    OPT_TIMES,
    OPT_CASE,
    OPT_ROUNDS,
    OPT_SCALE,
    OPT_ROLE,
    OPT_WRITE,
    OPT_READ,
    OPT_EXPIRES_IN,
    OPT_DIRECTORY,
    OPTION_ROWS
} option_id_t;

extern const option_t options[OPTION_ROWS];

/*  Options by their bits. */
typedef uint64_t option_set_t;
#define OPTION(id) ((option_set_t)1 << (id))
#define OPTIONS_OF_ALL (OPTION(OPT_VERSION + 1) - 1)

static inline bool option_in(option_set_t set, option_id_t id)
{
    return (set & OPTION(id)) != 0;
}

/*  The first option of the set with that name, or with that letter; OPTION_ROWS: there is none. */
option_id_t option_named(option_set_t set, const char *name, size_t size);
option_id_t option_lettered(option_set_t set, char letter);

/*  Is the value of the option's type? If not, `expected` says what is. */
bool option_takes(option_id_t id, const char *value, const char **expected);

#endif
