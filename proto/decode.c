#include "proto/decode.h"

#include "proto/decode_inside.h"
#include "proto/decode_layout.h"
#include "proto/must.h"

#include <stdlib.h>

/*  A frame of one event must fit behind the slack whatever the limit. */
static size_t room_for(const limits_t *limits)
{
    return (size_t)(limits->batch > 0 ? limits->batch : 1) + BATCH_SLACK;
}

void metric_batch_init(metric_batch_t *self, const limits_t *limits)
{
    *self = (metric_batch_t){
        .capacity = room_for(limits),
        .series_capacity = limits->batch,
    };
    self->events = memory_new(self->capacity, sizeof *self->events);
    self->series = memory_new(self->series_capacity, sizeof *self->series);
    self->series_reasons = memory_new(self->series_capacity, sizeof *self->series_reasons);
    self->layouts = memory_new(1, sizeof *self->layouts);
}

void metric_batch_free(metric_batch_t *self)
{
    free(self->events);
    free(self->series);
    free(self->series_reasons);
    free(self->layouts);
    *self = (metric_batch_t){0};
}

void request_batch_init(request_batch_t *self, const limits_t *limits)
{
    *self = (request_batch_t){.capacity = room_for(limits)};
    self->events = memory_new(self->capacity, sizeof *self->events);
}

void request_batch_free(request_batch_t *self)
{
    free(self->events);
    *self = (request_batch_t){0};
}

void refuse_event(frame_t *self)
{
    if (!self->any_refused) {
        memset(self->refused, 0, sizeof self->refused);
        self->any_refused = true;
    }
    self->refused[self->reason]++;
}

/*  The decoder stops where it finds a frame broken, but a reason that stands before that one may
 *  hold further on: too deep and then truncated is malformed. */
static status_t refuse_frame(const limits_t *limits, const void *frame, size_t size)
{
    if (size > limits->frame_bytes)
        return STATUS_TOO_LARGE;
    status_t status = cursor_check(frame, size, limits->depth);
    return status == STATUS_OK ? STATUS_BATCH_TOO_LONG : status;
}

status_t close_frame(const frame_t *self, bool whole, const void *frame, size_t size,
                     tally_t *tally)
{
    tally->frames++;
    if (!whole) {
        status_t status = refuse_frame(self->limits, frame, size);
        tally->refused[status]++;
        return status;
    }
    for (size_t i = 0; self->any_refused && i < STATUS_COUNT; i++)
        tally->refused[i] += self->refused[i];
    return STATUS_OK;
}

bool skip_wrong(frame_t *self, uint32_t room, bool optional)
{
    bool nil = cursor_left(&self->cursor) > 0 && *self->cursor.at == 0xc0;
    if (!nil || !optional)
        blame(self, STATUS_WRONG_TYPE);
    return skip(self, room);
}

bool read_scalar(frame_t *self, uint32_t room, value_t *value)
{
    cursor_t before = self->cursor;
    if (!cursor_read(&self->cursor, value))
        return false;
    if (value->type != VALUE_ARRAY && value->type != VALUE_MAP)
        return true;
    self->cursor = before;
    return skip(self, room);
}

bool read_time(frame_t *self, uint32_t room, double *unix_s)
{
    value_t value;
    if (!read_scalar(self, room, &value))
        return false;
    if (value.type == VALUE_NIL)
        return true;
    status_t status = value_time(&value, unix_s);
    if (status != STATUS_OK)
        blame(self, status);
    return true;
}
