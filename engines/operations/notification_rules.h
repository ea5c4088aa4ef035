/*  notification_rules - is a channel to be told about this alert, together with which others, and
 * how soon again?
 *
 *  Owns     nothing; texts belong to whoever filled the struct
 *  Units    seconds; minutes of the local day
 *  Thread   any
 *
 *  Grouping, group_wait, group_interval and repeat_interval are Alertmanager's
 *  (prometheus.io/docs/alerting/latest/configuration); the default interval is none, so that
 * nothing waits that need not. Backoff doubles, with jitter (Brooker, "Exponential Backoff And
 * Jitter").
 */
#ifndef ENGINES_NOTIFICATION_RULES_H
#define ENGINES_NOTIFICATION_RULES_H

#include "proto/notice.h"

#include <stdbool.h>
#include <stdint.h>

/*  The policy whose alerts say that a channel fails: not told to that channel itself, which its
 * label "channel" names. */
#define NOTIFICATION_FAILING_POLICY "tocsin_channel_failing"

#define MINUTES_A_DAY 1440

typedef struct {
    text_t name;
    uint32_t severities; /* bit 1 << severity_t: told about those */
    texts_t group_by;    /* label names, alertname and severity among them */
    bool one_each;       /* every alert is a group of its own */
    double group_wait_s, group_interval_s;
    double repeat_interval_s;
    bool tells_acknowledged; /* it wants to know that somebody took an alert up */
    bool keeps_alive; /* it forgets what is not repeated: acknowledged ones are repeated too */
    double backoff_first_s; /* after the first failure; doubles */
    double backoff_most_s;
    double give_up_s;         /* after so long a time of failures a notification is a dead letter */
    int quiet_from, quiet_to; /* minutes of the day; the same: never quiet */
    uint32_t quiet_severities; /* those that wait until the quiet hours are over */
} notification_rules_t;

/*  Is `minute` between the two, across midnight if need be? */
bool notification_rules_quiet(const notification_rules_t *self, int minute);

/*  May the channel be told that this alert fires, apart from the hour? */
bool notification_rules_route(const notification_rules_t *self, const notice_t *notice);

/*  The labels that an alert shares with its group, into `buffer` of LABELS_MAX_BYTES. */
labels_t notification_rules_group(const notification_rules_t *self, const alert_t *alert,
                                  uint8_t *buffer);

/*  The value of a label of a notification: one of the alert's, alertname or severity; TEXT_NONE if
 * it has none. */
text_t notification_label(const alert_t *alert, text_t name);

/*  Seconds until the next try after `failures` in a row; `jitter` is drawn from 0..1 and takes away
 * up to half; the receiver's own wish is heeded. */
double notification_rules_backoff(const notification_rules_t *self, uint32_t failures,
                                  double jitter, double retry_after_s);

#endif
