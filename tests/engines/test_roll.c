#include "engines/roll.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

#define LIMIT 20

/* Things come and go while somebody walks the list a step at a time. */
static void walk_sees_what_stayed(dice_t *dice)
{
    roll_t roll;
    roll_init(&roll, LIMIT);
    uint64_t serials[LIMIT + 1] = {0};
    bool stayed[LIMIT + 1] = {false}, seen[LIMIT + 1] = {false};
    for (uint32_t item = 1; item <= LIMIT / 2; item++) {
        serials[item] = roll_add(&roll, item);
        stayed[item] = true;
    }
    uint64_t at = 0, last = 0;
    for (uint32_t found; (found = roll_next(&roll, &at)) != 0; last = at) {
        assert_true(at > last);
        assert_int_equal(at, serials[found]);
        seen[found] |= stayed[found];
        for (int step = 0; step < 3 && last < 200; step++) {
            uint32_t item = 1 + (uint32_t)dice_below(dice, LIMIT);
            if (serials[item] != 0)
                roll_remove(&roll, serials[item]);
            serials[item] = serials[item] != 0 ? 0 : roll_add(&roll, item);
            stayed[item] = false;
        }
    }
    for (uint32_t item = 1; item <= LIMIT; item++)
        assert_true(!stayed[item] || seen[item]);
    roll_free(&roll);
}

static void test_roll__a_walk_misses_nothing_that_was_there_all_the_time(void **state)
{
    (void)state;
    seeds_run(walk_sees_what_stayed);
}

static void test_roll__closes_its_holes_and_grows(void **state)
{
    (void)state;
    roll_t roll;
    roll_init(&roll, 2);
    uint64_t kept = roll_add(&roll, 7);
    for (uint32_t i = 0; i < 100; i++)
        roll_remove(&roll, roll_add(&roll, 8));
    roll_grow(&roll, 5);
    for (uint32_t i = 0; i < 4; i++)
        roll_add(&roll, 9);
    uint64_t at = 0;
    assert_int_equal(roll_next(&roll, &at), 7);
    assert_int_equal(at, kept);
    assert_int_equal(roll_next(&roll, &at), 9);
    assert_int_equal(at, 102);
    assert_int_equal(roll.count, 5);
    roll_free(&roll);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        seeds_test(test_roll__a_walk_misses_nothing_that_was_there_all_the_time),
        cmocka_unit_test(test_roll__closes_its_holes_and_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
