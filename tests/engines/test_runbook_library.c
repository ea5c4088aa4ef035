#include "engines/operations/runbook_library.h"
#include "tests/check.h"

static runbook_library_t library;

static int set_up(void **state)
{
    (void)state;
    runbook_library_init(&library, 2, 7);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    runbook_library_free(&library);
    return 0;
}

static const text_t procedures[] = {{"look", 4}, {"shed", 4}};
static const text_t look[] = {{"top", 3}, {"df -h", 5}};
static const procedure_t steps[] = {{{"look", 4}, {look, 2}}};

static runbook_t runbook_of(const char *name)
{
    return (runbook_t){.name = text_of(name),
                       .description = TEXT_OF("d"),
                       .procedures = {procedures, 2},
                       .steps = steps,
                       .steps_count = 1};
}

static void test_runbook_library__a_runbook_knows_its_steps(void **state)
{
    (void)state;
    runbook_t runbook = runbook_of("cpu");
    const runbook_t *kept = runbook_library_put(&library, &runbook);
    assert_true(runbook_has_step(kept, TEXT_OF("look"), TEXT_OF("df -h")));
    assert_false(runbook_has_step(kept, TEXT_OF("look"), TEXT_OF("reboot")));
    assert_false(runbook_has_step(kept, TEXT_OF("shed"), TEXT_OF("top")));
    assert_false(runbook_has_step(kept, TEXT_OF("none"), TEXT_OF("top")));
}

static void test_runbook_library__steps_of_no_procedure_are_refused(void **state)
{
    (void)state;
    schema_error_t error;
    runbook_t runbook = runbook_of("cpu");
    assert_int_equal(runbook_library_check(&library, &runbook, 0, &error), STATUS_OK);
    runbook.procedures.items++;
    runbook.procedures.count--;
    assert_int_equal(runbook_library_check(&library, &runbook, 0, &error), STATUS_BAD_VALUE);
    assert_string_equal(error.message, "steps: \"look\" is not one of the procedures");
}

static void test_runbook_library__they_are_walked_in_the_order_in_which_they_came(void **state)
{
    (void)state;
    const char *const names[] = {"c", "a", "b"};
    for (int i = 0; i < 3; i++) { /* what is in the store is let in */
        runbook_t runbook = runbook_of(names[i]);
        runbook_library_put(&library, &runbook);
    }
    uint64_t at = 0;
    for (int i = 0; i < 3; i++)
        assert_text(runbook_library_next(&library, &at)->name, names[i]);
    assert_null(runbook_library_next(&library, &at));
    schema_error_t error;
    runbook_t runbook = runbook_of("d");
    assert_int_equal(runbook_library_check(&library, &runbook, 0, &error), STATUS_LIMIT);
    runbook_library_delete(&library, TEXT_OF("a"));
    runbook_library_delete(&library, TEXT_OF("b"));
    assert_int_equal(runbook_library_check(&library, &runbook, 0, &error), STATUS_OK);
    assert_int_equal(runbook_library_check(&library, &runbook, 1, &error), STATUS_LIMIT);
    assert_null(runbook_library_find(&library, TEXT_OF("a")));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test_runbook_library__##test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_runbook_knows_its_steps),
        CASE(steps_of_no_procedure_are_refused),
        CASE(they_are_walked_in_the_order_in_which_they_came),
    };
    return cmocka_run_group_tests_name("runbook_library", tests, NULL, NULL);
}
