#include "clients/tocsin/interrupt.h"
#include "clients/tocsin/runs.h"
#include "clients/tocsin/session.h"
#include "clients/tocsin/values.h"
#include "proto/decode.h"
#include "proto/must.h"
#include "proto/pack.h"
#include "proto/schema.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* For what is in the buffers of the connection when the program ends. */
#define LINGER_S 0.25

/*  The labels of a command line, terminated as the library wants them. */
typedef struct {
    tocsin_label_t *labels;
    size_t count;
} label_list_t;

static label_list_t labels_of(const call_t *call)
{
    label_list_t self = {.labels = memory_new(call->given_count + 1, sizeof *self.labels)};
    const char *pair;
    for (size_t at = 0; (pair = call_next(call, OPT_LABEL, &at)) != NULL;) {
        size_t size = strcspn(pair, "=");
        char *name = memory_copy(pair, size + 1);
        name[size] = '\0';
        self.labels[self.count++] = (tocsin_label_t){name, pair + size + 1};
    }
    return self;
}

static void free_labels(label_list_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        free((char *)(uintptr_t)self->labels[i].name);
    free(self->labels);
}

/* -- is it what the broker takes? Events are not answered, so it is looked at here -- */

static void pack_labels_of(msgpack_sbuffer *out, const label_list_t *list)
{
    pack_string(out, "labels");
    pack_map(out, list->count);
    for (size_t i = 0; i < list->count; i++) {
        pack_string(out, list->labels[i].name);
        pack_string(out, list->labels[i].value);
    }
}

static int refuse(const tally_t *tally)
{
    for (status_t reason = STATUS_OK; reason < STATUS_COUNT; reason++)
        if (tally->refused[reason] > 0)
            fprintf(stderr, "tocsin: the broker would refuse this event: %s (%s)\n",
                    status_text(reason), status_reason(reason));
    return EX_DATAERR;
}

static int check_metric(const tocsin_metric_event_t *event, const label_list_t *labels)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    msgpack_sbuffer frame;
    metric_batch_t batch;
    tally_t tally = {0};
    msgpack_sbuffer_init(&frame);
    pack_map(&frame, 5);
    pack_string(&frame, "name");
    pack_string(&frame, event->name);
    pack_string(&frame, "kind");
    pack_string(&frame, kinds[event->kind]);
    pack_string(&frame, "value");
    pack_number(&frame, event->value);
    pack_string(&frame, "unit");
    pack_text(&frame, text_of(event->unit));
    pack_labels_of(&frame, labels);
    metric_batch_init(&batch, &LIMITS_DEFAULT);
    decode_metrics(&LIMITS_DEFAULT, frame.data, frame.size, &batch, &tally);
    int status = batch.count == 1 ? 0 : refuse(&tally);
    metric_batch_free(&batch);
    msgpack_sbuffer_destroy(&frame);
    return status;
}

static int check_request(const tocsin_request_event_t *event, const label_list_t *labels)
{
    msgpack_sbuffer frame;
    request_batch_t batch;
    tally_t tally = {0};
    msgpack_sbuffer_init(&frame);
    pack_map(&frame, 5);
    pack_string(&frame, "operation");
    pack_string(&frame, event->operation);
    pack_string(&frame, "duration");
    pack_number(&frame, event->duration);
    pack_string(&frame, "dependency");
    pack_text(&frame, text_of(event->dependency));
    pack_string(&frame, "message");
    pack_text(&frame, text_of(event->message));
    pack_labels_of(&frame, labels);
    request_batch_init(&batch, &LIMITS_DEFAULT);
    decode_requests(&LIMITS_DEFAULT, frame.data, frame.size, &batch, &tally);
    int status = batch.count == 1 ? 0 : refuse(&tally);
    request_batch_free(&batch);
    msgpack_sbuffer_destroy(&frame);
    return status;
}

/* -- on its way -- */

/*  What sends one event with an emitter. */
typedef tocsin_status_t emit_t(tocsin_emitter_t *emitter, const void *event);

static tocsin_status_t emit_metric(tocsin_emitter_t *emitter, const void *event)
{
    return tocsin_emit_metric(emitter, event);
}

static tocsin_status_t emit_request(tocsin_emitter_t *emitter, const void *event)
{
    return tocsin_emit_request(emitter, event);
}

static int push(tocsin_emitter_t *emitter, emit_t *emit, const void *event, const char *address)
{
    tocsin_status_t status = emit(emitter, event);
    if (status == TOCSIN_OK)
        status = tocsin_flush(emitter, REACH_S - LINGER_S);
    if (status == TOCSIN_OK)
        return 0;
    if (interrupted())
        return EXIT_INTERRUPTED;
    if (status == TOCSIN_TIMEOUT)
        return session_unreachable(address);
    fprintf(stderr, "tocsin: %s\n", tocsin_status_text(status));
    return status == TOCSIN_INVALID ? EX_DATAERR : EX_UNAVAILABLE;
}

static int send_event(const call_t *call, at_t at, emit_t *emit, const void *event)
{
    session_t session;
    int status = session_open(&session, call);
    if (status == 0)
        status = session_locate(&session, 1u << at);
    if (status == 0) {
        tocsin_emitter_options_t choice = {.metrics = session.addresses[AT_METRICS],
                                           .requests = session.addresses[AT_REQUESTS],
                                           .incidents = session.addresses[AT_INCIDENTS],
                                           .linger = LINGER_S};
        tocsin_emitter_t *emitter = tocsin_emitter_new(&choice);
        if (emitter != NULL) {
            status = push(emitter, emit, event, session.addresses[at]);
        } else {
            status = session_unusable(session.addresses[at]);
        }
        tocsin_emitter_destroy(&emitter);
    }
    session_close(&session);
    return status;
}

static tocsin_kind_t kind_of(const char *word)
{
    tocsin_kind_t kind = TOCSIN_COUNTER;
    while (strcmp(metric_kind_words[kind], word) != 0)
        kind++;
    return kind;
}

int send_metric_run(const call_t *call)
{
    label_list_t labels = labels_of(call);
    tocsin_metric_event_t event = {.name = call->operands[0],
                                   .kind = kind_of(call_text(call, OPT_KIND)),
                                   .unit = call_text(call, OPT_UNIT),
                                   .labels = labels.labels,
                                   .label_count = labels.count};
    must(value_of_number(call->operands[1], &event.value));
    int status = check_metric(&event, &labels);
    if (status == 0)
        status = send_event(call, AT_METRICS, emit_metric, &event);
    free_labels(&labels);
    return status;
}

int send_request_run(const call_t *call)
{
    label_list_t labels = labels_of(call);
    tocsin_request_event_t event = {.operation = call->operands[0],
                                    .dependency = call_text(call, OPT_DEPENDENCY),
                                    .error = call_has(call, OPT_ERROR),
                                    .message = call_text(call, OPT_MESSAGE),
                                    .labels = labels.labels,
                                    .label_count = labels.count};
    must(value_of_duration(call->operands[1], &event.duration));
    int status = check_request(&event, &labels);
    if (status == 0)
        status = send_event(call, AT_REQUESTS, emit_request, &event);
    free_labels(&labels);
    return status;
}
