#include "clients/libtocsin/place.h"

void place_begin(place_t *self, uint64_t seq)
{
    if (!self->fixed)
        self->given = seq;
    self->known = true;
}

void place_see_head(place_t *self, uint64_t head)
{
    if (head > self->head)
        self->head = head;
}

place_judgement_t place_judge(const place_t *self, uint64_t seq)
{
    if (!self->known || seq == self->given + 1)
        return PLACE_NEXT;
    return seq > self->given ? PLACE_EARLY : PLACE_OLD;
}

static void move_to(place_t *self, uint64_t seq)
{
    self->known = true;
    self->given = seq;
    self->retry_at = 0;
    self->vain_at = 0;
    place_see_head(self, seq);
}

void place_give(place_t *self, uint64_t seq)
{
    if (self->known)
        place_give_up(self, seq - 1);
    move_to(self, seq);
}

void place_give_up(place_t *self, uint64_t seq)
{
    if (seq <= self->given)
        return;
    self->lost += seq - self->given;
    move_to(self, seq);
}

void place_ask_later(place_t *self, uint64_t end, double now)
{
    if (self->vain_at == 0)
        self->vain_at = now;
    if (now - self->vain_at > PLACE_COMMIT_S)
        place_give_up(self, end);
    else
        self->retry_at = now + PLACE_RETRY_S;
}

bool place_has_hole(const place_t *self)
{
    return self->wanted && self->known && self->head > self->given;
}

uint64_t place_tell_lost(place_t *self)
{
    uint64_t lost = self->lost;
    self->lost = 0;
    return lost;
}

void place_begin_anew(place_t *self, uint64_t head)
{
    move_to(self, 0);
    self->head = head;
}
