/*  paint - colours for words that say how bad something is: on a terminal only, never where
 * NO_COLOR is set (no-color.org) or the terminal is a dumb one.
 */
#ifndef CLIENTS_TOCSIN_PAINT_H
#define CLIENTS_TOCSIN_PAINT_H

#include "proto/text.h"

#include <stdbool.h>
#include <stdio.h>

/*  May what goes there be coloured? */
bool paint_allowed(FILE *out);

/*  What begins and ends the colour of that word; "" where it has none. */
const char *paint_begin(text_t word);
const char *paint_end(text_t word);

#define PAINT_HEADING "\033[1m"
#define PAINT_NORMAL "\033[0m"

#endif
