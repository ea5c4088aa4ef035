#include "broker/alert_series.h"

#include "engines/roster.h"
#include "proto/must.h"
#include "proto/schema.h"

#include <math.h>
#include <stdlib.h>

/* Series that there is room for, until there are more. */
#define SERIES_AT_FIRST 16u

typedef struct {
    uint64_t round; /* that named it last */
    uint32_t labels_count;
} told_t;

struct alert_series {
    roster_t told; /* by their labels */
    uint64_t round;
};

alert_series_t *alert_series_new(void)
{
    alert_series_t *self = memory_new(1, sizeof *self);
    roster_init(&self->told, SERIES_AT_FIRST, 0);
    return self;
}

void alert_series_destroy(alert_series_t **self)
{
    if (*self == NULL)
        return;
    uint64_t at = 0;
    for (told_t *told; (told = roster_next(&(*self)->told, &at)) != NULL;)
        free(told);
    roster_free(&(*self)->told);
    free(*self);
    *self = NULL;
}

static void say(labels_t labels, double value, sample_sink_t sink)
{
    sink.take(sink.context, &(sample_t){.name = TEXT_OF("ALERTS"),
                                        .labels = labels,
                                        .kind = METRIC_GAUGE,
                                        .value = value});
}

static told_t *tell_first(alert_series_t *self, labels_t labels, text_t key, sample_sink_t sink)
{
    told_t *told = memory_new(1, sizeof *told);
    told->labels_count = labels.count;
    if (roster_full(&self->told))
        roster_grow(&self->told, 2 * roster_count(&self->told));
    roster_add(&self->told, key, told);
    say(labels, 1, sink);
    return told;
}

void alert_series_tell(alert_series_t *self, const alert_t *alert, sample_sink_t sink)
{
    uint8_t bytes[LABELS_MAX_BYTES];
    label_t pairs[] = {{TEXT_OF("alertname"), alert->policy},
                       {TEXT_OF("alertstate"), text_of(alert_state_words[alert->state])},
                       {TEXT_OF("severity"), text_of(severity_words[alert->severity])}};
    labels_t labels = labels_build(pairs, 3, bytes);
    text_t key = {(const char *)labels.bytes, labels.size};
    told_t *told = roster_find(&self->told, key);
    if (told == NULL)
        told = tell_first(self, labels, key, sink);
    told->round = self->round;
}

void alert_series_end(alert_series_t *self, sample_sink_t sink)
{
    uint64_t at = 0;
    text_t key;
    for (told_t *told; (told = roster_next_named(&self->told, &at, &key)) != NULL;) {
        if (told->round == self->round)
            continue;
        say((labels_t){(const uint8_t *)key.data, (uint32_t)key.size, told->labels_count}, NAN,
            sink);
        roster_remove(&self->told, key);
        free(told);
    }
    self->round++;
}
