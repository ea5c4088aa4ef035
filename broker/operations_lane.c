#include "broker/lane.h"
#include "broker/mail.h"
#include "broker/operations_inside.h"
#include "proto/must.h"

static void take_event(operations_t *self, text_t event, const char *user_id)
{
    command_t command;
    schema_error_t error;
    status_t status =
        command_read(&self->given->config->limits, event, true, &self->arena, &command, &error);
    if (status == STATUS_OK)
        status = operations_admit(self, user_id, &command, &error);
    if (status != STATUS_OK) {
        self->tally.refused[status]++;
        return;
    }
    status = operations_execute(self, &command).status;
    if (status == STATUS_OK) {
        self->pending_accepted++;
    } else {
        self->tally.accepted++;
        self->tally.dropped[status]++;
    }
}

status_t operations_check_frame(const limits_t *limits, text_t frame, cursor_t *cursor,
                                uint32_t *count)
{
    value_t value;
    if (frame.size > limits->frame_bytes)
        return STATUS_TOO_LARGE;
    status_t status = cursor_check(frame.data, frame.size, limits->depth);
    if (status != STATUS_OK)
        return status;
    *cursor = cursor_over(frame.data, frame.size);
    *count = 1;
    cursor_t inside = *cursor;
    must(cursor_read(&inside, &value));
    if (value.type != VALUE_ARRAY)
        return STATUS_OK;
    *cursor = inside;
    *count = value.as.count;
    return *count > limits->batch ? STATUS_BATCH_TOO_LONG : STATUS_OK;
}

static void take_frame(operations_t *self, zmq_msg_t *message)
{
    const char *user_id = zmq_msg_gets(message, "User-Id");
    text_t frame = {zmq_msg_data(message), zmq_msg_size(message)};
    cursor_t cursor;
    uint32_t count = 0;
    self->tally.frames++;
    status_t status = operations_check_frame(&self->given->config->limits, frame, &cursor, &count);
    if (status != STATUS_OK) {
        self->tally.refused[status]++;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = cursor.at;
        must(cursor_skip(&cursor));
        take_event(self, (text_t){(const char *)at, (size_t)(cursor.at - at)}, user_id);
        arena_reset(&self->arena);
    }
}

bool operations_serve_lane(operations_t *self)
{
    block_t *block = block_take(self->given->incidents);
    if (block == NULL)
        return false;
    for (size_t i = 0; i < block->count; i++)
        take_frame(self, &block->frames[i]);
    if (block_return(block)) {
        unsigned char lane = LANE_INCIDENTS;
        zmsg_t *mail = mail_new(MAIL_ROOM);
        mail_add(mail, &lane, 1);
        mail_send(&mail, self->reactor);
    }
    return true;
}
