/*  inhibition - which alerts keep others quiet?
 *
 *  An alert whose policy names others in inhibited_by is inhibited while any alert of those fires,
 *  is acknowledged or stands without data, whether that one is itself inhibited or not: the trouble
 *  is there. Policies that nobody inhibits come first, so that what fires in one evaluation is
 *  decided in that order: the cause before what it keeps quiet.
 *
 *  Owns     nothing
 *  Bounds   an alert lists at most INHIBITORS_MAX alerts that inhibit it
 *  Thread   one
 */
#ifndef ENGINES_INHIBITION_H
#define ENGINES_INHIBITION_H

#include "engines/operations/active_alert.h"
#include "proto/arena.h"

#define INHIBITORS_MAX 16u

/*  Find out what inhibits it; true when that has changed. */
bool inhibition_find(active_alert_t *alert, const policy_book_t *policies, arena_t *scratch);

/*  Whoever is told when an alert is inhibited otherwise than before. */
typedef struct {
    void (*take)(void *context, active_alert_t *alert);
    void *context;
} inhibition_sink_t;

/*  This alert has begun, or has ceased, to inhibit others. */
void inhibition_begin(const active_alert_t *inhibitor, policy_book_t *policies, arena_t *scratch,
                      inhibition_sink_t sink);
void inhibition_end(const active_alert_t *inhibitor, policy_book_t *policies, arena_t *scratch,
                    inhibition_sink_t sink);

#endif
