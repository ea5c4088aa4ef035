#include "engines/condition_evaluation.h"

#include "engines/condition_aggregate.h"
#include "engines/condition_binary.h"
#include "engines/condition_functions.h"
#include "engines/condition_parser.h"
#include "engines/hash.h"
#include "engines/table.h"
#include "proto/must.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- bounds and errors -- */

words_t evaluation_words(evaluation_t *self, const node_t *node)
{
    return condition_error_at(self->error, self->text, node->at);
}

bool evaluation_fails(evaluation_t *self, const node_t *node, const char *words)
{
    words_t error = evaluation_words(self, node);
    words_add(&error, words);
    return false;
}

bool evaluation_meets_histogram(evaluation_t *self, const node_t *node, text_t name)
{
    words_t words = evaluation_words(self, node);
    words_text(&words, name);
    words_add(&words, " is a histogram: it is read as its _count, as its _sum, and as itself "
                      "inside histogram_quantile only");
    return false;
}

void *evaluation_take(evaluation_t *self, const node_t *node, size_t size)
{
    if (size > EVALUATION_MAX_BYTES - self->bytes) {
        evaluation_fails(self, node, "the evaluation needs more than 256 MiB of memory");
        return NULL;
    }
    self->bytes += size;
    return arena_take(self->arena, size);
}

bool evaluation_read(evaluation_t *self, const node_t *node, size_t points)
{
    self->points += points;
    return self->points <= EVALUATION_MAX_POINTS ||
           evaluation_fails(self, node, "the evaluation reads more than 50 million points");
}

bool vector_add(evaluation_t *self, const node_t *node, vector_t *vector, const element_t *sample)
{
    if (vector->count == vector->room) {
        size_t room = vector->room == 0 ? 16 : 2 * vector->room;
        element_t *grown = evaluation_take(self, node, room * sizeof *grown);
        if (grown == NULL)
            return false;
        if (vector->count > 0)
            memcpy(grown, vector->items, vector->count * sizeof *grown);
        vector->items = grown;
        vector->room = room;
    }
    vector->items[vector->count++] = *sample;
    return true;
}

/* -- label sets with a name -- */

#define NAME_LABEL "__name__"

text_t element_label(const element_t *self, text_t label)
{
    return text_is(label, NAME_LABEL) ? self->name : labels_get(self->labels, label);
}

uint64_t element_hash(const evaluation_t *self, const element_t *sample)
{
    return hash_pair(self->moment->seed, sample->name, sample->labels.bytes, sample->labels.size);
}

bool element_same_labels(const element_t *a, const element_t *b)
{
    return labels_equal(a->labels, b->labels) && text_equal(a->name, b->name);
}

static bool listed(texts_t names, text_t name)
{
    for (size_t i = 0; i < names.count; i++)
        if (text_equal(names.items[i], name))
            return true;
    return false;
}

/* Canonical labels are their pairs one after the other: a subset is those of the pairs. */
static bool take_subset(evaluation_t *self, const node_t *node, texts_t names, bool wanted,
                        element_t *sample)
{
    labels_t from = sample->labels, subset = {self->scratch, 0, 0};
    label_t label;
    for (uint32_t at = 0, begin = 0; labels_next(from, &at, &label); begin = at) {
        if (listed(names, label.name) != wanted)
            continue;
        memcpy(self->scratch + subset.size, from.bytes + begin, at - begin);
        subset.size += at - begin;
        subset.count++;
    }
    if (subset.count == from.count)
        return true;
    uint8_t *kept = evaluation_take(self, node, subset.size);
    if (kept == NULL)
        return false;
    if (subset.size > 0)
        memcpy(kept, self->scratch, subset.size);
    sample->labels = (labels_t){kept, subset.size, subset.count};
    return true;
}

bool element_keep(evaluation_t *self, const node_t *node, texts_t labels, element_t *sample)
{
    if (!listed(labels, TEXT_OF(NAME_LABEL)))
        sample->name = TEXT_NONE;
    return take_subset(self, node, labels, true, sample);
}

bool element_drop(evaluation_t *self, const node_t *node, texts_t labels, element_t *sample)
{
    if (listed(labels, TEXT_OF(NAME_LABEL)))
        sample->name = TEXT_NONE;
    return take_subset(self, node, labels, false, sample);
}

bool element_set_label(evaluation_t *self, const node_t *node, element_t *sample, label_t label)
{
    uint8_t one[RESULT_LABEL_NAME_MAX + RESULT_LABEL_VALUE_MAX + 8];
    if (text_is(label.name, NAME_LABEL)) {
        sample->name = label.value.size == 0 ? TEXT_NONE : label.value;
        return true;
    }
    if (label.value.size > RESULT_LABEL_VALUE_MAX)
        return evaluation_fails(self, node, "the value of a label becomes longer than 1 KiB");
    if (sample->labels.count >= LABELS_MAX)
        return evaluation_fails(self, node, "a label set gets more than 64 labels");
    if (label.value.size == 0)
        return element_drop(self, node, (texts_t){&label.name, 1}, sample);
    labels_t merged = labels_merge(sample->labels, labels_build(&label, 1, one), self->scratch);
    uint8_t *kept = evaluation_take(self, node, merged.size);
    if (kept == NULL)
        return false;
    memcpy(kept, merged.bytes, merged.size);
    sample->labels = (labels_t){kept, merged.size, merged.count};
    return true;
}

bool vector_unique(evaluation_t *self, const node_t *node, const vector_t *vector)
{
    bool unique = true;
    table_t seen;
    if (vector->count < 2)
        return true;
    if (!evaluation_read(self, node, vector->count * ELEMENT_POINTS))
        return false;
    table_init(&seen, (uint32_t)vector->count);
    for (uint32_t i = 0; unique && i < vector->count; i++) {
        uint64_t hash = element_hash(self, &vector->items[i]);
        uint32_t probe = 0, item;
        while (unique && (item = table_next(&seen, hash, &probe)) != 0)
            unique = !element_same_labels(&vector->items[item - 1], &vector->items[i]);
        table_add(&seen, hash, i + 1);
    }
    table_free(&seen);
    return unique || evaluation_fails(self, node,
                                      "two series of the result have the same labels and no name "
                                      "to tell them apart");
}

/* -- nodes -- */

/* What a series is worth to an instant selector: its last point, or the histogram that it is. */
static bool add_look(evaluation_t *self, const node_t *node, const series_look_t *series,
                     vector_t *out)
{
    const selector_t *selector = &node->as.selector;
    if (series->histogram != NULL && !selector->as_histogram)
        return evaluation_meets_histogram(self, node, series->name);
    if (series->histogram == NULL && series->count == 0)
        return true;
    element_t sample = {.name = series->name,
                        .labels = series->labels,
                        .ratio = series->ratio,
                        .histogram = series->histogram};
    if (series->histogram == NULL)
        sample.value = series->points[series->count - 1].value;
    return vector_add(self, node, out, &sample);
}

static bool evaluate_selector(evaluation_t *self, const node_t *node, vector_t *out)
{
    const selector_t *selector = &node->as.selector;
    int64_t to = self->moment->at_ms - selector->offset_ms;
    const void *at = NULL;
    series_look_t series = {0};
    *out = (vector_t){0};
    while (self->source->next(self->source->context, selector, to - self->moment->lookback_ms, to,
                              &at, &series)) {
        if (!evaluation_read(self, node, ELEMENT_POINTS) || !add_look(self, node, &series, out))
            return false;
        series = (series_look_t){0};
    }
    return true;
}

static bool evaluate_negation(evaluation_t *self, const node_t *node, answer_t *out)
{
    if (!evaluate(self, node->as.negated, out))
        return false;
    out->scalar = -out->scalar;
    for (size_t i = 0; i < out->vector.count; i++) {
        out->vector.items[i].value = -out->vector.items[i].value;
        out->vector.items[i].name = TEXT_NONE;
    }
    return vector_unique(self, node, &out->vector);
}

bool evaluate(evaluation_t *self, const node_t *node, answer_t *out)
{
    *out = (answer_t){.is_scalar = node->type == TYPE_SCALAR};
    switch (node->kind) {
    case NODE_NUMBER:
        out->scalar = node->as.number.value;
        return true;
    case NODE_SELECTOR:
        return evaluate_selector(self, node, &out->vector);
    case NODE_NEGATION:
        return evaluate_negation(self, node, out);
    case NODE_BINARY:
        return evaluate_binary(self, node, out);
    case NODE_CALL:
        return function_call(self, node, out);
    case NODE_AGGREGATION:
        return aggregate(self, node, &out->vector);
    case NODE_STRING:
    case NODE_KIND_COUNT:
    default:
        must_not("a node that is worth nothing");
    }
}

bool evaluate_scalar(evaluation_t *self, const node_t *node, double *out)
{
    answer_t answer;
    if (!evaluate(self, node, &answer))
        return false;
    must(answer.is_scalar);
    *out = answer.scalar;
    return true;
}

bool evaluate_vector(evaluation_t *self, const node_t *node, vector_t *out)
{
    answer_t answer;
    if (!evaluate(self, node, &answer))
        return false;
    must(!answer.is_scalar);
    *out = answer.vector;
    return true;
}

double node_number(const node_t *node, bool ratio)
{
    return node->as.number.percent && ratio ? node->as.number.value / 100 : node->as.number.value;
}

/* -- arithmetic -- */

double go_max(double a, double b)
{
    if (isinf(a) && a > 0)
        return a;
    if (isinf(b) && b > 0)
        return b;
    if (isnan(a) || isnan(b))
        return (double)NAN;
    if (a == 0 && b == 0)
        return signbit(a) ? b : a;
    return a > b ? a : b;
}

double go_min(double a, double b)
{
    return -go_max(-a, -b);
}

/* NaN before all numbers, as Go's sort.Float64s. */
static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    if (isnan(left) || isnan(right))
        return isnan(right) - isnan(left) == 0 ? 0 : isnan(left) ? -1 : 1;
    return (left > right) - (left < right);
}

void sort_doubles(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
}

double quantile_of_sorted(double ratio, const double *values, size_t count)
{
    if (count == 0 || isnan(ratio))
        return (double)NAN;
    if (ratio < 0 || ratio > 1)
        return ratio < 0 ? -(double)INFINITY : (double)INFINITY;
    double rank = ratio * ((double)count - 1);
    size_t lower = (size_t)floor(rank);
    size_t upper = lower + 1 < count ? lower + 1 : count - 1;
    double weight = rank - floor(rank);
    return values[lower] * (1 - weight) + values[upper] * weight;
}
