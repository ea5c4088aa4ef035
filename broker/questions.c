#include "broker/questions.h"

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
} questions[DO_COUNT] = {
    [DO_METRICS_GET] = {"metric", NULL, metric_table, get_metric, NULL},
    [DO_METRICS_LIST] = {"metric", NULL, metric_table, NULL, next_metric},
    [DO_ANOMALY_GET] = {"watched series", &anomaly_schema, NULL, get_anomaly, NULL},
    [DO_ANOMALY_CHECK] = {"watched series", &anomaly_schema, NULL, check_anomaly, NULL},
    [DO_ANOMALY_LIST] = {"watched series", &anomaly_schema, NULL, NULL, next_anomaly},
    [DO_PROFILE_GET] = {"operation", &profile_schema, NULL, get_profile, NULL},
    [DO_PROFILE_LIST] = {"operation", &profile_schema, NULL, NULL, next_profile},
    [DO_DEPENDENCY_GET] = {"dependency", &dependency_schema, NULL, get_dependency, NULL},
    [DO_DEPENDENCY_LIST] = {"dependency", &dependency_schema, NULL, NULL, next_dependency},
    [DO_SLO_GET] = {"SLO", &slo_view_schema, NULL, get_slo, NULL},
    [DO_SLO_LIST] = {"SLO", &slo_view_schema, NULL, NULL, next_slo},
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
        status = questions[command.which].get != NULL
                     ? get_one(&asked, &command, &outcome, &error)
                     : list_many(&asked, &command, &outcome, &error);
    }
    if (status != STATUS_OK)
        reply_error(status, error.message, &outcome);
    reply_encode(command.id, status == STATUS_OK, (text_t){outcome.data, outcome.size}, reply);
    msgpack_sbuffer_destroy(&outcome);
    arena_reset(arena);
}
