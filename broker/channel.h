/*  channel - a notification channel as it was configured: is it one that can work, and what are its
 * rules?
 *
 *  Owns     nothing; the texts are the configuration's
 *  Bounds   what a file may hold: a secret of CHANNEL_SECRET_MAX bytes
 *  Thread   any
 *  Refuses  addresses that are neither http nor https (smtp or smtps for email), that name a user,
 * or hold anything but printable ASCII; commands without an absolute path
 */
#ifndef BROKER_CHANNEL_H
#define BROKER_CHANNEL_H

#include "broker/config.h"
#include "engines/operations/notification_rules.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    CHANNEL_WEBHOOK,
    CHANNEL_SLACK,
    CHANNEL_PAGERDUTY,
    CHANNEL_EMAIL,
    CHANNEL_ALERTMANAGER,
    CHANNEL_EXEC,
    CHANNEL_TYPE_COUNT
} channel_type_t;

#define CHANNEL_SECRET_MAX 4096u

extern const char *const channel_type_words[];

channel_type_t channel_type(const channel_t *self);

/*  The key at fault, with what is wrong with it in words; NULL: it is a channel that can work. */
const char *channel_wrong(const channel_t *self, char *words, size_t size);

/*  Is this an address that a channel may send to? */
bool channel_is_url(text_t url, bool mail);

/*  Its url as it may be shown: the scheme alone. */
text_t channel_masked_url(const channel_t *self);

/*  What the dispatcher has to know of it. */
notification_rules_t channel_rules(const channel_t *self);

/*  The first line of a file, without its end; false: it cannot be read, is empty or too long. Read
 * each time it is used, so that a secret can be changed without a word to the broker. */
bool channel_read_secret(text_t path, char *out, size_t size);

/*  Where it sends to: its url, or the one in its url_file, or what its service has. False: there is
 * none to be had. */
bool channel_url(const channel_t *self, char *out, size_t size);

#endif
