#include "engines/deadlines.h"
#include "proto/instant.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

static void test_deadlines__the_first_is_due_first_and_of_equals_the_lower_order(void **state)
{
    (void)state;
    deadlines_t deadlines;
    deadlines_init(&deadlines, 4);
    assert_true(deadlines_next(&deadlines) == INSTANT_NEVER);
    deadlines_set(&deadlines, 1, 20, 5);
    deadlines_set(&deadlines, 2, 20, 3);
    deadlines_set(&deadlines, 3, 10, 9);
    assert_int_equal(deadlines_take(&deadlines, 9), 0);
    assert_int_equal(deadlines_take(&deadlines, 20), 3);
    assert_int_equal(deadlines_take(&deadlines, 20), 2);
    assert_int_equal(deadlines_take(&deadlines, 20), 1);
    assert_int_equal(deadlines_take(&deadlines, INT64_MAX), 0);
    deadlines_free(&deadlines);
}

enum { ITEMS = 30 };

/*  The first of an array: 0 when none is due. */
static uint32_t first_due(const int64_t *at, int64_t now)
{
    uint32_t first = 0;
    for (uint32_t item = 1; item <= ITEMS; item++)
        if (at[item] <= now && (first == 0 || at[item] < at[first]))
            first = item;
    return first;
}

static void any_history(dice_t *dice)
{
    deadlines_t deadlines;
    int64_t at[ITEMS + 1];
    deadlines_init(&deadlines, 1);
    deadlines_grow(&deadlines, ITEMS);
    for (uint32_t item = 0; item <= ITEMS; item++)
        at[item] = INSTANT_NEVER;
    for (int step = 0; step < 400; step++) {
        uint32_t item = 1 + (uint32_t)dice_below(dice, ITEMS);
        switch (dice_below(dice, 4)) {
        case 0:
            deadlines_clear(&deadlines, item);
            at[item] = INSTANT_NEVER;
            break;
        case 1:
            item = first_due(at, 50);
            assert_int_equal(deadlines_take(&deadlines, 50), item);
            at[item] = INSTANT_NEVER;
            break;
        default:
            at[item] = (int64_t)dice_below(dice, 100);
            deadlines_set(&deadlines, item, at[item], item);
        }
        uint32_t first = first_due(at, INSTANT_NEVER - 1);
        assert_true(deadlines_next(&deadlines) == (first == 0 ? INSTANT_NEVER : at[first]));
    }
    deadlines_free(&deadlines);
}

static void test_deadlines__equal_a_scan_whatever_is_set_moved_and_cleared(void **state)
{
    (void)state;
    seeds_run(any_history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadlines__the_first_is_due_first_and_of_equals_the_lower_order),
        seeds_test(test_deadlines__equal_a_scan_whatever_is_set_moved_and_cleared),
    };
    return cmocka_run_group_tests_name("deadlines", tests, NULL, NULL);
}
