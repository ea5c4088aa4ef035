/*  notifier_delivery - one try to tell one notification to one channel.
 *
 *  Owns     the transfer or process, and everything it needs until it has ended
 *  Bounds   3 s to connect, 10 s in all; answers up to 64 KiB of body and of headers
 *  Thread   one: that of the curl multi handle
 *  Refuses  redirects, schemes other than http(s) and smtp(s), and addresses that are not public
 * unless the channel allows them: checked address by address at the moment of the connection
 */
#ifndef BROKER_NOTIFIER_DELIVERY_H
#define BROKER_NOTIFIER_DELIVERY_H

#include "broker/channel.h"
#include "engines/operations/notification_dispatcher.h"

#include <curl/curl.h>

#define DELIVERY_TIMEOUT_MS 10000L

typedef struct {
    outcome_t outcome;
    double retry_after_s; /* 0: the receiver named no time */
    long status;          /* of HTTP, SMTP or the process; 0: none came */
    char words[256];      /* what came back, for people: one line, without secrets */
} delivery_result_t;

typedef struct delivery delivery_t;

/*  Begins. The channel and the notification are needed for this call only. */
delivery_t *delivery_new(CURLM *multi, const channel_t *channel, const notification_t *notification,
                         const char *source);
void delivery_destroy(delivery_t **self);

/*  A transfer of the multi handle is over: `easy` is one of ours. Answers whose. */
delivery_t *delivery_of(CURL *easy, CURLcode code);

/*  A descriptor to wait for besides curl's; -1: none. */
int delivery_fd(const delivery_t *self);

/*  The result once it has ended; NULL before. */
const delivery_result_t *delivery_result(delivery_t *self);

#endif
