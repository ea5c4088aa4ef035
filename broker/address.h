/*  address - may a notification be sent to this address?
 *
 *  Owns     nothing
 *  Thread   any
 *
 *  Asked of every address just before it is connected to, after names were resolved: a name that
 *  resolves to something else the second time changes nothing. Not public: the special-purpose
 *  registries of IANA (RFC 6890), IPv4 addresses inside IPv6 ones included, and the ports below
 * 1024 on which no web or mail server is expected.
 */
#ifndef BROKER_ADDRESS_H
#define BROKER_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

bool address_is_public(const struct sockaddr *address);

#endif
