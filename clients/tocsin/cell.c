#include "clients/tocsin/cell.h"

#include "proto/must.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>
#include <wchar.h>

typedef enum { FORM_PLAIN, FORM_TIME, FORM_SECONDS, FORM_RATIO, FORM_PERCENT } form_t;

static const struct {
    const char *key;
    form_t form;
} forms[] = {
    {"time", FORM_TIME},
    {"since", FORM_TIME},
    {"until", FORM_TIME},
    {"at", FORM_TIME},
    {"last_executed", FORM_TIME},
    {"last_success", FORM_TIME},
    {"last_failure", FORM_TIME},
    {"uptime", FORM_SECONDS},
    {"window", FORM_SECONDS},
    {"period", FORM_SECONDS},
    {"for", FORM_SECONDS},
    {"keep_firing_for", FORM_SECONDS},
    {"lookback", FORM_SECONDS},
    {"latency", FORM_SECONDS},
    {"avg_latency", FORM_SECONDS},
    {"p95_latency", FORM_SECONDS},
    {"duration", FORM_SECONDS},
    {"avg_resolution_time", FORM_SECONDS},
    {"error_ratio", FORM_RATIO},
    {"error_budget", FORM_RATIO},
    {"target_percent", FORM_PERCENT},
    {"compliance_percent", FORM_PERCENT},
};

static bool text_ends(text_t text, const char *ending)
{
    size_t size = strlen(ending);
    return text.size >= size && memcmp(text.data + text.size - size, ending, size) == 0;
}

static form_t form_of(text_t key)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (text_is(key, forms[i].key))
            return forms[i].form;
    return text_ends(key, "_at") ? FORM_TIME : FORM_PLAIN;
}

void cell_write_time(double unix_s, FILE *out)
{
    char text[32];
    struct tm date;
    time_t seconds = (time_t)floor(unix_s);
    if (!(fabs(unix_s) < 1e11) || gmtime_r(&seconds, &date) == NULL) {
        fprintf(out, "%g", unix_s);
        return;
    }
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &date);
    fputs(text, out);
}

static void write_long_seconds(double seconds, FILE *out)
{
    static const struct {
        const char *unit;
        uint64_t seconds;
    } units[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
    uint64_t left = (uint64_t)llround(seconds);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (left >= units[i].seconds)
            fprintf(out, "%" PRIu64 "%s", left / units[i].seconds, units[i].unit);
        left %= units[i].seconds;
    }
}

void cell_write_seconds(double seconds, FILE *out)
{
    double size = fabs(seconds);
    if (size >= 60 && size < 1e15)
        write_long_seconds(seconds, out);
    else if (size >= 1 || size == 0)
        fprintf(out, "%.3g s", seconds);
    else if (size >= 1e-3)
        fprintf(out, "%.3g ms", seconds * 1e3);
    else
        fprintf(out, "%.3g us", seconds * 1e6);
}

static void write_plain(double number, FILE *out)
{
    bool whole = number == floor(number) && fabs(number) < 1e15;
    fprintf(out, whole ? "%.0f" : "%.6g", number);
}

static void write_number(text_t key, double number, FILE *out)
{
    switch (form_of(key)) {
    case FORM_TIME:
        cell_write_time(number, out);
        break;
    case FORM_SECONDS:
        cell_write_seconds(number, out);
        break;
    case FORM_RATIO:
        fprintf(out, "%.4g %%", number * 100);
        break;
    case FORM_PERCENT:
        fprintf(out, "%.6g %%", number);
        break;
    case FORM_PLAIN:
        write_plain(number, out);
        break;
    }
}

/*  Line ends and tabs are blanks; whatever else could steer a terminal is not let through. */
static void write_text(text_t text, FILE *out)
{
    if (text.size == 0)
        fputc('-', out);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool control = c < 0x20 || c == 0x7f;
        bool c1 = c == 0xc2 && i + 1 < text.size && (unsigned char)text.data[i + 1] < 0xa0;
        if (c1)
            i++;
        fputc(control || c1 ? ' ' : c, out);
    }
}

text_t cell_read_key(cursor_t *cursor)
{
    cursor_t look = *cursor;
    value_t key;
    must(cursor_read(&look, &key) && cursor_skip(cursor));
    return key.type == VALUE_STR ? key.as.text : TEXT_NONE;
}

bool cell_is_empty(cursor_t cursor)
{
    value_t value;
    must(cursor_read(&cursor, &value));
    return value.type == VALUE_NIL || (value.type == VALUE_STR && value.as.text.size == 0) ||
           ((value.type == VALUE_MAP || value.type == VALUE_ARRAY) && value.as.count == 0);
}

/*  The pairs that say something: "host=web-1,zone=a". */
static void write_map(uint32_t pairs, cursor_t *cursor, FILE *out)
{
    const char *comma = "";
    for (uint32_t i = 0; i < pairs; i++) {
        text_t name = cell_read_key(cursor);
        if (cell_is_empty(*cursor)) {
            must(cursor_skip(cursor));
            continue;
        }
        fputs(comma, out);
        write_text(name, out);
        fputc('=', out);
        cell_write(name, cursor, out);
        comma = ",";
    }
    if (comma[0] == '\0')
        fputc('-', out);
}

static void write_array(text_t key, uint32_t elements, cursor_t *cursor, FILE *out)
{
    if (elements == 0)
        fputc('-', out);
    for (uint32_t i = 0; i < elements; i++) {
        fputs(i == 0 ? "" : ", ", out);
        cell_write(key, cursor, out);
    }
}

/*  The broker writes durations as floats: a whole number under such a key counts something, as the
 *  window of a dependency counts outcomes. */
static bool is_count(text_t key)
{
    return form_of(key) == FORM_PLAIN || form_of(key) == FORM_SECONDS;
}

void cell_write(text_t key, cursor_t *cursor, FILE *out)
{
    value_t value;
    double number;
    must(cursor_read(cursor, &value));
    if (value.type == VALUE_MAP)
        write_map(value.as.count, cursor, out);
    else if (value.type == VALUE_ARRAY)
        write_array(key, value.as.count, cursor, out);
    else if (value.type == VALUE_STR)
        write_text(value.as.text, out);
    else if (value.type == VALUE_BOOL)
        fputs(value.as.boolean ? "yes" : "no", out);
    else if (value.type == VALUE_UINT && is_count(key))
        fprintf(out, "%" PRIu64, value.as.u);
    else if (value_number(&value, &number))
        write_number(key, number, out);
    else
        fputc('-', out);
}

char *cell_text(text_t key, cursor_t *cursor)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    must(out != NULL);
    cell_write(key, cursor, out);
    fclose(out);
    return text;
}

/*  The wire is UTF-8 whatever the user's locale is. */
static locale_t utf8(void)
{
    return newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

size_t cell_width(const char *text)
{
    locale_t locale = utf8(), before = (locale_t)0;
    if (locale != (locale_t)0)
        before = uselocale(locale);
    mbstate_t state = {0};
    size_t width = 0;
    while (*text != '\0') {
        wchar_t character;
        size_t size = mbrtowc(&character, text, MB_CUR_MAX, &state);
        if (size == (size_t)-1 || size == (size_t)-2)
            break;
        int columns = wcwidth(character);
        width += columns > 0 ? (size_t)columns : 0;
        text += size;
    }
    width += strlen(text);
    if (locale != (locale_t)0) {
        uselocale(before);
        freelocale(locale);
    }
    return width;
}
