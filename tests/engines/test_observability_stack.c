#include "engines/observability/observability_stack.h"
#include "proto/pack.h"
#include "proto/schema.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"
#include "tests/engines/wire.h"

/*  Stories: what comes in, line by line under its time, and what is found, line by line.
 *
 *      0      gauge cpu host=a 0.5          a metric: kind, name, labels, value
 *      1.5    request q 0.02                an operation and its duration, then in any order
 *             request q 0.02 on=pg error try=2 breaker=open text=gone label=value
 *      2      tick                          time passes as far as it must
 *      3      every 0.1 20 gauge cpu 0.5    the same twenty times, a tenth of a second apart
 */

#define SECOND 1e9
#define WORDS_MAX 16
#define HEARD_MAX 16384

static observability_stack_t *stack;
static char heard[HEARD_MAX];
static msgpack_sbuffer told; /* every finding as it would be published */
static int64_t clock_ns;
static tally_t tally;

static instant_t now(void)
{
    return (instant_t){clock_ns, 1e6 + (double)clock_ns / SECOND};
}

static void hear_change(const char *what, text_t name, const char *from, const char *to)
{
    size_t size = strlen(heard);
    snprintf(heard + size, sizeof heard - size, "%g %s %.*s %s>%s\n", (double)clock_ns / SECOND,
             what, (int)name.size, name.data, from, to);
}

/* As they are published: broker/observability_actor.c puts these maps into its envelope. */
static void hear(void *context, const finding_t *finding)
{
    (void)context;
    pack_uint(&told, (uint64_t)finding->type);
    pack_number(&told, finding->now.wall_s);
    switch ((int)finding->type) {
    case FINDING_ANOMALY_DETECTED:
    case FINDING_ANOMALY_CLEARED:
        schema_write(&anomaly_schema, &finding->as.anomaly.view, false, &told);
        hear_change("anomaly", finding->as.anomaly.view.name,
                    finding->type == FINDING_ANOMALY_DETECTED ? "" : "anomalous",
                    finding->type == FINDING_ANOMALY_DETECTED ? "anomalous" : "");
        break;
    case FINDING_DEPENDENCY_CHANGED:
        schema_write(&dependency_schema, &finding->as.dependency.view, false, &told);
        pack_number(&told, finding->as.dependency.lasted);
        hear_change("dependency", finding->as.dependency.view.name,
                    dependency_status_words[finding->as.dependency.from],
                    dependency_status_words[finding->as.dependency.to]);
        break;
    case FINDING_RESULT:
        pack_labels(&told, finding->as.result.labels);
        pack_number(&told, finding->as.result.value);
        break;
    default:
        schema_write(&slo_view_schema, &finding->as.slo.view, false, &told);
        hear_change("slo", finding->as.slo.view.slo.name, slo_status_words[finding->as.slo.from],
                    slo_status_words[finding->as.slo.to]);
    }
}

static void begin_seeded(uint64_t seed)
{
    observability_config_t config = observability_config_default();
    config.series = 1000;
    config.operations = config.dependencies = config.slos = config.plans = 100;
    config.seed = seed;
    observability_stack_destroy(&stack);
    stack = observability_stack_new(&config, (finding_sink_t){hear, NULL});
    clock_ns = 0;
    heard[0] = '\0';
    told.size = 0;
    tally = (tally_t){.frames = 0};
}

static int set_up(void **state)
{
    (void)state;
    msgpack_sbuffer_init(&told);
    begin_seeded(42);
    return 0;
}

static int tear_down(void **state)
{
    observability_stack_destroy(&stack);
    msgpack_sbuffer_destroy(&told);
    return seeds_teardown(state);
}

/* -- the teller of stories -- */

static size_t split(char *line, char **words)
{
    size_t count = 0;
    for (char *word = strtok(line, " "); word != NULL && count < WORDS_MAX;
         word = strtok(NULL, " "))
        words[count++] = word;
    return count;
}

static metric_kind_t kind_of(const char *word)
{
    for (int kind = 0; kind < METRIC_KIND_COUNT; kind++)
        if (strcmp(word, metric_kind_words[kind]) == 0)
            return (metric_kind_t)kind;
    fail_msg("no kind \"%s\"", word);
    return METRIC_GAUGE;
}

static size_t read_labels(char **words, size_t count, label_t *pairs)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        char *equals = strchr(words[i], '=');
        if (equals == NULL)
            continue;
        pairs[found++] = (label_t){{words[i], (size_t)(equals - words[i])}, text_of(equals + 1)};
    }
    return found;
}

static void tell_metric(char **words, size_t count)
{
    uint8_t raw[512];
    label_t pairs[WORDS_MAX];
    size_t labels = read_labels(words + 2, count - 3, pairs);
    metric_event_t event = {.name = text_of(words[1]),
                            .labels = wire_labels(raw, pairs, labels),
                            .value = strtod(words[count - 1], NULL),
                            .value_count = 1,
                            .kind = kind_of(words[0]),
                            .time_s = NAN};
    observability_stack_metrics(stack, &event, 1, now(), &tally);
}

static breaker_t breaker_of(text_t word)
{
    breaker_t breaker = BREAKER_UNKNOWN;
    while (breaker < BREAKER_COUNT && !text_is(word, breaker_words[breaker]))
        breaker++;
    return breaker;
}

static void tell_request(char **words, size_t count)
{
    uint8_t raw[512];
    label_t pairs[WORDS_MAX];
    size_t labels = read_labels(words + 3, count - 3, pairs), kept = 0;
    request_event_t event = {.operation = text_of(words[1]),
                             .duration_s = strtod(words[2], NULL),
                             .attempt = 1,
                             .time_s = NAN};
    for (size_t i = 3; i < count; i++)
        event.error |= strcmp(words[i], "error") == 0;
    for (size_t i = 0; i < labels; i++) {
        if (text_is(pairs[i].name, "on"))
            event.dependency = pairs[i].value;
        else if (text_is(pairs[i].name, "try"))
            event.attempt = strtoull(pairs[i].value.data, NULL, 10);
        else if (text_is(pairs[i].name, "breaker"))
            event.breaker = breaker_of(pairs[i].value);
        else if (text_is(pairs[i].name, "text"))
            event.message = pairs[i].value;
        else
            pairs[kept++] = pairs[i];
    }
    event.labels = wire_labels(raw, pairs, kept);
    observability_stack_requests(stack, &event, 1, now(), &tally);
}

static void tell_words(char **words, size_t count)
{
    if (strcmp(words[0], "tick") == 0)
        return;
    if (strcmp(words[0], "request") == 0)
        tell_request(words, count);
    else
        tell_metric(words, count);
}

/* Ticks at every moment at which the stack wants one, up to `at`. */
static void pass_time(int64_t at)
{
    for (int64_t next; (next = observability_stack_next(stack)) <= at;) {
        clock_ns = next > clock_ns ? next : clock_ns;
        observability_stack_tick(stack, now());
    }
    clock_ns = at;
}

static void tell_line(const char *line)
{
    char copy[256], *words[WORDS_MAX];
    snprintf(copy, sizeof copy, "%s", line);
    size_t count = split(copy, words);
    assert_true(count >= 2);
    int64_t at = (int64_t)llround(strtod(words[0], NULL) * SECOND), apart = 0, times = 1;
    size_t first = 1;
    if (strcmp(words[1], "every") == 0) {
        apart = (int64_t)llround(strtod(words[2], NULL) * SECOND);
        times = (int64_t)strtoll(words[3], NULL, 10);
        first = 4;
    }
    for (int64_t i = 0; i < times; i++) {
        pass_time(at + i * apart);
        tell_words(words + first, count - first);
    }
}

#define TELL(...) tell_story((const char *const[]){__VA_ARGS__, NULL})

static void tell_story(const char *const *lines)
{
    for (; *lines != NULL; lines++)
        tell_line(*lines);
}

static void assert_heard(const char *expected)
{
    assert_string_equal(heard, expected);
    heard[0] = '\0';
}

static void put_slo(const char *name, double target, const char *operation)
{
    slo_t slo = {.name = text_of(name),
                 .target_percent = target,
                 .window = 60,
                 .period = 30 * 86400.0,
                 .match = {.operation = text_of(operation)},
                 .latency = NAN,
                 .min_events = 10};
    assert_int_equal(observability_stack_slo_put(stack, &slo, now()), STATUS_OK);
}

/* -- series: "name{a=b,c=d}" -- */

static const metric_view_t *find_series(const char *name, const label_t *pairs, size_t count)
{
    static metric_view_t view;
    static uint8_t bytes[LABELS_MAX_BYTES];
    labels_t labels = labels_build(pairs, count, bytes);
    return observability_stack_metric(stack, text_of(name), labels, &view) ? &view : NULL;
}

static double series(const char *name, const char *label, const char *value)
{
    label_t pair = {text_of(label), text_of(value)};
    const metric_view_t *view = find_series(name, &pair, 1);
    return view == NULL ? NAN : view->value;
}

static double series_of_two(const char *name, const char *label, const char *value,
                            const char *other_label, const char *other_value)
{
    label_t pairs[] = {{text_of(label), text_of(value)},
                       {text_of(other_label), text_of(other_value)}};
    const metric_view_t *view = find_series(name, pairs, 2);
    return view == NULL ? NAN : view->value;
}

/* -- what an event feeds -- */

static void test_observability_stack__one_request_feeds_all_that_it_names(void **state)
{
    (void)state;
    put_slo("all", 50, NULL);
    put_slo("own", 50, "q");
    put_slo("other", 50, "x");
    TELL("0 request q 0.5 on=pg error try=2 breaker=open text=gone");
    profile_view_t profile;
    dependency_view_t dependency;
    slo_view_t slo;
    assert_true(observability_stack_profile(stack, TEXT_OF("q"), &profile));
    assert_int_equal(profile.count + profile.errors + profile.retries, 3);
    assert_true(observability_stack_dependency(stack, TEXT_OF("pg"), &dependency));
    assert_int_equal(dependency.failures + dependency.retries, 2);
    assert_int_equal(dependency.breaker, BREAKER_OPEN);
    assert_text(dependency.last_error, "gone");
    assert_true(observability_stack_slo(stack, TEXT_OF("all"), now(), &slo) && slo.bad == 1);
    assert_true(observability_stack_slo(stack, TEXT_OF("own"), now(), &slo) && slo.bad == 1);
    assert_true(observability_stack_slo(stack, TEXT_OF("other"), now(), &slo) && slo.total == 0);
    assert_int_equal(tally.accepted, 1);
    assert_int_equal(tally.samples, 1);
}

static void
test_observability_stack__findings_come_dependency_first_then_slos_in_order(void **state)
{
    (void)state;
    put_slo("z", 50, "q");
    put_slo("a", 50, NULL);
    TELL("0 every 0.001 4 request q 0.1 on=pg", "1 request q 0.1 on=pg",
         "2 every 0.001 20 request q 0.1 on=pg error");
    assert_heard("1 dependency pg unknown>healthy\n"
                 "2 dependency pg healthy>degraded\n"
                 "2.005 dependency pg degraded>unhealthy\n"
                 "2.005 slo z ok>breached\n"
                 "2.005 slo a ok>breached\n");
}

static void test_observability_stack__an_episode_is_told_once_at_each_end(void **state)
{
    (void)state;
    TELL("0 every 0.1 30 gauge cpu host=a 5", "4 every 0.1 3 gauge cpu host=a 90",
         "5 every 0.1 3 gauge cpu host=a 5");
    assert_heard("4 anomaly cpu >anomalous\n"
                 "5 anomaly cpu anomalous>\n");
}

static void test_observability_stack__an_overflow_series_is_not_watched(void **state)
{
    (void)state;
    char line[64];
    for (int i = 0; i < 1050; i++) {
        snprintf(line, sizeof line, "0 gauge m i=%d %d", i, i * i);
        TELL(line);
    }
    assert_heard("");
    anomaly_view_t view;
    uint8_t bytes[LABELS_MAX_BYTES];
    label_t pair = {TEXT_OF("__overflow__"), TEXT_OF("true")};
    labels_t labels = labels_build(&pair, 1, bytes);
    assert_false(observability_stack_anomaly(stack, TEXT_OF("m"), labels, &view));
    assert_int_equal(observability_stack_series(stack).overflow, 50);
}

static void test_observability_stack__an_slo_recovers_by_time_alone(void **state)
{
    (void)state;
    put_slo("api", 90, NULL);
    TELL("0.25 request q 1 error", "200 tick");
    assert_heard("0.25 slo api insufficient_data>breached\n"
                 "61 slo api breached>insufficient_data\n");
}

static void test_observability_stack__a_clock_that_stands_still_changes_nothing(void **state)
{
    (void)state;
    put_slo("api", 90, NULL);
    TELL("5 every 0 50 request q 1 on=pg", "5 every 0 50 gauge cpu 3");
    for (int i = 0; i < 100; i++)
        observability_stack_tick(stack, now());
    assert_heard("5 dependency pg unknown>healthy\n");
    slo_view_t slo;
    assert_true(observability_stack_slo(stack, TEXT_OF("api"), now(), &slo));
    assert_int_equal(slo.good, 50);
}

static void test_observability_stack__a_jump_of_an_hour_empties_windows_and_series(void **state)
{
    (void)state;
    put_slo("api", 90, NULL);
    TELL("1 request q 1 error on=pg", "1 gauge cpu 3");
    clock_ns = (int64_t)(3602 * SECOND);
    observability_stack_tick(stack, now());
    assert_heard("1 slo api insufficient_data>breached\n"
                 "3602 slo api breached>insufficient_data\n");
    assert_null(find_series("cpu", NULL, 0));
    dependency_view_t view;
    assert_true(observability_stack_dependency(stack, TEXT_OF("pg"), &view));
    assert_int_equal(view.failures, 1); /* counted in outcomes, not in time */
}

static void test_observability_stack__a_step_back_counts_as_the_latest_moment(void **state)
{
    (void)state;
    put_slo("api", 90, NULL);
    TELL("100 request q 1");
    clock_ns = (int64_t)(40 * SECOND);
    tell_request((char *[]){"request", "q", "1"}, 3);
    slo_view_t slo;
    clock_ns = (int64_t)(100 * SECOND);
    assert_true(observability_stack_slo(stack, TEXT_OF("api"), now(), &slo));
    assert_int_equal(slo.total, 2);
}

/* -- what the engines know, as series -- */

static void test_observability_stack__a_profile_is_a_histogram_and_its_counters(void **state)
{
    (void)state;
    TELL("0 request q 0.5", "0 request q 1.5 error try=2", "1 tick");
    label_t pair = {TEXT_OF("operation"), TEXT_OF("q")};
    const metric_view_t *view = find_series("tocsin_profile_duration_seconds", &pair, 1);
    assert_non_null(view);
    assert_int_equal(view->kind, METRIC_HISTOGRAM);
    assert_int_equal(view->count, 2);
    assert_true(view->sum == 2 && view->max == 1.5);
    assert_text(view->unit, "seconds");
    assert_double(series("tocsin_profile_errors_total", "operation", "q"), 1, 0);
    assert_double(series("tocsin_profile_retries_total", "operation", "q"), 1, 0);
    TELL("1.1 request q 2.5", "3 tick");
    assert_int_equal(find_series("tocsin_profile_duration_seconds", &pair, 1)->count, 3);
}

static void test_observability_stack__a_dependency_is_a_ratio_and_a_state_of_four(void **state)
{
    (void)state;
    TELL("0 every 0 3 request q 1 on=pg", "0 every 0 2 request q 1 on=pg error try=2", "1 tick");
    assert_double(series("tocsin_dependency_error_ratio", "dependency", "pg"), 0.4, 0);
    const char *const states[] = {"unknown", "healthy", "degraded", "unhealthy"};
    for (int i = 0; i < 4; i++)
        assert_double(
            series_of_two("tocsin_dependency_state", "dependency", "pg", "state", states[i]),
            i == 2, 0);
    assert_double(series("tocsin_dependency_retries_total", "dependency", "pg"), 2, 0);
    assert_true(isnan(
        series_of_two("tocsin_dependency_breaker_state", "dependency", "pg", "state", "open")));
    TELL("1.5 request q 1 on=pg breaker=half_open", "3 tick");
    assert_double(
        series_of_two("tocsin_dependency_breaker_state", "dependency", "pg", "state", "half_open"),
        1, 0);
    assert_double(
        series_of_two("tocsin_dependency_breaker_state", "dependency", "pg", "state", "open"), 0,
        0);
}

static void test_observability_stack__an_slo_without_data_has_no_series(void **state)
{
    (void)state;
    put_slo("api", 90, NULL);
    TELL("1 tick");
    assert_true(isnan(series("tocsin_slo_compliance_ratio", "slo", "api")));
    TELL("2 every 0 19 request q 1", "2 request q 1 error", "4 tick");
    assert_double(series("tocsin_slo_compliance_ratio", "slo", "api"), 0.95, 0);
    assert_double(series("tocsin_slo_error_budget_ratio", "slo", "api"), 0.5, 0);
    const char *const windows[] = {"5m", "30m", "1h", "2h", "6h", "24h", "3d"};
    for (int i = 0; i < 7; i++)
        assert_double(series_of_two("tocsin_slo_burn_rate", "slo", "api", "window", windows[i]),
                      0.5, 0);
    TELL("70 tick");
    assert_true(isnan(series("tocsin_slo_compliance_ratio", "slo", "api")));
    assert_double(series_of_two("tocsin_slo_burn_rate", "slo", "api", "window", "5m"), 0.5, 0);
    observability_stack_slo_delete(stack, TEXT_OF("api"));
    assert_true(isnan(series_of_two("tocsin_slo_burn_rate", "slo", "api", "window", "5m")));
}

static double score(const char *host)
{
    return series_of_two("tocsin_anomaly_score", "name", "cpu", "host", host);
}

static void test_observability_stack__a_score_comes_and_goes_with_its_deviation(void **state)
{
    (void)state;
    TELL("0 every 0.01 10 gauge cpu host=a 5", "1 tick");
    assert_true(isnan(score("a"))); /* no deviation: no score */
    TELL("1.1 gauge cpu host=a 7", "1.2 gauge cpu host=a 9", "3 tick");
    anomaly_view_t view;
    uint8_t bytes[LABELS_MAX_BYTES];
    label_t pair = {TEXT_OF("host"), TEXT_OF("a")};
    labels_t labels = labels_build(&pair, 1, bytes);
    assert_true(observability_stack_anomaly(stack, TEXT_OF("cpu"), labels, &view));
    assert_true(view.score > 2);
    assert_double(score("a"), view.score, 0);
    TELL("4 every 0.01 101 gauge cpu host=a 5", "8 tick");
    assert_true(isnan(score("a")));
    TELL("8 gauge cpu host=a 6", "8.1 gauge cpu host=a 6", "9.5 tick");
    assert_true(!isnan(score("a")));
    TELL("3700 tick");
    assert_true(isnan(score("a"))); /* it went with its series */
}

static void test_observability_stack__a_label_called_name_does_not_hide_the_metric(void **state)
{
    (void)state;
    TELL("0 gauge cpu name=x 1", "0 gauge cpu name=x 2", "0 gauge cpu name=x 4", "1 tick");
    assert_true(!isnan(series_of_two("tocsin_anomaly_score", "name", "cpu", "exported_name", "x")));
}

static void test_observability_stack__two_series_of_one_score_do_not_free_it_twice(void **state)
{
    (void)state;
    TELL("0 gauge cpu name=x 1", "0 gauge cpu name=x 2", "0 gauge cpu name=x 4",
         "0 gauge cpu exported_name=x 1", "0 gauge cpu exported_name=x 2",
         "0 gauge cpu exported_name=x 9", "1 tick", "1 gauge cpu exported_name=x 3", "3 tick",
         "3800 tick");
    assert_int_equal(observability_stack_series(stack).count, 0);
    assert_true(isnan(series_of_two("tocsin_anomaly_score", "name", "cpu", "exported_name", "x")));
}

static void
test_observability_stack__a_rule_that_no_longer_watches_takes_the_score_away(void **state)
{
    (void)state;
    TELL("0 gauge cpu host=a 1", "0 gauge cpu host=a 2", "0 gauge cpu host=a 4", "1 tick",
         "1 gauge cpu host=a 3");
    assert_true(!isnan(score("a")));
    anomaly_rule_t none = {.kind = -1, .sensitivity = 3, .min_history = 10, .watch = false};
    observability_config_t config = observability_config_default();
    config.anomaly_rules = &none;
    config.anomaly_rule_count = 1;
    observability_stack_configure(stack, &config);
    assert_true(isnan(score("a")));
    TELL("2 gauge cpu host=a 3", "4 tick");
    assert_true(isnan(score("a")));
}

static void test_observability_stack__a_round_of_many_is_told_in_steps(void **state)
{
    (void)state;
    char line[64];
    for (int i = 0; i < 900; i++) {
        snprintf(line, sizeof line, "0.5 every 0 3 gauge m i=%d %d", i, i);
        TELL(line);
        snprintf(line, sizeof line, "0.5 gauge m i=%d %d", i, i + 1);
        TELL(line);
        snprintf(line, sizeof line, "0.5 gauge m i=%d %d", i, i + 1);
        TELL(line);
    }
    clock_ns = (int64_t)(2 * SECOND);
    int ticks = 0;
    do {
        observability_stack_tick(stack, now());
        ticks++;
    } while (observability_stack_next(stack) <= clock_ns && ticks < 100);
    assert_in_range(ticks, 4, 5); /* 256 a step */
    for (int i = 0; i < 900; i++) {
        snprintf(line, sizeof line, "%d", i);
        assert_true(!isnan(series_of_two("tocsin_anomaly_score", "name", "m", "i", line)));
    }
}

static void test_observability_stack__a_sample_stays_until_it_is_no_more(void **state)
{
    (void)state;
    sample_t sample = {.name = TEXT_OF("ALERTS"), .kind = METRIC_GAUGE, .value = 1};
    observability_stack_sample(stack, &sample, now());
    sample_t count = {.name = TEXT_OF("tocsin_x_total"), .kind = METRIC_COUNTER, .value = 7};
    observability_stack_sample(stack, &count, now());
    TELL("10000 tick");
    assert_true(find_series("ALERTS", NULL, 0)->value == 1);
    assert_true(find_series("tocsin_x_total", NULL, 0)->whole_value == 7);
    sample.value = NAN;
    observability_stack_sample(stack, &sample, now());
    assert_null(find_series("ALERTS", NULL, 0));
}

/* -- the same input, the same bytes -- */

static void random_line(dice_t *dice, char *line, size_t size, double at)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    unsigned name = (unsigned)dice_below(dice, 4);
    if (dice_chance(dice, 0.4))
        snprintf(line, size, "%.9f request o%u %.6f on=d%u%s try=%u", at, name, dice_unit(dice),
                 (unsigned)dice_below(dice, 3), dice_chance(dice, 0.3) ? " error" : "",
                 1 + (unsigned)dice_below(dice, 3));
    else
        snprintf(line, size, "%.9f %s m%u host=h%u %.17g", at, kinds[name % 3], name,
                 (unsigned)dice_below(dice, 5),
                 name % 3 == 0 ? dice_unit(dice) : dice_value(dice, SHAPE_SPIKES, name));
}

/* Bursts, steps of less than a bucket, and silences. */
static double random_pause(dice_t *dice)
{
    switch (dice_below(dice, 30)) {
    case 0:
        return 70 * dice_unit(dice); /* longer than an SLO's window */
    case 1:
        return 3 * dice_unit(dice);
    case 2:
        return 1;
    default:
        return 0;
    }
}

/* Everything that is found, and every series there is at the end. */
static void play(uint64_t history, uint64_t seed)
{
    dice_t dice = {history};
    double at = 0;
    char line[256];
    begin_seeded(seed);
    put_slo("a", 90, NULL);
    put_slo("b", 99, "o1");
    observability_stack_plan_put(stack, 1, TEXT_OF("m1 > 0.5"), 1, 300, now());
    observability_stack_plan_put(stack, 2, TEXT_OF("tocsin_dependency_error_ratio > 0.25"), 1, 300,
                                 now());
    for (int i = 0; i < 150; i++) {
        at += random_pause(&dice);
        random_line(&dice, line, sizeof line, at);
        tell_line(line);
    }
    metric_view_t view;
    uint64_t cursor = 0;
    while (observability_stack_next_metric(stack, &cursor, TEXT_OF(""), &view))
        schema_write(metric_schema(&view), &view, false, &told);
}

static void says_the_same_twice(dice_t *dice)
{
    uint64_t history = dice_next(dice);
    play(history, dice_next(dice));
    msgpack_sbuffer first = told;
    assert_true(first.size > 0);
    msgpack_sbuffer_init(&told);
    play(history, dice_next(dice));
    assert_int_equal(told.size, first.size);
    assert_memory_equal(told.data, first.data, first.size);
    msgpack_sbuffer_destroy(&first);
}

static void test_observability_stack__the_same_input_gives_the_same_bytes(void **state)
{
    (void)state;
    seeds_run(says_the_same_twice);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_observability_stack__one_request_feeds_all_that_it_names),
        TEST(test_observability_stack__findings_come_dependency_first_then_slos_in_order),
        TEST(test_observability_stack__an_episode_is_told_once_at_each_end),
        TEST(test_observability_stack__an_overflow_series_is_not_watched),
        TEST(test_observability_stack__an_slo_recovers_by_time_alone),
        TEST(test_observability_stack__a_clock_that_stands_still_changes_nothing),
        TEST(test_observability_stack__a_jump_of_an_hour_empties_windows_and_series),
        TEST(test_observability_stack__a_step_back_counts_as_the_latest_moment),
        TEST(test_observability_stack__a_profile_is_a_histogram_and_its_counters),
        TEST(test_observability_stack__a_dependency_is_a_ratio_and_a_state_of_four),
        TEST(test_observability_stack__an_slo_without_data_has_no_series),
        TEST(test_observability_stack__a_score_comes_and_goes_with_its_deviation),
        TEST(test_observability_stack__a_label_called_name_does_not_hide_the_metric),
        TEST(test_observability_stack__two_series_of_one_score_do_not_free_it_twice),
        TEST(test_observability_stack__a_rule_that_no_longer_watches_takes_the_score_away),
        TEST(test_observability_stack__a_round_of_many_is_told_in_steps),
        TEST(test_observability_stack__a_sample_stays_until_it_is_no_more),
        TEST(test_observability_stack__the_same_input_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
