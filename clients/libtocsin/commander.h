/*  commander - what the subscriber needs of a commander besides tocsin.h: an ask within a time of
 * its own.
 */
#ifndef CLIENTS_LIBTOCSIN_COMMANDER_H
#define CLIENTS_LIBTOCSIN_COMMANDER_H

#include <tocsin.h>

/*  How long tocsin_ask waits from now on, seconds. */
void commander_set_timeout(tocsin_commander_t *self, double timeout);

/*  Does this command only look? Then it is sent without `once`: answering it twice does no harm,
 *  and the broker need not keep its answer. */
bool command_only_looks(const char *command);

#endif
