#include "clients/tocsin/cell.h"
#include "clients/tocsin/interrupt.h"
#include "clients/tocsin/output.h"
#include "clients/tocsin/paint.h"
#include "clients/tocsin/publication_line.h"
#include "clients/tocsin/runs.h"
#include "clients/tocsin/session.h"
#include "proto/must.h"
#include "proto/pack.h"

#include <stdlib.h>
#include <sysexits.h>

/* After so long without anything it is looked whether to go on. */
#define TURN_S 0.9

typedef struct {
    const call_t *call;
    output_t output;
    bool painted;
    uint64_t left; /* publications yet to show */
} tail_t;

/* -- one publication -- */

/*  The rows of publications have the same columns, whatever they are about. */
static const char *const csv_keys[] = {"seq",     "family",      "type",       "time", "source",
                                       "subject", "correlation", "experiment", "data"};

static void write_csv_row(tocsin_value_t body)
{
    for (size_t i = 0; i < sizeof csv_keys / sizeof csv_keys[0]; i++) {
        fputs(i == 0 ? "" : ",", stdout);
        output_csv_cell(tocsin_value_of(body, csv_keys[i]), stdout);
    }
    fputc('\n', stdout);
}

static void write_csv_heading(void)
{
    for (size_t i = 0; i < sizeof csv_keys / sizeof csv_keys[0]; i++)
        printf("%s%s", i == 0 ? "" : ",", csv_keys[i]);
    fputc('\n', stdout);
}

static void show(tail_t *self, const tocsin_publication_t *publication)
{
    if (publication->lost > 0)
        fprintf(stderr, "tocsin: %llu publications of family %s before this one are lost\n",
                (unsigned long long)publication->lost, publication->family);
    if (self->output == OUTPUT_TABLE)
        publication_line_write(publication, self->painted, stdout);
    else if (self->output == OUTPUT_CSV)
        write_csv_row(publication->body);
    else
        output_json(publication->body, stdout);
    fflush(stdout); /* who reads a pipe wants it now */
    self->left--;
}

/* -- until told to end -- */

static int follow(tail_t *self, tocsin_subscriber_t *subscriber, const char *address)
{
    bool reached = false;
    while (self->left > 0 && !interrupted() && !ferror(stdout)) {
        tocsin_publication_t publication;
        tocsin_status_t status = tocsin_receive(subscriber, &publication, TURN_S);
        if (status == TOCSIN_OK)
            show(self, &publication);
        else if (status == TOCSIN_TIMEOUT && !reached && !tocsin_subscriber_reached(subscriber))
            return session_unreachable(address);
        else if (status != TOCSIN_TIMEOUT && status != TOCSIN_INTERRUPTED) {
            fprintf(stderr, "tocsin: %s\n", tocsin_status_text(status));
            return EX_UNAVAILABLE;
        }
        reached = reached || tocsin_subscriber_reached(subscriber);
    }
    return interrupted() ? interrupt_status() : 0;
}

static int tail_from(const session_t *session, const char *const *families, size_t family_count)
{
    const call_t *call = session->call;
    tail_t self = {.call = call,
                   .output = output_of(call),
                   .painted = paint_allowed(stdout),
                   .left = call_count(call, OPT_COUNT, UINT64_MAX)};
    tocsin_subscriber_t *subscriber = tocsin_subscriber_new(
        &(tocsin_subscriber_options_t){.events = session->addresses[AT_EVENTS],
                                       .control = session->addresses[AT_CONTROL],
                                       .families = families,
                                       .family_count = family_count,
                                       .topic = call_text(call, OPT_TOPIC),
                                       .replay = call_has(call, OPT_SEQ),
                                       .since = call_count(call, OPT_SEQ, 0)});
    if (subscriber == NULL)
        return session_unusable(session->addresses[AT_EVENTS]);
    if (self.output == OUTPUT_CSV)
        write_csv_heading();
    int status = follow(&self, subscriber, session->addresses[AT_CONTROL]);
    tocsin_subscriber_destroy(&subscriber);
    return status;
}

int events_tail_run(const call_t *call)
{
    session_t session;
    const char **families = memory_new(call->given_count + 1, sizeof *families), *family;
    size_t count = 0;
    for (size_t at = 0; (family = call_next(call, OPT_FAMILY, &at)) != NULL;)
        families[count++] = family;
    int status = session_open(&session, call);
    if (status == 0)
        status = session_locate(&session, 1u << AT_EVENTS | 1u << AT_CONTROL);
    if (status == 0)
        status = tail_from(&session, families, count);
    session_close(&session);
    free(families);
    return status;
}
