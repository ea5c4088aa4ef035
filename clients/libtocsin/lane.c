#include "clients/libtocsin/lane.h"

#include <stdlib.h>

/* -- batches -- */

batch_t *batch_new(buffer_t *frame, uint32_t events, uint64_t calls)
{
    batch_t *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    buffer_batch_count(frame, events);
    self->frame = *frame;
    self->calls = calls;
    *frame = (buffer_t){0};
    return self;
}

void batch_destroy(batch_t **self)
{
    if (*self == NULL)
        return;
    buffer_free(&(*self)->frame);
    free(*self);
    *self = NULL;
}

/* -- the queue -- */

void lane_init(lane_t *self, const lane_rules_t *rules)
{
    *self = (lane_t){.rules = *rules};
}

void lane_free(lane_t *self)
{
    for (batch_t *batch = lane_take(self); batch != NULL; batch = lane_take(self))
        batch_destroy(&batch);
    buffer_free(&self->open);
}

batch_t *lane_take(lane_t *self)
{
    batch_t *batch = self->first;
    if (batch == NULL)
        return NULL;
    self->first = batch->next;
    if (self->first == NULL)
        self->last = NULL;
    batch->next = NULL;
    return batch;
}

void lane_sent(lane_t *self, size_t bytes)
{
    self->waiting_bytes -= bytes;
    self->left++;
}

static void append(lane_t *self, batch_t *batch)
{
    if (self->last == NULL)
        self->first = batch;
    else
        self->last->next = batch;
    self->last = batch;
    self->waiting_bytes += batch->frame.size;
    self->closed++;
}

static bool has_room(const lane_t *self, size_t bytes)
{
    return self->waiting_bytes + self->open.size + bytes <= self->rules.capacity_bytes;
}

/*  Is there room for so much, after dropping the oldest if that is the rule? */
static bool make_room(lane_t *self, size_t bytes)
{
    bool may_drop = self->rules.when_full == TOCSIN_DROP_OLDEST;
    while (!has_room(self, bytes) && may_drop && self->first != NULL) {
        batch_t *oldest = lane_take(self);
        self->dropped += oldest->calls;
        lane_sent(self, oldest->frame.size);
        batch_destroy(&oldest);
    }
    return has_room(self, bytes);
}

bool lane_is_empty(const lane_t *self)
{
    return self->open_events == 0 && self->closed == self->left;
}

tocsin_status_t lane_add(lane_t *self, batch_t **batch)
{
    if (!make_room(self, (*batch)->frame.size)) {
        self->dropped += (*batch)->calls;
        batch_destroy(batch);
        return TOCSIN_DROPPED;
    }
    append(self, *batch);
    *batch = NULL;
    return TOCSIN_OK;
}

/* -- the batch that is being filled -- */

buffer_t *lane_begin(lane_t *self, double now, size_t *start)
{
    if (self->open_events == 0) {
        buffer_cut(&self->open, 0);
        buffer_batch_head(&self->open);
        self->opened_at = now;
    }
    *start = self->open.size;
    return &self->open;
}

bool lane_close(lane_t *self)
{
    if (self->open_events == 0)
        return true;
    batch_t *batch = batch_new(&self->open, self->open_events, self->open_events);
    if (batch == NULL)
        return false;
    self->open_events = 0;
    append(self, batch);
    return true;
}

tocsin_status_t lane_end(lane_t *self, size_t start)
{
    bool written = !self->open.failed;
    if (!written || !make_room(self, 0)) {
        buffer_cut(&self->open, start);
        self->dropped++;
        return written ? TOCSIN_DROPPED : TOCSIN_NO_MEMORY;
    }
    self->open_events++;
    /* a batch that cannot be closed for want of memory is closed by a later event */
    if (self->open_events >= self->rules.batch_events || self->open.size >= BATCH_BYTES_MAX)
        lane_close(self);
    return TOCSIN_OK;
}
