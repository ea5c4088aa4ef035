/*  windows_actor - the thread that writes the windows to the disk, so that nobody waits for it.
 *
 *  Owns     the file of windows (broker/windows_file.h)
 *  Bounds   one snapshot at a time: it is asked for the next when it has answered
 *  Thread   its own; it speaks through its pipe (broker/mail.h)
 *
 *  What cannot be written is said once, and again when it can.
 */
#ifndef BROKER_WINDOWS_ACTOR_H
#define BROKER_WINDOWS_ACTOR_H

#include <czmq.h>

typedef struct {
    char directory[4096]; /* the store's */
} windows_actor_t;

/*  For zactor_new; the argument is a windows_actor_t on the heap, the actor's from then on. */
void windows_actor(zsock_t *pipe, void *arguments);

#endif
