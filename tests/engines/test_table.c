#include "engines/table.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

#define ITEMS 64

/* The slow reference: which items are in, and under which hash. */
typedef struct {
    bool in[ITEMS + 1];
    uint64_t hash[ITEMS + 1];
} model_t;

static void assert_finds_exactly(const table_t *table, const model_t *model, uint64_t hash)
{
    bool found[ITEMS + 1] = {false};
    uint32_t probe = 0, item;
    while ((item = table_next(table, hash, &probe)) != 0) {
        assert_false(found[item]);
        found[item] = true;
    }
    for (uint32_t i = 1; i <= ITEMS; i++)
        assert_int_equal(found[i], model->in[i] && (uint32_t)model->hash[i] == (uint32_t)hash);
}

/* Few different hashes, in runs that wrap around the end of the slots. */
static uint64_t crowded_hash(dice_t *dice)
{
    return UINT64_C(0xffffffffffffff00) + dice_below(dice, 300);
}

static void holds_what_was_added(dice_t *dice)
{
    table_t table;
    model_t model = {{false}, {0}};
    table_init(&table, ITEMS);
    for (int step = 0; step < 200; step++) {
        uint32_t item = 1 + (uint32_t)dice_below(dice, ITEMS);
        if (model.in[item])
            table_remove(&table, model.hash[item], item);
        else
            table_add(&table, model.hash[item] = crowded_hash(dice), item);
        model.in[item] = !model.in[item];
        if (step == 100)
            table_grow(&table, ITEMS * 3);
        assert_finds_exactly(&table, &model, crowded_hash(dice));
        assert_finds_exactly(&table, &model, model.hash[item]);
    }
    table_free(&table);
}

static void test_table__answers_what_was_added_and_not_removed(void **state)
{
    (void)state;
    seeds_run(holds_what_was_added);
}

static void test_table__takes_as_many_as_it_was_told_with_room_between(void **state)
{
    (void)state;
    table_t table;
    table_init(&table, 1000);
    for (uint32_t item = 1; item <= 1000; item++)
        table_add(&table, item, item);
    assert_int_equal(table.count, 1000);
    assert_true(table.mask + 1 >= 1500);
    table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        seeds_test(test_table__answers_what_was_added_and_not_removed),
        cmocka_unit_test(test_table__takes_as_many_as_it_was_told_with_room_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
