#include "engines/window.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

#define EVENTS 400

/* The reference: every event, with the number of the bucket it fell into, in wide numbers. */
__extension__ typedef __int128 wide_t;

typedef struct {
    int64_t at_ns;
    window_counts_t counts;
} event_t;

static int64_t bucket_of(int64_t at_ns, int64_t length_ns)
{
    return (int64_t)((wide_t)at_ns * 60 / length_ns);
}

static window_counts_t reference(const event_t *events, int count, int64_t length_ns, int64_t now)
{
    window_counts_t sum = {0, 0};
    for (int i = 0; i < count; i++) {
        if (bucket_of(now, length_ns) - bucket_of(events[i].at_ns, length_ns) > 60)
            continue;
        sum.good += events[i].counts.good;
        sum.bad += events[i].counts.bad;
    }
    return sum;
}

static int64_t any_length(dice_t *dice)
{
    static const int64_t lengths[] = {60,          61,           3000000000,     7000000001,
                                      60000000000, 300000000000, 259200000000000};
    return lengths[dice_below(dice, sizeof lengths / sizeof *lengths)];
}

/* Stand still, step to just before or onto a boundary, wander, or jump far ahead. */
static int64_t later(dice_t *dice, const window_t *window, int64_t now)
{
    switch (dice_below(dice, 6)) {
    case 0:
        return now;
    case 1:
        return window_boundary(window) - 1 > now ? window_boundary(window) - 1 : now;
    case 2:
        return window_boundary(window);
    case 3:
        return now + (int64_t)dice_below(dice, (uint64_t)window->length_ns / 20 + 1);
    case 4:
        return now + (int64_t)dice_below(dice, (uint64_t)window->length_ns / 200 + 1);
    default:
        return dice_chance(dice, 0.1) ? now + 2 * window->length_ns + 1 : now;
    }
}

static void counts_what_is_in_the_window(dice_t *dice)
{
    static event_t events[EVENTS];
    int64_t now = dice_chance(dice, 0.5) ? 0 : (int64_t)(dice_next(dice) >> 3);
    window_t window;
    window_init(&window, any_length(dice), now);
    for (int i = 0; i < EVENTS; i++) {
        now = later(dice, &window, now);
        window_advance(&window, now);
        assert_true(window_boundary(&window) > now);
        events[i] = (event_t){now, {dice_below(dice, 4), dice_below(dice, 2)}};
        window_add(&window, events[i].counts);
        window_counts_t expected = reference(events, i + 1, window.length_ns, now);
        assert_int_equal(window.total.good, expected.good);
        assert_int_equal(window.total.bad, expected.bad);
    }
}

static void test_window__counts_sixty_buckets_and_the_running_one(void **state)
{
    (void)state;
    seeds_run(counts_what_is_in_the_window);
}

static void test_window__a_bucket_ends_at_its_boundary_to_the_nanosecond(void **state)
{
    (void)state;
    window_t window;
    window_init(&window, INT64_C(60000000000), 0);
    window_add(&window, (window_counts_t){1, 0});
    assert_int_equal(window_boundary(&window), INT64_C(1000000000));
    window_advance(&window, INT64_C(61000000000) - 1);
    assert_int_equal(window.total.good, 1);
    window_advance(&window, INT64_C(61000000000));
    assert_int_equal(window.total.good, 0);
}

static void test_window__a_length_that_sixty_does_not_divide_has_exact_boundaries(void **state)
{
    (void)state; /* sixtieths of 100 ns begin at 0, 2, 4, 5, 7, 9, 10 … */
    window_t window;
    window_init(&window, 100, 0);
    const int64_t begins[] = {2, 4, 5, 7, 9, 10, 12};
    for (int i = 0; i < 7; i++) {
        assert_int_equal(window_boundary(&window), begins[i]);
        window_advance(&window, begins[i]);
        assert_int_equal(window.bucket, i + 1);
    }
}

static void test_window__a_clock_that_stands_or_steps_back_changes_nothing(void **state)
{
    (void)state;
    window_t window;
    window_init(&window, 600, 1000);
    window_add(&window, (window_counts_t){2, 1});
    window_t before = window;
    window_advance(&window, 1000);
    window_advance(&window, 400);
    assert_memory_equal(&window, &before, sizeof window);
}

static void test_window__a_jump_of_an_hour_leaves_nothing_of_a_minute(void **state)
{
    (void)state;
    window_t window;
    window_init(&window, INT64_C(60000000000), 0);
    for (int64_t second = 0; second < 70; second++) {
        window_advance(&window, second * 1000000000);
        window_add(&window, (window_counts_t){1, 1});
    }
    assert_int_equal(window.total.good, 61);
    window_advance(&window, INT64_C(3670000000000));
    assert_int_equal(window.total.good + window.total.bad, 0);
}

/* -- from one process to the next -- */

static window_counts_t sum_of(const window_counts_t *buckets, int64_t from)
{
    window_counts_t sum = {0, 0};
    for (int64_t age = 0; age + from <= WINDOW_FULL_BUCKETS; age++) {
        sum.good += buckets[age].good;
        sum.bad += buckets[age].bad;
    }
    return sum;
}

/* On another clock, at another place in a bucket: every age grows by the same number of buckets,
 * which is the time between to within one. */
static void goes_on_as_after_a_silence(dice_t *dice)
{
    window_t window, next;
    window_counts_t buckets[WINDOW_BUCKETS];
    int64_t length = any_length(dice), now = (int64_t)(dice_next(dice) >> 4);
    window_init(&window, length, now);
    for (int i = 0; i < 100; i++) {
        now += (int64_t)dice_below(dice, (uint64_t)length / 30 + 1);
        window_advance(&window, now);
        window_add(&window, (window_counts_t){dice_below(dice, 9), dice_below(dice, 9)});
    }
    int64_t other = (int64_t)dice_below(dice, (uint64_t)(3 * length));
    int64_t ago = (int64_t)dice_below(dice, (uint64_t)(length + length / 10));
    window_list(&window, buckets);
    window_resume(&next, length, other, ago, buckets);
    int64_t least = (int64_t)((wide_t)ago * 60 / length);
    window_counts_t most = sum_of(buckets, least), fewest = sum_of(buckets, least + 1);
    assert_true(next.total.good == most.good || next.total.good == fewest.good);
    assert_true(next.total.bad == most.bad || next.total.bad == fewest.bad);
    assert_int_equal(next.bucket, bucket_of(other, length));
    window_advance(&next, other + 2 * length);
    assert_int_equal(next.total.good + next.total.bad, 0);
}

static void test_window__goes_on_as_after_a_silence(void **state)
{
    (void)state;
    seeds_run(goes_on_as_after_a_silence);
}

static void test_window__goes_on_exactly_on_the_same_clock(void **state)
{
    (void)state;
    window_t window, next;
    window_counts_t buckets[WINDOW_BUCKETS];
    window_init(&window, 600, 5000);
    for (int64_t now = 5000; now < 5700; now += 7) {
        window_advance(&window, now);
        window_add(&window, (window_counts_t){1, 2});
    }
    window_list(&window, buckets);
    window_resume(&next, 600, 5993, 5993 - 5693, buckets);
    window_advance(&window, 5993);
    assert_memory_equal(&next, &window, sizeof window);
}

static void test_window__nothing_is_left_after_two_lengths_and_more(void **state)
{
    (void)state;
    window_t next;
    window_counts_t buckets[WINDOW_BUCKETS];
    for (int i = 0; i < WINDOW_BUCKETS; i++)
        buckets[i] = (window_counts_t){1, 1};
    window_resume(&next, 600, 5, INT64_MAX, buckets);
    assert_int_equal(next.total.good + next.total.bad, 0);
    window_resume(&next, 600, 5, 606, buckets); /* into the 61st bucket before */
    assert_int_equal(next.total.good, 0);
    window_resume(&next, 600, 5, 605, buckets);
    assert_int_equal(next.total.good, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        seeds_test(test_window__counts_sixty_buckets_and_the_running_one),
        cmocka_unit_test(test_window__a_bucket_ends_at_its_boundary_to_the_nanosecond),
        cmocka_unit_test(test_window__a_length_that_sixty_does_not_divide_has_exact_boundaries),
        cmocka_unit_test(test_window__a_clock_that_stands_or_steps_back_changes_nothing),
        cmocka_unit_test(test_window__a_jump_of_an_hour_leaves_nothing_of_a_minute),
        seeds_test(test_window__goes_on_as_after_a_silence),
        cmocka_unit_test(test_window__goes_on_exactly_on_the_same_clock),
        cmocka_unit_test(test_window__nothing_is_left_after_two_lengths_and_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
