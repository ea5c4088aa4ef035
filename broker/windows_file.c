#include "broker/windows_file.h"

#include "engines/observability/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY_NAME WINDOWS_FILE_NAME ".new"
#define PATH_BYTES 8192
#define READ_BYTES (64u << 10)

static int path_of(const char *directory, const char *name, char path[PATH_BYTES])
{
    int size = snprintf(path, PATH_BYTES, "%s/%s", directory, name);
    return size > 0 && size < PATH_BYTES ? 0 : ENAMETOOLONG;
}

static int read_all(int file, msgpack_sbuffer *out)
{
    char bytes[READ_BYTES];
    for (;;) {
        ssize_t count = read(file, bytes, sizeof bytes);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return errno;
        if (count == 0)
            return 0;
        if (out->size + (size_t)count > 2 * (size_t)SNAPSHOT_BYTES_MAX)
            return EFBIG;
        if (msgpack_sbuffer_write(out, bytes, (size_t)count) != 0)
            return ENOMEM;
    }
}

int windows_file_read(const char *directory, msgpack_sbuffer *out)
{
    char path[PATH_BYTES];
    int error = path_of(directory, WINDOWS_FILE_NAME, path);
    if (error != 0)
        return error;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return errno;
    error = read_all(file, out);
    close(file);
    return error;
}

static int write_all(int file, text_t bytes)
{
    while (bytes.size > 0) {
        ssize_t count = write(file, bytes.data, bytes.size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return errno;
        bytes.data += count;
        bytes.size -= (size_t)count;
    }
    return fsync(file) == 0 ? 0 : errno;
}

static int write_new(const char *path, text_t bytes)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0)
        return errno;
    int error = write_all(file, bytes);
    if (close(file) != 0 && error == 0)
        error = errno;
    return error;
}

/* The name is on the disk when its directory is. */
static int sync_directory(const char *directory)
{
    int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return errno;
    int error = fsync(file) == 0 ? 0 : errno;
    close(file);
    return error;
}

int windows_file_write(const char *directory, text_t bytes)
{
    char temporary[PATH_BYTES], path[PATH_BYTES];
    int error = path_of(directory, TEMPORARY_NAME, temporary);
    if (error == 0)
        error = path_of(directory, WINDOWS_FILE_NAME, path);
    if (error == 0)
        error = write_new(temporary, bytes);
    if (error == 0 && rename(temporary, path) != 0)
        error = errno;
    return error == 0 ? sync_directory(directory) : error;
}
