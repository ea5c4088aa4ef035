#include "engines/condition_parser_inside.h"
#include "proto/cursor.h"

#include <string.h>

/* Ranges and offsets: what is kept in memory for them is bounded by this. */
#define DURATION_MAX_S (30.0 * 86400)

#define MATCHERS_MAX 64u
#define NAMES_MAX 64u

/* -- errors -- */

words_t condition_error_at(condition_error_t *error, text_t text, size_t at)
{
    error->line = error->column = 1;
    for (size_t i = 0; i < at; i++) {
        bool newline = text.data[i] == '\n';
        bool inside = (text.data[i] & 0xc0) == 0x80; /* a character of UTF-8 */
        error->line += newline;
        error->column = newline ? 1 : error->column + !inside;
    }
    return words_in(error->message, sizeof error->message);
}

#define QUOTED_MAX 40u

static void quote(words_t *words, text_t text)
{
    char room[QUOTED_MAX + 1];
    words_t quoted = words_in(room, sizeof room);
    words_text(&quoted, text);
    words_add(words, "\"");
    words_add(words, room);
    words_add(words, quoted.used == text.size ? "\"" : "…\"");
}

static void say_found(words_t *words, const token_t *token)
{
    words_add(words, "found ");
    if (token->kind == TOKEN_END) {
        words_add(words, "the end");
        return;
    }
    quote(words, token->text);
    if (token->wrong != NULL) {
        words_add(words, ", ");
        words_add(words, token->wrong);
    }
}

void *parser_expected(parser_t *self, const char *what)
{
    words_t words = condition_error_at(self->error, self->text, self->token.at);
    say_found(&words, &self->token);
    words_add(&words, ", expected ");
    words_add(&words, what);
    return NULL;
}

void *parser_refuse(parser_t *self, size_t at, const char *words)
{
    words_t error = condition_error_at(self->error, self->text, at);
    words_add(&error, words);
    return NULL;
}

void *parser_unsupported(parser_t *self, const char *kind)
{
    words_t words = condition_error_at(self->error, self->text, self->token.at);
    say_found(&words, &self->token);
    words_add(&words, ": this ");
    words_add(&words, kind);
    words_add(&words, " is not supported");
    return NULL;
}

/* -- tokens -- */

void parser_advance(parser_t *self)
{
    self->token = lexer_next(&self->lexer);
}

token_t parser_peek_behind(const parser_t *self)
{
    lexer_t ahead = self->lexer;
    return lexer_next(&ahead);
}

bool parser_take(parser_t *self, token_kind_t kind)
{
    if (self->token.kind != kind)
        return false;
    parser_advance(self);
    return true;
}

bool token_is_word(const token_t *token, const char *keyword)
{
    return token->kind == TOKEN_NAME && name_is_keyword(token->text, text_of(keyword));
}

static bool is_label(text_t name)
{
    return memchr(name.data, ':', name.size) == NULL;
}

node_t *parser_node(parser_t *self, node_kind_t kind, size_t at)
{
    node_t *node = arena_take(self->arena, sizeof *node);
    node->kind = kind;
    node->at = (uint32_t)at;
    node->height = 1;
    return node;
}

/* -- lists of names -- */

bool parser_names(parser_t *self, texts_t *names)
{
    text_t items[NAMES_MAX];
    size_t count = 0;
    if (!parser_take(self, TOKEN_LEFT_PAREN))
        return parser_expected(self, "( and a list of labels");
    while (self->token.kind != TOKEN_RIGHT_PAREN) {
        if (count == NAMES_MAX)
            return parser_expected(self, "at most 64 labels");
        if (self->token.kind != TOKEN_NAME || !is_label(self->token.text))
            return parser_expected(self, "the name of a label");
        items[count++] = self->token.text;
        parser_advance(self);
        if (!parser_take(self, TOKEN_COMMA) && self->token.kind != TOKEN_RIGHT_PAREN)
            return parser_expected(self, ", or )");
    }
    parser_advance(self);
    text_t *kept = arena_take(self->arena, (count + 1) * sizeof *kept);
    memcpy(kept, items, count * sizeof *kept);
    *names = (texts_t){kept, count};
    return true;
}

/* -- durations -- */

static bool take_duration(parser_t *self, int64_t *milliseconds)
{
    double seconds;
    size_t at = self->token.at;
    if (self->token.kind != TOKEN_DURATION)
        return parser_expected(self, "a duration, as 5m");
    if (!duration_parse(self->token.text, &seconds))
        return parser_expected(self, "a duration with its units once each, the greater first");
    if (seconds <= 0 || seconds > DURATION_MAX_S)
        return parser_refuse(self, at, "a duration is more than 0 and at most 30d");
    *milliseconds = (int64_t)(seconds * 1000 + 0.5);
    parser_advance(self);
    return true;
}

/* -- selectors -- */

static const struct {
    token_kind_t token;
    match_t match;
} matches[] = {{TOKEN_EQUAL, MATCH_EQUAL},
               {TOKEN_NOT_SAME, MATCH_NOT_EQUAL},
               {TOKEN_MATCH, MATCH_PATTERN},
               {TOKEN_NOT_MATCH, MATCH_NOT_PATTERN}};

static bool take_matcher(parser_t *self, matcher_t *matcher)
{
    if (self->token.kind != TOKEN_NAME || !is_label(self->token.text))
        return parser_expected(self, "the name of a label or }");
    *matcher = (matcher_t){.label = self->token.text, .at = self->token.at};
    parser_advance(self);
    size_t i = 0;
    while (i < sizeof matches / sizeof *matches && matches[i].token != self->token.kind)
        i++;
    if (i == sizeof matches / sizeof *matches)
        return parser_expected(self, "= != =~ or !~");
    matcher->match = matches[i].match;
    parser_advance(self);
    if (self->token.kind != TOKEN_STRING)
        return parser_expected(self, "a string in quotes");
    matcher->value = token_string(self->token.text, self->arena);
    parser_advance(self);
    return true;
}

/* {__name__="a"} is a; any other matcher of the name stays one. */
static bool settle_name(selector_t *selector, const matcher_t *matcher)
{
    if (!text_is(matcher->label, "__name__") || matcher->match != MATCH_EQUAL ||
        matcher->value.size == 0 || selector->name.data != NULL)
        return false;
    selector->name = matcher->value;
    return true;
}

static bool take_matchers(parser_t *self, selector_t *selector)
{
    matcher_t items[MATCHERS_MAX];
    size_t count = 0;
    bool named = selector->name.data != NULL;
    if (!parser_take(self, TOKEN_LEFT_BRACE))
        return true;
    while (self->token.kind != TOKEN_RIGHT_BRACE) {
        if (count == MATCHERS_MAX)
            return parser_expected(self, "at most 64 matchers");
        if (!take_matcher(self, &items[count]))
            return false;
        if (named && text_is(items[count].label, "__name__"))
            return parser_refuse(self, items[count].at, "the metric's name is said twice");
        count += !settle_name(selector, &items[count]);
        if (!parser_take(self, TOKEN_COMMA) && self->token.kind != TOKEN_RIGHT_BRACE)
            return parser_expected(self, ", or }");
    }
    parser_advance(self);
    matcher_t *kept = arena_take(self->arena, (count + 1) * sizeof *kept);
    memcpy(kept, items, count * sizeof *kept);
    selector->matchers = kept;
    selector->matcher_count = count;
    return true;
}

node_t *parser_selector(parser_t *self)
{
    node_t *node = parser_node(self, NODE_SELECTOR, self->token.at);
    selector_t *selector = &node->as.selector;
    selector->at = node->at;
    if (self->token.kind == TOKEN_NAME) {
        selector->name = self->token.text;
        parser_advance(self);
    }
    return take_matchers(self, selector) ? node : NULL;
}

/* -- what may stand behind a selector -- */

static bool bare_selector(const node_t *node)
{
    return node->kind == NODE_SELECTOR && !node->parenthesised && !node->positive;
}

static node_t *take_range(parser_t *self, node_t *node)
{
    size_t at = self->token.at;
    parser_advance(self);
    if (!bare_selector(node) || node->as.selector.range_ms > 0)
        return parser_refuse(self, at, "found \"[\": a range follows a selector only");
    if (node->as.selector.offset_ms != 0)
        return parser_refuse(self, at, "found \"[\": the range stands before the offset");
    if (!take_duration(self, &node->as.selector.range_ms))
        return NULL;
    if (self->token.text.size > 0 && self->token.text.data[0] == ':')
        return parser_unsupported(self, "subquery");
    return parser_take(self, TOKEN_RIGHT_BRACKET) ? node : parser_expected(self, "]");
}

static node_t *take_offset(parser_t *self, node_t *node)
{
    size_t at = self->token.at;
    parser_advance(self);
    if (!bare_selector(node))
        return parser_refuse(self, at, "found \"offset\": it follows a selector only");
    if (node->as.selector.offset_ms != 0)
        return parser_refuse(self, at, "a selector has one offset only");
    bool back = parser_take(self, TOKEN_MINUS);
    if (!take_duration(self, &node->as.selector.offset_ms))
        return NULL;
    if (back)
        node->as.selector.offset_ms = -node->as.selector.offset_ms;
    return node;
}

node_t *parser_suffixes(parser_t *self, node_t *node)
{
    while (node != NULL) {
        if (self->token.kind == TOKEN_LEFT_BRACKET)
            node = take_range(self, node);
        else if (token_is_word(&self->token, "offset"))
            node = take_offset(self, node);
        else if (self->token.kind == TOKEN_AT)
            return parser_unsupported(self, "modifier");
        else
            return node;
    }
    return NULL;
}
