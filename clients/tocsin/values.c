#include "clients/tocsin/values.h"

#include "proto/cursor.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool value_of_count(const char *word, uint64_t *count)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(word, &end, 10);
    if (!isdigit((unsigned char)word[0]) || *end != '\0' || errno != 0)
        return false;
    *count = number;
    return true;
}

/*  Digits, a sign, a point, an exponent: neither "inf" nor "0x10" nor " 1", which strtod takes. */
bool value_of_number(const char *word, double *number)
{
    if (word[0] == '\0' || word[strspn(word, "0123456789+-.eE")] != '\0')
        return false;
    char *end;
    double read = strtod(word, &end);
    if (*end != '\0' || !isfinite(read))
        return false;
    *number = read;
    return true;
}

bool value_of_duration(const char *word, double *seconds)
{
    double number;
    if (!value_of_number(word, &number))
        return duration_parse(text_of(word), seconds);
    if (number < 0)
        return false;
    *seconds = number;
    return true;
}

static bool read_date(const char *word, double *unix_s)
{
    struct tm date = {0};
    const char *rest = strptime(word, "%Y-%m-%d", &date);
    if (rest != NULL && (*rest == 'T' || *rest == ' '))
        rest = strptime(rest + 1, "%H:%M:%S", &date);
    if (rest == NULL || strcmp(*rest == 'Z' ? rest + 1 : rest, "") != 0)
        return false;
    *unix_s = (double)timegm(&date);
    return true;
}

bool value_of_date(const char *word, double *unix_s)
{
    return value_of_number(word, unix_s) || read_date(word, unix_s);
}

bool value_of_time(const char *word, double now, double *unix_s)
{
    double ago;
    if (value_of_date(word, unix_s))
        return true;
    if (!duration_parse(text_of(word), &ago))
        return false;
    *unix_s = now - ago;
    return true;
}
