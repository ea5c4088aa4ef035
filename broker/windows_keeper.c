#include "broker/windows_keeper.h"

#include "broker/log.h"
#include "broker/mail.h"
#include "broker/windows_actor.h"
#include "broker/windows_file.h"
#include "proto/must.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* How often it is looked whether the actor has answered. */
#define LOOK_NS (NS_PER_S / 10)

static void restore(observability_stack_t *stack, const char *directory)
{
    msgpack_sbuffer file;
    msgpack_sbuffer_init(&file);
    int error = windows_file_read(directory, &file);
    snapshot_state_t state = SNAPSHOT_GOOD;
    if (error == 0)
        state = stack_memory_restore(stack, (text_t){file.data, file.size});
    if (error != 0 && error != ENOENT)
        log_warning("the file of windows cannot be read, windows begin anew", "error=\"%s\"",
                    strerror(error));
    else if (state != SNAPSHOT_GOOD)
        log_warning("the file of windows is refused, windows begin anew",
                    "file=%s/%s reason=\"%s\"", directory, WINDOWS_FILE_NAME,
                    snapshot_words(state));
    else if (error == 0)
        log_info("windows go on", "bytes=%zu", file.size);
    msgpack_sbuffer_destroy(&file);
}

static void wait_interval(windows_keeper_t *self, instant_t now, double interval_s)
{
    self->state = KEEPER_IDLE;
    self->next_ns = now.mono_ns + (int64_t)(interval_s * (double)NS_PER_S);
}

void windows_keeper_init(windows_keeper_t *self, observability_stack_t *stack,
                         const char *directory, instant_t now, double interval_s)
{
    *self = (windows_keeper_t){.stack = stack};
    windows_actor_t *given = memory_new(1, sizeof *given);
    int size = snprintf(given->directory, sizeof given->directory, "%s", directory);
    must(size > 0 && (size_t)size < sizeof given->directory);
    restore(stack, directory);
    self->actor = zactor_new(windows_actor, given);
    must(self->actor != NULL);
    wait_interval(self, now, interval_s);
}

static void begin_walk(windows_keeper_t *self, bool watches)
{
    self->state = KEEPER_WALKING;
    self->walk = (stack_memory_t){.watches = watches};
    msgpack_sbuffer_init(&self->records);
    snapshot_begin(&self->records);
}

static void walk(windows_keeper_t *self, instant_t now)
{
    if (stack_memory_save(self->stack, &self->walk, now, &self->records))
        return;
    zmsg_t *mail = mail_new(MAIL_WINDOWS);
    mail_add(mail, &self->records, sizeof self->records);
    mail_send(&mail, zactor_sock(self->actor));
    self->state = KEEPER_WRITING;
    self->next_ns = now.mono_ns + LOOK_NS;
}

static bool is_kept(windows_keeper_t *self)
{
    zmsg_t *mail = mail_receive(zactor_sock(self->actor));
    bool kept = mail != NULL;
    zmsg_destroy(&mail);
    return kept;
}

bool windows_keeper_turn(windows_keeper_t *self, instant_t now, double interval_s)
{
    switch (self->state) {
    case KEEPER_IDLE:
        if (now.mono_ns >= self->next_ns)
            begin_walk(self, false);
        break;
    case KEEPER_WALKING:
        walk(self, now);
        break;
    case KEEPER_WRITING:
        self->next_ns = now.mono_ns + LOOK_NS;
        if (is_kept(self))
            wait_interval(self, now, interval_s);
        break;
    default:
        must_not("a state that the keeper does not have");
    }
    return self->state == KEEPER_WALKING;
}

int64_t windows_keeper_next(const windows_keeper_t *self)
{
    return self->next_ns;
}

static void wait_until_kept(windows_keeper_t *self)
{
    zmsg_t *mail = mail_wait(zactor_sock(self->actor));
    must(mail != NULL && mail_open(mail) == MAIL_WINDOWS_KEPT);
    zmsg_destroy(&mail);
    self->state = KEEPER_IDLE;
}

void windows_keeper_finish(windows_keeper_t *self, instant_t now)
{
    if (self->state == KEEPER_WRITING)
        wait_until_kept(self);
    if (self->state == KEEPER_WALKING)
        msgpack_sbuffer_destroy(&self->records);
    begin_walk(self, true);
    while (self->state == KEEPER_WALKING)
        walk(self, now);
    wait_until_kept(self);
    zactor_destroy(&self->actor);
}
