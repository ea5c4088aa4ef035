/*  Whatever comes to the operations wing, one MessagePack value after the other: a map is a
 * command, a number lets as many seconds pass, text names a policy whose condition holds, and a
 * list one whose condition, for the label that follows the name, is clear, without data or in
 * error.
 */
#include "engines/operations/operations_manager.h"
#include "proto/command.h"
#include "proto/cursor.h"
#include "proto/must.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    operations_manager_t *manager;
    instant_t now;
    arena_t arena;
} fuzzed_t;

static void check(void *context, const effect_t *effect)
{
    (void)context;
    if (effect->type == EFFECT_SAVE_ALERT)
        must(effect->as.alert->id > 0 && effect->as.alert->updated_at >= 1);
    else if (effect->type == EFFECT_SAVE_INCIDENT)
        must(effect->as.incident->notes_shown <= NOTES_SHOWN);
}

static void do_command(fuzzed_t *self, text_t message)
{
    limits_t limits = LIMITS_DEFAULT;
    command_t command;
    operations_answer_t answer;
    schema_error_t error;
    if (command_read(&limits, message, true, &self->arena, &command, &error) != STATUS_OK ||
        !command.spec->changes || command.spec->wing != WING_OPERATIONS ||
        command.which == DO_SLO_PUT || command.which == DO_SLO_DELETE)
        return;
    operations_manager_do(self->manager, &command, self->now, &answer, &error);
}

static void let_time_pass(fuzzed_t *self, double seconds)
{
    if (!(seconds >= 0 && seconds < 1e6))
        return;
    self->now.mono_ns += ns_of(seconds);
    self->now.wall_s += seconds;
    operations_manager_tick(self->manager, self->now);
}

static void hear(fuzzed_t *self, text_t name, text_t label, result_state_t state)
{
    const policy_t *policy = operations_manager_policy(self->manager, name);
    if (policy == NULL)
        return;
    uint8_t *buffer = arena_take(&self->arena, LABELS_MAX_BYTES);
    label_t pair = {TEXT_OF("l"), label};
    plan_result_t result = {.plan = policy->plan + (state == RESULT_CLEAR && label.size % 2 == 1),
                            .labels = labels_build(&pair, label.size > 1000 ? 0 : 1, buffer),
                            .state = state,
                            .value = (double)label.size,
                            .error = state == RESULT_ERROR ? name : TEXT_NONE};
    operations_manager_result(self->manager, &result, self->now);
}

/*  [name, label?]: clear, without data after three elements, in error after four. */
static void hear_list(fuzzed_t *self, cursor_t cursor, uint32_t count)
{
    value_t name, label = {.type = VALUE_NIL};
    if (count == 0 || !cursor_read(&cursor, &name) || name.type != VALUE_STR)
        return;
    if (count > 1)
        must(cursor_read(&cursor, &label));
    static const result_state_t states[] = {RESULT_CLEAR, RESULT_CLEAR, RESULT_NO_DATA,
                                            RESULT_ERROR};
    hear(self, name.as.text, label.type == VALUE_STR ? label.as.text : TEXT_NONE,
         states[count > 4 ? 3 : count - 1]);
}

static void take(fuzzed_t *self, cursor_t *cursor)
{
    const uint8_t *at = cursor->at;
    cursor_t inside = *cursor;
    value_t value;
    double seconds;
    must(cursor_read(&inside, &value) && cursor_skip(cursor));
    if (value.type == VALUE_MAP)
        do_command(self, (text_t){(const char *)at, (size_t)(cursor->at - at)});
    else if (value.type == VALUE_STR)
        hear(self, value.as.text, TEXT_NONE, RESULT_HOLDS);
    else if (value.type == VALUE_ARRAY)
        hear_list(self, inside, value.as.count);
    else if (value_number(&value, &seconds))
        let_time_pass(self, seconds);
    arena_reset(&self->arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    operations_config_t config = {
        .policies = 4, .runbooks = 2, .alerts = 8, .incidents = 4, .silences = 4, .notes = 3};
    fuzzed_t wing = {.now = {0, 1}};
    cursor_t cursor = cursor_over(data, size), behind = cursor;
    wing.manager = operations_manager_new(&config, (effect_sink_t){check, NULL});
    operations_manager_start(wing.manager, wing.now);
    while (cursor_left(&cursor) > 0 && cursor_walk(&behind, LIMITS_DEFAULT.depth) == STATUS_OK) {
        take(&wing, &cursor);
        behind = cursor;
    }
    ops_metrics_t metrics;
    operations_manager_metrics(wing.manager, &metrics);
    must(metrics.incidents_created == metrics.incidents_open + metrics.incidents_resolved);
    must(metrics.alerts_active <= config.alerts);
    operations_manager_destroy(&wing.manager);
    arena_free(&wing.arena);
    return 0;
}
