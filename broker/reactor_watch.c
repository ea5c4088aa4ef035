#include "broker/clock.h"
#include "broker/connections.h"
#include "broker/log.h"
#include "broker/reactor_inside.h"

#include <malloc.h>
#include <sys/resource.h>

/* Looks at memory in a second. */
#define LOOKS_A_SECOND 10u

/* What a connection held is freed by another thread, which may take a while: as long as memory
 * sinks by so much in a second, no other endpoint is closed. */
#define FREEING (UINT64_C(4) << 20)

/* From this part of the limit on, what each endpoint holds is kept in mind. */
#define WORRY_RATIO 0.50

/* From this part of the descriptors on it is said that they run out. */
#define DESCRIPTORS_RATIO 0.90

/* The least important first. */
static const endpoint_t order[REPORT_ENDPOINTS] = {
    ENDPOINT_METRICS, ENDPOINT_REQUESTS, ENDPOINT_EVENTS, ENDPOINT_INCIDENTS, ENDPOINT_CONTROL};

static zsock_t *socket_of(reactor_t *self, endpoint_t endpoint)
{
    if (endpoint < (endpoint_t)LANE_COUNT)
        return self->lanes[endpoint].socket;
    return endpoint == ENDPOINT_EVENTS ? self->events : self->control;
}

static uint64_t taken_from(const reactor_t *self, endpoint_t endpoint)
{
    if (endpoint < (endpoint_t)LANE_COUNT)
        return self->lanes[endpoint].taken;
    return endpoint == ENDPOINT_EVENTS ? self->subscriptions.taken : self->control_taken;
}

void reactor_rebind(reactor_t *self, endpoint_t endpoint)
{
    self->facts.rebound[endpoint]++;
    self->lost[endpoint] =
        !endpoint_rebind(socket_of(self, endpoint), self->facts.endpoints[endpoint]);
    if (endpoint == ENDPOINT_EVENTS)
        subscriptions_forget(&self->subscriptions);
}

void reactor_find_lost(reactor_t *self)
{
    for (endpoint_t endpoint = 0; endpoint < (endpoint_t)REPORT_ENDPOINTS; endpoint++)
        if (self->lost[endpoint])
            reactor_rebind(self, endpoint);
}

/* -- descriptors -- */

static void survey(reactor_t *self, connections_t connections[REPORT_ENDPOINTS])
{
    uint16_t ports[REPORT_ENDPOINTS];
    for (size_t i = 0; i < REPORT_ENDPOINTS; i++)
        ports[i] = connections_port(self->facts.endpoints[i]);
    self->facts.descriptors = connections_survey(ports, connections, REPORT_ENDPOINTS);
    for (size_t i = 0; i < REPORT_ENDPOINTS; i++)
        self->facts.connections[i] = connections[i].open;
}

void reactor_measure(reactor_t *self)
{
    connections_t connections[REPORT_ENDPOINTS];
    struct rlimit limit;
    survey(self, connections);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        self->facts.limit_descriptors = limit.rlim_cur;
    if (self->facts.descriptors == 0)
        self->facts.descriptors = self->facts.limit_descriptors;
    bool scarce =
        (double)self->facts.descriptors > (double)self->facts.limit_descriptors * DESCRIPTORS_RATIO;
    if (scarce && !self->descriptors_scarce)
        log_warning("descriptors run out: new connections are not taken", "open=%llu limit=%llu",
                    (unsigned long long)self->facts.descriptors,
                    (unsigned long long)self->facts.limit_descriptors);
    self->descriptors_scarce = scarce;
    memory_watch_look(&self->memory);
    self->facts.memory = self->memory.resident;
    self->facts.pressure = (int)self->memory.pressure;
    for (lane_kind_t kind = 0; kind < LANE_COUNT; kind++)
        self->facts.shed[kind] = self->lanes[kind].shed;
}

/* -- memory -- */

static void weigh(reactor_t *self, int64_t held[REPORT_ENDPOINTS])
{
    connections_t connections[REPORT_ENDPOINTS];
    survey(self, connections);
    for (size_t i = 0; i < REPORT_ENDPOINTS; i++)
        held[i] = (int64_t)connections[order[i]].received - (int64_t)taken_from(self, order[i]);
}

static void close_one(reactor_t *self)
{
    int64_t held[REPORT_ENDPOINTS];
    weigh(self, held);
    size_t chosen = memory_watch_choose(&self->memory, held, REPORT_ENDPOINTS);
    if (chosen == REPORT_ENDPOINTS)
        return;
    log_warning("memory runs out: all connections of an endpoint are closed",
                "endpoint=%s resident=%llu limit=%llu", endpoint_names[order[chosen]],
                (unsigned long long)self->memory.resident, (unsigned long long)self->memory.limit);
    reactor_rebind(self, order[chosen]);
}

static void say_pressure(const memory_watch_t *memory, pressure_t before)
{
    if (before == PRESSURE_NONE && memory->pressure != PRESSURE_NONE)
        log_warning("memory runs short: metric events are shed", "resident=%llu limit=%llu",
                    (unsigned long long)memory->resident, (unsigned long long)memory->limit);
    else if (before != PRESSURE_NONE && memory->pressure == PRESSURE_NONE)
        log_info("memory is at ease again", "resident=%llu", (unsigned long long)memory->resident);
}

int reactor_watch(zloop_t *loop, int timer, void *context)
{
    (void)loop;
    (void)timer;
    reactor_t *self = context;
    pulse_beat(self->pulse);
    pressure_t before = self->memory.pressure;
    memory_watch_look(&self->memory);
    say_pressure(&self->memory, before);
    self->lanes[LANE_METRICS].sheds = self->memory.pressure != PRESSURE_NONE;
    bool whole_second = ++self->looks % LOOKS_A_SECOND == 0;
    bool still_freeing = self->memory.resident + FREEING < self->resident_a_second_ago;
    if (self->memory.pressure == PRESSURE_HARD &&
        (before != PRESSURE_HARD || (whole_second && !still_freeing)))
        close_one(self);
    if (!whole_second)
        return 0;
    self->resident_a_second_ago = self->memory.resident;
    if (self->memory.pressure != PRESSURE_NONE) {
        malloc_trim(0);
    } else if ((double)self->memory.resident > (double)self->memory.limit * WORRY_RATIO) {
        int64_t held[REPORT_ENDPOINTS];
        weigh(self, held);
        memory_watch_settle(&self->memory, held, REPORT_ENDPOINTS);
    }
    return 0;
}
