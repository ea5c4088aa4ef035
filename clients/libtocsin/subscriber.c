#include "clients/libtocsin/subscriber.h"

#include "clients/libtocsin/clock.h"
#include "clients/libtocsin/commander.h"
#include "clients/libtocsin/keys.h"
#include "proto/cursor.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Publications that may wait in the socket; what does not fit is asked for. */
#define RECEIVE_HWM 10000

static const char *const family_words[FAMILY_COUNT] = {"anomaly", "slo",      "dependency",
                                                       "alert",   "incident", "heartbeat"};

const char *family_word(family_t family)
{
    return family_words[family];
}

family_t family_named(const char *name, size_t size)
{
    for (family_t family = 0; family < FAMILY_COUNT; family++)
        if (strlen(family_words[family]) == size && memcmp(family_words[family], name, size) == 0)
            return family;
    return FAMILY_COUNT;
}

/* -- life -- */

static bool choose_families(tocsin_subscriber_t *self, const tocsin_subscriber_options_t *options)
{
    for (family_t family = 0; family < FAMILY_COUNT; family++)
        self->places[family].wanted = options->family_count == 0 && family != FAMILY_HEARTBEAT;
    for (size_t i = 0; i < options->family_count; i++) {
        family_t family = family_named(options->families[i], strlen(options->families[i]));
        if (family == FAMILY_COUNT)
            return false;
        self->places[family].wanted = true;
    }
    return true;
}

static bool take_positions(tocsin_subscriber_t *self, const tocsin_subscriber_options_t *options)
{
    for (size_t i = 0; i < options->position_count; i++) {
        const tocsin_position_t *position = &options->positions[i];
        family_t family = family_named(position->family, strlen(position->family));
        if (family >= FAMILY_HEARTBEAT)
            return false;
        place_begin(&self->places[family], position->seq);
        self->places[family].fixed = true;
    }
    return true;
}

/*  Whole families, even where the caller wants a part: numbers count within the family, so only who
 *  hears all of it can tell that something is missing. */
static void subscribe(tocsin_subscriber_t *self)
{
    for (family_t family = 0; family < FAMILY_COUNT; family++) {
        char topic[32];
        snprintf(topic, sizeof topic, "%s%s", family_words[family],
                 family == FAMILY_HEARTBEAT ? "" : ".");
        if (self->places[family].wanted || family == FAMILY_HEARTBEAT)
            zmq_setsockopt(self->socket, ZMQ_SUBSCRIBE, topic, strlen(topic));
    }
}

static bool connect_events(tocsin_subscriber_t *self, const char *address,
                           const tocsin_keys_t *given)
{
    keys_t keys;
    if (!keys_find(&keys, given))
        return false;
    self->socket = zmq_socket(self->context, ZMQ_SUB);
    if (self->socket == NULL)
        return false;
    /* no ZMQ_HEARTBEAT_*: they abort a connecting reader (libzmq issue 3937) */
    const int yes = 1, hwm = RECEIVE_HWM, linger_ms = 0;
    zmq_setsockopt(self->socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
    zmq_setsockopt(self->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt(self->socket, ZMQ_TCP_KEEPALIVE, &yes, sizeof yes);
    subscribe(self);
    bool applied = keys_apply(&keys, self->socket);
    keys_forget(&keys);
    return applied && zmq_connect(self->socket, address) == 0;
}

static bool set_up(tocsin_subscriber_t *self, const tocsin_subscriber_options_t *options)
{
    zmq_msg_init(&self->message);
    self->readable = -1;
    self->replay = options->replay;
    self->since = options->since;
    if (!choose_families(self, options) || !take_positions(self, options)) {
        errno = EINVAL;
        return false;
    }
    self->topic = strdup(options->topic == NULL ? "" : options->topic);
    self->context = zmq_ctx_new();
    if (self->topic == NULL || self->context == NULL)
        return false;
    if (!connect_events(self, options->events == NULL ? TOCSIN_EVENTS_ADDRESS : options->events,
                        options->keys))
        return false;
    self->started = options->control != NULL && options->control[0] == '\0';
    if (!self->started)
        self->commander = tocsin_commander_new_keyed(options->control, 0, options->keys);
    return self->started || self->commander != NULL;
}

tocsin_subscriber_t *tocsin_subscriber_new(const tocsin_subscriber_options_t *options)
{
    tocsin_subscriber_t *self = calloc(1, sizeof *self);
    tocsin_subscriber_options_t none = {0};
    if (self == NULL || set_up(self, options == NULL ? &none : options))
        return self;
    int reason = errno;
    tocsin_subscriber_destroy(&self);
    errno = reason;
    return NULL;
}

void tocsin_subscriber_destroy(tocsin_subscriber_t **self)
{
    tocsin_subscriber_t *subscriber = *self;
    if (subscriber == NULL)
        return;
    *self = NULL;
    tocsin_reply_destroy(&subscriber->page);
    tocsin_commander_destroy(&subscriber->commander);
    zmq_msg_close(&subscriber->message);
    if (subscriber->readable >= 0)
        close(subscriber->readable);
    if (subscriber->socket != NULL)
        zmq_close(subscriber->socket);
    while (subscriber->context != NULL && zmq_ctx_term(subscriber->context) != 0 && errno == EINTR)
        continue;
    free(subscriber->topic);
    free(subscriber);
}

bool tocsin_subscriber_reached(const tocsin_subscriber_t *self)
{
    return self->started;
}

static bool watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return fd >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

int tocsin_subscriber_fd(tocsin_subscriber_t *self)
{
    int events = -1;
    size_t size = sizeof events;
    if (self->readable >= 0)
        return self->readable;
    int readable = epoll_create1(EPOLL_CLOEXEC);
    if (readable >= 0 && zmq_getsockopt(self->socket, ZMQ_FD, &events, &size) == 0 &&
        watch(readable, events) &&
        (self->commander == NULL || watch(readable, commander_fd(self->commander))))
        return self->readable = readable;
    int reason = errno;
    if (readable >= 0)
        close(readable);
    errno = reason;
    return -1;
}

uint64_t tocsin_subscriber_position(const tocsin_subscriber_t *self, const char *family)
{
    family_t which = family_named(family, strlen(family));
    return which < FAMILY_HEARTBEAT ? self->places[which].given : 0;
}

/* -- giving to the caller -- */

static void copy_key(tocsin_value_t body, const char *key, char *copy, size_t capacity)
{
    tocsin_value_copy(tocsin_value_of(body, key), copy, capacity);
}

/*  What is asked for comes without its topic: it is written as the broker writes it. */
static void write_topic(tocsin_subscriber_t *self, const arrival_t *arrival)
{
    const char *family = family_words[arrival->family];
    char severity[16] = "";
    if (arrival->family == FAMILY_ALERT || arrival->family == FAMILY_INCIDENT)
        copy_key(tocsin_value_of(arrival->body, "data"), "severity", severity, sizeof severity);
    if (arrival->family == FAMILY_HEARTBEAT)
        snprintf(self->topic_text, TOPIC_BYTES, "%s", family);
    else
        snprintf(self->topic_text, TOPIC_BYTES, "%.15s.%.15s%s%.200s", family, severity,
                 severity[0] == '\0' ? "" : ".", self->subject);
}

/*  False when the caller does not want this one. Its place moves in any case. */
static bool give(tocsin_subscriber_t *self, const arrival_t *arrival, tocsin_publication_t *out)
{
    place_t *place = &self->places[arrival->family];
    if (arrival->family != FAMILY_HEARTBEAT)
        place_give(place, arrival->seq);
    copy_key(arrival->body, "subject", self->subject, sizeof self->subject);
    copy_key(arrival->body, "type", self->type, sizeof self->type);
    write_topic(self, arrival);
    if (!place->wanted || strncmp(self->topic_text, self->topic, strlen(self->topic)) != 0)
        return false;
    *out = (tocsin_publication_t){.topic = self->topic_text,
                                  .family = family_words[arrival->family],
                                  .type = self->type,
                                  .subject = self->subject,
                                  .seq = arrival->seq,
                                  .lost = place_tell_lost(place),
                                  .body = arrival->body};
    tocsin_value_number(tocsin_value_of(arrival->body, "time"), &out->time);
    return true;
}

/* -- the socket -- */

static tocsin_status_t failure(void)
{
    return errno == EAGAIN ? TOCSIN_TIMEOUT : errno == EINTR ? TOCSIN_INTERRUPTED : TOCSIN_SYSTEM;
}

/*  The last frame of the next message into `message`. */
static tocsin_status_t receive_frames(tocsin_subscriber_t *self)
{
    do {
        if (zmq_msg_recv(&self->message, self->socket, ZMQ_DONTWAIT) < 0)
            return failure();
    } while (zmq_msg_more(&self->message));
    return TOCSIN_OK;
}

/*  Let time pass, until something comes where that is looked for. TOCSIN_TIMEOUT when it is over.
 */
static tocsin_status_t wait_until(tocsin_subscriber_t *self, double until, bool looking)
{
    zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLIN};
    int ready = zmq_poll(&item, looking ? 1 : 0, clock_wait_ms(until));
    return ready > 0 ? TOCSIN_OK : ready == 0 ? TOCSIN_TIMEOUT : failure();
}

/*  The next publication from the wire into `held`; TOCSIN_TIMEOUT when none comes. */
static tocsin_status_t hold_next(tocsin_subscriber_t *self, double until)
{
    for (;;) {
        tocsin_status_t status = receive_frames(self);
        if (status == TOCSIN_TIMEOUT)
            status = wait_until(self, until, true);
        else if (status == TOCSIN_OK) {
            tocsin_value_t body = {zmq_msg_data(&self->message), zmq_msg_size(&self->message)};
            if (cursor_check(body.bytes, body.size, CURSOR_DEPTH_MAX) == STATUS_OK &&
                arrival_read(body, &self->held))
                return TOCSIN_OK;
            self->held.body.size = 0; /* no publication: whoever sent it, it is passed over */
        }
        if (status != TOCSIN_OK)
            return status;
    }
}

/* -- step by step -- */

/*  One step towards the next publication. */
typedef enum {
    STEP_GIVEN,  /* `out` is filled */
    STEP_ON,     /* something was done: take the next step */
    STEP_STOPPED /* as `status` says */
} step_t;

static step_t step_after(tocsin_status_t status)
{
    return status == TOCSIN_OK ? STEP_ON : STEP_STOPPED;
}

/*  An item of the page: to be given, unless it came over the wire meanwhile. */
static step_t judge_item(tocsin_subscriber_t *self, const arrival_t *item,
                         tocsin_publication_t *out)
{
    if (place_judge(&self->places[item->family], item->seq) == PLACE_OLD)
        return STEP_ON;
    return give(self, item, out) ? STEP_GIVEN : STEP_ON;
}

/*  Its heads show what was missed, and whether the broker may have begun anew. */
static step_t judge_heartbeat(tocsin_subscriber_t *self, tocsin_publication_t *out)
{
    arrival_t heartbeat = self->held;
    tocsin_value_t heads = tocsin_value_of(tocsin_value_of(heartbeat.body, "data"), "heads");
    self->suspicious = self->commander != NULL && subscriber_is_behind(self, heads);
    subscriber_see_heads(self, heads);
    self->held.body.size = 0;
    return give(self, &heartbeat, out) ? STEP_GIVEN : STEP_ON;
}

/*  What is held: given, forgotten because it was given already, or kept because others come
 *  first. */
static step_t judge_held(tocsin_subscriber_t *self, tocsin_publication_t *out)
{
    arrival_t arrival = self->held;
    place_t *place = &self->places[arrival.family];
    place_see_head(place, arrival.seq);
    place_judgement_t judgement = place_judge(place, arrival.seq);
    if (judgement == PLACE_EARLY)
        return STEP_STOPPED;
    self->held.body.size = 0;
    return judgement == PLACE_NEXT && give(self, &arrival, out) ? STEP_GIVEN : STEP_ON;
}

/*  The first family in which something is missing that may be asked for now; FAMILY_COUNT if none.
 *  When one may be asked for later, in *retry_at. */
static family_t family_to_fill(const tocsin_subscriber_t *self, double *retry_at)
{
    double now = clock_now();
    for (family_t family = 0; family < FAMILY_HEARTBEAT; family++) {
        const place_t *place = &self->places[family];
        if (place_has_hole(place) && place->retry_at <= now)
            return family;
        if (place_has_hole(place))
            *retry_at = fmin(*retry_at, place->retry_at);
    }
    return FAMILY_COUNT;
}

static step_t fill(tocsin_subscriber_t *self, family_t family, double until,
                   tocsin_status_t *status)
{
    place_t *place = &self->places[family];
    if (self->commander == NULL) {
        bool is_held = self->held.body.size > 0 && self->held.family == family;
        place_give_up(place, is_held ? self->held.seq - 1 : place->head);
        return STEP_ON;
    }
    self->page_family = family;
    return step_after(*status = subscriber_ask(self, ASKED_FOR_PAGE, until));
}

/*  Nothing can be given yet: hear what comes, or only wait where it would have to stand behind
 *  what is held. */
static step_t hear(tocsin_subscriber_t *self, double until, double retry_at,
                   tocsin_status_t *status)
{
    double end = fmin(until, retry_at);
    *status = self->held.body.size > 0 ? wait_until(self, end, false) : hold_next(self, end);
    if (*status == TOCSIN_TIMEOUT && end < until)
        *status = TOCSIN_OK;
    return step_after(*status);
}

static step_t step(tocsin_subscriber_t *self, tocsin_publication_t *out, double until,
                   tocsin_status_t *status)
{
    arrival_t item;
    double retry_at = INFINITY;
    if (self->asked != ASKED_NOTHING)
        return step_after(*status = subscriber_await(self, until));
    if (!self->started)
        return step_after(*status = subscriber_ask(self, ASKED_WHERE_TO_BEGIN, until));
    if (self->suspicious) {
        self->suspicious = false;
        return step_after(*status = subscriber_ask(self, ASKED_WHETHER_ANEW, until));
    }
    if (subscriber_next_item(self, &item))
        return judge_item(self, &item, out);
    if (self->held.body.size > 0 && self->held.family == FAMILY_HEARTBEAT)
        return judge_heartbeat(self, out);
    if (self->held.body.size > 0) {
        step_t judged = judge_held(self, out);
        if (judged != STEP_STOPPED)
            return judged;
    }
    family_t family = family_to_fill(self, &retry_at);
    if (family < FAMILY_COUNT)
        return fill(self, family, until, status);
    return hear(self, until, retry_at, status);
}

/*  Beyond its time it still looks at what has arrived, but not for ever: publications that are not
 *  wanted may come without end. */
static tocsin_status_t receive_until(tocsin_subscriber_t *self, tocsin_publication_t *publication,
                                     double until)
{
    tocsin_status_t status = TOCSIN_OK;
    for (int late = 0; late<RECEIVE_HWM; late += clock_now()> until)
        switch (step(self, publication, until, &status)) {
        case STEP_GIVEN:
            return TOCSIN_OK;
        case STEP_STOPPED:
            return status;
        case STEP_ON:
            break;
        }
    return TOCSIN_TIMEOUT;
}

tocsin_status_t tocsin_receive(tocsin_subscriber_t *self, tocsin_publication_t *publication,
                               double timeout)
{
    return receive_until(self, publication, clock_now() + timeout);
}

tocsin_status_t tocsin_listen(tocsin_subscriber_t *self, tocsin_listener_t *listener, void *context,
                              double timeout)
{
    double until = timeout < 0 ? INFINITY : clock_now() + timeout;
    tocsin_publication_t publication;
    for (;;) {
        tocsin_status_t status = receive_until(self, &publication, until);
        if (status != TOCSIN_OK)
            return status;
        if (!listener(context, &publication))
            return TOCSIN_OK;
        if (clock_now() > until)
            return TOCSIN_TIMEOUT;
    }
}
