/*  arguments - a command's arguments, from a line that names them and their types.
 *
 *  Owns     nothing; appends to the buffer
 *  Refuses  a line that does not follow the grammar of tocsin_ask: false; the buffer then holds
 *           half a map and must be cut
 */
#ifndef CLIENTS_LIBTOCSIN_ARGUMENTS_H
#define CLIENTS_LIBTOCSIN_ARGUMENTS_H

#include "clients/libtocsin/buffer.h"

#include <stdarg.h>

/*  Append the pairs of `line` without a head; their number in *pairs. NULL: none. */
bool arguments_put(buffer_t *out, const char *line, va_list *values, size_t *pairs);

#endif
