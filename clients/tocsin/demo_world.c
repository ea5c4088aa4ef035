#include "clients/tocsin/demo_world.h"

#include <math.h>
#include <string.h>

#define DAY_S 86400.0
#define BEGIN_S (8 * 3600.0)
#define NOON_RATE 220.0 /* requests a second on the busiest hour */
#define BUSIEST_S (14 * 3600.0)
#define SLOW_FACTOR 25.0
#define ERROR_RATIO 0.8
/* How fast what was of late is forgotten, seconds. */
#define FADE_S 0.6

/* When each phase ends within a cycle, seconds. */
static const double phase_ends[DEMO_PHASE_COUNT] = {
    [DEMO_CALM] = 4, [DEMO_SLOW] = 6.5, [DEMO_FAILING] = 10, [DEMO_RECOVERED] = DEMO_CYCLE_S};

static const char *const service_names[DEMO_SERVICES] = {"storefront", "catalog", "orders",
                                                         "payments"};

/* What is asked, of whom, how long it takes, and its share of the traffic. */
static const struct {
    size_t service;
    const char *operation, *dependency;
    double duration_s, share;
} routes[] = {
    {0, "demo GET /", "demo-redis", 0.004, 0.30},
    {1, "demo GET /products", DEMO_DATABASE, 0.012, 0.32},
    {2, "demo POST /orders", DEMO_DATABASE, 0.018, 0.28},
    {3, "demo POST /payments", "demo-bank", 0.120, 0.10},
};

void demo_world_init(demo_world_t *self)
{
    *self = (demo_world_t){.random = UINT64_C(0x9e3779b97f4a7c15)};
}

/*  0 to 1; xorshift64* (Vigna 2016). */
static double chance(demo_world_t *self)
{
    self->random ^= self->random >> 12;
    self->random ^= self->random << 25;
    self->random ^= self->random >> 27;
    return (double)((self->random * UINT64_C(2685821657736338717)) >> 11) * 0x1p-53;
}

/*  Around 1, and never far: what is calm must not look strange. */
static double about_one(demo_world_t *self, double spread)
{
    return 1 + spread * (chance(self) + chance(self) - 1);
}

demo_phase_t demo_phase(double at_s)
{
    double in_cycle = fmod(at_s, DEMO_CYCLE_S);
    demo_phase_t phase = DEMO_CALM;
    while (in_cycle >= phase_ends[phase])
        phase++;
    return phase;
}

double demo_clock_s(double at_s)
{
    return fmod(BEGIN_S + at_s * DEMO_SPEED, DAY_S);
}

double demo_rate(double clock_s)
{
    double turn = 2 * 3.14159265358979 * (clock_s - BUSIEST_S) / DAY_S;
    return NOON_RATE * (0.65 + 0.35 * cos(turn));
}

/* -- one request -- */

static size_t pick_route(demo_world_t *self)
{
    double pick = chance(self);
    size_t route = 0;
    while (route + 1 < sizeof routes / sizeof routes[0] && pick >= routes[route].share)
        pick -= routes[route++].share;
    return route;
}

static void make_request(demo_world_t *self, demo_phase_t phase, const demo_listener_t *to)
{
    size_t route = pick_route(self);
    bool database = strcmp(routes[route].dependency, DEMO_DATABASE) == 0;
    demo_request_t request = {.service = service_names[routes[route].service],
                              .operation = routes[route].operation,
                              .dependency = routes[route].dependency,
                              .duration_s = routes[route].duration_s * about_one(self, 0.4)};
    if (database && (phase == DEMO_SLOW || phase == DEMO_FAILING))
        request.duration_s *= SLOW_FACTOR;
    if (database && phase == DEMO_FAILING && chance(self) < ERROR_RATIO)
        request.error = "connection refused: too many clients already";
    demo_service_t *service = &self->services[routes[route].service];
    service->requests++;
    service->errors += request.error != NULL;
    if (database)
        self->query_s += 0.1 * (request.duration_s - self->query_s);
    to->request(to->context, &request);
}

/* -- what the services measure -- */

static void measure(demo_world_t *self, double at_s, const demo_listener_t *to)
{
    double load = demo_rate(demo_clock_s(at_s)) / NOON_RATE;
    for (size_t i = 0; i < DEMO_SERVICES; i++) {
        demo_service_t *service = &self->services[i];
        double ratio = service->requests > 0 ? service->errors / service->requests : 0;
        to->gauge(to->context,
                  &(demo_gauge_t){"demo_error_ratio", "ratio", "service", service_names[i], ratio});
        to->gauge(to->context,
                  &(demo_gauge_t){"demo_cpu_ratio", "ratio", "service", service_names[i],
                                  0.6 * load * about_one(self, 0.1)});
    }
    to->gauge(to->context, &(demo_gauge_t){"demo_query_seconds", "seconds", "database",
                                           DEMO_DATABASE, self->query_s * about_one(self, 0.1)});
}

static void fade(demo_world_t *self, double step_s)
{
    double keep = exp(-step_s / FADE_S);
    for (size_t i = 0; i < DEMO_SERVICES; i++) {
        self->services[i].requests *= keep;
        self->services[i].errors *= keep;
    }
}

void demo_world_step(demo_world_t *self, double at_s, double step_s, const demo_listener_t *to)
{
    fade(self, step_s);
    self->owed += demo_rate(demo_clock_s(at_s)) * step_s;
    self->owed = fmin(self->owed, DEMO_REQUESTS_MAX);
    for (; self->owed >= 1; self->owed--)
        make_request(self, demo_phase(at_s), to);
    measure(self, at_s, to);
}
