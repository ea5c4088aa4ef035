#include "clients/libtocsin/commander.h"

#include "clients/libtocsin/arguments.h"
#include "clients/libtocsin/buffer.h"
#include "clients/libtocsin/clock.h"
#include "clients/libtocsin/keys.h"
#include "proto/cursor.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <zmq.h>

#define TIMEOUT_S 5.0

/* Long enough for a commit under load, short enough that a broker that was just restarted answers
   before people grow impatient. */
#define RESEND_S 1.0

#define ONCE_BYTES 16u

struct tocsin_commander {
    void *context, *socket;
    char *address;
    double timeout;
    int64_t id;       /* of the last command */
    buffer_t message; /* the last command, until it is answered */
    double due;       /* when it is sent next */
    bool reached;     /* it went to a connected broker at least once */
    char error[512];
};

struct tocsin_reply {
    zmq_msg_t message;
    tocsin_value_t result;
    char code[64];
    char *text;
};

/* -- life -- */

static void *connect_to(void *context, const char *address, const keys_t *keys)
{
    void *socket = zmq_socket(context, ZMQ_DEALER);
    if (socket == NULL)
        return NULL;
    /* no ZMQ_HEARTBEAT_*: they abort a connecting reader (libzmq issue 3937) */
    const int yes = 1, linger_ms = 0;
    zmq_setsockopt(socket, ZMQ_IMMEDIATE, &yes, sizeof yes);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt(socket, ZMQ_TCP_KEEPALIVE, &yes, sizeof yes);
    if (keys_apply(keys, socket) && zmq_connect(socket, address) == 0)
        return socket;
    int reason = errno;
    zmq_close(socket);
    errno = reason;
    return NULL;
}

tocsin_commander_t *tocsin_commander_new(const char *address, double timeout)
{
    return tocsin_commander_new_keyed(address, timeout, NULL);
}

tocsin_commander_t *tocsin_commander_new_keyed(const char *address, double timeout,
                                               const tocsin_keys_t *given)
{
    keys_t keys;
    if (!keys_find(&keys, given))
        return NULL;
    tocsin_commander_t *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    commander_set_timeout(self, timeout > 0 ? timeout : TIMEOUT_S);
    self->address = strdup(address == NULL ? TOCSIN_CONTROL_ADDRESS : address);
    self->context = zmq_ctx_new();
    if (self->address != NULL && self->context != NULL)
        self->socket = connect_to(self->context, self->address, &keys);
    keys_forget(&keys);
    if (self->socket != NULL)
        return self;
    int reason = errno;
    tocsin_commander_destroy(&self);
    errno = reason;
    return NULL;
}

void tocsin_commander_destroy(tocsin_commander_t **self)
{
    tocsin_commander_t *commander = *self;
    if (commander == NULL)
        return;
    *self = NULL;
    if (commander->socket != NULL)
        zmq_close(commander->socket);
    while (commander->context != NULL && zmq_ctx_term(commander->context) != 0 && errno == EINTR)
        continue;
    buffer_free(&commander->message);
    free(commander->address);
    free(commander);
}

void commander_set_timeout(tocsin_commander_t *self, double timeout)
{
    self->timeout = timeout;
}

int commander_fd(const tocsin_commander_t *self)
{
    int fd = -1;
    size_t size = sizeof fd;
    return zmq_getsockopt(self->socket, ZMQ_FD, &fd, &size) == 0 ? fd : -1;
}

const char *tocsin_commander_error(const tocsin_commander_t *self)
{
    return self->error;
}

/* -- the answer -- */

void tocsin_reply_destroy(tocsin_reply_t **self)
{
    tocsin_reply_t *reply = *self;
    if (reply == NULL)
        return;
    *self = NULL;
    zmq_msg_close(&reply->message);
    free(reply->text);
    free(reply);
}

tocsin_value_t tocsin_reply_result(const tocsin_reply_t *self)
{
    return self->result;
}

const char *tocsin_reply_code(const tocsin_reply_t *self)
{
    return self->code;
}

const char *tocsin_reply_message(const tocsin_reply_t *self)
{
    return self->text == NULL ? "" : self->text;
}

/*  Take what the map says into the reply; answers TOCSIN_OK or TOCSIN_REFUSED. */
static tocsin_status_t understand(tocsin_reply_t *self, tocsin_value_t map)
{
    bool ok = false;
    if (tocsin_value_boolean(tocsin_value_of(map, "ok"), &ok) && ok) {
        self->result = tocsin_value_of(map, "result");
        return TOCSIN_OK;
    }
    tocsin_value_t error = tocsin_value_of(map, "error");
    tocsin_value_copy(tocsin_value_of(error, "code"), self->code, sizeof self->code);
    size_t size;
    const char *text = tocsin_value_text(tocsin_value_of(error, "message"), &size);
    self->text = text == NULL ? NULL : strndup(text, size);
    return TOCSIN_REFUSED;
}

/*  The last frame of what has arrived; false if nothing has. */
static bool receive_last_frame(void *socket, zmq_msg_t *message)
{
    zmq_msg_init(message);
    do {
        if (zmq_msg_recv(message, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(message);
            return false;
        }
    } while (zmq_msg_more(message));
    return true;
}

/*  Is it the answer to the last command? An earlier one may still come in after its time was up. */
static bool is_answer(const tocsin_commander_t *self, tocsin_value_t map)
{
    int64_t id;
    return cursor_check(map.bytes, map.size, CURSOR_DEPTH_MAX) == STATUS_OK &&
           tocsin_value_integer(tocsin_value_of(map, "id"), &id) && id == self->id;
}

/*  Read until the answer is found (true) or nothing is left. */
static bool find_answer(tocsin_commander_t *self, zmq_msg_t *message)
{
    while (receive_last_frame(self->socket, message)) {
        if (is_answer(self, (tocsin_value_t){zmq_msg_data(message), zmq_msg_size(message)}))
            return true;
        zmq_msg_close(message);
    }
    return false;
}

static tocsin_status_t give_answer(tocsin_commander_t *self, zmq_msg_t *message,
                                   tocsin_reply_t **out)
{
    tocsin_reply_t *reply = calloc(1, sizeof *reply);
    if (reply == NULL) {
        zmq_msg_close(message);
        snprintf(self->error, sizeof self->error, "%s", tocsin_status_text(TOCSIN_NO_MEMORY));
        return TOCSIN_NO_MEMORY;
    }
    zmq_msg_init(&reply->message);
    zmq_msg_move(&reply->message, message);
    zmq_msg_close(message);
    tocsin_status_t status = understand(
        reply, (tocsin_value_t){zmq_msg_data(&reply->message), zmq_msg_size(&reply->message)});
    if (status == TOCSIN_REFUSED)
        snprintf(self->error, sizeof self->error, "%s: %s", tocsin_reply_code(reply),
                 tocsin_reply_message(reply));
    if (out != NULL)
        *out = reply;
    else
        tocsin_reply_destroy(&reply);
    buffer_cut(&self->message, 0);
    return status;
}

/* -- the question -- */

bool command_only_looks(const char *command)
{
    static const char *const endings[] = {".get",     ".list",    ".heads",  ".since",
                                          ".check",   ".ping",    ".status", ".history",
                                          ".explain", ".metrics", ".report"};
    if (strcmp(command, "policy.test") == 0)
        return true;
    const char *ending = strrchr(command, '.');
    for (size_t i = 0; ending != NULL && i < sizeof endings / sizeof endings[0]; i++)
        if (strcmp(ending, endings[i]) == 0)
            return true;
    return false;
}

static bool put_once(buffer_t *out)
{
    unsigned char bytes[ONCE_BYTES];
    char text[2 * ONCE_BYTES + 1];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    for (size_t i = 0; i < ONCE_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    buffer_text(out, "once");
    buffer_text(out, text);
    return true;
}

/*  A command begins with its arguments, */
static size_t begin_command(tocsin_commander_t *self)
{
    self->error[0] = '\0';
    self->reached = false;
    self->due = 0;
    buffer_cut(&self->message, 0);
    return buffer_open_map(&self->message);
}

/*  Do the arguments that were written name this key? */
static bool has_argument(buffer_t *message, size_t opened, size_t pairs, const char *key)
{
    buffer_close(message, opened, pairs);
    tocsin_value_t map = {message->data, message->failed ? 0 : message->size};
    return tocsin_value_of(map, key).size > 0;
}

/*  and ends with what every command has. */
static tocsin_status_t end_command(tocsin_commander_t *self, size_t opened, size_t pairs,
                                   const char *command)
{
    buffer_t *out = &self->message;
    bool needs_once = !command_only_looks(command) && !has_argument(out, opened, pairs, "once");
    buffer_text(out, "do");
    buffer_text(out, command);
    buffer_text(out, "id");
    buffer_integer(out, ++self->id);
    pairs += 2;
    if (needs_once) {
        if (!put_once(out))
            return TOCSIN_SYSTEM;
        pairs++;
    }
    buffer_close(out, opened, pairs);
    return out->failed ? TOCSIN_NO_MEMORY : TOCSIN_OK;
}

static tocsin_status_t time_is_up(tocsin_commander_t *self, double timeout)
{
    const char *what = self->reached ? "tocsind does not answer" : "no tocsind can be reached";
    snprintf(self->error, sizeof self->error, "%s at %s (waited %g s)", what, self->address,
             timeout);
    return TOCSIN_TIMEOUT;
}

static tocsin_status_t fail_of_system(tocsin_commander_t *self)
{
    int reason = errno;
    snprintf(self->error, sizeof self->error, "%s: %s", self->address, zmq_strerror(reason));
    errno = reason;
    return reason == EINTR ? TOCSIN_INTERRUPTED : TOCSIN_SYSTEM;
}

/*  Send the message if it is due. False when the socket fails, and when no connection takes it,
 *  which leaves it due. */
static bool send_when_due(tocsin_commander_t *self)
{
    if (clock_now() < self->due)
        return true;
    if (zmq_send(self->socket, self->message.data, self->message.size, ZMQ_DONTWAIT) < 0)
        return false;
    self->reached = true;
    self->due = clock_now() + RESEND_S;
    return true;
}

static tocsin_status_t exchange(tocsin_commander_t *self, tocsin_reply_t **reply, double timeout)
{
    double until = clock_now() + timeout;
    for (;;) {
        bool sent = send_when_due(self);
        if (!sent && errno != EAGAIN)
            return fail_of_system(self);
        zmq_pollitem_t item = {.socket = self->socket,
                               .events = (short)(sent ? ZMQ_POLLIN : ZMQ_POLLIN | ZMQ_POLLOUT)};
        if (zmq_poll(&item, 1, clock_wait_ms(sent && self->due < until ? self->due : until)) < 0)
            return fail_of_system(self);
        zmq_msg_t message;
        if ((item.revents & ZMQ_POLLIN) && find_answer(self, &message))
            return give_answer(self, &message, reply);
        if (clock_now() >= until)
            return time_is_up(self, timeout);
    }
}

/*  Send what was composed and wait, or say why it could not be composed. */
static tocsin_status_t ask(tocsin_commander_t *self, tocsin_reply_t **reply, const char *command,
                           tocsin_status_t composed)
{
    if (reply != NULL)
        *reply = NULL;
    if (composed == TOCSIN_OK)
        return exchange(self, reply, self->timeout);
    snprintf(self->error, sizeof self->error, "%s: %s", command, tocsin_status_text(composed));
    buffer_cut(&self->message, 0);
    return composed;
}

tocsin_status_t tocsin_ask(tocsin_commander_t *self, tocsin_reply_t **reply, const char *command,
                           const char *arguments, ...)
{
    size_t pairs, opened = begin_command(self);
    va_list values;
    va_start(values, arguments);
    bool good = arguments_put(&self->message, arguments, &values, &pairs);
    va_end(values);
    return ask(self, reply, command,
               good ? end_command(self, opened, pairs, command) : TOCSIN_INVALID);
}

tocsin_status_t tocsin_ask_with(tocsin_commander_t *self, tocsin_reply_t **reply,
                                const char *command, tocsin_value_t arguments)
{
    size_t opened = begin_command(self);
    cursor_t cursor = cursor_over(arguments.bytes, arguments.size);
    value_t map = {.type = VALUE_MAP, .as = {.count = 0}};
    bool good = arguments.size == 0 ||
                (cursor_check(arguments.bytes, arguments.size, CURSOR_DEPTH_MAX) == STATUS_OK &&
                 cursor_read(&cursor, &map) && map.type == VALUE_MAP);
    buffer_raw(&self->message, cursor.at, cursor_left(&cursor));
    return ask(self, reply, command,
               good ? end_command(self, opened, map.as.count, command) : TOCSIN_INVALID);
}

bool tocsin_commander_reached(const tocsin_commander_t *self)
{
    return self->reached;
}

tocsin_status_t tocsin_ask_again(tocsin_commander_t *self, tocsin_reply_t **reply, double timeout)
{
    if (reply != NULL)
        *reply = NULL;
    if (self->message.size == 0)
        return TOCSIN_INVALID;
    self->error[0] = '\0';
    return exchange(self, reply, timeout);
}
