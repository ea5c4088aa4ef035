#include "clients/tocsin/help.h"

#include <string.h>

#define ABOUT_COLUMN 28
#define LINE_COLUMNS 100

static bool is_repeated(const option_t *option)
{
    return option->type == OPTION_WORDS || option->type == OPTION_TEXTS ||
           option->type == OPTION_PAIRS;
}

static void write_option_usage(const command_row_t *command, option_id_t id, FILE *out)
{
    const option_t *option = &options[id];
    bool needed = option_in(command->needs, id);
    fprintf(out, " %s--%s%s%s%s%s", needed ? "" : "[", option->name,
            option->value == NULL ? "" : " ", option->value == NULL ? "" : option->value,
            needed ? "" : "]", is_repeated(option) ? "..." : "");
}

void help_write_usage(const command_row_t *command, FILE *out)
{
    for (size_t i = 0; i < OPERANDS_MAX && command->operands[i].word != NULL; i++)
        fprintf(out, " %s%s", command->operands[i].word,
                command->operands[i].type == OPTION_PAIRS ? "..." : "");
    for (option_id_t id = 0; id < OPTION_ROWS; id++)
        if (option_in(command->options, id))
            write_option_usage(command, id, out);
}

/*  A word, and behind it what it is for, in lines that are not too long. */
static void write_entry(const char *word, const char *about, FILE *out)
{
    int at = fprintf(out, "  %s", word);
    if (at + 2 > ABOUT_COLUMN) {
        fputc('\n', out);
        at = 0;
    }
    at += fprintf(out, "%*s", ABOUT_COLUMN - at, "");
    while (*about != '\0') {
        int size = (int)strcspn(about, " ");
        if (at + 1 + size > LINE_COLUMNS)
            at = fprintf(out, "\n%*s", ABOUT_COLUMN, "") - 1;
        at += fprintf(out, "%s%.*s", at > ABOUT_COLUMN ? " " : "", size, about);
        about += size + (int)strspn(about + size, " ");
    }
    fputc('\n', out);
}

static void write_option(const option_t *option, FILE *out)
{
    char word[80], letter[8] = "";
    if (option->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(word, sizeof word, "%s--%s%s%s", letter, option->name,
             option->value == NULL ? "" : " ", option->value == NULL ? "" : option->value);
    write_entry(word, option->about, out);
}

static void write_options(option_set_t set, const char *heading, FILE *out)
{
    if (set == 0)
        return;
    fprintf(out, "\n%s\n", heading);
    for (option_id_t id = 0; id < OPTION_ROWS; id++)
        if (option_in(set, id))
            write_option(&options[id], out);
}

static void write_command(const command_row_t *command, FILE *out)
{
    char name[COMMAND_NAME_BYTES];
    fprintf(out, "Usage: tocsin %s", command_name(command, name));
    help_write_usage(command, out);
    fprintf(out, "\n\n%s.\n", command->about);
    write_options(command->options, "Options:", out);
    write_options(OPTIONS_OF_ALL, "Options of every command:", out);
}

static void write_several(const char *noun, FILE *out)
{
    fprintf(out, "Usage: tocsin %s%s [OPTION]...\n", noun == NULL ? "COMMAND" : noun,
            noun == NULL ? "" : " VERB");
    fputs("\n"
          "Speaks to tocsind, the alarm bell of a system of services.\n"
          "\n"
          "Commands (tocsin COMMAND --help explains one):\n",
          out);
    for (size_t i = 0; i < command_count; i++) {
        char name[COMMAND_NAME_BYTES];
        if (noun == NULL || strcmp(commands[i].noun, noun) == 0)
            write_entry(command_name(&commands[i], name), commands[i].about, out);
    }
    write_options(OPTIONS_OF_ALL, "Options of every command, which may stand anywhere:", out);
    fputs("\nExit status: 0; 1 the broker said no; 64 usage; 65 bad data; 69 no broker; 130 "
          "Ctrl-C.\n",
          out);
}

void help_write(const command_row_t *command, const char *noun, FILE *out)
{
    if (command == NULL)
        write_several(noun, out);
    else
        write_command(command, out);
}
