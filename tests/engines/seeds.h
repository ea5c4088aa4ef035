/*  seeds - properties that are held against many random histories.
 *
 *  A property is run once a seed: 1,000 of them, TOCSIN_SEEDS=n for more or fewer, TOCSIN_SEED=n
 * for that one alone. When one fails, the command that repeats it is printed.
 */
#ifndef TESTS_ENGINES_SEEDS_H
#define TESTS_ENGINES_SEEDS_H

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_DEFAULT 1000

typedef struct {
    uint64_t state;
} dice_t;

/*  splitmix64 (Vigna). */
static inline uint64_t dice_next(dice_t *self)
{
    uint64_t z = (self->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/*  0 … n - 1 */
static inline uint64_t dice_below(dice_t *self, uint64_t n)
{
    return dice_next(self) % n;
}

static inline bool dice_chance(dice_t *self, double share)
{
    return (double)(dice_next(self) >> 11) * 0x1p-53 < share;
}

/*  (0, 1) */
static inline double dice_unit(dice_t *self)
{
    return ((double)(dice_next(self) >> 12) + 0.5) * 0x1p-52;
}

static inline double dice_normal(dice_t *self)
{
    return sqrt(-2 * log(dice_unit(self))) * cos(6.283185307179586 * dice_unit(self));
}

/*  Any finite double, of any size. */
static inline double dice_double(dice_t *self)
{
    for (;;) {
        uint64_t bits = dice_next(self);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value))
            return value;
    }
}

/*  The shapes that values come in: how a seed's history looks is decided by the seed. */
typedef enum {
    SHAPE_NOISE,    /* about one level */
    SHAPE_OFFSET,   /* 1e9 + little noise */
    SHAPE_STEPS,    /* a level that jumps */
    SHAPE_SPIKES,   /* noise with a spike of 1e12 now and then */
    SHAPE_TIES,     /* few different values */
    SHAPE_CONSTANT, /* one value for long */
    SHAPE_RAMP,     /* a steady rise */
    SHAPE_DENORMAL, /* near the least double */
    SHAPE_HUGE,     /* near the greatest */
    SHAPE_DECAY,    /* ever smaller */
    SHAPE_ANY,      /* any double */
    SHAPE_COUNT
} shape_t;

static inline double dice_value(dice_t *self, shape_t shape, unsigned at)
{
    switch (shape) {
    case SHAPE_NOISE:
        return 5 + dice_normal(self);
    case SHAPE_OFFSET:
        return 1e9 + 1e-3 * dice_normal(self);
    case SHAPE_STEPS:
        return 100.0 * (double)(at / 37 % 5) + dice_normal(self);
    case SHAPE_SPIKES:
        return dice_chance(self, 0.01) ? 1e12 : dice_normal(self);
    case SHAPE_TIES:
        return (double)dice_below(self, 3);
    case SHAPE_CONSTANT:
        return 0.1 + (double)(at / 150) + (dice_chance(self, 0.005) ? 1e-9 : 0);
    case SHAPE_RAMP:
        return 0.25 * at + 1e-3 * dice_normal(self);
    case SHAPE_DENORMAL:
        return ldexp((double)dice_below(self, 1000), -1074);
    case SHAPE_HUGE:
        return ldexp(dice_normal(self), 1015);
    case SHAPE_DECAY:
        return ldexp(1 + dice_unit(self), -(int)(at % 900));
    case SHAPE_ANY:
    case SHAPE_COUNT:
    default:
        return dice_double(self);
    }
}

/*  The seed that is being run; told when a test fails (seeds_teardown). */
static uint64_t seeds_running;

static inline int seeds_teardown(void **state)
{
    (void)state;
    if (seeds_running != 0)
        fprintf(stderr, "repeat with: TOCSIN_SEED=%llu %s\n", (unsigned long long)seeds_running,
                program_invocation_name);
    seeds_running = 0;
    return 0;
}

static inline uint64_t seeds_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/*  Hold the property against each seed. */
static inline void seeds_run(void (*property)(dice_t *dice))
{
    uint64_t only = seeds_number("TOCSIN_SEED", 0);
    uint64_t count = only > 0 ? only : seeds_number("TOCSIN_SEEDS", SEEDS_DEFAULT);
    for (uint64_t seed = only > 0 ? only : 1; seed <= count; seed++) {
        seeds_running = seed;
        property(&(dice_t){seed * UINT64_C(0xd1342543de82ef95)});
    }
    seeds_running = 0;
}

#define seeds_test(test) cmocka_unit_test_teardown(test, seeds_teardown)

#endif
