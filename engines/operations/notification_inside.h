/*  notification_inside - what the files of the dispatcher share. Private to it.
 *
 *    notification_dispatcher  who is told about what: channels, groups, notices, and what became of
 * it notification_message     what a group has to tell, and the message that tells it
 */
#ifndef ENGINES_NOTIFICATION_INSIDE_H
#define ENGINES_NOTIFICATION_INSIDE_H

#include "engines/operations/notification_dispatcher.h"
#include "engines/roster.h"
#include "proto/arena.h"

#include <math.h>

#define LONG_AGO INT64_MIN

typedef struct group group_t;
typedef struct entry entry_t;
typedef struct channel channel_t;

/*  A notice, packed, and beside it what decides about it. */
struct entry {
    text_t channel; /* owned */
    uint64_t alert, revision;
    text_t packed;  /* owned */
    group_t *group; /* NULL: there is no such channel */
    entry_t *before, *next;
    severity_t severity;
    told_t told;
    double told_at, tried_at;
    bool may_know, active, acknowledged, muted, routed;
};

struct group {
    channel_t *channel;
    text_t name; /* the roster's */
    labels_t labels;
    entry_t *first, *last;
    int64_t wanted_ns; /* since when there is something to tell; INSTANT_NEVER: nothing */
    int64_t told_ns;   /* when it was told last; LONG_AGO: never */
    int64_t retry_ns;  /* not before this */
    int64_t due_ns;    /* good while not stale */
    double told_at;    /* as told_ns, Unix time */
    uint32_t failures; /* in a row */
    bool has_more;     /* its last message had no room for all of it */
    bool stale;
};

struct channel {
    notification_rules_t rules; /* name and group_by owned */
    text_t *group_by;
    roster_t groups;
    bool quiet;
    channel_health_t health;
    int64_t retry_ns;
    notification_t under_way;
    char key[33];
    arena_t arena; /* of under_way */
};

struct notification_dispatcher {
    uint64_t seed;
    notice_sink_t sink;
    channel_t **channels;
    size_t channel_count;
    roster_t entries;
    int minute;
    arena_t arena;
};

static inline int64_t notification_ns(double seconds)
{
    return (int64_t)(fmin(seconds, 1e9) * (double)NS_PER_S);
}

void notification_tell_sink(notification_dispatcher_t *self, notice_effect_type_t type,
                            const entry_t *entry);

/*  The notice as it is, with what this process knows about the telling. */
void notification_read_entry(const entry_t *entry, arena_t *arena, notice_t *notice);

/*  The receiver may think that it fires. */
bool notification_is_owed_an_end(const entry_t *entry);

/*  Is there something to tell about it now? */
bool notification_is_wanted(const channel_t *channel, const entry_t *entry);

/*  The group of a channel that is due first, not counting the channel's own backoff; NULL if none
 * ever is. */
group_t *notification_first_due(const channel_t *channel, instant_t now);

/*  Make the message of a group: it is under way from then on. */
void notification_compose(notification_dispatcher_t *self, group_t *group, instant_t now);

#endif
