#include "broker/producers.h"
#include "proto/must.h"
#include "proto/pack.h"
#include "tests/broker/keys.h"
#include "tests/check.h"

#include <string.h>

static folder_t folder;
static pair_t one, two, reader;
static producers_t *producers;
static observability_stack_t *stack;
static metric_batch_t batch;
static tally_t tally;
static instant_t now;

static void take_nothing(void *context, const finding_t *finding)
{
    (void)context;
    (void)finding;
}

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    one = pair_new();
    two = pair_new();
    reader = pair_new();
    folder_put_key(&folder, "one", &one, "producer", "write: [a_, b_]\n");
    folder_put_key(&folder, "two", &two, "producer", "write: ['*']\n");
    folder_put_key(&folder, "reader", &reader, "subscriber", "write: ['*']\nread: ['*']\n");
    producers = producers_new(access_keys_load(folder.path, 1e9, stderr));
    producers_configure(producers, 100, 10, 100);
    observability_config_t config = observability_config_default();
    stack = observability_stack_new(&config, (finding_sink_t){take_nothing, NULL});
    limits_t limits = LIMITS_DEFAULT;
    metric_batch_init(&batch, &limits);
    tally = (tally_t){0};
    now = (instant_t){.mono_ns = 1000 * NS_PER_S, .wall_s = 1e9};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    metric_batch_free(&batch);
    observability_stack_destroy(&stack);
    producers_destroy(&producers);
    folder_destroy(&folder);
    return 0;
}

/*  Push `count` gauges of that name, each a series of its own from number `first` on. False: the
 *  frame was refused. */
static bool push(const pair_t *who, const char *name, size_t first, size_t count)
{
    msgpack_sbuffer frame;
    msgpack_sbuffer_init(&frame);
    pack_array(&frame, count);
    for (size_t i = 0; i < count; i++) {
        char value[24];
        snprintf(value, sizeof value, "%zu", first + i);
        pack_map(&frame, 4);
        pack_string(&frame, "name");
        pack_string(&frame, name);
        pack_string(&frame, "kind");
        pack_string(&frame, "gauge");
        pack_string(&frame, "value");
        pack_int(&frame, 1);
        pack_string(&frame, "labels");
        pack_map(&frame, 1);
        pack_string(&frame, "n");
        pack_string(&frame, value);
    }
    bool admitted = producers_admit(producers, who->public_key, now, &tally);
    if (admitted) {
        batch.count = 0;
        assert_int_equal(decode_metrics(&LIMITS_DEFAULT, frame.data, frame.size, &batch, &tally),
                         STATUS_OK);
        producers_sift_metrics(producers, stack, &batch, &tally);
        uint64_t before = observability_stack_series(stack).count;
        observability_stack_metrics(stack, batch.events, batch.count, now, &tally);
        producers_charge(producers, before, observability_stack_series(stack).count);
    }
    msgpack_sbuffer_destroy(&frame);
    return admitted;
}

static void pass(double seconds)
{
    now.mono_ns += (int64_t)(seconds * (double)NS_PER_S);
    now.wall_s += seconds;
}

static uint64_t series(void)
{
    return observability_stack_series(stack).count;
}

static void test_producers__without_keys_nothing_is_checked(void **state)
{
    (void)state;
    producers_t *open = producers_new(NULL);
    assert_false(producers_are_checked(open));
    assert_true(producers_are_checked(producers));
    producers_destroy(&open);
}

static void test_producers__who_may_not_push_is_refused_by_the_frame(void **state)
{
    (void)state;
    pair_t stranger = pair_new();
    assert_false(push(&stranger, "a_x", 0, 3));
    assert_false(push(&reader, "a_x", 0, 3));
    assert_int_equal(tally.frames, 2);
    assert_int_equal(tally.refused[STATUS_FORBIDDEN], 2);
    assert_int_equal(tally.accepted, 0);
}

static void test_producers__events_of_other_names_are_refused_alone(void **state)
{
    (void)state;
    assert_true(push(&one, "a_x", 0, 2));
    assert_true(push(&one, "c_x", 0, 3));
    assert_true(push(&one, "b_", 0, 1));
    assert_true(push(&one, "a", 0, 1));
    assert_int_equal(tally.accepted, 3);
    assert_int_equal(tally.refused[STATUS_FORBIDDEN], 4);
}

static void test_producers__events_beyond_the_allowance_are_refused_until_it_fills(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++)
        push(&one, "a_x", 0, 10);
    assert_int_equal(tally.accepted, 100);
    assert_int_equal(tally.refused[STATUS_LIMIT], 20);
    pass(0.05);
    push(&one, "a_x", 0, 10);
    assert_int_equal(tally.accepted, 105);
    pass(1000);
    for (int i = 0; i < 12; i++)
        push(&one, "a_x", 0, 10);
    assert_int_equal(tally.accepted, 205);
}

static void test_producers__one_that_is_over_leaves_the_others_theirs(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++)
        push(&one, "a_x", 0, 10);
    uint64_t refused = tally.refused[STATUS_LIMIT];
    assert_true(refused > 0);
    for (int i = 0; i < 10; i++)
        push(&two, "x", 0, 10);
    assert_int_equal(tally.refused[STATUS_LIMIT], refused);
}

static void test_producers__series_beyond_the_allowance_go_to_overflow(void **state)
{
    (void)state;
    uint64_t before = series();
    push(&one, "a_x", 0, 8);
    assert_int_equal(series(), before + 8);
    push(&one, "a_x", 0, 14); /* 8 known, 2 new within the allowance, 4 beyond */
    assert_int_equal(series(), before + 10);
    push(&one, "a_x", 100, 20);
    assert_int_equal(series(), before + 10);
    assert_int_equal(producers_diverted(producers), 24);
    push(&one, "a_x", 0, 10); /* those that are there still take values */
    assert_int_equal(tally.accepted, 52);
    assert_int_equal(tally.refused[STATUS_LIMIT], 0);
}

static void test_producers__one_principal_has_one_allowance_whatever_its_keys(void **state)
{
    (void)state;
    pair_t next = pair_new();
    char text[256];
    snprintf(text, sizeof text, "name: one\nrole: producer\nwrite: [a_]\npublic_key: \"%s\"\n",
             next.public_key);
    folder_write(&folder, "one-2.yaml", text, 0644);
    producers_take_keys(producers, access_keys_load(folder.path, 1e9, stderr));
    for (int i = 0; i < 10; i++)
        push(&one, "a_x", 0, 10);
    push(&next, "a_x", 0, 10);
    assert_int_equal(tally.accepted, 100);
    assert_int_equal(tally.refused[STATUS_LIMIT], 10);
}

static void test_producers__a_key_that_was_taken_away_pushes_nothing(void **state)
{
    (void)state;
    assert_true(push(&one, "a_x", 0, 1));
    folder_remove(&folder, "one.yaml");
    producers_take_keys(producers, access_keys_load(folder.path, 1e9, stderr));
    assert_false(push(&one, "a_x", 0, 1));
    assert_true(push(&two, "a_x", 0, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_producers__without_keys_nothing_is_checked),
        TEST(test_producers__who_may_not_push_is_refused_by_the_frame),
        TEST(test_producers__events_of_other_names_are_refused_alone),
        TEST(test_producers__events_beyond_the_allowance_are_refused_until_it_fills),
        TEST(test_producers__one_that_is_over_leaves_the_others_theirs),
        TEST(test_producers__series_beyond_the_allowance_go_to_overflow),
        TEST(test_producers__one_principal_has_one_allowance_whatever_its_keys),
        TEST(test_producers__a_key_that_was_taken_away_pushes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
