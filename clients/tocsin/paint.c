#include "clients/tocsin/paint.h"

#include <stdlib.h>
#include <unistd.h>

#define RED "\033[31m"
#define BOLD_RED "\033[1;31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define CYAN "\033[36m"

static const struct {
    const char *word, *colour;
} colours[] = {
    {"critical", BOLD_RED},
    {"high", RED},
    {"medium", YELLOW},
    {"low", CYAN},
    {"firing", RED},
    {"alert.firing", RED},
    {"pending", YELLOW},
    {"acknowledged", YELLOW},
    {"no_data", YELLOW},
    {"resolved", GREEN},
    {"healthy", GREEN},
    {"ok", GREEN},
    {"degraded", YELLOW},
    {"unhealthy", RED},
    {"burning", YELLOW},
    {"breached", RED},
    {"new", RED},
    {"investigating", YELLOW},
    {"closed", GREEN},
    {"slo.breached", RED},
    {"slo.burning", YELLOW},
    {"slo.recovered", GREEN},
    {"alert.resolved", GREEN},
    {"anomaly.detected", YELLOW},
    {"anomaly.cleared", GREEN},
    {"incident.opened", RED},
    {"incident.resolved", GREEN},
    {"incident.closed", GREEN},
    {"alert.no_data", YELLOW},
};

bool paint_allowed(FILE *out)
{
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(fileno(out)) && (no == NULL || no[0] == '\0') && terminal != NULL &&
           strcmp(terminal, "dumb") != 0;
}

const char *paint_begin(text_t word)
{
    for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++)
        if (text_is(word, colours[i].word))
            return colours[i].colour;
    return "";
}

const char *paint_end(text_t word)
{
    return paint_begin(word)[0] == '\0' ? "" : PAINT_NORMAL;
}
