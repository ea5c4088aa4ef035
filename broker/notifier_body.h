/*  notifier_body - a notification as its receiver's service wants it.
 *
 *  Owns     nothing; what it answers is the caller's
 *  Bounds   NOTIFICATION_ALERTS_MAX alerts; Slack's 3,000 characters and PagerDuty's 1,024 of a
 * text Thread   any
 *
 *  webhook: Alertmanager's webhook, version 4 (prometheus.io/docs/alerting/latest/configuration,
 *  webhook_config), so that its receivers work; slack: incoming webhooks; pagerduty: Events API v2;
 *  alertmanager: POST /api/v2/alerts.
 */
#ifndef BROKER_NOTIFIER_BODY_H
#define BROKER_NOTIFIER_BODY_H

#include "broker/config.h"
#include "proto/notice.h"

/*  JSON text for the channel's type (not email), to be freed. `now_s` is Unix time; `routing_key`
 * is PagerDuty's, NULL for the others; `source` names the broker. */
char *body_json(const channel_t *channel, const notification_t *notification, double now_s,
                const char *routing_key, const char *source);

/*  A mail: header lines of its own, and the same text as plain text and as HTML; all to be freed.
 */
typedef struct {
    char *subject; /* the header line, encoded where it has to be */
    char *plain, *html;
} body_mail_t;

void body_mail(const channel_t *channel, const notification_t *notification, body_mail_t *mail);
void body_mail_free(body_mail_t *mail);

#endif
