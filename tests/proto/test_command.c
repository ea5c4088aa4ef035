#include "proto/command.h"
#include "proto/pack.h"
#include "tests/check.h"

static arena_t arena;
static command_t command;
static schema_error_t error;

/*  A message built from JSON-like text would hide what is on the wire: each test packs its own. */
static text_t message_of(msgpack_sbuffer *out)
{
    return (text_t){out->data, out->size};
}

static status_t read_packed(msgpack_sbuffer *out, bool unanswered)
{
    limits_t limits = LIMITS_DEFAULT;
    arena_reset(&arena);
    assert_int_equal(cursor_check(out->data, out->size, limits.depth), STATUS_OK);
    return command_read(&limits, message_of(out), unanswered, &arena, &command, &error);
}

static void pair(msgpack_sbuffer *out, const char *key, const char *value)
{
    pack_string(out, key);
    pack_string(out, value);
}

static msgpack_sbuffer packed;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    msgpack_sbuffer_init(&packed);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    msgpack_sbuffer_destroy(&packed);
    return 0;
}

static void test_command__what_is_asked_is_read_into_its_struct(void **state)
{
    (void)state;
    pack_map(&packed, 6);
    pair(&packed, "do", "incident.open");
    pair(&packed, "title", "disk full");
    pair(&packed, "severity", "high");
    pack_string(&packed, "id");
    pack_uint(&packed, 7);
    pair(&packed, "once", "a");
    pack_string(&packed, "systems");
    pack_array(&packed, 2);
    pack_string(&packed, "db");
    pack_string(&packed, "web");
    assert_int_equal(read_packed(&packed, false), STATUS_OK);
    const incident_open_t *open = command.arguments;
    assert_int_equal(command.which, DO_INCIDENT_OPEN);
    assert_text(open->title, "disk full");
    assert_int_equal(open->severity, SEVERITY_HIGH);
    assert_int_equal(open->systems.count, 2);
    assert_text(open->systems.items[1], "web");
    assert_text(command.once, "a");
    assert_text(command.id, "\x07");
    assert_null(open->key.data);
}

static void
test_command__a_map_without_do_is_an_incident_only_where_nobody_is_answered(void **state)
{
    (void)state;
    pack_map(&packed, 2);
    pair(&packed, "title", "a");
    pair(&packed, "severity", "low");
    assert_int_equal(read_packed(&packed, true), STATUS_OK);
    assert_int_equal(command.which, DO_INCIDENT_OPEN);
    assert_int_equal(read_packed(&packed, false), STATUS_MISSING_FIELD);
}

static void test_command__a_nil_do_is_as_if_absent(void **state)
{
    (void)state;
    pack_map(&packed, 3);
    pair(&packed, "title", "a");
    pair(&packed, "severity", "low");
    pack_string(&packed, "do");
    pack_nil(&packed);
    assert_int_equal(read_packed(&packed, true), STATUS_OK);
    assert_int_equal(command.which, DO_INCIDENT_OPEN);
    assert_int_equal(read_packed(&packed, false), STATUS_WRONG_TYPE);
}

static void
test_command__questions_of_the_other_wing_are_unknown_where_nobody_is_answered(void **state)
{
    (void)state;
    pack_map(&packed, 2);
    pair(&packed, "do", "metrics.get");
    pair(&packed, "name", "m");
    assert_int_equal(read_packed(&packed, false), STATUS_OK);
    assert_int_equal(read_packed(&packed, true), STATUS_UNKNOWN_COMMAND);
}

static void
test_command__of_several_reasons_the_first_in_the_order_of_the_contract_is_answered(void **state)
{
    (void)state;
    /* severity is out of its words (bad_value), by is a number (wrong_type), title is missing */
    pack_map(&packed, 3);
    pair(&packed, "do", "incident.open");
    pair(&packed, "severity", "loud");
    pack_string(&packed, "by");
    pack_uint(&packed, 1);
    assert_int_equal(read_packed(&packed, false), STATUS_MISSING_FIELD);
    assert_string_equal(error.message, "title: is required");
}

static void
test_command__nil_is_absent_for_what_is_optional_and_wrong_for_what_is_required(void **state)
{
    (void)state;
    pack_map(&packed, 4);
    pair(&packed, "do", "incident.open");
    pair(&packed, "severity", "low");
    pack_string(&packed, "title");
    pack_nil(&packed);
    pack_string(&packed, "key");
    pack_nil(&packed);
    assert_int_equal(read_packed(&packed, false), STATUS_WRONG_TYPE);
}

static void test_command__a_key_that_stands_twice_is_refused(void **state)
{
    (void)state;
    pack_map(&packed, 3);
    pair(&packed, "do", "system.ping");
    pair(&packed, "id", "1");
    pair(&packed, "id", "2");
    assert_int_equal(read_packed(&packed, false), STATUS_DUPLICATE_KEY);
}

static void test_command__durations_are_seconds_or_text(void **state)
{
    (void)state;
    pack_map(&packed, 5);
    pair(&packed, "do", "slo.put");
    pair(&packed, "name", "s");
    pack_string(&packed, "target_percent");
    pack_uint(&packed, 99);
    pair(&packed, "window", "5m");
    pair(&packed, "latency", "250ms");
    assert_int_equal(read_packed(&packed, false), STATUS_OK);
    const slo_t *slo = command.arguments;
    assert_double(slo->window, 300, 0);
    assert_double(slo->latency, 0.25, 1e-12);
    assert_double(slo->period, 2592000, 0);
    assert_int_equal(slo->min_events, 10);
}

static void test_command__an_id_that_names_nothing_is_no_error_of_form(void **state)
{
    (void)state;
    pack_map(&packed, 2);
    pair(&packed, "do", "incident.get");
    pair(&packed, "incident", "INC-x");
    assert_int_equal(read_packed(&packed, false), STATUS_OK);
    assert_true(((const incident_change_t *)command.arguments)->incident == UINT64_MAX);
}

static void test_command__every_command_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (do_t one = 0; one < DO_COUNT; one++) {
        assert_non_null(command_spec(one)->name);
        for (do_t other = 0; other < one; other++)
            assert_string_not_equal(command_spec(one)->name, command_spec(other)->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_command__what_is_asked_is_read_into_its_struct, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_command__a_map_without_do_is_an_incident_only_where_nobody_is_answered, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(test_command__a_nil_do_is_as_if_absent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_command__questions_of_the_other_wing_are_unknown_where_nobody_is_answered, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            test_command__of_several_reasons_the_first_in_the_order_of_the_contract_is_answered,
            set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_command__nil_is_absent_for_what_is_optional_and_wrong_for_what_is_required, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(test_command__a_key_that_stands_twice_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_command__durations_are_seconds_or_text, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_command__an_id_that_names_nothing_is_no_error_of_form,
                                        set_up, tear_down),
        cmocka_unit_test(test_command__every_command_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
