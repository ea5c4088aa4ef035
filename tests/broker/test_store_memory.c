/*  SQLite's n-th allocation fails, once or from then on, for every n (FAULTS D19): a transaction is
 * there whole or not at all, and what is answered says which. */
#include "broker/store_check.h"
#include "tests/broker/store_folder.h"

#include <math.h>
#include <sysexits.h>

static sqlite3_mem_methods system_memory;
static int64_t left = -1; /* allocations until one fails; negative: none does */
static bool for_good;     /* and all after it */

static bool fails(void)
{
    if (left < 0)
        return false;
    if (left > 0) {
        left--;
        return false;
    }
    if (!for_good)
        left = -1;
    return true;
}

static void *allocate(int size)
{
    return fails() ? NULL : system_memory.xMalloc(size);
}

static void *reallocate(void *old, int size)
{
    return fails() ? NULL : system_memory.xRealloc(old, size);
}

static int insert_memory(void **state)
{
    (void)state;
    sqlite3_mem_methods failing;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &system_memory), SQLITE_OK);
    failing = system_memory;
    failing.xMalloc = allocate;
    failing.xRealloc = reallocate;
    /* no lookaside: every allocation is one that can fail */
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0), SQLITE_OK);
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &failing);
}

/*  Answers whether it was committed. */
static bool try_commit(store_t *store, uint64_t id, int64_t n)
{
    note_t note = {.time = 1, .by = TEXT_OF("ann"), .text = TEXT_OF("seen")};
    incident_t incident = sample_incident(id);
    incident.notes_count = 1;
    left = n;
    store_save(store, TABLE_INCIDENT, &incident);
    store_note_incident(store, id, 1, &note);
    store_keep(store, FAMILY_INCIDENT, store_next_number(store, FAMILY_INCIDENT), 1, TEXT_OF("t"),
               TEXT_OF("\xc0"));
    store_state_t state = store_commit(store);
    left = -1;
    assert_int_not_equal(state, STORE_DEAD);
    return state == STORE_GOOD;
}

static uint64_t sweep(store_t *store)
{
    uint64_t failed = 0, id = 1;
    arena_t arena;
    incident_t incident;
    arena_init(&arena);
    for (int64_t n = 0; n < 120; n++) {
        bool committed = try_commit(store, id, n);
        assert_int_equal(store_find_incident(store, id, 0, &arena, &incident), committed);
        assert_int_equal(store_last_id(store, TABLE_INCIDENT), committed ? id : id - 1);
        assert_int_equal(store_head(store, FAMILY_INCIDENT).last, committed ? id : id - 1);
        assert_false(store_failed(store));
        failed += !committed;
        id += committed;
        arena_reset(&arena);
    }
    arena_free(&arena);
    return failed;
}

static void check_all(void **state)
{
    FILE *out = fopen("/dev/null", "w");
    store_close((store_t **)state);
    assert_int_equal(store_check(folder, out), EX_OK);
    fclose(out);
}

static void
test_store_memory__an_allocation_that_fails_once_takes_its_transaction_back(void **state)
{
    for_good = false;
    assert_true(sweep(*state) > 3);
    check_all(state);
}

static void test_store_memory__when_all_fail_from_then_on_nothing_is_acknowledged(void **state)
{
    for_good = true;
    assert_true(sweep(*state) > 3);
    check_all(state);
}

/*  A list that could not be read to its end is no list. */
static void test_store_memory__an_answer_that_could_not_be_read_is_latched(void **state)
{
    store_t *store = *state;
    list_t list;
    uint64_t latched = 0;
    for_good = false;
    for (uint64_t id = 1; id <= 20; id++)
        assert_true(try_commit(store, id, -1));
    for (int64_t n = 0; n < 400; n++) {
        msgpack_sbuffer out;
        msgpack_sbuffer_init(&out);
        memset(&list, 0, sizeof list);
        list.severity = list.state = -1;
        list.limit = 100;
        list.since = NAN;
        left = n;
        status_t status = store_list_incidents(store, &list, &out);
        left = -1;
        bool whole = out.size > 8 && memcmp(out.data, "\x82\xa5items\xdc\0\x14", 10) == 0;
        assert_true(whole || store_failed(store) || status != STATUS_OK);
        latched += store_failed(store);
        store_commit(store);
        store_probe(store);
        msgpack_sbuffer_destroy(&out);
    }
    assert_true(latched > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store_memory__an_allocation_that_fails_once_takes_its_transaction_back),
        TEST(test_store_memory__when_all_fail_from_then_on_nothing_is_acknowledged),
        TEST(test_store_memory__an_answer_that_could_not_be_read_is_latched),
    };
    return cmocka_run_group_tests(tests, insert_memory, NULL);
}
