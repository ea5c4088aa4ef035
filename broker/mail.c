#include "broker/mail.h"

#include "proto/must.h"

#include <stdatomic.h>

/*  libzmq hands a mail from one thread to another by atomics that ThreadSanitizer does not see, for
 *  the library is not built for it. In such a build the same order is said once more. */
#ifdef __SANITIZE_THREAD__
static atomic_uint handed_over;

static void hand_over(void)
{
    atomic_fetch_add_explicit(&handed_over, 1, memory_order_acq_rel);
}

static zmsg_t *taken_over(zmsg_t *mail)
{
    (void)atomic_load_explicit(&handed_over, memory_order_acquire);
    return mail;
}
#else
static inline void hand_over(void)
{
}

static inline zmsg_t *taken_over(zmsg_t *mail)
{
    return mail;
}
#endif

zmsg_t *mail_new(mail_kind_t kind)
{
    zmsg_t *mail = zmsg_new();
    must(mail != NULL);
    unsigned char byte = (unsigned char)kind;
    zmsg_addmem(mail, &byte, 1);
    return mail;
}

void mail_add(zmsg_t *mail, const void *bytes, size_t size)
{
    must(zmsg_addmem(mail, bytes, size) == 0);
}

void mail_add_text(zmsg_t *mail, text_t text)
{
    mail_add(mail, text.size == 0 ? "" : text.data, text.size);
}

void mail_add_buffer(zmsg_t *mail, const msgpack_sbuffer *buffer)
{
    mail_add(mail, buffer->size == 0 ? "" : buffer->data, buffer->size);
}

mail_kind_t mail_open(zmsg_t *mail)
{
    zframe_t *frame = zmsg_pop(mail);
    unsigned kind = MAIL_NONE;
    if (frame != NULL && zframe_size(frame) == 1)
        kind = zframe_data(frame)[0];
    zframe_destroy(&frame);
    return kind < MAIL_COUNT ? (mail_kind_t)kind : MAIL_NONE;
}

zframe_t *mail_take(zmsg_t *mail)
{
    zframe_t *frame = zmsg_pop(mail);
    must(frame != NULL);
    return frame;
}

void mail_take_struct(zmsg_t *mail, void *out, size_t size)
{
    zframe_t *frame = mail_take(mail);
    must(zframe_size(frame) == size);
    memcpy(out, zframe_data(frame), size);
    zframe_destroy(&frame);
}

text_t frame_text(zframe_t *frame)
{
    return (text_t){(const char *)zframe_data(frame), zframe_size(frame)};
}

void mail_send(zmsg_t **mail, zsock_t *pipe)
{
    hand_over();
    must(zmsg_send(mail, pipe) == 0);
}

bool mail_try(zmsg_t **mail, zsock_t *pipe)
{
    hand_over();
    zframe_t *first = zmsg_pop(*mail);
    int flags = ZFRAME_DONTWAIT | (zmsg_size(*mail) > 0 ? ZFRAME_MORE : 0);
    bool sent = zframe_send(&first, pipe, flags) == 0;
    if (sent && zmsg_size(*mail) > 0)
        mail_send(mail, pipe); /* what has begun finds room */
    zframe_destroy(&first);
    zmsg_destroy(mail);
    return sent;
}

zmsg_t *mail_receive(zsock_t *pipe)
{
    /* asking first whether one waits costs a system call a mail */
    return taken_over(zmsg_recv_nowait(pipe));
}

zmsg_t *mail_wait(zsock_t *pipe)
{
    return taken_over(zmsg_recv(pipe));
}

void pipe_new(int most, zsock_t **one, zsock_t **other)
{
    static atomic_uint number; /* each pipe needs a name of its own */
    char name[64];
    snprintf(name, sizeof name, "inproc://pipe-%u", atomic_fetch_add(&number, 1));
    *one = zsock_new(ZMQ_PAIR);
    *other = zsock_new(ZMQ_PAIR);
    must(*one != NULL && *other != NULL);
    zsock_set_sndhwm(*one, most);
    zsock_set_rcvhwm(*one, most);
    zsock_set_sndhwm(*other, most);
    zsock_set_rcvhwm(*other, most);
    must(zsock_bind(*one, "%s", name) == 0 && zsock_connect(*other, "%s", name) == 0);
}
