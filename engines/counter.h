/*  counter - a sum of increments >= 0 that loses nothing.
 *
 *  A fixed-point number: 64 bits before the point and 64 behind it, in which every increment of
 *  2^-12 (0.00024) or more that a double can hold fits exactly, so that such sums do not depend on
 *  their order and two counters add up exactly. What a smaller increment has below 2^-64 (5e-20) is
 *  summed in a double.
 *
 *  Owns     nothing beyond itself; zeroed is 0
 *  Bounds   stays at 2^64 - 1 once it has reached it
 *  Thread   one
 *  Refuses  nothing; increments are finite and >= 0
 */
#ifndef ENGINES_COUNTER_H
#define ENGINES_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t whole;
    uint64_t part; /* in units of 2^-64 */
    double dust;   /* below that, in the same unit, < 1 */
} counter_t;

void counter_add(counter_t *self, double increment);
/*  Set right what was added last by `rest`, |rest| <= 1024: an increment beyond 2^53 is a whole
 *  number, which its nearest double may miss by so much. */
void counter_correct(counter_t *self, int rest);
void counter_merge(counter_t *self, const counter_t *other);

double counter_value(const counter_t *self);

/*  True when `whole` is the value. */
static inline bool counter_is_whole(const counter_t *self)
{
    return self->part == 0 && self->dust == 0;
}

#endif
