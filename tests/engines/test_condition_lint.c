#include "engines/condition_lint.h"
#include "tests/check.h"

#include <stdio.h>
#include <string.h>

static bool know_metric(void *context, text_t name, lint_metric_t *known)
{
    static const struct {
        const char *name, *unit;
        metric_kind_t kind;
    } metrics[] = {
        {"cpu", "ratio", METRIC_GAUGE},          {"usage", "percent", METRIC_GAUGE},
        {"memory", "bytes", METRIC_GAUGE},       {"uptime", "seconds", METRIC_GAUGE},
        {"hits", NULL, METRIC_COUNTER},          {"latency", "seconds", METRIC_HISTOGRAM},
        {"latency_count", NULL, METRIC_COUNTER}, {"plain", NULL, METRIC_GAUGE}};
    (void)context;
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        if (text_is(name, metrics[i].name)) {
            *known = (lint_metric_t){text_of(metrics[i].unit), metrics[i].kind};
            return true;
        }
    return false;
}

static double know_target(void *context, text_t slo)
{
    (void)context;
    return text_is(slo, "api") ? 99.5 : (double)NAN;
}

/* Findings as "type line:column", one after the other. */
static const char *found(const char *text, const lint_knowledge_t *knowledge)
{
    static const char *const types[LINT_COUNT] = {"never", "always", "unknown", "unit", "kind"};
    static char out[512];
    lint_finding_t findings[8];
    condition_error_t error;
    condition_t *condition = condition_new(text_of(text), &error);
    if (condition == NULL)
        fail_msg("%s: %s", text, error.message);
    size_t count = condition_lint(condition, knowledge, findings, 8), size = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        assert_true(findings[i].message[0] != '\0');
        size += (size_t)snprintf(out + size, sizeof out - size, "%s%s %u:%u", i == 0 ? "" : "; ",
                                 types[findings[i].type], findings[i].line, findings[i].column);
    }
    condition_destroy(&condition);
    return out;
}

static const lint_knowledge_t knowledge = {know_metric, know_target, NULL};

typedef struct {
    const char *text, *findings;
} row_t;

static void check_rows(const row_t *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *got = found(rows[i].text, &knowledge);
        if (strcmp(got, rows[i].findings) != 0)
            fail_msg("%s: \"%s\", expected \"%s\"", rows[i].text, got, rows[i].findings);
    }
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof *(rows))

static void test_condition_lint__what_can_be_meant_is_left_alone(void **state)
{
    (void)state;
    static const row_t rows[] = {{"cpu > 80%", ""},
                                 {"usage > 80%", ""},
                                 {"plain > 80%", ""},
                                 {"cpu >= 1", ""},
                                 {"cpu <= 0", ""},
                                 {"sum(cpu) > 3", ""},
                                 {"rate(hits[5m]) > 100", ""},
                                 {"histogram_quantile(0.9, latency) > 0.5", ""},
                                 {"increase(latency_count[5m]) == 0", ""},
                                 {"absent(cpu)", ""},
                                 {"cpu - 0.5 > 0.4", ""},
                                 {"memory / memory > 2", ""},
                                 {"tocsin_slo_burn_rate{slo=\"api\",window=\"1h\"} > 14.4", ""},
                                 {"ALERTS{alertname=\"x\"} == 1", ""},
                                 {"time() - uptime > 5", ""}};
    CHECK(rows);
}

static void test_condition_lint__what_can_never_hold_is_found(void **state)
{
    (void)state;
    static const row_t rows[] = {{"cpu > 1", "never 1:5"},
                                 {"cpu > 80", "never 1:5"},
                                 {"cpu > 120%", "never 1:5"},
                                 {"80 < cpu", "never 1:4"},
                                 {"cpu < 0", "never 1:5"},
                                 {"cpu == 2", "never 1:5"},
                                 {"avg by (host) (cpu) > 1", "never 1:21"},
                                 {"max_over_time(cpu[5m]) > 1.5", "never 1:24"},
                                 {"rate(hits[5m]) < 0", "never 1:16"},
                                 {"-cpu > 0", "never 1:6"},
                                 {"1 - cpu > 1.2", "never 1:9"},
                                 {"plain > 5 and cpu > 7", "never 1:19"},
                                 {"absent(cpu) > 1", "never 1:13"},
                                 {"tocsin_slo_burn_rate{slo=\"api\"} > 200", "never 1:33"},
                                 {"tocsin_dependency_error_ratio > 1", "never 1:31"}};
    CHECK(rows);
}

static void test_condition_lint__what_always_holds_is_found(void **state)
{
    (void)state;
    static const row_t rows[] = {{"cpu", "always 1:1"},
                                 {"cpu > bool 0.5", "always 1:5"},
                                 {"cpu >= 0", "always 1:5"},
                                 {"cpu != 5", "always 1:5"},
                                 {"count(cpu) > -1", "always 1:12"},
                                 {"vector(1)", "always 1:1"}};
    CHECK(rows);
}

static void test_condition_lint__a_metric_that_nobody_has_is_found(void **state)
{
    (void)state;
    static const row_t rows[] = {{"cqu > 5", "unknown 1:1"},
                                 {"cpu > 0.5 unless nothing", "unknown 1:18"},
                                 {"{host=\"a\"} > 5", ""}};
    CHECK(rows);
    assert_string_equal(found("cqu > 5", &(lint_knowledge_t){0}), "");
    assert_string_equal(found("cpu > 80", &(lint_knowledge_t){0}), "");
}

static void test_condition_lint__units_and_kinds_that_do_not_go_together_are_found(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {"memory > uptime", "unit 1:8"}, {"memory + max(uptime) > 5", "unit 1:8"},
        {"memory > 80%", "unit 1:8"},    {"rate(plain[5m]) > 5", "kind 1:1"},
        {"latency > 5", "kind 1:1"},     {"sum(rate(latency[5m])) > 5", "kind 1:10"}};
    CHECK(rows);
}

static void test_condition_lint__findings_beyond_the_room_are_left_out(void **state)
{
    (void)state;
    lint_finding_t findings[1];
    condition_error_t error;
    condition_t *condition = condition_new(TEXT_OF("a > 5 or b > 5"), &error);
    assert_int_equal(condition_lint(condition, &knowledge, findings, 1), 1);
    assert_int_equal(findings[0].column, 1);
    condition_destroy(&condition);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_condition_lint__what_can_be_meant_is_left_alone),
        cmocka_unit_test(test_condition_lint__what_can_never_hold_is_found),
        cmocka_unit_test(test_condition_lint__what_always_holds_is_found),
        cmocka_unit_test(test_condition_lint__a_metric_that_nobody_has_is_found),
        cmocka_unit_test(test_condition_lint__units_and_kinds_that_do_not_go_together_are_found),
        cmocka_unit_test(test_condition_lint__findings_beyond_the_room_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
