/*  check - cmocka's headers in the one order that compiles, and what it lacks: doubles. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <math.h>

/*  Equal up to `tolerance`, absolute; NaN equals NaN. */
#define assert_double(actual, expected, tolerance)                                                 \
    do {                                                                                           \
        double actual_ = (actual), expected_ = (expected);                                         \
        if (!(fabs(actual_ - expected_) <= (tolerance)) && !(isnan(actual_) && isnan(expected_)))  \
            fail_msg("%s is %.17g, expected %.17g", #actual, actual_, expected_);                  \
    } while (0)

/*  A text_t equals a C string. */
#define assert_text(actual, expected)                                                              \
    do {                                                                                           \
        text_t actual_ = (actual);                                                                 \
        if (!text_is(actual_, (expected)))                                                         \
            fail_msg("%s is \"%.*s\", expected \"%s\"", #actual, (int)actual_.size,                \
                     actual_.data == NULL ? "" : actual_.data, (expected));                        \
    } while (0)

#endif
