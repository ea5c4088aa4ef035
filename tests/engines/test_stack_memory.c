#include "engines/observability/stack_memory.h"
#include "proto/schema.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"
#include "tests/engines/wire.h"

#define SECOND INT64_C(1000000000)
#define WALL_S 1e6

static observability_stack_t *stack;
static msgpack_sbuffer file;
static char heard[1024];

static void hear(void *context, const finding_t *finding)
{
    (void)context;
    size_t size = strlen(heard);
    if (finding->type != FINDING_DEPENDENCY_CHANGED && size < sizeof heard - 16)
        snprintf(heard + size, sizeof heard - size, "%d ", (int)finding->type);
}

static void begin(void)
{
    observability_config_t config = observability_config_default();
    config.series = 1000;
    config.operations = config.dependencies = config.slos = config.plans = 100;
    observability_stack_destroy(&stack);
    stack = observability_stack_new(&config, (finding_sink_t){hear, NULL});
    heard[0] = '\0';
}

static int set_up(void **state)
{
    (void)state;
    msgpack_sbuffer_init(&file);
    begin();
    return 0;
}

static int tear_down(void **state)
{
    observability_stack_destroy(&stack);
    msgpack_sbuffer_destroy(&file);
    return seeds_teardown(state);
}

/* Monotonic from any moment; the wall clock goes on. */
static instant_t at(int64_t mono_ns, double seconds)
{
    return (instant_t){mono_ns, WALL_S + seconds};
}

static void put_slo(const char *name, double target, instant_t now)
{
    slo_t slo = {.name = text_of(name),
                 .target_percent = target,
                 .window = 3600,
                 .period = 30 * 86400.0,
                 .latency = NAN,
                 .min_events = 10};
    assert_int_equal(observability_stack_slo_put(stack, &slo, now), STATUS_OK);
}

static void request(const char *operation, double duration, bool error, instant_t now)
{
    tally_t tally = {.frames = 0};
    request_event_t event = {
        .operation = text_of(operation), .duration_s = duration, .attempt = 1, .error = error};
    observability_stack_requests(stack, &event, 1, now, &tally);
}

static void gauge(const char *name, const char *host, double value, instant_t now)
{
    uint8_t raw[64];
    label_t pair = {TEXT_OF("host"), text_of(host)};
    tally_t tally = {.frames = 0};
    metric_event_t event = {.name = text_of(name),
                            .labels = wire_labels(raw, &pair, 1),
                            .value = value,
                            .value_count = 1,
                            .kind = METRIC_GAUGE};
    observability_stack_metrics(stack, &event, 1, now, &tally);
}

static void save(bool watches, instant_t now)
{
    stack_memory_t walk = {.watches = watches};
    file.size = 0;
    snapshot_begin(&file);
    while (stack_memory_save(stack, &walk, now, &file))
        ;
    snapshot_seal(&file);
}

static snapshot_state_t restore(void)
{
    return stack_memory_restore(stack, (text_t){file.data, file.size});
}

static slo_view_t slo_of(const char *name, instant_t now)
{
    slo_view_t view;
    assert_true(observability_stack_slo(stack, text_of(name), now, &view));
    return view;
}

static bool anomaly_of(const char *name, const char *host, anomaly_view_t *view)
{
    uint8_t bytes[LABELS_MAX_BYTES];
    label_t pair = {TEXT_OF("host"), text_of(host)};
    return observability_stack_anomaly(stack, text_of(name), labels_build(&pair, 1, bytes), view);
}

/* -- what comes back -- */

static void test_stack_memory__an_slo_goes_on_when_it_is_put_again(void **state)
{
    (void)state;
    instant_t then = at(500 * SECOND, 0);
    put_slo("api", 90, then);
    for (int i = 0; i < 20; i++)
        request("q", 1, i < 4, then);
    slo_view_t before = slo_of("api", then);
    assert_int_equal(before.status, SLO_BREACHED);
    save(false, then);
    begin();
    instant_t next = at(3 * SECOND, 30); /* the host was started anew */
    assert_int_equal(restore(), SNAPSHOT_GOOD);
    put_slo("api", 90, next);
    slo_view_t after = slo_of("api", next);
    assert_int_equal(after.total, 20);
    assert_int_equal(after.bad, 4);
    assert_int_equal(after.status, SLO_BREACHED);
    assert_double(after.since, before.since, 0);
    assert_memory_equal(&after.burn, &before.burn, sizeof after.burn);
    assert_double(after.budget_minutes_left, before.budget_minutes_left, 0);
    assert_string_equal(heard, "");
}

static void test_stack_memory__a_breach_that_ended_meanwhile_is_told(void **state)
{
    (void)state;
    put_slo("api", 90, at(0, 0));
    request("q", 1, true, at(0, 0));
    save(false, at(0, 0));
    begin();
    restore();
    put_slo("api", 90, at(5 * SECOND, 7200));
    assert_string_equal(heard, "");
    observability_stack_tick(stack, at(70 * SECOND, 7265));
    char expected[16];
    snprintf(expected, sizeof expected, "%d ", FINDING_SLO_RECOVERED);
    assert_string_equal(heard, expected);
    assert_int_equal(slo_of("api", at(70 * SECOND, 7265)).total, 0);
    assert_true(slo_of("api", at(70 * SECOND, 7265)).burn.w6h == 10); /* a gap, not good hours */
}

static void test_stack_memory__another_definition_begins_anew(void **state)
{
    (void)state;
    put_slo("api", 90, at(0, 0));
    put_slo("gone", 90, at(0, 0));
    request("q", 1, true, at(0, 0));
    save(false, at(0, 0));
    begin();
    restore();
    put_slo("api", 95, at(0, 1));
    assert_int_equal(slo_of("api", at(0, 1)).total, 0);
    stack_memory_settled(stack);
    put_slo("gone", 90, at(0, 1)); /* deleted, and later defined again */
    assert_int_equal(slo_of("gone", at(0, 1)).total, 0);
}

static void test_stack_memory__a_wall_clock_that_was_set_back_is_no_time_at_all(void **state)
{
    (void)state;
    put_slo("api", 90, at(0, 0));
    request("q", 1, true, at(0, 0));
    save(false, at(0, 0));
    begin();
    restore();
    put_slo("api", 90, at(9 * SECOND, -86400));
    assert_int_equal(slo_of("api", at(9 * SECOND, -86400)).total, 1);
}

static void test_stack_memory__a_profile_goes_on_counting(void **state)
{
    (void)state;
    request("q", 0, false, at(0, 0));
    request("q", 0.5, true, at(0, 1));
    request("q", 2, false, at(0, 2));
    profile_view_t before, after;
    assert_true(observability_stack_profile(stack, TEXT_OF("q"), &before));
    save(false, at(0, 3));
    begin();
    assert_int_equal(restore(), SNAPSHOT_GOOD);
    assert_true(observability_stack_profile(stack, TEXT_OF("q"), &after));
    after.operation = before.operation;
    assert_memory_equal(&after, &before, sizeof after);
    request("q", 4, true, at(0, 4));
    assert_true(observability_stack_profile(stack, TEXT_OF("q"), &after));
    assert_int_equal(after.count, 4);
    assert_int_equal(after.errors, 2);
    assert_true(after.total == 6.5 && after.max == 4 && after.min == 0);
}

static void test_stack_memory__a_window_goes_on_when_its_series_comes_back(void **state)
{
    (void)state;
    for (int i = 0; i < 150; i++)
        gauge("cpu", "a", i % 7, at(0, i));
    gauge("cpu", "a", 1000, at(0, 150));
    anomaly_view_t before, after;
    assert_true(anomaly_of("cpu", "a", &before));
    save(true, at(0, 151));
    begin();
    assert_int_equal(restore(), SNAPSHOT_GOOD);
    assert_false(anomaly_of("cpu", "a", &after));
    gauge("cpu", "b", 3, at(0, 200));
    assert_true(anomaly_of("cpu", "b", &after));
    assert_int_equal(after.history, 1); /* another series */
    gauge("cpu", "a", 3, at(0, 201));
    assert_true(anomaly_of("cpu", "a", &after));
    assert_int_equal(after.history, 100);
    double expected = (3 - before.mean) / before.stddev;
    assert_double(after.score, expected, 1e-9);
    char ends[16]; /* the episode that was under way */
    snprintf(ends, sizeof ends, "%d ", FINDING_ANOMALY_CLEARED);
    assert_string_equal(heard, ends);
}

static void test_stack_memory__windows_are_saved_on_request_only(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        gauge("cpu", "a", i, at(0, i));
    save(false, at(0, 0));
    begin();
    restore();
    gauge("cpu", "a", 3, at(0, 0));
    anomaly_view_t view;
    assert_true(anomaly_of("cpu", "a", &view));
    assert_int_equal(view.history, 1);
}

static void test_stack_memory__a_series_that_does_not_come_back_is_forgotten(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        gauge("cpu", "a", i, at(0, i));
    save(true, at(0, 0));
    begin();
    restore();
    observability_stack_tick(stack, at(0, 0));
    observability_stack_tick(stack, at(3600 * SECOND, 3600));
    gauge("cpu", "a", 3, at(3600 * SECOND, 3600));
    anomaly_view_t view;
    assert_true(anomaly_of("cpu", "a", &view));
    assert_int_equal(view.history, 1);
}

/* -- any history -- */

static void play(dice_t *dice, int64_t *mono_ns, double *seconds)
{
    static const char *const names[] = {"a", "b", "c"};
    shape_t shape = (shape_t)dice_below(dice, SHAPE_COUNT);
    for (unsigned i = 0; i < 200; i++) {
        double step = dice_chance(dice, 0.05) ? 600 * dice_unit(dice) : 0.25;
        *mono_ns += (int64_t)(step * (double)SECOND);
        *seconds += step;
        const char *name = names[dice_below(dice, 3)];
        double value = dice_value(dice, shape, i);
        request(name, fabs(value), dice_chance(dice, 0.2), at(*mono_ns, *seconds));
        gauge("g", name, value, at(*mono_ns, *seconds));
    }
}

/* On the same clock and without a pause, what comes back is what was: to the byte. */
static void comes_back_as_it_was(dice_t *dice)
{
    int64_t mono_ns = (int64_t)dice_below(dice, (uint64_t)(1000 * SECOND));
    double seconds = 0;
    msgpack_sbuffer first;
    begin();
    put_slo("x", 99, at(mono_ns, 0));
    put_slo("y", 50, at(mono_ns, 0));
    play(dice, &mono_ns, &seconds);
    instant_t now = at(mono_ns, seconds);
    save(false, now);
    first = file;
    msgpack_sbuffer_init(&file);
    begin();
    assert_int_equal(stack_memory_restore(stack, (text_t){first.data, first.size}), SNAPSHOT_GOOD);
    put_slo("x", 99, now);
    put_slo("y", 50, now);
    save(false, now);
    assert_int_equal(file.size, first.size);
    assert_memory_equal(file.data, first.data, first.size);
    msgpack_sbuffer_destroy(&first);
}

static void test_stack_memory__any_history_comes_back_as_it_was(void **state)
{
    (void)state;
    seeds_run(comes_back_as_it_was);
}

/* -- what is not whole is refused, and nothing of it is believed -- */

static void save_something(void)
{
    put_slo("api", 90, at(0, 0));
    request("q", 0.25, true, at(0, 0));
    request("q", 0, false, at(0, 0));
    for (int i = 0; i < 3; i++)
        gauge("cpu", "a", i, at(0, i));
    save(true, at(0, 3));
}

static void assert_nothing_known(void)
{
    profile_view_t view;
    uint64_t next = 0;
    assert_false(observability_stack_next_profile(stack, &next, &view));
}

static void test_stack_memory__a_torn_file_is_refused_wherever_it_ends(void **state)
{
    (void)state;
    save_something();
    begin();
    size_t size = file.size;
    for (file.size = 0; file.size < size; file.size++) {
        snapshot_state_t expected = file.size < 7 ? SNAPSHOT_FOREIGN : SNAPSHOT_TORN;
        assert_int_equal(restore(), expected);
    }
    assert_nothing_known();
    assert_int_equal(restore(), SNAPSHOT_GOOD);
}

static void test_stack_memory__a_file_with_one_wrong_bit_is_refused(void **state)
{
    (void)state;
    save_something();
    begin();
    for (size_t bit = 0; bit < 8 * file.size; bit++) {
        file.data[bit / 8] = (char)(file.data[bit / 8] ^ (1 << bit % 8));
        snapshot_state_t expected = bit < 56   ? SNAPSHOT_FOREIGN
                                    : bit < 64 ? SNAPSHOT_VERSION_UNKNOWN
                                               : SNAPSHOT_TORN;
        assert_int_equal(restore(), expected);
        file.data[bit / 8] = (char)(file.data[bit / 8] ^ (1 << bit % 8));
    }
    assert_nothing_known();
}

/* Sealed, so that only what the records say can be wrong. */
static void says_what_cannot_be(dice_t *dice)
{
    file.size = 0;
    begin();
    save_something();
    file.size -= SNAPSHOT_CHECKSUM_BYTES;
    for (uint64_t i = 1 + dice_below(dice, 3); i > 0; i--)
        file.data[SNAPSHOT_HEADER_BYTES + dice_below(dice, file.size - SNAPSHOT_HEADER_BYTES)] =
            (char)dice_next(dice);
    snapshot_seal(&file);
    begin();
    snapshot_state_t state = restore();
    if (state != SNAPSHOT_GOOD)
        assert_nothing_known();
    put_slo("api", 90, at(0, 0)); /* whatever was believed can be gone on with */
    gauge("cpu", "a", 1, at(0, 4));
    request("q", 1, true, at(0, 4));
    observability_stack_tick(stack, at(100 * SECOND, 100));
    save(true, at(100 * SECOND, 100));
    begin();
    assert_int_equal(restore(), SNAPSHOT_GOOD);
}

static void test_stack_memory__records_that_say_what_cannot_be_do_no_harm(void **state)
{
    (void)state;
    seeds_run(says_what_cannot_be);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_stack_memory__an_slo_goes_on_when_it_is_put_again),
        TEST(test_stack_memory__a_breach_that_ended_meanwhile_is_told),
        TEST(test_stack_memory__another_definition_begins_anew),
        TEST(test_stack_memory__a_wall_clock_that_was_set_back_is_no_time_at_all),
        TEST(test_stack_memory__a_profile_goes_on_counting),
        TEST(test_stack_memory__a_window_goes_on_when_its_series_comes_back),
        TEST(test_stack_memory__windows_are_saved_on_request_only),
        TEST(test_stack_memory__a_series_that_does_not_come_back_is_forgotten),
        TEST(test_stack_memory__any_history_comes_back_as_it_was),
        TEST(test_stack_memory__a_torn_file_is_refused_wherever_it_ends),
        TEST(test_stack_memory__a_file_with_one_wrong_bit_is_refused),
        TEST(test_stack_memory__records_that_say_what_cannot_be_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
