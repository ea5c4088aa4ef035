#include "broker/access_curve.h"

#include "broker/access_zap.h"

/* zmq.h shows it to drafts only, but libzmq 4.3 has it; czmq 4.2.1's own setter sets nothing. */
#define ENFORCE_DOMAIN 93

#define OLDEST ZMQ_MAKE_VERSION(4, 3, 3)

bool access_curve_guard(zsock_t *socket, const char *secret_key)
{
    void *raw = zsock_resolve(socket);
    int major, minor, patch, yes = 1, mechanism = ZMQ_NULL;
    size_t size = sizeof mechanism;
    zmq_version(&major, &minor, &patch);
    return ZMQ_MAKE_VERSION(major, minor, patch) >= OLDEST &&
           zmq_setsockopt(raw, ZMQ_CURVE_SERVER, &yes, sizeof yes) == 0 &&
           zmq_setsockopt(raw, ZMQ_CURVE_SECRETKEY, secret_key, strlen(secret_key)) == 0 &&
           zmq_setsockopt(raw, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN, strlen(ZAP_DOMAIN)) == 0 &&
           zmq_setsockopt(raw, ENFORCE_DOMAIN, &yes, sizeof yes) == 0 &&
           zmq_getsockopt(raw, ZMQ_MECHANISM, &mechanism, &size) == 0 && mechanism == ZMQ_CURVE;
}
