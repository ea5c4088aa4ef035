#include "engines/fraction.h"

#include "proto/must.h"

#include <math.h>

/* People write ratios with fewer decimals than nine; doubles hold more. */
#define FRACTION_DECIMALS UINT64_C(1000000000)
#define FRACTION_MAX 1e9

fraction_t fraction_reduce(uint64_t top, uint64_t bottom)
{
    must(bottom > 0);
    uint64_t a = top, b = bottom;
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return (fraction_t){top / a, bottom / a};
}

fraction_t fraction_of(double value)
{
    must(value >= 0 && value <= FRACTION_MAX);
    return fraction_reduce((uint64_t)llround(value * (double)FRACTION_DECIMALS), FRACTION_DECIMALS);
}
