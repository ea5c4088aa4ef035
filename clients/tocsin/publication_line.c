#include "clients/tocsin/publication_line.h"

#include "clients/tocsin/cell.h"
#include "clients/tocsin/paint.h"
#include "proto/cursor.h"

#include <string.h>

/*  What a person wants to know first; the rest is in the JSON. A word says itself, a number needs
 *  its key. */
static const struct {
    const char *family, *keys;
} tellings[] = {
    {"anomaly", "labels last_value score mean"},
    {"slo", "status compliance_percent error_budget"},
    {"dependency", "error_ratio last_error"},
    {"alert", "severity message labels value incident"},
    {"incident", "severity status title"},
    {"heartbeat", "heads"},
};

static bool read_head(tocsin_value_t value, value_t *head)
{
    cursor_t cursor = cursor_over(value.bytes, value.size);
    return value.size > 0 && cursor_read(&cursor, head) && head->type != VALUE_NIL;
}

static void tell(tocsin_value_t data, const char *key, FILE *out)
{
    tocsin_value_t value = tocsin_value_of(data, key);
    cursor_t cursor = cursor_over(value.bytes, value.size);
    value_t head;
    if (!read_head(value, &head) || (head.type == VALUE_MAP && head.as.count == 0))
        return;
    fputs("  ", out);
    if (head.type != VALUE_STR && head.type != VALUE_MAP)
        fprintf(out, "%s=", key);
    cell_write(text_of(key), &cursor, out);
}

static bool tell_change(tocsin_value_t data, FILE *out)
{
    char from[64], to[64];
    tocsin_value_copy(tocsin_value_of(data, "from"), from, sizeof from);
    tocsin_value_copy(tocsin_value_of(data, "to"), to, sizeof to);
    if (from[0] == '\0' || to[0] == '\0')
        return false;
    fprintf(out, "  %s -> %s", from, to);
    return true;
}

void publication_line_write_what(const tocsin_publication_t *publication, FILE *out)
{
    tocsin_value_t data = tocsin_value_of(publication->body, "data");
    bool changed = tell_change(data, out);
    for (size_t i = 0; i < sizeof tellings / sizeof tellings[0]; i++) {
        if (strcmp(tellings[i].family, publication->family) != 0)
            continue;
        for (const char *at = tellings[i].keys; *at != '\0';) {
            char key[32];
            size_t size = strcspn(at, " ");
            snprintf(key, sizeof key, "%.*s", (int)size, at);
            if (!changed || strcmp(key, "status") != 0)
                tell(data, key, out);
            at += size + strspn(at + size, " ");
        }
    }
}

void publication_line_write(const tocsin_publication_t *publication, bool painted, FILE *out)
{
    text_t type = text_of(publication->type);
    cell_write_time(publication->time, out);
    fprintf(out, "  %s%-18s%s  %s", painted ? paint_begin(type) : "", publication->type,
            painted ? paint_end(type) : "", publication->subject);
    publication_line_write_what(publication, out);
    fputc('\n', out);
}
