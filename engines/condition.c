#include "engines/condition.h"

#include "engines/keep.h"
#include "proto/must.h"

#include <stdlib.h>
#include <string.h>

typedef enum {
    LESS,
    LESS_EQUAL,
    EQUAL,
    NOT_EQUAL,
    GREATER_EQUAL,
    GREATER,
    COMPARISONS
} comparison_t;

static const struct {
    text_t sign;
    comparison_t mirrored; /* when the number stands on the left */
} comparisons[COMPARISONS] = {
    [LESS] = {{"<", 1}, GREATER}, [LESS_EQUAL] = {{"<=", 2}, GREATER_EQUAL},
    [EQUAL] = {{"==", 2}, EQUAL}, [NOT_EQUAL] = {{"!=", 2}, NOT_EQUAL},
    [GREATER] = {{">", 1}, LESS}, [GREATER_EQUAL] = {{">=", 2}, LESS_EQUAL},
};

typedef struct {
    text_t name, value;
    bool equal;
} matcher_t;

#define MATCHERS_MAX 32u

struct condition {
    text_t text;
    text_t metric;
    matcher_t matchers[MATCHERS_MAX];
    size_t matcher_count;
    comparison_t comparison;
    double bound;
    bool percent;
};

typedef struct {
    text_t text;
    size_t at;
    condition_error_t *error;
} reader_t;

/* -- errors -- */

static void say(condition_error_t *error, text_t words)
{
    size_t used = strlen(error->message), room = sizeof error->message - 1 - used;
    size_t size = words.size < room ? words.size : room;
    memcpy(error->message + used, words.data, size);
    error->message[used + size] = '\0';
}

static bool expected(const reader_t *self, text_t what)
{
    *self->error = (condition_error_t){.line = 1, .column = 1};
    for (size_t i = 0; i < self->at; i++) {
        bool newline = self->text.data[i] == '\n';
        self->error->line += newline;
        self->error->column = newline ? 1 : self->error->column + 1;
    }
    say(self->error, TEXT_OF("found "));
    if (self->at == self->text.size) {
        say(self->error, TEXT_OF("the end"));
    } else {
        say(self->error, TEXT_OF("\""));
        say(self->error, (text_t){self->text.data + self->at, 1});
        say(self->error, TEXT_OF("\""));
    }
    say(self->error, TEXT_OF(", expected "));
    say(self->error, what);
    return false;
}

/* -- tokens -- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(reader_t *self)
{
    while (self->at < self->text.size && strchr(" \t\r\n", self->text.data[self->at]) != NULL)
        self->at++;
    return self->at < self->text.size ? self->text.data[self->at] : '\0';
}

static bool take(reader_t *self, text_t sign)
{
    peek(self);
    text_t rest = {self->text.data + self->at, self->text.size - self->at};
    if (!text_begins(rest, sign))
        return false;
    self->at += sign.size;
    return true;
}

static text_t take_name(reader_t *self, bool colons)
{
    size_t from = self->at;
    while (self->at < self->text.size &&
           (is_letter(self->text.data[self->at]) || is_digit(self->text.data[self->at]) ||
            (colons && self->text.data[self->at] == ':')))
        self->at++;
    return (text_t){self->text.data + from, self->at - from};
}

static bool take_string(reader_t *self, text_t *value)
{
    if (!take(self, TEXT_OF("\"")))
        return expected(self, TEXT_OF("a value in double quotes"));
    size_t from = self->at;
    while (self->at < self->text.size && strchr("\"\\\n", self->text.data[self->at]) == NULL)
        self->at++;
    *value = (text_t){self->text.data + from, self->at - from};
    return take(self, TEXT_OF("\"")) || expected(self, TEXT_OF("a plain character or \""));
}

static bool take_number(reader_t *self, double *number)
{
    char digits[64];
    size_t size = 0;
    peek(self);
    for (; self->at + size < self->text.size && size < sizeof digits - 1; size++) {
        char c = self->text.data[self->at + size];
        bool exponent = size > 0 && (digits[size - 1] == 'e' || digits[size - 1] == 'E');
        if (!is_digit(c) && c != '.' && c != 'e' && c != 'E' &&
            !((c == '+' || c == '-') && (size == 0 || exponent)))
            break;
        digits[size] = c;
    }
    digits[size] = '\0';
    char *end;
    *number = strtod(digits, &end);
    self->at += (size_t)(end - digits);
    return end != digits || expected(self, TEXT_OF("a number"));
}

/* -- the grammar: selector comparison number, or number comparison selector -- */

static bool take_matcher(reader_t *self, matcher_t *matcher)
{
    if (!is_letter(peek(self)))
        return expected(self, TEXT_OF("the name of a label"));
    matcher->name = take_name(self, false);
    matcher->equal = !take(self, TEXT_OF("!="));
    if (matcher->equal && !take(self, TEXT_OF("=")))
        return expected(self, TEXT_OF("= or !="));
    return take_string(self, &matcher->value);
}

static bool take_matchers(reader_t *self, condition_t *condition)
{
    if (!take(self, TEXT_OF("{")))
        return true;
    while (!take(self, TEXT_OF("}"))) {
        if (condition->matcher_count == MATCHERS_MAX)
            return expected(self, TEXT_OF("no more than 32 matchers"));
        if (!take_matcher(self, &condition->matchers[condition->matcher_count++]))
            return false;
        if (!take(self, TEXT_OF(",")) && peek(self) != '}')
            return expected(self, TEXT_OF(", or }"));
    }
    return true;
}

static bool take_selector(reader_t *self, condition_t *condition)
{
    char first = peek(self);
    if (!is_letter(first) && first != ':')
        return expected(self, TEXT_OF("the name of a metric"));
    condition->metric = take_name(self, true);
    return take_matchers(self, condition);
}

static bool take_bound(reader_t *self, condition_t *condition)
{
    if (!take_number(self, &condition->bound))
        return false;
    condition->percent = take(self, TEXT_OF("%"));
    return true;
}

static bool take_comparison(reader_t *self, condition_t *condition)
{
    static const comparison_t longest_first[COMPARISONS] = {LESS_EQUAL, GREATER_EQUAL, EQUAL,
                                                            NOT_EQUAL,  LESS,          GREATER};
    for (size_t i = 0; i < COMPARISONS; i++) {
        condition->comparison = longest_first[i];
        if (take(self, comparisons[longest_first[i]].sign))
            return true;
    }
    return expected(self, TEXT_OF("< <= == != >= or >"));
}

static bool take_condition(reader_t *self, condition_t *condition)
{
    char first = peek(self);
    bool number_first = is_digit(first) || first == '.' || first == '-' || first == '+';
    bool (*left)(reader_t *, condition_t *) = number_first ? take_bound : take_selector;
    bool (*right)(reader_t *, condition_t *) = number_first ? take_selector : take_bound;
    if (!left(self, condition) || !take_comparison(self, condition) || !right(self, condition))
        return false;
    if (number_first)
        condition->comparison = comparisons[condition->comparison].mirrored;
    peek(self);
    return self->at == self->text.size || expected(self, TEXT_OF("the end of the condition"));
}

condition_t *condition_new(text_t text, condition_error_t *error)
{
    condition_t *self = memory_new(1, sizeof *self);
    self->text = keep_text(text);
    reader_t reader = {.text = self->text, .error = error};
    if (text.size > CONDITION_MAX_BYTES)
        expected(&reader, TEXT_OF("a condition of at most 16 KiB"));
    else if (take_condition(&reader, self))
        return self;
    condition_destroy(&self);
    return NULL;
}

void condition_destroy(condition_t **self_p)
{
    if (*self_p == NULL)
        return;
    drop_text(&(*self_p)->text);
    free(*self_p);
    *self_p = NULL;
}

/* -- meaning -- */

text_t condition_metric(const condition_t *self)
{
    return self->metric;
}

/* A label that is not there has the empty value. */
bool condition_selects(const condition_t *self, labels_t labels)
{
    for (size_t i = 0; i < self->matcher_count; i++) {
        const matcher_t *matcher = &self->matchers[i];
        if (text_equal(labels_get(labels, matcher->name), matcher->value) != matcher->equal)
            return false;
    }
    return true;
}

bool condition_holds(const condition_t *self, double value, text_t unit)
{
    double bound = self->percent && text_is(unit, "ratio") ? self->bound / 100 : self->bound;
    switch (self->comparison) {
    case LESS:
        return value < bound;
    case LESS_EQUAL:
        return value <= bound;
    case EQUAL:
        return value == bound;
    case NOT_EQUAL:
        return value != bound;
    case GREATER_EQUAL:
        return value >= bound;
    case GREATER:
        return value > bound;
    case COMPARISONS:
    default:
        must_not("a comparison that is none");
    }
}
