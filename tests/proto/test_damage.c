/*  Every golden message cut at every byte, and with every one of its bits turned over: refused, or
 *  decoded to events that keep every promise of proto/decode.h. */
#include "proto/command.h"
#include "proto/decode.h"
#include "proto/labels.h"
#include "proto/must.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer messages are damaged at so many places, evenly spread. */
#define PLACES_MAX 4096u

static limits_t limits;
static metric_batch_t metrics;
static request_batch_t requests;
static arena_t arena;
static size_t tried;

/* -- what must hold of whatever is decoded -- */

static bool is_good(text_t text, uint32_t most, text_rule_t rule)
{
    return text.size <= most && text_is_clean(text, rule);
}

static void check_metrics(void)
{
    for (size_t i = 0; i < metrics.count; i++) {
        const metric_event_t *event = &metrics.events[i];
        assert_true(event->name.size > 0 && is_good(event->name, limits.name_bytes, TEXT_LINE));
        assert_true(is_good(event->unit, limits.title_bytes, TEXT_LINE));
        assert_true(event->kind < METRIC_KIND_COUNT);
        /* those with an empty value stand here and count for nothing */
        assert_true(event->labels.count <= LABELS_MAX);
        assert_true(event->values != NULL || isfinite(event->value));
        assert_true(event->kind != METRIC_COUNTER || event->value >= 0);
    }
}

static void check_requests(void)
{
    for (size_t i = 0; i < requests.count; i++) {
        const request_event_t *event = &requests.events[i];
        assert_true(event->operation.size > 0 &&
                    is_good(event->operation, limits.name_bytes, TEXT_LINE));
        assert_true(is_good(event->dependency, limits.name_bytes, TEXT_LINE));
        assert_true(is_good(event->message, limits.text_bytes, TEXT_FREE));
        assert_true(isfinite(event->duration_s) && event->duration_s >= 0 && event->attempt >= 1);
    }
}

static uint64_t refusals(const tally_t *tally)
{
    uint64_t count = 0;
    for (status_t status = 0; status < STATUS_COUNT; status++)
        count += tally->refused[status];
    return count;
}

/*  In memory of its own size, so that one byte too far is seen by the sanitizer. */
static status_t decode_metric(const uint8_t *bytes, size_t size)
{
    tally_t tally = {0};
    metrics.count = 0;
    status_t status = decode_metrics(&limits, bytes, size, &metrics, &tally);
    assert_int_equal(tally.frames, 1);
    assert_true(status == STATUS_OK || (metrics.count == 0 && refusals(&tally) == 1));
    check_metrics();
    return status;
}

static status_t decode_request(const uint8_t *bytes, size_t size)
{
    tally_t tally = {0};
    requests.count = 0;
    status_t status = decode_requests(&limits, bytes, size, &requests, &tally);
    assert_int_equal(tally.frames, 1);
    assert_true(status == STATUS_OK || (requests.count == 0 && refusals(&tally) == 1));
    check_requests();
    return status;
}

static status_t decode_command(const uint8_t *bytes, size_t size)
{
    command_t command;
    schema_error_t error;
    status_t status = cursor_check(bytes, size, limits.depth);
    if (status != STATUS_OK)
        return status;
    text_t message = {(const char *)bytes, size};
    if (command_read(&limits, message, true, &arena, &command, &error) == STATUS_OK)
        assert_non_null(command.spec);
    arena_reset(&arena);
    return STATUS_OK;
}

/* -- damage -- */

typedef status_t (*decoder_t)(const uint8_t *, size_t);

static void damage(const uint8_t *bytes, size_t size, decoder_t decode)
{
    size_t step = size / PLACES_MAX + 1;
    bool whole = cursor_check(bytes, size, limits.depth) == STATUS_OK;
    for (size_t at = 0; at < size; at += step) {
        uint8_t *copy = memory_copy(bytes, at + (at == 0));
        assert_true(decode(copy, at) != STATUS_OK || !whole);
        free(copy);
        copy = memory_copy(bytes, size);
        for (unsigned bit = 0; bit < 8; bit++) {
            copy[at] = (uint8_t)(copy[at] ^ 1u << bit);
            decode(copy, size);
            copy[at] = bytes[at];
        }
        free(copy);
        tried += 9;
    }
}

/* -- the messages -- */

static FILE *open_beside(const char *path)
{
    static const char here[] = "tests/proto/test_damage.c";
    char name[512];
    int root = (int)(strlen(__FILE__) - strlen(here));
    snprintf(name, sizeof name, "%.*s%s", root, __FILE__, path);
    return fopen(name, "rb");
}

static void damage_line(const char *line, decoder_t decode)
{
    static const char key[] = "\"frame\": \"";
    const char *hex = strstr(line, key);
    assert_non_null(hex);
    hex += sizeof key - 1;
    size_t size = strcspn(hex, "\"") / 2;
    if (size == 0)
        return;
    uint8_t *bytes = memory_new(size, 1);
    for (size_t i = 0; i < size; i++) {
        const char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    damage(bytes, size, decode);
    free(bytes);
}

static void damage_vectors(const char *path, decoder_t decode)
{
    FILE *file = open_beside(path);
    assert_non_null(file);
    char *line = NULL;
    size_t room = 0, before = tried;
    while (getline(&line, &room, file) > 0)
        damage_line(line, decode);
    free(line);
    fclose(file);
    assert_true(tried > before + 10000);
}

static void test_damage__no_metrics_frame_is_believed_by_half(void **state)
{
    (void)state;
    damage_vectors("proto/vectors/metrics.jsonl", decode_metric);
}

static void test_damage__no_requests_frame_is_believed_by_half(void **state)
{
    (void)state;
    damage_vectors("proto/vectors/requests.jsonl", decode_request);
}

static void test_damage__no_command_is_believed_by_half(void **state)
{
    (void)state;
    static const char *const words[] = {"list", "open", "policy", "update"};
    size_t before = tried;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char path[128];
        uint8_t bytes[8192];
        snprintf(path, sizeof path, "tests/fuzz/corpus/command/%s", words[i]);
        FILE *file = open_beside(path);
        if (file == NULL)
            fail_msg("cannot open %s", path);
        size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        damage(bytes, size, decode_command);
    }
    assert_true(tried > before);
}

static int set_up(void **state)
{
    (void)state;
    limits = LIMITS_DEFAULT;
    metric_batch_init(&metrics, &limits);
    request_batch_init(&requests, &limits);
    arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    metric_batch_free(&metrics);
    request_batch_free(&requests);
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damage__no_metrics_frame_is_believed_by_half),
        cmocka_unit_test(test_damage__no_requests_frame_is_believed_by_half),
        cmocka_unit_test(test_damage__no_command_is_believed_by_half),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
