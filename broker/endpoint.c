#include "broker/endpoint.h"

#include "broker/access_curve.h"
#include "broker/clock.h"
#include "broker/log.h"
#include "proto/must.h"

#include <errno.h>
#include <malloc.h>
#include <sysexits.h>

/* Frames that wait in a socket: ingest as ZeroMQ's own guide has it; a subscriber that is slow for
   a moment at 100,000 publications a second must lose nothing. */
#define INGEST_HWM 10000
#define EVENTS_HWM 100000

/* A frame over limits.frame must be seen to be counted; beyond this many times it the peer is cut
 * off. */
#define OVERSIZE 4u

#define BACKLOG 1024
#define HANDSHAKE_MS 5000
#define LINGER_MS 1000

/* A peer that vanished without a word is asked after 3 s and given up after 3 more (tcp(7)). */
#define IDLE_S 3
#define PROBE_S 1
#define PROBES 3
#define UNACKNOWLEDGED_MS 6000

/* The listener is closed by another thread, a moment after it was told to. */
#define REBIND_MS 1000

static bool is_local(const char *address)
{
    static const char *const local[] = {"ipc://", "inproc://", "tcp://127.",
                                        "tcp://localhost:", "tcp://[::1]:"};
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        if (strncmp(address, local[i], strlen(local[i])) == 0)
            return true;
    return false;
}

static zsock_t *make(int type, const char *address, uint64_t frame_bytes)
{
    zsock_t *socket = zsock_new(type);
    must(socket != NULL);
    zsock_set_rcvhwm(socket, INGEST_HWM);
    zsock_set_sndhwm(socket, EVENTS_HWM);
    zsock_set_linger(socket, LINGER_MS);
    zsock_set_backlog(socket, BACKLOG);
    zsock_set_handshake_ivl(socket, HANDSHAKE_MS);
    zsock_set_ipv6(socket, strchr(address, '[') != NULL);
    zsock_set_maxmsgsize(socket, (int)(frame_bytes * OVERSIZE));
    zsock_set_tcp_keepalive(socket, 1);
    zsock_set_tcp_keepalive_idle(socket, IDLE_S);
    zsock_set_tcp_keepalive_intvl(socket, PROBE_S);
    zsock_set_tcp_keepalive_cnt(socket, PROBES);
    zsock_set_tcp_maxrt(socket, UNACKNOWLEDGED_MS);
    return socket;
}

static void refuse(store_error_t *error, int exit_status, endpoint_t which, const char *address,
                   const char *words)
{
    error->exit_status = exit_status;
    snprintf(error->message, sizeof error->message, "endpoint %s: %s %s", endpoint_names[which],
             address, words);
}

/*  What stands against binding it; NULL: nothing. */
static const char *objection(const char *address, const endpoint_guard_t *guard)
{
    if (is_local(address))
        return NULL;
    if (guard->secret_key == NULL)
        return "is not on loopback, and there are no access rules";
    return guard->rules ? NULL
                        : "is not on loopback, and access.allow names no address that may connect";
}

zsock_t *endpoint_bind(endpoint_t which, int type, text_t address, const endpoint_guard_t *guard,
                       char bound[ENDPOINT_ADDRESS_SIZE], store_error_t *error)
{
    char text[ENDPOINT_ADDRESS_SIZE], words[128];
    snprintf(text, sizeof text, "%.*s", (int)address.size, address.data);
    const char *wrong = objection(text, guard);
    if (wrong != NULL) {
        refuse(error, EX_NOPERM, which, text, wrong);
        return NULL;
    }
    zsock_t *socket = make(type, text, guard->frame_bytes);
    if (guard->secret_key != NULL && !access_curve_guard(socket, guard->secret_key)) {
        refuse(error, EX_NOPERM, which, text, "cannot be guarded by this libzmq");
        zsock_destroy(&socket);
    } else if (zsock_bind(socket, "%s", text) < 0) {
        snprintf(words, sizeof words, "cannot be bound: %s", zmq_strerror(zmq_errno()));
        refuse(error, EX_UNAVAILABLE, which, text, words);
        zsock_destroy(&socket);
    }
    if (socket == NULL)
        return NULL;
    char *last = zsock_last_endpoint(socket);
    snprintf(bound, ENDPOINT_ADDRESS_SIZE, "%s", last);
    freen(last);
    return socket;
}

bool endpoint_rebind(zsock_t *socket, const char *bound)
{
    /* ENOENT: it is not bound since an earlier call failed */
    zsock_unbind(socket, "%s", bound);
    int64_t deadline = clock_now().mono_ns + REBIND_MS * INT64_C(1000000);
    while (zsock_bind(socket, "%s", bound) < 0) {
        if (clock_now().mono_ns > deadline) {
            log_error("an endpoint cannot be bound again", "address=%s error=\"%s\"", bound,
                      zmq_strerror(zmq_errno()));
            return false;
        }
        zclock_sleep(1);
    }
    malloc_trim(0);
    return true;
}
