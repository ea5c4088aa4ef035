#include "engines/observability/slo_monitor.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"
#include "tests/engines/wire.h"

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static slo_monitor_t *monitor;
static int64_t clock_ns;

/* What was told: "ok>breached ok<burning" without the rest. */
static char told[4096];

static const char *const words[] = {"insufficient", "ok", "burning", "breached"};

static void hear(void *context, const slo_view_t *view, slo_status_t from, instant_t now)
{
    (void)context, (void)now;
    size_t size = strlen(told);
    snprintf(told + size, sizeof told - size, "%.*s:%s>%s ", (int)view->slo.name.size,
             view->slo.name.data, words[from], words[view->status]);
}

static void begin(void)
{
    slo_monitor_destroy(&monitor);
    monitor = slo_monitor_new(8, 42, (slo_sink_t){hear, NULL});
    clock_ns = 0;
    told[0] = '\0';
}

static int set_up(void **state)
{
    (void)state;
    begin();
    return 0;
}

static int tear_down(void **state)
{
    slo_monitor_destroy(&monitor);
    return seeds_teardown(state);
}

static instant_t now(void)
{
    return (instant_t){clock_ns, 1e6 + (double)clock_ns / 1e9};
}

static slo_t slo_of(const char *name, double target)
{
    return (slo_t){.name = text_of(name),
                   .target_percent = target,
                   .window = 60,
                   .period = 30 * 86400.0,
                   .latency = NAN,
                   .min_events = 10};
}

static void put(const char *name, double target)
{
    slo_t slo = slo_of(name, target);
    assert_int_equal(slo_monitor_put(monitor, &slo, now()), STATUS_OK);
}

static void requests(int good, int bad)
{
    for (int i = 0; i < good + bad; i++) {
        request_event_t request = {.operation = TEXT_OF("op"), .error = i >= good, .attempt = 1};
        slo_monitor_record(monitor, &request, now());
    }
}

static slo_view_t view_of(const char *name)
{
    slo_view_t view;
    assert_true(slo_monitor_get(monitor, text_of(name), now(), &view));
    return view;
}

static void assert_told(const char *expected)
{
    assert_string_equal(told, expected);
    told[0] = '\0';
}

/* -- compliance, budget, status -- */

static void test_slo_monitor__without_data_everything_is_absent(void **state)
{
    (void)state;
    put("api", 99.9);
    slo_view_t view = view_of("api");
    assert_int_equal(view.status, SLO_INSUFFICIENT_DATA);
    assert_true(isnan(view.compliance_percent) && isnan(view.error_budget));
    assert_true(isnan(view.burn.w5m) && isnan(view.burn.w3d));
    assert_true(isnan(view.budget_minutes_left) && isnan(view.exhausts_at));
    assert_int_equal(view.total, 0);
}

static void test_slo_monitor__exactly_the_target_is_kept(void **state)
{
    (void)state;
    put("api", 99.9);
    clock_ns = 100 * SECOND;
    requests(999, 1);
    slo_view_t view = view_of("api");
    assert_true(view.compliance_percent == 99.9);
    assert_true(view.error_budget == 0);
    assert_int_equal(view.status, SLO_OK);
    requests(0, 1);
    assert_int_equal(view_of("api").status, SLO_BREACHED);
}

static void test_slo_monitor__is_breached_recovers_and_falls_silent(void **state)
{
    (void)state;
    put("api", 90);
    requests(9, 1);
    assert_told("api:insufficient>ok ");
    requests(0, 1);
    assert_told("api:ok>breached ");
    requests(8, 0);
    assert_told("");
    requests(1, 0); /* 2 of 20 */
    assert_told("api:breached>ok ");
    clock_ns = 61 * SECOND - 1;
    slo_monitor_roll(monitor, now());
    assert_told("");
    assert_int_equal(slo_monitor_next_boundary(monitor), 61 * SECOND);
    clock_ns = 61 * SECOND;
    slo_monitor_roll(monitor, now());
    assert_told("api:ok>insufficient ");
    assert_double(view_of("api").since, 1e6 + 61, 0);
}

static void test_slo_monitor__time_alone_ends_a_breach(void **state)
{
    (void)state;
    put("api", 50);
    requests(0, 2);
    assert_told("api:insufficient>breached ");
    clock_ns = 30 * SECOND;
    requests(1, 0);
    clock_ns = 61 * SECOND;
    slo_monitor_roll(monitor, now());
    assert_told("api:breached>ok ");
}

static void test_slo_monitor__an_outage_of_the_broker_is_a_gap_not_good_minutes(void **state)
{
    (void)state;
    slo_t slo = slo_of("api", 90);
    slo.window = 3600;
    slo_monitor_put(monitor, &slo, now());
    requests(9, 1);
    clock_ns = 30 * MINUTE;
    slo_view_t view = view_of("api");
    assert_int_equal(view.total, 10);
    assert_true(view.compliance_percent == 90);
    clock_ns = 61 * MINUTE;
    assert_int_equal(view_of("api").total, 0);
}

static void test_slo_monitor__a_slow_answer_is_bad_and_one_at_the_limit_is_good(void **state)
{
    (void)state;
    slo_t slo = slo_of("api", 50);
    slo.latency = 0.3;
    slo_monitor_put(monitor, &slo, now());
    const double durations[] = {0.1, 0.3, 0.30000000000000004, 5};
    for (int i = 0; i < 4; i++) {
        request_event_t request = {.operation = TEXT_OF("x"), .duration_s = durations[i]};
        slo_monitor_record(monitor, &request, now());
    }
    assert_int_equal(view_of("api").good, 2);
    assert_int_equal(view_of("api").bad, 2);
}

/* -- burn -- */

static void test_slo_monitor__burn_rates_are_error_ratio_over_what_is_allowed(void **state)
{
    (void)state;
    put("api", 99.9);
    requests(985, 15);
    slo_view_t view = view_of("api");
    assert_true(view.burn.w5m == 15 && view.burn.w30m == 15 && view.burn.w1h == 15);
    assert_true(view.burn.w2h == 15 && view.burn.w6h == 15 && view.burn.w24h == 15);
    assert_true(view.burn.w3d == 15);
}

static slo_status_t status_after_ten_thousand(int bad)
{
    begin();
    put("api", 99.9);
    requests(9999 - bad, bad);
    clock_ns = 62 * SECOND; /* the bad ones have left its own window */
    requests(1, 0);
    assert_int_equal(view_of("api").total, 1);
    return view_of("api").status;
}

static void test_slo_monitor__exactly_the_rate_does_not_burn_and_above_does(void **state)
{
    (void)state;
    assert_int_equal(status_after_ten_thousand(10), SLO_OK);
    assert_true(view_of("api").burn.w6h == 1 && view_of("api").burn.w3d == 1);
    assert_int_equal(status_after_ten_thousand(11), SLO_BURNING);
}

static void test_slo_monitor__a_pair_needs_both_of_its_windows(void **state)
{
    (void)state;
    slo_t slo = slo_of("api", 99);
    slo.period = 7 * 86400.0; /* 3.36 over 1 h, 1.4 over 6 h, 0.7 over 24 h, 0.233 over 3 d */
    slo_monitor_put(monitor, &slo, now());
    requests(900, 100);
    told[0] = '\0';
    clock_ns = 62 * SECOND;
    requests(1000, 0);
    assert_told("api:breached>burning ");
    clock_ns = 7 * HOUR; /* every short window is over but 6 h, whose pair is 3 d */
    slo_monitor_roll(monitor, now());
    requests(1, 0);
    assert_int_equal(view_of("api").status, SLO_OK);
    assert_true(view_of("api").burn.w3d > 0.2333);
}

static void test_slo_monitor__few_events_do_not_burn(void **state)
{
    (void)state;
    slo_t slo = slo_of("api", 99);
    slo.window = 60;
    slo.min_events = 10;
    slo_monitor_put(monitor, &slo, now());
    requests(0, 8);
    clock_ns = 62 * SECOND;
    requests(1, 0);
    assert_int_equal(view_of("api").status, SLO_OK); /* 8 of 9 bad, in every burn window */
    requests(1, 0);
    assert_int_equal(view_of("api").status, SLO_BURNING); /* the tenth */
}

static void test_slo_monitor__a_total_outage_pages_after_52_seconds(void **state)
{
    (void)state; /* the workbook: 14.4 x fires after 0.001 / 1 x 3600 s x 14.4 = 51.84 s */
    slo_t slo = slo_of("api", 99.9);
    slo.window = 0.06; /* its own window sees one burst at a time */
    slo.period = 30 * 86400.0;
    slo_monitor_put(monitor, &slo, now());
    for (; clock_ns < HOUR; clock_ns += SECOND)
        requests(100, 0);
    int64_t fired = 0;
    for (int64_t at = HOUR; fired == 0 && at < HOUR + 5 * MINUTE; at += SECOND) {
        clock_ns = at;
        requests(0, 100);
        clock_ns = at + SECOND / 2;
        slo_monitor_roll(monitor, now()); /* the own window is empty again */
        slo_view_t view = view_of("api");
        if (view.burn.w1h > 14.4 && view.burn.w5m > 14.4)
            fired = at + SECOND - HOUR;
    }
    assert_in_range(fired / SECOND, 51, 54); /* the hour's window is up to a minute longer */
}

/* The workbook: a total outage at 99.9 % fires a pair after 0.001 x long window x rate. The long
 * window is up to a sixtieth longer than its name. */
static void test_slo_monitor__a_total_outage_exceeds_each_rate_when_the_workbook_says(void **state)
{
    (void)state;
    const struct {
        double rate, expected_s;
        size_t of_long, of_short;
    } pair[] = {{14.4, 51.84, offsetof(slo_burn_t, w1h), offsetof(slo_burn_t, w5m)},
                {6, 129.6, offsetof(slo_burn_t, w6h), offsetof(slo_burn_t, w30m)},
                {3, 259.2, offsetof(slo_burn_t, w24h), offsetof(slo_burn_t, w2h)},
                {1, 259.2, offsetof(slo_burn_t, w3d), offsetof(slo_burn_t, w6h)}};
    double fired_s[4] = {0};
    put("api", 99.9);
    for (; clock_ns < 4 * DAY; clock_ns += SECOND)
        requests(1, 0);
    for (int64_t from = clock_ns; clock_ns < from + 5 * MINUTE; clock_ns += SECOND) {
        requests(0, 1);
        slo_view_t view = view_of("api");
        for (int i = 0; i < 4; i++) {
            const char *rates = (const char *)&view.burn;
            bool exceeded =
                *(const double *)(const void *)(rates + pair[i].of_long) > pair[i].rate &&
                *(const double *)(const void *)(rates + pair[i].of_short) > pair[i].rate;
            if (exceeded && fired_s[i] == 0)
                fired_s[i] = (double)(clock_ns + SECOND - from) / (double)SECOND;
        }
    }
    for (int i = 0; i < 4; i++)
        assert_true(fired_s[i] >= pair[i].expected_s &&
                    fired_s[i] <= pair[i].expected_s * 61 / 60 + 2);
}

static void assert_left_out(double target, double period_days, const char *expected)
{
    char text[256] = "";
    begin();
    slo_t slo = slo_of("x", target);
    slo.period = period_days * 86400;
    assert_int_equal(slo_monitor_put(monitor, &slo, now()), STATUS_OK);
    slo_view_t view = view_of("x");
    for (size_t i = 0; i < view.left_out.count; i++) {
        strncat(text, view.left_out.items[i].data, view.left_out.items[i].size);
        strcat(text, ", ");
    }
    assert_string_equal(text, expected);
}

static void test_slo_monitor__leaves_out_the_pairs_that_a_target_can_never_reach(void **state)
{
    (void)state;
    assert_left_out(99.9, 30, "");
    assert_left_out(93.1, 30, "");
    assert_left_out(93, 30, "14.4x 1h/5m, ");
    assert_left_out(90, 30, "14.4x 1h/5m, ");
    assert_left_out(80, 30, "14.4x 1h/5m, 6x 6h/30m, ");
    assert_left_out(50, 30, "14.4x 1h/5m, 6x 6h/30m, 3x 24h/2h, ");
    assert_left_out(90, 28, "13.44x 1h/5m, ");
    assert_left_out(97.7, 90, "");
    assert_left_out(97.5, 90, "43.2x 1h/5m, ");
    assert_left_out(99.9, 1, "0.033x 3d/6h, ");
    /* every rate of 30, 28, 90 and 7 days: a target of next to nothing reaches none above 1 */
    assert_left_out(0.001, 30, "14.4x 1h/5m, 6x 6h/30m, 3x 24h/2h, ");
    assert_left_out(0.001, 28, "13.44x 1h/5m, 5.6x 6h/30m, 2.8x 24h/2h, ");
    assert_left_out(0.001, 90, "43.2x 1h/5m, 18x 6h/30m, 9x 24h/2h, 3x 3d/6h, ");
    assert_left_out(0.001, 7, "3.36x 1h/5m, 1.4x 6h/30m, ");
    assert_left_out(93.06, 30, "");
    assert_left_out(93.05, 30, "14.4x 1h/5m, ");
    assert_left_out(83.34, 30, "14.4x 1h/5m, ");
    assert_left_out(83.33, 30, "14.4x 1h/5m, 6x 6h/30m, ");
}

static void test_slo_monitor__says_when_the_budget_will_be_used_up(void **state)
{
    (void)state;
    put("api", 99);
    requests(995, 5); /* half of the budget of what was seen, burning at 0.5 */
    slo_view_t view = view_of("api");
    assert_double(view.error_budget, 0.5, 1e-15);
    assert_double(view.budget_minutes_left, 30 * 1440.0, 1e-9);
    assert_double(view.exhausts_at, 1e6 + 30 * 86400.0, 1e-6);
    requests(0, 10);
    view = view_of("api");
    assert_double(view.budget_minutes_left, 0, 0);
    assert_double(view.exhausts_at, 1e6, 0);
    assert_true(view.error_budget < 0);
}

/* -- selection -- */

static bool selected(slo_match_t match, const request_event_t *request)
{
    begin();
    slo_t slo = slo_of("x", 50);
    slo.match = match;
    assert_int_equal(slo_monitor_put(monitor, &slo, now()), STATUS_OK);
    slo_monitor_record(monitor, request, now());
    return view_of("x").total == 1;
}

static void test_slo_monitor__selects_by_operation_dependency_and_labels(void **state)
{
    (void)state;
    uint8_t raw[200], wanted[LABELS_MAX_BYTES];
    label_t pairs[] = {{TEXT_OF("zone"), TEXT_OF("b")}, {TEXT_OF("env"), TEXT_OF("live")}};
    label_t other = {TEXT_OF("env"), TEXT_OF("test")};
    request_event_t request = {.operation = TEXT_OF("a"),
                               .dependency = TEXT_OF("pg"),
                               .labels = wire_labels(raw, pairs, 2)};
    assert_true(selected((slo_match_t){.operation = TEXT_NONE}, &request));
    assert_true(selected((slo_match_t){.operation = TEXT_OF("a")}, &request));
    assert_false(selected((slo_match_t){.operation = TEXT_OF("b")}, &request));
    assert_true(selected((slo_match_t){.dependency = TEXT_OF("pg")}, &request));
    assert_false(selected((slo_match_t){.dependency = TEXT_OF("redis")}, &request));
    assert_true(selected((slo_match_t){.labels = labels_build(pairs + 1, 1, wanted)}, &request));
    assert_false(selected((slo_match_t){.labels = labels_build(&other, 1, wanted)}, &request));
    request.dependency = TEXT_NONE;
    assert_false(selected((slo_match_t){.dependency = TEXT_OF("pg")}, &request));
}

static void test_slo_monitor__tells_in_order_of_creation(void **state)
{
    (void)state;
    const char *operations[] = {"op", NULL, "op", NULL, "other"};
    for (int i = 0; i < 5; i++) {
        char name[2] = {(char)('a' + i), '\0'};
        slo_t slo = slo_of(name, 50);
        slo.match.operation = text_of(operations[i]);
        slo_monitor_put(monitor, &slo, now());
    }
    requests(0, 1);
    assert_told("a:insufficient>breached b:insufficient>breached "
                "c:insufficient>breached d:insufficient>breached ");
}

/* -- definitions -- */

static status_t put_changed(double target, double window, double period, double latency)
{
    slo_t slo = slo_of("x", target);
    slo.window = window;
    slo.period = period;
    slo.latency = latency;
    return slo_monitor_put(monitor, &slo, now());
}

static void test_slo_monitor__refuses_what_is_out_of_range(void **state)
{
    (void)state;
    assert_int_equal(put_changed(0, 60, 3600, NAN), STATUS_BAD_VALUE);
    assert_int_equal(put_changed(100, 60, 3600, NAN), STATUS_BAD_VALUE);
    assert_int_equal(put_changed(101, 60, 3600, NAN), STATUS_BAD_VALUE);
    assert_int_equal(put_changed(-1, 60, 3600, NAN), STATUS_BAD_VALUE);
    assert_int_equal(put_changed(NAN, 60, 3600, NAN), STATUS_BAD_VALUE);
    assert_int_equal(put_changed(99, 0, 3600, NAN), STATUS_BAD_VALUE);
    assert_int_equal(put_changed(99, NAN, 3600, NAN), STATUS_BAD_VALUE);
    assert_int_equal(put_changed(99, 3601, 3600, NAN), STATUS_BAD_VALUE);
    assert_int_equal(put_changed(99, 60, 400 * 86400.0, NAN), STATUS_BAD_VALUE);
    assert_int_equal(put_changed(99, 60, 3600, -0.1), STATUS_BAD_VALUE);
    assert_int_equal(put_changed(99.999, 60, 3600, 0), STATUS_OK);
    assert_int_equal(put_changed(0.001, 60, 3600, NAN), STATUS_OK);
}

static void test_slo_monitor__an_identical_one_changes_nothing_another_starts_afresh(void **state)
{
    (void)state;
    put("api", 90);
    requests(1, 0);
    put("api", 90);
    assert_int_equal(view_of("api").total, 1);
    put("api", 91);
    assert_int_equal(view_of("api").total, 0);
    requests(1, 0);
    assert_int_equal(view_of("api").total, 1);
}

static void test_slo_monitor__is_bounded_and_forgets_what_is_deleted(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++)
        put((char[]){(char)('a' + i), '\0'}, 90);
    slo_t ninth = slo_of("ninth", 90);
    assert_int_equal(slo_monitor_put(monitor, &ninth, now()), STATUS_LIMIT);
    assert_int_equal(slo_monitor_delete(monitor, TEXT_OF("a")), STATUS_OK);
    assert_int_equal(slo_monitor_delete(monitor, TEXT_OF("a")), STATUS_NOT_FOUND);
    assert_int_equal(slo_monitor_put(monitor, &ninth, now()), STATUS_OK);
    slo_monitor_configure(monitor, 9);
    put("a", 90);
    requests(1, 0);
    assert_int_equal(view_of("a").total, 1);
}

/* -- against a reference that keeps every request -- */

#define HISTORY 300
__extension__ typedef __int128 wide_t;

typedef struct {
    int64_t at;
    bool bad;
} request_t;

typedef struct {
    request_t requests[HISTORY];
    int count;
    double target;
    int64_t window;
    uint64_t min_events;
} model_t;

typedef struct {
    uint64_t total, bad;
} sum_t;

static sum_t sum_over(const model_t *model, int64_t length)
{
    sum_t sum = {0, 0};
    int64_t running = (int64_t)((wide_t)clock_ns * 60 / length);
    for (int i = 0; i < model->count; i++) {
        int64_t bucket = (int64_t)((wide_t)model->requests[i].at * 60 / length);
        if (running - bucket > 60)
            continue;
        sum.total++;
        sum.bad += model->requests[i].bad;
    }
    return sum;
}

/* In thousandths of a percent, so that every comparison is one of whole numbers. */
static bool burns(const model_t *model, int64_t length, int64_t tenths)
{
    sum_t sum = sum_over(model, length);
    uint64_t allowed = (uint64_t)llround(1000 * (100 - model->target));
    return sum.bad * 100000 * 10 > sum.total * allowed * (uint64_t)tenths;
}

static slo_status_t status_of(const model_t *model)
{
    static const struct {
        int64_t of_long, of_short, tenths;
    } pair[] = {{HOUR, 5 * MINUTE, 144},
                {6 * HOUR, 30 * MINUTE, 60},
                {24 * HOUR, 2 * HOUR, 30},
                {3 * DAY, 6 * HOUR, 10}};
    sum_t own = sum_over(model, model->window);
    uint64_t allowed = (uint64_t)llround(1000 * (100 - model->target));
    if (own.total == 0)
        return SLO_INSUFFICIENT_DATA;
    if (own.bad * 100000 > own.total * allowed)
        return SLO_BREACHED;
    for (int i = 0; i < 4; i++)
        if (sum_over(model, pair[i].of_short).total >= model->min_events &&
            burns(model, pair[i].of_long, pair[i].tenths) &&
            burns(model, pair[i].of_short, pair[i].tenths))
            return SLO_BURNING;
    return SLO_OK;
}

static void assert_as(const model_t *model)
{
    slo_view_t view = view_of("m");
    sum_t own = sum_over(model, model->window);
    assert_int_equal(view.total, own.total);
    assert_int_equal(view.bad, own.bad);
    assert_int_equal(view.status, status_of(model));
    sum_t day = sum_over(model, DAY);
    double allowed = 1 - model->target / 100;
    double ratio = (double)day.bad / (double)day.total;
    assert_double(view.burn.w24h, ratio / allowed, 1e-9 / allowed);
    if (own.total > 0)
        assert_double(view.error_budget, 1 - (double)own.bad / ((double)own.total * allowed),
                      1e-8 / allowed);
}

static int64_t some_time(dice_t *dice)
{
    switch (dice_below(dice, 8)) {
    case 0:
        return (int64_t)dice_below(dice, (uint64_t)(12 * HOUR)); /* a silence */
    case 1:
        return (int64_t)dice_below(dice, (uint64_t)MINUTE);
    case 2:
        return MINUTE - clock_ns % MINUTE; /* onto a boundary of many windows */
    case 3:
        return MINUTE - clock_ns % MINUTE - 1;
    default:
        return 0; /* a burst */
    }
}

static void equals_the_reference(dice_t *dice)
{
    static const double targets[] = {99.9, 99, 95, 90, 50, 99.99};
    static model_t model;
    model.count = 0;
    model.target = targets[dice_below(dice, 6)];
    model.window = dice_chance(dice, 0.5) ? MINUTE : HOUR;
    model.min_events = dice_below(dice, 20);
    begin();
    slo_t slo = slo_of("m", model.target);
    slo.window = (double)model.window / 1e9;
    slo.min_events = model.min_events;
    assert_int_equal(slo_monitor_put(monitor, &slo, now()), STATUS_OK);
    double share = 0;
    while (model.count < HISTORY) {
        clock_ns += some_time(dice);
        if (dice_chance(dice, 0.05))
            share = dice_chance(dice, 0.5) ? 0 : dice_unit(dice);
        if (dice_chance(dice, 0.1)) {
            slo_monitor_roll(monitor, now());
        } else {
            bool bad = dice_chance(dice, share);
            model.requests[model.count++] = (request_t){clock_ns, bad};
            requests(!bad, bad);
        }
        if (dice_chance(dice, 0.3))
            assert_as(&model);
    }
}

static void test_slo_monitor__equals_a_reference_that_keeps_every_request(void **state)
{
    (void)state;
    seeds_run(equals_the_reference);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_slo_monitor__without_data_everything_is_absent),
        TEST(test_slo_monitor__exactly_the_target_is_kept),
        TEST(test_slo_monitor__is_breached_recovers_and_falls_silent),
        TEST(test_slo_monitor__time_alone_ends_a_breach),
        TEST(test_slo_monitor__an_outage_of_the_broker_is_a_gap_not_good_minutes),
        TEST(test_slo_monitor__a_slow_answer_is_bad_and_one_at_the_limit_is_good),
        TEST(test_slo_monitor__burn_rates_are_error_ratio_over_what_is_allowed),
        TEST(test_slo_monitor__exactly_the_rate_does_not_burn_and_above_does),
        TEST(test_slo_monitor__a_pair_needs_both_of_its_windows),
        TEST(test_slo_monitor__few_events_do_not_burn),
        TEST(test_slo_monitor__a_total_outage_pages_after_52_seconds),
        TEST(test_slo_monitor__a_total_outage_exceeds_each_rate_when_the_workbook_says),
        TEST(test_slo_monitor__leaves_out_the_pairs_that_a_target_can_never_reach),
        TEST(test_slo_monitor__says_when_the_budget_will_be_used_up),
        TEST(test_slo_monitor__selects_by_operation_dependency_and_labels),
        TEST(test_slo_monitor__tells_in_order_of_creation),
        TEST(test_slo_monitor__refuses_what_is_out_of_range),
        TEST(test_slo_monitor__an_identical_one_changes_nothing_another_starts_afresh),
        TEST(test_slo_monitor__is_bounded_and_forgets_what_is_deleted),
        TEST(test_slo_monitor__equals_a_reference_that_keeps_every_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
