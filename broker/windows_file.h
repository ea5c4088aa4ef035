/*  windows_file - the one file in which the windows of the observability wing outlive the process.
 *
 *  Written beside it first, brought to the disk, then put in its place: there is always a whole
 * one, the old or the new (LWN, Ensuring data reaches disk, lwn.net/Articles/457667).
 *
 *  Owns     nothing; the file lies in the directory of the store, which one process holds
 *  Bounds   reads at most SNAPSHOT_BYTES_MAX twice over
 *  Thread   one at a time
 */
#ifndef BROKER_WINDOWS_FILE_H
#define BROKER_WINDOWS_FILE_H

#include "proto/text.h"

#include <msgpack/sbuffer.h>

#define WINDOWS_FILE_NAME "windows"

/*  Append all of it. 0, or the errno: ENOENT when there is none yet. */
int windows_file_read(const char *directory, msgpack_sbuffer *out);

/*  Put these bytes in its place. 0, or the errno: the old file then stays. */
int windows_file_write(const char *directory, text_t bytes);

#endif
