#include "broker/relay_config.h"

#include "proto/publication.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROWS(table) .fields = (table), .count = sizeof(table) / sizeof *(table)
#define REDIS_PORT 6379

static const char *const format_words[] = {"json", "msgpack", NULL};
static const char *const in_format_words[] = {"json", "msgpack", "fields", NULL};
static const char *const kind_words[] = {"metrics", "requests", "incidents", NULL};

static const field_t out_fields[] = {
    {.key = "enabled",
     .type = FIELD_BOOL,
     .offset = offsetof(relay_out_t, enabled),
     .otherwise = 1,
     .about = "false: nothing goes out"},
    {.key = "prefix",
     .type = FIELD_TITLE,
     .offset = offsetof(relay_out_t, prefix),
     .about = "the streams are PREFIX and the family, tocsin: by default"},
    {.key = "format",
     .type = FIELD_WORD,
     .offset = offsetof(relay_out_t, format),
     .words = format_words,
     .about = "how the field data is written, json by default"},
    {.key = "families",
     .type = FIELD_NAMES,
     .offset = offsetof(relay_out_t, families),
     .most = 16,
     .about = "these only; all by default"},
    {.key = "severities",
     .type = FIELD_NAMES,
     .offset = offsetof(relay_out_t, severities),
     .most = 4,
     .about = "alerts and incidents of these only"},
    {.key = "subjects",
     .type = FIELD_NAMES,
     .offset = offsetof(relay_out_t, subjects),
     .most = 100,
     .about = "subjects that one of these patterns takes"},
    {.key = "replicas",
     .type = FIELD_UINT,
     .offset = offsetof(relay_out_t, replicas),
     .least = 0,
     .most = 16,
     .about = "replicas that must have an entry before it counts as sent"},
    {.key = "maxlen",
     .type = FIELD_UINT,
     .offset = offsetof(relay_out_t, maxlen),
     .least = 0,
     .most = 1e12,
     .about = "entries that a stream keeps, about; 0: all"},
    {.key = "max_age",
     .type = FIELD_DURATION,
     .offset = offsetof(relay_out_t, max_age),
     .least = 1,
     .most = 1e9,
     .otherwise = (double)NAN,
     .about = "entries are kept so long, about"},
    {.key = "ttl",
     .type = FIELD_DURATION,
     .offset = offsetof(relay_out_t, ttl),
     .least = 0,
     .most = 1e9,
     .otherwise = (double)NAN,
     .about = "how long an event means something to its receivers"},
};
static const schema_t out_schema = {.name = "out", .size = sizeof(relay_out_t), ROWS(out_fields)};

static const field_t in_fields[] = {
    {.key = "stream",
     .type = FIELD_NAME,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(relay_in_t, stream),
     .about = "the stream that is read"},
    {.key = "kind",
     .type = FIELD_WORD,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(relay_in_t, kind),
     .words = kind_words,
     .about = "what its entries are"},
    {.key = "format",
     .type = FIELD_WORD,
     .offset = offsetof(relay_in_t, format),
     .words = in_format_words,
     .about = "json (default) or msgpack in the field data, or fields of their own"},
    {.key = "group",
     .type = FIELD_NAME,
     .offset = offsetof(relay_in_t, group),
     .about = "the consumer group, tocsin by default"},
    {.key = "consumer",
     .type = FIELD_NAME,
     .offset = offsetof(relay_in_t, consumer),
     .about = "the consumer's name, that of this broker by default"},
    {.key = "claim_idle",
     .type = FIELD_DURATION,
     .offset = offsetof(relay_in_t, claim_idle),
     .least = 0.05,
     .most = 86400,
     .otherwise = 30,
     .about = "what nobody acknowledged for so long is taken over"},
    {.key = "max_deliveries",
     .type = FIELD_UINT,
     .offset = offsetof(relay_in_t, max_deliveries),
     .least = 1,
     .most = 1000,
     .about = "tries before an entry is moved to STREAM:dead, 5 by default"},
    {.key = "map",
     .type = FIELD_LABELS,
     .offset = offsetof(relay_in_t, map),
     .about = "of format fields: our key, their field"},
};
static const schema_t in_schema = {.name = "in", .size = sizeof(relay_in_t), ROWS(in_fields)};

static const field_t relay_fields[] = {
    {.key = "url",
     .type = FIELD_TEXT,
     .offset = offsetof(relay_settings_t, url),
     .about = "redis://HOST:PORT/DATABASE"},
    {.key = "username", .type = FIELD_TITLE, .offset = offsetof(relay_settings_t, username)},
    {.key = "password_file",
     .type = FIELD_TEXT,
     .offset = offsetof(relay_settings_t, password_file)},
    {.key = "allow_remote",
     .type = FIELD_BOOL,
     .offset = offsetof(relay_settings_t, allow_remote),
     .about = "the way to a Redis on another host is safe without TLS"},
    {.key = "out",
     .type = FIELD_RECORD,
     .offset = offsetof(relay_settings_t, out),
     .inner = &out_schema},
    {.key = "in",
     .type = FIELD_RECORDS,
     .offset = offsetof(relay_settings_t, in),
     .count_offset = offsetof(relay_settings_t, in_count),
     .inner = &in_schema,
     .most = 32},
};
const schema_t relay_schema = {
    .name = "relay", .size = sizeof(relay_settings_t), ROWS(relay_fields)};

/* -- where it is -- */

/*  Digits up to the end of the text; -1: there is something else. */
static int read_number(const char *text, int most)
{
    int number = 0;
    if (*text == '\0')
        return -1;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || number > most)
            return -1;
        number = number * 10 + (*text - '0');
    }
    return number <= most ? number : -1;
}

bool relay_place(text_t url, relay_place_t *place)
{
    static const text_t scheme = {"redis://", 8};
    char rest[300];
    if (!text_begins(url, scheme) || url.size - scheme.size >= sizeof rest)
        return false;
    memcpy(rest, url.data + scheme.size, url.size - scheme.size);
    rest[url.size - scheme.size] = '\0';
    *place = (relay_place_t){.port = REDIS_PORT};
    char *slash = strchr(rest, '/'), *colon = strrchr(rest, ':');
    if (slash != NULL) {
        *slash = '\0';
        place->database = slash[1] == '\0' ? 0 : read_number(slash + 1, 1000000);
        colon = strrchr(rest, ':');
    }
    if (colon != NULL && strchr(colon, ']') == NULL) {
        *colon = '\0';
        place->port = read_number(colon + 1, 65535);
    }
    size_t length = strlen(rest);
    bool bracketed = length > 2 && rest[0] == '[' && rest[length - 1] == ']';
    snprintf(place->host, sizeof place->host, "%.*s", (int)(bracketed ? length - 2 : length),
             bracketed ? rest + 1 : rest);
    return place->host[0] != '\0' && strchr(rest, '@') == NULL && place->port > 0 &&
           place->database >= 0;
}

static bool is_here(const relay_place_t *place)
{
    return strncmp(place->host, "127.", 4) == 0 || strcmp(place->host, "localhost") == 0 ||
           strcmp(place->host, "::1") == 0;
}

/* -- is it one that can work? -- */

static const char *wrong(char *words, size_t size, const char *key, const char *message)
{
    snprintf(words, size, "%s", message);
    return key;
}

static bool are_of(texts_t names, const char *const *words)
{
    for (size_t i = 0; i < names.count; i++) {
        size_t at = 0;
        while (words[at] != NULL && !text_is(names.items[i], words[at]))
            at++;
        if (words[at] == NULL)
            return false;
    }
    return true;
}

static bool are_families(texts_t names)
{
    for (size_t i = 0; i < names.count; i++)
        if (family_of(names.items[i]) >= FAMILY_STORED)
            return false;
    return true;
}

const char *relay_wrong(const relay_settings_t *self, char *words, size_t size)
{
    relay_place_t place;
    if (self->url.data == NULL)
        return self->in_count == 0 ? NULL : wrong(words, size, "url", "is required");
    if (!relay_place(self->url, &place))
        return wrong(words, size, "url", "must be redis://HOST:PORT/DATABASE, without a user");
    if (!is_here(&place) && !self->allow_remote)
        return wrong(words, size, "url",
                     "is on another host and would not be encrypted: use a "
                     "tunnel, or say allow_remote: true");
    if (!are_families(self->out.families))
        return wrong(words, size, "out", "families must be of those that are published");
    if (!are_of(self->out.severities, severity_words))
        return wrong(words, size, "out", "severities must be of critical, high, medium, low");
    return NULL;
}

bool relay_sends_family(const relay_out_t *self, text_t family)
{
    for (size_t i = 0; i < self->families.count; i++)
        if (text_equal(self->families.items[i], family))
            return true;
    return self->families.count == 0;
}
