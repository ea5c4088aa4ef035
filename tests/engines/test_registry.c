#include "engines/registry.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

static void test_registry__a_member_is_found_by_number_and_keeps_its_place(void **state)
{
    (void)state;
    registry_t registry;
    int a, b, c;
    registry_init(&registry, 2, 7);
    uint32_t place = registry_add(&registry, UINT64_C(1) << 40, &a);
    registry_add(&registry, 5, &b);
    assert_true(registry_full(&registry));
    assert_ptr_equal(registry_find(&registry, UINT64_C(1) << 40), &a);
    assert_ptr_equal(registry_at(&registry, place), &a);
    assert_null(registry_find(&registry, 6));
    registry_remove(&registry, 5);
    assert_null(registry_find(&registry, 5));
    registry_grow(&registry, 9);
    registry_add(&registry, 6, &c);
    assert_ptr_equal(registry_at(&registry, place), &a);
    assert_ptr_equal(registry_find(&registry, 6), &c);
    registry_free(&registry);
}

/*  Members by number in an array: where a member stands, and when it came. */
enum { NUMBERS = 40 };
static char members[NUMBERS];

static void any_history(dice_t *dice)
{
    registry_t registry;
    unsigned came[NUMBERS] = {0}, serial = 0, count = 0;
    registry_init(&registry, NUMBERS, dice_next(dice));
    for (int step = 0; step < 300; step++) {
        uint64_t number = dice_below(dice, NUMBERS);
        if (came[number] == 0) {
            registry_add(&registry, number, &members[number]);
            came[number] = ++serial;
            count++;
        } else if (dice_chance(dice, 0.6)) {
            registry_remove(&registry, number);
            came[number] = 0;
            count--;
        }
        assert_ptr_equal(registry_find(&registry, number), came[number] ? &members[number] : NULL);
        assert_int_equal(registry_count(&registry), count);
    }
    unsigned last = 0;
    uint64_t at = 0;
    for (char *member; (member = registry_next(&registry, &at)) != NULL; count--) {
        assert_true(came[member - members] > last);
        last = came[member - members];
    }
    assert_int_equal(count, 0);
    registry_free(&registry);
}

static void test_registry__equals_an_array_whatever_comes_and_goes(void **state)
{
    (void)state;
    seeds_run(any_history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registry__a_member_is_found_by_number_and_keeps_its_place),
        seeds_test(test_registry__equals_an_array_whatever_comes_and_goes),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
