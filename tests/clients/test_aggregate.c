/*  What is put together must come out of the broker as if it had been sent value by value: both
 *  ways are taken through the decoder and the collector, and every answer is compared. */
#include "clients/libtocsin/aggregate.h"

#include "clients/libtocsin/event_form.h"
#include "engines/observability/metrics_collector.h"
#include "proto/decode.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

static limits_t limits;
static aggregate_t aggregate;
static metrics_collector_t *together, *alone;
static metric_batch_t batch;
static uint64_t calls;
static buffer_t released; /* the last event that arrived; `batch` looks into it */

static int set_up(void **state)
{
    (void)state;
    limits = LIMITS_DEFAULT;
    aggregate_init(&aggregate, 7);
    together = metrics_collector_new((collector_limits_t){100, 0}, 1e9, 1);
    alone = metrics_collector_new((collector_limits_t){100, 0}, 1e9, 1);
    metric_batch_init(&batch, &limits);
    calls = 0;
    return 0;
}

static int tear_down(void **state)
{
    aggregate_free(&aggregate);
    metrics_collector_destroy(&together);
    metrics_collector_destroy(&alone);
    metric_batch_free(&batch);
    buffer_free(&released);
    return seeds_teardown(state);
}

static void apply(metrics_collector_t *collector, const metric_event_t *event)
{
    const instant_t now = {1, 1};
    uint64_t hash;
    metrics_collector_hash(collector, event, 1, &hash);
    series_t *series = metrics_collector_find(collector, event, hash, now).series;
    assert_non_null(series);
    cursor_t cursor =
        cursor_over(event->values, event->values == NULL ? 0 : 9 * (size_t)event->value_count);
    for (uint32_t i = 0; i < event->value_count; i++) {
        value_t value = {.type = VALUE_FLOAT, .as = {.f = event->value}};
        assert_true(event->values == NULL || cursor_read(&cursor, &value));
        metrics_collector_apply(series, value.as.f, now);
    }
}

/*  Through the decoder into the collector; answers how many events it was. */
static size_t arrive(metrics_collector_t *collector, const buffer_t *frame)
{
    tally_t tally = {0};
    batch.count = 0;
    assert_int_equal(decode_metrics(&limits, frame->data, frame->size, &batch, &tally), STATUS_OK);
    for (size_t i = 0; i < STATUS_COUNT; i++)
        assert_int_equal(tally.refused[i], 0);
    for (size_t i = 0; i < batch.count; i++)
        apply(collector, &batch.events[i]);
    return batch.count;
}

/*  By itself into the one, put together for the other. */
static void emit(const tocsin_metric_event_t *event)
{
    buffer_t frame = {0};
    metric_put(&frame, event);
    arrive(alone, &frame);
    buffer_free(&frame);
    assert_int_equal(aggregate_add(&aggregate, (uint32_t)event->kind, event, 5.0), TOCSIN_OK);
}

/*  What was put together arrives; answers how many events it was. */
static size_t release(void)
{
    aggregate_place_t place = {0};
    size_t events = 0;
    buffer_cut(&released, 0);
    while (aggregate_put_next(&aggregate, &place, &released, &calls)) {
        events += arrive(together, &released);
        buffer_cut(&released, 0);
    }
    aggregate_clear(&aggregate);
    return events;
}

static series_t *series_of(const metrics_collector_t *collector, const char *name, const char *host)
{
    static uint8_t bytes[LABELS_MAX_BYTES];
    label_t pair = {TEXT_OF("host"), text_of(host)};
    labels_t labels = host == NULL ? LABELS_NONE : labels_build(&pair, 1, bytes);
    return metrics_collector_series(collector, text_of(name), labels);
}

static void compare_histograms(const metric_view_t *a, const metric_view_t *b)
{
    assert_int_equal(a->count, b->count);
    assert_double(a->sum, b->sum, 0);
    assert_double(a->min, b->min, 0);
    assert_double(a->max, b->max, 0);
    assert_double(a->mean, b->mean, 0);
    assert_double(a->p50, b->p50, 0);
    assert_double(a->p99, b->p99, 0);
    assert_double(a->p999, b->p999, 0);
}

/*  Both ways know this series, or neither, and answer the same of it. */
static void compare(const char *name, const char *host)
{
    series_t *a = series_of(together, name, host), *b = series_of(alone, name, host);
    assert_true((a == NULL) == (b == NULL));
    if (a == NULL)
        return;
    metric_view_t left, right;
    metrics_collector_view(together, a, &left);
    metrics_collector_view(alone, b, &right);
    assert_true(text_equal(left.unit, right.unit));
    assert_int_equal(a->kind, b->kind);
    if (a->kind == METRIC_COUNTER)
        assert_memory_equal(&a->value.counter, &b->value.counter, sizeof(counter_t));
    else if (a->kind == METRIC_GAUGE)
        assert_double(left.value, right.value, 0);
    else
        compare_histograms(&left, &right);
}

/* -- the rules one by one -- */

static tocsin_metric_event_t one(const char *name, tocsin_kind_t kind, double value)
{
    return (tocsin_metric_event_t){.name = name, .kind = kind, .value = value};
}

static void test_aggregate__increments_arrive_as_their_sum(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        tocsin_metric_event_t event = one("hits", TOCSIN_COUNTER, 3);
        emit(&event);
    }
    assert_int_equal(release(), 1);
    assert_int_equal(calls, 1000);
    assert_int_equal(series_of(together, "hits", NULL)->value.counter.whole, 3000);
    compare("hits", NULL);
}

static void test_aggregate__a_sum_that_no_double_holds_arrives_in_parts(void **state)
{
    (void)state;
    const double increments[] = {0x1p52, 0x1p52, 0x1p52, 1, 0x1p-12, 0x1p-60, 0.1};
    for (size_t i = 0; i < sizeof increments / sizeof *increments; i++) {
        tocsin_metric_event_t event = one("bytes", TOCSIN_COUNTER, increments[i]);
        emit(&event);
    }
    assert_true(release() > 1);
    compare("bytes", NULL);
}

static void test_aggregate__a_counter_that_did_not_move_is_there(void **state)
{
    (void)state;
    tocsin_metric_event_t event = one("errors", TOCSIN_COUNTER, 0);
    emit(&event);
    assert_int_equal(release(), 1);
    assert_non_null(series_of(together, "errors", NULL));
    compare("errors", NULL);
}

static void test_aggregate__increments_that_do_not_add_up_exactly_stay_what_they_are(void **state)
{
    (void)state;
    const double increments[] = {1e-30, 1, 0x1.8p-64, 2, 0x1p53, 0x1p-64};
    for (size_t i = 0; i < sizeof increments / sizeof *increments; i++) {
        tocsin_metric_event_t event = one("c", TOCSIN_COUNTER, increments[i]);
        emit(&event);
    }
    assert_true(release() >= 4);
    assert_int_equal(calls, 6);
    compare("c", NULL);
}

static void test_aggregate__of_a_gauge_the_last_arrives(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        tocsin_metric_event_t event = one("depth", TOCSIN_GAUGE, i * 0.1);
        emit(&event);
    }
    assert_int_equal(release(), 1);
    compare("depth", NULL);
}

static void test_aggregate__observations_arrive_in_one_event_in_order(void **state)
{
    (void)state;
    const double values[] = {3, -1, 0.5, 1e-9};
    tocsin_metric_event_t event = {
        .name = "latency", .kind = TOCSIN_HISTOGRAM, .values = values, .value_count = 4};
    emit(&event);
    event = one("latency", TOCSIN_HISTOGRAM, 7);
    event.unit = "seconds";
    emit(&event);
    assert_int_equal(release(), 1);
    assert_int_equal(batch.events[0].value_count, 5);
    assert_text(batch.events[0].unit, "seconds");
    compare("latency", NULL);
}

static void test_aggregate__more_observations_than_an_event_may_hold_are_split(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        tocsin_metric_event_t event = one("latency", TOCSIN_HISTOGRAM, i);
        emit(&event);
    }
    assert_int_equal(release(), 3);
    assert_int_equal(calls, 20000);
    compare("latency", NULL);
}

static void test_aggregate__labels_in_another_order_are_the_same_series(void **state)
{
    (void)state;
    const tocsin_label_t one_way[] = {{"a", "1"}, {"b", "2"}};
    const tocsin_label_t other_way[] = {{"b", "2"}, {"c", ""}, {"a", "1"}};
    tocsin_metric_event_t event = one("g", TOCSIN_GAUGE, 1);
    event.labels = one_way;
    event.label_count = 2;
    emit(&event);
    event.labels = other_way;
    event.label_count = 3;
    event.value = 2;
    emit(&event);
    event.labels = one_way;
    event.label_count = 2;
    event.value = 3;
    emit(&event);
    assert_int_equal(release(), 1);
    assert_double(batch.events[0].value, 3, 0);
}

static void test_aggregate__a_unit_is_the_first_that_any_series_of_the_metric_names(void **state)
{
    (void)state;
    tocsin_label_t label = {"host", "a"};
    tocsin_metric_event_t event = {
        .name = "g", .kind = TOCSIN_GAUGE, .labels = &label, .label_count = 1};
    emit(&event);
    label.value = "b";
    event.unit = "seconds";
    emit(&event);
    label.value = "a";
    event.unit = "bytes";
    emit(&event);
    assert_int_equal(release(), 2);
    compare("g", "a");
}

static void test_aggregate__the_last_time_named_goes_along(void **state)
{
    (void)state;
    tocsin_metric_event_t event = one("g", TOCSIN_GAUGE, 1);
    event.time = 1e9;
    emit(&event);
    event.time = 0;
    emit(&event);
    assert_int_equal(release(), 1);
    assert_double(batch.events[0].time_s, 1e9, 0);
}

static void test_aggregate__after_a_release_it_begins_anew(void **state)
{
    (void)state;
    tocsin_metric_event_t event = one("hits", TOCSIN_COUNTER, 1);
    emit(&event);
    assert_int_equal(release(), 1);
    assert_int_equal(aggregate_bytes(&aggregate), 0);
    assert_int_equal(release(), 0);
    emit(&event);
    assert_int_equal(release(), 1);
    compare("hits", NULL);
}

/* -- any history -- */

static const char *const hosts[] = {"a", "b", "c"};

static void emit_any(dice_t *dice, shape_t shape, unsigned at)
{
    static const char *const names[] = {"counter", "gauge", "histogram"};
    tocsin_kind_t kind = (tocsin_kind_t)dice_below(dice, 3);
    tocsin_label_t label = {"host", hosts[dice_below(dice, 3)]};
    double values[5];
    for (size_t i = 0; i < 5; i++)
        values[i] = dice_value(dice, shape, at);
    tocsin_metric_event_t event = {
        .name = names[kind], .kind = kind, .labels = &label, .label_count = 1};
    if (dice_chance(dice, 0.1))
        event.unit = dice_chance(dice, 0.5) ? "seconds" : "bytes";
    if (kind != TOCSIN_COUNTER && dice_chance(dice, 0.2)) {
        event.values = values;
        event.value_count = 1 + dice_below(dice, 5);
    } else {
        event.value = kind == TOCSIN_COUNTER ? fabs(values[0]) : values[0];
    }
    emit(&event);
}

static void the_answers_are_those_of_single_values(dice_t *dice)
{
    set_up(NULL);
    shape_t shape = (shape_t)dice_below(dice, SHAPE_COUNT);
    unsigned events = 1 + (unsigned)dice_below(dice, 120);
    for (unsigned at = 0; at < events; at++) {
        emit_any(dice, shape, at);
        if (dice_chance(dice, 0.05))
            release();
    }
    release();
    for (size_t i = 0; i < 3; i++) {
        compare("counter", hosts[i]);
        compare("gauge", hosts[i]);
        compare("histogram", hosts[i]);
    }
    aggregate_free(&aggregate);
    metrics_collector_destroy(&together);
    metrics_collector_destroy(&alone);
    metric_batch_free(&batch);
    buffer_free(&released);
}

static void test_aggregate__the_broker_answers_as_if_each_value_had_been_sent(void **state)
{
    (void)state;
    seeds_run(the_answers_are_those_of_single_values);
}

#define with_collectors(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_collectors(test_aggregate__increments_arrive_as_their_sum),
        with_collectors(test_aggregate__a_sum_that_no_double_holds_arrives_in_parts),
        with_collectors(test_aggregate__a_counter_that_did_not_move_is_there),
        with_collectors(test_aggregate__increments_that_do_not_add_up_exactly_stay_what_they_are),
        with_collectors(test_aggregate__of_a_gauge_the_last_arrives),
        with_collectors(test_aggregate__observations_arrive_in_one_event_in_order),
        with_collectors(test_aggregate__more_observations_than_an_event_may_hold_are_split),
        with_collectors(test_aggregate__labels_in_another_order_are_the_same_series),
        with_collectors(test_aggregate__a_unit_is_the_first_that_any_series_of_the_metric_names),
        with_collectors(test_aggregate__the_last_time_named_goes_along),
        with_collectors(test_aggregate__after_a_release_it_begins_anew),
        seeds_test(test_aggregate__the_broker_answers_as_if_each_value_had_been_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
