#include "broker/channel.h"

#include "broker/config_tables.h"
#include "proto/must.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROWS(table) .fields = (table), .count = sizeof(table) / sizeof *(table)
#define DAY 86400.0

#define PAGERDUTY_URL "https://events.pagerduty.com/v2/enqueue"

/* Alertmanager forgets an alert that it has not heard of for five minutes. */
#define KEEP_ALIVE_S 60.0

const char *const channel_type_words[] = {"webhook",      "slack", "pagerduty", "email",
                                          "alertmanager", "exec",  NULL};
static const char *const tls_words[] = {"never", "starttls", NULL};

#define TEXT_ROW(word, kind, member, words_for_people)                                             \
    {                                                                                              \
        .key = (word), .type = (kind), .offset = offsetof(channel_t, member),                      \
        .about = (words_for_people)                                                                \
    }
#define SPAN_ROW(word, member, low, high, usual, words_for_people)                                 \
    {                                                                                              \
        .key = (word), .type = FIELD_DURATION, .offset = offsetof(channel_t, member),              \
        .least = (low), .most = (high), .otherwise = (usual), .about = (words_for_people)          \
    }
#define LIST_ROW(word, kind, member, count, words_for_people)                                      \
    {                                                                                              \
        .key = (word), .type = (kind), .offset = offsetof(channel_t, member), .most = (count),     \
        .about = (words_for_people)                                                                \
    }

static const field_t channel_fields[] = {
    {.key = "name",
     .type = FIELD_NAME,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(channel_t, name),
     .about = "the name policies use"},
    {.key = "type",
     .type = FIELD_WORD,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(channel_t, type),
     .words = channel_type_words,
     .about = "what it speaks"},
    {.key = "url",
     .type = FIELD_TEXT,
     .flags = FIELD_SECRET,
     .offset = offsetof(channel_t, url),
     .about = "where it sends to"},
    TEXT_ROW("url_file", FIELD_TEXT, url_file, "the file that holds the url"),
    TEXT_ROW("secret_file", FIELD_TEXT, secret_file, "webhook: the file with the signing key"),
    TEXT_ROW("routing_key_file", FIELD_TEXT, routing_key_file, "pagerduty: the file with its key"),
    TEXT_ROW("ca_file", FIELD_TEXT, ca_file, "the file with the certificates it trusts instead"),
    TEXT_ROW("from", FIELD_TITLE, from, "email: the sender"),
    LIST_ROW("to", FIELD_LINES, to, 100, "email: the recipients"),
    {.key = "tls",
     .type = FIELD_WORD,
     .offset = offsetof(channel_t, tls),
     .words = tls_words,
     .about = "email: starttls (default) or never"},
    LIST_ROW("command", FIELD_LINES, command, 100, "exec: absolute path and arguments"),
    {.key = "allow_private",
     .type = FIELD_BOOL,
     .offset = offsetof(channel_t, allow_private),
     .about = "may send to loopback, private and link-local addresses"},
    LIST_ROW("severities", FIELD_NAMES, severities, 4, "told of these only"),
    LIST_ROW("group_by", FIELD_NAMES, group_by, 32, "labels that a message's alerts share"),
    SPAN_ROW("group_wait", group_wait, 0, DAY, 0, "before a group is first told"),
    SPAN_ROW("group_interval", group_interval, 0, DAY, 0, "between messages about a group"),
    SPAN_ROW("repeat_interval", repeat_interval, 60, 30 * DAY, 14400, "told again after this"),
    SPAN_ROW("backoff_first", backoff_first, 0.05, 60, 1, "after the first failure; doubles"),
    SPAN_ROW("backoff_most", backoff_most, 0.05, 3600, 300, "the longest wait between two tries"),
    SPAN_ROW("give_up", give_up, 1, 30 * DAY, DAY, "a message that fails so long is a dead letter"),
    TEXT_ROW("title", FIELD_TEXT, title, "template of a message's title or subject"),
    TEXT_ROW("text", FIELD_TEXT, text, "template of what is said of each alert"),
    TEXT_ROW("quiet_from", FIELD_TITLE, quiet_from, "local time at which quiet hours begin, HH:MM"),
    TEXT_ROW("quiet_to", FIELD_TITLE, quiet_to, "local time at which they end"),
    LIST_ROW("quiet_severities", FIELD_NAMES, quiet_severities, 4,
             "what waits until they are over: medium and low"),
};
const schema_t channel_schema = {
    .name = "channels", .size = sizeof(channel_t), ROWS(channel_fields)};

channel_type_t channel_type(const channel_t *self)
{
    channel_type_t type = CHANNEL_WEBHOOK;
    while (type < CHANNEL_TYPE_COUNT && !text_is(self->type, channel_type_words[type]))
        type++;
    must(type < CHANNEL_TYPE_COUNT);
    return type;
}

/* -- is it one that can work? -- */

static bool is_printable(text_t text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f)
            return false;
    return text.size > 0;
}

bool channel_is_url(text_t url, bool mail)
{
    static const text_t schemes[] = {
        {"http://", 7}, {"https://", 8}, {"smtp://", 7}, {"smtps://", 8}};
    text_t rest = TEXT_NONE;
    for (size_t i = mail ? 2 : 0; i < (mail ? 4u : 2u); i++)
        if (text_begins(url, schemes[i]))
            rest = (text_t){url.data + schemes[i].size, url.size - schemes[i].size};
    if (rest.data == NULL || !is_printable(rest) || rest.data[0] == '/')
        return false;
    const char *slash = memchr(rest.data, '/', rest.size);
    size_t host = slash == NULL ? rest.size : (size_t)(slash - rest.data);
    return memchr(rest.data, '@', host) == NULL && memchr(rest.data, '\\', rest.size) == NULL;
}

text_t channel_masked_url(const channel_t *self)
{
    static const text_t masked[] = {{"http://<secret>", 15},
                                    {"https://<secret>", 16},
                                    {"smtp://<secret>", 15},
                                    {"smtps://<secret>", 16}};
    size_t i = 0;
    while (i < 3 && !text_begins(self->url, (text_t){masked[i].data, masked[i].size - 8}))
        i++;
    return masked[i];
}

/*  "HH:MM" as minutes of the day; -1: it is not. */
static int read_clock(text_t text)
{
    if (text.size != 5 || text.data[2] != ':')
        return -1;
    int digits[4];
    for (size_t i = 0; i < 4; i++) {
        char c = text.data[i < 2 ? i : i + 1];
        if (c < '0' || c > '9')
            return -1;
        digits[i] = c - '0';
    }
    int hours = digits[0] * 10 + digits[1], minutes = digits[2] * 10 + digits[3];
    return hours < 24 && minutes < 60 ? hours * 60 + minutes : -1;
}

/*  Bits of severities; `otherwise` for an empty list, 0 when one of them is none. */
static uint32_t read_severities(texts_t names, uint32_t otherwise)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < names.count; i++) {
        uint32_t bit = 0;
        for (uint32_t severity = 0; severity < SEVERITY_COUNT; severity++)
            if (text_is(names.items[i], severity_words[severity]))
                bit = 1u << severity;
        if (bit == 0)
            return 0;
        bits |= bit;
    }
    return names.count == 0 ? otherwise : bits;
}

static const char *wrong(char *words, size_t size, const char *key, const char *message)
{
    snprintf(words, size, "%s", message);
    return key;
}

static const char *wrong_target(const channel_t *self, channel_type_t type, char *words,
                                size_t size)
{
    if (type == CHANNEL_EXEC) {
        if (self->command.count == 0)
            return wrong(words, size, "command", "is required of this type");
        if (self->command.items[0].size == 0 || self->command.items[0].data[0] != '/')
            return wrong(words, size, "command", "begins with an absolute path");
        return NULL;
    }
    if (self->url.data == NULL && self->url_file.data == NULL && type != CHANNEL_PAGERDUTY)
        return wrong(words, size, "url", "is required of this type, or url_file");
    if (self->url.data != NULL && !channel_is_url(self->url, type == CHANNEL_EMAIL))
        return wrong(words, size, "url",
                     type == CHANNEL_EMAIL ? "must be smtp://HOST:PORT or smtps://HOST:PORT"
                                           : "must be http:// or https://, without a user");
    if (type == CHANNEL_PAGERDUTY && self->routing_key_file.data == NULL)
        return wrong(words, size, "routing_key_file", "is required of this type");
    return NULL;
}

/*  An address that cannot break out of its header. */
static bool is_mail_address(text_t text)
{
    return is_printable(text) && memchr(text.data, '@', text.size) != NULL &&
           memchr(text.data, '<', text.size) == NULL && memchr(text.data, '>', text.size) == NULL;
}

static const char *wrong_mail(const channel_t *self, char *words, size_t size)
{
    if (!is_mail_address(self->from))
        return wrong(words, size, "from", "must be an address, user@host");
    for (size_t i = 0; i < self->to.count; i++)
        if (!is_mail_address(self->to.items[i]))
            return wrong(words, size, "to", "must be addresses, user@host");
    return self->to.count == 0 ? wrong(words, size, "to", "is required of this type") : NULL;
}

static const char *wrong_hours(const channel_t *self, char *words, size_t size)
{
    if ((self->quiet_from.data == NULL) != (self->quiet_to.data == NULL))
        return wrong(words, size, "quiet_from", "and quiet_to go together");
    if (self->quiet_from.data != NULL && read_clock(self->quiet_from) < 0)
        return wrong(words, size, "quiet_from", "must be a time of day, HH:MM");
    if (self->quiet_to.data != NULL && read_clock(self->quiet_to) < 0)
        return wrong(words, size, "quiet_to", "must be a time of day, HH:MM");
    return NULL;
}

const char *channel_wrong(const channel_t *self, char *words, size_t size)
{
    channel_type_t type = channel_type(self);
    const char *key = wrong_target(self, type, words, size);
    if (key == NULL && type == CHANNEL_EMAIL)
        key = wrong_mail(self, words, size);
    if (key == NULL)
        key = wrong_hours(self, words, size);
    if (key == NULL && read_severities(self->severities, 1) == 0)
        key = wrong(words, size, "severities", "must be of critical, high, medium, low");
    if (key == NULL && read_severities(self->quiet_severities, 1) == 0)
        key = wrong(words, size, "quiet_severities", "must be of critical, high, medium, low");
    if (key == NULL && self->backoff_first > self->backoff_most)
        key = wrong(words, size, "backoff_first", "must not be above backoff_most");
    return key;
}

/* -- what it means -- */

notification_rules_t channel_rules(const channel_t *self)
{
    static const text_t by_name[] = {{"alertname", 9}};
    channel_type_t type = channel_type(self);
    notification_rules_t rules = {
        .name = self->name,
        .severities = read_severities(self->severities, (1u << SEVERITY_COUNT) - 1),
        .group_by = self->group_by,
        .one_each = type == CHANNEL_PAGERDUTY,
        .group_wait_s = self->group_wait,
        .group_interval_s = self->group_interval,
        .repeat_interval_s = self->repeat_interval,
        .tells_acknowledged = type == CHANNEL_PAGERDUTY,
        .keeps_alive = type == CHANNEL_ALERTMANAGER,
        .backoff_first_s = self->backoff_first,
        .backoff_most_s = self->backoff_most,
        .give_up_s = self->give_up,
        .quiet_severities =
            read_severities(self->quiet_severities, 1u << SEVERITY_MEDIUM | 1u << SEVERITY_LOW)};
    if (self->quiet_from.data != NULL && self->quiet_to.data != NULL) {
        rules.quiet_from = read_clock(self->quiet_from);
        rules.quiet_to = read_clock(self->quiet_to);
    }
    if (type == CHANNEL_ALERTMANAGER) {
        rules.group_by = (texts_t){NULL, 0}; /* it groups itself */
        rules.repeat_interval_s = KEEP_ALIVE_S;
    } else if (self->group_by.count == 0) {
        rules.group_by = (texts_t){by_name, 1};
    }
    return rules;
}

bool channel_read_secret(text_t path, char *out, size_t size)
{
    char name[4096];
    if (path.data == NULL || path.size >= sizeof name)
        return false;
    memcpy(name, path.data, path.size);
    name[path.size] = '\0';
    int file = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = file < 0 ? -1 : read(file, out, size);
    if (file >= 0)
        close(file);
    if (got <= 0 || (size_t)got >= size)
        return false;
    out[got] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    return out[0] != '\0';
}

/*  What its service has when nothing is configured. */
static bool copy_url(const channel_t *self, bool of_pagerduty, char *out, size_t size)
{
    if (self->url.data == NULL && self->url_file.data != NULL)
        return channel_read_secret(self->url_file, out, size);
    text_t url = self->url.data == NULL && of_pagerduty ? TEXT_OF(PAGERDUTY_URL) : self->url;
    if (url.data == NULL || url.size >= size)
        return false;
    memcpy(out, url.data, url.size);
    out[url.size] = '\0';
    return true;
}

bool channel_url(const channel_t *self, char *out, size_t size)
{
    channel_type_t type = channel_type(self);
    if (!copy_url(self, type == CHANNEL_PAGERDUTY, out, size) ||
        !channel_is_url(text_of(out), type == CHANNEL_EMAIL))
        return false;
    if (type != CHANNEL_ALERTMANAGER)
        return true;
    size_t used = strlen(out);
    const char *path = out[used - 1] == '/' ? "api/v2/alerts" : "/api/v2/alerts";
    return snprintf(out + used, size - used, "%s", path) < (int)(size - used);
}
