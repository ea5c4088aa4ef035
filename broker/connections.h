/*  connections - what the kernel knows of the process's TCP connections: how many there are to each
 *  port, and how many bytes they have sent.
 *
 *  Owns     nothing
 *  Time     a few microseconds a descriptor: not for every turn
 *  Thread   any
 *
 *  The parts of a message that never ends are held by ZeroMQ where nobody can see them. What a
 *  connection has sent (tcpi_bytes_received, tcp(7)) and what was taken from its socket differ by
 *  just that.
 */
#ifndef BROKER_CONNECTIONS_H
#define BROKER_CONNECTIONS_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t open;
    uint64_t received; /* bytes, by those that are open */
} connections_t;

/*  Fill in `count` ports (0: none). Answers how many descriptors of any kind the process has; 0:
 *  there is not even one left to look with. */
size_t connections_survey(const uint16_t *ports, connections_t *connections, size_t count);

/*  The port in "tcp://127.0.0.1:7701"; 0: it has none. */
uint16_t connections_port(const char *address);

#endif
