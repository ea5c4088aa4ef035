#include "proto/notice.h"

#include <math.h>

#define NIL ((double)NAN)
#define ROWS(table) .fields = (table), .count = sizeof(table) / sizeof *(table)

const char *const told_words[] = {"nothing", "firing", "acknowledged", "resolved", NULL};

/* The words of Alertmanager's webhook, and what it has none for. */
const char *const notification_reason_words[] = {"first notification",
                                                 "new alerts added",
                                                 "alerts acknowledged",
                                                 "some alerts resolved",
                                                 "all alerts resolved",
                                                 "repeat interval elapsed",
                                                 "drill",
                                                 NULL};

static const field_t notice_fields[] = {
    {.key = "channel", .type = FIELD_NAME, .offset = offsetof(notice_t, channel)},
    {.key = "alert", .type = FIELD_ID, .offset = offsetof(notice_t, alert_id), .prefix = "ALT-"},
    {.key = "shown",
     .type = FIELD_RECORD,
     .offset = offsetof(notice_t, alert),
     .inner = &alert_schema},
    {.key = "description", .type = FIELD_TEXT, .offset = offsetof(notice_t, description)},
    {.key = "revision", .type = FIELD_UINT, .offset = offsetof(notice_t, revision)},
    {.key = "told", .type = FIELD_ENUM, .offset = offsetof(notice_t, told), .words = told_words},
    {.key = "told_at", .type = FIELD_TIME, .offset = offsetof(notice_t, told_at), .otherwise = NIL},
    {.key = "tried_at",
     .type = FIELD_TIME,
     .offset = offsetof(notice_t, tried_at),
     .otherwise = NIL},
    {.key = "may_know", .type = FIELD_BOOL, .offset = offsetof(notice_t, may_know)},
};
const schema_t notice_schema = {.name = "notice", .size = sizeof(notice_t), ROWS(notice_fields)};

static const field_t notification_fields[] = {
    {.key = "channel", .type = FIELD_NAME, .offset = offsetof(notification_t, channel)},
    {.key = "key", .type = FIELD_NAME, .offset = offsetof(notification_t, key)},
    {.key = "reason",
     .type = FIELD_ENUM,
     .offset = offsetof(notification_t, reason),
     .words = notification_reason_words},
    {.key = "group", .type = FIELD_LABELS, .offset = offsetof(notification_t, group)},
    {.key = "notices",
     .type = FIELD_RECORDS,
     .offset = offsetof(notification_t, notices),
     .count_offset = offsetof(notification_t, notice_count),
     .inner = &notice_schema},
    {.key = "truncated", .type = FIELD_UINT, .offset = offsetof(notification_t, truncated)},
};
const schema_t notification_schema = {
    .name = "notification", .size = sizeof(notification_t), ROWS(notification_fields)};

static const field_t letter_fields[] = {
    {.key = "letter", .type = FIELD_UINT, .offset = offsetof(letter_t, id)},
    {.key = "channel", .type = FIELD_NAME, .offset = offsetof(letter_t, channel)},
    {.key = "key", .type = FIELD_NAME, .offset = offsetof(letter_t, key)},
    {.key = "reason",
     .type = FIELD_ENUM,
     .offset = offsetof(letter_t, reason),
     .words = notification_reason_words},
    {.key = "alerts",
     .type = FIELD_IDS,
     .offset = offsetof(letter_t, alerts),
     .count_offset = offsetof(letter_t, alert_count),
     .prefix = "ALT-"},
    {.key = "error", .type = FIELD_TEXT, .offset = offsetof(letter_t, error)},
    {.key = "at", .type = FIELD_TIME, .offset = offsetof(letter_t, at), .otherwise = NIL},
    {.key = "notification",
     .type = FIELD_RAW,
     .flags = FIELD_HIDDEN,
     .offset = offsetof(letter_t, notification)},
};
const schema_t letter_schema = {.name = "letter", .size = sizeof(letter_t), ROWS(letter_fields)};

/* What was written under other limits is read all the same. */
static const limits_t any_limits = {.frame_bytes = UINT32_MAX,
                                    .batch = UINT32_MAX,
                                    .depth = UINT32_MAX,
                                    .name_bytes = UINT32_MAX,
                                    .labels = LABELS_MAX,
                                    .label_name_bytes = UINT32_MAX,
                                    .label_value_bytes = UINT32_MAX,
                                    .text_bytes = UINT32_MAX,
                                    .title_bytes = UINT32_MAX};

static bool read_packed(const schema_t *schema, text_t packed, arena_t *arena, void *out)
{
    cursor_t cursor = cursor_over(packed.data, packed.size);
    return cursor_check(packed.data, packed.size, CURSOR_DEPTH_MAX) == STATUS_OK &&
           schema_read(schema, &any_limits, &cursor, false, arena, out, NULL) == STATUS_OK;
}

bool notice_read(text_t packed, arena_t *arena, notice_t *notice)
{
    return read_packed(&notice_schema, packed, arena, notice);
}

bool notification_read(text_t packed, arena_t *arena, notification_t *notification)
{
    return read_packed(&notification_schema, packed, arena, notification);
}

bool notice_is_active(const notice_t *self)
{
    switch (self->alert.state) {
    case ALERT_FIRING:
    case ALERT_ACKNOWLEDGED:
    case ALERT_NO_DATA:
        return true;
    case ALERT_PENDING:
    case ALERT_RESOLVED:
    case ALERT_STATE_COUNT:
        break;
    }
    return false;
}

bool notice_is_muted(const notice_t *self)
{
    return self->alert.silenced_by.count > 0 || self->alert.inhibited_by_count > 0;
}
