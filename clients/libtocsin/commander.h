/*  commander - what the subscriber needs of a commander besides tocsin.h. */
#ifndef CLIENTS_LIBTOCSIN_COMMANDER_H
#define CLIENTS_LIBTOCSIN_COMMANDER_H

#include <tocsin.h>

/*  How long tocsin_ask waits from now on, seconds. */
void commander_set_timeout(tocsin_commander_t *self, double timeout);

/*  A descriptor that is readable when an answer may have come (zmq_getsockopt, ZMQ_FD); -1 on
 *  failure, with errno. */
int commander_fd(const tocsin_commander_t *self);

/*  Does this command only look? Then it is sent without `once`: answering it twice does no harm,
 *  and the broker need not keep its answer. */
bool command_only_looks(const char *command);

#endif
