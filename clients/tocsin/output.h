/*  output - what the broker answered, on stdout: tables for people, JSON, JSON lines and CSV for
 *  programs.
 *
 *  JSON is the wire's answer, key by key. CSV has the wire's keys as its heading, in the order in
 *  which they come, and what is no scalar as JSON. Neither is ever cut or coloured.
 */
#ifndef CLIENTS_TOCSIN_OUTPUT_H
#define CLIENTS_TOCSIN_OUTPUT_H

#include "clients/tocsin/call.h"

#include <stdio.h>
#include <tocsin.h>

typedef enum { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_CSV } output_t;

output_t output_of(const call_t *call);

/*  One value on a line of its own. */
void output_json(tocsin_value_t value, FILE *out);

/*  An array, an element a line. */
void output_json_lines(tocsin_value_t items, FILE *out);

/*  An array of maps, with a heading: every key that any of them has. */
void output_csv(tocsin_value_t items, FILE *out);

/*  An array of maps as rows of the named keys, separated by blanks; KEY=OTHER is shown as OTHER
 *  would be ("mean=duration"). On a terminal the last columns
 *  are cut where it ends, and words that say how bad things are have their colour. */
void output_table(const char *columns, tocsin_value_t items, FILE *out);

/*  One map, a line a key. */
void output_thing(tocsin_value_t map, FILE *out);

/*  One scalar of a row of CSV, quoted where it must be (RFC 4180). */
void output_csv_cell(tocsin_value_t value, FILE *out);

/*  A thing that is no list, as the command line asks for it; `columns` NULL: for people a line a
 *  key, else a row. */
void output_answer(const call_t *call, const char *columns, tocsin_value_t thing, FILE *out);

/*  A list: `items` is the array, `answer` the whole map for JSON. */
void output_list(const call_t *call, const char *columns, tocsin_value_t answer,
                 tocsin_value_t items, FILE *out);

#endif
