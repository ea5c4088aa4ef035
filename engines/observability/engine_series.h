/*  engine_series - what the engines know, as series that conditions read like any other.
 *
 *    tocsin_profile_duration_seconds{operation}    the profile's own histogram
 *    tocsin_profile_errors_total{operation}
 *    tocsin_profile_retries_total{operation}
 *    tocsin_dependency_error_ratio{dependency}
 *    tocsin_dependency_state{dependency,state}     1 for the state it is in, 0 for the others
 *    tocsin_dependency_retries_total{dependency}
 *    tocsin_slo_compliance_ratio{slo}
 *    tocsin_slo_error_budget_ratio{slo}
 *    tocsin_slo_burn_rate{slo,window}
 *    tocsin_anomaly_score{name,...}                 of each watched series, with its labels; a
 * label of its own that is called name is exported_name
 *
 *  A number that is absent is a series that is not there. A round tells what has changed since the
 *  one before, TELL_STEP things at a time, so that no event waits for it.
 *
 *  Owns     where a round stands
 *  Bounds   the room for the broker's own series
 *  Time     handed in as `now`
 *  Thread   one
 */
#ifndef ENGINES_ENGINE_SERIES_H
#define ENGINES_ENGINE_SERIES_H

#include "engines/observability/metrics_collector.h"
#include "proto/instant.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct observability_stack observability_stack_t;

/* Things that one call tells: some thousand series, less than a millisecond. */
#define TELL_STEP 256u

typedef struct {
    unsigned left; /* kinds of things that are still to be told, the one in turn included */
    uint64_t at;   /* in the list of the one in turn */
} engine_series_t;

/*  Begin a round, unless one is under way. */
void engine_series_begin(engine_series_t *self);
/*  Is the round at its end? */
bool engine_series_told(const engine_series_t *self);
/*  Go on with it. */
void engine_series_tell(observability_stack_t *stack, instant_t now);

/*  The SLO is no more. */
void engine_series_forget_slo(observability_stack_t *stack, text_t slo, instant_t now);
/*  The series has no score any more. */
void engine_series_drop_score(observability_stack_t *stack, series_t *series, instant_t now);

#endif
