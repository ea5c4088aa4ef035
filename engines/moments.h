/*  moments - mean and sample deviation of the last hundred values.
 *
 *  Owns     nothing beyond itself
 *  Bounds   MOMENTS_WINDOW values; constant work a value, but for a pass over the window once a
 *           wrap or when the spread has shrunk so far that the running sums cannot be trusted
 *  Thread   one
 *  Refuses  nothing; what is added is finite, of any size
 *
 *  How it stays exact: values are scaled by a power of two to about 1, so that no square overflows
 *  or underflows. Their sum is kept in two doubles (Knuth's TwoSum). The spread is kept as sums of
 *  x - anchor and its square, the anchor being a value near the mean. An update of these adds an
 *  error of at most 2^-52 of the greatest sum of squares since the last pass; so as long as the sum
 *  of squares about the mean has not fallen below a thousandth of that, two hundred updates leave
 *  the deviation right to 1e-10. If it falls below, the next pass comes at once.
 *
 *  Seed: Chan, Golub and LeVeque, Algorithms for Computing the Sample Variance, The American
 *  Statistician 37 (1983): shifted data; Knuth, The Art of Computer Programming, vol. 2, 4.2.2.
 */
#ifndef ENGINES_MOMENTS_H
#define ENGINES_MOMENTS_H

#include <stdbool.h>
#include <stdint.h>

#define MOMENTS_WINDOW 100u

typedef struct {
    double scale;         /* a power of two */
    double sum, sum_rest; /* of the scaled values, together exact to about 2^-104 */
    double anchor;        /* scaled */
    double lean, squares; /* sums of x - anchor and of its square */
    double greatest;      /* sum of squares since the last pass */
    double last;          /* value added last */
    uint32_t equal;       /* how many of the last values equal it, up to the window */
    uint32_t since_pass;  /* values since the last pass */
    uint8_t count, next;  /* values held; where the next one goes */
    double values[MOMENTS_WINDOW];
} moments_t;

void moments_init(moments_t *self);

/*  Take in a value; the oldest of a full window leaves. */
void moments_add(moments_t *self, double value);

/*  NaN without values. */
double moments_mean(const moments_t *self);

/*  Of the sample (n - 1): NaN with fewer than two values; exactly 0 if all are equal, and else
 *  never. */
double moments_deviation(const moments_t *self);

/*  The values held, the oldest first; answers how many. */
uint32_t moments_values(const moments_t *self, double values[MOMENTS_WINDOW]);

/*  How far is `value` from the mean, and how large is the deviation? Both in the same unit, which
 *  neither overflows nor underflows. Needs two values. */
typedef struct {
    double distance;  /* signed */
    double deviation; /* exactly 0 if all values are equal */
} moments_distance_t;

moments_distance_t moments_distance(const moments_t *self, double value);

#endif
