#include "proto/must.h"
#include "proto/pack.h"
#include "proto/schema.h"
#include "tests/check.h"

#include <stdlib.h>

static const limits_t limits = {4u << 20, 65536, 8, 200, 32, 128, 1024, 16384, 255};

static policy_t sample_policy(void)
{
    static const text_t channels[] = {{"ops", 3}, {"dev", 3}};
    policy_t policy;
    schema_defaults(&policy_schema, &policy);
    policy.name = TEXT_OF("high_cpu");
    policy.condition = TEXT_OF("cpu > 80%");
    policy.severity = SEVERITY_HIGH;
    policy.channels = (texts_t){channels, 2};
    policy.for_s = 60;
    policy.summary = TEXT_OF("busy\n");
    return policy;
}

static void test_schema__what_is_written_is_read_back_equal(void **state)
{
    (void)state;
    policy_t policy = sample_policy(), again;
    msgpack_sbuffer packed;
    arena_t arena;
    msgpack_sbuffer_init(&packed);
    arena_init(&arena);
    schema_write(&policy_schema, &policy, false, &packed);
    cursor_t cursor = cursor_over(packed.data, packed.size);
    assert_int_equal(schema_read(&policy_schema, &limits, &cursor, true, &arena, &again, NULL),
                     STATUS_OK);
    assert_true(cursor.at == cursor.end);
    assert_true(schema_equal(&policy_schema, &policy, &again));
    again.for_s = 61;
    assert_false(schema_equal(&policy_schema, &policy, &again));
    msgpack_sbuffer_destroy(&packed);
    arena_free(&arena);
}

static void test_schema__a_copy_shares_nothing_with_what_it_was_made_of(void **state)
{
    (void)state;
    char *name = memory_copy("first", 5);
    arena_t arena;
    arena_init(&arena);
    procedure_t steps = {.procedure = TEXT_OF("look")};
    text_t step = {name, 5};
    steps.steps = (texts_t){&step, 1};
    runbook_t runbook = {
        .name = {name, 5}, .description = TEXT_OF("d"), .steps = &steps, .steps_count = 1};
    const runbook_t *copy = schema_copy(&runbook_schema, &runbook, &arena);
    memset(name, 'x', 5);
    assert_text(copy->name, "first");
    assert_text(copy->steps[0].steps.items[0], "first");
    free(name);
    arena_free(&arena);
}

static void test_schema__what_only_the_store_sees_is_not_written_for_others(void **state)
{
    (void)state;
    policy_t policy = sample_policy();
    msgpack_sbuffer shown, stored;
    msgpack_sbuffer_init(&shown);
    msgpack_sbuffer_init(&stored);
    schema_write(&policy_schema, &policy, false, &shown);
    schema_write(&policy_schema, &policy, true, &stored);
    assert_null(memmem(shown.data, shown.size, "from_file", 9));
    assert_non_null(memmem(stored.data, stored.size, "from_file", 9));
    msgpack_sbuffer_destroy(&shown);
    msgpack_sbuffer_destroy(&stored);
}

static void test_schema__what_is_only_told_is_stepped_over_when_read(void **state)
{
    (void)state;
    policy_t policy = sample_policy(), again;
    msgpack_sbuffer packed;
    arena_t arena;
    msgpack_sbuffer_init(&packed);
    arena_init(&arena);
    policy.error = TEXT_OF("many to many");
    schema_write(&policy_schema, &policy, false, &packed);
    assert_non_null(memmem(packed.data, packed.size, "many to many", 12));
    cursor_t cursor = cursor_over(packed.data, packed.size);
    assert_int_equal(schema_read(&policy_schema, &limits, &cursor, true, &arena, &again, NULL),
                     STATUS_OK);
    assert_null(again.error.data);
    msgpack_sbuffer_destroy(&packed);
    arena_free(&arena);
}

typedef struct {
    size_t count;
    char last[200];
} heard_t;

static void hear(void *context, const schema_error_t *said)
{
    heard_t *heard = context;
    heard->count++;
    memcpy(heard->last, said->message, sizeof heard->last);
}

static void test_schema__every_error_is_said_and_the_first_reason_is_answered(void **state)
{
    (void)state;
    msgpack_sbuffer packed;
    arena_t arena;
    policy_t policy;
    heard_t heard = {0};
    msgpack_sbuffer_init(&packed);
    arena_init(&arena);
    pack_map(&packed, 3);
    pack_string(&packed, "name");
    pack_uint(&packed, 1);
    pack_string(&packed, "severity");
    pack_string(&packed, "loud");
    pack_string(&packed, "mistyped");
    pack_nil(&packed);
    cursor_t cursor = cursor_over(packed.data, packed.size);
    schema_listener_t listener = {hear, &heard};
    assert_int_equal(
        schema_read(&policy_schema, &limits, &cursor, true, &arena, &policy, &listener),
        STATUS_MISSING_FIELD);
    assert_int_equal(heard.count,
                     5); /* name, severity, mistyped, and condition and channels are missing */
    msgpack_sbuffer_destroy(&packed);
    arena_free(&arena);
}

static void test_schema__both_ends_of_an_open_range_are_refused(void **state)
{
    (void)state;
    static const double targets[] = {0, 100, 50, 99.999};
    static const status_t expected[] = {STATUS_BAD_VALUE, STATUS_BAD_VALUE, STATUS_OK, STATUS_OK};
    for (size_t i = 0; i < 4; i++) {
        msgpack_sbuffer packed;
        arena_t arena;
        slo_t slo;
        msgpack_sbuffer_init(&packed);
        arena_init(&arena);
        pack_map(&packed, 2);
        pack_string(&packed, "name");
        pack_string(&packed, "s");
        pack_string(&packed, "target_percent");
        pack_number(&packed, targets[i]);
        cursor_t cursor = cursor_over(packed.data, packed.size);
        assert_int_equal(schema_read(&slo_schema, &limits, &cursor, false, &arena, &slo, NULL),
                         expected[i]);
        msgpack_sbuffer_destroy(&packed);
        arena_free(&arena);
    }
}

static void test_schema__nil_stands_for_what_is_not_known(void **state)
{
    (void)state;
    dependency_view_t view = {.name = TEXT_OF("pg"), .error_ratio = (double)NAN};
    msgpack_sbuffer packed;
    msgpack_sbuffer_init(&packed);
    schema_write(&dependency_schema, &view, false, &packed);
    const char *ratio = memmem(packed.data, packed.size, "error_ratio", 11);
    const char *breaker = memmem(packed.data, packed.size, "breaker", 7);
    assert_int_equal((unsigned char)ratio[11], 0xc0);
    assert_int_equal((unsigned char)breaker[7], 0xc0);
    msgpack_sbuffer_destroy(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema__what_is_written_is_read_back_equal),
        cmocka_unit_test(test_schema__a_copy_shares_nothing_with_what_it_was_made_of),
        cmocka_unit_test(test_schema__what_is_only_told_is_stepped_over_when_read),
        cmocka_unit_test(test_schema__what_only_the_store_sees_is_not_written_for_others),
        cmocka_unit_test(test_schema__every_error_is_said_and_the_first_reason_is_answered),
        cmocka_unit_test(test_schema__both_ends_of_an_open_range_are_refused),
        cmocka_unit_test(test_schema__nil_stands_for_what_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
