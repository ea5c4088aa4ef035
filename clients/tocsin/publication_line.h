/*  publication_line - a publication as one line for a person:
 *
 *      2026-11-25T17:00:07Z  dependency.changed  postgresql  healthy -> degraded  error_ratio=31 %
 */
#ifndef CLIENTS_TOCSIN_PUBLICATION_LINE_H
#define CLIENTS_TOCSIN_PUBLICATION_LINE_H

#include <stdbool.h>
#include <stdio.h>
#include <tocsin.h>

void publication_line_write(const tocsin_publication_t *publication, bool painted, FILE *out);

/*  Only what happened, without time, type and subject: "healthy -> degraded  error_ratio=31 %". */
void publication_line_write_what(const tocsin_publication_t *publication, FILE *out);

#endif
