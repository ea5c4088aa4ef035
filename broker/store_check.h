/*  store_check - is a store, or a copy of one, sound?
 *
 *  Bounds   PROBLEMS_SHOWN lines of what SQLite itself complains about
 *  Thread   any; the store must not be in use
 *  Refuses  what is not there, or is in use
 *
 *  Nothing of it is changed: a log that a crash left behind is read and stays.
 */
#ifndef BROKER_STORE_CHECK_H
#define BROKER_STORE_CHECK_H

#include <stdio.h>

/*  `path` is a store's directory, or the file of a snapshot. Each problem is a line on `out`, and
 * the last line says what is there. Answers EX_OK, EX_DATAERR for one that is not sound,
 * EX_NOINPUT, EX_TEMPFAIL for one in use. */
int store_check(const char *path, FILE *out);

#endif
