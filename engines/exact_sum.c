#include "engines/exact_sum.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define MANTISSA_BITS 52
#define MANTISSA_MASK ((UINT64_C(1) << MANTISSA_BITS) - 1)
#define EXPONENT_MASK 0x7ffu
#define LEAST_EXPONENT (-1074) /* of the least bit of a double */
#define WORD_BITS 64

static void add_from(uint64_t *words, int at, uint64_t low, uint64_t high)
{
    uint64_t carry = __builtin_add_overflow(words[at], low, &words[at]);
    high += carry; /* high has at most 52 bits */
    carry = __builtin_add_overflow(words[at + 1], high, &words[at + 1]);
    for (int i = at + 2; carry != 0 && i < EXACT_SUM_WORDS; i++)
        carry = ++words[i] == 0;
}

static void subtract_from(uint64_t *words, int at, uint64_t low, uint64_t high)
{
    uint64_t borrow = __builtin_sub_overflow(words[at], low, &words[at]);
    high += borrow;
    borrow = __builtin_sub_overflow(words[at + 1], high, &words[at + 1]);
    for (int i = at + 2; borrow != 0 && i < EXACT_SUM_WORDS; i++)
        borrow = words[i]-- == 0;
}

void exact_sum_add(exact_sum_t *self, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    unsigned exponent = (unsigned)(bits >> MANTISSA_BITS) & EXPONENT_MASK;
    uint64_t mantissa = bits & MANTISSA_MASK;
    if (exponent > 0)
        mantissa |= MANTISSA_MASK + 1;
    unsigned position = exponent > 0 ? exponent - 1 : 0;
    unsigned shift = position % WORD_BITS;
    uint64_t low = mantissa << shift;
    uint64_t high = shift == 0 ? 0 : mantissa >> (WORD_BITS - shift);
    if (bits >> 63)
        subtract_from(self->words, (int)(position / WORD_BITS), low, high);
    else
        add_from(self->words, (int)(position / WORD_BITS), low, high);
}

void exact_sum_merge(exact_sum_t *self, const exact_sum_t *other)
{
    uint64_t carry = 0;
    for (int i = 0; i < EXACT_SUM_WORDS; i++) {
        uint64_t with_carry;
        bool over = __builtin_add_overflow(other->words[i], carry, &with_carry);
        carry = over + __builtin_add_overflow(self->words[i], with_carry, &self->words[i]);
    }
}

static bool make_positive(uint64_t *words)
{
    if (words[EXACT_SUM_WORDS - 1] >> 63 == 0)
        return false;
    uint64_t carry = 1;
    for (int i = 0; i < EXACT_SUM_WORDS; i++) {
        words[i] = ~words[i] + carry;
        carry = carry != 0 && words[i] == 0;
    }
    return true;
}

static bool any_below(const uint64_t *words, int top)
{
    for (int i = 0; i < top; i++)
        if (words[i] != 0)
            return true;
    return false;
}

/* The 64 bits from the highest on, the lowest of them set if any bit below is: rounded to a double,
 * they give what the whole number would. */
static double leading_bits(const exact_sum_t *self, int *exponent)
{
    uint64_t words[EXACT_SUM_WORDS];
    memcpy(words, self->words, sizeof words);
    bool negative = make_positive(words);
    int top = EXACT_SUM_WORDS - 1;
    while (top > 0 && words[top] == 0)
        top--;
    *exponent = LEAST_EXPONENT;
    if (top == 0) /* a number below 2^-1010 has no bit that a double could not hold, or 64 bits */
        return negative ? -(double)words[0] : (double)words[0];
    int lead = __builtin_clzll(words[top]);
    uint64_t bits = words[top] << lead, rest = words[top - 1] << lead;
    if (lead > 0)
        bits |= words[top - 1] >> (WORD_BITS - lead);
    bits |= rest != 0 || any_below(words, top - 1);
    *exponent += top * WORD_BITS - lead;
    return negative ? -(double)bits : (double)bits;
}

static double within_range(double value)
{
    return value > DBL_MAX ? DBL_MAX : value < -DBL_MAX ? -DBL_MAX : value;
}

double exact_sum_value(const exact_sum_t *self)
{
    int exponent;
    double bits = leading_bits(self, &exponent);
    return within_range(ldexp(bits, exponent));
}

double exact_sum_mean(const exact_sum_t *self, uint64_t count)
{
    int exponent;
    double bits = leading_bits(self, &exponent);
    return within_range(ldexp(bits / (double)count, exponent));
}
