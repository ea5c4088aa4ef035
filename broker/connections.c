#include "broker/connections.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* TCP_LISTEN: <netinet/tcp.h> has it, but an older tcp_info without the bytes. */
#define LISTENING 10

uint16_t connections_port(const char *address)
{
    const char *colon = strrchr(address, ':');
    if (strncmp(address, "tcp://", 6) != 0 || colon == NULL)
        return 0;
    return (uint16_t)strtoul(colon + 1, NULL, 10);
}

/*  0: it is no TCP socket. */
static uint16_t local_port(int descriptor)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t size = sizeof address;
    if (getsockname(descriptor, &address.any, &size) != 0)
        return 0;
    if (address.any.sa_family == AF_INET)
        return ntohs(address.v4.sin_port);
    return address.any.sa_family == AF_INET6 ? ntohs(address.v6.sin6_port) : 0;
}

static void add(connections_t *connections, int descriptor)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        info.tcpi_state == LISTENING)
        return;
    connections->open++;
    connections->received += info.tcpi_bytes_received;
}

size_t connections_survey(const uint16_t *ports, connections_t *connections, size_t count)
{
    size_t descriptors = 0;
    memset(connections, 0, count * sizeof *connections);
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        int descriptor = atoi(entry->d_name);
        descriptors += entry->d_name[0] != '.';
        uint16_t port = entry->d_name[0] == '.' ? 0 : local_port(descriptor);
        for (size_t i = 0; port != 0 && i < count; i++)
            if (ports[i] == port)
                add(&connections[i], descriptor);
    }
    if (directory != NULL)
        closedir(directory);
    return descriptors;
}
