#include "clients/tocsin/runs.h"

#include <string.h>

/* -- what may follow -- */

static bool is_first_of_noun(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(commands[i].noun, commands[index].noun) == 0)
            return false;
    return true;
}

static void write_nouns(void)
{
    for (size_t i = 0; i < command_count; i++)
        if (is_first_of_noun(i))
            printf(" %s", commands[i].noun);
}

static void write_verbs(const char *noun)
{
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i].noun, noun) == 0 && commands[i].verb != NULL)
            printf(" %s", commands[i].verb);
}

static void write_options(option_set_t set)
{
    for (option_id_t id = 0; id < OPTION_ROWS; id++)
        if (option_in(set, id))
            printf(" --%s", options[id].name);
}

static void write_words(const char *const *words)
{
    for (; words != NULL && *words != NULL; words++)
        printf(" %s", *words);
}

/*  "incident|open" or "status": the words of a command as one pattern of a shell's case. */
static void write_pattern(const command_row_t *command)
{
    printf("'%s %s')", command->noun, command->verb == NULL ? "" : command->verb);
}

/* -- bash and zsh: one function, whose beginning and end are the shell's own -- */

static void write_word_cases(void)
{
    puts("    case $previous in");
    for (option_id_t id = 0; id < OPTION_ROWS; id++) {
        if (options[id].words == NULL)
            continue;
        printf("    --%s", options[id].name);
        if (options[id].letter != 0)
            printf("|-%c", options[id].letter);
        fputs(") offered=\"", stdout);
        write_words(options[id].words);
        puts("\" ;;");
    }
    puts("    esac");
}

static void write_verb_cases(void)
{
    puts("        case $noun in");
    for (size_t i = 0; i < command_count; i++) {
        if (!is_first_of_noun(i))
            continue;
        printf("        %s) offered=\"", commands[i].noun);
        write_verbs(commands[i].noun);
        write_words(commands[i].operands[0].words);
        puts("\" ;;");
    }
    puts("        esac");
}

static void write_option_cases(void)
{
    puts("        case \"$noun $verb\" in");
    for (size_t i = 0; i < command_count; i++) {
        fputs("        ", stdout);
        write_pattern(&commands[i]);
        fputs(" offered=\"", stdout);
        write_options(commands[i].options | OPTIONS_OF_ALL);
        puts("\" ;;");
    }
    fputs("        *) offered=\"", stdout);
    write_options(OPTIONS_OF_ALL);
    puts("\" ;;\n        esac");
}

static bool takes_file(const command_row_t *command)
{
    const char *word = command->operands[0].word;
    return word != NULL && strcmp(word, "FILE") == 0;
}

static void write_file_cases(void)
{
    puts("        case \"$noun $verb\" in");
    for (size_t i = 0; i < command_count; i++)
        if (takes_file(&commands[i])) {
            fputs("        ", stdout);
            write_pattern(&commands[i]);
            puts(" files=1 ;;");
        }
    puts("        esac");
}

/*  The options behind which a value follows as a word of its own. */
static void write_valued_pattern(void)
{
    const char *bar = "";
    for (option_id_t id = 0; id < OPTION_ROWS; id++) {
        if (options[id].type == OPTION_FLAG)
            continue;
        printf("%s--%s", bar, options[id].name);
        if (options[id].letter != 0)
            printf("|-%c", options[id].letter);
        bar = "|";
    }
}

/*  From `typed` (the words before the present one), `current` and `previous` to `offered`, or to
 *  `files`. */
static void write_function_body(void)
{
    puts("    local noun= verb= offered= files= skip= word\n"
         "    for word in \"${typed[@]}\"; do\n"
         "        if [ -n \"$skip\" ]; then skip=; continue; fi\n"
         "        case $word in");
    fputs("        ", stdout);
    write_valued_pattern();
    puts(") skip=1 ;;\n"
         "        -*) ;;\n"
         "        *) if [ -z \"$noun\" ]; then noun=$word\n"
         "           elif [ -z \"$verb\" ]; then verb=$word; fi ;;\n"
         "        esac\n"
         "    done");
    write_word_cases();
    puts("    if [ -n \"$offered\" ]; then :\n"
         "    elif [ -n \"$skip\" ]; then :\n"
         "    elif [[ $current == -* ]]; then");
    write_option_cases();
    fputs("    elif [ -z \"$noun\" ]; then\n        offered=\"", stdout);
    write_nouns();
    puts("\"\n    elif [ -z \"$verb\" ]; then");
    write_verb_cases();
    puts("    else");
    write_file_cases();
    puts("    fi");
}

static void write_bash(void)
{
    puts("_tocsin() {\n"
         "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
         "    local typed=(\"${COMP_WORDS[@]:1:COMP_CWORD-1}\")");
    write_function_body();
    puts("    [ -z \"$files\" ] || compopt -o filenames 2>/dev/null\n"
         "    mapfile -t COMPREPLY < <(compgen ${files:+-f} -W \"$offered\" -- \"$current\")\n"
         "}\n"
         "complete -F _tocsin tocsin");
}

/*  Read by compinit from a file of its own, the file is the function; read by hand it is not. */
static void write_zsh(void)
{
    puts("#compdef tocsin\n"
         "_tocsin() {\n"
         "    local current=$words[CURRENT] previous=$words[CURRENT-1]\n"
         "    local -a typed\n"
         "    typed=(\"${(@)words[2,CURRENT-1]}\")");
    write_function_body();
    puts(
        "    if [ -n \"$files\" ]; then _files; else compadd -- ${=offered}; fi\n"
        "}\n"
        "if [ \"$funcstack[1]\" = _tocsin ]; then _tocsin \"$@\"; else compdef _tocsin tocsin; fi");
}

/* -- fish: a line a word -- */

static void write_quoted(const char *text)
{
    putchar('\'');
    for (; *text != '\0'; text++)
        printf(*text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
    putchar('\'');
}

static void write_fish_option(option_id_t id, const command_row_t *command)
{
    const option_t *option = &options[id];
    fputs("complete -c tocsin", stdout);
    if (command != NULL && command->verb != NULL)
        printf(" -n '__fish_seen_subcommand_from %s; and __fish_seen_subcommand_from %s'",
               command->noun, command->verb);
    else if (command != NULL)
        printf(" -n '__fish_seen_subcommand_from %s'", command->noun);
    printf(" -l %s", option->name);
    if (option->letter != 0)
        printf(" -s %c", option->letter);
    if (option->type != OPTION_FLAG)
        fputs(" -x", stdout);
    if (option->words != NULL) {
        fputs(" -a '", stdout);
        write_words(option->words);
        putchar('\'');
    }
    fputs(" -d ", stdout);
    write_quoted(option->about);
    putchar('\n');
}

static void write_fish_command(const command_row_t *command)
{
    if (command->verb == NULL)
        printf("complete -c tocsin -n __fish_use_subcommand -a %s", command->noun);
    else
        printf("complete -c tocsin -n '__fish_seen_subcommand_from %s' -a %s", command->noun,
               command->verb);
    fputs(" -d ", stdout);
    write_quoted(command->about);
    putchar('\n');
    for (option_id_t id = 0; id < OPTION_ROWS; id++)
        if (option_in(command->options, id))
            write_fish_option(id, command);
    if (takes_file(command))
        printf("complete -c tocsin -F -n '__fish_seen_subcommand_from %s'\n",
               command->verb == NULL ? command->noun : command->verb);
    if (command->operands[0].words != NULL) {
        printf("complete -c tocsin -n '__fish_seen_subcommand_from %s' -a '", command->noun);
        write_words(command->operands[0].words);
        puts("'");
    }
}

static void write_fish(void)
{
    puts("complete -c tocsin -f");
    fputs("complete -c tocsin -n __fish_use_subcommand -a '", stdout);
    write_nouns();
    puts("'");
    for (size_t i = 0; i < command_count; i++)
        write_fish_command(&commands[i]);
    for (option_id_t id = 0; id < OPTION_ROWS; id++)
        if (option_in(OPTIONS_OF_ALL, id))
            write_fish_option(id, NULL);
}

int completion_run(const call_t *call)
{
    static const struct {
        const char *shell;
        void (*write)(void);
    } writers[] = {{"bash", write_bash}, {"zsh", write_zsh}, {"fish", write_fish}};
    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++)
        if (strcmp(writers[i].shell, call->operands[0]) == 0)
            writers[i].write();
    return 0;
}
