#include "broker/store_pages.h"

#include "tests/broker/store_folder.h"

#include <sysexits.h>
#include <unistd.h>

#define INCIDENTS 40u
#define PAGE 4096

static unsigned char *fresh;
static size_t fresh_size;

/*  Incidents with long texts, over several pages each, and policies. */
static void fill(store_t *store)
{
    char words[6000];
    for (uint64_t id = 1; id <= INCIDENTS; id++) {
        incident_t incident = sample_incident(id);
        for (size_t i = 0; i < sizeof words; i++)
            words[i] = (char)('a' + (i + id) % 26);
        incident.description = (text_t){words, 400 + (id * 137) % 5500};
        store_save(store, TABLE_INCIDENT, &incident);
    }
    for (size_t i = 0; i < 20; i++) {
        policy_t policy;
        char name[16];
        schema_defaults(&policy_schema, &policy);
        snprintf(name, sizeof name, "p%zu", i);
        policy.name = text_of(name);
        policy.condition = TEXT_OF("cpu > 80");
        policy.severity = SEVERITY_HIGH;
        store_save(store, TABLE_POLICY, &policy);
    }
    assert_int_equal(store_commit(store), STORE_GOOD);
}

static bool write_thing(void *context, const void *thing)
{
    schema_write(&policy_schema, thing, false, context);
    return true;
}

/*  Everything that can be asked for. */
static void dump(store_t *store, msgpack_sbuffer *out)
{
    arena_t arena;
    incident_t incident;
    arena_init(&arena);
    for (uint64_t id = 1; id <= INCIDENTS; id++) {
        if (store_find_incident(store, id, 0, &arena, &incident))
            schema_write(&incident_schema, &incident, false, out);
        arena_reset(&arena);
    }
    store_each(store, TABLE_POLICY, write_thing, out);
    arena_free(&arena);
}

static int set_up_filled(void **state)
{
    set_up(state);
    fill(*state);
    store_close((store_t **)state);
    FILE *file = fopen(file_of("tocsin.db"), "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    fresh_size = (size_t)ftell(file);
    rewind(file);
    fresh = malloc(fresh_size);
    assert_int_equal(fread(fresh, 1, fresh_size, file), fresh_size);
    fclose(file);
    return 0;
}

static int tear_down_filled(void **state)
{
    free(fresh);
    return tear_down(state);
}

static void put_back(size_t size)
{
    unlink(file_of("tocsin.db-wal"));
    FILE *file = fopen(file_of("tocsin.db"), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(fresh, 1, size, file), size);
    fclose(file);
}

/*  Opened, or every word in it read: damage is noticed, or everything is as it was. Answers whether
 * it was noticed. */
static bool is_noticed(const msgpack_sbuffer *expected)
{
    store_error_t error;
    store_t *store = store_open(folder, &error);
    if (store == NULL)
        return true;
    msgpack_sbuffer got;
    msgpack_sbuffer_init(&got);
    dump(store, &got);
    bool noticed = store_failed(store);
    bool same = got.size == expected->size && memcmp(got.data, expected->data, got.size) == 0;
    msgpack_sbuffer_destroy(&got);
    crash(&store);
    if (!noticed && !same)
        fail_msg("damage was read as if it were data");
    return noticed;
}

static void expect(msgpack_sbuffer *expected)
{
    msgpack_sbuffer_init(expected);
    store_t *store = open_again();
    dump(store, expected);
    store_close(&store);
}

static void test_store_pages__a_bit_that_flips_is_never_read_as_data(void **state)
{
    (void)state;
    msgpack_sbuffer expected;
    expect(&expected);
    size_t noticed = 0, tried = 0;
    for (size_t at = 0; at < fresh_size; at += at < 100 ? 1 : 509, tried++) {
        fresh[at] ^= (unsigned char)(1u << (at % 8));
        put_back(fresh_size);
        bool was = is_noticed(&expected);
        if (at < 100 && !was)
            fail_msg("a bit of byte %zu of the header was not noticed", at);
        noticed += was;
        fresh[at] ^= (unsigned char)(1u << (at % 8));
    }
    /* the rest lies in pages that nothing asked for */
    assert_true(noticed > tried / 2);
    msgpack_sbuffer_destroy(&expected);
}

static void test_store_pages__a_file_that_was_cut_off_is_noticed(void **state)
{
    (void)state;
    msgpack_sbuffer expected;
    expect(&expected);
    for (size_t size = PAGE; size < fresh_size; size += PAGE) {
        put_back(size);
        assert_true(is_noticed(&expected));
    }
    msgpack_sbuffer_destroy(&expected);
}

static void test_store_pages__a_page_in_the_place_of_another_is_noticed(void **state)
{
    (void)state;
    msgpack_sbuffer expected;
    expect(&expected);
    unsigned char page[PAGE];
    size_t noticed = 0;
    for (size_t at = PAGE; at + 2 * PAGE <= fresh_size; at += PAGE) {
        memcpy(page, fresh + at, PAGE);
        memcpy(fresh + at, fresh + at + PAGE, PAGE);
        put_back(fresh_size);
        noticed += is_noticed(&expected);
        memcpy(fresh + at, page, PAGE);
    }
    assert_true(noticed > 0);
    msgpack_sbuffer_destroy(&expected);
}

static void test_store_pages__damage_is_said_in_words_and_by_the_exit_status(void **state)
{
    (void)state;
    store_error_t error;
    fresh[PAGE - 100] ^= 1; /* of the first page */
    put_back(fresh_size);
    assert_null(store_open(folder, &error));
    assert_int_equal(error.exit_status, EX_DATAERR);
    assert_non_null(strstr(error.message, "a page does not agree with its checksum"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_store_pages__a_bit_that_flips_is_never_read_as_data,
                                        set_up_filled, tear_down_filled),
        cmocka_unit_test_setup_teardown(test_store_pages__a_file_that_was_cut_off_is_noticed,
                                        set_up_filled, tear_down_filled),
        cmocka_unit_test_setup_teardown(test_store_pages__a_page_in_the_place_of_another_is_noticed,
                                        set_up_filled, tear_down_filled),
        cmocka_unit_test_setup_teardown(
            test_store_pages__damage_is_said_in_words_and_by_the_exit_status, set_up_filled,
            tear_down_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
