#include "clients/libtocsin/lane.h"

#include "proto/cursor.h"
#include "tests/check.h"

#include <string.h>

static lane_t lane;

static int tear_down(void **state)
{
    (void)state;
    lane_free(&lane);
    return 0;
}

static void init(size_t batch_events, size_t capacity_bytes, tocsin_full_t when_full)
{
    lane_init(&lane, &(lane_rules_t){batch_events, capacity_bytes, when_full});
}

/*  An event of one text of `size` bytes. */
static tocsin_status_t put(char letter, size_t size)
{
    static char text[BATCH_BYTES_MAX + 1];
    size_t start;
    buffer_t *out = lane_begin(&lane, 1.0, &start);
    memset(text, letter, size);
    buffer_span(out, text, size);
    return lane_end(&lane, start);
}

/*  The first letters of the events of the next batch, in `letters`; false if none waits. */
static bool take(char letters[64])
{
    batch_t *batch = lane_take(&lane);
    if (batch == NULL)
        return false;
    assert_int_equal(cursor_check(batch->frame.data, batch->frame.size, 8), STATUS_OK);
    cursor_t cursor = cursor_over(batch->frame.data, batch->frame.size);
    value_t head, text;
    assert_true(cursor_read(&cursor, &head));
    for (uint32_t i = 0; i < head.as.count; i++) {
        assert_true(cursor_read(&cursor, &text));
        letters[i] = text.as.text.data[0];
    }
    letters[head.as.count] = '\0';
    lane_sent(&lane, batch->frame.size);
    batch_destroy(&batch);
    return true;
}

static void test_lane__a_batch_is_closed_when_it_has_its_events(void **state)
{
    (void)state;
    char letters[64];
    init(3, 1000, TOCSIN_DROP_NEWEST);
    for (char letter = 'a'; letter <= 'g'; letter++)
        assert_int_equal(put(letter, 1), TOCSIN_OK);
    assert_true(take(letters));
    assert_string_equal(letters, "abc");
    assert_true(take(letters));
    assert_string_equal(letters, "def");
    assert_false(take(letters));
    assert_false(lane_is_empty(&lane));
    assert_true(lane_close(&lane));
    assert_true(take(letters));
    assert_string_equal(letters, "g");
    assert_true(lane_is_empty(&lane));
}

static void test_lane__a_batch_is_closed_when_it_is_large(void **state)
{
    (void)state;
    char letters[64];
    init(BATCH_EVENTS_MAX, 4 * BATCH_BYTES_MAX, TOCSIN_DROP_NEWEST);
    put('a', 10);
    assert_false(take(letters));
    put('b', BATCH_BYTES_MAX);
    assert_true(take(letters));
    assert_string_equal(letters, "ab");
}

static void test_lane__nothing_open_closes_nothing(void **state)
{
    (void)state;
    init(3, 1000, TOCSIN_DROP_NEWEST);
    assert_true(lane_close(&lane));
    assert_null(lane_take(&lane));
    assert_true(lane_is_empty(&lane));
}

static void test_lane__the_newest_is_dropped_when_that_is_the_rule(void **state)
{
    (void)state;
    char letters[64];
    init(1, 100, TOCSIN_DROP_NEWEST);
    assert_int_equal(put('a', 40), TOCSIN_OK);
    assert_int_equal(put('b', 40), TOCSIN_OK);
    assert_int_equal(put('c', 40), TOCSIN_DROPPED);
    assert_int_equal(lane.dropped, 1);
    assert_true(take(letters));
    assert_string_equal(letters, "a");
    assert_int_equal(put('d', 40), TOCSIN_OK);
    assert_true(take(letters));
    assert_string_equal(letters, "b");
    assert_true(take(letters));
    assert_string_equal(letters, "d");
}

static void test_lane__the_oldest_batch_is_dropped_when_that_is_the_rule(void **state)
{
    (void)state;
    char letters[64];
    init(2, 200, TOCSIN_DROP_OLDEST);
    for (char letter = 'a'; letter <= 'e'; letter++)
        assert_int_equal(put(letter, 40), TOCSIN_OK);
    assert_int_equal(lane.dropped, 2);
    assert_true(take(letters));
    assert_string_equal(letters, "cd");
}

static void test_lane__an_event_larger_than_the_queue_is_dropped_by_either_rule(void **state)
{
    (void)state;
    for (int rule = TOCSIN_DROP_NEWEST; rule <= TOCSIN_DROP_OLDEST; rule++) {
        init(1, 100, (tocsin_full_t)rule);
        assert_int_equal(put('a', 200), TOCSIN_DROPPED);
        assert_int_equal(lane.dropped, 1);
        assert_true(lane_is_empty(&lane));
        lane_free(&lane);
    }
}

static void test_lane__a_dropped_event_leaves_its_batch_whole(void **state)
{
    (void)state;
    char letters[64];
    init(3, 100, TOCSIN_DROP_NEWEST);
    assert_int_equal(put('a', 40), TOCSIN_OK);
    assert_int_equal(put('b', 90), TOCSIN_DROPPED);
    assert_int_equal(put('c', 40), TOCSIN_OK);
    assert_true(lane_close(&lane));
    assert_true(take(letters));
    assert_string_equal(letters, "ac");
}

static void test_lane__a_batch_in_hand_counts_until_it_is_sent(void **state)
{
    (void)state;
    init(1, 100, TOCSIN_DROP_OLDEST);
    assert_int_equal(put('a', 80), TOCSIN_OK);
    batch_t *in_hand = lane_take(&lane);
    assert_int_equal(put('b', 80), TOCSIN_DROPPED);
    lane_sent(&lane, in_hand->frame.size);
    batch_destroy(&in_hand);
    assert_int_equal(put('c', 80), TOCSIN_OK);
}

static void test_lane__a_batch_made_elsewhere_counts_for_the_calls_it_stands_for(void **state)
{
    (void)state;
    init(1, 100, TOCSIN_DROP_NEWEST);
    buffer_t frame = {0};
    buffer_batch_head(&frame);
    buffer_span(&frame, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 60);
    batch_t *batch = batch_new(&frame, 1, 17);
    assert_non_null(batch);
    assert_int_equal(put('a', 60), TOCSIN_OK);
    assert_int_equal(lane_add(&lane, &batch), TOCSIN_DROPPED);
    assert_null(batch);
    assert_int_equal(lane.dropped, 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_lane__a_batch_is_closed_when_it_has_its_events, tear_down),
        cmocka_unit_test_teardown(test_lane__a_batch_is_closed_when_it_is_large, tear_down),
        cmocka_unit_test_teardown(test_lane__nothing_open_closes_nothing, tear_down),
        cmocka_unit_test_teardown(test_lane__the_newest_is_dropped_when_that_is_the_rule,
                                  tear_down),
        cmocka_unit_test_teardown(test_lane__the_oldest_batch_is_dropped_when_that_is_the_rule,
                                  tear_down),
        cmocka_unit_test_teardown(
            test_lane__an_event_larger_than_the_queue_is_dropped_by_either_rule, tear_down),
        cmocka_unit_test_teardown(test_lane__a_dropped_event_leaves_its_batch_whole, tear_down),
        cmocka_unit_test_teardown(test_lane__a_batch_in_hand_counts_until_it_is_sent, tear_down),
        cmocka_unit_test_teardown(
            test_lane__a_batch_made_elsewhere_counts_for_the_calls_it_stands_for, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
