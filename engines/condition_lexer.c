#include "engines/condition_lexer.h"

#include <math.h>
#include <stdlib.h>

/* -- characters -- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_of_name(char c)
{
    return is_letter(c) || is_digit(c) || c == ':';
}

static int digit_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 16;
}

bool name_is_keyword(text_t name, text_t keyword)
{
    if (name.size != keyword.size)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != keyword.data[i])
            return false;
    }
    return true;
}

/* '\0' at the end; a NUL in the text is no token either way. */
static char look(const lexer_t *self, size_t ahead)
{
    return self->at + ahead < self->text.size ? self->text.data[self->at + ahead] : '\0';
}

static void skip_blanks(lexer_t *self)
{
    bool comment = false;
    for (; self->at < self->text.size; self->at++) {
        char c = self->text.data[self->at];
        comment = (comment || c == '#') && c != '\n';
        if (!comment && c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return;
    }
}

/* -- tokens -- */

static token_t token(const lexer_t *self, size_t from, token_kind_t kind)
{
    return (token_t){kind, {self->text.data + from, self->at - from}, (uint32_t)from, NULL};
}

static token_t wrong(const lexer_t *self, size_t from, const char *what)
{
    token_t answer = token(self, from, TOKEN_WRONG);
    answer.wrong = what;
    return answer;
}

/* Longer signs first. */
static const struct {
    text_t sign;
    token_kind_t kind;
} signs[] = {
    {{"=~", 2}, TOKEN_MATCH},      {{"!~", 2}, TOKEN_NOT_MATCH},   {{"==", 2}, TOKEN_SAME},
    {{"!=", 2}, TOKEN_NOT_SAME},   {{"<=", 2}, TOKEN_LESS_EQUAL},  {{">=", 2}, TOKEN_GREATER_EQUAL},
    {{"=", 1}, TOKEN_EQUAL},       {{"<", 1}, TOKEN_LESS},         {{">", 1}, TOKEN_GREATER},
    {{"(", 1}, TOKEN_LEFT_PAREN},  {{")", 1}, TOKEN_RIGHT_PAREN},  {{"{", 1}, TOKEN_LEFT_BRACE},
    {{"}", 1}, TOKEN_RIGHT_BRACE}, {{"[", 1}, TOKEN_LEFT_BRACKET}, {{"]", 1}, TOKEN_RIGHT_BRACKET},
    {{",", 1}, TOKEN_COMMA},       {{"@", 1}, TOKEN_AT},           {{"+", 1}, TOKEN_PLUS},
    {{"-", 1}, TOKEN_MINUS},       {{"*", 1}, TOKEN_TIMES},        {{"/", 1}, TOKEN_DIVIDE},
    {{"%", 1}, TOKEN_MODULO},      {{"^", 1}, TOKEN_POWER},        {{":", 1}, TOKEN_COLON},
};

static token_t take_sign(lexer_t *self)
{
    size_t from = self->at;
    text_t rest = {self->text.data + from, self->text.size - from};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (!text_begins(rest, signs[i].sign))
            continue;
        self->at += signs[i].sign.size;
        return token(self, from, signs[i].kind);
    }
    do /* a character of UTF-8 as a whole */
        self->at++;
    while ((look(self, 0) & 0xc0) == 0x80);
    return wrong(self, from, NULL);
}

static void skip_digits(lexer_t *self, int base)
{
    while (digit_value(look(self, 0)) < base)
        self->at++;
}

static bool at_exponent(const lexer_t *self)
{
    return look(self, 0) == 'e' || look(self, 0) == 'E';
}

/* Does what follows the digits make them a duration: 5m, 1h30m, 250ms? */
static bool take_duration(lexer_t *self)
{
    size_t from = self->at;
    for (;;) {
        if (strchr("smhdwy", look(self, 0)) == NULL || look(self, 0) == '\0')
            break;
        self->at += look(self, 0) == 'm' && look(self, 1) == 's' ? 2 : 1;
        if (!is_digit(look(self, 0)))
            break;
        skip_digits(self, 10);
    }
    return self->at > from && !is_letter(look(self, 0)) && !is_digit(self->text.data[self->at - 1]);
}

static token_t take_number(lexer_t *self)
{
    size_t from = self->at;
    bool hexadecimal = look(self, 0) == '0' && (look(self, 1) == 'x' || look(self, 1) == 'X');
    self->at += hexadecimal ? 2 : 0;
    skip_digits(self, hexadecimal ? 16 : 10);
    size_t whole = self->at;
    if (!hexadecimal && take_duration(self))
        return token(self, from, TOKEN_DURATION);
    self->at = whole;
    if (look(self, 0) == '.' && !hexadecimal) {
        self->at++;
        skip_digits(self, 10);
    }
    if (!hexadecimal && at_exponent(self)) {
        self->at += look(self, 1) == '+' || look(self, 1) == '-' ? 2 : 1;
        skip_digits(self, 10);
    }
    if (!is_of_name(look(self, 0)) && look(self, 0) != '.')
        return token(self, from, TOKEN_NUMBER);
    while (is_of_name(look(self, 0)) || look(self, 0) == '.')
        self->at++;
    return wrong(self, from, "neither a number nor a duration");
}

static token_t take_name(lexer_t *self)
{
    size_t from = self->at;
    while (is_of_name(look(self, 0)))
        self->at++;
    return token(self, from, TOKEN_NAME);
}

/* -- strings: as Go writes them -- */

typedef struct {
    char letter, meaning;
} escape_t;

static const escape_t escapes[] = {{'a', '\a'}, {'b', '\b'}, {'f', '\f'}, {'n', '\n'},
                                   {'r', '\r'}, {'t', '\t'}, {'v', '\v'}, {'\\', '\\'}};

static const escape_t *find_escape(char letter)
{
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
        if (escapes[i].letter == letter)
            return &escapes[i];
    return NULL;
}

static const struct {
    char letter;
    uint8_t skip, digits, base; /* letters before the digits, which are so many of that base */
} codes[] = {{'x', 1, 2, 16}, {'u', 1, 4, 16}, {'U', 1, 8, 16}, {'0', 0, 3, 8},
             {'1', 0, 3, 8},  {'2', 0, 3, 8},  {'3', 0, 3, 8}};

/* The number behind a backslash: \x41 \u00e4 \101. 0 if there is none, else how long it is. */
static size_t read_code(text_t rest, uint32_t *code)
{
    size_t i = 0;
    while (i < sizeof codes / sizeof *codes && (rest.size == 0 || codes[i].letter != rest.data[0]))
        i++;
    if (i == sizeof codes / sizeof *codes || rest.size < (size_t)codes[i].skip + codes[i].digits)
        return 0;
    *code = 0;
    for (size_t at = 0; at < codes[i].digits; at++) {
        int digit = digit_value(rest.data[codes[i].skip + at]);
        if (digit >= codes[i].base)
            return 0;
        *code = *code * codes[i].base + (uint32_t)digit;
    }
    bool unicode = codes[i].digits >= 4;
    if (unicode && (*code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000)))
        return 0;
    return (size_t)codes[i].skip + codes[i].digits;
}

/* How many bytes an escape takes behind its backslash; 0: it is none. */
static size_t escape_size(text_t rest, char quote)
{
    uint32_t code;
    if (rest.size > 0 && (rest.data[0] == quote || find_escape(rest.data[0]) != NULL))
        return 1;
    return read_code(rest, &code);
}

static token_t take_string(lexer_t *self)
{
    size_t from = self->at;
    char quote = look(self, 0);
    for (self->at++; self->at < self->text.size; self->at++) {
        char c = look(self, 0);
        if (c == quote) {
            self->at++;
            return token(self, from, TOKEN_STRING);
        }
        if (quote == '`')
            continue;
        if (c == '\n')
            break;
        if (c != '\\')
            continue;
        text_t rest = {self->text.data + self->at + 1, self->text.size - self->at - 1};
        size_t size = escape_size(rest, quote);
        if (size == 0)
            return wrong(self, from, "a string with an escape that is none");
        self->at += size;
    }
    return wrong(self, from, "a string that is not closed");
}

static size_t put_utf8(char *out, uint32_t code)
{
    size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t heads[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(heads[more] | (code >> (6 * more)));
    for (size_t i = 1; i <= more; i++)
        out[i] = (char)(0x80 | ((code >> (6 * (more - i))) & 0x3f));
    return more + 1;
}

static size_t put_escape(char *out, text_t rest, size_t *taken)
{
    const escape_t *escape = find_escape(rest.data[0]);
    uint32_t code;
    *taken = read_code(rest, &code);
    if (*taken > 0 && (rest.data[0] == 'u' || rest.data[0] == 'U'))
        return put_utf8(out, code);
    out[0] = *taken > 0 ? (char)code : escape != NULL ? escape->meaning : rest.data[0];
    *taken = *taken > 0 ? *taken : 1;
    return 1;
}

text_t token_string(text_t token, arena_t *arena)
{
    text_t inside = {token.data + 1, token.size - 2};
    if (token.data[0] == '`')
        return arena_copy(arena, inside);
    char *out = arena_take(arena, inside.size + 1);
    size_t size = 0;
    for (size_t at = 0; at < inside.size; at++) {
        if (inside.data[at] != '\\') {
            out[size++] = inside.data[at];
            continue;
        }
        size_t taken;
        size +=
            put_escape(out + size, (text_t){inside.data + at + 1, inside.size - at - 1}, &taken);
        at += taken;
    }
    return (text_t){out, size};
}

/* -- numbers -- */

/* A whole number may be hexadecimal or octal, as Go reads it with base 0. */
static bool whole_number(text_t token, double *number)
{
    bool hexadecimal = token.size > 1 && (token.data[1] == 'x' || token.data[1] == 'X');
    int base = hexadecimal ? 16 : token.size > 1 && token.data[0] == '0' ? 8 : 10;
    uint64_t sum = 0;
    size_t at = hexadecimal ? 2 : 0;
    for (; at < token.size && digit_value(token.data[at]) < base; at++)
        if (__builtin_mul_overflow(sum, (uint64_t)base, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)digit_value(token.data[at]), &sum))
            return false;
    *number = (double)(int64_t)sum;
    return at == token.size && sum <= INT64_MAX && (!hexadecimal || at > 2);
}

bool token_number(text_t token, double *number)
{
    char digits[CONDITION_NUMBER_MAX + 1];
    if (whole_number(token, number))
        return true;
    if (token.size > CONDITION_NUMBER_MAX ||
        (token.size > 1 && (token.data[1] == 'x' || token.data[1] == 'X')))
        return false;
    memcpy(digits, token.data, token.size);
    digits[token.size] = '\0';
    char *end;
    *number = strtod(digits, &end);
    return *end == '\0' && end != digits && !isinf(*number);
}

token_t lexer_next(lexer_t *self)
{
    skip_blanks(self);
    char first = look(self, 0);
    if (self->at == self->text.size)
        return token(self, self->at, TOKEN_END);
    if (is_digit(first) || (first == '.' && is_digit(look(self, 1))))
        return take_number(self);
    if (is_letter(first) || (first == ':' && is_of_name(look(self, 1))))
        return take_name(self);
    if (first == '"' || first == '\'' || first == '`')
        return take_string(self);
    return take_sign(self);
}
