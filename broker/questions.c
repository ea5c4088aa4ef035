#include "broker/questions.h"

#include "engines/words.h"
#include "proto/command.h"
#include "proto/must.h"
#include "proto/pack.h"
#include "proto/reply.h"
#include "proto/schema.h"

#include <stdio.h>

/*  Any of the views; a question fills one and says by which table it is shown. */
typedef union {
    metric_view_t metric;
    anomaly_view_t anomaly;
    profile_view_t profile;
    dependency_view_t dependency;
    slo_view_t slo;
} view_t;

typedef struct {
    const observability_stack_t *stack;
    instant_t now;
} asked_t;

/* -- one thing -- */

static bool get_metric(const asked_t *asked, const named_t *named, view_t *view)
{
    return observability_stack_metric(asked->stack, named->name, named->labels, &view->metric);
}

static bool get_anomaly(const asked_t *asked, const named_t *named, view_t *view)
{
    return observability_stack_anomaly(asked->stack, named->name, named->labels, &view->anomaly);
}

static bool check_anomaly(const asked_t *asked, const named_t *named, view_t *view)
{
    return observability_stack_anomaly_check(asked->stack, named->name, named->labels, named->value,
                                             &view->anomaly);
}

static bool get_profile(const asked_t *asked, const named_t *named, view_t *view)
{
    return observability_stack_profile(asked->stack, named->name, &view->profile);
}

static bool get_dependency(const asked_t *asked, const named_t *named, view_t *view)
{
    return observability_stack_dependency(asked->stack, named->name, &view->dependency);
}

static bool get_slo(const asked_t *asked, const named_t *named, view_t *view)
{
    return observability_stack_slo(asked->stack, named->name, asked->now, &view->slo);
}

/* -- many -- */

static bool next_metric(const asked_t *asked, uint64_t *at, text_t prefix, view_t *view)
{
    return observability_stack_next_metric(asked->stack, at, prefix, &view->metric);
}

static bool next_anomaly(const asked_t *asked, uint64_t *at, text_t prefix, view_t *view)
{
    (void)prefix;
    return observability_stack_next_anomaly(asked->stack, at, &view->anomaly);
}

static bool next_profile(const asked_t *asked, uint64_t *at, text_t prefix, view_t *view)
{
    (void)prefix;
    return observability_stack_next_profile(asked->stack, at, &view->profile);
}

static bool next_dependency(const asked_t *asked, uint64_t *at, text_t prefix, view_t *view)
{
    (void)prefix;
    return observability_stack_next_dependency(asked->stack, at, &view->dependency);
}

static bool next_slo(const asked_t *asked, uint64_t *at, text_t prefix, view_t *view)
{
    (void)prefix;
    return observability_stack_next_slo(asked->stack, at, asked->now, &view->slo);
}

/* -- conditions -- */

static void write_element(const element_t *element, msgpack_sbuffer *out)
{
    pack_map(out, 2);
    pack_string(out, "labels");
    pack_labels(out, element->labels);
    pack_string(out, "value");
    pack_number(out, element->value);
}

/*  {value, vector, would_fire}: the value is that of a number, or of a result's only element. */
static void write_answer(const answer_t *answer, msgpack_sbuffer *out)
{
    const vector_t *vector = &answer->vector;
    pack_map(out, 3);
    pack_string(out, "value");
    if (answer->is_scalar || vector->count == 1)
        pack_number(out, answer->is_scalar ? answer->scalar : vector->items[0].value);
    else
        pack_nil(out);
    pack_string(out, "vector");
    pack_array(out, vector->count);
    for (size_t i = 0; i < vector->count; i++)
        write_element(&vector->items[i], out);
    pack_string(out, "would_fire");
    pack_bool(out, answer->is_scalar || vector->count > 0);
}

static status_t test_condition(const asked_t *asked, const command_t *command, arena_t *arena,
                               msgpack_sbuffer *out, schema_error_t *error)
{
    const policy_test_t *test = command->arguments;
    answer_t answer;
    condition_error_t wrong;
    status_t status =
        observability_stack_test(asked->stack, test->condition, asked->now, arena, &answer, &wrong);
    if (status != STATUS_OK) {
        words_t words = words_in(error->message, sizeof error->message);
        words_add(&words, "condition: line ");
        words_whole(&words, wrong.line);
        words_add(&words, ", column ");
        words_whole(&words, wrong.column);
        words_add(&words, ": ");
        words_add(&words, wrong.message);
        return status;
    }
    write_answer(&answer, out);
    if (out->size <= QUESTION_BYTES)
        return STATUS_OK;
    out->size = 0;
    snprintf(error->message, sizeof error->message,
             "condition: the result has %zu label sets, more than an answer holds",
             answer.vector.count);
    return STATUS_LIMIT;
}

static const schema_t *metric_table(const view_t *view)
{
    return metric_schema(&view->metric);
}

static const struct {
    const char *thing;
    const schema_t *schema; /* NULL: `table` tells */
    const schema_t *(*table)(const view_t *view);
    bool (*get)(const asked_t *, const named_t *, view_t *);
    bool (*next)(const asked_t *, uint64_t *at, text_t prefix, view_t *);
    status_t (*answer)(const asked_t *, const command_t *, arena_t *, msgpack_sbuffer *,
                       schema_error_t *); /* NULL: by get or next */
} questions[DO_COUNT] = {
    [DO_METRICS_GET] = {.thing = "metric", .table = metric_table, .get = get_metric},
    [DO_METRICS_LIST] = {.thing = "metric", .table = metric_table, .next = next_metric},
    [DO_ANOMALY_GET] = {.thing = "watched series", .schema = &anomaly_schema, .get = get_anomaly},
    [DO_ANOMALY_CHECK] = {.thing = "watched series",
                          .schema = &anomaly_schema,
                          .get = check_anomaly},
    [DO_ANOMALY_LIST] = {.thing = "watched series",
                         .schema = &anomaly_schema,
                         .next = next_anomaly},
    [DO_PROFILE_GET] = {.thing = "operation", .schema = &profile_schema, .get = get_profile},
    [DO_PROFILE_LIST] = {.thing = "operation", .schema = &profile_schema, .next = next_profile},
    [DO_DEPENDENCY_GET] = {.thing = "dependency",
                           .schema = &dependency_schema,
                           .get = get_dependency},
    [DO_DEPENDENCY_LIST] = {.thing = "dependency",
                            .schema = &dependency_schema,
                            .next = next_dependency},
    [DO_SLO_GET] = {.thing = "SLO", .schema = &slo_view_schema, .get = get_slo},
    [DO_SLO_LIST] = {.thing = "SLO", .schema = &slo_view_schema, .next = next_slo},
    [DO_POLICY_TEST] = {.answer = test_condition},
};

static void write_view(do_t which, const view_t *view, msgpack_sbuffer *out)
{
    const schema_t *schema = questions[which].schema;
    schema_write(schema != NULL ? schema : questions[which].table(view), view, false, out);
}

static status_t get_one(const asked_t *asked, const command_t *command, msgpack_sbuffer *out,
                        schema_error_t *error)
{
    const named_t *named = command->arguments;
    view_t view;
    if (questions[command->which].get(asked, named, &view)) {
        write_view(command->which, &view, out);
        return STATUS_OK;
    }
    snprintf(error->message, sizeof error->message, "there is no %s \"%.*s\"%s",
             questions[command->which].thing, named->name.size > 80 ? 80 : (int)named->name.size,
             named->name.data, named->labels.count > 0 ? " with these labels" : "");
    return STATUS_NOT_FOUND;
}

/*  A cursor is the position after the last item. */
static bool read_cursor(const list_t *list, uint64_t *at)
{
    *at = 0;
    if (list->cursor.data == NULL)
        return true;
    cursor_t cursor = cursor_over(list->cursor.data, list->cursor.size);
    value_t value;
    return cursor_read(&cursor, &value) && value_whole(&value, at);
}

static status_t list_many(const asked_t *asked, const command_t *command, msgpack_sbuffer *out,
                          schema_error_t *error)
{
    const list_t *list = command->arguments;
    uint64_t at;
    if (!read_cursor(list, &at)) {
        snprintf(error->message, sizeof error->message, "cursor: not one that was given out");
        return STATUS_BAD_VALUE;
    }
    msgpack_sbuffer items;
    msgpack_sbuffer_init(&items);
    view_t view;
    int64_t count = 0;
    bool more = questions[command->which].next(asked, &at, list->prefix, &view);
    uint64_t behind = 0;
    while (more && count < list->limit && items.size < QUESTION_BYTES) {
        write_view(command->which, &view, &items);
        count++;
        behind = at;
        more = questions[command->which].next(asked, &at, list->prefix, &view);
    }
    pack_map(out, 2);
    pack_string(out, "items");
    pack_array(out, (size_t)count);
    pack_raw(out, (text_t){items.data, items.size});
    pack_string(out, "cursor");
    if (more)
        pack_uint(out, behind);
    else
        pack_nil(out);
    msgpack_sbuffer_destroy(&items);
    return STATUS_OK;
}

static status_t answer(const asked_t *asked, const command_t *command, arena_t *arena,
                       msgpack_sbuffer *out, schema_error_t *error)
{
    if (questions[command->which].answer != NULL)
        return questions[command->which].answer(asked, command, arena, out, error);
    return questions[command->which].get != NULL ? get_one(asked, command, out, error)
                                                 : list_many(asked, command, out, error);
}

void questions_answer(const observability_stack_t *stack, const limits_t *limits, text_t request,
                      instant_t now, arena_t *arena, msgpack_sbuffer *reply)
{
    asked_t asked = {stack, now};
    command_t command;
    schema_error_t error;
    msgpack_sbuffer outcome;
    msgpack_sbuffer_init(&outcome);
    status_t status = command_read(limits, request, false, arena, &command, &error);
    if (status == STATUS_OK) {
        must(command.spec->wing == WING_OBSERVABILITY);
        status = answer(&asked, &command, arena, &outcome, &error);
    }
    if (status != STATUS_OK)
        reply_error(status, error.message, &outcome);
    reply_encode(command.id, status == STATUS_OK, (text_t){outcome.data, outcome.size}, reply);
    msgpack_sbuffer_destroy(&outcome);
    arena_reset(arena);
}
