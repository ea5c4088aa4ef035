/*  bench_yardstick - the least that any program must do which takes the broker's place.
 *
 *  Thread   the whole of a child process (clients/tocsin/bench_process.h)
 */
#ifndef CLIENTS_TOCSIN_BENCH_YARDSTICK_H
#define CLIENTS_TOCSIN_BENCH_YARDSTICK_H

#include "clients/tocsin/bench_process.h"

/*  A PULL socket; frames are received and counted, not looked at. */
void bench_yardstick_sink(bench_shared_t *shared);

/*  An XSUB and an XPUB socket; what comes in goes out (zmq_proxy). */
void bench_yardstick_proxy(bench_shared_t *shared);

#endif
