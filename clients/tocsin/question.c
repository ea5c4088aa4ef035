#include "clients/tocsin/question.h"

#include "clients/tocsin/output.h"
#include "clients/tocsin/session.h"
#include "clients/tocsin/values.h"
#include "proto/cursor.h"
#include "proto/must.h"
#include "proto/pack.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* As many as the broker answers at once. */
#define PAGE_ITEMS 1000u

/*  A map that grows pair by pair. */
typedef struct {
    msgpack_sbuffer pairs;
    size_t count;
} arguments_t;

/* -- what is asked -- */

static void add_key(arguments_t *self, const char *key)
{
    pack_string(&self->pairs, key);
    self->count++;
}

static void pack_pair(msgpack_sbuffer *out, const char *pair)
{
    size_t size = strcspn(pair, "=");
    pack_text(out, (text_t){pair, size});
    pack_string(out, pair + size + 1);
}

/*  A name that is given again takes the place of what was given before, as labels are a map. */
static void pack_pairs(msgpack_sbuffer *out, const char *const *pairs, size_t count)
{
    size_t kept = 0;
    const char **last = memory_new(count, sizeof *last);
    for (size_t i = 0; i < count; i++) {
        size_t size = strcspn(pairs[i], "=") + 1, at = 0;
        while (at < kept && strncmp(last[at], pairs[i], size) != 0)
            at++;
        last[at] = pairs[i];
        kept += at == kept;
    }
    pack_map(out, kept);
    for (size_t i = 0; i < kept; i++)
        pack_pair(out, last[i]);
    free(last);
}

static void pack_several(msgpack_sbuffer *out, option_type_t type, const char *const *values,
                         size_t count)
{
    if (type == OPTION_PAIRS) {
        pack_pairs(out, values, count);
        return;
    }
    pack_array(out, count);
    for (size_t i = 0; i < count; i++)
        pack_string(out, values[i]);
}

static void pack_one(msgpack_sbuffer *out, option_type_t type, const char *value)
{
    double number = 0;
    uint64_t count = 0;
    switch (type) {
    case OPTION_COUNT:
        must(value_of_count(value, &count));
        pack_uint(out, count);
        break;
    case OPTION_NUMBER:
        must(value_of_number(value, &number));
        pack_number(out, number);
        break;
    case OPTION_DURATION:
        must(value_of_duration(value, &number));
        pack_number(out, number);
        break;
    case OPTION_TIME:
        must(value_of_time(value, (double)time(NULL), &number));
        pack_number(out, number);
        break;
    case OPTION_UNTIL:
        if (value_of_date(value, &number))
            pack_number(out, number);
        else
            pack_string(out, value);
        break;
    case OPTION_FLAG:
        pack_bool(out, true);
        break;
    case OPTION_TEXT:
    case OPTION_WORD:
    case OPTION_WORDS:
    case OPTION_TEXTS:
    case OPTION_PAIRS:
        pack_string(out, value);
    }
}

static void add_option(arguments_t *self, const call_t *call, option_id_t id)
{
    const option_t *option = &options[id];
    add_key(self, option->key);
    if (option->type != OPTION_WORDS && option->type != OPTION_TEXTS &&
        option->type != OPTION_PAIRS) {
        pack_one(&self->pairs, option->type, call_text(call, id));
        return;
    }
    const char **values = memory_new(call->given_count, sizeof *values), *value;
    size_t count = 0;
    for (size_t at = 0; (value = call_next(call, id, &at)) != NULL;)
        values[count++] = value;
    pack_several(&self->pairs, option->type, values, count);
    free(values);
}

static void add_operands(arguments_t *self, const call_t *call)
{
    for (size_t i = 0; i < call->operand_count; i++) {
        const operand_t *operand = &call->command->operands[i];
        add_key(self, operand->key);
        if (operand->type == OPTION_PAIRS) {
            pack_several(&self->pairs, OPTION_PAIRS, call->operands + i, call->operand_count - i);
            return;
        }
        pack_one(&self->pairs, operand->type, call->operands[i]);
    }
}

/*  The name of the user, if nobody else is named. */
static void add_by(arguments_t *self, const call_t *call)
{
    const char *by = call_text(call, OPT_BY);
    const struct passwd *user = by == NULL ? getpwuid(getuid()) : NULL;
    if (by == NULL && user == NULL)
        return;
    add_key(self, "by");
    pack_string(&self->pairs, by == NULL ? user->pw_name : by);
}

static arguments_t arguments_of(const call_t *call)
{
    arguments_t self = {.count = 0};
    msgpack_sbuffer_init(&self.pairs);
    add_operands(&self, call);
    for (option_id_t id = 0; id < OPTION_ROWS; id++)
        if (options[id].key != NULL && call_has(call, id))
            add_option(&self, call, id);
    if (call->command->by)
        add_by(&self, call);
    return self;
}

/*  The whole map; `limit` and `cursor` are those of a page: 0 and absent are none. */
static void pack_arguments(const arguments_t *self, uint64_t limit, tocsin_value_t cursor,
                           msgpack_sbuffer *out)
{
    pack_map(out, self->count + (limit > 0) + (cursor.size > 0));
    if (self->pairs.size > 0)
        pack_raw(out, (text_t){self->pairs.data, self->pairs.size});
    if (limit > 0) {
        pack_string(out, "limit");
        pack_uint(out, limit);
    }
    if (cursor.size > 0) {
        pack_string(out, "cursor");
        pack_raw(out, (text_t){cursor.bytes, cursor.size});
    }
}

/* -- a list, page by page -- */

typedef struct {
    session_t *session;
    const arguments_t *arguments;
    msgpack_sbuffer items, cursor; /* raw elements; the cursor of the next page */
    uint64_t count, limit;         /* elements so far, and at most */
} pages_t;

static bool is_nil(tocsin_value_t value)
{
    cursor_t cursor = cursor_over(value.bytes, value.size);
    value_t head;
    return value.size == 0 || !cursor_read(&cursor, &head) || head.type == VALUE_NIL;
}

static void keep_page(pages_t *self, tocsin_value_t answer)
{
    tocsin_value_t items = tocsin_value_of(answer, "items");
    tocsin_value_t next = tocsin_value_of(answer, "cursor");
    cursor_t cursor = cursor_over(items.bytes, items.size);
    value_t head;
    if (items.size > 0 && cursor_read(&cursor, &head) && cursor_left(&cursor) > 0)
        msgpack_sbuffer_write(&self->items, (const char *)cursor.at, cursor_left(&cursor));
    self->count += tocsin_value_count(items);
    msgpack_sbuffer_clear(&self->cursor);
    if (!is_nil(next))
        msgpack_sbuffer_write(&self->cursor, next.bytes, next.size);
}

static int read_page(pages_t *self)
{
    uint64_t left = self->limit - self->count;
    msgpack_sbuffer map;
    tocsin_reply_t *reply;
    msgpack_sbuffer_init(&map);
    pack_arguments(self->arguments, left < PAGE_ITEMS ? left : PAGE_ITEMS,
                   (tocsin_value_t){self->cursor.data, self->cursor.size}, &map);
    int status = session_ask(self->session, self->session->call->command->asks,
                             (tocsin_value_t){map.data, map.size}, &reply);
    if (status == 0)
        keep_page(self, tocsin_reply_result(reply));
    tocsin_reply_destroy(&reply);
    msgpack_sbuffer_destroy(&map);
    return status;
}

/*  As the broker would have answered all of it at once. */
static void show_pages(const pages_t *self)
{
    const call_t *call = self->session->call;
    msgpack_sbuffer answer;
    msgpack_sbuffer_init(&answer);
    pack_map(&answer, 2);
    pack_string(&answer, "items");
    size_t start = answer.size;
    pack_array(&answer, self->count);
    if (self->items.size > 0)
        pack_raw(&answer, (text_t){self->items.data, self->items.size});
    size_t end = answer.size;
    pack_string(&answer, "cursor");
    if (self->cursor.size > 0)
        pack_raw(&answer, (text_t){self->cursor.data, self->cursor.size});
    else
        pack_nil(&answer);
    output_list(call, call->command->columns, (tocsin_value_t){answer.data, answer.size},
                (tocsin_value_t){answer.data + start, end - start}, stdout);
    msgpack_sbuffer_destroy(&answer);
}

static int ask_list(session_t *session, const arguments_t *arguments)
{
    pages_t pages = {.session = session,
                     .arguments = arguments,
                     .limit = call_count(session->call, OPT_LIMIT, UINT64_MAX)};
    msgpack_sbuffer_init(&pages.items);
    msgpack_sbuffer_init(&pages.cursor);
    int status = 0;
    do
        status = pages.limit == 0 ? 0 : read_page(&pages);
    while (status == 0 && pages.cursor.size > 0 && pages.count < pages.limit);
    if (status == 0)
        show_pages(&pages);
    msgpack_sbuffer_destroy(&pages.items);
    msgpack_sbuffer_destroy(&pages.cursor);
    return status;
}

/* -- one thing -- */

/*  People see the thing; what stands around it is for programs. Without the thing, all is shown. */
static void show_thing(const call_t *call, tocsin_value_t answer)
{
    const command_row_t *command = call->command;
    const char *columns = command->show == SHOW_ROW ? command->columns : NULL;
    if (command->part != NULL && output_of(call) == OUTPUT_TABLE) {
        tocsin_value_t part = tocsin_value_of(answer, command->part);
        columns = is_nil(part) ? NULL : columns;
        answer = is_nil(part) ? answer : part;
    }
    output_answer(call, columns, answer, stdout);
}

static int ask_thing(session_t *session, const arguments_t *arguments)
{
    const command_row_t *command = session->call->command;
    msgpack_sbuffer map;
    tocsin_reply_t *reply;
    msgpack_sbuffer_init(&map);
    pack_arguments(arguments, 0, (tocsin_value_t){NULL, 0}, &map);
    int status = session_ask(session, command->asks, (tocsin_value_t){map.data, map.size}, &reply);
    if (status == 0)
        show_thing(session->call, tocsin_reply_result(reply));
    tocsin_reply_destroy(&reply);
    msgpack_sbuffer_destroy(&map);
    return status;
}

int question_run(const call_t *call)
{
    session_t session;
    int status = session_open(&session, call);
    if (status == 0) {
        arguments_t arguments = arguments_of(call);
        status = call->command->show == SHOW_LIST ? ask_list(&session, &arguments)
                                                  : ask_thing(&session, &arguments);
        msgpack_sbuffer_destroy(&arguments.pairs);
    }
    session_close(&session);
    return status;
}
