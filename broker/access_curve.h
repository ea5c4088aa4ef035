/*  access_curve - makes a socket one that only known keys can connect to.
 *
 *  Thread   the socket's
 *  Refuses  a libzmq that cannot do it, rather than to listen without it
 */
#ifndef BROKER_ACCESS_CURVE_H
#define BROKER_ACCESS_CURVE_H

#include <czmq.h>
#include <stdbool.h>

/*  Before the socket is bound. False: this libzmq has no CURVE (rfc.zeromq.org/spec/26), does not
 *  enforce the domain, or is older than 4.3.3, which one silent connection could stop
 *  (CVE-2020-15166). */
bool access_curve_guard(zsock_t *socket, const char *secret_key);

#endif
