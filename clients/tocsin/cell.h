/*  cell - one value of the wire in the words of a person: times as dates, seconds with their unit,
 *  ratios in percent, by the key that it stands under.
 *
 *  Never for programs: they read JSON or CSV, which keep the value as it is.
 */
#ifndef CLIENTS_TOCSIN_CELL_H
#define CLIENTS_TOCSIN_CELL_H

#include "proto/cursor.h"

#include <stdio.h>

/*  The key of a map at the cursor, which moves behind it; TEXT_NONE if it is no text. */
text_t cell_read_key(cursor_t *cursor);

/*  Does the value at the cursor say nothing: nil, an empty text, map or array? */
bool cell_is_empty(cursor_t cursor);

/*  Write the value at the cursor, which moves behind it, on one line: what says nothing is "-", and
 *  left out of maps; control characters are blanks. */
void cell_write(text_t key, cursor_t *cursor, FILE *out);

/*  The same as a text that is the caller's to free. */
char *cell_text(text_t key, cursor_t *cursor);

/*  "12.3 ms", "1h2m3s" */
void cell_write_seconds(double seconds, FILE *out);

/*  "2026-11-25T17:00:00Z" */
void cell_write_time(double unix_s, FILE *out);

/*  How many columns a terminal needs for that UTF-8 text. */
size_t cell_width(const char *text);

#endif
