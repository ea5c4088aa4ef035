#include "broker/notifier_words.h"

#include "broker/rfc3339.h"
#include "engines/operations/notification_rules.h"
#include "proto/must.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A value of a field: the longest free text, each byte of it escaped. */
#define VALUE_BYTES (16384u * 6u)

/*  The notification whose fields are looked up, and of which of its alerts. */
typedef struct {
    const channel_t *channel;
    const notification_t *notification;
    const notice_t *notice;
    words_format_t format;
    bool is_line;
    char raw[VALUE_BYTES], escaped[VALUE_BYTES];
} fields_t;

text_t words_summary(const notice_t *notice)
{
    return notice->alert.message.size > 0 ? notice->alert.message : notice->alert.policy;
}

const char *words_status(const notice_t *notice)
{
    return notice_is_active(notice) ? "firing" : "resolved";
}

static uint32_t count_firing(const notification_t *notification)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < notification->notice_count; i++)
        count += notice_is_active(&notification->notices[i]);
    return count;
}

bool words_is_firing(const notification_t *notification)
{
    return count_firing(notification) > 0;
}

/* -- fields -- */

static text_t write_number(fields_t *self, double number)
{
    int size = isnan(number) ? 0 : snprintf(self->raw, sizeof self->raw, "%.10g", number);
    return (text_t){self->raw, (size_t)size};
}

static text_t write_id(fields_t *self, const char *prefix, uint64_t id)
{
    int size = id == 0 ? 0 : snprintf(self->raw, sizeof self->raw, "%s%" PRIu64, prefix, id);
    return (text_t){self->raw, (size_t)size};
}

static text_t write_labels(fields_t *self)
{
    notification_text_t out = {self->raw, 0, sizeof self->raw, false};
    label_t label;
    for (uint32_t at = 0; labels_next(self->notice->alert.labels, &at, &label);) {
        if (out.used > 0)
            notification_text_add(&out, TEXT_OF(", "));
        notification_text_add(&out, label.name);
        notification_text_add(&out, TEXT_OF("="));
        notification_text_add(&out, label.value);
    }
    return notification_text(&out);
}

static text_t write_time(fields_t *self, double time_s)
{
    return isnan(time_s) ? TEXT_OF("") : text_of(rfc3339(time_s, self->raw));
}

static text_t write_fingerprint(fields_t *self)
{
    int size =
        snprintf(self->raw, sizeof self->raw, "%016" PRIx64, self->notice->alert.fingerprint);
    return (text_t){self->raw, (size_t)size};
}

static text_t get_status(fields_t *self)
{
    return text_of(words_status(self->notice));
}

static text_t get_alertname(fields_t *self)
{
    return self->notice->alert.policy;
}

static text_t get_severity(fields_t *self)
{
    return text_of(severity_words[self->notice->alert.severity]);
}

static text_t get_message(fields_t *self)
{
    return words_summary(self->notice);
}

static text_t get_description(fields_t *self)
{
    return self->notice->description;
}

static text_t get_value(fields_t *self)
{
    return write_number(self, self->notice->alert.value);
}

static text_t get_alert(fields_t *self)
{
    return write_id(self, "ALT-", self->notice->alert_id);
}

static text_t get_incident(fields_t *self)
{
    return write_id(self, "INC-", self->notice->alert.incident);
}

static text_t get_runbook(fields_t *self)
{
    return self->notice->alert.runbook;
}

static text_t get_fired_at(fields_t *self)
{
    return write_time(self, self->notice->alert.fired_at);
}

static text_t get_resolved_at(fields_t *self)
{
    return write_time(self, self->notice->alert.resolved_at);
}

static text_t get_channel(fields_t *self)
{
    return self->channel->name;
}

static text_t get_reason(fields_t *self)
{
    return text_of(notification_reason_words[self->notification->reason]);
}

static text_t get_count(fields_t *self)
{
    return write_number(self, self->notification->notice_count);
}

static const struct {
    const char *name;
    text_t (*get)(fields_t *);
} getters[] = {
    {"status", get_status},
    {"alertname", get_alertname},
    {"severity", get_severity},
    {"message", get_message},
    {"description", get_description},
    {"value", get_value},
    {"alert", get_alert},
    {"incident", get_incident},
    {"runbook", get_runbook},
    {"fingerprint", write_fingerprint},
    {"labels", write_labels},
    {"fired_at", get_fired_at},
    {"resolved_at", get_resolved_at},
    {"channel", get_channel},
    {"reason", get_reason},
    {"count", get_count},
};

/*  TEXT_NONE: there is no such field; what it does not have is empty. */
static text_t find_value(fields_t *self, text_t field)
{
    text_t value = TEXT_NONE;
    bool known = text_begins(field, TEXT_OF("labels."));
    if (known)
        value = notification_label(&self->notice->alert, (text_t){field.data + 7, field.size - 7});
    for (size_t i = 0; !known && i < sizeof getters / sizeof *getters; i++) {
        known = text_is(field, getters[i].name);
        if (known)
            value = getters[i].get(self);
    }
    return known && value.data == NULL ? TEXT_OF("") : value;
}

/* -- escaping -- */

static const char *escape_of(char c, words_format_t format)
{
    if (format == WORDS_PLAIN)
        return NULL;
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return format == WORDS_HTML ? "&quot;" : NULL;
    case '\n':
        return format == WORDS_HTML ? "<br>" : NULL;
    default:
        return NULL;
    }
}

/*  In runs, so that what is cut is cut between characters. */
static void escape(const fields_t *self, text_t value, notification_text_t *out)
{
    size_t begin = 0;
    for (size_t i = 0; i < value.size; i++) {
        const char *instead = escape_of(value.data[i], self->format);
        if (self->is_line && (value.data[i] == '\n' || value.data[i] == '\t'))
            instead = " ";
        if (instead == NULL)
            continue;
        notification_text_add(out, (text_t){value.data + begin, i - begin});
        notification_text_add(out, text_of(instead));
        begin = i + 1;
    }
    notification_text_add(out, (text_t){value.data + begin, value.size - begin});
}

static text_t look(void *context, text_t field)
{
    fields_t *self = context;
    text_t value = find_value(self, field);
    if (value.data == NULL)
        return TEXT_NONE;
    notification_text_t out = {self->escaped, 0, sizeof self->escaped, false};
    escape(self, value, &out);
    return notification_text(&out);
}

/* -- title and text -- */

static fields_t *new_fields(const channel_t *channel, const notification_t *notification,
                            words_format_t format)
{
    fields_t *fields = memory_new(1, sizeof *fields);
    fields->channel = channel;
    fields->notification = notification;
    fields->format = format;
    return fields;
}

static const char *title_of(const notification_t *notification)
{
    if (notification->reason == REASON_DRILL)
        return "[DRILL] ${alertname}: ${message}";
    if (!words_is_firing(notification))
        return "[RESOLVED] ${alertname} (${severity})";
    return notification->notice_count == 1 ? "[FIRING] ${alertname} (${severity}): ${message}"
                                           : "[FIRING] ${alertname} (${severity}), ${count} alerts";
}

void words_title(const channel_t *channel, const notification_t *notification,
                 words_format_t format, notification_text_t *out)
{
    fields_t *fields = new_fields(channel, notification, format);
    fields->notice = &notification->notices[0];
    fields->is_line = true;
    field_source_t source = {look, fields};
    bool by_template = channel->title.size > 0 && notification->reason != REASON_DRILL;
    if (!by_template || !notification_text_expand(out, channel->title, source))
        notification_text_expand(out, text_of(title_of(notification)), source);
    free(fields);
}

static const char *text_of_alert(const notice_t *notice)
{
    if (notice_is_active(notice))
        return isnan(notice->alert.value)
                   ? "${status} ${alert} ${severity} ${alertname}: ${message} {${labels}}"
                   : "${status} ${alert} ${severity} ${alertname}: ${message} {${labels}} = "
                     "${value}";
    return "${status} ${alert} ${severity} ${alertname}: ${message} {${labels}}";
}

void words_text(const channel_t *channel, const notification_t *notification, words_format_t format,
                notification_text_t *out)
{
    fields_t *fields = new_fields(channel, notification, format);
    field_source_t source = {look, fields};
    for (uint32_t i = 0; i < notification->notice_count && !out->cut; i++) {
        fields->notice = &notification->notices[i];
        if (i > 0)
            notification_text_add(out, format == WORDS_HTML ? TEXT_OF("<br>\n") : TEXT_OF("\n"));
        if (channel->text.size == 0 || !notification_text_expand(out, channel->text, source))
            notification_text_expand(out, text_of(text_of_alert(fields->notice)), source);
    }
    free(fields);
}
