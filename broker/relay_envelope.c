#include "broker/relay_envelope.h"

#include "broker/rfc3339.h"
#include "engines/glob.h"
#include "proto/cursor.h"
#include "proto/json.h"
#include "proto/must.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/*  What of a publication's map the envelope needs. */
typedef struct {
    text_t type, source, subject, correlation, causation, experiment, severity;
    text_t data; /* encoded */
    double time_s;
} parts_t;

void envelope_init(envelope_t *self)
{
    *self = (envelope_t){.count = 0};
    msgpack_sbuffer_init(&self->json);
}

void envelope_free(envelope_t *self)
{
    msgpack_sbuffer_destroy(&self->json);
}

static void add(envelope_t *self, const char *word, size_t size)
{
    must(self->count < (int)ENVELOPE_WORDS);
    self->words[self->count] = word;
    self->sizes[self->count++] = size;
}

static void add_word(envelope_t *self, const char *word)
{
    add(self, word, strlen(word));
}

static void add_field(envelope_t *self, const char *name, text_t value)
{
    if (value.data == NULL)
        return;
    add_word(self, name);
    add(self, value.data, value.size);
}

/* -- the publication -- */

static text_t *text_part(parts_t *self, text_t key)
{
    if (text_is(key, "type"))
        return &self->type;
    if (text_is(key, "source"))
        return &self->source;
    if (text_is(key, "subject"))
        return &self->subject;
    if (text_is(key, "correlation"))
        return &self->correlation;
    if (text_is(key, "causation"))
        return &self->causation;
    return text_is(key, "experiment") ? &self->experiment : NULL;
}

static void take_pair(parts_t *self, text_t key, text_t encoded)
{
    cursor_t cursor = cursor_over(encoded.data, encoded.size);
    value_t value;
    must(cursor_read(&cursor, &value));
    text_t *text = text_part(self, key);
    if (text != NULL && value.type == VALUE_STR)
        *text = value.as.text;
    else if (text_is(key, "data"))
        self->data = encoded;
    else if (text_is(key, "time"))
        value_number(&value, &self->time_s);
}

/*  Walk the pairs of an encoded map; false if it is none. */
static bool read_map(text_t encoded, void (*take)(parts_t *, text_t, text_t), parts_t *parts)
{
    cursor_t cursor = cursor_over(encoded.data, encoded.size);
    value_t map, key;
    if (!cursor_read(&cursor, &map) || map.type != VALUE_MAP)
        return false;
    for (uint32_t i = 0; i < map.as.count; i++) {
        must(cursor_read(&cursor, &key) && key.type == VALUE_STR);
        const uint8_t *at = cursor.at;
        must(cursor_skip(&cursor));
        take(parts, key.as.text, (text_t){(const char *)at, (size_t)(cursor.at - at)});
    }
    return true;
}

/* -- what goes out -- */

static void take_severity(parts_t *self, text_t key, text_t encoded)
{
    cursor_t cursor = cursor_over(encoded.data, encoded.size);
    value_t value;
    if (text_is(key, "severity") && cursor_read(&cursor, &value) && value.type == VALUE_STR)
        self->severity = value.as.text;
}

static bool has_severity(const relay_out_t *settings, family_t family, text_t data)
{
    parts_t parts = {.severity = TEXT_NONE};
    if (settings->severities.count == 0 || (family != FAMILY_ALERT && family != FAMILY_INCIDENT))
        return true;
    read_map(data, take_severity, &parts);
    for (size_t i = 0; i < settings->severities.count; i++)
        if (text_equal(settings->severities.items[i], parts.severity))
            return true;
    return false;
}

static bool has_subject(const relay_out_t *settings, text_t subject)
{
    for (size_t i = 0; i < settings->subjects.count; i++)
        if (glob_takes(settings->subjects.items[i], subject))
            return true;
    return settings->subjects.count == 0;
}

/*  About so many entries, or about so old ones: Redis trims whole nodes. */
static void add_trim(envelope_t *self, const relay_out_t *settings, double now_s)
{
    if (settings->maxlen > 0) {
        snprintf(self->trim, sizeof self->trim, "%" PRIu64, settings->maxlen);
        add_word(self, "MAXLEN");
    } else if (!isnan(settings->max_age)) {
        snprintf(self->trim, sizeof self->trim, "%.0f", (now_s - settings->max_age) * 1000);
        add_word(self, "MINID");
    } else {
        return;
    }
    add_word(self, "~");
    add_word(self, self->trim);
}

static void add_data(envelope_t *self, bool json, text_t data)
{
    add_field(self, "datacontenttype",
              json ? TEXT_OF("application/json") : TEXT_OF("application/msgpack"));
    self->json.size = 0;
    if (json) {
        cursor_t cursor = cursor_over(data.data, data.size);
        json_write(&cursor, &self->json);
    }
    add_field(self, "data", json ? (text_t){self->json.data, self->json.size} : data);
}

bool envelope_make(envelope_t *self, const relay_out_t *settings, family_t family, uint64_t seq,
                   text_t body, double now_s)
{
    parts_t parts = {.time_s = now_s};
    text_t prefix = settings->prefix.data == NULL ? TEXT_OF("tocsin:") : settings->prefix;
    if (!read_map(body, take_pair, &parts) || !has_subject(settings, parts.subject) ||
        !has_severity(settings, family, parts.data))
        return false;
    snprintf(self->stream, sizeof self->stream, "%.*s%s", (int)prefix.size, prefix.data,
             family_name(family));
    snprintf(self->id, sizeof self->id, "%s-%" PRIu64, family_name(family), seq);
    snprintf(self->sequence, sizeof self->sequence, "%" PRIu64, seq);
    snprintf(self->ttl, sizeof self->ttl, "%.10g", settings->ttl);
    self->count = 0;
    add_word(self, "XADD");
    add_word(self, self->stream);
    add_trim(self, settings, now_s);
    add_word(self, "*");
    add_field(self, "specversion", TEXT_OF("1.0"));
    add_field(self, "id", text_of(self->id));
    add_field(self, "source", parts.source);
    add_field(self, "type", parts.type);
    add_field(self, "subject", parts.subject);
    add_field(self, "time", text_of(rfc3339(parts.time_s, self->time)));
    add_field(self, "sequence", text_of(self->sequence));
    add_field(self, "correlationid", parts.correlation);
    add_field(self, "causationid", parts.causation);
    add_field(self, "experiment", parts.experiment);
    add_field(self, "ttl", isnan(settings->ttl) ? TEXT_NONE : text_of(self->ttl));
    add_data(self, !text_is(settings->format, "msgpack"), parts.data);
    return true;
}
