#include "engines/condition_aggregate.h"

#include "engines/condition_lexer.h"
#include "engines/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One group in the making. */
typedef struct {
    element_t sample;           /* its labels; its value is what was gathered */
    double mean;                /* of stddev and avg */
    double *values;             /* of quantile */
    const element_t **elements; /* of topk and bottomk, the worst first (a heap) */
    size_t count, room;
} group_t;

typedef struct {
    evaluation_t *evaluation;
    const node_t *node;
    double parameter;
} gathering_t;

struct aggregator {
    text_t name;
    bool has_parameter, keeps_unit, selects;
    /* take the next element of the group; count says how many there were before */
    bool (*take)(const gathering_t *gathering, group_t *group, const element_t *sample);
    double (*finish)(const gathering_t *gathering, group_t *group); /* NULL: sample.value */
};

/* -- the simple ones -- */

static bool take_sum(const gathering_t *gathering, group_t *group, const element_t *sample)
{
    (void)gathering;
    group->sample.value = group->count == 0 ? sample->value : group->sample.value + sample->value;
    return true;
}

static bool take_min(const gathering_t *gathering, group_t *group, const element_t *sample)
{
    (void)gathering;
    if (group->count == 0 || group->sample.value > sample->value || isnan(group->sample.value))
        group->sample.value = sample->value;
    return true;
}

static bool take_max(const gathering_t *gathering, group_t *group, const element_t *sample)
{
    (void)gathering;
    if (group->count == 0 || group->sample.value < sample->value || isnan(group->sample.value))
        group->sample.value = sample->value;
    return true;
}

static bool take_nothing(const gathering_t *gathering, group_t *group, const element_t *sample)
{
    (void)gathering, (void)group, (void)sample;
    return true;
}

static double finish_count(const gathering_t *gathering, group_t *group)
{
    (void)gathering;
    return (double)group->count;
}

/* An infinite mean is changed by the other infinity and by NaN alone. */
static bool take_avg(const gathering_t *gathering, group_t *group, const element_t *sample)
{
    (void)gathering;
    double n = (double)(group->count + 1), value = sample->value;
    if (group->count == 0) {
        group->mean = value;
        return true;
    }
    bool stays = isinf(value) ? (group->mean > 0) == (value > 0) : !isnan(value);
    if (!isinf(group->mean) || !stays)
        group->mean += value / n - group->mean / n;
    return true;
}

static double finish_avg(const gathering_t *gathering, group_t *group)
{
    (void)gathering;
    return group->mean;
}

/* Welford's. */
static bool take_stddev(const gathering_t *gathering, group_t *group, const element_t *sample)
{
    (void)gathering;
    double before = sample->value - group->mean;
    if (group->count == 0) {
        group->mean = sample->value;
        group->sample.value = 0;
        return true;
    }
    group->mean += before / (double)(group->count + 1);
    group->sample.value += before * (sample->value - group->mean);
    return true;
}

static double finish_stddev(const gathering_t *gathering, group_t *group)
{
    (void)gathering;
    return sqrt(group->sample.value / (double)group->count);
}

/* -- those that need all values -- */

static bool make_room(const gathering_t *gathering, group_t *group, size_t size, void **items)
{
    if (group->count < group->room)
        return true;
    size_t room = group->room == 0 ? 16 : 2 * group->room;
    void *grown = evaluation_take(gathering->evaluation, gathering->node, room * size);
    if (grown == NULL)
        return false;
    if (group->count > 0)
        memcpy(grown, *items, group->count * size);
    *items = grown;
    group->room = room;
    return true;
}

static bool take_value(const gathering_t *gathering, group_t *group, const element_t *sample)
{
    void *items = group->values;
    if (!make_room(gathering, group, sizeof *group->values, &items))
        return false;
    group->values = items;
    group->values[group->count] = sample->value;
    return true;
}

static double finish_quantile(const gathering_t *gathering, group_t *group)
{
    sort_doubles(group->values, group->count);
    return quantile_of_sorted(gathering->parameter, group->values, group->count);
}

static bool take_element(const gathering_t *gathering, group_t *group, const element_t *sample)
{
    void *items = (void *)(uintptr_t)group->elements;
    if (!make_room(gathering, group, sizeof *group->elements, &items))
        return false;
    group->elements = items;
    group->elements[group->count] = sample;
    return true;
}

/* -- the table -- */

static const aggregator_t aggregators[] = {
    {.name = {"avg", 3}, .keeps_unit = true, .take = take_avg, .finish = finish_avg},
    {.name = {"bottomk", 7},
     .has_parameter = true,
     .keeps_unit = true,
     .selects = true,
     .take = take_element},
    {.name = {"count", 5}, .take = take_nothing, .finish = finish_count},
    {.name = {"max", 3}, .keeps_unit = true, .take = take_max},
    {.name = {"min", 3}, .keeps_unit = true, .take = take_min},
    {.name = {"quantile", 8},
     .has_parameter = true,
     .keeps_unit = true,
     .take = take_value,
     .finish = finish_quantile},
    {.name = {"stddev", 6}, .keeps_unit = true, .take = take_stddev, .finish = finish_stddev},
    {.name = {"sum", 3}, .keeps_unit = true, .take = take_sum},
    {.name = {"topk", 4},
     .has_parameter = true,
     .keeps_unit = true,
     .selects = true,
     .take = take_element},
};

#define AGGREGATORS (sizeof aggregators / sizeof *aggregators)
#define BOTTOMK (&aggregators[1])

static const char *const refused[] = {"count_values", "group", "limit_ratio", "limitk", "stdvar"};

const aggregator_t *aggregator_named(text_t name)
{
    for (size_t i = 0; i < AGGREGATORS; i++)
        if (name_is_keyword(name, aggregators[i].name))
            return &aggregators[i];
    return NULL;
}

bool aggregator_refused(text_t name)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (name_is_keyword(name, text_of(refused[i])))
            return true;
    return false;
}

text_t aggregator_name(const aggregator_t *self)
{
    return self->name;
}

bool aggregator_has_parameter(const aggregator_t *self)
{
    return self->has_parameter;
}

bool aggregator_keeps_unit(const aggregator_t *self)
{
    return self->keeps_unit;
}

bool aggregator_selects(const aggregator_t *self)
{
    return self->selects;
}

/* -- groups -- */

typedef struct {
    group_t *items;
    size_t count, room;
    table_t table;
} groups_t;

static bool grow_groups(const gathering_t *gathering, groups_t *groups)
{
    size_t room = groups->room == 0 ? 8 : 2 * groups->room;
    group_t *grown = evaluation_take(gathering->evaluation, gathering->node, room * sizeof *grown);
    if (grown == NULL)
        return false;
    if (groups->count > 0)
        memcpy(grown, groups->items, groups->count * sizeof *grown);
    groups->items = grown;
    groups->room = room;
    return true;
}

static bool group_labels(const gathering_t *gathering, element_t *sample)
{
    const node_t *node = gathering->node;
    texts_t labels = node->as.aggregation.labels;
    if (!node->as.aggregation.without)
        return element_keep(gathering->evaluation, node, labels, sample);
    sample->name = TEXT_NONE;
    return element_drop(gathering->evaluation, node, labels, sample);
}

/* The group of an element; NULL on failure. */
static group_t *group_for(const gathering_t *gathering, groups_t *groups, const element_t *element)
{
    element_t sample = *element;
    if (!group_labels(gathering, &sample))
        return NULL;
    uint64_t hash = element_hash(gathering->evaluation, &sample);
    uint32_t probe = 0, item;
    while ((item = table_next(&groups->table, hash, &probe)) != 0)
        if (element_same_labels(&groups->items[item - 1].sample, &sample))
            return &groups->items[item - 1];
    if (groups->count == groups->room && !grow_groups(gathering, groups))
        return NULL;
    table_add(&groups->table, hash, (uint32_t)groups->count + 1);
    groups->items[groups->count] = (group_t){.sample = sample};
    return &groups->items[groups->count++];
}

static bool gather(const gathering_t *gathering, groups_t *groups, const vector_t *vector)
{
    const aggregator_t *aggregator = gathering->node->as.aggregation.aggregator;
    for (size_t i = 0; i < vector->count; i++) {
        const element_t *sample = &vector->items[i];
        group_t *group = group_for(gathering, groups, sample);
        if (group == NULL || !aggregator->take(gathering, group, sample))
            return false;
        group->sample.ratio = group->sample.ratio && sample->ratio;
        group->count++;
    }
    return true;
}

/* -- what comes out -- */

static int ranked(const element_t *a, const element_t *b, bool greatest)
{
    if (isnan(a->value) || isnan(b->value))
        return isnan(a->value) - isnan(b->value);
    int order = (a->value > b->value) - (a->value < b->value);
    if (order != 0)
        return greatest ? -order : order;
    return 0;
}

/* Equal values are told apart by their labels, so that the same input gives the same output. */
static int rank_elements(const element_t *a, const element_t *b, bool greatest)
{
    int order = ranked(a, b, greatest);
    if (order == 0)
        order = labels_compare(a->labels, b->labels);
    return order != 0 ? order : text_compare(a->name, b->name);
}

static int by_greatest(const void *a, const void *b)
{
    return rank_elements(*(const element_t *const *)a, *(const element_t *const *)b, true);
}

static int by_least(const void *a, const void *b)
{
    return rank_elements(*(const element_t *const *)a, *(const element_t *const *)b, false);
}

static bool add_selected(const gathering_t *gathering, group_t *group, vector_t *out)
{
    bool greatest = gathering->node->as.aggregation.aggregator != BOTTOMK;
    qsort((void *)(uintptr_t)group->elements, group->count, sizeof *group->elements,
          greatest ? by_greatest : by_least);
    for (size_t i = 0; i < group->count; i++) {
        if ((double)(i + 1) > gathering->parameter && !gathering->evaluation->unfiltered)
            break;
        if (!vector_add(gathering->evaluation, gathering->node, out, group->elements[i]))
            return false;
    }
    return true;
}

static bool add_group(const gathering_t *gathering, group_t *group, vector_t *out)
{
    const aggregator_t *aggregator = gathering->node->as.aggregation.aggregator;
    if (aggregator->selects)
        return add_selected(gathering, group, out);
    if (aggregator->finish != NULL)
        group->sample.value = aggregator->finish(gathering, group);
    group->sample.histogram = NULL;
    return vector_add(gathering->evaluation, gathering->node, out, &group->sample);
}

/* k is a whole number: what lies behind the point is cut off. */
static bool settle_parameter(gathering_t *gathering)
{
    if (!gathering->node->as.aggregation.aggregator->selects)
        return true;
    if (isnan(gathering->parameter) || fabs(gathering->parameter) > 9.2e18)
        return evaluation_fails(gathering->evaluation, gathering->node,
                                "the number of elements is no whole number");
    gathering->parameter = trunc(gathering->parameter);
    return true;
}

bool aggregate(evaluation_t *self, const node_t *node, vector_t *out)
{
    gathering_t gathering = {.evaluation = self, .node = node};
    vector_t vector;
    *out = (vector_t){0};
    if ((node->as.aggregation.parameter != NULL &&
         !evaluate_scalar(self, node->as.aggregation.parameter, &gathering.parameter)) ||
        !settle_parameter(&gathering) ||
        !evaluate_vector(self, node->as.aggregation.operand, &vector))
        return false;
    groups_t groups = {0};
    table_init(&groups.table, (uint32_t)vector.count + 1);
    bool good = gather(&gathering, &groups, &vector);
    table_free(&groups.table);
    for (size_t i = 0; good && i < groups.count; i++)
        good = add_group(&gathering, &groups.items[i], out);
    return good;
}
