/*  condition_evaluation - one evaluation of a condition, as its parts see it.
 *
 *  Owns     nothing: what it makes lies in the arena
 *  Bounds   EVALUATION_MAX_BYTES, EVALUATION_MAX_POINTS
 *  Thread   one
 *  Refuses  what exceeds them, in words
 */
#ifndef ENGINES_CONDITION_EVALUATION_H
#define ENGINES_CONDITION_EVALUATION_H

#include "engines/condition.h"
#include "engines/condition_tree.h"
#include "engines/words.h"

/* What the labels of a result may hold: as on the wire. */
#define RESULT_LABEL_NAME_MAX 128u
#define RESULT_LABEL_VALUE_MAX 1024u

typedef struct {
    const condition_source_t *source;
    const condition_moment_t *moment;
    arena_t *arena;
    text_t text;
    condition_error_t *error;
    uint64_t bytes, points; /* taken and read so far */
    bool unfiltered;
    uint8_t *scratch; /* LABELS_MAX_BYTES, where labels are put together */
} evaluation_t;

/*  What a node is worth. A vector is the caller's to change. */
bool evaluate(evaluation_t *self, const node_t *node, answer_t *out);
bool evaluate_scalar(evaluation_t *self, const node_t *node, double *out);
bool evaluate_vector(evaluation_t *self, const node_t *node, vector_t *out);

/*  A NODE_NUMBER, beside series of that unit. */
double node_number(const node_t *node, bool ratio);

/*  False, with words about the place of the node. */
bool evaluation_fails(evaluation_t *self, const node_t *node, const char *words);
words_t evaluation_words(evaluation_t *self, const node_t *node);

/*  False: a histogram was selected by its own name where it cannot stand for itself. */
bool evaluation_meets_histogram(evaluation_t *self, const node_t *node, text_t name);

/*  NULL when the bound is reached; the error is set. */
void *evaluation_take(evaluation_t *self, const node_t *node, size_t size);
/*  False when too much was read; the error is set. */
bool evaluation_read(evaluation_t *self, const node_t *node, size_t points);

bool vector_add(evaluation_t *self, const node_t *node, vector_t *vector, const element_t *sample);

/*  False, with words, when two elements have the same name and labels. */
bool vector_unique(evaluation_t *self, const node_t *node, const vector_t *vector);

/* -- label sets with a name -- */

/*  "__name__" is the name. */
text_t element_label(const element_t *self, text_t label);
/*  Leave the labels listed, or all but those. */
bool element_keep(evaluation_t *self, const node_t *node, texts_t labels, element_t *sample);
bool element_drop(evaluation_t *self, const node_t *node, texts_t labels, element_t *sample);
/*  An empty value removes the label. */
bool element_set_label(evaluation_t *self, const node_t *node, element_t *sample, label_t label);
uint64_t element_hash(const evaluation_t *self, const element_t *sample);
bool element_same_labels(const element_t *a, const element_t *b);

/* -- arithmetic of Go, where it differs from C's -- */

double go_max(double a, double b);
double go_min(double a, double b);

/*  The sum of Kahan and Neumaier, as Prometheus forms it. */
typedef struct {
    double sum, rest;
} kahan_t;

static inline void kahan_add(kahan_t *self, double value)
{
    double sum = self->sum + value;
    double big = __builtin_fabs(self->sum) >= __builtin_fabs(value) ? self->sum : value;
    double small = __builtin_fabs(self->sum) >= __builtin_fabs(value) ? value : self->sum;
    self->rest += (big - sum) + small;
    self->sum = sum;
}

/*  The quantile of `count` sorted values, between ranks; of none NaN. */
double quantile_of_sorted(double ratio, const double *values, size_t count);
void sort_doubles(double *values, size_t count);

#endif
