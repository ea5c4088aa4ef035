/*  Every cell of role x command x own/other, against a table written down here a second time. */
#include "broker/access.h"
#include "tests/check.h"

#include "proto/pack.h"

#include <stdio.h>
#include <string.h>

/* What a role may do with a command: never, with what is its own, always. */
enum { N, O, A };

typedef struct {
    const char *command;
    int producer, subscriber, operator, admin;
} row_t;

static const row_t rows[] = {
    {"system.ping", A, A, A, A},
    {"system.status", N, N, A, A},
    {"system.reload", N, N, N, A},
    {"system.snapshot", N, N, N, A},
    {"events.heads", N, A, A, A},
    {"events.since", N, O, O, A},
    {"metrics.get", N, O, O, A},
    {"metrics.list", N, O, O, A},
    {"anomaly.get", N, O, O, A},
    {"anomaly.check", N, O, O, A},
    {"anomaly.list", N, O, O, A},
    {"profile.get", N, O, O, A},
    {"profile.list", N, O, O, A},
    {"dependency.get", N, O, O, A},
    {"dependency.list", N, O, O, A},
    {"slo.get", N, O, O, A},
    {"slo.list", N, O, O, A},
    {"slo.put", N, N, A, A},
    {"slo.delete", N, N, A, A},
    {"incident.open", O, N, A, A},
    {"incident.get", N, O, O, A},
    {"incident.list", N, O, O, A},
    {"incident.update", N, N, A, A},
    {"incident.note", A, N, A, A},
    {"incident.resolve", N, N, A, A},
    {"incident.close", N, N, A, A},
    {"policy.put", N, N, A, A},
    {"policy.get", N, O, O, A},
    {"policy.list", N, O, O, A},
    {"policy.delete", N, N, A, A},
    {"policy.enable", N, N, A, A},
    {"policy.disable", N, N, A, A},
    {"policy.test", N, O, O, A},
    {"alert.fire", N, N, A, A},
    {"alert.get", N, O, O, A},
    {"alert.list", N, O, O, A},
    {"alert.history", N, O, O, A},
    {"alert.ack", N, N, A, A},
    {"alert.resolve", N, N, A, A},
    {"runbook.put", N, N, A, A},
    {"runbook.get", N, O, O, A},
    {"runbook.list", N, O, O, A},
    {"runbook.delete", N, N, A, A},
    {"runbook.start", N, N, A, A},
    {"runbook.tick", N, N, A, A},
    {"silence.put", N, N, A, A},
    {"silence.list", N, O, O, A},
    {"silence.delete", N, N, A, A},
    {"channel.list", N, O, O, A},
    {"channel.test", N, N, A, A},
    {"channel.dead_letters", N, O, O, A},
    {"relay.status", N, O, O, A},
    {"relay.tail", N, O, O, A},
    {"relay.dead", N, O, O, A},
    {"channel.resend", N, N, A, A},
    {"audit.list", N, O, O, A},
    {"ops.metrics", N, O, O, A},
};

/*  A command that the table here does not know must be the administrator's alone. */
static row_t row_of(const char *command)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].command, command) == 0)
            return rows[i];
    return (row_t){command, N, N, N, A};
}

static int right_of(const row_t *row, role_t role)
{
    const int rights[ROLE_COUNT] = {row->producer, row->subscriber, row->operator, row->admin };
    return rights[role];
}

/* -- commands, each made once about what is the key's own and once about what is not -- */

static arena_t arena;

/*  Every required key of any command, and every key that can name what it is about. */
static command_t make(const char *name, const char *about)
{
    msgpack_sbuffer map;
    command_t command;
    schema_error_t error;
    msgpack_sbuffer_init(&map);
    pack_map(&map, 27);
    const char *const same[] = {"name", "operation", "prefix", "key", "policy"};
    for (size_t i = 0; i < 5; i++) {
        pack_string(&map, same[i]);
        pack_string(&map, about);
    }
    const char *const words[][2] = {
        {"do", name},       {"title", "t"},  {"severity", "low"},    {"incident", "INC-1"},
        {"alert", "ALT-1"}, {"text", "t"},   {"condition", "a > 1"}, {"description", "d"},
        {"procedure", "p"}, {"step", "s"},   {"outcome", "o"},       {"family", "alert"},
        {"by", "b"},        {"reason", "r"}, {"silence", "SIL-1"}};
    for (size_t i = 0; i < 15; i++) {
        pack_string(&map, words[i][0]);
        pack_string(&map, words[i][1]);
    }
    const char *const lists[] = {"channels", "procedures"};
    for (size_t i = 0; i < 2; i++) {
        pack_string(&map, lists[i]);
        pack_array(&map, 0);
    }
    pack_string(&map, "systems");
    pack_array(&map, 2);
    pack_string(&map, about);
    pack_string(&map, about);
    pack_string(&map, "steps");
    pack_map(&map, 0);
    const char *const numbers[] = {"target_percent", "value", "seq"};
    for (size_t i = 0; i < 3; i++) {
        pack_string(&map, numbers[i]);
        pack_int(&map, 99);
    }
    text_t text = arena_copy(&arena, (text_t){map.data, map.size});
    msgpack_sbuffer_destroy(&map);
    status_t status = command_read(&LIMITS_DEFAULT, text, false, &arena, &command, &error);
    if (status != STATUS_OK)
        fail_msg("%s: %s", name, error.message);
    return command;
}

static access_key_t key_of(role_t role, texts_t prefixes)
{
    return (access_key_t){.name = TEXT_OF("k"), .role = role, .write = prefixes, .read = prefixes};
}

/*  The prefixes under which a command's own subject lies: its family and the name `own`. */
static bool permitted(const char *command, role_t role, bool own)
{
    char family[64];
    snprintf(family, sizeof family, "%.*sown", (int)(strcspn(command, ".") + 1), command);
    /* what has no name of its own is about its whole family; replay is about the family asked for
     */
    if (strcmp(command, "metrics.list") != 0 && strstr(command, ".get") == NULL &&
        strcmp(command, "anomaly.check") != 0)
        family[strcspn(command, ".") + 1] = '\0';
    if (strncmp(command, "incident.", 9) == 0 || strcmp(command, "alert.get") == 0)
        family[strcspn(command, ".") + 1] = '\0';
    if (strcmp(command, "events.since") == 0)
        snprintf(family, sizeof family, "alert.");
    const text_t prefixes[] = {text_of(family), TEXT_OF("own")};
    const text_t strange[] = {TEXT_OF("stranger."), TEXT_OF("own_but_longer")};
    access_key_t key = key_of(role, (texts_t){own ? prefixes : strange, 2});
    command_t about = make(command, "own_thing");
    return access_permits_command(&key, &about);
}

static void test_access__each_command_is_for_each_role_as_the_table_says(void **state)
{
    (void)state;
    size_t known = 0;
    for (do_t which = 0; which < DO_COUNT; which++) {
        const char *name = command_spec(which)->name;
        row_t row = row_of(name);
        known += row.admin == A;
        for (role_t role = 0; role < ROLE_COUNT; role++) {
            int right = right_of(&row, role);
            if (permitted(name, role, true) != (right != N))
                fail_msg("%s as %s about its own: expected %d", name, role_words[role], right);
            if (permitted(name, role, false) != (right == A))
                fail_msg("%s as %s about another's: expected %d", name, role_words[role], right);
        }
        arena_reset(&arena);
    }
    assert_int_equal(known, DO_COUNT);
}

static void test_access__nobody_may_do_nothing(void **state)
{
    (void)state;
    for (do_t which = 0; which < DO_COUNT; which++) {
        command_t command = make(command_spec(which)->name, "own_thing");
        assert_false(access_permits_command(NULL, &command));
        arena_reset(&arena);
    }
    for (action_t action = 0; action < ACTION_COUNT; action++)
        assert_false(access_permits(NULL, action, TEXT_OF("x")));
}

static void test_access__a_key_without_prefixes_owns_nothing(void **state)
{
    (void)state;
    access_key_t producer = key_of(ROLE_PRODUCER, (texts_t){NULL, 0});
    access_key_t reader = key_of(ROLE_SUBSCRIBER, (texts_t){NULL, 0});
    assert_false(access_permits(&producer, ACTION_PUSH, TEXT_OF("orders_total")));
    assert_false(access_permits(&reader, ACTION_READ, TEXT_OF("alert.low.p")));
}

static void test_access__only_producers_push_and_only_their_own_names(void **state)
{
    (void)state;
    const text_t prefixes[] = {TEXT_OF("orders_")};
    for (role_t role = 0; role < ROLE_COUNT; role++) {
        access_key_t key = key_of(role, (texts_t){prefixes, 1});
        assert_int_equal(access_permits(&key, ACTION_PUSH, TEXT_OF("orders_total")),
                         role == ROLE_PRODUCER);
        assert_false(access_permits(&key, ACTION_PUSH, TEXT_OF("order")));
        assert_false(access_permits(&key, ACTION_PUSH, TEXT_OF("payments_total")));
    }
}

static void test_access__an_incident_is_ones_own_when_all_it_names_is(void **state)
{
    (void)state;
    const text_t prefixes[] = {TEXT_OF("orders")};
    const text_t mixed[] = {TEXT_OF("orders-db"), TEXT_OF("payments")};
    access_key_t key = key_of(ROLE_PRODUCER, (texts_t){prefixes, 1});
    assert_true(access_permits_incident(&key, (texts_t){mixed, 1}, TEXT_NONE));
    assert_false(access_permits_incident(&key, (texts_t){mixed, 2}, TEXT_NONE));
    assert_true(access_permits_incident(&key, (texts_t){NULL, 0}, TEXT_OF("orders-key")));
    assert_true(access_permits_incident(&key, (texts_t){mixed, 1}, TEXT_OF("orders-key")));
    assert_false(access_permits_incident(&key, (texts_t){mixed, 1}, TEXT_OF("another")));
    assert_false(access_permits_incident(&key, (texts_t){NULL, 0}, TEXT_NONE));
}

/* -- topics -- */

static char served[256];

static void take_topic(void *context, text_t topic)
{
    (void)context;
    size_t length = strlen(served);
    snprintf(served + length, sizeof served - length, "[%.*s]", (int)topic.size, topic.data);
}

static const char *topics(role_t role, const char *wish)
{
    const text_t prefixes[] = {TEXT_OF("alert.critical."), TEXT_OF("slo.api"),
                               TEXT_OF("alert.high.")};
    access_key_t key = key_of(role, (texts_t){prefixes, 3});
    served[0] = '\0';
    size_t count = access_topics(&key, text_of(wish), take_topic, NULL);
    size_t brackets = 0;
    for (const char *c = served; *c != '\0'; c++)
        brackets += *c == '[';
    assert_int_equal(count, brackets);
    return served;
}

static void test_access__of_a_wish_the_permitted_part_is_served(void **state)
{
    (void)state;
    for (role_t role = ROLE_SUBSCRIBER; role <= ROLE_OPERATOR; role++) {
        assert_string_equal(topics(role, "alert.critical.cpu"), "[alert.critical.cpu]");
        assert_string_equal(topics(role, "alert."), "[alert.critical.][alert.high.]");
        assert_string_equal(topics(role, ""), "[alert.critical.][slo.api][alert.high.]");
        assert_string_equal(topics(role, "alert.low."), "");
        assert_string_equal(topics(role, "incident."), "");
        assert_string_equal(topics(role, "heartbeat"), "[heartbeat]");
    }
    assert_string_equal(topics(ROLE_ADMIN, "incident."), "[incident.]");
    assert_string_equal(topics(ROLE_ADMIN, ""), "[]");
    assert_string_equal(topics(ROLE_PRODUCER, "alert.critical."), "");
    assert_string_equal(topics(ROLE_PRODUCER, "heartbeat"), "");
    assert_int_equal(access_topics(NULL, TEXT_OF("heartbeat"), take_topic, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_access__each_command_is_for_each_role_as_the_table_says),
        cmocka_unit_test(test_access__nobody_may_do_nothing),
        cmocka_unit_test(test_access__a_key_without_prefixes_owns_nothing),
        cmocka_unit_test(test_access__only_producers_push_and_only_their_own_names),
        cmocka_unit_test(test_access__an_incident_is_ones_own_when_all_it_names_is),
        cmocka_unit_test(test_access__of_a_wish_the_permitted_part_is_served),
    };
    arena_init(&arena);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
