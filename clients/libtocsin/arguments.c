#include "clients/libtocsin/arguments.h"

#include <string.h>

#define DEPTH_MAX 8u

typedef struct {
    buffer_t *out;
    const char *at;
    va_list *values;
} reader_t;

static bool put_value(reader_t *self, unsigned depth);

static void step_over_blanks(reader_t *self)
{
    self->at += strspn(self->at, " ,");
}

static bool take(reader_t *self, char expected)
{
    if (*self->at != expected)
        return false;
    self->at++;
    return true;
}

/*  The pairs up to `end`, which is not taken. */
static bool put_pairs(reader_t *self, char end, unsigned depth, size_t *pairs)
{
    *pairs = 0;
    for (step_over_blanks(self); *self->at != end; step_over_blanks(self)) {
        size_t size = strcspn(self->at, " ,:{}[]");
        if (size == 0 || self->at[size] != ':')
            return false;
        buffer_span(self->out, self->at, size);
        self->at += size + 1;
        if (!put_value(self, depth))
            return false;
        *pairs += 1;
    }
    return true;
}

static bool put_map(reader_t *self, unsigned depth)
{
    size_t opened = buffer_open_map(self->out);
    size_t pairs;
    if (!put_pairs(self, '}', depth, &pairs) || !take(self, '}'))
        return false;
    buffer_close(self->out, opened, pairs);
    return true;
}

static bool put_array(reader_t *self, unsigned depth)
{
    size_t opened = buffer_open_array(self->out);
    size_t count = 0;
    for (step_over_blanks(self); *self->at != ']'; step_over_blanks(self), count++)
        if (!put_value(self, depth))
            return false;
    buffer_close(self->out, opened, count);
    return take(self, ']');
}

static void put_given(buffer_t *out, tocsin_value_t value)
{
    if (value.size == 0)
        buffer_nil(out);
    else
        buffer_raw(out, value.bytes, value.size);
}

static void put_labels(reader_t *self)
{
    const tocsin_label_t *labels = va_arg(*self->values, const tocsin_label_t *);
    buffer_labels(self->out, labels, va_arg(*self->values, size_t));
}

static void put_texts(reader_t *self)
{
    const char *const *texts = va_arg(*self->values, const char *const *);
    buffer_texts(self->out, texts, va_arg(*self->values, size_t));
}

static bool put_value(reader_t *self, unsigned depth)
{
    if (depth == DEPTH_MAX || *self->at == '\0')
        return false;
    switch (*self->at++) {
    case 's':
        buffer_text(self->out, va_arg(*self->values, const char *));
        return true;
    case 'f':
        buffer_number(self->out, va_arg(*self->values, double));
        return true;
    case 'i':
        buffer_integer(self->out, va_arg(*self->values, int));
        return true;
    case 'I':
        buffer_integer(self->out, va_arg(*self->values, int64_t));
        return true;
    case 'b':
        buffer_bool(self->out, va_arg(*self->values, int) != 0);
        return true;
    case 'L':
        put_labels(self);
        return true;
    case 'S':
        put_texts(self);
        return true;
    case 'v':
        put_given(self->out, va_arg(*self->values, tocsin_value_t));
        return true;
    case '{':
        return put_map(self, depth + 1);
    case '[':
        return put_array(self, depth + 1);
    default:
        return false;
    }
}

bool arguments_put(buffer_t *out, const char *line, va_list *values, size_t *pairs)
{
    reader_t reader = {out, line == NULL ? "" : line, values};
    return put_pairs(&reader, '\0', 0, pairs);
}
