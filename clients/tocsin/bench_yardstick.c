#include "clients/tocsin/bench_yardstick.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <zmq.h>

/* As the broker sets them, so that neither has more room than the other. */
#define SINK_HWM 10000
#define PROXY_HWM 100000

static void *bind_free(void *context, int type, int hwm, char *address)
{
    size_t size = sizeof((bench_shared_t *)NULL)->addresses[0];
    void *socket = zmq_socket(context, type);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
    if (socket == NULL || zmq_bind(socket, "tcp://127.0.0.1:*") < 0 ||
        zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, address, &size) < 0)
        abort();
    return socket;
}

void bench_yardstick_sink(bench_shared_t *shared)
{
    void *socket = bind_free(zmq_ctx_new(), ZMQ_PULL, SINK_HWM, shared->addresses[0]);
    shared->ready = 1;
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, socket, 0) >= 0)
        atomic_fetch_add_explicit(&shared->frames, 1, memory_order_relaxed);
}

void bench_yardstick_proxy(bench_shared_t *shared)
{
    void *context = zmq_ctx_new();
    void *in = bind_free(context, ZMQ_XSUB, PROXY_HWM, shared->addresses[0]);
    void *out = bind_free(context, ZMQ_XPUB, PROXY_HWM, shared->addresses[1]);
    shared->ready = 1;
    zmq_proxy(in, out, NULL);
}
