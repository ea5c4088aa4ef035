#include "engines/observability/observability_stack.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

#include <string.h>

/*  Samples of compact frames take a shorter way than events of their own. Two stacks are fed with
 *  the same events, marked as samples for the one and as events for the other: they must hold the
 *  same, count the same and find the same. */

#define ENTRIES_MAX 1200u /* more than are remembered */
#define EVENTS_MAX 200u
#define CALLS 6u

typedef struct {
    char text[24]; /* the name, then the labels, as they would stand in a frame */
    text_t name;
    raw_labels_t labels;
    metric_kind_t kind;
} source_t;

typedef struct {
    observability_stack_t *stack;
    tally_t tally;
    uint64_t findings; /* a mark of all of them, in order */
} side_t;

static void take_finding(void *context, const finding_t *finding)
{
    side_t *self = context;
    double value = finding->type == FINDING_RESULT ? finding->as.result.value
                                                   : finding->as.anomaly.view.last_value;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    self->findings = (self->findings ^ bits ^ (uint64_t)finding->type) * UINT64_C(0x100000001b3);
}

static void make_source(source_t *self, dice_t *dice)
{
    int size = snprintf(self->text, sizeof self->text, "m%u", (unsigned)dice_below(dice, 6));
    self->name = (text_t){self->text, (size_t)size};
    self->kind =
        dice_chance(dice, 0.02) ? METRIC_HISTOGRAM : (metric_kind_t)((unsigned)self->text[1] % 2);
    uint8_t *labels = (uint8_t *)self->text + 8;
    unsigned number = (unsigned)dice_below(dice, 400);
    memcpy(labels, "\xa1h\xa3", 3);
    labels[3] = (uint8_t)('0' + number / 100);
    labels[4] = (uint8_t)('0' + number / 10 % 10);
    labels[5] = (uint8_t)('0' + number % 10);
    self->labels =
        dice_chance(dice, 0.1) ? (raw_labels_t){NULL, 0, 0} : (raw_labels_t){labels, 6, 1};
}

static void feed(side_t *self, const metric_event_t *events, size_t count, instant_t now)
{
    observability_stack_metrics(self->stack, events, count, now, &self->tally);
}

/*  A call holds frames, and a frame samples of its own entries, or events. */
static size_t make_call(const source_t *sources, uint32_t source_count, metric_event_t *events,
                        dice_t *dice)
{
    size_t count = 1 + (size_t)dice_below(dice, EVENTS_MAX);
    bool compact = true;
    for (size_t i = 0; i < count; i++) {
        if (dice_chance(dice, 0.05))
            compact = !compact;
        uint32_t which = (uint32_t)dice_below(dice, source_count);
        const source_t *source = &sources[which];
        events[i] = (metric_event_t){.name = source->name,
                                     .labels = source->labels,
                                     .kind = source->kind,
                                     .value = (double)dice_below(dice, 100),
                                     .value_count = 1,
                                     .entry = compact ? which + 1 : 0};
    }
    return count;
}

static void expect_same_series(const observability_stack_t *a, const observability_stack_t *b)
{
    metric_view_t one, other;
    uint64_t at_one = 0, at_other = 0;
    while (observability_stack_next_metric(a, &at_one, TEXT_NONE, &one)) {
        assert_true(observability_stack_next_metric(b, &at_other, TEXT_NONE, &other));
        assert_true(text_equal(one.name, other.name) && labels_equal(one.labels, other.labels));
        assert_true(one.value == other.value || (isnan(one.value) && isnan(other.value)));
        assert_int_equal(one.count, other.count);
    }
    assert_false(observability_stack_next_metric(b, &at_other, TEXT_NONE, &other));
}

static void expect_same(const side_t *a, const side_t *b)
{
    assert_memory_equal(&a->tally, &b->tally, sizeof a->tally);
    assert_true(a->findings == b->findings);
    assert_int_equal(observability_stack_series(a->stack).overflow,
                     observability_stack_series(b->stack).overflow);
    expect_same_series(a->stack, b->stack);
}

static void open_side(side_t *self, const observability_config_t *config)
{
    *self = (side_t){.findings = 1};
    self->stack = observability_stack_new(config, (finding_sink_t){take_finding, self});
    assert_int_equal(observability_stack_plan_put(self->stack, 1, TEXT_OF("m1 > 50"), 60, 300,
                                                  (instant_t){1, 1}),
                     STATUS_OK);
}

static void feed_both(dice_t *dice)
{
    static source_t sources[ENTRIES_MAX];
    static metric_event_t events[EVENTS_MAX + 1];
    uint32_t source_count = 1 + (uint32_t)dice_below(dice, ENTRIES_MAX);
    observability_config_t config = observability_config_default();
    config.series = 1 + (uint32_t)dice_below(dice, 500);
    config.operations = config.dependencies = config.slos = config.plans = 4;
    side_t samples, plain;
    open_side(&samples, &config);
    open_side(&plain, &config);
    for (uint32_t i = 0; i < source_count; i++)
        make_source(&sources[i], dice);
    for (uint32_t call = 0; call < CALLS; call++) {
        instant_t now = {(call + 1) * NS_PER_S, 1.8e9 + call};
        size_t count = make_call(sources, source_count, events, dice);
        feed(&samples, events, count, now);
        for (size_t i = 0; i < count; i++)
            events[i].entry = 0;
        feed(&plain, events, count, now);
    }
    expect_same(&samples, &plain);
    observability_stack_destroy(&samples.stack);
    observability_stack_destroy(&plain.stack);
}

static void test_observability_stack_compact__a_sample_means_the_event_it_stands_for(void **state)
{
    (void)state;
    seeds_run(feed_both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        seeds_test(test_observability_stack_compact__a_sample_means_the_event_it_stands_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
