#include "engines/condition_quantile.h"

#include "engines/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LE TEXT_OF("le")

typedef struct {
    double bound; /* upper, included */
    double count; /* of all observations up to it */
} bucket_t;

/* The buckets of one label set, le aside. */
typedef struct {
    element_t sample; /* without le */
    bucket_t *buckets;
    size_t count, room;
} bucketed_t;

/* -- one quantile -- */

static int by_bound(const void *a, const void *b)
{
    double left = ((const bucket_t *)a)->bound, right = ((const bucket_t *)b)->bound;
    return (left > right) - (left < right);
}

/* Buckets of one bound are one bucket. */
static size_t coalesce(bucket_t *buckets, size_t count)
{
    size_t last = 0;
    for (size_t i = 1; i < count; i++) {
        if (buckets[i].bound == buckets[last].bound)
            buckets[last].count += buckets[i].count;
        else
            buckets[++last] = buckets[i];
    }
    return last + 1;
}

/* Buckets that were read one after the other may be ahead of those above them. */
static void make_rise(bucket_t *buckets, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (buckets[i].count < buckets[i - 1].count)
            buckets[i].count = buckets[i - 1].count;
}

/* buckets[count - 1] is that of all; NaN counts are never below a rank. */
static double interpolate(const bucket_t *buckets, size_t count, double ratio)
{
    double rank = ratio * buckets[count - 1].count;
    size_t low = 0, high = count - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (buckets[middle].count >= rank)
            high = middle;
        else
            low = middle + 1;
    }
    if (low == count - 1)
        return buckets[count - 2].bound;
    if (low == 0 && buckets[0].bound <= 0)
        return buckets[0].bound;
    double from = low > 0 ? buckets[low - 1].bound : 0;
    double below = low > 0 ? buckets[low - 1].count : 0;
    double inside = buckets[low].count - below;
    return from + (buckets[low].bound - from) * ((rank - below) / inside);
}

static bool outside(double ratio, double *answer)
{
    *answer = isnan(ratio) ? ratio : ratio < 0 ? -(double)INFINITY : (double)INFINITY;
    return !(ratio >= 0 && ratio <= 1);
}

static double quantile_of_buckets(bucketed_t *from, double ratio)
{
    double answer;
    if (outside(ratio, &answer))
        return answer;
    qsort(from->buckets, from->count, sizeof *from->buckets, by_bound);
    if (!isinf(from->buckets[from->count - 1].bound) || from->buckets[from->count - 1].bound < 0)
        return (double)NAN;
    size_t count = coalesce(from->buckets, from->count);
    make_rise(from->buckets, count);
    if (count < 2 || from->buckets[count - 1].count == 0)
        return (double)NAN;
    return interpolate(from->buckets, count, ratio);
}

static double quantile_of_histogram(const sketch_t *histogram, double ratio)
{
    double answer;
    return outside(ratio, &answer) ? answer : sketch_quantile_of(histogram, ratio);
}

/* -- gathering buckets -- */

typedef struct {
    bucketed_t *items;
    size_t count;
    table_t table;
} gathering_t;

static bool read_bound(text_t text, double *bound)
{
    char digits[64];
    char *end;
    if (text.data == NULL || text.size == 0 || text.size >= sizeof digits ||
        strchr(" \t\n\v\f\r", text.data[0]) != NULL)
        return false;
    memcpy(digits, text.data, text.size);
    digits[text.size] = '\0';
    *bound = strtod(digits, &end);
    return *end == '\0';
}

static bucketed_t *gathered_for(evaluation_t *self, gathering_t *gathering, const element_t *sample)
{
    uint64_t hash = element_hash(self, sample);
    uint32_t probe = 0, item;
    while ((item = table_next(&gathering->table, hash, &probe)) != 0)
        if (element_same_labels(&gathering->items[item - 1].sample, sample))
            return &gathering->items[item - 1];
    table_add(&gathering->table, hash, (uint32_t)gathering->count + 1);
    gathering->items[gathering->count].sample = *sample;
    return &gathering->items[gathering->count++];
}

static bool add_bucket(evaluation_t *self, const node_t *call, bucketed_t *to, bucket_t bucket)
{
    if (to->count == to->room) {
        size_t room = to->room == 0 ? 16 : 2 * to->room;
        bucket_t *grown = evaluation_take(self, call, room * sizeof *grown);
        if (grown == NULL)
            return false;
        if (to->count > 0)
            memcpy(grown, to->buckets, to->count * sizeof *grown);
        to->buckets = grown;
        to->room = room;
    }
    to->buckets[to->count++] = bucket;
    return true;
}

/* A series without a bound in its le is no bucket, and left out. */
static bool gather(evaluation_t *self, const node_t *call, const vector_t *vector,
                   gathering_t *gathering)
{
    text_t le = LE;
    for (size_t i = 0; i < vector->count; i++) {
        element_t sample = vector->items[i];
        bucket_t bucket = {.count = sample.value};
        if (sample.histogram != NULL || !read_bound(element_label(&sample, le), &bucket.bound))
            continue;
        sample.name = TEXT_NONE;
        if (!element_drop(self, call, (texts_t){&le, 1}, &sample) ||
            !add_bucket(self, call, gathered_for(self, gathering, &sample), bucket))
            return false;
    }
    return true;
}

static bool add_bucketed(evaluation_t *self, const node_t *call, const vector_t *vector,
                         double ratio, vector_t *out)
{
    gathering_t gathering = {
        .items = evaluation_take(self, call, (vector->count + 1) * sizeof(bucketed_t))};
    if (gathering.items == NULL)
        return false;
    table_init(&gathering.table, (uint32_t)vector->count + 1);
    bool good = gather(self, call, vector, &gathering);
    for (size_t i = 0; good && i < gathering.count; i++) {
        bucketed_t *from = &gathering.items[i];
        from->sample.value = quantile_of_buckets(from, ratio);
        good = vector_add(self, call, out, &from->sample);
    }
    table_free(&gathering.table);
    return good;
}

bool call_histogram_quantile(evaluation_t *self, const node_t *call, answer_t *out)
{
    double ratio;
    vector_t vector;
    if (!evaluate_scalar(self, call->as.call.arguments[0], &ratio) ||
        !evaluate_vector(self, call->as.call.arguments[1], &vector))
        return false;
    for (size_t i = 0; i < vector.count; i++) {
        element_t sample = vector.items[i];
        if (sample.histogram == NULL)
            continue;
        sample.value = quantile_of_histogram(sample.histogram, ratio);
        sample.histogram = NULL;
        sample.name = TEXT_NONE;
        if (!vector_add(self, call, &out->vector, &sample))
            return false;
    }
    return add_bucketed(self, call, &vector, ratio, &out->vector) &&
           vector_unique(self, call, &out->vector);
}
