/*  Any records behind a good header and checksum: what is believed of them can be gone on with, and
 *  what is then saved is good. Any bytes at all as a file: refused or good, and nothing else. */
#include "engines/observability/stack_memory.h"
#include "proto/must.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_finding(void *context, const finding_t *finding)
{
    (void)context, (void)finding;
}

static observability_stack_t *new_stack(void)
{
    observability_config_t config = observability_config_default();
    config.series = config.operations = config.dependencies = config.slos = config.plans = 8;
    return observability_stack_new(&config, (finding_sink_t){take_finding, NULL});
}

static void put_slo(observability_stack_t *stack, instant_t now)
{
    slo_t slo = {.name = TEXT_OF("api"),
                 .target_percent = 90,
                 .window = 3600,
                 .period = 2592000,
                 .latency = NAN,
                 .min_events = 10};
    must(observability_stack_slo_put(stack, &slo, now) == STATUS_OK);
}

static void go_on(observability_stack_t *stack)
{
    instant_t now = {100 * NS_PER_S, 1e6};
    tally_t tally = {.frames = 0};
    request_event_t request = {.operation = TEXT_OF("q"), .duration_s = 0.5, .attempt = 1};
    metric_event_t gauge = {
        .name = TEXT_OF("cpu"), .value = 1, .value_count = 1, .kind = METRIC_GAUGE};
    put_slo(stack, now);
    observability_stack_requests(stack, &request, 1, now, &tally);
    observability_stack_metrics(stack, &gauge, 1, now, &tally);
    observability_stack_tick(stack, (instant_t){200 * NS_PER_S, 1e6 + 100});
}

static void save(const observability_stack_t *stack, msgpack_sbuffer *out)
{
    stack_memory_t walk = {.watches = true};
    snapshot_begin(out);
    while (stack_memory_save(stack, &walk, (instant_t){200 * NS_PER_S, 1e6 + 100}, out))
        ;
    snapshot_seal(out);
}

/* Once more into the same stack, which doubles what it knows: that is good too. */
static void try_file(text_t file)
{
    cursor_t records;
    if (snapshot_open(file, &records) != SNAPSHOT_GOOD)
        return;
    observability_stack_t *stack = new_stack();
    msgpack_sbuffer saved;
    msgpack_sbuffer_init(&saved);
    if (stack_memory_restore(stack, file) == SNAPSHOT_GOOD)
        go_on(stack);
    save(stack, &saved);
    must(stack_memory_restore(stack, (text_t){saved.data, saved.size}) == SNAPSHOT_GOOD);
    msgpack_sbuffer_destroy(&saved);
    observability_stack_destroy(&stack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    msgpack_sbuffer sealed;
    msgpack_sbuffer_init(&sealed);
    snapshot_begin(&sealed);
    if (size > 0)
        must(msgpack_sbuffer_write(&sealed, (const char *)data, size) == 0);
    snapshot_seal(&sealed);
    try_file((text_t){sealed.data, sealed.size});
    try_file((text_t){(const char *)data, size});
    msgpack_sbuffer_destroy(&sealed);
    return 0;
}
