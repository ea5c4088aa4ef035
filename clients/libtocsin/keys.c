#include "clients/libtocsin/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#define FILE_BYTES 4096u
#define OTHERS_ANYTHING 0077u

static bool fail(int reason)
{
    errno = reason;
    return false;
}

/*  Forty characters of Z85 that stand for 32 bytes. */
static bool copy_key(const char *text, size_t size, char key[KEY_SIZE])
{
    uint8_t bytes[32];
    if (text == NULL || size != KEY_SIZE - 1)
        return false;
    memcpy(key, text, size);
    key[size] = '\0';
    return zmq_z85_decode(bytes, key) != NULL;
}

/*  The value of a line `name: "value"`; Z85 has no quotation mark. */
static bool read_line(const char *text, const char *name, char key[KEY_SIZE])
{
    size_t length = strlen(name);
    for (const char *line = text; line != NULL;
         line = strchr(line, '\n') == NULL ? NULL : strchr(line, '\n') + 1)
        if (strncmp(line, name, length) == 0 && line[length] == ':') {
            const char *begin = strchr(line, '"');
            const char *end = begin == NULL ? NULL : strchr(begin + 1, '"');
            return end != NULL && copy_key(begin + 1, (size_t)(end - begin - 1), key);
        }
    return false;
}

static ssize_t read_private(const char *path, char text[FILE_BYTES])
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    ssize_t size = -1;
    if (fstat(file, &status) == 0 && (status.st_mode & OTHERS_ANYTHING) != 0)
        errno = EACCES;
    else
        size = read(file, text, FILE_BYTES - 1);
    int reason = errno;
    close(file);
    errno = reason;
    return size;
}

static bool read_file(keys_t *self, const char *path)
{
    char text[FILE_BYTES];
    ssize_t size = read_private(path, text);
    if (size < 0)
        return false;
    text[size] = '\0';
    bool good = read_line(text, "secret_key", self->secret_key) &&
                read_line(text, "public_key", self->public_key);
    explicit_bzero(text, sizeof text);
    return good || fail(EINVAL);
}

static bool find_in_environment(keys_t *self)
{
    const char *path = getenv("TOCSIN_KEY"), *server_key = getenv("TOCSIN_SERVER_KEY");
    if (path == NULL || path[0] == '\0')
        return true;
    if (server_key == NULL || !copy_key(server_key, strlen(server_key), self->server_key))
        return fail(EINVAL);
    return read_file(self, path);
}

bool keys_find(keys_t *self, const tocsin_keys_t *given)
{
    memset(self, 0, sizeof *self);
    bool good = true;
    if (given == NULL)
        good = find_in_environment(self);
    else if (given->public_key == NULL || given->secret_key == NULL || given->server_key == NULL ||
             !copy_key(given->public_key, strlen(given->public_key), self->public_key) ||
             !copy_key(given->secret_key, strlen(given->secret_key), self->secret_key) ||
             !copy_key(given->server_key, strlen(given->server_key), self->server_key))
        good = fail(EINVAL);
    if (!good)
        keys_forget(self);
    return good;
}

void keys_forget(keys_t *self)
{
    explicit_bzero(self, sizeof *self);
}

bool keys_apply(const keys_t *self, void *socket)
{
    if (self->server_key[0] == '\0')
        return true;
    return zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, self->server_key, KEY_SIZE - 1) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, self->public_key, KEY_SIZE - 1) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, self->secret_key, KEY_SIZE - 1) == 0;
}
