#include "clients/libtocsin/clock.h"
#include "clients/libtocsin/commander.h"
#include "proto/cursor.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

/* As many as the broker answers at once. */
#define PAGE_ITEMS 1000

/* A publication may be on the wire before it can be asked for: its commit is under way. For so long
   it is asked for again before it counts as lost. */
#define COMMIT_S 2.0
#define COMMIT_RETRY_MS 50

/* Of a question to the control endpoint. */
#define ASK_S 5.0

/* Publications that may wait in the socket; what does not fit is asked for. */
#define RECEIVE_HWM 10000

#define TOPIC_BYTES 256u

typedef enum {
    FAMILY_ANOMALY,
    FAMILY_SLO,
    FAMILY_DEPENDENCY,
    FAMILY_ALERT,
    FAMILY_INCIDENT,
    FAMILY_HEARTBEAT, /* neither stored nor filled */
    FAMILY_COUNT
} family_t;

static const char *const family_words[FAMILY_COUNT] = {"anomaly", "slo",      "dependency",
                                                       "alert",   "incident", "heartbeat"};

/*  Where the reader stands in one family. */
typedef struct {
    bool wanted;          /* by the caller */
    bool known;           /* where it stands: `last` means something */
    uint64_t last;        /* given to the caller */
    uint64_t head;        /* the newest that is known to have been published */
    uint64_t lost;        /* not yet told to the caller */
    double asked_in_vain; /* since when; 0: not */
} place_t;

/*  One publication as it was read, not yet judged. */
typedef struct {
    family_t family;
    uint64_t seq;
    tocsin_value_t body;
} arrival_t;

struct tocsin_subscriber {
    void *context, *socket;
    tocsin_commander_t *commander; /* NULL: holes are not filled */
    place_t places[FAMILY_COUNT];
    char *topic; /* only what begins so */
    bool replay;
    uint64_t since;
    bool started;
    uint64_t heartbeat; /* the last one's number */

    zmq_msg_t message; /* the last one from the socket; `held` lies in it */
    arrival_t held;    /* it came, but some before it did not; size 0: none */
    tocsin_reply_t *page;
    tocsin_value_t items; /* of the page, from the next one on: bytes without an array's head */
    size_t items_left;
    family_t page_family;

    char topic_text[TOPIC_BYTES], subject[TOPIC_BYTES], type[64];
};

static family_t family_named(const char *name, size_t size)
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

/*  Whole families, even where the caller wants a part: numbers count within the family, so only who
 * hears all of it can tell that something is missing. */
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

static bool connect_events(tocsin_subscriber_t *self, const char *address)
{
    self->socket = zmq_socket(self->context, ZMQ_SUB);
    if (self->socket == NULL)
        return false;
    /* no ZMQ_HEARTBEAT_*: they abort a connecting reader (libzmq issue 3937) */
    const int yes = 1, hwm = RECEIVE_HWM, linger_ms = 0;
    zmq_setsockopt(self->socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
    zmq_setsockopt(self->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt(self->socket, ZMQ_TCP_KEEPALIVE, &yes, sizeof yes);
    subscribe(self);
    return zmq_connect(self->socket, address) == 0;
}

static bool set_up(tocsin_subscriber_t *self, const tocsin_subscriber_options_t *options)
{
    zmq_msg_init(&self->message);
    self->replay = options->replay;
    self->since = options->since;
    if (!choose_families(self, options)) {
        errno = EINVAL;
        return false;
    }
    self->topic = strdup(options->topic == NULL ? "" : options->topic);
    self->context = zmq_ctx_new();
    if (self->topic == NULL || self->context == NULL)
        return false;
    if (!connect_events(self, options->events == NULL ? TOCSIN_EVENTS_ADDRESS : options->events))
        return false;
    if (options->control != NULL && options->control[0] == '\0')
        return true;
    self->commander = tocsin_commander_new(options->control, ASK_S);
    return self->commander != NULL;
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

/* -- where to begin -- */

/*  The control endpoint is asked within the caller's time. */
static void limit_asking(tocsin_subscriber_t *self, double until)
{
    double left = until - clock_now();
    commander_set_timeout(self->commander, left > ASK_S ? ASK_S : left > 0.001 ? left : 0.001);
}

static bool read_whole(tocsin_value_t value, uint64_t *whole)
{
    int64_t integer;
    if (!tocsin_value_integer(value, &integer) || integer < 0)
        return false;
    *whole = (uint64_t)integer;
    return true;
}

/*  Take in what is the newest of each family. */
static void take_heads(tocsin_subscriber_t *self, tocsin_value_t heads)
{
    for (family_t family = 0; family < FAMILY_HEARTBEAT; family++) {
        place_t *place = &self->places[family];
        uint64_t head;
        if (read_whole(tocsin_value_of(heads, family_words[family]), &head) && head > place->head)
            place->head = head;
    }
}

static void begin_at_heads(tocsin_subscriber_t *self)
{
    for (family_t family = 0; family < FAMILY_HEARTBEAT; family++) {
        place_t *place = &self->places[family];
        place->known = true;
        place->last = self->replay ? self->since : place->head;
    }
}

/*  The subscription came first, so whatever is published after these heads either arrives or leaves
 * a hole that shows. */
static tocsin_status_t start(tocsin_subscriber_t *self, double until)
{
    if (self->commander != NULL) {
        tocsin_reply_t *reply;
        limit_asking(self, until);
        tocsin_status_t status = tocsin_ask(self->commander, &reply, "events.heads", NULL);
        if (status == TOCSIN_OK) {
            take_heads(self, tocsin_reply_result(reply));
            begin_at_heads(self);
        }
        tocsin_reply_destroy(&reply);
        if (status != TOCSIN_OK && status != TOCSIN_REFUSED)
            return status;
    }
    self->started = true;
    return TOCSIN_OK;
}

/*  A broker that was started again numbers its heartbeats anew. If its families are behind what was
 * seen it is another broker, or another store: begin with all it has. */
static tocsin_status_t meet_anew(tocsin_subscriber_t *self, double until)
{
    tocsin_reply_t *reply;
    if (self->commander == NULL)
        return TOCSIN_OK;
    limit_asking(self, until);
    tocsin_status_t status = tocsin_ask(self->commander, &reply, "events.heads", NULL);
    for (family_t family = 0; status == TOCSIN_OK && family < FAMILY_HEARTBEAT; family++) {
        place_t *place = &self->places[family];
        uint64_t head;
        if (read_whole(tocsin_value_of(tocsin_reply_result(reply), family_words[family]), &head) &&
            head < place->last) {
            place->last = 0;
            place->head = head;
        }
    }
    tocsin_reply_destroy(&reply);
    return status;
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
    if (arrival->family != FAMILY_HEARTBEAT) {
        place->known = true;
        place->last = arrival->seq;
        place->asked_in_vain = 0;
        if (place->head < place->last)
            place->head = place->last;
    }
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
                                  .lost = place->lost,
                                  .body = arrival->body};
    tocsin_value_number(tocsin_value_of(arrival->body, "time"), &out->time);
    place->lost = 0;
    return true;
}

/* -- filling holes -- */

/*  Everything up to `seq` that was not given is lost. */
static void give_up(place_t *self, uint64_t seq)
{
    if (seq > self->last) {
        self->lost += seq - self->last;
        self->last = seq;
    }
    self->asked_in_vain = 0;
}

static bool read_arrival(tocsin_value_t body, arrival_t *arrival)
{
    size_t size;
    const char *name = tocsin_value_text(tocsin_value_of(body, "family"), &size);
    arrival->body = body;
    arrival->family = name == NULL ? FAMILY_COUNT : family_named(name, size);
    return arrival->family < FAMILY_COUNT &&
           read_whole(tocsin_value_of(body, "seq"), &arrival->seq);
}

static void open_page(tocsin_subscriber_t *self, family_t family, tocsin_reply_t *page)
{
    tocsin_reply_destroy(&self->page);
    self->page = page;
    self->page_family = family;
    tocsin_value_t items = tocsin_value_of(tocsin_reply_result(page), "items");
    cursor_t cursor = cursor_over(items.bytes, items.size);
    value_t head;
    self->items_left = 0;
    if (items.size > 0 && cursor_read(&cursor, &head) && head.type == VALUE_ARRAY) {
        self->items_left = head.as.count;
        self->items = (tocsin_value_t){cursor.at, cursor_left(&cursor)};
    }
}

/*  The next of the page; false when it has no more. */
static bool next_item(tocsin_subscriber_t *self, arrival_t *arrival)
{
    while (self->items_left > 0) {
        cursor_t cursor = cursor_over(self->items.bytes, self->items.size);
        if (!cursor_skip(&cursor))
            break;
        tocsin_value_t body = {self->items.bytes, self->items.size - cursor_left(&cursor)};
        self->items = (tocsin_value_t){cursor.at, cursor_left(&cursor)};
        self->items_left--;
        if (read_arrival(body, arrival) && arrival->family == self->page_family)
            return true;
    }
    self->items_left = 0;
    return false;
}

/*  The last number that is missing: what is held is not. */
static uint64_t hole_end(const tocsin_subscriber_t *self, family_t family)
{
    bool ends_at_held = self->held.body.size > 0 && self->held.family == family;
    return ends_at_held ? self->held.seq - 1 : self->places[family].head;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/*  Nothing of what is missing can be had: what the broker says is lost is lost; the rest may still
 * be on its way to the store. */
static void take_empty_page(place_t *self, uint64_t end, tocsin_value_t result)
{
    uint64_t from, to;
    tocsin_value_t lost = tocsin_value_of(result, "lost");
    if (read_whole(tocsin_value_at(lost, 0), &from) && read_whole(tocsin_value_at(lost, 1), &to) &&
        from <= self->last + 1 && to > self->last) {
        give_up(self, lesser(to, end));
        return;
    }
    double now = clock_now();
    if (self->asked_in_vain == 0)
        self->asked_in_vain = now;
    if (now - self->asked_in_vain > COMMIT_S)
        give_up(self, end);
    else
        zmq_poll(NULL, 0, COMMIT_RETRY_MS);
}

/*  It was trimmed: begin with the oldest that is still held. Asking for what came after the newest
 *  trimmed one needs its number, which the message names last. */
static void skip_trimmed(place_t *self, uint64_t end, const tocsin_reply_t *reply)
{
    const char *text = tocsin_reply_message(reply);
    size_t size = strlen(text), digits = 0;
    while (digits < size && text[size - digits - 1] >= '0' && text[size - digits - 1] <= '9')
        digits++;
    uint64_t oldest = digits == 0 ? 0 : strtoull(text + size - digits, NULL, 10);
    give_up(self, oldest > 0 ? lesser(oldest - 1, end) : end);
}

static tocsin_status_t ask_for_page(tocsin_subscriber_t *self, family_t family, double until)
{
    place_t *place = &self->places[family];
    if (self->commander == NULL) {
        give_up(place, hole_end(self, family));
        return TOCSIN_OK;
    }
    limit_asking(self, until);
    tocsin_reply_t *reply;
    tocsin_status_t status =
        tocsin_ask(self->commander, &reply, "events.since", "family:s seq:I limit:i",
                   family_words[family], (int64_t)place->last, PAGE_ITEMS);
    if (status == TOCSIN_REFUSED) {
        skip_trimmed(place, hole_end(self, family), reply);
        tocsin_reply_destroy(&reply);
        return TOCSIN_OK;
    }
    if (status != TOCSIN_OK)
        return status;
    open_page(self, family, reply);
    if (self->items_left == 0)
        take_empty_page(place, hole_end(self, family), tocsin_reply_result(reply));
    return TOCSIN_OK;
}

/*  The first family in which something is missing; FAMILY_COUNT if none. */
static family_t family_with_hole(const tocsin_subscriber_t *self)
{
    for (family_t family = 0; family < FAMILY_HEARTBEAT; family++) {
        const place_t *place = &self->places[family];
        if (place->wanted && place->known && place->head > place->last)
            return family;
    }
    return FAMILY_COUNT;
}

/* -- the socket -- */

static tocsin_status_t receive_frames(tocsin_subscriber_t *self)
{
    int parts = 0;
    do {
        if (zmq_msg_recv(&self->message, self->socket, ZMQ_DONTWAIT) < 0)
            return errno == EAGAIN  ? TOCSIN_TIMEOUT
                   : errno == EINTR ? TOCSIN_INTERRUPTED
                                    : TOCSIN_SYSTEM;
        parts++;
    } while (zmq_msg_more(&self->message));
    return TOCSIN_OK;
}

/*  The next publication from the wire into `held`; TOCSIN_TIMEOUT when none comes. */
static tocsin_status_t hold_next(tocsin_subscriber_t *self, double until)
{
    for (;;) {
        tocsin_status_t status = receive_frames(self);
        if (status == TOCSIN_OK) {
            tocsin_value_t body = {zmq_msg_data(&self->message), zmq_msg_size(&self->message)};
            if (cursor_check(body.bytes, body.size, CURSOR_DEPTH_MAX) == STATUS_OK &&
                read_arrival(body, &self->held))
                return TOCSIN_OK;
            self->held.body.size = 0;
            continue;
        }
        long wait_ms = clock_wait_ms(until);
        if (status != TOCSIN_TIMEOUT || wait_ms == 0)
            return status;
        zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLIN};
        if (zmq_poll(&item, 1, wait_ms) < 0)
            return errno == EINTR ? TOCSIN_INTERRUPTED : TOCSIN_SYSTEM;
    }
}

static tocsin_status_t take_heartbeat(tocsin_subscriber_t *self, double until)
{
    bool anew = self->held.seq <= self->heartbeat && self->heartbeat > 0;
    if (anew) {
        tocsin_status_t status = meet_anew(self, until);
        if (status != TOCSIN_OK && status != TOCSIN_REFUSED)
            return status;
    }
    self->heartbeat = self->held.seq;
    take_heads(self, tocsin_value_of(tocsin_value_of(self->held.body, "data"), "heads"));
    return TOCSIN_OK;
}

/*  Judge what is held: give it (true), forget it because it was given already, or keep it because
 * others come before it. */
static bool judge_held(tocsin_subscriber_t *self, tocsin_publication_t *out)
{
    arrival_t arrival = self->held;
    place_t *place = &self->places[arrival.family];
    if (place->head < arrival.seq)
        place->head = arrival.seq;
    if (place->known && arrival.seq > place->last + 1)
        return false;
    self->held.body.size = 0;
    return (!place->known || arrival.seq > place->last) && give(self, &arrival, out);
}

/*  One step towards the next publication: true and TOCSIN_OK in *status when `out` is filled. */
static bool step(tocsin_subscriber_t *self, tocsin_publication_t *out, double until,
                 tocsin_status_t *status)
{
    arrival_t item;
    *status = TOCSIN_OK;
    if (next_item(self, &item)) {
        place_t *place = &self->places[item.family];
        if (item.seq <= place->last)
            return false;
        give_up(place, item.seq - 1);
        return give(self, &item, out);
    }
    if (self->held.body.size > 0 && self->held.family != FAMILY_HEARTBEAT && judge_held(self, out))
        return true;
    family_t family = family_with_hole(self);
    if (family < FAMILY_COUNT) {
        *status = ask_for_page(self, family, until);
        return false;
    }
    if (self->held.body.size == 0)
        *status = hold_next(self, until);
    if (*status == TOCSIN_OK && self->held.family == FAMILY_HEARTBEAT) {
        *status = take_heartbeat(self, until);
        arrival_t heartbeat = self->held;
        if (*status == TOCSIN_OK)
            self->held.body.size = 0;
        return *status == TOCSIN_OK && give(self, &heartbeat, out);
    }
    return false;
}

tocsin_status_t tocsin_receive(tocsin_subscriber_t *self, tocsin_publication_t *publication,
                               double timeout)
{
    double until = clock_now() + timeout;
    tocsin_status_t status = self->started ? TOCSIN_OK : start(self, until);
    while (status == TOCSIN_OK) {
        if (step(self, publication, until, &status))
            return TOCSIN_OK;
        if (status == TOCSIN_OK && clock_now() > until && self->items_left == 0 &&
            self->held.body.size == 0)
            return TOCSIN_TIMEOUT;
    }
    return status;
}
