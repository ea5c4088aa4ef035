/*  fraction - the decimal number that a person wrote, as two whole numbers, so that comparing with
 *  it has no rounding.
 *
 *  0.1 is no double; 1/10 is a fraction. `count > limit * total` at exactly the limit is false when
 *  it is asked as `count * bottom > top * total`.
 *
 *  Owns     nothing
 *  Bounds   nine decimals; terms up to 10^9 times the value
 *  Thread   any
 */
#ifndef ENGINES_FRACTION_H
#define ENGINES_FRACTION_H

#include <stdint.h>

typedef struct {
    uint64_t top, bottom; /* without a common divisor */
} fraction_t;

/*  The fraction of nine decimals nearest to `value`, 0 <= value <= 10^9. */
fraction_t fraction_of(double value);

/*  top / bottom in lowest terms; bottom > 0. */
fraction_t fraction_reduce(uint64_t top, uint64_t bottom);

#endif
