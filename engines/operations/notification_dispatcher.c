#include "engines/operations/notification_dispatcher.h"

#include "engines/keep.h"
#include "engines/operations/notification_inside.h"
#include "proto/must.h"
#include "proto/pack.h"

#include <stdlib.h>

/* The tables begin small and double. */
#define FIRST_SEATS 64u

/* So many failures in a row make a channel one that fails; fewer are a hiccup. */
#define FAILURES_TO_SAY 3u

static void seat(roster_t *roster, text_t name, void *member, text_t *kept)
{
    if (roster_full(roster))
        roster_grow(roster, roster_count(roster) * 2);
    *kept = roster_add(roster, name, member);
}

void notification_tell_sink(notification_dispatcher_t *self, notice_effect_type_t type,
                            const entry_t *entry)
{
    notice_effect_t effect = {.type = type,
                              .channel = entry->channel,
                              .alert = entry->alert,
                              .revision = entry->revision,
                              .told = entry->told};
    self->sink.take(self->sink.context, &effect);
}

/* -- groups -- */

static void join(group_t *group, entry_t *entry)
{
    entry->group = group;
    entry->next = NULL;
    entry->before = group->last;
    if (group->last != NULL)
        group->last->next = entry;
    else
        group->first = entry;
    group->last = entry;
    group->stale = true;
}

static void destroy_group(group_t *group)
{
    roster_remove(&group->channel->groups, group->name);
    drop_labels(&group->labels);
    free(group);
}

static void leave(entry_t *entry)
{
    group_t *group = entry->group;
    if (group == NULL)
        return;
    *(entry->before != NULL ? &entry->before->next : &group->first) = entry->next;
    *(entry->next != NULL ? &entry->next->before : &group->last) = entry->before;
    entry->group = NULL;
    group->stale = true;
    if (group->first == NULL)
        destroy_group(group);
}

static channel_t *find_channel(const notification_dispatcher_t *self, text_t name)
{
    for (size_t i = 0; i < self->channel_count; i++)
        if (text_equal(self->channels[i]->rules.name, name))
            return self->channels[i];
    return NULL;
}

static group_t *find_group(channel_t *channel, const notice_t *notice)
{
    uint8_t buffer[LABELS_MAX_BYTES];
    labels_t labels = notification_rules_group(&channel->rules, &notice->alert, buffer);
    text_t name = channel->rules.one_each
                      ? (text_t){(const char *)&notice->alert_id, sizeof notice->alert_id}
                      : (text_t){labels.size == 0 ? "" : (const char *)buffer, labels.size};
    group_t *group = roster_find(&channel->groups, name);
    if (group != NULL)
        return group;
    group = memory_new(1, sizeof *group);
    group->channel = channel;
    group->labels = keep_labels(labels);
    group->wanted_ns = INSTANT_NEVER;
    group->told_ns = group->retry_ns = LONG_AGO;
    group->told_at = (double)NAN;
    seat(&channel->groups, name, group, &group->name);
    return group;
}

/*  What a channel was told before this process began counts. */
static void remember_told(group_t *group, const entry_t *entry, instant_t now)
{
    if (isnan(entry->told_at))
        return;
    int64_t told_ns = now.mono_ns - notification_ns(fmax(0, now.wall_s - entry->told_at));
    if (told_ns > group->told_ns) {
        group->told_ns = told_ns;
        group->told_at = entry->told_at;
    }
}

static void enrol(notification_dispatcher_t *self, entry_t *entry, const notice_t *notice,
                  instant_t now)
{
    channel_t *channel = find_channel(self, entry->channel);
    if (channel == NULL)
        return;
    entry->routed = notification_rules_route(&channel->rules, notice);
    group_t *group = find_group(channel, notice);
    join(group, entry);
    remember_told(group, entry, now);
}

/* -- entries -- */

/*  A channel's name and an alert's number; answers the bytes written. */
static text_t name_entry(text_t channel, uint64_t alert, char name[512])
{
    must(channel.size + sizeof alert <= 512);
    memcpy(name, &alert, sizeof alert);
    memcpy(name + sizeof alert, channel.data, channel.size);
    return (text_t){name, channel.size + sizeof alert};
}

static entry_t *find_entry(const notification_dispatcher_t *self, text_t channel, uint64_t alert)
{
    char name[512];
    return roster_find(&self->entries, name_entry(channel, alert, name));
}

static void destroy_entry(notification_dispatcher_t *self, entry_t *entry)
{
    char name[512];
    roster_remove(&self->entries, name_entry(entry->channel, entry->alert, name));
    leave(entry);
    drop_text(&entry->channel);
    drop_text(&entry->packed);
    free(entry);
}

static entry_t *add_entry(notification_dispatcher_t *self, const notice_t *notice)
{
    char name[512];
    text_t kept;
    entry_t *entry = memory_new(1, sizeof *entry);
    entry->channel = keep_text(notice->channel);
    entry->alert = notice->alert_id;
    entry->told = notice->told;
    entry->told_at = notice->told_at;
    entry->tried_at = notice->tried_at;
    entry->may_know = notice->may_know;
    seat(&self->entries, name_entry(notice->channel, notice->alert_id, name), entry, &kept);
    return entry;
}

static void fill_entry(entry_t *entry, const notice_t *notice)
{
    msgpack_sbuffer packed;
    msgpack_sbuffer_init(&packed);
    schema_write(&notice_schema, notice, false, &packed);
    drop_text(&entry->packed);
    entry->packed = keep_text((text_t){packed.data, packed.size});
    msgpack_sbuffer_destroy(&packed);
    entry->revision = notice->revision;
    entry->severity = notice->alert.severity;
    entry->active = notice_is_active(notice);
    entry->acknowledged = notice->alert.state == ALERT_ACKNOWLEDGED;
    entry->muted = notice_is_muted(notice);
}

/*  The notice as it is, with what this process knows about the telling. */
void notification_read_entry(const entry_t *entry, arena_t *arena, notice_t *notice)
{
    must(notice_read(arena_copy(arena, entry->packed), arena, notice));
    notice->told = entry->told;
    notice->told_at = entry->told_at;
    notice->tried_at = entry->tried_at;
    notice->may_know = entry->may_know;
}

/*  The receiver may think that it fires. */
bool notification_is_owed_an_end(const entry_t *entry)
{
    return entry->may_know || entry->told != TOLD_NOTHING;
}

/*  It is over, and there is nobody to whom that would be news. */
static void end_if_idle(notification_dispatcher_t *self, entry_t *entry)
{
    if (entry->active || (notification_is_owed_an_end(entry) && entry->group != NULL))
        return;
    notification_tell_sink(self, NOTICE_END, entry);
    destroy_entry(self, entry);
}

void notification_dispatcher_take(notification_dispatcher_t *self, const notice_t *notice,
                                  instant_t now)
{
    entry_t *entry = find_entry(self, notice->channel, notice->alert_id);
    if (entry == NULL)
        entry = add_entry(self, notice);
    fill_entry(entry, notice);
    leave(entry);
    enrol(self, entry, notice, now);
    end_if_idle(self, entry);
}

const notification_t *notification_dispatcher_next(notification_dispatcher_t *self, instant_t now)
{
    for (size_t i = 0; i < self->channel_count; i++) {
        channel_t *channel = self->channels[i];
        if (channel->health.under_way || channel->retry_ns > now.mono_ns)
            continue;
        group_t *group = notification_first_due(channel, now);
        if (group == NULL || group->due_ns > now.mono_ns)
            continue;
        notification_compose(self, group, now);
        channel->health.under_way = true;
        return &channel->under_way;
    }
    return NULL;
}

int64_t notification_dispatcher_deadline(const notification_dispatcher_t *self, instant_t now)
{
    int64_t deadline = INSTANT_NEVER;
    for (size_t i = 0; i < self->channel_count; i++) {
        const channel_t *channel = self->channels[i];
        group_t *group = channel->health.under_way ? NULL : notification_first_due(channel, now);
        if (group == NULL)
            continue;
        int64_t due = group->due_ns > channel->retry_ns ? group->due_ns : channel->retry_ns;
        deadline = due < deadline ? due : deadline;
    }
    return deadline;
}

/* -- what became of it -- */

/*  A notification on its way back. */
typedef struct {
    notification_dispatcher_t *dispatcher;
    channel_t *channel;
    outcome_t outcome;
    bool settled; /* told or given up */
    instant_t now;
} end_t;

/*  It was told, or will not be told any more: both settle what was to be told. */
static void settle(const end_t *end, entry_t *entry, const notice_t *told)
{
    bool ended = !notice_is_active(told);
    entry->tried_at = (double)NAN;
    entry->told_at = end->now.wall_s;
    if (ended && entry->revision == told->revision) {
        notification_tell_sink(end->dispatcher, NOTICE_END, entry);
        destroy_entry(end->dispatcher, entry);
        return;
    }
    if (ended)
        entry->told = TOLD_NOTHING; /* it fires again */
    else
        entry->told = told->alert.state == ALERT_ACKNOWLEDGED ? TOLD_ACKNOWLEDGED : TOLD_FIRING;
    notification_tell_sink(end->dispatcher, NOTICE_TOLD, entry);
}

/*  Nobody was reached: who did not know before does not know now. */
static void miss(const end_t *end, entry_t *entry, const notice_t *tried)
{
    if (tried->may_know || entry->told != TOLD_NOTHING)
        return;
    entry->may_know = false;
    notification_tell_sink(end->dispatcher, entry->active ? NOTICE_MISSED : NOTICE_END, entry);
    if (!entry->active)
        destroy_entry(end->dispatcher, entry);
}

static void settle_all(const end_t *end)
{
    const notification_t *notification = &end->channel->under_way;
    for (uint32_t i = 0; i < notification->notice_count; i++) {
        const notice_t *notice = &notification->notices[i];
        entry_t *entry = find_entry(end->dispatcher, notice->channel, notice->alert_id);
        if (entry == NULL)
            continue;
        if (end->settled)
            settle(end, entry, notice);
        else if (end->outcome == OUTCOME_UNREACHED)
            miss(end, entry, notice);
    }
}

/*  The group that was told, if anything is left of it. */
static group_t *group_told(const end_t *end)
{
    const notification_t *notification = &end->channel->under_way;
    for (uint32_t i = 0; i < notification->notice_count; i++) {
        const notice_t *notice = &notification->notices[i];
        entry_t *entry = find_entry(end->dispatcher, notice->channel, notice->alert_id);
        if (entry != NULL && entry->group != NULL)
            return entry->group;
    }
    return NULL;
}

/*  Failing since the first try of what it tells. */
static bool is_too_old(const end_t *end)
{
    const notification_t *notification = &end->channel->under_way;
    for (uint32_t i = 0; i < notification->notice_count; i++)
        if (notification->notices[i].tried_at < end->now.wall_s - end->channel->rules.give_up_s)
            return true;
    return false;
}

static void count_outcome(channel_t *channel, outcome_t outcome, instant_t now)
{
    channel_health_t *health = &channel->health;
    if (outcome == OUTCOME_DELIVERED) {
        health->delivered++;
        health->failures = 0;
        health->failing = false;
        health->last_success = now.wall_s;
        return;
    }
    health->failed++;
    health->failures++;
    health->last_failure = now.wall_s;
    health->failing |= outcome == OUTCOME_REFUSED || health->failures >= FAILURES_TO_SAY;
}

/*  The group waits longer each time; so does the channel, until something gets through. */
static void wait_longer(const end_t *end, group_t *group, double jitter, double retry_after_s)
{
    channel_t *channel = end->channel;
    double delay_s = notification_rules_backoff(&channel->rules, channel->health.failures, jitter,
                                                retry_after_s);
    channel->retry_ns = end->now.mono_ns + notification_ns(delay_s);
    if (group == NULL || end->settled)
        return;
    delay_s = notification_rules_backoff(&channel->rules, ++group->failures, jitter, retry_after_s);
    group->retry_ns = end->now.mono_ns + notification_ns(delay_s);
    group->stale = true;
}

static void stand_at_rest(const end_t *end, group_t *group)
{
    group->failures = 0;
    group->retry_ns = LONG_AGO;
    group->told_ns = end->now.mono_ns;
    group->told_at = end->now.wall_s;
    group->wanted_ns = INSTANT_NEVER;
    group->has_more = end->channel->under_way.truncated > 0;
    group->stale = true;
}

bool notification_dispatcher_finish(notification_dispatcher_t *self, text_t channel,
                                    outcome_t outcome, double retry_after_s, double jitter,
                                    instant_t now)
{
    end_t end = {
        .dispatcher = self, .channel = find_channel(self, channel), .outcome = outcome, .now = now};
    if (end.channel == NULL || !end.channel->health.under_way)
        return false;
    bool given_up =
        outcome == OUTCOME_REFUSED || (outcome != OUTCOME_DELIVERED && is_too_old(&end));
    end.settled = given_up || outcome == OUTCOME_DELIVERED;
    count_outcome(end.channel, outcome, now);
    end.channel->health.given_up += given_up;
    settle_all(&end);
    group_t *group = group_told(&end);
    if (end.settled && group != NULL)
        stand_at_rest(&end, group);
    if (outcome == OUTCOME_DELIVERED || outcome == OUTCOME_REFUSED)
        end.channel->retry_ns = LONG_AGO;
    else
        wait_longer(&end, group, jitter, retry_after_s);
    end.channel->health.under_way = false;
    return given_up;
}

/* -- channels -- */

static void mark_stale(channel_t *channel)
{
    group_t *group;
    for (uint64_t at = 0; (group = roster_next(&channel->groups, &at)) != NULL;)
        group->stale = true;
}

static void set_quiet(channel_t *channel, int minute)
{
    bool quiet = notification_rules_quiet(&channel->rules, minute);
    if (quiet != channel->quiet)
        mark_stale(channel);
    channel->quiet = quiet;
}

void notification_dispatcher_set_minute(notification_dispatcher_t *self, int minute)
{
    if (minute == self->minute)
        return;
    self->minute = minute;
    for (size_t i = 0; i < self->channel_count; i++)
        set_quiet(self->channels[i], minute);
}

static void drop_rules(channel_t *channel)
{
    for (size_t i = 0; i < channel->rules.group_by.count; i++)
        drop_text(&channel->group_by[i]);
    free(channel->group_by);
    drop_text(&channel->rules.name);
}

static void keep_rules(channel_t *channel, const notification_rules_t *rules)
{
    channel->rules = *rules;
    channel->rules.name = keep_text(rules->name);
    channel->group_by = memory_new(rules->group_by.count + 1, sizeof *channel->group_by);
    for (size_t i = 0; i < rules->group_by.count; i++)
        channel->group_by[i] = keep_text(rules->group_by.items[i]);
    channel->rules.group_by.items = channel->group_by;
    channel->under_way.channel = channel->rules.name;
}

static channel_t *new_channel(uint64_t seed)
{
    channel_t *channel = memory_new(1, sizeof *channel);
    channel->health.last_success = channel->health.last_failure = (double)NAN;
    channel->retry_ns = LONG_AGO;
    roster_init(&channel->groups, FIRST_SEATS, seed);
    arena_init(&channel->arena);
    return channel;
}

static void destroy_channel(channel_t *channel)
{
    drop_rules(channel);
    roster_free(&channel->groups);
    arena_free(&channel->arena);
    free(channel);
}

/*  Of the channels that were, those that are no more. */
static void dismiss(notification_dispatcher_t *self, channel_t *const *channels, size_t count)
{
    for (size_t i = 0; i < self->channel_count; i++) {
        bool stays = false;
        for (size_t k = 0; k < count; k++)
            stays |= channels[k] == self->channels[i];
        if (!stays)
            destroy_channel(self->channels[i]);
    }
    free(self->channels);
}

static void enrol_all(notification_dispatcher_t *self, instant_t now)
{
    entry_t *entry;
    for (uint64_t at = 0; (entry = roster_next(&self->entries, &at)) != NULL;) {
        notice_t notice;
        notification_read_entry(entry, &self->arena, &notice);
        enrol(self, entry, &notice, now);
        end_if_idle(self, entry);
        arena_reset(&self->arena);
    }
}

void notification_dispatcher_configure(notification_dispatcher_t *self,
                                       const notification_rules_t *rules, size_t count,
                                       instant_t now)
{
    entry_t *entry;
    for (uint64_t at = 0; (entry = roster_next(&self->entries, &at)) != NULL;)
        leave(entry);
    channel_t **channels = memory_new(count + 1, sizeof(channel_t *));
    for (size_t i = 0; i < count; i++) {
        channels[i] = find_channel(self, rules[i].name);
        if (channels[i] != NULL)
            drop_rules(channels[i]);
        else
            channels[i] = new_channel(self->seed);
        keep_rules(channels[i], &rules[i]);
        set_quiet(channels[i], self->minute);
    }
    dismiss(self, channels, count);
    self->channels = channels;
    self->channel_count = count;
    enrol_all(self, now);
}

bool notification_dispatcher_health(const notification_dispatcher_t *self, text_t name,
                                    channel_health_t *health)
{
    const channel_t *channel = find_channel(self, name);
    const group_t *group;
    if (channel == NULL)
        return false;
    *health = channel->health;
    for (uint64_t at = 0; (group = roster_next(&channel->groups, &at)) != NULL;)
        for (const entry_t *entry = group->first; entry != NULL; entry = entry->next)
            health->waiting += notification_is_wanted(channel, entry);
    return true;
}

/* -- life -- */

notification_dispatcher_t *notification_dispatcher_new(uint64_t seed, notice_sink_t sink)
{
    notification_dispatcher_t *self = memory_new(1, sizeof *self);
    self->seed = seed;
    self->sink = sink;
    roster_init(&self->entries, FIRST_SEATS, seed);
    arena_init(&self->arena);
    return self;
}

void notification_dispatcher_destroy(notification_dispatcher_t **self_p)
{
    notification_dispatcher_t *self = *self_p;
    entry_t *entry;
    if (self == NULL)
        return;
    for (uint64_t at = 0; (entry = roster_next(&self->entries, &at)) != NULL;)
        destroy_entry(self, entry);
    for (size_t i = 0; i < self->channel_count; i++)
        destroy_channel(self->channels[i]);
    free(self->channels);
    roster_free(&self->entries);
    arena_free(&self->arena);
    free(self);
    *self_p = NULL;
}
