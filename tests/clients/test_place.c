#include "clients/libtocsin/place.h"

#include "tests/check.h"

static void test_place__the_first_number_is_next_where_nothing_is_known(void **state)
{
    (void)state;
    place_t place = {.wanted = true};
    assert_int_equal(place_judge(&place, 17), PLACE_NEXT);
    place_give(&place, 17);
    assert_int_equal(place.given, 17);
    assert_int_equal(place_tell_lost(&place), 0);
}

static void test_place__a_number_is_next_early_or_old(void **state)
{
    (void)state;
    place_t place = {.wanted = true};
    place_begin(&place, 5);
    assert_int_equal(place_judge(&place, 5), PLACE_OLD);
    assert_int_equal(place_judge(&place, 6), PLACE_NEXT);
    assert_int_equal(place_judge(&place, 7), PLACE_EARLY);
}

static void test_place__a_head_beyond_what_was_given_is_a_hole(void **state)
{
    (void)state;
    place_t place = {.wanted = true};
    place_see_head(&place, 3);
    assert_false(place_has_hole(&place));
    place_begin(&place, 3);
    assert_false(place_has_hole(&place));
    place_see_head(&place, 4);
    assert_true(place_has_hole(&place));
    place_see_head(&place, 2);
    assert_true(place_has_hole(&place));
    place_give(&place, 4);
    assert_false(place_has_hole(&place));
}

static void test_place__a_hole_that_is_not_wanted_is_none(void **state)
{
    (void)state;
    place_t place = {.wanted = false};
    place_begin(&place, 3);
    place_see_head(&place, 4);
    assert_false(place_has_hole(&place));
}

static void test_place__where_the_caller_begins_outranks_where_the_broker_stands(void **state)
{
    (void)state;
    place_t place = {.wanted = true};
    place_begin(&place, 3);
    place.fixed = true;
    place_begin(&place, 10);
    assert_int_equal(place.given, 3);
}

static void test_place__what_is_given_up_is_told_once(void **state)
{
    (void)state;
    place_t place = {.wanted = true};
    place_begin(&place, 3);
    place_give_up(&place, 5);
    place_give_up(&place, 4);
    place_give(&place, 8);
    assert_int_equal(place_tell_lost(&place), 4);
    assert_int_equal(place_tell_lost(&place), 0);
    assert_int_equal(place.given, 8);
}

static void test_place__what_is_not_to_be_had_yet_is_asked_for_again_and_then_lost(void **state)
{
    (void)state;
    place_t place = {.wanted = true};
    place_begin(&place, 3);
    place_see_head(&place, 5);
    place_ask_later(&place, 5, 100);
    assert_double(place.retry_at, 100 + PLACE_RETRY_S, 0);
    place_ask_later(&place, 5, 100 + PLACE_COMMIT_S);
    assert_int_equal(place.given, 3);
    place_ask_later(&place, 5, 100 + PLACE_COMMIT_S + 1e-6);
    assert_int_equal(place.given, 5);
    assert_int_equal(place_tell_lost(&place), 2);
    assert_double(place.retry_at, 0, 0);
}

static void test_place__a_broker_that_begins_anew_is_heard_from_its_first(void **state)
{
    (void)state;
    place_t place = {.wanted = true};
    place_begin(&place, 30);
    place_begin_anew(&place, 2);
    assert_int_equal(place_judge(&place, 1), PLACE_NEXT);
    assert_true(place_has_hole(&place));
    assert_int_equal(place_tell_lost(&place), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_place__the_first_number_is_next_where_nothing_is_known),
        cmocka_unit_test(test_place__a_number_is_next_early_or_old),
        cmocka_unit_test(test_place__a_head_beyond_what_was_given_is_a_hole),
        cmocka_unit_test(test_place__a_hole_that_is_not_wanted_is_none),
        cmocka_unit_test(test_place__where_the_caller_begins_outranks_where_the_broker_stands),
        cmocka_unit_test(test_place__what_is_given_up_is_told_once),
        cmocka_unit_test(test_place__what_is_not_to_be_had_yet_is_asked_for_again_and_then_lost),
        cmocka_unit_test(test_place__a_broker_that_begins_anew_is_heard_from_its_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
