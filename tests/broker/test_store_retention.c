#include "tests/broker/store_folder.h"

static const retention_t month = {.kept_s = 30 * 86400.0, .rows = 1000000};

/*  What was dropped, in words: "incident 1, alert 2, ". */
static char dropped[1024];

static void take(void *context, table_t table, const void *thing)
{
    (void)context;
    uint64_t id =
        table == TABLE_INCIDENT ? ((const incident_t *)thing)->id : ((const alert_t *)thing)->id;
    size_t used = strlen(dropped);
    snprintf(dropped + used, sizeof dropped - used, "%s %llu, ", store_tables[table].name,
             (unsigned long long)id);
}

static bool trim(store_t *store, const retention_t *retention, double now_s, int64_t most)
{
    dropped[0] = '\0';
    bool more = store_trim(store, retention, now_s, most, take, NULL);
    assert_int_equal(store_commit(store), STORE_GOOD);
    return more;
}

static void close_incident(store_t *store, uint64_t id, double at)
{
    incident_t incident = sample_incident(id);
    incident.status = INCIDENT_CLOSED;
    incident.closed_at = at;
    store_save(store, TABLE_INCIDENT, &incident);
}

static void resolve_alert(store_t *store, uint64_t id, double at)
{
    alert_t alert;
    schema_defaults(&alert_schema, &alert);
    alert.id = id;
    alert.policy = TEXT_OF("cpu");
    alert.state = ALERT_RESOLVED;
    alert.resolved_at = alert.updated_at = at;
    store_save(store, TABLE_ALERT, &alert);
}

static sqlite3_int64 count(store_t *store, const char *table)
{
    char text[128];
    snprintf(text, sizeof text, "SELECT count(*) FROM %s", table);
    return store_number(((struct store *)store)->database, text);
}

static void test_store_retention__what_was_closed_long_ago_goes_with_its_rows(void **state)
{
    store_t *store = *state;
    note_t note = {.time = 1, .by = TEXT_NONE, .text = TEXT_OF("n")};
    move_t move = {.time = 1, .what = TEXT_OF("w")};
    incident_t open = sample_incident(3);
    store_save(store, TABLE_INCIDENT, &open);
    close_incident(store, 1, 100);
    close_incident(store, 2, 200);
    for (uint64_t id = 1; id <= 3; id++) {
        store_note_incident(store, id, 1, &note);
        store_move(store, id, 1, &move);
    }
    assert_false(trim(store, &month, 150 + month.kept_s, 10));
    assert_string_equal(dropped, "incident 1, ");
    assert_int_equal(count(store, "incident"), 2);
    assert_int_equal(count(store, "incident_note"), 2);
    assert_int_equal(count(store, "incident_move"), 2);
    assert_false(trim(store, &month, 1e9 + month.kept_s, 10));
    assert_string_equal(dropped, "incident 2, ");
}

static void test_store_retention__a_number_is_never_given_out_again(void **state)
{
    close_incident(*state, 7, 100);
    resolve_alert(*state, 9, 100);
    trim(*state, &month, 1e9, 10);
    assert_string_equal(dropped, "incident 7, alert 9, ");
    store_close((store_t **)state);
    *state = open_again();
    assert_int_equal(store_last_id(*state, TABLE_INCIDENT), 7);
    assert_int_equal(store_last_id(*state, TABLE_ALERT), 9);
}

static void test_store_retention__more_rows_than_are_kept_push_the_oldest_out(void **state)
{
    retention_t two = {.kept_s = 1e9, .rows = 2};
    for (uint64_t id = 1; id <= 4; id++)
        resolve_alert(*state, id, 100);
    assert_false(trim(*state, &two, 101, 10));
    assert_string_equal(dropped, "alert 1, alert 2, ");
}

static void test_store_retention__one_step_deletes_no_more_than_it_may(void **state)
{
    for (uint64_t id = 1; id <= 5; id++)
        close_incident(*state, id, 100);
    assert_true(trim(*state, &month, 1e9, 2));
    assert_string_equal(dropped, "incident 1, incident 2, ");
    assert_true(trim(*state, &month, 1e9, 2));
    assert_false(trim(*state, &month, 1e9, 2));
    assert_string_equal(dropped, "incident 5, ");
}

static void
test_store_retention__publications_that_went_are_gone_and_the_oldest_is_named(void **state)
{
    store_t *store = *state;
    retention_t three = {.kept_s = 1e9, .rows = 3};
    for (uint64_t seq = 1; seq <= 6; seq++)
        store_keep(store, FAMILY_ALERT, store_next_number(store, FAMILY_ALERT), (double)seq,
                   TEXT_OF("t"), TEXT_OF("\xc0"));
    trim(store, &three, 10, 2);
    assert_int_equal(store_head(store, FAMILY_ALERT).trimmed, 2);
    trim(store, &three, 10, 2);
    crash((store_t **)state);
    *state = store = open_again();
    events_since_t since = {.family = FAMILY_ALERT, .seq = 2, .limit = 10};
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    uint64_t oldest = 0;
    assert_int_equal(store_since(store, &since, &out, &oldest), STATUS_GONE);
    assert_int_equal(oldest, 4);
    since.seq = 3;
    assert_int_equal(store_since(store, &since, &out, &oldest), STATUS_OK);
    assert_int_equal(store_next_number(store, FAMILY_ALERT), 7);
    msgpack_sbuffer_destroy(&out);
}

static void test_store_retention__publications_go_by_age_up_to_the_first_young_one(void **state)
{
    static const double times[] = {10, 20, 300, 30};
    for (size_t i = 0; i < 4; i++)
        store_keep(*state, FAMILY_SLO, i + 1, times[i], TEXT_OF("t"), TEXT_OF("\xc0"));
    trim(*state, &(retention_t){.kept_s = 100, .rows = 1000}, 200, 10);
    assert_int_equal(store_head(*state, FAMILY_SLO).trimmed, 2);
}

static void test_store_retention__what_is_still_to_be_sent_stays(void **state)
{
    retention_t none = {.kept_s = 100, .rows = 1000, .relayed[FAMILY_ALERT] = true};
    for (size_t i = 1; i <= 3; i++) {
        store_keep(*state, FAMILY_ALERT, i, 5, TEXT_OF("t"), TEXT_OF("\xc0"));
        store_keep(*state, FAMILY_SLO, i, 5, TEXT_OF("t"), TEXT_OF("\xc0"));
    }
    assert_false(trim(*state, &none, 1e9, 10));
    assert_int_equal(store_head(*state, FAMILY_ALERT).trimmed, 0);
    assert_int_equal(store_head(*state, FAMILY_SLO).trimmed, 3);
    store_relay_mark(*state, FAMILY_ALERT, 2);
    assert_false(trim(*state, &none, 1e9, 10));
    assert_int_equal(store_head(*state, FAMILY_ALERT).trimmed, 2);
}

static void test_store_retention__the_newest_line_of_the_audit_stays(void **state)
{
    for (size_t i = 0; i < 3; i++)
        store_audit(*state, &(audit_t){.time = 5, .what = TEXT_OF("w")});
    trim(*state, &month, 1e9, 10);
    assert_int_equal(count(*state, "audit"), 1);
    assert_int_equal(store_number(((struct store *)*state)->database, "SELECT number FROM audit"),
                     3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store_retention__what_was_closed_long_ago_goes_with_its_rows),
        TEST(test_store_retention__a_number_is_never_given_out_again),
        TEST(test_store_retention__more_rows_than_are_kept_push_the_oldest_out),
        TEST(test_store_retention__one_step_deletes_no_more_than_it_may),
        TEST(test_store_retention__publications_that_went_are_gone_and_the_oldest_is_named),
        TEST(test_store_retention__publications_go_by_age_up_to_the_first_young_one),
        TEST(test_store_retention__what_is_still_to_be_sent_stays),
        TEST(test_store_retention__the_newest_line_of_the_audit_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
