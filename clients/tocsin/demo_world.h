/*  demo_world - a small system of services, played: four services that call three dependencies, in
 * a day that passes sixty times as fast as ours, with a database that slows down, fails and
 * recovers.
 *
 *  Owns     nothing beyond itself; the same calls give the same events
 *  Bounds   DEMO_REQUESTS_MAX requests a step
 *  Time     handed in: seconds since the play began
 *
 *  Everything is named demo, so that it is never taken for the real thing.
 */
#ifndef CLIENTS_TOCSIN_DEMO_WORLD_H
#define CLIENTS_TOCSIN_DEMO_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEMO_SPEED 60.0 /* a minute of the play is a second of ours */
#define DEMO_REQUESTS_MAX 512u
#define DEMO_DATABASE "demo-postgresql"

typedef enum {
    DEMO_CALM,      /* everything is as it should be */
    DEMO_SLOW,      /* the database takes long */
    DEMO_FAILING,   /* it refuses most of what it is asked */
    DEMO_RECOVERED, /* it is well again */
    DEMO_PHASE_COUNT
} demo_phase_t;

typedef struct {
    const char *service, *operation, *dependency;
    double duration_s;
    const char *error; /* NULL: it went well */
} demo_request_t;

typedef struct {
    const char *name, *unit;
    const char *label, *value_of_label;
    double value;
} demo_gauge_t;

/*  Who is told what happens. */
typedef struct {
    void (*request)(void *context, const demo_request_t *request);
    void (*gauge)(void *context, const demo_gauge_t *gauge);
    void *context;
} demo_listener_t;

#define DEMO_SERVICES 4u

/*  What became of the requests of one service of late: sums that fade. */
typedef struct {
    double requests, errors;
} demo_service_t;

typedef struct {
    uint64_t random;
    double owed; /* requests that the rate has earned and that were not made yet */
    demo_service_t services[DEMO_SERVICES];
    double query_s; /* how long the database took, of late */
} demo_world_t;

void demo_world_init(demo_world_t *self);

/*  Play `step_s` seconds that end `at_s` after the play began. */
void demo_world_step(demo_world_t *self, double at_s, double step_s, const demo_listener_t *to);

/*  In a cycle of DEMO_CYCLE_S the trouble comes once. */
#define DEMO_CYCLE_S 24.0
demo_phase_t demo_phase(double at_s);

/*  The clock of the play, seconds since its midnight. It begins at eight in the morning. */
double demo_clock_s(double at_s);

/*  Requests a second at that time of day. */
double demo_rate(double clock_s);

#endif
