/*  manual - the manual pages' tables, from the tables that the programs themselves use: reads a
 * page in scdoc(5) and puts them where it says so, on a line of its own:
 *
 *      @COMMANDS@       the commands of tocsin(1)
 *      @OPTIONS@        its options
 *      @SETTINGS@       the keys of the configuration file
 *      @WIRE_COMMANDS@  the commands of the control endpoint, with their arguments
 */
#include "broker/config_tables.h"
#include "clients/tocsin/commands.h"
#include "clients/tocsin/help.h"
#include "proto/command.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 4096

/*  What would be markup is said to be none. */
static void write_plain(const char *text)
{
    for (; *text != '\0'; text++)
        printf(strchr("\\_*#.-~<>[]|`", *text) != NULL ? "\\%c" : "%c", *text);
}

/* -- tocsin(1) -- */

static void write_commands(void)
{
    for (size_t i = 0; i < command_count; i++) {
        char name[COMMAND_NAME_BYTES], *usage = NULL;
        size_t size;
        FILE *out = open_memstream(&usage, &size);
        if (out == NULL)
            abort();
        help_write_usage(&commands[i], out);
        fclose(out);
        printf("*%s*", command_name(&commands[i], name));
        write_plain(usage);
        fputs("\n\t", stdout);
        write_plain(commands[i].about);
        puts(".\n");
        free(usage);
    }
}

static void write_users(option_id_t id)
{
    const char *comma = "";
    if (option_in(OPTIONS_OF_ALL, id))
        return;
    fputs(" (", stdout);
    for (size_t i = 0; i < command_count; i++) {
        char name[COMMAND_NAME_BYTES];
        if (!option_in(commands[i].options, id))
            continue;
        printf("%s_%s_", comma, command_name(&commands[i], name));
        comma = ", ";
    }
    fputs(")", stdout);
}

static void write_option(option_id_t id)
{
    const option_t *option = &options[id];
    if (option->letter != 0)
        printf("*\\-%c*, ", option->letter);
    fputs("*\\-\\-", stdout);
    write_plain(option->name);
    fputs("*", stdout);
    if (option->value != NULL) {
        fputs(" ", stdout);
        write_plain(option->value);
    }
    fputs("\n\t", stdout);
    write_plain(option->about);
    write_users(id);
    puts("\n");
}

static void write_options(void)
{
    for (option_id_t id = 0; id < OPTION_ROWS; id++)
        write_option(id);
}

/* -- keys: of the configuration file, and of commands -- */

static const char *type_name(field_type_t type)
{
    switch (type) {
    case FIELD_NAME:
    case FIELD_TITLE:
    case FIELD_TEXT:
    case FIELD_RAW:
        return "text";
    case FIELD_NAMES:
    case FIELD_LINES:
        return "list of texts";
    case FIELD_BOOL:
    case FIELD_FLAG:
        return "true or false";
    case FIELD_UINT:
    case FIELD_UINT32:
    case FIELD_INT:
        return "whole number";
    case FIELD_NUMBER:
        return "number";
    case FIELD_DURATION:
        return "duration";
    case FIELD_TIME:
        return "time";
    case FIELD_SIZE:
        return "bytes";
    case FIELD_ENUM:
    case FIELD_WORD:
        return "word";
    case FIELD_LABELS:
        return "labels";
    case FIELD_ID:
    case FIELD_HEX:
        return "id";
    case FIELD_IDS:
        return "list of ids";
    case FIELD_RECORD:
        return "map";
    case FIELD_RECORDS:
        return "list of maps";
    case FIELD_STEPS:
        return "map of lists";
    }
    return "value";
}

static bool is_number(field_type_t type)
{
    return type == FIELD_UINT || type == FIELD_UINT32 || type == FIELD_INT ||
           type == FIELD_NUMBER || type == FIELD_DURATION || type == FIELD_SIZE;
}

static void write_words(const field_t *field)
{
    for (size_t i = 0; field->words[i] != NULL; i++) {
        fputs(i == 0 ? ": " : ", ", stdout);
        write_plain(field->words[i]);
    }
}

static void write_default(const field_t *field)
{
    if (is_number(field->type) && isfinite(field->otherwise) && field->otherwise != 0)
        printf("; default %.10g", field->otherwise);
    else if (field->type == FIELD_ENUM && field->otherwise >= 0 && !(field->flags & FIELD_REQUIRED))
        printf("; default %s", field->words[(size_t)field->otherwise]);
    else if (field->type == FIELD_BOOL)
        printf("; default %s", field->otherwise != 0 ? "true" : "false");
}

static void write_key(const field_t *field)
{
    fputs("*", stdout);
    write_plain(field->key);
    printf("* (%s", type_name(field->type));
    if (field->words != NULL)
        write_words(field);
    if (is_number(field->type) && field->most > field->least)
        printf(", %.10g to %.10g", field->least, field->most);
    fputs((field->flags & FIELD_REQUIRED) != 0 ? "; required" : "", stdout);
    write_default(field);
    puts(")");
    if (field->about != NULL) {
        const char first[] = {(char)toupper((unsigned char)field->about[0]), '\0'};
        fputs("\t", stdout);
        write_plain(first);
        write_plain(field->about + 1);
        puts(".");
    }
    puts("");
}

/*  The keys of a map, and below them those of the maps in it. */
static void write_keys(const schema_t *schema, const char *path)
{
    for (size_t i = 0; i < schema->count; i++)
        if ((schema->fields[i].flags & FIELD_HIDDEN) == 0)
            write_key(&schema->fields[i]);
    for (size_t i = 0; i < schema->count; i++) {
        const field_t *field = &schema->fields[i];
        char inner[128];
        if (field->inner == NULL || (field->flags & FIELD_HIDDEN) != 0)
            continue;
        snprintf(inner, sizeof inner, "%s%s%s", path, path[0] == '\0' ? "" : ".", field->key);
        printf("## %s\n\n", inner);
        write_keys(field->inner, inner);
    }
}

static void write_settings(void)
{
    write_keys(&settings_schema, "");
}

static void write_wire_commands(void)
{
    for (do_t which = 0; which < DO_COUNT; which++) {
        const command_spec_t *spec = command_spec(which);
        const char *comma = " ";
        printf("*%s*", spec->name);
        for (size_t i = 0; spec->schema != NULL && i < spec->schema->count; i++) {
            const field_t *field = &spec->schema->fields[i];
            if ((field->flags & FIELD_HIDDEN) != 0)
                continue;
            fputs(comma, stdout);
            write_plain(field->key);
            fputs((field->flags & FIELD_REQUIRED) != 0 ? "" : "?", stdout);
            comma = ", ";
        }
        puts("\n");
    }
}

/* -- a page -- */

static const struct {
    const char *mark;
    void (*write)(void);
} parts[] = {
    {"@COMMANDS@\n", write_commands},
    {"@OPTIONS@\n", write_options},
    {"@SETTINGS@\n", write_settings},
    {"@WIRE_COMMANDS@\n", write_wire_commands},
};

static void write_line(const char *line)
{
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(parts[i].mark, line) == 0) {
            parts[i].write();
            return;
        }
    fputs(line, stdout);
}

int main(void)
{
    char line[LINE_BYTES];
    while (fgets(line, sizeof line, stdin) != NULL)
        write_line(line);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
