#include "engines/roster.h"
#include "tests/check.h"

static void test_roster__finds_members_by_name_and_in_order(void **state)
{
    (void)state;
    roster_t roster;
    int a, b, c;
    roster_init(&roster, 3, 42);
    assert_text(roster_add(&roster, TEXT_OF("b"), &b), "b");
    roster_add(&roster, TEXT_OF("a"), &a);
    roster_add(&roster, TEXT_OF("c"), &c);
    assert_true(roster_full(&roster));
    assert_ptr_equal(roster_find(&roster, TEXT_OF("a")), &a);
    assert_null(roster_find(&roster, TEXT_OF("d")));
    uint64_t at = 0;
    assert_ptr_equal(roster_next(&roster, &at), &b);
    assert_ptr_equal(roster_next(&roster, &at), &a);
    assert_ptr_equal(roster_next(&roster, &at), &c);
    assert_null(roster_next(&roster, &at));
    roster_free(&roster);
}

static void test_roster__a_removed_member_gives_its_seat_to_the_next(void **state)
{
    (void)state;
    roster_t roster;
    int a, b, c;
    roster_init(&roster, 2, 0);
    roster_add(&roster, TEXT_OF("a"), &a);
    roster_add(&roster, TEXT_OF("b"), &b);
    roster_remove(&roster, TEXT_OF("a"));
    roster_add(&roster, TEXT_OF("c"), &c);
    roster_grow(&roster, 10);
    roster_add(&roster, TEXT_OF("a"), &a);
    assert_int_equal(roster_count(&roster), 3);
    uint64_t at = 0;
    assert_ptr_equal(roster_next(&roster, &at), &b);
    assert_ptr_equal(roster_next(&roster, &at), &c);
    assert_ptr_equal(roster_next(&roster, &at), &a);
    assert_ptr_equal(roster_find(&roster, TEXT_OF("c")), &c);
    roster_free(&roster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roster__finds_members_by_name_and_in_order),
        cmocka_unit_test(test_roster__a_removed_member_gives_its_seat_to_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
