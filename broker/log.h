/*  log - one line a happening, to stderr.
 *
 *  Lines are logfmt (`level=info msg="ready" endpoints=5`) or JSON; under journald they begin with
 * its priority. Thread   any; a line is one write What happens per packet is counted, not logged.
 */
#ifndef BROKER_LOG_H
#define BROKER_LOG_H

typedef enum { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG, LEVEL_COUNT } log_level_t;
typedef enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_COUNT } log_format_t;

extern const char *const log_level_words[];  /* NULL at the end */
extern const char *const log_format_words[]; /* "text", "json", "auto" */

/*  Call once, before any other thread runs. */
void log_setup(log_level_t level, log_format_t format);

/*  `message` is a constant sentence; `pairs` is printf text of the form "key=%s other=%d", or ""
 * for none. */
void log_line(log_level_t level, const char *message, const char *pairs, ...)
    __attribute__((format(printf, 3, 4)));

/*  The sentence alone. */
#define log_words(level, message) log_line(level, message, "%s", "")

#define log_error(...) log_line(LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LEVEL_DEBUG, __VA_ARGS__)

#endif
