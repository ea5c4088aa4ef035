#include "engines/observability/observability_stack_inside.h"

series_use_t observability_stack_series(const observability_stack_t *self)
{
    collector_use_t use = metrics_collector_use(self->collector);
    return (series_use_t){use.count, use.limit, use.overflow};
}

plan_use_t observability_stack_plans(const observability_stack_t *self)
{
    plan_book_use_t use = plan_book_use(self->plans);
    return (plan_use_t){use.count, use.limit, use.range_bytes, use.range_limit};
}

bool observability_stack_metric(const observability_stack_t *self, text_t name, labels_t labels,
                                metric_view_t *view)
{
    const series_t *series = metrics_collector_series(self->collector, name, labels);
    if (series != NULL)
        metrics_collector_view(self->collector, series, view);
    return series != NULL;
}

static const series_t *watched(const observability_stack_t *self, text_t name, labels_t labels)
{
    const series_t *series = metrics_collector_series(self->collector, name, labels);
    return series == NULL || series->watch == NULL ? NULL : series;
}

bool observability_stack_anomaly(const observability_stack_t *self, text_t name, labels_t labels,
                                 anomaly_view_t *view)
{
    const series_t *series = watched(self, name, labels);
    if (series != NULL)
        stack_view_anomaly(self, series, view);
    return series != NULL;
}

bool observability_stack_anomaly_check(const observability_stack_t *self, text_t name,
                                       labels_t labels, double value, anomaly_view_t *view)
{
    const series_t *series = watched(self, name, labels);
    if (series == NULL)
        return false;
    verdict_t verdict = anomaly_watch_check(series->watch, value);
    stack_view_anomaly(self, series, view);
    view->last_value = value;
    view->score = verdict.score;
    view->anomalous = verdict.anomalous;
    return true;
}

bool observability_stack_profile(const observability_stack_t *self, text_t operation,
                                 profile_view_t *view)
{
    return performance_profiler_get(self->profiler, operation, view);
}

bool observability_stack_dependency(const observability_stack_t *self, text_t name,
                                    dependency_view_t *view)
{
    return dependency_health_monitor_get(self->dependencies, name, view);
}

bool observability_stack_slo(const observability_stack_t *self, text_t name, instant_t now,
                             slo_view_t *view)
{
    return slo_monitor_get(self->slos, name, now, view);
}

bool observability_stack_next_metric(const observability_stack_t *self, uint64_t *at, text_t prefix,
                                     metric_view_t *view)
{
    const series_t *series;
    while ((series = metrics_collector_next(self->collector, at)) != NULL) {
        const metric_t *metric = metrics_collector_metric_of(self->collector, series);
        if (!text_begins(metric_name(metric), prefix))
            continue;
        metrics_collector_view(self->collector, series, view);
        return true;
    }
    return false;
}

bool observability_stack_next_anomaly(const observability_stack_t *self, uint64_t *at,
                                      anomaly_view_t *view)
{
    const series_t *series;
    do
        series = metrics_collector_next(self->collector, at);
    while (series != NULL && series->watch == NULL);
    if (series != NULL)
        stack_view_anomaly(self, series, view);
    return series != NULL;
}

bool observability_stack_next_profile(const observability_stack_t *self, uint64_t *at,
                                      profile_view_t *view)
{
    return performance_profiler_next(self->profiler, at, view);
}

bool observability_stack_next_dependency(const observability_stack_t *self, uint64_t *at,
                                         dependency_view_t *view)
{
    return dependency_health_monitor_next(self->dependencies, at, view);
}

bool observability_stack_next_slo(const observability_stack_t *self, uint64_t *at, instant_t now,
                                  slo_view_t *view)
{
    return slo_monitor_next(self->slos, at, now, view);
}
