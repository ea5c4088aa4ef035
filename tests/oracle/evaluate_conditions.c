/*  evaluate_conditions - what do conditions come to over the series on the standard input?
 *
 *  Lines, their fields parted by tabs:
 *    S name label value label value …     a series
 *    P time_ms value                      a point of the last series
 *    E time_ms text                       a condition: one line is answered
 *  Answered is "{__name__="a", b="c"} 1.5, …" as promtool writes results (a number as one element
 *  without labels), or "error line:column: words".
 */
#include "tests/engines/written_series.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX (2 + 2 * LABELS_MAX)

static written_series_t series;
static written_t *last;

static size_t split(char *line, char **fields)
{
    size_t count = 0;
    for (char *rest = line; count < FIELDS_MAX && (fields[count] = strsep(&rest, "\t")) != NULL;)
        count++;
    return count;
}

static void take_series(char **fields, size_t count)
{
    label_t pairs[LABELS_MAX];
    size_t labels = 0;
    for (size_t i = 2; i + 1 < count; i += 2)
        pairs[labels++] = (label_t){text_of(fields[i]), text_of(fields[i + 1])};
    last = written_new(&series, text_of(fields[1]), pairs, labels);
}

static void print_label(const char *between, text_t name, text_t value)
{
    printf("%s%.*s=\"", between, (int)name.size, name.data);
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] == '"' || value.data[i] == '\\')
            putchar('\\');
        putchar(value.data[i]);
    }
    putchar('"');
}

static void print_sample(const element_t *sample)
{
    const char *between = "";
    label_t label;
    putchar('{');
    if (sample->name.size > 0) {
        print_label(between, TEXT_OF("__name__"), sample->name);
        between = ", ";
    }
    for (uint32_t at = 0; labels_next(sample->labels, &at, &label); between = ", ")
        print_label(between, label.name, label.value);
    printf("} %.17g", sample->value);
}

static void print_answer(const answer_t *answer)
{
    if (answer->is_scalar)
        printf("{} %.17g", answer->scalar);
    for (size_t i = 0; i < answer->vector.count; i++) {
        fputs(i == 0 ? "" : ", ", stdout);
        print_sample(&answer->vector.items[i]);
    }
    putchar('\n');
}

static void print_error(const condition_error_t *error)
{
    printf("error %u:%u: %s\n", error->line, error->column, error->message);
}

static void take_condition(const char *time, const char *text)
{
    condition_error_t error;
    condition_t *condition = condition_new(text_of(text), &error);
    if (condition == NULL) {
        print_error(&error);
        return;
    }
    condition_source_t source = written_source(&series);
    condition_moment_t moment = {.at_ms = atoll(time), .lookback_ms = LOOKBACK_DEFAULT_MS};
    moment.time_s = (double)moment.at_ms / 1000;
    arena_t arena;
    arena_init(&arena);
    answer_t answer;
    if (condition_evaluate(condition, &source, &moment, &arena, &answer, &error))
        print_answer(&answer);
    else
        print_error(&error);
    arena_free(&arena);
    condition_destroy(&condition);
}

static bool take_line(char *line)
{
    char *fields[FIELDS_MAX];
    size_t count = split(line, fields);
    if (count < 2)
        return false;
    if (fields[0][0] == 'S')
        take_series(fields, count);
    else if (fields[0][0] == 'P' && count == 3 && last != NULL)
        written_add(last, atoll(fields[1]), strtod(fields[2], NULL));
    else if (fields[0][0] == 'E' && count == 3)
        take_condition(fields[1], fields[2]);
    else
        return false;
    return true;
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    bool good = true;
    while (good && (size = getline(&line, &room, stdin)) > 0) {
        if (line[size - 1] == '\n')
            line[size - 1] = '\0';
        good = take_line(line);
    }
    free(line);
    written_free(&series);
    return good ? 0 : 65;
}
