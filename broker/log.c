#include "broker/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A line is cut at this many bytes, so that it is one write on a pipe as well. */
#define LINE_BYTES 2048

const char *const log_level_words[] = {"error", "warning", "info", "debug", NULL};
const char *const log_format_words[] = {"text", "json", "auto", NULL};

static log_level_t threshold = LEVEL_INFO;
static log_format_t shape = FORMAT_TEXT;
static bool to_journal;

void log_setup(log_level_t level, log_format_t format)
{
    threshold = level;
    shape = format;
    to_journal = getenv("JOURNAL_STREAM") != NULL;
}

/*  Text that stands between quotes: quotes, backslashes and controls are escaped. */
static size_t quote(char *out, size_t room, const char *text)
{
    size_t used = 0;
    for (; *text != '\0' && used + 7 < room; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            out[used++] = '\\';
            out[used++] = (char)c;
        } else if (c < 0x20 || c == 0x7f) {
            used += (size_t)snprintf(out + used, room - used, "\\u%04x", c);
        } else {
            out[used++] = (char)c;
        }
    }
    return used;
}

static size_t stamp(char *out, size_t room)
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t used = strftime(out, room, "%Y-%m-%dT%H:%M:%S", &utc);
    return used + (size_t)snprintf(out + used, room - used, ".%03ldZ", now.tv_nsec / 1000000);
}

static size_t write_text(char *line, size_t room, const char *time, log_level_t level,
                         const char *message, const char *pairs)
{
    static const int priorities[] = {3, 4, 6, 7}; /* syslog's, as journald reads them */
    size_t used = to_journal ? (size_t)snprintf(line, room, "<%d>", priorities[level])
                             : (size_t)snprintf(line, room, "time=%s ", time);
    used += (size_t)snprintf(line + used, room - used, "level=%s msg=\"", log_level_words[level]);
    used += quote(line + used, room - used, message);
    used += (size_t)snprintf(line + used, room - used, "\"%s", pairs[0] == '\0' ? "" : " ");
    /* the pairs are ours, but values in them may hold anything */
    for (; *pairs != '\0' && used + 4 < room; pairs++)
        line[used++] = (unsigned char)*pairs < 0x20 || *pairs == 0x7f ? '?' : *pairs;
    return used;
}

static size_t write_json(char *line, size_t room, const char *time, log_level_t level,
                         const char *message, const char *pairs)
{
    size_t used = (size_t)snprintf(line, room, "{\"time\":\"%s\",\"level\":\"%s\",\"msg\":\"", time,
                                   log_level_words[level]);
    used += quote(line + used, room - used - 16, message);
    used += (size_t)snprintf(line + used, room - used, "\",\"detail\":\"");
    used += quote(line + used, room - used - 8, pairs);
    used += (size_t)snprintf(line + used, room - used, "\"}");
    return used;
}

void log_line(log_level_t level, const char *message, const char *pairs, ...)
{
    if (level > threshold)
        return;
    char detail[LINE_BYTES / 2], time[40], line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, pairs);
    vsnprintf(detail, sizeof detail, pairs, arguments);
    va_end(arguments);
    stamp(time, sizeof time);
    size_t used = shape == FORMAT_JSON
                      ? write_json(line, sizeof line - 1, time, level, message, detail)
                      : write_text(line, sizeof line - 1, time, level, message, detail);
    line[used++] = '\n';
    /* a log that cannot be written is no reason to stop */
    ssize_t written = write(STDERR_FILENO, line, used);
    (void)written;
}
