#include "broker/subscriptions.h"

#include "broker/log.h"
#include "broker/mail.h"
#include "engines/hash.h"
#include "proto/must.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#define WISHES_A_TURN 256u

/* Messages thrown away at most behind one that is no wish. */
#define REST_MAX 1000000u

/* More descriptors than this are not counted apart: the process cannot have them. */
#define DESCRIPTORS_MAX (1u << 20)

void subscriptions_init(subscriptions_t *self, zsock_t *events)
{
    static atomic_uint number; /* each monitor needs a name of its own */
    char name[64];
    *self = (subscriptions_t){.events = events, .most = UINT32_MAX};
    zsock_set_xpub_manual(events, 1);
    snprintf(name, sizeof name, "inproc://departures-%u", atomic_fetch_add(&number, 1));
    must(zmq_socket_monitor(zsock_resolve(events), name, ZMQ_EVENT_DISCONNECTED) == 0);
    self->monitor = zsock_new(ZMQ_PAIR);
    must(self->monitor != NULL && zsock_connect(self->monitor, "%s", name) == 0);
}

void subscriptions_forget(subscriptions_t *self)
{
    for (size_t i = 0; i < self->capacity; i++)
        self->connections[i].count = 0;
    self->served = 0;
}

void subscriptions_free(subscriptions_t *self)
{
    if (self->events != NULL)
        zmq_socket_monitor(zsock_resolve(self->events), NULL, 0);
    zsock_destroy(&self->monitor);
    for (size_t i = 0; i < self->capacity; i++)
        free(self->connections[i].topics);
    free(self->connections);
    *self = (subscriptions_t){.events = NULL};
}

static heard_t *find_connection(subscriptions_t *self, int descriptor)
{
    if (descriptor < 0 || (size_t)descriptor >= DESCRIPTORS_MAX)
        return NULL;
    if ((size_t)descriptor >= self->capacity) {
        size_t capacity = (size_t)descriptor * 2 + 64;
        self->connections = memory_grow(self->connections, capacity, sizeof *self->connections);
        memset(self->connections + self->capacity, 0,
               (capacity - self->capacity) * sizeof *self->connections);
        self->capacity = capacity;
    }
    return &self->connections[descriptor];
}

/*  Connections that are gone. An event is a number of 16 bits and a value of 32: here the
 *  descriptor (zmq_socket_monitor(3)); the address follows. */
static void take_departures(subscriptions_t *self)
{
    while ((zsock_events(self->monitor) & ZMQ_POLLIN) != 0) {
        zmsg_t *message = zmsg_recv(self->monitor);
        zframe_t *frame = message == NULL ? NULL : zmsg_first(message);
        int32_t descriptor = -1;
        if (frame != NULL && zframe_size(frame) == sizeof(uint16_t) + sizeof descriptor)
            memcpy(&descriptor, zframe_data(frame) + sizeof(uint16_t), sizeof descriptor);
        heard_t *heard = find_connection(self, descriptor);
        if (heard != NULL) {
            self->served -= heard->count;
            heard->count = 0;
            heard->user_id[0] = '\0';
        }
        zmsg_destroy(&message);
    }
}

/* -- what a connection is served -- */

/*  Where the topic stands, or would. */
static uint32_t place_of(const heard_t *heard, uint64_t topic)
{
    uint32_t low = 0, high = heard->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (heard->topics[middle] < topic)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool stands_at(const heard_t *heard, uint32_t place, uint64_t topic)
{
    return place < heard->count && heard->topics[place] == topic;
}

static void insert(heard_t *heard, uint32_t place, uint64_t topic)
{
    if (heard->count == heard->capacity) {
        heard->capacity = heard->capacity * 2 + 8;
        heard->topics = memory_grow(heard->topics, heard->capacity, sizeof *heard->topics);
    }
    memmove(heard->topics + place + 1, heard->topics + place,
            (heard->count - place) * sizeof *heard->topics);
    heard->topics[place] = topic;
    heard->count++;
}

static void take_out(heard_t *heard, uint32_t place)
{
    heard->count--;
    memmove(heard->topics + place, heard->topics + place + 1,
            (heard->count - place) * sizeof *heard->topics);
}

/* -- one wish -- */

typedef struct {
    subscriptions_t *all;
    heard_t *heard;
} wish_t;

/*  Applies to the connection whose wish was received last. */
static void apply(const wish_t *wish, int option, text_t topic)
{
    zmq_setsockopt(zsock_resolve(wish->all->events), option, topic.size == 0 ? "" : topic.data,
                   topic.size);
}

static uint64_t hash_topic(text_t topic)
{
    return hash_text(0, topic);
}

static void serve(void *context, text_t topic)
{
    wish_t *wish = context;
    uint64_t hash = hash_topic(topic);
    uint32_t place = place_of(wish->heard, hash);
    if (stands_at(wish->heard, place, hash))
        return;
    if (wish->heard->count >= wish->all->most) {
        wish->all->refused++;
        return;
    }
    apply(wish, ZMQ_SUBSCRIBE, topic);
    insert(wish->heard, place, hash);
    wish->all->served++;
}

static void subscribe(wish_t *wish, text_t topic, const access_keys_t *keys, const char *user_id)
{
    if (keys == NULL)
        serve(wish, topic);
    else if (access_topics(access_keys_find(keys, user_id), topic, serve, wish) == 0)
        wish->all->refused++;
}

/*  A prefix of the key itself may be served for a wider wish as well: it stays, and the
 *  subscriber's own side drops what it does not want. */
static bool is_prefix_of_key(const access_keys_t *keys, const char *user_id, text_t topic)
{
    const access_key_t *key = keys == NULL ? NULL : access_keys_find(keys, user_id);
    for (size_t i = 0; key != NULL && i < key->read.count; i++)
        if (text_equal(key->read.items[i], topic))
            return true;
    return false;
}

static void unsubscribe(const wish_t *wish, text_t topic, const access_keys_t *keys,
                        const char *user_id)
{
    uint64_t hash = hash_topic(topic);
    uint32_t place = place_of(wish->heard, hash);
    if (!stands_at(wish->heard, place, hash) || is_prefix_of_key(keys, user_id, topic))
        return;
    apply(wish, ZMQ_UNSUBSCRIBE, topic);
    take_out(wish->heard, place);
    wish->all->served--;
}

static bool is_wish(zmq_msg_t *message)
{
    const char *bytes = zmq_msg_data(message);
    return zmq_msg_size(message) > 0 && (bytes[0] == 0 || bytes[0] == 1);
}

/*  -1: the connection is gone, and libzmq has cleared what it had. */
static int descriptor_of(zmq_msg_t *message)
{
    const char *descriptor = zmq_msg_gets(message, "__fd");
    return descriptor == NULL ? -1 : atoi(descriptor);
}

/*  A departure that happened before a wish was sent is seen before the wish is taken. */
static void take_wish(subscriptions_t *self, zmq_msg_t *message, const access_keys_t *keys)
{
    take_departures(self);
    const char *bytes = zmq_msg_data(message), *user_id = zmq_msg_gets(message, "User-Id");
    text_t topic = {bytes + 1, zmq_msg_size(message) - 1};
    wish_t wish = {self, find_connection(self, descriptor_of(message))};
    if (wish.heard == NULL)
        return;
    snprintf(wish.heard->user_id, KEY_TEXT_SIZE, "%s", user_id == NULL ? "" : user_id);
    if (bytes[0] == 1)
        subscribe(&wish, topic, keys, user_id);
    else
        unsubscribe(&wish, topic, keys, user_id);
}

static bool receive(subscriptions_t *self, zmq_msg_t *message)
{
    int size = zmq_msg_recv(message, zsock_resolve(self->events), ZMQ_DONTWAIT);
    self->taken += size < 0 ? 0 : (uint64_t)size + 2;
    return size >= 0;
}

/*  If the connection is gone in this very moment and another one has its descriptor, that one
 *  connects again. */
static void cut(int descriptor)
{
    if (descriptor >= 0)
        shutdown(descriptor, SHUT_RDWR);
}

void subscriptions_revoke(subscriptions_t *self, const access_keys_t *old, const access_keys_t *new)
{
    take_departures(self);
    for (size_t i = 0; i < self->capacity; i++) {
        const heard_t *heard = &self->connections[i];
        if (heard->count > 0 && access_keys_take_away(old, new, heard->user_id))
            cut((int)i);
    }
}

/* -- after a message that is no wish -- */

/*  What waited behind it, up to the end of the queue. */
typedef struct {
    zmq_msg_t wishes[WISHES_A_TURN];
    size_t count;
    bool mixed; /* of several connections */
} rest_t;

static void collect(rest_t *rest, zmq_msg_t *message)
{
    if (rest->count == WISHES_A_TURN) {
        cut(descriptor_of(message));
        return;
    }
    rest->mixed |= rest->count > 0 && descriptor_of(message) != descriptor_of(&rest->wishes[0]);
    zmq_msg_init(&rest->wishes[rest->count]);
    zmq_msg_move(&rest->wishes[rest->count++], message);
}

/*  At the end of the queue libzmq stands at the connection of the last wish: when that is the one
 *  that all of them came from, they are served as ever. */
static void serve_rest(subscriptions_t *self, const access_keys_t *keys)
{
    rest_t *rest = memory_new(1, sizeof *rest);
    zmq_msg_t message;
    zmq_msg_init(&message);
    for (size_t i = 0; i < REST_MAX && receive(self, &message); i++)
        if (is_wish(&message))
            collect(rest, &message);
        else
            cut(descriptor_of(&message));
    zmq_msg_close(&message);
    for (size_t i = 0; i < rest->count; i++) {
        if (rest->mixed)
            cut(descriptor_of(&rest->wishes[i]));
        else
            take_wish(self, &rest->wishes[i], keys);
        zmq_msg_close(&rest->wishes[i]);
    }
    free(rest);
}

void subscriptions_serve(subscriptions_t *self, const access_keys_t *keys)
{
    zmq_msg_t message;
    take_departures(self);
    zmq_msg_init(&message);
    for (size_t i = 0; i < WISHES_A_TURN && receive(self, &message); i++) {
        if (is_wish(&message)) {
            take_wish(self, &message, keys);
            continue;
        }
        self->refused++;
        cut(descriptor_of(&message));
        serve_rest(self, keys);
    }
    zmq_msg_close(&message);
}
