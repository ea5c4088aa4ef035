/*  collect_probe - asks dependencies whether they are there, without ever waiting for one of them.
 *
 *  Owns     the transfers under way
 *  Bounds   at most one transfer a probe; a probe that has not ended is not begun again
 *  Time     each has PROBE_S, then it failed
 *  Refuses  what is neither NAME=tcp://HOST:PORT nor NAME=http(s)://...
 *
 *  tcp:// connects and hangs up; http(s):// gets the page, and a status of 400 or more is a
 * failure. Every probe is a new connection: that of the last time proves nothing.
 */
#ifndef CLIENTS_TOCSIN_COLLECT_PROBE_H
#define CLIENTS_TOCSIN_COLLECT_PROBE_H

#include "clients/tocsin/call.h"

#define PROBE_S 5

typedef struct probes probes_t;

/*  What came of one probe: `error` NULL if it is there. */
typedef void probe_taker_t(void *context, const char *dependency, double duration_s,
                           const char *error);

/*  From the --probe options of the call. NULL after one line on stderr. */
probes_t *probes_new(const call_t *call);
void probes_destroy(probes_t **self);

/*  Begin every probe that is not under way. */
void probes_begin(probes_t *self);

/*  Wait at most so long for anything to happen; tell what has ended. */
void probes_wait(probes_t *self, int wait_ms, probe_taker_t *take, void *context);

#endif
