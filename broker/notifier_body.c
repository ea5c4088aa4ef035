#include "broker/notifier_body.h"

#include "broker/channel.h"
#include "broker/notifier_words.h"
#include "broker/rfc3339.h"
#include "proto/must.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the services take of a text; a mail may be longer. */
#define SLACK_BYTES 3000u
#define TITLE_BYTES 1024u
#define MAIL_BYTES (256u * 1024u)

/* An alert that Alertmanager hears nothing more of ends after so long: as its own resolve_timeout.
 */
#define KEPT_ALIVE_S 300.0

/* -- values -- */

static json_t *json_text(text_t text)
{
    return json_stringn(text.size == 0 ? "" : text.data, text.size);
}

static json_t *json_time(double time_s)
{
    char text[RFC3339_BYTES];
    return json_string(rfc3339(time_s, text));
}

static void set_text(json_t *object, const char *key, text_t text)
{
    if (text.size > 0)
        json_object_set_new(object, key, json_text(text));
}

static void set_label(json_t *object, text_t name, text_t value)
{
    char key[LABELS_MAX_BYTES / LABELS_MAX];
    int size = snprintf(key, sizeof key, "%.*s", (int)name.size, name.data);
    must(size >= 0 && (size_t)size < sizeof key);
    json_object_set_new(object, key, json_text(value));
}

static void set_id(json_t *object, const char *key, const char *prefix, uint64_t id)
{
    char text[32];
    if (id == 0)
        return;
    snprintf(text, sizeof text, "%s%" PRIu64, prefix, id);
    json_object_set_new(object, key, json_string(text));
}

static void set_number(json_t *object, const char *key, double number)
{
    char text[32];
    if (isnan(number))
        return;
    snprintf(text, sizeof text, "%.10g", number);
    json_object_set_new(object, key, json_string(text));
}

static json_t *json_fingerprint(const alert_t *alert)
{
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, alert->fingerprint);
    return json_string(text);
}

static json_t *json_labels(const alert_t *alert)
{
    json_t *labels = json_object();
    label_t label;
    for (uint32_t at = 0; labels_next(alert->labels, &at, &label);)
        set_label(labels, label.name, label.value);
    set_label(labels, TEXT_OF("alertname"), alert->policy);
    set_label(labels, TEXT_OF("severity"), text_of(severity_words[alert->severity]));
    return labels;
}

/*  What is said of an alert and is no part of its identity. */
static json_t *json_annotations(const notice_t *notice)
{
    json_t *annotations = json_object();
    set_text(annotations, "summary", words_summary(notice));
    set_text(annotations, "description", notice->description);
    set_text(annotations, "runbook", notice->alert.runbook);
    set_id(annotations, "alert", "ALT-", notice->alert_id);
    set_id(annotations, "incident", "INC-", notice->alert.incident);
    set_number(annotations, "value", notice->alert.value);
    return annotations;
}

/*  What all of them have in common. */
static json_t *common(const json_t *alerts, const char *member)
{
    json_t *shared = json_deep_copy(json_object_get(json_array_get(alerts, 0), member));
    void *after;
    const char *key;
    json_t *value, *alert;
    size_t i;
    json_array_foreach(alerts, i, alert)
    {
        const json_t *members = json_object_get(alert, member);
        json_object_foreach_safe(shared, after, key, value)
        {
            if (!json_equal(json_object_get(members, key), value))
                json_object_del(shared, key);
        }
    }
    return shared == NULL ? json_object() : shared;
}

/* -- webhook -- */

static json_t *webhook_alert(const notice_t *notice)
{
    const alert_t *alert = &notice->alert;
    json_t *object = json_object();
    json_object_set_new(object, "status", json_string(words_status(notice)));
    json_object_set_new(object, "labels", json_labels(alert));
    json_object_set_new(object, "annotations", json_annotations(notice));
    json_object_set_new(object, "startsAt", json_time(alert->fired_at));
    json_object_set_new(object, "endsAt",
                        json_time(notice_is_active(notice) ? (double)NAN : alert->resolved_at));
    json_object_set_new(object, "generatorURL", json_string(""));
    json_object_set_new(object, "fingerprint", json_fingerprint(alert));
    return object;
}

static json_t *group_labels(const notification_t *notification)
{
    json_t *labels = json_object();
    label_t label;
    for (uint32_t at = 0; labels_next(notification->group, &at, &label);)
        set_label(labels, label.name, label.value);
    return labels;
}

/*  As Alertmanager writes it: {}:{name="value", …} */
static json_t *group_key(const notification_t *notification)
{
    char bytes[4096];
    notification_text_t text = {bytes, 0, sizeof bytes, false};
    label_t label;
    notification_text_add(&text, TEXT_OF("{}:{"));
    for (uint32_t at = 0, count = 0; labels_next(notification->group, &at, &label); count++) {
        json_t *value = json_text(label.value);
        char *quoted = json_dumps(value, JSON_ENCODE_ANY);
        notification_text_add(&text, count == 0 ? TEXT_OF("") : TEXT_OF(", "));
        notification_text_add(&text, label.name);
        notification_text_add(&text, TEXT_OF("="));
        notification_text_add(&text, text_of(quoted));
        free(quoted);
        json_decref(value);
    }
    notification_text_add(&text, TEXT_OF("}"));
    return json_text(notification_text(&text));
}

static json_t *webhook(const channel_t *channel, const notification_t *notification)
{
    json_t *object = json_object(), *alerts = json_array();
    for (uint32_t i = 0; i < notification->notice_count; i++)
        json_array_append_new(alerts, webhook_alert(&notification->notices[i]));
    json_object_set_new(object, "version", json_string("4"));
    json_object_set_new(object, "groupKey", group_key(notification));
    json_object_set_new(object, "truncatedAlerts",
                        json_integer((json_int_t)notification->truncated));
    json_object_set_new(object, "status",
                        json_string(words_is_firing(notification) ? "firing" : "resolved"));
    json_object_set_new(object, "receiver", json_text(channel->name));
    json_object_set_new(object, "groupLabels", group_labels(notification));
    json_object_set_new(object, "commonLabels", common(alerts, "labels"));
    json_object_set_new(object, "commonAnnotations", common(alerts, "annotations"));
    json_object_set_new(object, "externalURL", json_string(""));
    json_object_set_new(object, "notification_reason",
                        json_string(notification_reason_words[notification->reason]));
    json_object_set_new(object, "alerts", alerts);
    return object;
}

/* -- slack -- */

static const char *colour_of(const notification_t *notification)
{
    severity_t worst = SEVERITY_LOW;
    for (uint32_t i = 0; i < notification->notice_count; i++)
        if (notice_is_active(&notification->notices[i]) &&
            notification->notices[i].alert.severity < worst)
            worst = notification->notices[i].alert.severity;
    if (!words_is_firing(notification))
        return "good";
    return worst <= SEVERITY_HIGH ? "danger" : "warning";
}

static json_t *slack(const channel_t *channel, const notification_t *notification)
{
    char title_bytes[TITLE_BYTES], text_bytes[SLACK_BYTES];
    notification_text_t title = {title_bytes, 0, sizeof title_bytes, false};
    notification_text_t text = {text_bytes, 0, sizeof text_bytes, false};
    words_title(channel, notification, WORDS_SLACK, &title);
    words_text(channel, notification, WORDS_SLACK, &text);
    json_t *object = json_object(), *attachment = json_object();
    json_object_set_new(attachment, "color", json_string(colour_of(notification)));
    json_object_set_new(attachment, "title", json_text(notification_text(&title)));
    json_object_set_new(attachment, "text", json_text(notification_text(&text)));
    json_object_set_new(attachment, "fallback", json_text(notification_text(&title)));
    json_object_set_new(attachment, "footer",
                        json_string(notification_reason_words[notification->reason]));
    json_object_set_new(object, "text", json_text(notification_text(&title)));
    json_object_set_new(object, "attachments", json_pack("[o]", attachment));
    return object;
}

/* -- pagerduty -- */

static const char *action_of(const alert_t *alert)
{
    if (alert->state == ALERT_RESOLVED)
        return "resolve";
    return alert->state == ALERT_ACKNOWLEDGED ? "acknowledge" : "trigger";
}

static json_t *pagerduty_payload(const channel_t *channel, const notification_t *notification,
                                 const char *source)
{
    static const char *const severities[SEVERITY_COUNT] = {"critical", "error", "warning", "info"};
    char summary_bytes[TITLE_BYTES];
    notification_text_t summary = {summary_bytes, 0, sizeof summary_bytes, false};
    const notice_t *notice = &notification->notices[0];
    words_title(channel, notification, WORDS_PLAIN, &summary);
    json_t *payload = json_object(), *details = json_annotations(notice);
    json_object_set_new(details, "labels", json_labels(&notice->alert));
    json_object_set_new(payload, "summary", json_text(notification_text(&summary)));
    json_object_set_new(payload, "source", json_string(source));
    json_object_set_new(payload, "severity", json_string(severities[notice->alert.severity]));
    json_object_set_new(payload, "timestamp", json_time(notice->alert.fired_at));
    json_object_set_new(payload, "class", json_text(notice->alert.policy));
    json_object_set_new(payload, "custom_details", details);
    return payload;
}

/*  An alert a message: the dispatcher makes every alert a group of its own for this type. */
static json_t *pagerduty(const channel_t *channel, const notification_t *notification,
                         const char *routing_key, const char *source)
{
    const alert_t *alert = &notification->notices[0].alert;
    json_t *object = json_object();
    json_object_set_new(object, "routing_key", json_string(routing_key));
    json_object_set_new(object, "event_action", json_string(action_of(alert)));
    json_object_set_new(object, "dedup_key", json_fingerprint(alert));
    json_object_set_new(object, "client", json_string("tocsin"));
    json_object_set_new(object, "payload", pagerduty_payload(channel, notification, source));
    return object;
}

/* -- alertmanager -- */

/*  Names as Prometheus has them: letters, digits and underscores. */
static json_t *plain_names(json_t *labels)
{
    json_t *plain = json_object(), *value;
    const char *name;
    json_object_foreach(labels, name, value)
    {
        char key[160];
        size_t used = 0;
        if (name[0] >= '0' && name[0] <= '9')
            key[used++] = '_';
        for (const char *c = name; *c != '\0' && used < sizeof key - 1; c++) {
            bool kept = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                        (*c >= '0' && *c <= '9') || *c == '_';
            key[used++] = kept ? *c : '_';
        }
        key[used] = '\0';
        json_object_set(plain, key, value);
    }
    json_decref(labels);
    return plain;
}

static json_t *alertmanager(const notification_t *notification, double now_s)
{
    json_t *alerts = json_array();
    for (uint32_t i = 0; i < notification->notice_count; i++) {
        const notice_t *notice = &notification->notices[i];
        double ends_at =
            notice_is_active(notice) ? now_s + KEPT_ALIVE_S : notice->alert.resolved_at;
        json_t *alert = json_object();
        json_object_set_new(alert, "labels", plain_names(json_labels(&notice->alert)));
        json_object_set_new(alert, "annotations", json_annotations(notice));
        json_object_set_new(alert, "startsAt", json_time(notice->alert.fired_at));
        json_object_set_new(alert, "endsAt", json_time(ends_at));
        json_array_append_new(alerts, alert);
    }
    return alerts;
}

char *body_json(const channel_t *channel, const notification_t *notification, double now_s,
                const char *routing_key, const char *source)
{
    json_t *body = NULL;
    switch (channel_type(channel)) {
    case CHANNEL_WEBHOOK:
    case CHANNEL_EXEC:
        body = webhook(channel, notification);
        break;
    case CHANNEL_SLACK:
        body = slack(channel, notification);
        break;
    case CHANNEL_PAGERDUTY:
        body = pagerduty(channel, notification, routing_key, source);
        break;
    case CHANNEL_ALERTMANAGER:
        body = alertmanager(notification, now_s);
        break;
    case CHANNEL_EMAIL:
    case CHANNEL_TYPE_COUNT:
        must_not("a mail has no JSON body");
    }
    char *text = json_dumps(body, JSON_COMPACT);
    must(text != NULL);
    json_decref(body);
    return text;
}

/* -- email -- */

static char *string_of(const notification_text_t *text)
{
    char *string = memory_new(1, text->used + 1);
    memcpy(string, text->data, text->used);
    return string;
}

static bool is_ascii(const notification_text_t *text)
{
    for (size_t i = 0; i < text->used; i++)
        if ((unsigned char)text->data[i] >= 0x80)
            return false;
    return true;
}

/*  RFC 2047: words of at most 75 characters, no character broken between two. */
static char *encode_subject(const notification_text_t *text)
{
    char *out = memory_new(1, text->used * 4 + 128);
    size_t used = (size_t)sprintf(out, "Subject: ");
    for (size_t at = 0; at < text->used;) {
        size_t size = text->used - at < 42 ? text->used - at : 42;
        while (at + size < text->used && ((unsigned char)text->data[at + size] & 0xc0) == 0x80)
            size--;
        used += (size_t)sprintf(out + used, "%s=?UTF-8?B?", at == 0 ? "" : "\r\n ");
        used += (size_t)EVP_EncodeBlock((unsigned char *)out + used,
                                        (const unsigned char *)text->data + at, (int)size);
        used += (size_t)sprintf(out + used, "?=");
        at += size;
    }
    out[used] = '\0';
    return out;
}

void body_mail(const channel_t *channel, const notification_t *notification, body_mail_t *mail)
{
    notification_text_t out = {memory_new(1, MAIL_BYTES), 0, MAIL_BYTES, false};
    char title_bytes[TITLE_BYTES];
    notification_text_t title = {title_bytes, 0, sizeof title_bytes, false}, line = out;
    words_title(channel, notification, WORDS_PLAIN, &title);
    notification_text_add_line(&line, notification_text(&title));
    if (is_ascii(&line)) {
        mail->subject = memory_new(1, line.used + sizeof "Subject: ");
        sprintf(mail->subject, "Subject: %.*s", (int)line.used, line.data);
    } else {
        mail->subject = encode_subject(&line);
    }
    words_text(channel, notification, WORDS_PLAIN, &out);
    notification_text_add(&out, TEXT_OF("\n"));
    mail->plain = string_of(&out);
    out.used = 0;
    out.cut = false;
    notification_text_add(&out, TEXT_OF("<!DOCTYPE html><html><body><h3>"));
    words_title(channel, notification, WORDS_HTML, &out);
    notification_text_add(&out, TEXT_OF("</h3><p>"));
    words_text(channel, notification, WORDS_HTML, &out);
    notification_text_add(&out, TEXT_OF("</p></body></html>\n"));
    mail->html = string_of(&out);
    free(out.data);
}

void body_mail_free(body_mail_t *mail)
{
    free(mail->subject);
    free(mail->plain);
    free(mail->html);
    *mail = (body_mail_t){NULL, NULL, NULL};
}
