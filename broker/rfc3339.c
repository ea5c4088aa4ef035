#include "broker/rfc3339.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

const char *rfc3339(double unix_s, char out[RFC3339_BYTES])
{
    struct tm parts;
    time_t whole = isfinite(unix_s) ? (time_t)floor(unix_s) : 0;
    if (!isfinite(unix_s) || gmtime_r(&whole, &parts) == NULL || parts.tm_year > 8099) {
        snprintf(out, RFC3339_BYTES, "0001-01-01T00:00:00Z");
        return out;
    }
    size_t used = strftime(out, RFC3339_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out + used, RFC3339_BYTES - used, ".%03dZ", (int)((unix_s - floor(unix_s)) * 1000));
    return out;
}
