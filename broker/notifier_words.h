/*  notifier_words - what a notification says in words: its title, and a text of each of its alerts.
 *
 *  Owns     nothing; writes into the caller's buffer
 *  Bounds   the buffer
 *  Thread   one
 *
 *  By the channel's templates; where a template cannot be expanded, in plain words. Every value is
 *  written so that the format it stands in takes it for text and nothing else.
 *
 *  Fields: status alertname severity message description value alert incident runbook fingerprint
 *  labels labels.NAME fired_at resolved_at channel reason count. Those that a channel may have but
 *  an alert has not are empty.
 */
#ifndef BROKER_NOTIFIER_WORDS_H
#define BROKER_NOTIFIER_WORDS_H

#include "broker/config.h"
#include "engines/operations/notification_text.h"
#include "proto/notice.h"

typedef enum { WORDS_PLAIN, WORDS_SLACK, WORDS_HTML } words_format_t;

/*  One line. */
void words_title(const channel_t *channel, const notification_t *notification,
                 words_format_t format, notification_text_t *out);

/*  A line or several, of each alert. */
void words_text(const channel_t *channel, const notification_t *notification, words_format_t format,
                notification_text_t *out);

/*  What an alert is called when there is a line for it. */
text_t words_summary(const notice_t *notice);

/*  "firing" or "resolved". */
const char *words_status(const notice_t *notice);

/*  Is one of its alerts firing? */
bool words_is_firing(const notification_t *notification);

#endif
