#include "clients/tocsin/call.h"

#include "clients/tocsin/suggest.h"
#include "clients/tocsin/values.h"
#include "proto/must.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define EVERY_OPTION (OPTION(OPTION_ROWS) - 1)

typedef struct {
    call_t *call;
    char **words;
    int count, at;
    bool only_operands; /* "--" was met */
    FILE *errors;
} reading_t;

static int refuse(const reading_t *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int refuse(const reading_t *self, const char *format, ...)
{
    va_list values;
    fputs("tocsin: ", self->errors);
    va_start(values, format);
    vfprintf(self->errors, format, values);
    va_end(values);
    fputc('\n', self->errors);
    return EX_USAGE;
}

/* -- the options -- */

static int refuse_option(const reading_t *self, const char *word, size_t size)
{
    char wanted[64];
    snprintf(wanted, sizeof wanted, "%.*s", (int)size, word);
    suggestion_t suggestion = suggestion_for(wanted);
    for (option_id_t id = 0; id < OPTION_ROWS; id++)
        suggestion_consider(&suggestion, options[id].name);
    if (suggestion.nearest == NULL)
        return refuse(self, "no option --%s; tocsin --help lists them", wanted);
    return refuse(self, "no option --%s; did you mean --%s?", wanted, suggestion.nearest);
}

/*  Options of one name take a value or not whichever command they belong to, so that they can be
 *  read before the command is known. `value` is what stands attached to it. */
static int give(reading_t *self, option_id_t id, const char *value)
{
    const option_t *option = &options[id];
    if (option->type == OPTION_FLAG && value != NULL)
        return refuse(self, "--%s takes no value", option->name);
    if (option->type != OPTION_FLAG && value == NULL) {
        if (self->at == self->count)
            return refuse(self, "--%s needs %s", option->name, option->value);
        value = self->words[self->at++];
    }
    self->call->given[self->call->given_count++] = (given_t){id, value};
    return 0;
}

static int take_long(reading_t *self, const char *word)
{
    size_t size = strcspn(word, "=");
    option_id_t id = option_named(EVERY_OPTION, word, size);
    if (id == OPTION_ROWS)
        return refuse_option(self, word, size);
    return give(self, id, word[size] == '=' ? word + size + 1 : NULL);
}

/*  Flags may stand together, and a value may stand attached: -ojson. */
static int take_short(reading_t *self, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        option_id_t id = option_lettered(EVERY_OPTION, *letters);
        if (id == OPTION_ROWS)
            return refuse(self, "no option -%c; tocsin --help lists them", *letters);
        bool attached = options[id].type != OPTION_FLAG && letters[1] != '\0';
        int status = give(self, id, attached ? letters + 1 : NULL);
        if (status != 0 || attached)
            return status;
    }
    return 0;
}

/*  A number below zero is no option. */
static bool is_option(const reading_t *self, const char *word)
{
    return !self->only_operands && word[0] == '-' && word[1] != '\0' &&
           !isdigit((unsigned char)word[1]) && word[1] != '.';
}

static int take_words(reading_t *self)
{
    while (self->at < self->count) {
        const char *word = self->words[self->at++];
        int status = 0;
        if (!self->only_operands && strcmp(word, "--") == 0)
            self->only_operands = true;
        else if (!is_option(self, word))
            self->call->operands[self->call->operand_count++] = word;
        else
            status = word[1] == '-' ? take_long(self, word + 2) : take_short(self, word + 1);
        if (status != 0)
            return status;
    }
    return 0;
}

/* -- the command -- */

static int refuse_verb(const reading_t *self, const char *noun, const char *verb)
{
    suggestion_t suggestion = suggestion_for(verb == NULL ? "" : verb);
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i].noun, noun) == 0)
            suggestion_consider(&suggestion, commands[i].verb);
    if (verb != NULL && suggestion.nearest != NULL)
        return refuse(self, "no command %s %s; did you mean tocsin %s %s?", noun, verb, noun,
                      suggestion.nearest);
    fprintf(self->errors, "tocsin: %s %s; it is one of:", noun,
            verb == NULL ? "needs a verb" : "has no such verb");
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i].noun, noun) == 0)
            fprintf(self->errors, " %s", commands[i].verb);
    fputc('\n', self->errors);
    return EX_USAGE;
}

/*  "tocsin tail" is nearly "tocsin events tail", and whatever else has a tail. */
static int refuse_verb_alone(const reading_t *self, const char *word)
{
    char name[COMMAND_NAME_BYTES], meant[256] = "";
    size_t size = 0;
    for (size_t i = 0; i < command_count && size < sizeof meant; i++)
        if (commands[i].verb != NULL && strcmp(commands[i].verb, word) == 0)
            size += (size_t)snprintf(meant + size, sizeof meant - size, "%stocsin %s",
                                     size == 0 ? "" : ", ", command_name(&commands[i], name));
    if (size == 0)
        return refuse(self, "no command %s; tocsin --help lists them", word);
    return refuse(self, "no command %s; did you mean %s?", word, meant);
}

static int refuse_noun(const reading_t *self, const char *noun)
{
    suggestion_t suggestion = suggestion_for(noun);
    for (size_t i = 0; i < command_count; i++)
        suggestion_consider(&suggestion, commands[i].noun);
    if (suggestion.nearest != NULL)
        return refuse(self, "no command %s; did you mean tocsin %s?", noun, suggestion.nearest);
    return refuse_verb_alone(self, noun);
}

static int find_command(const reading_t *self)
{
    call_t *call = self->call;
    if (call->operand_count == 0) {
        bool asked = call_has(call, OPT_HELP) || call_has(call, OPT_VERSION);
        return asked ? 0 : refuse(self, "what shall be done? tocsin --help lists the commands");
    }
    const char *noun = call->operands[0];
    const char *verb = call->operand_count > 1 ? call->operands[1] : NULL;
    if (!command_is_noun(noun))
        return refuse_noun(self, noun);
    call->command = command_find(noun, verb);
    if (call->command == NULL)
        return call_has(call, OPT_HELP) && verb == NULL ? 0 : refuse_verb(self, noun, verb);
    size_t words = call->command->verb == NULL ? 1 : 2;
    call->operand_count -= words;
    memmove(call->operands, call->operands + words, call->operand_count * sizeof *call->operands);
    return 0;
}

/* -- does it fit? -- */

/*  Options were read by name alone: now that the command is known, the row is the command's own. */
static int check_option(const reading_t *self, given_t *given)
{
    const command_row_t *command = self->call->command;
    const option_t *option = &options[given->option];
    char name[COMMAND_NAME_BYTES];
    const char *expected;
    given->option =
        option_named(OPTIONS_OF_ALL | command->options, option->name, strlen(option->name));
    if (given->option == OPTION_ROWS)
        return refuse(self, "%s has no option --%s; tocsin %s --help lists them",
                      command_name(command, name), option->name, name);
    if (!option_takes(given->option, given->value, &expected))
        return refuse(self, "--%s %s: expected %s", option->name, given->value, expected);
    return 0;
}

static int check_operand(const reading_t *self, const operand_t *operand, const char *value)
{
    double number;
    switch ((int)operand->type) {
    case OPTION_NUMBER:
        if (!value_of_number(value, &number))
            return refuse(self, "%s: expected %s, a number", value, operand->word);
        return 0;
    case OPTION_DURATION:
        if (!value_of_duration(value, &number))
            return refuse(self, "%s: expected %s, or a duration like 250ms", value, operand->word);
        return 0;
    case OPTION_PAIRS:
        if (strchr(value, '=') == NULL || value[0] == '=')
            return refuse(self, "%s: expected %s", value, operand->word);
        return 0;
    case OPTION_WORD:
        for (const char *const *word = operand->words; *word != NULL; word++)
            if (strcmp(*word, value) == 0)
                return 0;
        return refuse(self, "%s: expected %s: bash, zsh or fish", value, operand->word);
    default:
        return 0;
    }
}

static int check_operands(const reading_t *self)
{
    const call_t *call = self->call;
    const operand_t *operand = call->command->operands;
    char name[COMMAND_NAME_BYTES];
    for (size_t i = 0; i < call->operand_count; i++) {
        if (operand == call->command->operands + OPERANDS_MAX || operand->word == NULL)
            return refuse(self, "%s: %s is one word too many", command_name(call->command, name),
                          call->operands[i]);
        int status = check_operand(self, operand, call->operands[i]);
        if (status != 0)
            return status;
        if (operand->type != OPTION_PAIRS || i + 1 == call->operand_count)
            operand++;
    }
    if (operand < call->command->operands + OPERANDS_MAX && operand->word != NULL)
        return refuse(self, "%s needs %s; tocsin %s --help explains it",
                      command_name(call->command, name), operand->word, name);
    return 0;
}

static int check_needs(const reading_t *self)
{
    const command_row_t *command = self->call->command;
    char name[COMMAND_NAME_BYTES];
    for (option_id_t id = 0; id < OPTION_ROWS; id++)
        if (option_in(command->needs, id) && !call_has(self->call, id))
            return refuse(self, "%s needs --%s %s: %s", command_name(command, name),
                          options[id].name, options[id].value, options[id].about);
    return 0;
}

static int check(const reading_t *self)
{
    for (size_t i = 0; i < self->call->given_count; i++) {
        int status = check_option(self, &self->call->given[i]);
        if (status != 0)
            return status;
    }
    if (call_has(self->call, OPT_HELP) || call_has(self->call, OPT_VERSION))
        return 0;
    int status = check_operands(self);
    return status != 0 ? status : check_needs(self);
}

/* -- life -- */

int call_read(call_t *self, int count, char **words, FILE *errors)
{
    reading_t reading = {.call = self, .words = words, .count = count, .errors = errors};
    size_t room = 1; /* every letter of a word may be a flag */
    for (int i = 0; i < count; i++)
        room += strlen(words[i]);
    *self = (call_t){.operands = memory_new((size_t)count + 1, sizeof *self->operands),
                     .given = memory_new(room, sizeof *self->given)};
    int status = take_words(&reading);
    if (status == 0)
        status = find_command(&reading);
    if (status == 0 && self->command != NULL)
        status = check(&reading);
    return status;
}

void call_free(call_t *self)
{
    free(self->operands);
    free(self->given);
    *self = (call_t){.command = NULL};
}

/* -- what was given -- */

bool call_has(const call_t *self, option_id_t option)
{
    for (size_t i = 0; i < self->given_count; i++)
        if (self->given[i].option == option)
            return true;
    return false;
}

const char *call_text(const call_t *self, option_id_t option)
{
    for (size_t i = self->given_count; i > 0; i--)
        if (self->given[i - 1].option == option)
            return self->given[i - 1].value;
    return NULL;
}

double call_number(const call_t *self, option_id_t option, double otherwise)
{
    const char *text = call_text(self, option);
    double number = otherwise;
    bool good =
        text == NULL || (options[option].type == OPTION_NUMBER ? value_of_number(text, &number)
                                                               : value_of_duration(text, &number));
    must(good);
    return number;
}

uint64_t call_count(const call_t *self, option_id_t option, uint64_t otherwise)
{
    const char *text = call_text(self, option);
    uint64_t count = otherwise;
    if (text != NULL)
        must(value_of_count(text, &count));
    return count;
}

const char *call_next(const call_t *self, option_id_t option, size_t *at)
{
    while (*at < self->given_count) {
        const given_t *given = &self->given[(*at)++];
        if (given->option == option)
            return given->value;
    }
    return NULL;
}
