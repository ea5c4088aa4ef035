#include "proto/schema.h"

#include "proto/decode.h"
#include "proto/must.h"
#include "proto/thing.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/*  One reading of one thing: what it needs at every step, and the worst it met. */
typedef struct {
    const limits_t *limits;
    arena_t *arena;
    const schema_listener_t *listener;
    char path[96]; /* "match.": where we are, for messages */
    bool strict;
    status_t worst;
} reading_t;

static void worsen(reading_t *self, status_t status)
{
    if (status != STATUS_OK && (self->worst == STATUS_OK || status < self->worst))
        self->worst = status;
}

static void complain(reading_t *self, status_t status, const uint8_t *at, const char *key,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));

static void complain(reading_t *self, status_t status, const uint8_t *at, const char *key,
                     const char *format, ...)
{
    worsen(self, status);
    if (self->listener == NULL)
        return;
    schema_error_t error = {.status = status, .at = at};
    int size = snprintf(error.message, sizeof error.message, "%s%s: ", self->path, key);
    if (size > 0 && (size_t)size < sizeof error.message) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(error.message + size, sizeof error.message - (size_t)size, format, arguments);
        va_end(arguments);
    }
    self->listener->take(self->listener->context, &error);
}

static void *field_of(void *thing, size_t offset)
{
    return (char *)thing + offset;
}

/* -- reading one value -- */

typedef struct {
    const field_t *field;
    const uint8_t *at; /* where the value begins */
    value_t value;
    cursor_t *cursor; /* behind the value, or at the first element of a container */
    void *out;        /* the struct */
} slot_t;

static void wrong_type(reading_t *self, const slot_t *slot, const char *expected)
{
    complain(self, STATUS_WRONG_TYPE, slot->at, slot->field->key, "expected %s", expected);
}

/*  Checks a text by its rules; several may be broken, all are said. */
static bool check_text(reading_t *self, const slot_t *slot, text_t text, text_rule_t rule,
                       uint32_t most)
{
    bool clean = text_is_clean(text, rule);
    if (!clean)
        complain(self, STATUS_BAD_TEXT, slot->at, slot->field->key,
                 "not UTF-8, or it holds control characters");
    if (text.size > most)
        complain(self, STATUS_TOO_LONG, slot->at, slot->field->key,
                 "%zu bytes, at most %u are allowed", text.size, most);
    return clean && text.size <= most;
}

static uint32_t most_bytes(const reading_t *self, field_type_t type)
{
    if (type == FIELD_NAME || type == FIELD_NAMES)
        return self->limits->name_bytes;
    return type == FIELD_TITLE ? self->limits->title_bytes : self->limits->text_bytes;
}

static text_rule_t text_rule(field_type_t type)
{
    return type == FIELD_TEXT || type == FIELD_LINES ? TEXT_FREE : TEXT_LINE;
}

static void read_text(reading_t *self, slot_t *slot)
{
    if (slot->value.type != VALUE_STR) {
        wrong_type(self, slot, "text");
        return;
    }
    text_t text = slot->value.as.text;
    bool good = check_text(self, slot, text, text_rule(slot->field->type),
                           most_bytes(self, slot->field->type));
    if (text.size == 0 && (slot->field->flags & FIELD_REQUIRED) != 0) {
        complain(self, STATUS_BAD_VALUE, slot->at, slot->field->key, "must not be empty");
        good = false;
    }
    if (good)
        *(text_t *)field_of(slot->out, slot->field->offset) = text;
}

static int find_word(const char *const *words, text_t text)
{
    for (int i = 0; words[i] != NULL; i++)
        if (text_is(text, words[i]))
            return i;
    return -1;
}

static void list_words(const char *const *words, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; words[i] != NULL && used < size; i++) {
        int more = snprintf(out + used, size - used, "%s%s", i == 0 ? "" : ", ", words[i]);
        used += more > 0 ? (size_t)more : 0;
    }
}

static void read_word(reading_t *self, slot_t *slot)
{
    if (slot->value.type != VALUE_STR) {
        wrong_type(self, slot, "text");
        return;
    }
    int word = find_word(slot->field->words, slot->value.as.text);
    if (word < 0) {
        char words[128];
        list_words(slot->field->words, words, sizeof words);
        complain(self, STATUS_BAD_VALUE, slot->at, slot->field->key, "expected one of %s", words);
    } else if (slot->field->type == FIELD_ENUM) {
        *(int *)field_of(slot->out, slot->field->offset) = word;
    } else {
        *(text_t *)field_of(slot->out, slot->field->offset) = slot->value.as.text;
    }
}

static bool in_range(const field_t *field, double number)
{
    if (field->least == 0 && field->most == 0)
        return true;
    if ((field->flags & FIELD_EXCLUSIVE) != 0)
        return number > field->least && number < field->most;
    return number >= field->least && number <= field->most;
}

static bool check_range(reading_t *self, const slot_t *slot, double number)
{
    if (in_range(slot->field, number))
        return true;
    complain(self, STATUS_BAD_VALUE, slot->at, slot->field->key,
             (slot->field->flags & FIELD_EXCLUSIVE) != 0
                 ? "%.15g is not between %.15g and %.15g, which are not allowed themselves"
                 : "%.15g is not between %.15g and %.15g",
             number, slot->field->least, slot->field->most);
    return false;
}

static void read_integer(reading_t *self, slot_t *slot)
{
    double number;
    if (!value_number(&slot->value, &number)) {
        wrong_type(self, slot, "a whole number");
        return;
    }
    if (!(floor(number) == number) || fabs(number) > 9.0e18) {
        complain(self, STATUS_BAD_VALUE, slot->at, slot->field->key, "not a whole number");
        return;
    }
    if (slot->field->type != FIELD_INT && number < 0) {
        complain(self, STATUS_BAD_VALUE, slot->at, slot->field->key, "must not be negative");
        return;
    }
    if (!check_range(self, slot, number))
        return;
    void *out = field_of(slot->out, slot->field->offset);
    uint64_t whole = 0;
    bool fits = value_whole(&slot->value, &whole);
    if (slot->field->type == FIELD_INT)
        *(int64_t *)out = fits ? (int64_t)whole : (int64_t)number;
    else if (slot->field->type == FIELD_UINT32)
        *(uint32_t *)out = whole > UINT32_MAX ? UINT32_MAX : (uint32_t)whole;
    else
        *(uint64_t *)out = whole;
}

static void read_number(reading_t *self, slot_t *slot)
{
    double number = 0;
    status_t status = STATUS_OK;
    if (slot->field->type == FIELD_DURATION)
        status = value_duration(&slot->value, &number);
    else if (slot->field->type == FIELD_TIME)
        status = value_time(&slot->value, &number);
    else if (!value_number(&slot->value, &number))
        status = STATUS_WRONG_TYPE;
    else if (!isfinite(number))
        status = STATUS_BAD_VALUE;

    static const char *const expected[] = {
        [FIELD_NUMBER] = "a finite number",
        [FIELD_DURATION] = "a duration: seconds, or text such as \"250ms\" or \"1h30m\"",
        [FIELD_TIME] = "a point in time: Unix seconds, or the timestamp extension",
    };
    if (status != STATUS_OK)
        complain(self, status, slot->at, slot->field->key, "expected %s",
                 expected[slot->field->type]);
    else if (check_range(self, slot, number))
        *(double *)field_of(slot->out, slot->field->offset) = number;
}

/*  "4MiB", "64KiB", "1GiB", "512B". */
static bool parse_size(text_t text, double *bytes)
{
    static const struct {
        const char *name;
        double bytes;
    } units[] = {{"GiB", 1073741824}, {"MiB", 1048576}, {"KiB", 1024}, {"B", 1}};
    size_t digits = 0;
    double number = 0;
    while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9')
        number = number * 10 + (text.data[digits++] - '0');
    text_t unit = {text.data + digits, text.size - digits};
    for (size_t i = 0; digits > 0 && i < sizeof units / sizeof *units; i++)
        if (text_is(unit, units[i].name)) {
            *bytes = number * units[i].bytes;
            return true;
        }
    return false;
}

static void read_size(reading_t *self, slot_t *slot)
{
    double bytes = 0;
    if (slot->value.type == VALUE_STR && !parse_size(slot->value.as.text, &bytes))
        complain(self, STATUS_BAD_VALUE, slot->at, slot->field->key,
                 "expected a size such as 4MiB");
    else if (slot->value.type != VALUE_STR && !value_number(&slot->value, &bytes))
        wrong_type(self, slot, "a size: bytes, or text such as \"4MiB\"");
    else if (check_range(self, slot, bytes))
        *(uint64_t *)field_of(slot->out, slot->field->offset) = (uint64_t)bytes;
}

static void read_bool(reading_t *self, slot_t *slot)
{
    if (slot->value.type != VALUE_BOOL)
        wrong_type(self, slot, "true or false");
    else
        *(bool *)field_of(slot->out, slot->field->offset) = slot->value.as.boolean;
}

/*  The number behind the prefix. Text that is no id names nothing there can be: UINT64_MAX. */
static uint64_t parse_id(text_t text, const char *prefix)
{
    size_t skip = strlen(prefix);
    if (!text_begins(text, text_of(prefix)) || text.size == skip || text.size > skip + 18 ||
        text.data[skip] == '0')
        return UINT64_MAX;
    uint64_t id = 0;
    for (size_t i = skip; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return UINT64_MAX;
        id = id * 10 + (uint64_t)(text.data[i] - '0');
    }
    return id;
}

static void read_id(reading_t *self, slot_t *slot)
{
    if (slot->value.type != VALUE_STR)
        wrong_type(self, slot, "an id as text");
    else if (slot->value.as.text.size == 0)
        complain(self, STATUS_BAD_VALUE, slot->at, slot->field->key, "must not be empty");
    else
        *(uint64_t *)field_of(slot->out, slot->field->offset) =
            parse_id(slot->value.as.text, slot->field->prefix);
}

static void read_hex(reading_t *self, slot_t *slot)
{
    uint64_t number = 0;
    text_t text = slot->value.type == VALUE_STR ? slot->value.as.text : TEXT_NONE;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        uint64_t digit = c >= 'a' ? (uint64_t)(c - 'a') + 10 : (uint64_t)(c - '0');
        if (digit > 15)
            text.size = 0;
        number = number << 4 | digit;
    }
    if (text.size != 16)
        wrong_type(self, slot, "16 hexadecimal digits");
    else
        *(uint64_t *)field_of(slot->out, slot->field->offset) = number;
}

static void read_labels(reading_t *self, slot_t *slot)
{
    if (slot->value.type != VALUE_MAP) {
        wrong_type(self, slot, "a map of text to text");
        return;
    }
    raw_labels_t raw;
    status_t status = decode_labels(self->limits, slot->cursor, slot->value.as.count, &raw);
    if (status != STATUS_OK) {
        complain(self, status, slot->at, slot->field->key, "%s", status_text(status));
        return;
    }
    uint8_t buffer[LABELS_MAX_BYTES];
    labels_t labels = labels_canonical(raw, buffer);
    if (labels.size > 0) {
        uint8_t *bytes = arena_take(self->arena, labels.size);
        memcpy(bytes, labels.bytes, labels.size);
        labels.bytes = bytes;
    }
    *(labels_t *)field_of(slot->out, slot->field->offset) = labels;
}

/*  True when a list of that many elements may be read; it says so if not. */
static bool check_list(reading_t *self, slot_t *slot, value_type_t type, const char *expected)
{
    if (slot->value.type != type) {
        wrong_type(self, slot, expected);
        return false;
    }
    if (slot->field->most > 0 && slot->value.as.count > slot->field->most) {
        complain(self, STATUS_BAD_VALUE, slot->at, slot->field->key,
                 "%u elements, at most %.0f are allowed", slot->value.as.count, slot->field->most);
        return false;
    }
    return true;
}

static texts_t read_list(reading_t *self, const slot_t *slot, uint32_t count)
{
    text_t *items = arena_take(self->arena, count * sizeof *items);
    for (uint32_t i = 0; i < count; i++) {
        slot_t item = *slot;
        item.at = slot->cursor->at;
        must(cursor_read(slot->cursor, &item.value));
        if (item.value.type != VALUE_STR) {
            slot->cursor->at = item.at;
            must(cursor_skip(slot->cursor));
            wrong_type(self, &item, "a list of texts");
        } else if (item.value.as.text.size == 0) {
            complain(self, STATUS_BAD_VALUE, item.at, slot->field->key,
                     "an element must not be empty");
        } else if (check_text(self, &item, item.value.as.text, text_rule(slot->field->type),
                              most_bytes(self, slot->field->type))) {
            items[i] = item.value.as.text;
        }
    }
    return (texts_t){items, count};
}

static void read_texts(reading_t *self, slot_t *slot)
{
    if (check_list(self, slot, VALUE_ARRAY, "a list of texts"))
        *(texts_t *)field_of(slot->out, slot->field->offset) =
            read_list(self, slot, slot->value.as.count);
}

static void read_ids(reading_t *self, slot_t *slot)
{
    if (!check_list(self, slot, VALUE_ARRAY, "a list of ids"))
        return;
    uint32_t count = slot->value.as.count;
    uint64_t *ids = arena_take(self->arena, count * sizeof *ids);
    for (uint32_t i = 0; i < count; i++) {
        value_t value;
        const uint8_t *at = slot->cursor->at;
        must(cursor_read(slot->cursor, &value));
        if (value.type == VALUE_STR) {
            ids[i] = parse_id(value.as.text, slot->field->prefix);
            continue;
        }
        slot->cursor->at = at;
        must(cursor_skip(slot->cursor));
        wrong_type(self, slot, "a list of ids");
    }
    *(const uint64_t **)field_of(slot->out, slot->field->offset) = ids;
    *(uint32_t *)field_of(slot->out, slot->field->count_offset) = count;
}

static void read_steps(reading_t *self, slot_t *slot)
{
    if (!check_list(self, slot, VALUE_MAP, "a map of procedure to a list of steps"))
        return;
    uint32_t count = slot->value.as.count;
    procedure_t *procedures = arena_take(self->arena, count * sizeof *procedures);
    for (uint32_t i = 0; i < count; i++) {
        slot_t key = *slot, list = *slot;
        key.at = slot->cursor->at;
        must(cursor_read(slot->cursor, &key.value));
        if (key.value.type == VALUE_STR && key.value.as.text.size > 0 &&
            check_text(self, &key, key.value.as.text, TEXT_LINE, self->limits->name_bytes)) {
            procedures[i].procedure = key.value.as.text;
        } else {
            slot->cursor->at = key.at;
            must(cursor_skip(slot->cursor));
            wrong_type(self, &key, "a procedure's name");
        }
        list.at = slot->cursor->at;
        must(cursor_read(slot->cursor, &list.value));
        if (check_list(self, &list, VALUE_ARRAY, "a list of steps")) {
            procedures[i].steps = read_list(self, &list, list.value.as.count);
        } else {
            slot->cursor->at = list.at;
            must(cursor_skip(slot->cursor));
        }
    }
    *(const procedure_t **)field_of(slot->out, slot->field->offset) = procedures;
    *(uint32_t *)field_of(slot->out, slot->field->count_offset) = count;
}

static void read_map(reading_t *self, const schema_t *schema, cursor_t *cursor, void *out);

static void read_inner(reading_t *self, const slot_t *slot, void *out)
{
    size_t used = strlen(self->path);
    snprintf(self->path + used, sizeof self->path - used, "%s.", slot->field->key);
    read_map(self, slot->field->inner, slot->cursor, out);
    self->path[used] = '\0';
}

static void read_record(reading_t *self, slot_t *slot)
{
    slot->cursor->at = slot->at;
    read_inner(self, slot, field_of(slot->out, slot->field->offset));
}

static void read_records(reading_t *self, slot_t *slot)
{
    if (!check_list(self, slot, VALUE_ARRAY, "a list of maps"))
        return;
    uint32_t count = slot->value.as.count;
    size_t size = slot->field->inner->size;
    char *records = arena_take(self->arena, count * size);
    for (uint32_t i = 0; i < count; i++) {
        slot_t item = *slot;
        read_inner(self, &item, records + i * size);
    }
    *(void **)field_of(slot->out, slot->field->offset) = records;
    *(uint32_t *)field_of(slot->out, slot->field->count_offset) = count;
}

static void read_raw(reading_t *self, slot_t *slot)
{
    (void)self;
    slot->cursor->at = slot->at;
    must(cursor_skip(slot->cursor));
    *(text_t *)field_of(slot->out, slot->field->offset) =
        (text_t){(const char *)slot->at, (size_t)(slot->cursor->at - slot->at)};
}

static void (*const readers[])(reading_t *, slot_t *) = {
    [FIELD_NAME] = read_text,       [FIELD_TITLE] = read_text,    [FIELD_TEXT] = read_text,
    [FIELD_NAMES] = read_texts,     [FIELD_LINES] = read_texts,   [FIELD_BOOL] = read_bool,
    [FIELD_FLAG] = read_bool,       [FIELD_UINT] = read_integer,  [FIELD_UINT32] = read_integer,
    [FIELD_INT] = read_integer,     [FIELD_NUMBER] = read_number, [FIELD_DURATION] = read_number,
    [FIELD_TIME] = read_number,     [FIELD_SIZE] = read_size,     [FIELD_ENUM] = read_word,
    [FIELD_WORD] = read_word,       [FIELD_LABELS] = read_labels, [FIELD_ID] = read_id,
    [FIELD_IDS] = read_ids,         [FIELD_HEX] = read_hex,       [FIELD_RECORD] = read_record,
    [FIELD_RECORDS] = read_records, [FIELD_STEPS] = read_steps,   [FIELD_RAW] = read_raw,
};

/*  The cursor stands at the field's value and is moved behind it, whatever is wrong with it. */
static void read_field(reading_t *self, const field_t *field, cursor_t *cursor, void *out)
{
    slot_t slot = {.field = field, .at = cursor->at, .cursor = cursor, .out = out};
    cursor_t behind = *cursor;
    must(cursor_skip(&behind) && cursor_read(cursor, &slot.value));
    if (slot.value.type != VALUE_NIL)
        readers[field->type](self, &slot);
    else if ((field->flags & FIELD_REQUIRED) != 0)
        complain(self, STATUS_WRONG_TYPE, slot.at, field->key, "is required, nil was given");
    *cursor = behind;
}

/* -- reading a map -- */

const field_t *schema_field(const schema_t *schema, text_t key)
{
    for (size_t i = 0; i < schema->count; i++)
        if (text_is(key, schema->fields[i].key))
            return &schema->fields[i];
    return NULL;
}

static void miss_required(reading_t *self, const schema_t *schema, uint64_t seen,
                          const uint8_t *map)
{
    for (size_t i = 0; i < schema->count; i++)
        if ((schema->fields[i].flags & FIELD_REQUIRED) != 0 && (seen >> i & 1) == 0)
            complain(self, STATUS_MISSING_FIELD, map, schema->fields[i].key, "is required");
}

static void complain_unknown(reading_t *self, const uint8_t *at, const value_t *key)
{
    char name[64] = "a key that is no text";
    if (key->type == VALUE_STR)
        snprintf(name, sizeof name, "%.*s", (int)key->as.text.size, key->as.text.data);
    complain(self, STATUS_BAD_VALUE, at, name, "unknown key");
}

static void read_pair(reading_t *self, const schema_t *schema, cursor_t *cursor, void *out,
                      uint64_t *seen)
{
    const uint8_t *at = cursor->at;
    cursor_t behind = *cursor;
    value_t key;
    must(cursor_skip(&behind) && cursor_read(cursor, &key));
    *cursor = behind;
    const field_t *field = key.type == VALUE_STR ? schema_field(schema, key.as.text) : NULL;
    bool told = field != NULL && (field->flags & FIELD_TOLD) != 0;
    if (field == NULL || told || (field->flags & FIELD_HIDDEN) != 0) {
        if (self->strict && !told)
            complain_unknown(self, at, &key);
        must(cursor_skip(cursor));
        return;
    }
    uint64_t bit = UINT64_C(1) << (field - schema->fields);
    if ((*seen & bit) != 0)
        complain(self, STATUS_DUPLICATE_KEY, at, field->key, "stands twice");
    *seen |= bit;
    read_field(self, field, cursor, out);
}

static void read_map(reading_t *self, const schema_t *schema, cursor_t *cursor, void *out)
{
    must(schema->count <= 64);
    schema_defaults(schema, out);
    const uint8_t *at = cursor->at;
    cursor_t behind = *cursor;
    value_t map;
    must(cursor_skip(&behind) && cursor_read(cursor, &map));
    if (map.type != VALUE_MAP) {
        *cursor = behind;
        complain(self, self->path[0] == '\0' ? STATUS_NOT_A_MAP : STATUS_WRONG_TYPE, at,
                 schema->name, "expected a map");
        return;
    }
    uint64_t seen = 0;
    for (uint32_t i = 0; i < map.as.count; i++)
        read_pair(self, schema, cursor, out, &seen);
    miss_required(self, schema, seen, at);
}

status_t schema_read(const schema_t *schema, const limits_t *limits, cursor_t *cursor, bool strict,
                     arena_t *arena, void *out, const schema_listener_t *listener)
{
    reading_t reading = {.limits = limits, .arena = arena, .listener = listener, .strict = strict};
    read_map(&reading, schema, cursor, out);
    return reading.worst;
}

status_t schema_read_field(const field_t *field, const limits_t *limits, cursor_t *cursor,
                           arena_t *arena, void *out, const schema_listener_t *listener)
{
    reading_t reading = {.limits = limits, .arena = arena, .listener = listener};
    read_field(&reading, field, cursor, out);
    return reading.worst;
}

/* -- defaults -- */

static void set_default(const field_t *field, void *out)
{
    void *at = field_of(out, field->offset);
    switch (field->type) {
    case FIELD_BOOL:
    case FIELD_FLAG:
        *(bool *)at = field->otherwise > 0;
        break;
    case FIELD_ENUM:
        *(int *)at = (int)field->otherwise;
        break;
    case FIELD_UINT:
    case FIELD_SIZE:
    case FIELD_ID:
    case FIELD_HEX:
        *(uint64_t *)at = (uint64_t)field->otherwise;
        break;
    case FIELD_UINT32:
        *(uint32_t *)at = (uint32_t)field->otherwise;
        break;
    case FIELD_INT:
        *(int64_t *)at = (int64_t)field->otherwise;
        break;
    case FIELD_NUMBER:
    case FIELD_DURATION:
    case FIELD_TIME:
        *(double *)at = field->otherwise;
        break;
    case FIELD_RECORD:
        schema_defaults(field->inner, at);
        break;
    case FIELD_NAME:
    case FIELD_TITLE:
    case FIELD_TEXT:
    case FIELD_NAMES:
    case FIELD_LINES:
    case FIELD_WORD:
    case FIELD_LABELS:
    case FIELD_IDS:
    case FIELD_RECORDS:
    case FIELD_STEPS:
    case FIELD_RAW:
        break; /* absent: all zero */
    }
}

void schema_defaults(const schema_t *schema, void *out)
{
    /* the fields of a view may lie in a struct that holds more: only a whole struct is cleared */
    memset(out, 0, schema->size);
    for (size_t i = 0; i < schema->count; i++)
        set_default(&schema->fields[i], out);
}
