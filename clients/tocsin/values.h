/*  values - what a word of the command line says: a number, a duration, a point in time.
 *
 *  Each answers false, and leaves the last argument alone, when the word is not of that form.
 */
#ifndef CLIENTS_TOCSIN_VALUES_H
#define CLIENTS_TOCSIN_VALUES_H

#include <stdbool.h>
#include <stdint.h>

bool value_of_count(const char *word, uint64_t *count);

/*  Finite. */
bool value_of_number(const char *word, double *number);

/*  Seconds, >= 0: a number, or text in Prometheus form ("1h30m"). */
bool value_of_duration(const char *word, double *seconds);

/*  Unix seconds: a number, or a date in RFC 3339 (UTC). */
bool value_of_date(const char *word, double *unix_s);

/*  The same, or a duration before `now`. */
bool value_of_time(const char *word, double now, double *unix_s);

#endif
