#include "engines/observability/metrics_collector.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"
#include "tests/engines/wire.h"

static metrics_collector_t *collector;
static int64_t clock_ns;

#define TTL_S 100.0
#define LIMITS(series_) ((collector_limits_t){(series_), 8})
#define SECOND INT64_C(1000000000)

static int set_up(void **state)
{
    (void)state;
    collector = metrics_collector_new(LIMITS(10), TTL_S, 42);
    clock_ns = 0;
    return 0;
}

static int tear_down(void **state)
{
    metrics_collector_destroy(&collector);
    return seeds_teardown(state);
}

static instant_t now(void)
{
    return (instant_t){clock_ns, 1e6 + (double)clock_ns / 1e9};
}

static found_t take_event(const metric_event_t *event)
{
    uint64_t hash;
    metrics_collector_hash(collector, event, 1, &hash);
    found_t found = metrics_collector_find(collector, event, hash, now());
    if (found.series != NULL)
        metrics_collector_apply(found.series, event->value, now());
    return found;
}

static found_t take(metric_kind_t kind, const char *name, raw_labels_t labels, double value)
{
    metric_event_t event = {
        .name = text_of(name), .labels = labels, .value = value, .value_count = 1, .kind = kind};
    return take_event(&event);
}

static found_t take_one(metric_kind_t kind, const char *name, const char *host, double value)
{
    uint8_t raw[64];
    label_t pair = {TEXT_OF("host"), text_of(host)};
    return take(kind, name, wire_labels(raw, &pair, host == NULL ? 0 : 1), value);
}

static const series_t *series_of(const char *name, const char *label, const char *value)
{
    static uint8_t bytes[LABELS_MAX_BYTES];
    label_t pair = {text_of(label), text_of(value)};
    labels_t labels = label == NULL ? LABELS_NONE : labels_build(&pair, 1, bytes);
    return metrics_collector_series(collector, text_of(name), labels);
}

static void leave(void *context, series_t *series)
{
    (void)series;
    *(int *)context += 1;
}

static int expire(void)
{
    int left = 0;
    metrics_collector_expire(collector, now(), leave, &left);
    return left;
}

/* -- identity -- */

static void test_metrics_collector__labels_in_any_order_are_one_series(void **state)
{
    (void)state;
    uint8_t raw[200];
    label_t a = {TEXT_OF("a"), TEXT_OF("1")}, b = {TEXT_OF("b"), TEXT_OF("2")};
    label_t none = {TEXT_OF("c"), TEXT_OF("")};
    label_t orders[][3] = {{a, b, none}, {b, none, a}, {none, a, b}, {b, a, none}};
    const series_t *first = NULL;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++) {
            raw_labels_t labels = wire_labels(raw, orders[i], i == 3 ? 2 : 3);
            found_t found = take(METRIC_COUNTER, "m", labels, 1);
            assert_true(found.created == (first == NULL));
            first = first == NULL ? found.series : first;
            assert_ptr_equal(found.series, first);
        }
    }
    assert_int_equal(first->value.counter.whole, 12);
    assert_int_equal(metrics_collector_use(collector).count, 1);
}

static void test_metrics_collector__a_name_keeps_the_kind_it_first_had(void **state)
{
    (void)state;
    take_one(METRIC_COUNTER, "m", "a", 1);
    assert_int_equal(take_one(METRIC_GAUGE, "m", "a", 5).status, STATUS_KIND_MISMATCH);
    assert_int_equal(take_one(METRIC_HISTOGRAM, "m", "new", 5).status, STATUS_KIND_MISMATCH);
    assert_int_equal(take_one(METRIC_COUNTER, "m", "a", 1).status, STATUS_OK);
    assert_int_equal(metrics_collector_use(collector).count, 1);
    assert_int_equal(series_of("m", "host", "a")->value.counter.whole, 2);
}

static void test_metrics_collector__a_unit_is_kept_from_the_first_that_names_it(void **state)
{
    (void)state;
    metric_event_t event = {.name = TEXT_OF("m"), .kind = METRIC_GAUGE};
    assert_false(take_event(&event).unit_named);
    event.unit = TEXT_OF("ratio");
    assert_true(take_event(&event).unit_named);
    event.unit = TEXT_OF("bytes");
    assert_false(take_event(&event).unit_named);
    metric_view_t view;
    metrics_collector_view(collector, series_of("m", NULL, NULL), &view);
    assert_text(view.unit, "ratio");
}

static void test_metrics_collector__name_and_labels_do_not_run_into_each_other(void **state)
{
    (void)state;
    uint8_t raw[64];
    label_t pair = {TEXT_OF("a"), TEXT_OF("b")};
    raw_labels_t labels = wire_labels(raw, &pair, 1);
    char longer[8] = "m";
    memcpy(longer + 1, raw, labels.size);
    longer[1 + labels.size] = '\0';
    take(METRIC_GAUGE, "m", labels, 1);
    take(METRIC_GAUGE, longer, (raw_labels_t){NULL, 0, 0}, 2);
    assert_int_equal(metrics_collector_use(collector).count, 2);
}

/* -- limits -- */

static void test_metrics_collector__past_the_limit_events_go_to_overflow(void **state)
{
    (void)state;
    for (int i = 0; i < 25; i++)
        take_one(METRIC_COUNTER, "m", (char[]){(char)('a' + i), '\0'}, 1);
    collector_use_t use = metrics_collector_use(collector);
    assert_int_equal(use.count, 10);
    assert_int_equal(use.overflow, 15);
    assert_int_equal(series_of("m", "__overflow__", "true")->value.counter.whole, 15);
    take_one(METRIC_COUNTER, "m", "c", 1); /* what was there goes on undisturbed */
    assert_int_equal(series_of("m", "host", "c")->value.counter.whole, 2);
}

static void test_metrics_collector__refuses_when_there_are_as_many_metrics_as_may_be(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        found_t found = take_one(METRIC_GAUGE, (char[]){(char)('a' + i), '\0'}, NULL, 1);
        assert_int_equal(found.status, STATUS_OK);
    }
    assert_int_equal(take_one(METRIC_GAUGE, "k", NULL, 1).status, STATUS_LIMIT);
    assert_int_equal(take_one(METRIC_GAUGE, "a", "new", 1).status, STATUS_OK); /* overflow */
    assert_int_equal(metrics_collector_use(collector).overflow, 1);
    metrics_collector_configure(collector, LIMITS(30), TTL_S);
    assert_int_equal(take_one(METRIC_GAUGE, "k", NULL, 1).status, STATUS_OK);
    assert_true(take_one(METRIC_GAUGE, "a", "newer", 1).created);
}

static void test_metrics_collector__an_overflow_series_sent_on_is_no_series_of_its_own(void **state)
{
    (void)state;
    uint8_t raw[64];
    label_t pair = {TEXT_OF("__overflow__"), TEXT_OF("true")};
    take(METRIC_COUNTER, "m", wire_labels(raw, &pair, 1), 5);
    for (int i = 0; i < 12; i++)
        take_one(METRIC_COUNTER, "m", (char[]){(char)('a' + i), '\0'}, 1);
    collector_use_t use = metrics_collector_use(collector);
    assert_int_equal(use.count, 10);
    assert_int_equal(use.overflow, 2);
    assert_int_equal(series_of("m", "__overflow__", "true")->value.counter.whole, 7);
}

static void test_metrics_collector__forms_beyond_the_aliases_still_find_their_series(void **state)
{
    (void)state;
    uint8_t raw[200];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 40; i++) { /* forty ways to say the same */
            char padding[2] = {(char)('A' + i), '\0'};
            label_t pairs[] = {{text_of(padding), TEXT_OF("")}, {TEXT_OF("z"), TEXT_OF("1")}};
            take(METRIC_COUNTER, "m", wire_labels(raw, pairs, 2), 1);
        }
    }
    assert_int_equal(metrics_collector_use(collector).count, 1);
    assert_int_equal(series_of("m", "z", "1")->value.counter.whole, 80);
}

/* -- expiry -- */

static void test_metrics_collector__an_idle_series_expires_after_its_ttl(void **state)
{
    (void)state;
    take_one(METRIC_GAUGE, "m", "a", 1);
    take_one(METRIC_GAUGE, "m", "b", 1);
    clock_ns = 60 * SECOND;
    take_one(METRIC_GAUGE, "m", "b", 1);
    clock_ns = 100 * SECOND;
    assert_int_equal(expire(), 0);
    clock_ns = 100 * SECOND + SECOND / 10;
    assert_int_equal(expire(), 1);
    assert_null(series_of("m", "host", "a"));
    assert_non_null(series_of("m", "host", "b"));
    clock_ns = 160 * SECOND;
    assert_int_equal(expire(), 0);
    clock_ns = 160 * SECOND + SECOND / 10;
    assert_int_equal(expire(), 1);
    assert_int_equal(take_one(METRIC_COUNTER, "m", "a", 1).status, STATUS_OK); /* kind forgotten */
}

static void test_metrics_collector__a_jump_of_an_hour_expires_all_that_is_idle(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        take_one(METRIC_GAUGE, "m", (char[]){(char)('a' + i), '\0'}, 1);
    clock_ns = 3600 * SECOND;
    take_one(METRIC_GAUGE, "m", "c", 1);
    assert_int_equal(expire(), 9);
    assert_int_equal(expire(), 0);
    assert_non_null(series_of("m", "host", "c"));
}

static void test_metrics_collector__many_expire_in_steps(void **state)
{
    (void)state;
    metrics_collector_destroy(&collector);
    collector = metrics_collector_new(LIMITS(10000), TTL_S, 1);
    for (int i = 0; i < 10000; i++) {
        char host[16];
        snprintf(host, sizeof host, "%d", i);
        take_one(METRIC_GAUGE, "m", host, 1);
    }
    clock_ns = 200 * SECOND;
    assert_int_equal(expire(), EXPIRY_STEP);
    assert_int_equal(expire(), EXPIRY_STEP);
    assert_int_equal(expire(), 10000 - 2 * EXPIRY_STEP);
    assert_int_equal(metrics_collector_use(collector).count, 0);
}

/* -- the broker's own -- */

static void test_metrics_collector__its_own_series_have_their_own_room(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        take_one(METRIC_GAUGE, "m", (char[]){(char)('a' + i), '\0'}, 1);
    own_series_t own = {.name = TEXT_OF("tocsin_x"), .kind = METRIC_GAUGE, .pinned = true};
    bool created;
    series_t *series = metrics_collector_set(collector, &own, 5, now(), &created);
    assert_true(created && series_value(series) == 5);
    assert_ptr_equal(metrics_collector_set(collector, &own, 6, now(), &created), series);
    assert_false(created);
    assert_int_equal(metrics_collector_use(collector).count, 10);
    clock_ns = 10000 * SECOND;
    assert_int_equal(expire(), 10);
    assert_non_null(series_of("tocsin_x", NULL, NULL));
    metrics_collector_remove(collector, series);
    assert_null(series_of("tocsin_x", NULL, NULL));
}

/* -- against a reference that compares everything with everything -- */

#define MODEL_SERIES 64
#define MODEL_LIMIT 20
#define MODEL_VALUES 300 /* each of a history's events may fall into one series */

typedef struct {
    char name[4];
    uint8_t labels[64];
    uint32_t labels_size;
    metric_kind_t kind;
    double values[MODEL_VALUES];
    int count;
    int64_t touched;
    bool overflow;
} model_series_t;

typedef struct {
    model_series_t series[MODEL_SERIES];
    int count;
    uint64_t overflow;
} model_t;

static const uint8_t overflow_labels[] = "\xac__overflow__\xa4true";

static bool model_same(const model_series_t *series, const char *name, labels_t labels)
{
    return strcmp(series->name, name) == 0 && series->labels_size == labels.size &&
           (labels.size == 0 || memcmp(series->labels, labels.bytes, labels.size) == 0);
}

static model_series_t *model_find(model_t *model, const char *name, labels_t labels)
{
    for (int i = 0; i < model->count; i++)
        if (model_same(&model->series[i], name, labels))
            return &model->series[i];
    return NULL;
}

static int model_within_limit(const model_t *model)
{
    int count = 0;
    for (int i = 0; i < model->count; i++)
        count += !model->series[i].overflow;
    return count;
}

static model_series_t *model_add(model_t *model, const char *name, labels_t labels,
                                 metric_kind_t kind)
{
    model_series_t *series = &model->series[model->count++];
    *series = (model_series_t){.labels_size = labels.size, .kind = kind};
    strcpy(series->name, name);
    if (labels.size > 0)
        memcpy(series->labels, labels.bytes, labels.size);
    return series;
}

static model_series_t *model_series(model_t *model, const char *name, labels_t labels,
                                    metric_kind_t kind)
{
    for (int i = 0; i < model->count; i++)
        if (strcmp(model->series[i].name, name) == 0 && model->series[i].kind != kind)
            return NULL;
    model_series_t *series = model_find(model, name, labels);
    if (series != NULL)
        return series;
    if (model_within_limit(model) < MODEL_LIMIT)
        return model_add(model, name, labels, kind);
    labels_t overflow = {overflow_labels, sizeof overflow_labels - 1, 1};
    model->overflow++;
    series = model_find(model, name, overflow);
    if (series == NULL)
        series = model_add(model, name, overflow, kind);
    series->overflow = true;
    return series;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void assert_histogram(const model_series_t *series, const metric_view_t *view)
{
    double sorted[MODEL_VALUES];
    long double sum = 0;
    memcpy(sorted, series->values, sizeof sorted);
    qsort(sorted, (size_t)series->count, sizeof *sorted, by_size);
    for (int i = 0; i < series->count; i++)
        sum += sorted[i];
    assert_int_equal(view->count, series->count);
    assert_true(view->min == sorted[0] && view->max == sorted[series->count - 1]);
    assert_double(view->sum, (double)sum, 1e-9);
    double median = sorted[(series->count + 1) / 2 - 1];
    assert_double(view->p50, median, fabs(median) * 0.01);
}

static void assert_series(const model_series_t *series)
{
    uint8_t bytes[64];
    memcpy(bytes, series->labels, sizeof bytes);
    labels_t labels = {bytes, series->labels_size, series->labels_size > 0};
    const series_t *actual = metrics_collector_series(collector, text_of(series->name), labels);
    assert_non_null(actual);
    metric_view_t view;
    metrics_collector_view(collector, actual, &view);
    assert_int_equal(view.kind, series->kind);
    if (series->kind == METRIC_HISTOGRAM) {
        assert_histogram(series, &view);
        return;
    }
    double sum = 0; /* of multiples of 1/4: exact */
    for (int i = 0; i < series->count; i++)
        sum += series->values[i];
    double last = series->values[series->count - 1];
    assert_true(view.value == (series->kind == METRIC_COUNTER ? sum : last));
}

/* A list in order of creation holds the same series in the same order, but for those that expired.
 */
static void assert_all(const model_t *model)
{
    uint64_t at = 0;
    for (int i = 0; i < model->count; i++) {
        const series_t *actual = metrics_collector_next(collector, &at);
        assert_non_null(actual);
        labels_t labels = series_labels(actual);
        const metric_t *metric = metrics_collector_metric_of(collector, actual);
        assert_text(metric_name(metric), model->series[i].name);
        assert_int_equal(labels.size, model->series[i].labels_size);
        assert_series(&model->series[i]);
    }
    assert_null(metrics_collector_next(collector, &at));
    assert_int_equal(metrics_collector_use(collector).overflow, model->overflow);
}

static uint32_t pick_labels(dice_t *dice, label_t *pairs)
{
    static const char *const names[] = {"a", "b", "c"};
    static const char *const values[] = {"1", "2", ""};
    uint32_t count = 0;
    for (int i = 0; i < 3; i++)
        if (dice_chance(dice, 0.5))
            pairs[count++] = (label_t){text_of(names[i]), text_of(values[dice_below(dice, 3)])};
    for (uint32_t i = count; i > 1; i--) { /* in any order */
        uint32_t other = (uint32_t)dice_below(dice, i);
        label_t kept = pairs[i - 1];
        pairs[i - 1] = pairs[other];
        pairs[other] = kept;
    }
    return count;
}

static void one_event(dice_t *dice, model_t *model)
{
    static uint8_t canonical[LABELS_MAX_BYTES];
    uint8_t raw[64];
    label_t pairs[3];
    char name[4] = {'m', (char)('0' + dice_below(dice, 4)), '\0'};
    metric_kind_t kind = dice_chance(dice, 0.9) ? (metric_kind_t)(name[1] % 3) : METRIC_GAUGE;
    raw_labels_t labels = wire_labels(raw, pairs, pick_labels(dice, pairs));
    double value = (double)dice_below(dice, 1000) / 4;
    model_series_t *series = model_series(model, name, labels_canonical(labels, canonical), kind);
    found_t found = take(kind, name, labels, value);
    assert_int_equal(found.status, series == NULL ? STATUS_KIND_MISMATCH : STATUS_OK);
    if (series == NULL)
        return;
    series->values[series->count++] = value;
    series->touched = clock_ns;
}

/* Time passes far beyond the ttl: what was not touched since goes, nothing else. */
static void long_pause(model_t *model)
{
    clock_ns += 60 * SECOND;
    for (int tick = 0; tick < 3; tick++)
        expire();
    int kept = 0;
    for (int i = 0; i < model->count; i++)
        if (clock_ns - model->series[i].touched < 101 * SECOND)
            model->series[kept++] = model->series[i];
    model->count = kept;
}

static void equals_the_reference(dice_t *dice)
{
    static model_t model;
    model.count = 0;
    model.overflow = 0;
    clock_ns = 0;
    metrics_collector_destroy(&collector);
    collector = metrics_collector_new(LIMITS(MODEL_LIMIT), TTL_S, dice_next(dice));
    for (int i = 0; i < MODEL_VALUES; i++) {
        if (dice_chance(dice, 0.01))
            long_pause(&model);
        if (model.count < MODEL_SERIES - 1)
            one_event(dice, &model);
        if (i % 50 == 0)
            assert_all(&model);
    }
    assert_all(&model);
}

static void test_metrics_collector__equals_a_reference_that_compares_everything(void **state)
{
    (void)state;
    seeds_run(equals_the_reference);
}

/* -- merging -- */

static void feed(metrics_collector_t *to, const metric_event_t *event, int64_t at)
{
    uint64_t hash;
    metrics_collector_hash(to, event, 1, &hash);
    found_t found = metrics_collector_find(to, event, hash, (instant_t){at, (double)at});
    metrics_collector_apply(found.series, event->value, (instant_t){at, (double)at});
}

static void assert_same_view(const metric_view_t *a, const metric_view_t *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_double(a->value, b->value, 0);
    assert_int_equal(a->whole_value, b->whole_value);
    assert_double(a->updated_at, b->updated_at, 0);
    assert_int_equal(a->count, b->count);
    assert_double(a->sum, b->sum, 0);
    assert_double(a->min, b->min, 0);
    assert_double(a->max, b->max, 0);
    assert_double(a->p50, b->p50, 0);
    assert_double(a->p999, b->p999, 0);
}

static void assert_same_collectors(const metrics_collector_t *a, const metrics_collector_t *b)
{
    assert_int_equal(metrics_collector_use(a).count, metrics_collector_use(b).count);
    uint64_t at = 0;
    for (const series_t *series; (series = metrics_collector_next(a, &at)) != NULL;) {
        metric_view_t left, right;
        metrics_collector_view(a, series, &left);
        const series_t *other = metrics_collector_series(b, left.name, left.labels);
        assert_non_null(other);
        metrics_collector_view(b, other, &right);
        assert_same_view(&left, &right);
    }
}

#define PARTS 3

static void merge_all(metrics_collector_t *into, metrics_collector_t **parts, int first, int step)
{
    for (int i = 0, part = first; i < PARTS; i++, part += step)
        metrics_collector_merge(into, parts[part], (instant_t){0, 0});
}

/* (a + b) + c = c + (b + a) = a + (b + c) = one that saw all */
static void merging_is_adding(dice_t *dice)
{
    metrics_collector_t *parts[PARTS], *all = metrics_collector_new(LIMITS(100), TTL_S, 1);
    for (int i = 0; i < PARTS; i++)
        parts[i] = metrics_collector_new(LIMITS(100), TTL_S, dice_next(dice));
    for (int64_t at = 1; at <= 60; at++) {
        uint8_t raw[64];
        label_t pairs[3];
        char name[4] = {'m', (char)('0' + dice_below(dice, 3)), '\0'};
        metric_event_t event = {.name = text_of(name),
                                .labels = wire_labels(raw, pairs, pick_labels(dice, pairs)),
                                .value = (double)dice_below(dice, 1u << 20) / 1024 + 0.1,
                                .kind = (metric_kind_t)(name[1] - '0')};
        feed(all, &event, at);
        feed(parts[dice_below(dice, PARTS)], &event, at);
    }
    metrics_collector_t *left = metrics_collector_new(LIMITS(100), TTL_S, 2);
    metrics_collector_t *right = metrics_collector_new(LIMITS(100), TTL_S, 3);
    merge_all(left, parts, 0, 1);
    merge_all(right, parts, PARTS - 1, -1);
    metrics_collector_merge(parts[1], parts[2], (instant_t){0, 0});
    metrics_collector_merge(parts[0], parts[1], (instant_t){0, 0});
    assert_same_collectors(all, left);
    assert_same_collectors(all, right);
    assert_same_collectors(all, parts[0]);
    for (int i = 0; i < PARTS; i++)
        metrics_collector_destroy(&parts[i]);
    metrics_collector_destroy(&all);
    metrics_collector_destroy(&left);
    metrics_collector_destroy(&right);
}

static void test_metrics_collector__merging_is_adding_in_any_order(void **state)
{
    (void)state;
    seeds_run(merging_is_adding);
}

static void test_metrics_collector__of_two_gauges_of_one_moment_the_greater_stands(void **state)
{
    (void)state;
    metrics_collector_t *a = metrics_collector_new(LIMITS(9), TTL_S, 0);
    metrics_collector_t *b = metrics_collector_new(LIMITS(9), TTL_S, 0);
    metric_event_t event = {.name = TEXT_OF("g"), .kind = METRIC_GAUGE, .value = 3};
    feed(a, &event, 5);
    event.value = 2;
    feed(b, &event, 5);
    metrics_collector_merge(b, a, (instant_t){0, 0});
    metrics_collector_merge(a, b, (instant_t){0, 0});
    assert_true(series_value(metrics_collector_series(a, TEXT_OF("g"), LABELS_NONE)) == 3);
    assert_true(series_value(metrics_collector_series(b, TEXT_OF("g"), LABELS_NONE)) == 3);
    metrics_collector_destroy(&a);
    metrics_collector_destroy(&b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_metrics_collector__labels_in_any_order_are_one_series),
        TEST(test_metrics_collector__a_name_keeps_the_kind_it_first_had),
        TEST(test_metrics_collector__a_unit_is_kept_from_the_first_that_names_it),
        TEST(test_metrics_collector__name_and_labels_do_not_run_into_each_other),
        TEST(test_metrics_collector__past_the_limit_events_go_to_overflow),
        TEST(test_metrics_collector__refuses_when_there_are_as_many_metrics_as_may_be),
        TEST(test_metrics_collector__an_overflow_series_sent_on_is_no_series_of_its_own),
        TEST(test_metrics_collector__forms_beyond_the_aliases_still_find_their_series),
        TEST(test_metrics_collector__an_idle_series_expires_after_its_ttl),
        TEST(test_metrics_collector__a_jump_of_an_hour_expires_all_that_is_idle),
        TEST(test_metrics_collector__many_expire_in_steps),
        TEST(test_metrics_collector__its_own_series_have_their_own_room),
        TEST(test_metrics_collector__equals_a_reference_that_compares_everything),
        TEST(test_metrics_collector__merging_is_adding_in_any_order),
        TEST(test_metrics_collector__of_two_gauges_of_one_moment_the_greater_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
