/*  How long from the event to who hears of it? Beside a bare SQLite commit of a row as large, since
 *  an alert is published after its own. */
#include "clients/libtocsin/clock.h"
#include "clients/tocsin/bench_drive.h"

#include <poll.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define TRIES 1000u /* of each kind a round */
#define PATIENCE_MS 10000

#define FLOOD_PER_MS 1000u /* a million events a second */
#define FLOOD_FRAME 100u

/* A new series has enough history after so many values. */
#define HISTORY 12u

#define ROW_BYTES 700u /* what an alert and its publication come to */

static const char config[] = "limits: {series: 1200000, memory: 8GiB}\n"
                             "policies: [{name: pulse, condition: pulse > 1, severity: low, "
                             "channels: []}]\n";

typedef struct {
    bench_process_t broker;
    void *context, *push, *alerts, *anomalies;
    sqlite3 *database;
    sqlite3_stmt *insert;
    char folder[48];
    pthread_t flooder;
    atomic_bool flooding;
    uint32_t serial;
} latency_t;

typedef struct {
    double values[TRIES];
    size_t count;
} waits_t;

/* -- the bare commit -- */

static bool open_database(latency_t *self)
{
    char path[80];
    snprintf(self->folder, sizeof self->folder, "/tmp/tocsin-bench-XXXXXX");
    if (mkdtemp(self->folder) == NULL)
        return false;
    snprintf(path, sizeof path, "%s/bare.db", self->folder);
    return sqlite3_open(path, &self->database) == SQLITE_OK &&
           sqlite3_exec(self->database,
                        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
                        "PRAGMA synchronous=FULL; CREATE TABLE row (body BLOB)",
                        NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_prepare_v2(self->database, "INSERT INTO row VALUES (zeroblob(?))", -1,
                              &self->insert, NULL) == SQLITE_OK;
}

static void close_database(latency_t *self)
{
    char path[80];
    sqlite3_finalize(self->insert);
    sqlite3_close(self->database);
    snprintf(path, sizeof path, "%s/bare.db", self->folder);
    remove(path);
    remove(self->folder);
}

static bool commit_bare(latency_t *self, waits_t *waits)
{
    double started = clock_now();
    sqlite3_bind_int(self->insert, 1, ROW_BYTES);
    bool good = sqlite3_step(self->insert) == SQLITE_DONE;
    sqlite3_reset(self->insert);
    waits->values[waits->count++] = clock_now() - started;
    return good;
}

/* -- the events -- */

static size_t write_pulse(char *frame, int value)
{
    static const char event[] = "\x83\xa4name\xa5pulse\xa4kind\xa5gauge\xa5value";
    memcpy(frame, event, sizeof event - 1);
    frame[sizeof event - 1] = (char)value;
    return sizeof event;
}

/*  Wait for a publication whose topic the socket takes, and throw it away. */
static bool wait_publication(void *socket)
{
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    if (zmq_poll(&item, 1, PATIENCE_MS) != 1) {
        fprintf(stderr, "tocsin bench: no publication came\n");
        return false;
    }
    char part[8192];
    int more = 1;
    size_t size = sizeof more;
    while (more && zmq_recv(socket, part, sizeof part, 0) >= 0)
        zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size);
    return true;
}

/*  Fire and resolve: only the firing is timed. */
static bool pulse(latency_t *self, waits_t *waits)
{
    char frame[64];
    double started = clock_now();
    zmq_send(self->push, frame, write_pulse(frame, 2), 0);
    if (!wait_publication(self->alerts))
        return false;
    waits->values[waits->count++] = clock_now() - started;
    zmq_send(self->push, frame, write_pulse(frame, 0), 0);
    return wait_publication(self->alerts);
}

static size_t write_wobble(char *frame, uint32_t serial, const char *values, size_t count)
{
    char series[16];
    int named = snprintf(series, sizeof series, "%08u", serial);
    static const char event[] = "\x84\xa4name\xa6wobble\xa4kind\xa5gauge\xa6labels\x81\xa1n\xa8";
    memcpy(frame, event, sizeof event - 1);
    size_t at = sizeof event - 1;
    memcpy(frame + at, series, (size_t)named);
    at += (size_t)named;
    static const char key[] = "\xa6values";
    memcpy(frame + at, key, sizeof key - 1);
    at += sizeof key - 1;
    frame[at++] = (char)(0x90 + count);
    memcpy(frame + at, values, count);
    return at + count;
}

/*  A series of its own that has been steady, then is not. */
static bool wobble(latency_t *self, waits_t *waits)
{
    char frame[128], steady[HISTORY], spike = 100;
    memset(steady, 1, sizeof steady);
    self->serial++;
    zmq_send(self->push, frame, write_wobble(frame, self->serial, steady, HISTORY), 0);
    double started = clock_now();
    zmq_send(self->push, frame, write_wobble(frame, self->serial, &spike, 1), 0);
    if (!wait_publication(self->anomalies))
        return false;
    waits->values[waits->count++] = clock_now() - started;
    return true;
}

/* -- the flood -- */

static void *flood(void *argument)
{
    latency_t *self = argument;
    bench_load_t load;
    bench_load_make(&load,
                    (load_shape_t){.series = 1000, .batch = FLOOD_FRAME, .events = FLOOD_PER_MS});
    void *socket = zmq_socket(self->context, ZMQ_PUSH);
    int linger = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_connect(socket, self->broker.addresses[ADDRESS_METRICS]);
    double next = clock_now();
    while (self->flooding && bench_load_send(&load, socket))
        for (next += 0.001; clock_now() < next;)
            poll(NULL, 0, 1);
    zmq_close(socket);
    bench_load_free(&load);
    return NULL;
}

/* -- rounds -- */

static void *subscribe(latency_t *self, const char *topic)
{
    void *socket = zmq_socket(self->context, ZMQ_SUB);
    zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, strlen(topic));
    zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "heartbeat", 9);
    zmq_connect(socket, self->broker.addresses[ADDRESS_EVENTS]);
    if (!wait_publication(socket)) /* the heartbeat: it is connected */
        return socket;
    zmq_setsockopt(socket, ZMQ_UNSUBSCRIBE, "heartbeat", 9);
    return socket;
}

static bool open_latency(latency_t *self)
{
    memset(self, 0, sizeof *self);
    if (!open_database(self) || !bench_process_broker(&self->broker, config, BENCH_CPU_MEASURED))
        return false;
    self->context = zmq_ctx_new();
    self->push = zmq_socket(self->context, ZMQ_PUSH);
    self->alerts = subscribe(self, "alert.");
    self->anomalies = subscribe(self, "anomaly.wobble");
    return zmq_connect(self->push, self->broker.addresses[ADDRESS_METRICS]) == 0;
}

static void close_latency(latency_t *self)
{
    void *sockets[] = {self->push, self->alerts, self->anomalies};
    for (size_t i = 0; i < 3; i++)
        if (sockets[i] != NULL)
            zmq_close(sockets[i]);
    if (self->context != NULL)
        zmq_ctx_term(self->context);
    bench_process_stop(&self->broker);
    close_database(self);
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double wait_at(waits_t *waits, double share)
{
    qsort(waits->values, waits->count, sizeof *waits->values, compare);
    return waits->values[(size_t)(share * (double)(waits->count - 1) + 0.5)] * 1e6;
}

static const struct {
    const char *name;
    double share;
} points[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}};

#define POINTS (sizeof points / sizeof *points)

typedef struct {
    bench_row_t alerts[POINTS], anomalies[POINTS];
} rows_t;

static bool take_round(latency_t *self, rows_t *rows)
{
    waits_t alerts = {.count = 0}, anomalies = {.count = 0}, bare = {.count = 0};
    for (uint32_t i = 0; i < TRIES; i++)
        if (!commit_bare(self, &bare) || !pulse(self, &alerts) || !wobble(self, &anomalies))
            return false;
    for (size_t i = 0; i < POINTS; i++) {
        double commit = wait_at(&bare, points[i].share);
        bench_rounds_add(&rows->alerts[i].cost, wait_at(&alerts, points[i].share));
        bench_rounds_add(&rows->alerts[i].yardstick, commit);
        bench_rounds_add(&rows->alerts[i].ratio, wait_at(&alerts, points[i].share) / commit);
        bench_rounds_add(&rows->anomalies[i].cost, wait_at(&anomalies, points[i].share));
    }
    return true;
}

static void report(const bench_options_t *options, bench_row_t *rows, const char *what,
                   const char *when)
{
    for (size_t i = 0; i < POINTS; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s %s, %s", what, points[i].name, when);
        rows[i].name = name;
        rows[i].unit = "µs";
        bench_report_row(options, &rows[i]);
    }
}

static bool measure(latency_t *self, const bench_options_t *options, const char *when)
{
    rows_t *rows = calloc(1, sizeof *rows);
    bool good = rows != NULL;
    for (uint32_t i = 0; good && i < options->rounds; i++)
        good = take_round(self, rows);
    if (good) {
        report(options, rows->alerts, "event to alert", when);
        report(options, rows->anomalies, "event to anomaly", when);
    }
    free(rows);
    return good;
}

bool bench_latency(const bench_options_t *options)
{
    latency_t latency;
    bool good = open_latency(&latency) && measure(&latency, options, "idle");
    if (good) {
        latency.flooding = true;
        good = pthread_create(&latency.flooder, NULL, flood, &latency) == 0;
        if (good) {
            good = measure(&latency, options, "1M events/s");
            latency.flooding = false;
            pthread_join(latency.flooder, NULL);
        }
    }
    close_latency(&latency);
    return good;
}
