#include "clients/tocsin/call.h"
#include "tests/check.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define WORDS_MAX 16

static call_t call;
static char *said; /* what was written to the error stream */

/*  Read a command line whose words are separated by '|'. */
static int read_line(const char *line)
{
    static char copy[512];
    char *words[WORDS_MAX];
    int count = 0;
    size_t size;
    call_free(&call);
    free(said);
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, "|"); word != NULL; word = strtok(NULL, "|"))
        words[count++] = word;
    FILE *errors = open_memstream(&said, &size);
    int status = call_read(&call, count, words, errors);
    fclose(errors);
    return status;
}

static void assert_refused(const char *line, const char *words)
{
    assert_int_equal(read_line(line), EX_USAGE);
    if (strstr(said, words) == NULL)
        fail_msg("%s: expected \"%s\" in \"%s\"", line, words, said);
    assert_int_equal(strchr(said, '\n') - said + 1, strlen(said));
}

static int tidy(void **state)
{
    (void)state;
    call_free(&call);
    free(said);
    said = NULL;
    return 0;
}

static void test_call__options_stand_anywhere(void **state)
{
    (void)state;
    const char *const lines[] = {"-o|json|incident|open|disk full|--severity|high",
                                 "incident|--severity|high|open|-o|json|disk full",
                                 "incident|open|disk full|--severity=high|-ojson"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(read_line(lines[i]), 0);
        assert_string_equal(call.command->asks, "incident.open");
        assert_int_equal(call.operand_count, 1);
        assert_string_equal(call.operands[0], "disk full");
        assert_string_equal(call_text(&call, OPT_SEVERITY), "high");
        assert_string_equal(call_text(&call, OPT_OUTPUT), "json");
    }
}

static void test_call__the_same_name_is_the_option_of_its_command(void **state)
{
    (void)state;
    assert_int_equal(read_line("--since|7|events|tail"), 0);
    assert_int_equal(call_count(&call, OPT_SEQ, 0), 7);
    assert_false(call_has(&call, OPT_SINCE));
    assert_int_equal(read_line("--since|2h|incident|list|--status|open"), 0);
    assert_true(call_has(&call, OPT_SINCE));
    assert_string_equal(call_text(&call, OPT_INCIDENT_STATUS), "open");
    assert_refused("incident|update|INC-1|--status|open", "--status open: expected");
    assert_refused("--since|2h|events|tail", "--since 2h: expected a whole number");
}

static void test_call__a_number_below_zero_is_no_option(void **state)
{
    (void)state;
    assert_int_equal(read_line("send|metric|temperature|-4.5|-k|gauge"), 0);
    assert_string_equal(call.operands[1], "-4.5");
    assert_int_equal(read_line("send|metric|temperature|-.5|-k|gauge"), 0);
}

static void test_call__two_dashes_end_the_options(void **state)
{
    (void)state;
    assert_int_equal(read_line("incident|note|INC-1|--|--by"), 0);
    assert_int_equal(call.operand_count, 2);
    assert_string_equal(call.operands[1], "--by");
}

static void test_call__what_may_be_given_again_is_kept_each_time(void **state)
{
    (void)state;
    size_t at = 0;
    assert_int_equal(read_line("metrics|get|cpu|-l|host=a|--label|zone=b"), 0);
    assert_string_equal(call_next(&call, OPT_LABEL, &at), "host=a");
    assert_string_equal(call_next(&call, OPT_LABEL, &at), "zone=b");
    assert_null(call_next(&call, OPT_LABEL, &at));
}

static void test_call__the_nearest_word_is_suggested(void **state)
{
    (void)state;
    assert_refused("sttus", "did you mean tocsin status?");
    assert_refused("incident|lsit", "did you mean tocsin incident list?");
    assert_refused("dead-letters", "did you mean tocsin channel dead-letters?");
    assert_refused("tail", "tocsin events tail");
    assert_refused("status|--ouptut|json", "did you mean --output?");
    assert_refused("xyzzy", "tocsin --help lists them");
}

static void test_call__each_misuse_is_one_line_that_says_what_is_expected(void **state)
{
    (void)state;
    assert_refused("", "what shall be done?");
    assert_refused("incident", "it is one of: list get open");
    assert_refused("metrics|get", "metrics get needs NAME");
    assert_refused("metrics|get|a|b", "b is one word too many");
    assert_refused("status|--severity|high", "status has no option --severity");
    assert_refused("incident|open|x", "needs --severity SEVERITY");
    assert_refused("incident|open|x|--severity|dire", "expected critical, high, medium or low");
    assert_refused("incident|open|x|--severity", "--severity needs SEVERITY");
    assert_refused("status|--help=yes", "--help takes no value");
    assert_refused("status|-x", "no option -x");
    assert_refused("metrics|get|cpu|-l|host", "--label host: expected NAME=VALUE");
    assert_refused("send|metric|cpu|much|-k|gauge", "much: expected VALUE, a number");
    assert_refused("silence|put|host|--reason|x", "host: expected LABEL=VALUE");
    assert_refused("completion|csh", "expected SHELL");
    assert_refused("silence|put|a=b|--reason|x|--until|2h", "--until 2h: expected");
    assert_refused("status|--timeout|soon", "expected seconds, or a duration");
}

static void test_call__help_needs_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(read_line("--help"), 0);
    assert_null(call.command);
    assert_int_equal(read_line("incident|--help"), 0);
    assert_null(call.command);
    assert_int_equal(read_line("incident|open|-h"), 0);
    assert_string_equal(call.command->verb, "open");
}

static void test_call__an_option_takes_a_value_or_not_whichever_command_it_belongs_to(void **state)
{
    (void)state;
    for (option_id_t a = 0; a < OPTION_ROWS; a++)
        for (option_id_t b = 0; b < OPTION_ROWS; b++)
            if (strcmp(options[a].name, options[b].name) == 0)
                assert_int_equal(options[a].type == OPTION_FLAG, options[b].type == OPTION_FLAG);
}

static void test_call__no_command_has_two_options_of_one_name_or_letter(void **state)
{
    (void)state;
    for (size_t i = 0; i < command_count; i++) {
        option_set_t set = commands[i].options | OPTIONS_OF_ALL;
        assert_int_equal(commands[i].needs & ~commands[i].options, 0);
        for (option_id_t id = 0; id < OPTION_ROWS; id++) {
            const option_t *option = &options[id];
            if (!option_in(set, id))
                continue;
            assert_int_equal(option_named(set, option->name, strlen(option->name)), id);
            if (option->letter != 0)
                assert_int_equal(option_lettered(set, option->letter), id);
        }
    }
}

static void test_call__every_command_is_there_once_and_does_something(void **state)
{
    (void)state;
    for (size_t i = 0; i < command_count; i++) {
        assert_ptr_equal(command_find(commands[i].noun, commands[i].verb), &commands[i]);
        assert_true(commands[i].asks != NULL || commands[i].run != NULL);
        if (commands[i].run == NULL && commands[i].show != SHOW_THING)
            assert_non_null(commands[i].columns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_call__options_stand_anywhere, tidy),
        cmocka_unit_test_teardown(test_call__the_same_name_is_the_option_of_its_command, tidy),
        cmocka_unit_test_teardown(test_call__a_number_below_zero_is_no_option, tidy),
        cmocka_unit_test_teardown(test_call__two_dashes_end_the_options, tidy),
        cmocka_unit_test_teardown(test_call__what_may_be_given_again_is_kept_each_time, tidy),
        cmocka_unit_test_teardown(test_call__the_nearest_word_is_suggested, tidy),
        cmocka_unit_test_teardown(test_call__each_misuse_is_one_line_that_says_what_is_expected,
                                  tidy),
        cmocka_unit_test_teardown(test_call__help_needs_nothing_else, tidy),
        cmocka_unit_test(test_call__an_option_takes_a_value_or_not_whichever_command_it_belongs_to),
        cmocka_unit_test(test_call__no_command_has_two_options_of_one_name_or_letter),
        cmocka_unit_test(test_call__every_command_is_there_once_and_does_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
