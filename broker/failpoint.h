/*  failpoint - named places in the code at which a test ends the process, as kill -9 would.
 *
 *  TOCSIN_FAILPOINT=name@n in the environment ends it the n-th time (default 1) that the place is
 *  passed. Compiled in where the build has TOCSIN_FAILPOINTS, as that of the tests has: a release
 *  holds nothing of it.
 *  (Failpoints as in etcd's and FreeBSD's fail(9).)
 */
#ifndef BROKER_FAILPOINT_H
#define BROKER_FAILPOINT_H

#ifdef TOCSIN_FAILPOINTS

void failpoint_pass(const char *name);
#define FAILPOINT(name) failpoint_pass(name)

#else

#define FAILPOINT(name) ((void)0)

#endif
#endif
