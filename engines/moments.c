#include "engines/moments.h"

#include <float.h>
#include <math.h>

/* Scaled values lie between -1 and 1 at a pass; one that has grown beyond this forces another, long
 * before its square overflows. */
#define SCALED_MAX 0x1p400

/* The spread may shrink to this share of its greatest size before the sums are taken anew. */
#define TRUSTED_SHARE 1e-3

/* Below this sum of squares, squares may have underflowed. After a pass it is at least about
 * 2^-150, unless all values are equal. */
#define SQUARES_MIN 0x1p-900

/* Powers of two that a double can be multiplied by, and divided by, without leaving its range. */
#define SCALE_EXPONENT_MAX 1000

void moments_init(moments_t *self)
{
    *self = (moments_t){.scale = 1};
}

/* a + b = high + low, exactly. */
static void two_sum(double a, double b, double *high, double *low)
{
    double sum = a + b;
    double b_part = sum - a;
    *low = (a - (sum - b_part)) + (b - b_part);
    *high = sum;
}

static void add_to_sum(moments_t *self, double scaled)
{
    double low;
    two_sum(self->sum, scaled, &self->sum, &low);
    self->sum_rest += low;
}

static double scale_for(const moments_t *self)
{
    double greatest = 0;
    for (unsigned i = 0; i < self->count; i++)
        greatest = fmax(greatest, fabs(self->values[i]));
    if (greatest == 0)
        return 1;
    int exponent;
    frexp(greatest, &exponent);
    if (exponent < -SCALE_EXPONENT_MAX)
        exponent = -SCALE_EXPONENT_MAX;
    if (exponent > SCALE_EXPONENT_MAX)
        exponent = SCALE_EXPONENT_MAX;
    return ldexp(1, -exponent);
}

/* Of the values, not the mean: integers then stay integers. */
static double value_nearest(const moments_t *self, double mean)
{
    double nearest = self->values[0] * self->scale;
    for (unsigned i = 1; i < self->count; i++) {
        double scaled = self->values[i] * self->scale;
        if (fabs(scaled - mean) < fabs(nearest - mean))
            nearest = scaled;
    }
    return nearest;
}

static double scaled_mean(const moments_t *self)
{
    return (self->sum + self->sum_rest) / self->count;
}

/* Take every sum anew from the values. */
static void pass(moments_t *self)
{
    self->scale = scale_for(self);
    self->sum = self->sum_rest = self->lean = self->squares = 0;
    for (unsigned i = 0; i < self->count; i++)
        add_to_sum(self, self->values[i] * self->scale);
    self->anchor = value_nearest(self, scaled_mean(self));
    for (unsigned i = 0; i < self->count; i++) {
        double away = self->values[i] * self->scale - self->anchor;
        self->lean += away;
        self->squares += away * away;
    }
    self->greatest = self->squares;
    self->since_pass = 0;
}

static void update(moments_t *self, double value, double sign)
{
    double scaled = value * self->scale;
    double away = scaled - self->anchor;
    add_to_sum(self, sign * scaled);
    self->lean += sign * away;
    self->squares += sign * (away * away);
}

static double squares_about_mean(const moments_t *self)
{
    return self->squares - self->lean * self->lean / self->count;
}

static bool all_equal(const moments_t *self)
{
    return self->equal >= self->count;
}

static bool trusted(const moments_t *self)
{
    double squares = squares_about_mean(self);
    return self->since_pass < MOMENTS_WINDOW &&
           (all_equal(self) ||
            (squares >= SQUARES_MIN && squares >= TRUSTED_SHARE * self->greatest));
}

static void count_equal(moments_t *self, double value)
{
    if (self->count == 0 || value != self->last)
        self->equal = 0;
    if (self->equal < MOMENTS_WINDOW)
        self->equal++;
    self->last = value;
}

void moments_add(moments_t *self, double value)
{
    count_equal(self, value);
    bool in_range = fabs(value * self->scale) <= SCALED_MAX;
    if (in_range)
        update(self, value, 1);
    if (self->squares > self->greatest)
        self->greatest = self->squares;
    if (self->count == MOMENTS_WINDOW && in_range)
        update(self, self->values[self->next], -1);
    self->values[self->next] = value;
    self->next = (uint8_t)((self->next + 1) % MOMENTS_WINDOW);
    if (self->count < MOMENTS_WINDOW)
        self->count++;
    self->since_pass++;
    if (!in_range || !trusted(self))
        pass(self);
}

uint32_t moments_values(const moments_t *self, double values[MOMENTS_WINDOW])
{
    uint32_t oldest = self->count == MOMENTS_WINDOW ? self->next : 0;
    for (uint32_t i = 0; i < self->count; i++)
        values[i] = self->values[(oldest + i) % MOMENTS_WINDOW];
    return self->count;
}

static double within_range(double value)
{
    return fmin(fmax(value, -DBL_MAX), DBL_MAX);
}

double moments_mean(const moments_t *self)
{
    if (self->count == 0)
        return NAN;
    if (all_equal(self))
        return self->last;
    return within_range(scaled_mean(self) / self->scale);
}

static double scaled_deviation(const moments_t *self)
{
    if (all_equal(self))
        return 0;
    return sqrt(squares_about_mean(self) / (self->count - 1));
}

double moments_deviation(const moments_t *self)
{
    if (self->count < 2)
        return NAN;
    return within_range(scaled_deviation(self) / self->scale);
}

moments_distance_t moments_distance(const moments_t *self, double value)
{
    if (all_equal(self)) /* the sums may be off by a rounding here; the values are not */
        return (moments_distance_t){(value > self->last) - (value < self->last), 0};
    double away = value * self->scale - self->anchor;
    return (moments_distance_t){away - self->lean / self->count, scaled_deviation(self)};
}
