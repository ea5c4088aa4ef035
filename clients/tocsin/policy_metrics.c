#include "clients/tocsin/policy_metrics.h"

#include "proto/cursor.h"
#include "proto/pack.h"
#include "proto/schema.h"

#include <string.h>

#define PAGE_ITEMS 1000u

/*  A page of the series whose names begin so. */
static int ask_page(policy_metrics_t *self, text_t prefix, const msgpack_sbuffer *cursor,
                    tocsin_reply_t **reply)
{
    msgpack_sbuffer map;
    msgpack_sbuffer_init(&map);
    pack_map(&map, 3);
    pack_string(&map, "prefix");
    pack_text(&map, prefix);
    pack_string(&map, "limit");
    pack_uint(&map, PAGE_ITEMS);
    pack_string(&map, "cursor");
    if (cursor->size > 0)
        pack_raw(&map, (text_t){cursor->data, cursor->size});
    else
        pack_nil(&map);
    self->status =
        session_ask(self->session, "metrics.list", (tocsin_value_t){map.data, map.size}, reply);
    msgpack_sbuffer_destroy(&map);
    return self->status;
}

static bool value_is(tocsin_value_t value, text_t text)
{
    size_t size;
    const char *data = tocsin_value_text(value, &size);
    return data != NULL && text_equal((text_t){data, size}, text);
}

/* The units that mean something to lint; the reply that names one does not outlive the question. */
static const char *const units[] = {"ratio", "percent", "bytes", "seconds"};

static lint_metric_t describe(tocsin_value_t item)
{
    lint_metric_t known = {TEXT_NONE, METRIC_COUNTER};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (value_is(tocsin_value_of(item, "unit"), text_of(units[i])))
            known.unit = text_of(units[i]);
    for (size_t i = 0; metric_kind_words[i] != NULL; i++)
        if (value_is(tocsin_value_of(item, "kind"), text_of(metric_kind_words[i])))
            known.kind = (metric_kind_t)i;
    return known;
}

static bool find_in_page(tocsin_value_t items, text_t name, lint_metric_t *known)
{
    cursor_t cursor = cursor_over(items.bytes, items.size);
    value_t head;
    if (items.size == 0 || !cursor_read(&cursor, &head) || head.type != VALUE_ARRAY)
        return false;
    for (uint32_t i = 0; i < head.as.count; i++) {
        const uint8_t *at = cursor.at;
        if (!cursor_skip(&cursor))
            return false;
        tocsin_value_t item = {at, (size_t)(cursor.at - at)};
        if (value_is(tocsin_value_of(item, "name"), name)) {
            *known = describe(item);
            return true;
        }
    }
    return false;
}

/*  Where the next page begins; false if there is none. */
static bool take_cursor(tocsin_value_t answer, msgpack_sbuffer *next)
{
    tocsin_value_t cursor = tocsin_value_of(answer, "cursor");
    cursor_t look = cursor_over(cursor.bytes, cursor.size);
    value_t head;
    msgpack_sbuffer_clear(next);
    if (cursor.size == 0 || !cursor_read(&look, &head) || head.type == VALUE_NIL)
        return false;
    msgpack_sbuffer_write(next, cursor.bytes, cursor.size);
    return true;
}

static bool find_exactly(policy_metrics_t *self, text_t name, lint_metric_t *known)
{
    msgpack_sbuffer next;
    bool found = false, more = true;
    msgpack_sbuffer_init(&next);
    while (!found && more) {
        tocsin_reply_t *reply;
        more = ask_page(self, name, &next, &reply) == 0;
        if (more) {
            tocsin_value_t answer = tocsin_reply_result(reply);
            found = find_in_page(tocsin_value_of(answer, "items"), name, known);
            more = take_cursor(answer, &next);
        }
        tocsin_reply_destroy(&reply);
    }
    msgpack_sbuffer_destroy(&next);
    return found;
}

/*  The histogram that a name with that ending is read from. */
static bool find_histogram(policy_metrics_t *self, text_t name, const char *ending,
                           lint_metric_t *known)
{
    size_t size = strlen(ending);
    if (name.size <= size || memcmp(name.data + name.size - size, ending, size) != 0)
        return false;
    bool found = find_exactly(self, (text_t){name.data, name.size - size}, known) &&
                 known->kind == METRIC_HISTOGRAM;
    *known = (lint_metric_t){TEXT_NONE, METRIC_COUNTER};
    return found;
}

bool policy_metrics_find(policy_metrics_t *self, text_t name, lint_metric_t *known)
{
    *known = (lint_metric_t){TEXT_NONE, METRIC_COUNTER};
    return self->status != 0 || find_exactly(self, name, known) ||
           find_histogram(self, name, "_count", known) ||
           find_histogram(self, name, "_sum", known) || self->status != 0;
}
