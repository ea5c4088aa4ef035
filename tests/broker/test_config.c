#include "broker/config.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static char file[64], complaints[8192];
static overrides_t overrides;
static int exit_status;

static config_t *load(const char *text)
{
    FILE *out = fopen(file, "w");
    fputs(text, out);
    fclose(out);
    memset(complaints, 0, sizeof complaints);
    FILE *errors = fmemopen(complaints, sizeof complaints - 1, "w");
    config_t *config = config_load(&overrides, errors, &exit_status);
    fclose(errors);
    return config;
}

static void refuse(const char *text, const char *place_and_word)
{
    config_t *config = load(text);
    if (config != NULL || strstr(complaints, place_and_word) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", place_and_word, complaints);
    assert_int_equal(exit_status, EX_CONFIG);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(file, sizeof file, "/tmp/tocsin-config-XXXXXX");
    close(mkstemp(file));
    overrides = (overrides_t){.file = file};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(file);
}

static void test_config__an_empty_file_is_the_defaults(void **state)
{
    (void)state;
    config_t *config = load("");
    assert_non_null(config);
    assert_text(config->settings.endpoints.addresses[ENDPOINT_METRICS], "tcp://127.0.0.1:7701");
    assert_int_equal(config->limits.frame_bytes, 4 << 20);
    assert_int_equal(config->observability.series, 200000);
    assert_double(config->observability.dependency_degraded, 0.1, 0);
    config_destroy(&config);
}

static void test_config__every_section_is_read(void **state)
{
    (void)state;
    config_t *config = load(
        "endpoints: {metrics: 'ipc:///tmp/x'}\n"
        "limits: {frame: 1MiB, series_ttl: 10m}\n"
        "anomaly:\n  - {match: {name: 'cpu*', kind: gauge}, sensitivity: 2.5, severity: high}\n"
        "dependencies: {window: 50}\n"
        "slos:\n  - {name: api, target_percent: 99.5, window: 60s, match: {operation: GET "
        "/orders}, "
        "latency: 300ms}\n"
        "policies:\n  - {name: p, condition: 'cpu > 80%', severity: critical, channels: [ops]}\n"
        "runbooks:\n  - {name: r, description: d, procedures: [a], steps: {a: [b]}}\n"
        "channels:\n  - {name: ops, type: webhook, url: 'http://127.0.0.1:9999/hook', "
        "allow_private: true}\n");
    if (config == NULL)
        fail_msg("%s", complaints);
    assert_text(config->settings.endpoints.addresses[ENDPOINT_METRICS], "ipc:///tmp/x");
    assert_int_equal(config->limits.frame_bytes, 1 << 20);
    assert_double(config->observability.series_ttl_s, 600, 0);
    assert_text(config->observability.anomaly_rules[0].name_glob, "cpu*");
    assert_int_equal(config->observability.anomaly_rules[0].kind, METRIC_GAUGE);
    assert_int_equal(config->observability.dependency_window, 50);
    assert_text(config->settings.slos[0].match.operation, "GET /orders");
    assert_double(config->settings.slos[0].latency, 0.3, 1e-12);
    assert_text(config->settings.policies[0].channels.items[0], "ops");
    assert_text(config->channel_names.items[0], "ops");
    config_destroy(&config);
}

static void test_config__what_is_wrong_is_shown_at_its_place(void **state)
{
    (void)state;
    refuse("a: [", ":1:");
    refuse("limits: {frme: 1}\n", ":1:10: limits.frme: unknown key");
    refuse("limits:\n  batch: many\n", ":2:10: limits.batch: expected a whole number");
    refuse("slos:\n  - name: s\n    target_percent: 100\n", ":3:21: slos.target_percent:");
    refuse("slos:\n  - name: s\n", ":2:5: slos.target_percent: is required");
    refuse("anomaly:\n  - {sensitivity: 11}\n", "anomaly.sensitivity: 11 is not between");
    refuse("a: &x 1\nb: *x\n", ":2:4: aliases are not supported");
    refuse("limits: {}\n---\nlimits: {}\n", "only one document");
    refuse("7\n", ":1:1:");
}

static void test_config__an_address_that_no_socket_can_have_is_shown_at_its_place(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "http://x", "tcp://",     "tcp://127.0.0.1", "tcp://:7701", "tcp://a:99999",
        "tcp://a:", "tcp://a:7x", "tcp://a:123456",  "ipc://"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[80];
        snprintf(text, sizeof text, "endpoints: {requests: '%s'}\n", wrong[i]);
        refuse(text, ":1:23: endpoints.requests: expected tcp://HOST:PORT or ipc://PATH");
    }
    config_t *config = load("endpoints: {metrics: 'tcp://[::1]:*', events: 'tcp://*:65535'}\n");
    assert_non_null(config);
    config_destroy(&config);
}

static void test_config__dependencies_that_could_never_be_judged_are_refused(void **state)
{
    (void)state;
    refuse("dependencies: {degraded: 0.6}\n", ":1:26: dependencies.degraded: must not be above");
    refuse("dependencies: {window: 4}\n", "dependencies.min_requests: must not be above");
    config_t *config = load("dependencies: {window: 5, degraded: 0.5}\n");
    assert_non_null(config);
    config_destroy(&config);
}

static void test_config__steps_of_no_procedure_are_shown_at_their_place(void **state)
{
    (void)state;
    refuse("runbooks:\n  - {name: r, description: d, procedures: [a], steps: {b: [c]}}\n",
           ":2:55: steps: \"b\" is not one of the procedures");
}

static void test_config__things_must_have_names_of_their_own(void **state)
{
    (void)state;
    refuse("runbooks:\n"
           "  - {name: r, description: d, procedures: [], steps: {}}\n"
           "  - {name: r, description: d, procedures: [], steps: {}}\n",
           ":3:12: name: stands twice: r");
}

static void test_config__a_policy_must_name_channels_there_are(void **state)
{
    (void)state;
    refuse("policies:\n  - {name: p, condition: 'a > 1', severity: low, channels: [x]}\n",
           "channels: there is no channel x");
}

static void test_config__flags_stand_above_the_environment_above_the_file(void **state)
{
    (void)state;
    setenv("TOCSIN_LIMITS_SERIES", "77", 1);
    setenv("TOCSIN_ENDPOINTS_METRICS", "ipc:///env", 1);
    overrides.endpoints[ENDPOINT_METRICS] = "ipc:///flag";
    config_t *config =
        load("limits: {series: 5, operations: 6}\nendpoints: {metrics: 'ipc:///file'}\n");
    assert_non_null(config);
    assert_int_equal(config->observability.series, 77);
    assert_int_equal(config->observability.operations, 6);
    assert_text(config->settings.endpoints.addresses[ENDPOINT_METRICS], "ipc:///flag");
    config_destroy(&config);
    setenv("TOCSIN_LIMITS_SERIES", "many", 1);
    refuse("", "TOCSIN_LIMITS_SERIES: series: expected a whole number");
    unsetenv("TOCSIN_LIMITS_SERIES");
    unsetenv("TOCSIN_ENDPOINTS_METRICS");
}

static void test_config__what_is_printed_is_read_back_the_same(void **state)
{
    (void)state;
    char one[16384] = "", two[16384] = "";
    config_t *config =
        load("dependencies: {degraded: 0.3}\n"
             "slos:\n  - {name: \"a\\\"b\", target_percent: 99.9, match: {labels: {x: '1'}}}\n");
    FILE *out = fmemopen(one, sizeof one - 1, "w");
    config_print(config, out);
    fclose(out);
    config_destroy(&config);
    config = load(one);
    if (config == NULL)
        fail_msg("%s", complaints);
    out = fmemopen(two, sizeof two - 1, "w");
    config_print(config, out);
    fclose(out);
    config_destroy(&config);
    assert_string_equal(one, two);
    assert_non_null(strstr(one, "degraded: 0.3\n"));
}

static void test_config__secrets_are_masked_when_shown(void **state)
{
    (void)state;
    char text[16384] = "";
    config_t *config =
        load("channels:\n  - {name: s, type: slack, url: 'https://hooks.example/SECRET'}\n");
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    config_print(config, out);
    fclose(out);
    config_destroy(&config);
    assert_null(strstr(text, "SECRET"));
}

static void test_config__the_store_has_its_place_by_the_stated_order(void **state)
{
    (void)state;
    char directory[256];
    config_t *config = load("");
    setenv("XDG_STATE_HOME", "/xdg", 1);
    unsetenv("STATE_DIRECTORY");
    assert_true(config_store_directory(config, directory, sizeof directory));
    assert_string_equal(directory, "/xdg/tocsin");
    setenv("STATE_DIRECTORY", "/var/lib/tocsin", 1);
    assert_true(config_store_directory(config, directory, sizeof directory));
    assert_string_equal(directory, "/var/lib/tocsin");
    config_destroy(&config);
    overrides.store = "/flag";
    config = load("store: {path: /file}\n");
    assert_true(config_store_directory(config, directory, sizeof directory));
    assert_string_equal(directory, "/flag");
    config_destroy(&config);
    unsetenv("STATE_DIRECTORY");
    unsetenv("XDG_STATE_HOME");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_config__an_empty_file_is_the_defaults),
        TEST(test_config__every_section_is_read),
        TEST(test_config__what_is_wrong_is_shown_at_its_place),
        TEST(test_config__an_address_that_no_socket_can_have_is_shown_at_its_place),
        TEST(test_config__dependencies_that_could_never_be_judged_are_refused),
        TEST(test_config__steps_of_no_procedure_are_shown_at_their_place),
        TEST(test_config__things_must_have_names_of_their_own),
        TEST(test_config__a_policy_must_name_channels_there_are),
        TEST(test_config__flags_stand_above_the_environment_above_the_file),
        TEST(test_config__what_is_printed_is_read_back_the_same),
        TEST(test_config__secrets_are_masked_when_shown),
        TEST(test_config__the_store_has_its_place_by_the_stated_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
