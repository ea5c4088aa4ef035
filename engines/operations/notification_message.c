#include "engines/hash.h"
#include "engines/operations/notification_inside.h"

/* -- what a group has to tell -- */

/*  May the channel hear at this hour that it fires? */
static bool is_to_be_heard(const channel_t *channel, const entry_t *entry)
{
    bool waits = channel->quiet && (channel->rules.quiet_severities & 1u << entry->severity) != 0;
    return entry->active && entry->routed && !entry->muted && !waits;
}

bool notification_is_wanted(const channel_t *channel, const entry_t *entry)
{
    if (!entry->active)
        return notification_is_owed_an_end(entry);
    if (!is_to_be_heard(channel, entry))
        return false;
    return entry->told == TOLD_NOTHING ||
           (entry->acknowledged && entry->told == TOLD_FIRING && channel->rules.tells_acknowledged);
}

static bool is_repeated(const channel_t *channel, const entry_t *entry)
{
    return is_to_be_heard(channel, entry) && entry->told != TOLD_NOTHING &&
           (!entry->acknowledged || channel->rules.keeps_alive);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void judge(group_t *group, instant_t now)
{
    const channel_t *channel = group->channel;
    bool wanted = false, repeated = false;
    int64_t interval_ns = group->has_more ? 0 : notification_ns(channel->rules.group_interval_s);
    for (const entry_t *entry = group->first; entry != NULL; entry = entry->next) {
        wanted |= notification_is_wanted(channel, entry);
        repeated |= is_repeated(channel, entry);
    }
    if (!wanted)
        group->wanted_ns = INSTANT_NEVER;
    else if (group->wanted_ns == INSTANT_NEVER)
        group->wanted_ns = now.mono_ns;
    group->due_ns = INSTANT_NEVER;
    if (wanted && group->told_ns == LONG_AGO)
        group->due_ns = group->wanted_ns + notification_ns(channel->rules.group_wait_s);
    else if (wanted)
        group->due_ns = later(group->wanted_ns, group->told_ns + interval_ns);
    else if (repeated && channel->rules.repeat_interval_s > 0 && group->told_ns != LONG_AGO)
        group->due_ns = group->told_ns + notification_ns(channel->rules.repeat_interval_s);
    group->due_ns = later(group->due_ns, group->retry_ns);
    group->stale = false;
}

/*  The group of a channel that is due first; NULL if it has none. */
group_t *notification_first_due(const channel_t *channel, instant_t now)
{
    group_t *group, *first = NULL;
    for (uint64_t at = 0; (group = roster_next(&channel->groups, &at)) != NULL;) {
        if (group->stale)
            judge(group, now);
        if (group->due_ns != INSTANT_NEVER && (first == NULL || group->due_ns < first->due_ns))
            first = group;
    }
    return first;
}

/* -- a notification -- */

/*  What is counted of a group to say why it is told. */
typedef struct {
    bool fresh, acknowledged, ended, lasting, told_before;
} news_t;

static void count_news(const channel_t *channel, const entry_t *entry, news_t *news)
{
    bool wanted = notification_is_wanted(channel, entry);
    news->fresh |= wanted && entry->active && entry->told == TOLD_NOTHING;
    news->acknowledged |= wanted && entry->active && entry->told != TOLD_NOTHING;
    news->ended |= wanted && !entry->active;
    news->lasting |= is_to_be_heard(channel, entry);
    news->told_before |= entry->told != TOLD_NOTHING;
}

static notification_reason_t reason_of(const news_t *news)
{
    if (news->fresh)
        return news->told_before ? REASON_NEW_ALERTS : REASON_FIRST;
    if (news->acknowledged)
        return REASON_ACKNOWLEDGED;
    if (news->ended)
        return news->lasting ? REASON_SOME_RESOLVED : REASON_ALL_RESOLVED;
    return REASON_REPEAT;
}

/*  The same for the same content told for the same time, whenever and in whatever order it is asked
 * for; a repetition is another message. */
static void write_key(channel_t *channel, const group_t *group)
{
    uint64_t sums[2] = {0, 0};
    const notification_t *notification = &channel->under_way;
    for (uint64_t half = 0; half < 2; half++) {
        for (uint32_t i = 0; i < notification->notice_count; i++) {
            const notice_t *notice = &notification->notices[i];
            uint64_t facts[3] = {notice->alert_id, notice->alert.state, notice->told};
            sums[half] += hash_bytes(half, facts, sizeof facts);
        }
        double told_at = isnan(group->told_at) ? 0 : group->told_at;
        uint64_t facts[3] = {sums[half], hash_text(half, channel->rules.name),
                             hash_text(half, group->name)};
        sums[half] =
            hash_pair(half, (text_t){(const char *)facts, sizeof facts}, &told_at, sizeof told_at);
    }
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 32; i++)
        channel->key[i] = digits[sums[i / 16] >> (60 - i % 16 * 4) & 15];
    channel->under_way.key = (text_t){channel->key, 32};
}

static void add_notice(notification_dispatcher_t *self, channel_t *channel, notice_t *notices,
                       entry_t *entry, instant_t now)
{
    notification_t *notification = &channel->under_way;
    if (notification->notice_count == NOTIFICATION_ALERTS_MAX) {
        notification->truncated++;
        return;
    }
    notification_read_entry(entry, &channel->arena, &notices[notification->notice_count++]);
    entry->may_know = true;
    if (isnan(entry->tried_at))
        entry->tried_at = now.wall_s;
    notification_tell_sink(self, NOTICE_TRIED, entry);
}

static labels_t copy_labels(labels_t labels, arena_t *arena)
{
    text_t bytes = {(const char *)labels.bytes, labels.size};
    return (labels_t){(const uint8_t *)arena_copy(arena, bytes).data, labels.size, labels.count};
}

/*  What has to be told first, then the rest of the group. */
void notification_compose(notification_dispatcher_t *self, group_t *group, instant_t now)
{
    channel_t *channel = group->channel;
    news_t news = {false, false, false, false, false};
    size_t count = 0;
    for (entry_t *entry = group->first; entry != NULL; entry = entry->next, count++)
        count_news(channel, entry, &news);
    if (count > NOTIFICATION_ALERTS_MAX)
        count = NOTIFICATION_ALERTS_MAX;
    arena_reset(&channel->arena);
    notice_t *notices = arena_take(&channel->arena, count * sizeof *notices);
    channel->under_way = (notification_t){.channel = channel->rules.name,
                                          .reason = reason_of(&news),
                                          .group = copy_labels(group->labels, &channel->arena),
                                          .notices = notices};
    for (int wanted = 1; wanted >= 0; wanted--)
        for (entry_t *entry = group->first; entry != NULL; entry = entry->next) {
            bool is_told_now = is_to_be_heard(channel, entry) || !entry->active;
            if (is_told_now && notification_is_wanted(channel, entry) == (wanted == 1))
                add_notice(self, channel, notices, entry, now);
        }
    write_key(channel, group);
}
