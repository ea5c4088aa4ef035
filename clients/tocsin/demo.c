#include "clients/libtocsin/clock.h"
#include "clients/tocsin/demo_stage.h"
#include "clients/tocsin/demo_story.h"
#include "clients/tocsin/demo_world.h"
#include "clients/tocsin/interrupt.h"
#include "clients/tocsin/paint.h"
#include "clients/tocsin/publication_line.h"
#include "clients/tocsin/runs.h"

#include <stdlib.h>
#include <sysexits.h>

#define STEP_S 0.2
/* When everything was seen the play goes on for a moment, so that its end is seen as well; when
   something was not, it ends all the same. */
#define CURTAIN_S 19.0

static const char *const telling[DEMO_PHASE_COUNT] = {
    [DEMO_CALM] = ("All is calm: four services do their work with demo-postgresql, demo-redis, "
                   "demo-bank."),
    [DEMO_SLOW] = "The database demo-postgresql slows down: a query takes 25 times as long.",
    [DEMO_FAILING] = "It fails: four of five queries are refused.",
    [DEMO_RECOVERED] = "It is well again.",
};

typedef struct {
    session_t *session;
    tocsin_emitter_t *emitter;
    tocsin_subscriber_t *subscriber;
    demo_world_t world;
    demo_story_t story;
    double began;
    bool painted;
} demo_t;

/* -- the play goes to the broker -- */

static void push_request(void *context, const demo_request_t *request)
{
    demo_t *self = context;
    tocsin_request(self->emitter, request->operation, request->duration_s, request->dependency,
                   request->error, "service", request->service, NULL);
}

static void push_gauge(void *context, const demo_gauge_t *gauge)
{
    demo_t *self = context;
    tocsin_label_t label = {gauge->label, gauge->value_of_label};
    tocsin_emit_metric(self->emitter, &(tocsin_metric_event_t){.name = gauge->name,
                                                               .kind = TOCSIN_GAUGE,
                                                               .value = gauge->value,
                                                               .unit = gauge->unit,
                                                               .labels = &label,
                                                               .label_count = 1});
}

/* -- and what it finds comes back -- */

/*  Each cycle is a story of its own. */
static void enter_phase(demo_t *self, double at_s)
{
    if (demo_phase(at_s) == DEMO_CALM)
        self->story = (demo_story_t){.seen = 0};
    int minutes = (int)(demo_clock_s(at_s) / 60);
    printf("%5.1f s   %s  (It is %02d:%02d there.)\n", at_s, telling[demo_phase(at_s)],
           minutes / 60, minutes % 60);
    fflush(stdout);
}

static void tell_publication(const demo_t *self, const tocsin_publication_t *publication)
{
    text_t type = text_of(publication->type);
    printf("%5.1f s     %s%-18s%s  %s", clock_now() - self->began,
           self->painted ? paint_begin(type) : "", publication->type,
           self->painted ? paint_end(type) : "", publication->subject);
    publication_line_write_what(publication, stdout);
    fputc('\n', stdout);
    fflush(stdout);
}

/*  Listen until it is time for the next step. */
static tocsin_status_t listen_until(demo_t *self, double until)
{
    while (!interrupted()) {
        double left = until - clock_now();
        tocsin_publication_t publication;
        if (left <= 0)
            return TOCSIN_OK;
        tocsin_status_t status = tocsin_receive(self->subscriber, &publication, left);
        if (status == TOCSIN_OK && demo_story_take(&self->story, &publication))
            tell_publication(self, &publication);
        else if (status != TOCSIN_OK && status != TOCSIN_TIMEOUT && status != TOCSIN_INTERRUPTED)
            return status;
    }
    return TOCSIN_OK;
}

/*  The play begins when it is heard: its first events are worth telling too. */
static tocsin_status_t begin_to_listen(demo_t *self)
{
    double until = clock_now() + REACH_S;
    while (!tocsin_subscriber_reached(self->subscriber) && clock_now() < until) {
        tocsin_status_t status = listen_until(self, clock_now() + STEP_S);
        if (status != TOCSIN_OK || interrupted())
            return status;
    }
    return TOCSIN_OK;
}

/* -- from the beginning to the end -- */

static bool is_over(const demo_t *self, double at_s, uint64_t times)
{
    if (times == 0)
        return false;
    double in_last_cycle = at_s - (double)(times - 1) * DEMO_CYCLE_S;
    return in_last_cycle >= CURTAIN_S || (demo_story_is_complete(&self->story) &&
                                          demo_phase(at_s) == DEMO_RECOVERED && in_last_cycle > 0);
}

static int play(demo_t *self, uint64_t times)
{
    const demo_listener_t to = {push_request, push_gauge, self};
    int phase = -1;
    tocsin_status_t status = begin_to_listen(self);
    self->began = clock_now();
    for (uint64_t step = 0; !interrupted() && status == TOCSIN_OK; step++) {
        double at_s = (double)step * STEP_S;
        if (is_over(self, at_s, times))
            break;
        if ((int)demo_phase(at_s) != phase)
            enter_phase(self, at_s);
        phase = (int)demo_phase(at_s);
        demo_world_step(&self->world, at_s, STEP_S, &to);
        tocsin_flush(self->emitter, STEP_S / 2);
        status = listen_until(self, self->began + at_s + STEP_S);
    }
    if (status == TOCSIN_OK)
        return interrupted() ? interrupt_status() : 0;
    fprintf(stderr, "tocsin: %s\n", tocsin_status_text(status));
    return EX_UNAVAILABLE;
}

static int connect_both(demo_t *self)
{
    const session_t *session = self->session;
    self->emitter =
        tocsin_emitter_new(&(tocsin_emitter_options_t){.metrics = session->addresses[AT_METRICS],
                                                       .requests = session->addresses[AT_REQUESTS],
                                                       .linger = STEP_S});
    self->subscriber = tocsin_subscriber_new(&(tocsin_subscriber_options_t){
        .events = session->addresses[AT_EVENTS], .control = session->addresses[AT_CONTROL]});
    if (self->emitter != NULL && self->subscriber != NULL)
        return 0;
    return session_unusable(self->emitter == NULL ? session->addresses[AT_METRICS]
                                                  : session->addresses[AT_EVENTS]);
}

static int conclude(const demo_t *self, int status)
{
    if (status != 0)
        return status;
    fputc('\n', stdout);
    demo_story_tell(&self->story, stdout);
    if (self->story.incident[0] != '\0')
        printf("Look back with: tocsin incident get %s, tocsin alert history, tocsin events tail "
               "--since 0\n",
               self->story.incident);
    return demo_story_is_complete(&self->story) ? 0 : EXIT_FAILURE;
}

static int demo(session_t *session)
{
    demo_t self = {.session = session, .painted = paint_allowed(stdout)};
    demo_world_init(&self.world);
    int status = connect_both(&self);
    if (status == 0)
        status = demo_stage_set(session);
    bool set = status == 0;
    if (set)
        status = conclude(&self, play(&self, call_count(session->call, OPT_TIMES, 1)));
    if (set || status == EXIT_REFUSED || status == EXIT_INTERRUPTED) {
        int cleared = demo_stage_clear(session);
        status = status != 0 ? status : cleared;
    }
    tocsin_subscriber_destroy(&self.subscriber);
    tocsin_emitter_destroy(&self.emitter);
    return status;
}

int demo_run(const call_t *call)
{
    session_t session;
    int status = session_open(&session, call);
    if (status == 0)
        status = session_locate(&session, 1u << AT_METRICS | 1u << AT_REQUESTS | 1u << AT_EVENTS |
                                              1u << AT_CONTROL);
    if (status == 0)
        status = demo(&session);
    session_close(&session);
    return status;
}
