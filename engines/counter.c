#include "engines/counter.h"

#include <math.h>

#define TWO_TO_64 0x1p64

static void saturate(counter_t *self)
{
    *self = (counter_t){.whole = UINT64_MAX};
}

static void add_parts(counter_t *self, uint64_t whole, uint64_t part, double dust)
{
    self->dust += dust;
    uint64_t carry = self->dust >= 1;
    self->dust -= (double)carry;
    bool over_part = __builtin_add_overflow(self->part, part, &self->part);
    bool over_again = __builtin_add_overflow(self->part, carry, &self->part);
    bool over = __builtin_add_overflow(self->whole, whole, &self->whole);
    over |= __builtin_add_overflow(self->whole, (uint64_t)(over_part + over_again), &self->whole);
    if (over || self->whole == UINT64_MAX)
        saturate(self);
}

void counter_add(counter_t *self, double increment)
{
    if (increment >= TWO_TO_64) {
        saturate(self);
        return;
    }
    uint64_t whole = (uint64_t)increment;
    double behind = increment - (double)whole; /* exact: the same bits without the leading ones */
    if (behind == 0) {
        add_parts(self, whole, 0, 0);
        return;
    }
    double scaled = behind * TWO_TO_64;
    uint64_t part = (uint64_t)scaled;
    add_parts(self, whole, part, scaled - (double)part);
}

void counter_correct(counter_t *self, int rest)
{
    if (self->whole != UINT64_MAX)
        self->whole += (uint64_t)(int64_t)rest;
}

void counter_merge(counter_t *self, const counter_t *other)
{
    add_parts(self, other->whole, other->part, other->dust);
}

double counter_value(const counter_t *self)
{
    if (counter_is_whole(self))
        return (double)self->whole;
    return (double)self->whole + ldexp((double)self->part + self->dust, -64);
}
