#include "engines/pattern.h"

#include "proto/must.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Backtracking of one match, in steps of PCRE2 and in KiB. */
#define MATCH_STEPS 100000u
#define MATCH_HEAP_KIB 1024u

/* As in RE2. */
#define REPEAT_MAX 1000u

/* Translation makes at most this many bytes of one. */
#define TRANSLATION_GROWTH 6u

struct pattern {
    pcre2_code *code;
    pcre2_match_context *limits;
};

/* -- from RE2's syntax to PCRE2's -- */

typedef struct {
    text_t text;
    size_t at;
    char *out;
    size_t size;
    bool repeatable; /* something stands here that may be repeated */
    bool repeated;   /* and it was */
    const char *wrong;
} translator_t;

static bool fail(translator_t *self, const char *words)
{
    self->wrong = words;
    return false;
}

static char look(const translator_t *self, size_t ahead)
{
    return self->at + ahead < self->text.size ? self->text.data[self->at + ahead] : '\0';
}

static void pass(translator_t *self, size_t count)
{
    memcpy(self->out + self->size, self->text.data + self->at, count);
    self->size += count;
    self->at += count;
}

static void put(translator_t *self, const char *string)
{
    size_t size = strlen(string);
    memcpy(self->out + self->size, string, size);
    self->size += size;
}

static void put_byte(translator_t *self, unsigned byte)
{
    static const char digits[] = "0123456789abcdef";
    char code[] = {'\\', 'x', digits[byte >> 4 & 15], digits[byte & 15], '\0'};
    put(self, code);
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void settle(translator_t *self)
{
    self->repeatable = true;
    self->repeated = false;
}

/* \101: what PCRE2 might take for a reference to a group. */
static bool translate_octal(translator_t *self)
{
    unsigned code = 0;
    size_t size = 1;
    if (look(self, 1) != '0' && !is_octal(look(self, 2)))
        return fail(self, "backreferences are not supported");
    for (; size <= 3 && is_octal(look(self, size)); size++)
        code = code * 8 + (unsigned)(look(self, size) - '0');
    if (code > 0xff)
        return fail(self, "an octal escape above \\377");
    put_byte(self, code);
    self->at += size;
    return true;
}

static bool translate_quote(translator_t *self)
{
    const char *end = NULL;
    for (size_t at = self->at; at + 1 < self->text.size && end == NULL; at++)
        if (self->text.data[at] == '\\' && self->text.data[at + 1] == 'E')
            end = self->text.data + at;
    if (end == NULL)
        return fail(self, "\\Q without \\E");
    pass(self, (size_t)(end - self->text.data) - self->at + 2);
    return true;
}

/* \p{Greek} \x{1f600} */
static bool pass_braced(translator_t *self)
{
    if (look(self, 2) != '{') {
        pass(self, 2);
        return true;
    }
    const char *from = self->text.data + self->at;
    const char *end = memchr(from, '}', self->text.size - self->at);
    if (end == NULL)
        return fail(self, "an escape without its }");
    pass(self, (size_t)(end - from) + 1);
    return true;
}

static bool translate_escape(translator_t *self, bool inside_class)
{
    char c = look(self, 1);
    if (self->at + 1 >= self->text.size)
        return fail(self, "a \\ at the end");
    if (c == 'Q' && !inside_class)
        return translate_quote(self);
    if (is_octal(c))
        return translate_octal(self);
    if (c == '8' || c == '9')
        return fail(self, "backreferences are not supported");
    if (c == 'p' || c == 'P' || c == 'x')
        return pass_braced(self);
    if (c == 'v') {
        put_byte(self, '\v');
        self->at += 2;
        return true;
    }
    if (is_word(c) && strchr(inside_class ? "afnrtdDsSwW" : "afnrtdDsSwWAzbB", c) == NULL)
        return fail(self, "an escape that RE2 does not know");
    pass(self, (c & 0x80) != 0 ? 1 : 2);
    return true;
}

/* [[:alpha:]] stands for itself in both. */
static bool translate_class(translator_t *self)
{
    pass(self, look(self, 1) == '^' ? 2 : 1);
    if (look(self, 0) == ']')
        pass(self, 1);
    while (self->at < self->text.size && look(self, 0) != ']') {
        if (look(self, 0) == '\\') {
            if (!translate_escape(self, true))
                return false;
        } else if (look(self, 0) == '[' && look(self, 1) == ':') {
            pass(self, 2);
            while (self->at < self->text.size && look(self, 0) != ']')
                pass(self, 1);
            if (self->at < self->text.size)
                pass(self, 1);
        } else {
            pass(self, 1);
        }
    }
    if (self->at == self->text.size)
        return fail(self, "a [ without its ]");
    pass(self, 1);
    return true;
}

#define FLAGS_WRONG 100u

/* How many letters behind (? are flags, as in (?i-s: with at least one behind the minus. */
static size_t flags_size(const translator_t *self)
{
    size_t size = 0, minus = FLAGS_WRONG;
    for (char c; (c = look(self, 2 + size)) != '\0' && strchr("imsU-", c) != NULL; size++) {
        if (c == '-' && minus != FLAGS_WRONG)
            return FLAGS_WRONG;
        if (c == '-')
            minus = size;
    }
    return minus + 1 == size || size >= FLAGS_WRONG ? FLAGS_WRONG : size;
}

static bool translate_group(translator_t *self)
{
    self->repeatable = self->repeated = false;
    if (look(self, 1) == '*')
        return fail(self, "a repetition of nothing");
    if (look(self, 1) != '?') {
        pass(self, 1);
        return true;
    }
    if (look(self, 2) == 'P' && look(self, 3) == '<') {
        pass(self, 4);
        return true;
    }
    size_t size = 2 + flags_size(self);
    if (size == 2 + FLAGS_WRONG || (look(self, size) != ':' && look(self, size) != ')'))
        return fail(self, "lookaround and other special groups are not supported");
    pass(self, size + (look(self, size) == ':'));
    return true;
}

/* The digits of {n} {n,} {n,m} from `at` on; the place behind them, 0 if there are none. */
static size_t skip_count(const translator_t *self, size_t at, bool *too_many)
{
    unsigned count = 0;
    size_t from = at;
    for (; look(self, at) >= '0' && look(self, at) <= '9'; at++)
        count = count > REPEAT_MAX ? count : count * 10 + (unsigned)(look(self, at) - '0');
    *too_many |= count > REPEAT_MAX;
    return at == from ? 0 : at;
}

/* How long the {…} here is; 0: it is no repetition but stands for itself. */
static size_t counted_size(const translator_t *self, bool *too_many)
{
    size_t at = skip_count(self, 1, too_many);
    if (at > 0 && look(self, at) == ',') {
        size_t behind = skip_count(self, at + 1, too_many);
        at = behind > 0 ? behind : at + 1;
    }
    return at > 0 && look(self, at) == '}' ? at + 1 : 0;
}

static bool translate_repetition(translator_t *self, size_t size)
{
    if (self->repeated)
        return fail(self, "a repetition of a repetition");
    if (!self->repeatable)
        return fail(self, "a repetition of nothing");
    pass(self, size);
    if (look(self, 0) == '?')
        pass(self, 1);
    self->repeated = true;
    return true;
}

static bool translate_one(translator_t *self)
{
    char c = look(self, 0);
    bool too_many = false;
    size_t counted = c == '{' ? counted_size(self, &too_many) : 0;
    if (c == '*' || c == '+' || c == '?' || counted > 0)
        return too_many ? fail(self, "more than 1000 repetitions")
                        : translate_repetition(self, counted > 0 ? counted : 1);
    if (c == '(')
        return translate_group(self);
    if (c == '|') {
        self->repeatable = self->repeated = false;
        pass(self, 1);
        return true;
    }
    settle(self);
    if (c == '\\')
        return translate_escape(self, false);
    if (c == '[')
        return translate_class(self);
    pass(self, 1);
    return true;
}

/* -- birth and death -- */

static pcre2_code *compile(text_t text, const char **wrong)
{
    int error;
    size_t offset;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    must(context != NULL);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(context, 100);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text.data, text.size,
                                     PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ANCHORED |
                                         PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C,
                                     &error, &offset, context);
    pcre2_compile_context_free(context);
    if (code == NULL)
        *wrong = "no regular expression";
    return code;
}

pattern_t *pattern_new(text_t text, const char **wrong)
{
    if (text.size > PATTERN_MAX_BYTES) {
        *wrong = "longer than 4096 bytes";
        return NULL;
    }
    translator_t translator = {.text = text, .out = memory_new(text.size + 1, TRANSLATION_GROWTH)};
    bool good = true;
    while (good && translator.at < text.size)
        good = translate_one(&translator);
    *wrong = translator.wrong;
    pcre2_code *code = good ? compile((text_t){translator.out, translator.size}, wrong) : NULL;
    free(translator.out);
    if (code == NULL)
        return NULL;
    pattern_t *self = memory_new(1, sizeof *self);
    self->code = code;
    self->limits = pcre2_match_context_create(NULL);
    must(self->limits != NULL);
    pcre2_set_match_limit(self->limits, MATCH_STEPS);
    pcre2_set_heap_limit(self->limits, MATCH_HEAP_KIB);
    return self;
}

void pattern_destroy(pattern_t **self_p)
{
    if (*self_p == NULL)
        return;
    pcre2_match_context_free((*self_p)->limits);
    pcre2_code_free((*self_p)->code);
    free(*self_p);
    *self_p = NULL;
}

/* -- matching -- */

static pattern_match_t match(const pattern_t *self, text_t subject, pcre2_match_data *data)
{
    int count = pcre2_match(self->code, (PCRE2_SPTR)(subject.size == 0 ? "" : subject.data),
                            subject.size, 0, 0, data, self->limits);
    if (count >= 0)
        return PATTERN_YES;
    return count == PCRE2_ERROR_NOMATCH ? PATTERN_NO : PATTERN_ERROR;
}

static pcre2_match_data *match_data(const pattern_t *self)
{
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(self->code, NULL);
    must(data != NULL);
    return data;
}

pattern_match_t pattern_matches(const pattern_t *self, text_t subject)
{
    pcre2_match_data *data = match_data(self);
    pattern_match_t answer = match(self, subject, data);
    pcre2_match_data_free(data);
    return answer;
}

/* -- replacement: regexp.Expand of Go -- */

#define GROUP_NAME_MAX 32u

static long group_number(const pattern_t *self, text_t name)
{
    char string[GROUP_NAME_MAX + 1];
    if (name.size == 0 || name.size > GROUP_NAME_MAX)
        return -1;
    memcpy(string, name.data, name.size);
    string[name.size] = '\0';
    char *end;
    long number = strtol(string, &end, 10);
    if (*end == '\0')
        return number;
    int named = pcre2_substring_number_from_name(self->code, (PCRE2_SPTR)string);
    return named > 0 ? named : -1;
}

static text_t group_text(const pattern_t *self, pcre2_match_data *data, text_t subject, text_t name)
{
    long number = group_number(self, name);
    if (number < 0 || number >= (long)pcre2_get_ovector_count(data))
        return TEXT_NONE;
    const size_t *place = pcre2_get_ovector_pointer(data) + 2 * number;
    if (place[0] == PCRE2_UNSET || place[0] > place[1])
        return TEXT_NONE;
    return (text_t){subject.data + place[0], place[1] - place[0]};
}

/* The name behind a $ at the front of `rest`; TEXT_NONE if there is none. *taken: with the $. */
static text_t reference(text_t rest, size_t *taken)
{
    bool braced = rest.size > 1 && rest.data[1] == '{';
    size_t from = braced ? 2 : 1, end = from;
    while (end < rest.size && is_word(rest.data[end]))
        end++;
    if (end == from || (braced && (end == rest.size || rest.data[end] != '}')))
        return TEXT_NONE;
    *taken = end + braced;
    return (text_t){rest.data + from, end - from};
}

typedef struct {
    char *bytes; /* NULL: only count */
    size_t size;
} output_t;

static void write_text(output_t *out, text_t text)
{
    if (out->bytes != NULL && text.size > 0)
        memcpy(out->bytes + out->size, text.data, text.size);
    out->size += text.size;
}

static void expand(const pattern_t *self, pcre2_match_data *data, text_t subject,
                   text_t replacement, output_t *out)
{
    for (size_t at = 0, taken; at < replacement.size; at += taken) {
        text_t rest = {replacement.data + at, replacement.size - at};
        text_t name = TEXT_NONE;
        taken = 1;
        if (rest.data[0] == '$')
            name = reference(rest, &taken);
        if (name.data != NULL) {
            write_text(out, group_text(self, data, subject, name));
            continue;
        }
        write_text(out, (text_t){rest.data, 1});
        if (rest.size > 1 && rest.data[0] == '$' && rest.data[1] == '$')
            taken = 2;
    }
}

pattern_match_t pattern_expand(const pattern_t *self, text_t subject, text_t replacement,
                               arena_t *arena, text_t *out)
{
    pcre2_match_data *data = match_data(self);
    pattern_match_t answer = match(self, subject, data);
    if (answer == PATTERN_YES) {
        output_t output = {0};
        expand(self, data, subject, replacement, &output);
        if (output.size > PATTERN_EXPANSION_MAX) {
            pcre2_match_data_free(data);
            return PATTERN_ERROR;
        }
        output = (output_t){.bytes = arena_take(arena, output.size + 1)};
        expand(self, data, subject, replacement, &output);
        *out = (text_t){output.bytes, output.size};
    }
    pcre2_match_data_free(data);
    return answer;
}
