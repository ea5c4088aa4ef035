/*  exact_sum - the sum of any doubles in any order, exactly.
 *
 *  A fixed-point number wide enough for every double there is: a sum does not depend on the order
 *  of what was added, never overflows, and two sums add up to the sum of both.
 *
 *  Owns     nothing beyond itself; zeroed is empty
 *  Bounds   272 bytes; exact for 2^77 additions of the largest double
 *  Thread   one
 *  Refuses  nothing; what is added is finite
 *
 *  Seed: Kulisch and Miranker, The Arithmetic of the Digital Computer: A New Approach, SIAM Review
 *  28 (1986): the long accumulator.
 */
#ifndef ENGINES_EXACT_SUM_H
#define ENGINES_EXACT_SUM_H

#include <stdint.h>

/* 2,098 bits from the least to the greatest bit of a double, 77 for the carries, one for the sign.
 */
#define EXACT_SUM_WORDS 34

typedef struct {
    uint64_t words[EXACT_SUM_WORDS]; /* two's complement, in units of 2^-1074, least first */
} exact_sum_t;

void exact_sum_add(exact_sum_t *self, double value);
void exact_sum_merge(exact_sum_t *self, const exact_sum_t *other);

/*  The double nearest to the sum; the greatest finite one where it lies beyond. */
double exact_sum_value(const exact_sum_t *self);

/*  The sum divided by `count` > 0: finite wherever the mean of doubles is. */
double exact_sum_mean(const exact_sum_t *self, uint64_t count);

#endif
