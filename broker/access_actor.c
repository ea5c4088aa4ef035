#include "broker/access_actor.h"

#include "broker/clock.h"
#include "broker/log.h"
#include "broker/mail.h"
#include "proto/must.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#define ZAP_ADDRESS "inproc://zeromq.zap.01"

/* A change is taken in after this: whoever writes several files is given the time. */
#define RELOAD_MS 50

/* The directory is read again this often whatever inotify says: not every file system tells. */
#define RESCAN_NS (INT64_C(5) * NS_PER_S)

/* Refused connections are logged this often. */
#define LOG_NS NS_PER_S

typedef struct {
    access_actor_t *given;
    zsock_t *reactor, *zap;
    int watch;
    int64_t read_again_ns; /* when the directory is read again */
    int64_t log_again_ns;  /* when a refused connection may be logged again */
    uint64_t not_logged;   /* refused since the last one that was */
    char *complaints;      /* of the last reading */
    bool stopping;
} actor_t;

/* -- connections -- */

static void log_refusal(actor_t *self, zap_verdict_t verdict, const text_t *frames, size_t count)
{
    int64_t now = clock_now().mono_ns;
    text_t address = count > 3 && frames[3].size < 64 ? frames[3] : TEXT_OF("?");
    if (now < self->log_again_ns) {
        self->not_logged++;
        return;
    }
    log_warning("a connection was refused", "reason=%s address=\"%.*s\" more=%llu",
                zap_verdict_word(verdict), (int)address.size, address.size == 0 ? "" : address.data,
                (unsigned long long)self->not_logged);
    self->not_logged = 0;
    self->log_again_ns = now + LOG_NS;
}

/*  version, request id, code, text, user id, metadata */
static void reply(actor_t *self, zap_verdict_t verdict, text_t request_id, const char *user_id)
{
    zmsg_t *message = zmsg_new();
    zmsg_addstr(message, "1.0");
    zmsg_addmem(message, request_id.size == 0 ? "" : request_id.data, request_id.size);
    zmsg_addstr(message, zap_verdict_code(verdict));
    zmsg_addstr(message, zap_verdict_word(verdict));
    zmsg_addstr(message, user_id);
    zmsg_addmem(message, "", 0);
    zmsg_send(&message, self->zap);
}

static void serve_zap(actor_t *self)
{
    zmsg_t *request = zmsg_recv(self->zap);
    if (request == NULL)
        return;
    text_t frames[ZAP_FRAMES + 1];
    size_t count = 0;
    for (zframe_t *frame = zmsg_first(request); frame != NULL && count <= ZAP_FRAMES;
         frame = zmsg_next(request))
        frames[count++] = frame_text(frame);
    char user_id[KEY_TEXT_SIZE];
    zap_verdict_t verdict =
        zap_judge(frames, count, self->given->keys, &self->given->network, user_id);
    atomic_fetch_add(&self->given->counts->verdicts[verdict], 1);
    if (verdict != ZAP_WELCOME)
        log_refusal(self, verdict, frames, count);
    reply(self, verdict, count > 1 ? frames[1] : TEXT_NONE, user_id);
    zmsg_destroy(&request);
}

/* -- keys -- */

/*  Say what is wrong with the files, once, line by line. */
static void log_complaints(actor_t *self, char *complaints)
{
    bool news = strcmp(self->complaints, complaints) != 0;
    free(self->complaints);
    self->complaints = strdup(complaints);
    must(self->complaints != NULL);
    for (char *line = strtok(complaints, "\n"); news && line != NULL; line = strtok(NULL, "\n"))
        log_warning("a key is not in force", "file=\"%s\"", line);
}

static void adopt(actor_t *self, access_keys_t *keys)
{
    log_info("keys read", "in_force=%zu before=%zu", keys->count, self->given->keys->count);
    access_keys_destroy(&self->given->keys);
    self->given->keys = keys;
    access_keys_t *share = access_keys_share(keys);
    zmsg_t *mail = mail_new(MAIL_KEYS);
    mail_add(mail, &share, sizeof share);
    mail_send(&mail, self->reactor);
}

static int64_t ns_until(double wall_s, instant_t now)
{
    double left_s = wall_s - now.wall_s;
    return left_s * (double)NS_PER_S < (double)RESCAN_NS ? (int64_t)(left_s * (double)NS_PER_S) + 1
                                                         : RESCAN_NS;
}

static void read_keys(actor_t *self)
{
    char *complaints = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&complaints, &size);
    must(stream != NULL);
    instant_t now = clock_now();
    access_keys_t *keys = access_keys_load(self->given->directory, now.wall_s, stream);
    fclose(stream);
    log_complaints(self, complaints);
    free(complaints);
    self->read_again_ns = now.mono_ns + ns_until(keys->next_change_s, now);
    if (!keys->complete)
        self->read_again_ns = now.mono_ns + NS_PER_S;
    if (!keys->complete || access_keys_equal(self->given->keys, keys))
        access_keys_destroy(&keys);
    else
        adopt(self, keys);
}

static void take_changes(actor_t *self)
{
    char events[4096];
    while (read(self->watch, events, sizeof events) > 0)
        ;
    int64_t soon = clock_now().mono_ns + RELOAD_MS * INT64_C(1000000);
    if (soon < self->read_again_ns)
        self->read_again_ns = soon;
}

/* -- mail -- */

static void serve_reactor(actor_t *self)
{
    zmsg_t *mail = zmsg_recv(self->reactor);
    if (mail == NULL || mail_open(mail) != MAIL_NETWORK) {
        self->stopping = true; /* "$TERM" */
    } else {
        network_free(&self->given->network);
        mail_take_struct(mail, &self->given->network, sizeof self->given->network);
    }
    zmsg_destroy(&mail);
}

/* -- life -- */

/*  An earlier handler of this process may still be about to leave the address. */
static void bind_zap(zsock_t *zap)
{
    int64_t deadline = clock_now().mono_ns + NS_PER_S;
    while (zsock_bind(zap, ZAP_ADDRESS) < 0) {
        must(clock_now().mono_ns < deadline);
        zclock_sleep(1);
    }
}

static void set_up(actor_t *self, zsock_t *pipe, access_actor_t *given)
{
    *self = (actor_t){.given = given, .reactor = pipe, .complaints = strdup("")};
    self->zap = zsock_new(ZMQ_REP);
    must(self->zap != NULL);
    bind_zap(self->zap);
    self->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (self->watch < 0 ||
        inotify_add_watch(self->watch, given->directory,
                          IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE |
                              IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF) < 0)
        log_warning("changed keys are seen late", "error=\"%s\"", strerror(errno));
}

static void tear_down(actor_t *self)
{
    if (self->watch >= 0)
        close(self->watch);
    zsock_destroy(&self->zap);
    access_keys_destroy(&self->given->keys);
    network_free(&self->given->network);
    free(self->given->directory);
    free(self->given);
    free(self->complaints);
}

void access_actor(zsock_t *pipe, void *arguments)
{
    actor_t self;
    set_up(&self, pipe, arguments);
    zsock_signal(pipe, 0);
    while (!self.stopping) {
        zmq_pollitem_t items[] = {{.socket = zsock_resolve(pipe), .events = ZMQ_POLLIN},
                                  {.socket = zsock_resolve(self.zap), .events = ZMQ_POLLIN},
                                  {.fd = self.watch, .events = ZMQ_POLLIN}};
        zmq_poll(items, self.watch < 0 ? 2 : 3,
                 clock_wait_ms(clock_now(), self.read_again_ns, RESCAN_NS / 1000000));
        if ((items[0].revents & ZMQ_POLLIN) != 0)
            serve_reactor(&self);
        if ((items[1].revents & ZMQ_POLLIN) != 0)
            serve_zap(&self);
        if ((items[2].revents & ZMQ_POLLIN) != 0)
            take_changes(&self);
        if (clock_now().mono_ns >= self.read_again_ns)
            read_keys(&self);
    }
    tear_down(&self);
}
