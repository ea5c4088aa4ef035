#include "clients/libtocsin/buffer.h"
#include "clients/libtocsin/clock.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <tocsin.h>
#include <zmq.h>

#define BATCH_EVENTS 100u
#define BATCH_AGE_S 0.05
#define QUEUE_BYTES (16u << 20)
#define LINGER_S 2.0

/* A batch is closed at this size however few events are in it: far below the broker's limit. */
#define BATCH_BYTES (256u << 10)

/* Batches given to ZeroMQ and not yet on the wire. They are lost when the connection breaks, so
   few; what is held here instead survives it. */
#define CONNECTION_BATCHES 32

/* As many as the broker takes. */
#define LABELS_MAX 32u

typedef enum { LANE_METRICS, LANE_REQUESTS, LANE_INCIDENTS, LANE_COUNT } lane_kind_t;

typedef struct batch {
    struct batch *next;
    zmq_msg_t message;
} batch_t;

/*  One endpoint: the batch that is being filled, and those that wait for the connection. */
typedef struct {
    char *address;
    void *socket; /* NULL until the first event */
    buffer_t open;
    uint32_t open_events;
    double opened_at;
    batch_t *first, *last;
    size_t waiting_bytes; /* of the batches that wait */
} lane_t;

struct tocsin_emitter {
    void *context;
    lane_t lanes[LANE_COUNT];
    size_t batch_events, queue_bytes;
    double batch_age, linger;
    uint64_t dropped;
};

/* -- life -- */

static bool lane_init(lane_t *self, const char *address, const char *otherwise)
{
    self->address = strdup(address == NULL ? otherwise : address);
    return self->address != NULL;
}

static void drop_first(lane_t *self)
{
    batch_t *batch = self->first;
    self->first = batch->next;
    if (self->first == NULL)
        self->last = NULL;
    zmq_msg_close(&batch->message);
    free(batch);
}

static void lane_free(lane_t *self)
{
    while (self->first != NULL)
        drop_first(self);
    buffer_free(&self->open);
    if (self->socket != NULL)
        zmq_close(self->socket);
    free(self->address);
}

static void take_options(tocsin_emitter_t *self, const tocsin_emitter_options_t *options)
{
    self->batch_events = options->batch_events > 0 ? options->batch_events : BATCH_EVENTS;
    self->batch_age = options->batch_age > 0 ? options->batch_age : BATCH_AGE_S;
    self->queue_bytes = options->queue_bytes > 0 ? options->queue_bytes : QUEUE_BYTES;
    self->linger = options->linger > 0 ? options->linger : options->linger < 0 ? 0.0 : LINGER_S;
}

tocsin_emitter_t *tocsin_emitter_new(const tocsin_emitter_options_t *options)
{
    tocsin_emitter_t *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    tocsin_emitter_options_t none = {0};
    options = options == NULL ? &none : options;
    take_options(self, options);
    self->context = zmq_ctx_new();
    if (self->context != NULL &&
        lane_init(&self->lanes[LANE_METRICS], options->metrics, TOCSIN_METRICS_ADDRESS) &&
        lane_init(&self->lanes[LANE_REQUESTS], options->requests, TOCSIN_REQUESTS_ADDRESS) &&
        lane_init(&self->lanes[LANE_INCIDENTS], options->incidents, TOCSIN_INCIDENTS_ADDRESS))
        return self;
    self->linger = 0;
    tocsin_emitter_destroy(&self);
    errno = ENOMEM;
    return NULL;
}

void tocsin_emitter_destroy(tocsin_emitter_t **self)
{
    tocsin_emitter_t *emitter = *self;
    if (emitter == NULL)
        return;
    *self = NULL;
    if (emitter->linger > 0)
        tocsin_flush(emitter, emitter->linger);
    for (size_t i = 0; i < LANE_COUNT; i++)
        lane_free(&emitter->lanes[i]);
    while (emitter->context != NULL && zmq_ctx_term(emitter->context) != 0 && errno == EINTR)
        continue;
    free(emitter);
}

/*  Only a completed connection takes messages: until there is one they are held here, where they
 * are counted and bounded, and where a broker that is not there is noticed. */
static bool lane_connect(tocsin_emitter_t *emitter, lane_t *self)
{
    if (self->socket != NULL)
        return true;
    void *socket = zmq_socket(emitter->context, ZMQ_PUSH);
    if (socket == NULL)
        return false;
    const int yes = 1, hwm = CONNECTION_BATCHES, linger_ms = (int)(emitter->linger * 1000.0);
    zmq_setsockopt(socket, ZMQ_IMMEDIATE, &yes, sizeof yes);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt(socket, ZMQ_TCP_KEEPALIVE, &yes, sizeof yes);
    if (zmq_connect(socket, self->address) != 0) {
        int reason = errno;
        zmq_close(socket);
        errno = reason;
        return false;
    }
    self->socket = socket;
    return true;
}

/* -- batches -- */

static void free_bytes(void *bytes, void *hint)
{
    (void)hint;
    free(bytes);
}

/*  Close the batch that is being filled and let it wait. Its bytes move into the message. */
static bool lane_seal(lane_t *self)
{
    if (self->open_events == 0)
        return true;
    batch_t *batch = calloc(1, sizeof *batch);
    if (batch == NULL)
        return false;
    buffer_batch_count(&self->open, self->open_events);
    if (zmq_msg_init_data(&batch->message, self->open.data, self->open.size, free_bytes, NULL) !=
        0) {
        free(batch);
        return false;
    }
    if (self->last == NULL)
        self->first = batch;
    else
        self->last->next = batch;
    self->last = batch;
    self->waiting_bytes += self->open.size;
    self->open = (buffer_t){0};
    self->open_events = 0;
    return true;
}

/*  Give ZeroMQ what it takes at once. */
static tocsin_status_t lane_send(lane_t *self)
{
    while (self->first != NULL) {
        size_t size = zmq_msg_size(&self->first->message);
        if (zmq_msg_send(&self->first->message, self->socket, ZMQ_DONTWAIT) < 0) {
            if (errno == EAGAIN)
                return TOCSIN_OK;
            return errno == EINTR ? TOCSIN_INTERRUPTED : TOCSIN_SYSTEM;
        }
        self->waiting_bytes -= size;
        drop_first(self);
    }
    return TOCSIN_OK;
}

static bool is_due(const tocsin_emitter_t *emitter, const lane_t *lane, double now)
{
    return lane->open_events >= emitter->batch_events || lane->open.size >= BATCH_BYTES ||
           now - lane->opened_at >= emitter->batch_age;
}

static tocsin_status_t lane_pump(tocsin_emitter_t *emitter, lane_t *self)
{
    if (self->open_events > 0 && is_due(emitter, self, clock_now()) && !lane_seal(self))
        return TOCSIN_NO_MEMORY;
    return lane_send(self);
}

tocsin_status_t tocsin_pump(tocsin_emitter_t *self)
{
    for (size_t i = 0; i < LANE_COUNT; i++) {
        tocsin_status_t status = lane_pump(self, &self->lanes[i]);
        if (status != TOCSIN_OK && status != TOCSIN_INTERRUPTED)
            return status;
    }
    return TOCSIN_OK;
}

/*  Make everything wait for the connection; the sockets that have something to send. */
static int unsent_sockets(tocsin_emitter_t *self, zmq_pollitem_t items[LANE_COUNT])
{
    int count = 0;
    for (size_t i = 0; i < LANE_COUNT; i++)
        if (self->lanes[i].first != NULL)
            items[count++] =
                (zmq_pollitem_t){.socket = self->lanes[i].socket, .events = ZMQ_POLLOUT};
    return count;
}

tocsin_status_t tocsin_flush(tocsin_emitter_t *self, double timeout)
{
    double until = clock_now() + timeout;
    for (size_t i = 0; i < LANE_COUNT; i++)
        if (!lane_seal(&self->lanes[i]))
            return TOCSIN_NO_MEMORY;
    for (;;) {
        tocsin_status_t status = tocsin_pump(self);
        if (status != TOCSIN_OK)
            return status;
        zmq_pollitem_t items[LANE_COUNT];
        int count = unsent_sockets(self, items);
        if (count == 0)
            return TOCSIN_OK;
        long wait_ms = clock_wait_ms(until);
        if (wait_ms == 0)
            return TOCSIN_TIMEOUT;
        if (zmq_poll(items, count, wait_ms) < 0)
            return errno == EINTR ? TOCSIN_INTERRUPTED : TOCSIN_SYSTEM;
    }
}

uint64_t tocsin_dropped(const tocsin_emitter_t *self)
{
    return self->dropped;
}

const char *tocsin_unsent_address(const tocsin_emitter_t *self)
{
    for (size_t i = 0; i < LANE_COUNT; i++)
        if (self->lanes[i].first != NULL || self->lanes[i].open_events > 0)
            return self->lanes[i].address;
    return NULL;
}

/* -- events -- */

/*  Room for one more event in the batch; where it begins in *start. */
static tocsin_status_t begin_event(tocsin_emitter_t *self, lane_t *lane, size_t *start)
{
    if (!lane_connect(self, lane))
        return TOCSIN_SYSTEM;
    tocsin_status_t status = lane_pump(self, lane);
    if (status != TOCSIN_OK && status != TOCSIN_INTERRUPTED)
        return status;
    if (lane->open_events == 0) {
        buffer_cut(&lane->open, 0);
        buffer_batch_head(&lane->open);
        lane->opened_at = clock_now();
    }
    *start = lane->open.size;
    return TOCSIN_OK;
}

/*  Keep the event that was written, if there is room for it, and send what is due. */
static tocsin_status_t end_event(tocsin_emitter_t *self, lane_t *lane, size_t start)
{
    bool full = lane->waiting_bytes + lane->open.size > self->queue_bytes;
    if (lane->open.failed || full) {
        tocsin_status_t status = lane->open.failed ? TOCSIN_NO_MEMORY : TOCSIN_DROPPED;
        buffer_cut(&lane->open, start);
        self->dropped++;
        return status;
    }
    lane->open_events++;
    tocsin_status_t status = lane_pump(self, lane);
    return status == TOCSIN_INTERRUPTED ? TOCSIN_OK : status;
}

static void put_text(buffer_t *out, size_t *pairs, const char *key, const char *text)
{
    if (text == NULL)
        return;
    buffer_text(out, key);
    buffer_text(out, text);
    *pairs += 1;
}

static void put_number(buffer_t *out, size_t *pairs, const char *key, double number)
{
    buffer_text(out, key);
    buffer_number(out, number);
    *pairs += 1;
}

static void put_labels(buffer_t *out, size_t *pairs, const tocsin_label_t *labels, size_t count)
{
    if (count == 0)
        return;
    buffer_text(out, "labels");
    buffer_labels(out, labels, count);
    *pairs += 1;
}

static bool is_empty(const char *text)
{
    return text == NULL || text[0] == '\0';
}

static bool labels_are_good(const tocsin_label_t *labels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_empty(labels[i].name) || labels[i].value == NULL)
            return false;
    return count <= LABELS_MAX;
}

static const char *kind_word(tocsin_kind_t kind)
{
    switch (kind) {
    case TOCSIN_COUNTER:
        return "counter";
    case TOCSIN_GAUGE:
        return "gauge";
    case TOCSIN_HISTOGRAM:
        return "histogram";
    }
    return NULL;
}

static bool values_are_good(const tocsin_metric_event_t *event)
{
    if (event->value_count == 0)
        return isfinite(event->value) && (event->kind != TOCSIN_COUNTER || event->value >= 0);
    for (size_t i = 0; i < event->value_count; i++)
        if (!isfinite(event->values[i]))
            return false;
    return event->kind != TOCSIN_COUNTER && event->value_count <= UINT16_MAX;
}

static void put_values(buffer_t *out, size_t *pairs, const tocsin_metric_event_t *event)
{
    if (event->value_count == 0) {
        put_number(out, pairs, "value", event->value);
        return;
    }
    buffer_text(out, "values");
    size_t opened = buffer_open_array(out);
    for (size_t i = 0; i < event->value_count; i++)
        buffer_number(out, event->values[i]);
    buffer_close(out, opened, event->value_count);
    *pairs += 1;
}

tocsin_status_t tocsin_emit_metric(tocsin_emitter_t *self, const tocsin_metric_event_t *event)
{
    if (is_empty(event->name) || kind_word(event->kind) == NULL || !values_are_good(event) ||
        !isfinite(event->time) || !labels_are_good(event->labels, event->label_count))
        return TOCSIN_INVALID;
    lane_t *lane = &self->lanes[LANE_METRICS];
    size_t start, pairs = 0;
    tocsin_status_t status = begin_event(self, lane, &start);
    if (status != TOCSIN_OK)
        return status;
    buffer_t *out = &lane->open;
    size_t opened = buffer_open_map(out);
    put_text(out, &pairs, "name", event->name);
    put_text(out, &pairs, "kind", kind_word(event->kind));
    put_values(out, &pairs, event);
    put_text(out, &pairs, "unit", event->unit);
    put_labels(out, &pairs, event->labels, event->label_count);
    if (event->time > 0)
        put_number(out, &pairs, "time", event->time);
    buffer_close(out, opened, pairs);
    return end_event(self, lane, start);
}

static void put_error(buffer_t *out, size_t *pairs)
{
    buffer_text(out, "error");
    buffer_bool(out, true);
    *pairs += 1;
}

static void put_attempt(buffer_t *out, size_t *pairs, unsigned attempt)
{
    buffer_text(out, "attempt");
    buffer_integer(out, attempt);
    *pairs += 1;
}

tocsin_status_t tocsin_emit_request(tocsin_emitter_t *self, const tocsin_request_event_t *event)
{
    if (is_empty(event->operation) || !isfinite(event->duration) || event->duration < 0 ||
        !isfinite(event->time) || !labels_are_good(event->labels, event->label_count))
        return TOCSIN_INVALID;
    lane_t *lane = &self->lanes[LANE_REQUESTS];
    size_t start, pairs = 0;
    tocsin_status_t status = begin_event(self, lane, &start);
    if (status != TOCSIN_OK)
        return status;
    buffer_t *out = &lane->open;
    size_t opened = buffer_open_map(out);
    put_text(out, &pairs, "operation", event->operation);
    put_number(out, &pairs, "duration", event->duration);
    put_text(out, &pairs, "dependency", event->dependency);
    if (event->error)
        put_error(out, &pairs);
    put_text(out, &pairs, "message", event->message);
    put_text(out, &pairs, "breaker", event->breaker);
    if (event->attempt > 0)
        put_attempt(out, &pairs, event->attempt);
    put_labels(out, &pairs, event->labels, event->label_count);
    if (event->time > 0)
        put_number(out, &pairs, "time", event->time);
    buffer_close(out, opened, pairs);
    return end_event(self, lane, start);
}

static void put_systems(buffer_t *out, size_t *pairs, const tocsin_incident_event_t *event)
{
    if (event->system_count == 0)
        return;
    buffer_text(out, "systems");
    buffer_texts(out, event->systems, event->system_count);
    *pairs += 1;
}

tocsin_status_t tocsin_emit_incident(tocsin_emitter_t *self, const tocsin_incident_event_t *event)
{
    if (is_empty(event->title) || is_empty(event->severity) ||
        !labels_are_good(event->labels, event->label_count))
        return TOCSIN_INVALID;
    lane_t *lane = &self->lanes[LANE_INCIDENTS];
    size_t start, pairs = 0;
    tocsin_status_t status = begin_event(self, lane, &start);
    if (status != TOCSIN_OK)
        return status;
    buffer_t *out = &lane->open;
    size_t opened = buffer_open_map(out);
    put_text(out, &pairs, "do", "incident.open");
    put_text(out, &pairs, "title", event->title);
    put_text(out, &pairs, "severity", event->severity);
    put_text(out, &pairs, "description", event->description);
    put_systems(out, &pairs, event);
    put_text(out, &pairs, "key", event->key);
    put_text(out, &pairs, "runbook", event->runbook);
    put_text(out, &pairs, "by", event->by);
    put_labels(out, &pairs, event->labels, event->label_count);
    buffer_close(out, opened, pairs);
    return end_event(self, lane, start);
}

/* -- the short forms -- */

/*  Names and values in turn up to NULL; answers how many labels, or LABELS_MAX + 1 if they are too
 *  many or a value is missing. */
static size_t read_labels(va_list arguments, tocsin_label_t labels[LABELS_MAX])
{
    for (size_t count = 0;; count++) {
        const char *name = va_arg(arguments, const char *);
        if (name == NULL)
            return count;
        const char *value = va_arg(arguments, const char *);
        if (value == NULL || count == LABELS_MAX)
            return LABELS_MAX + 1;
        labels[count] = (tocsin_label_t){name, value};
    }
}

tocsin_status_t tocsin_metric(tocsin_emitter_t *self, const char *name, tocsin_kind_t kind,
                              double value, ...)
{
    tocsin_label_t labels[LABELS_MAX];
    va_list arguments;
    va_start(arguments, value);
    size_t count = read_labels(arguments, labels);
    va_end(arguments);
    if (count > LABELS_MAX)
        return TOCSIN_INVALID;
    return tocsin_emit_metric(
        self,
        &(tocsin_metric_event_t){
            .name = name, .kind = kind, .value = value, .labels = labels, .label_count = count});
}

tocsin_status_t tocsin_request(tocsin_emitter_t *self, const char *operation, double duration,
                               const char *dependency, const char *error, ...)
{
    tocsin_label_t labels[LABELS_MAX];
    va_list arguments;
    va_start(arguments, error);
    size_t count = read_labels(arguments, labels);
    va_end(arguments);
    if (count > LABELS_MAX)
        return TOCSIN_INVALID;
    return tocsin_emit_request(self, &(tocsin_request_event_t){.operation = operation,
                                                               .duration = duration,
                                                               .dependency = dependency,
                                                               .error = error != NULL,
                                                               .message = error,
                                                               .labels = labels,
                                                               .label_count = count});
}

tocsin_status_t tocsin_incident(tocsin_emitter_t *self, const char *title, const char *severity,
                                ...)
{
    tocsin_label_t labels[LABELS_MAX];
    va_list arguments;
    va_start(arguments, severity);
    size_t count = read_labels(arguments, labels);
    va_end(arguments);
    if (count > LABELS_MAX)
        return TOCSIN_INVALID;
    return tocsin_emit_incident(
        self, &(tocsin_incident_event_t){
                  .title = title, .severity = severity, .labels = labels, .label_count = count});
}
