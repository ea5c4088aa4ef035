#include "proto/must.h"
#include "proto/pack.h"
#include "proto/schema.h"
#include "proto/thing.h"

#include <stdio.h>

static const void *look_at(const void *thing, size_t offset)
{
    return (const char *)thing + offset;
}

static uint32_t count_of(const field_t *field, const void *thing)
{
    return *(const uint32_t *)look_at(thing, field->count_offset);
}

static void write_texts(texts_t texts, msgpack_sbuffer *out)
{
    pack_array(out, texts.count);
    for (size_t i = 0; i < texts.count; i++)
        pack_text(out, texts.items[i]);
}

static void write_ids(const field_t *field, const void *thing, msgpack_sbuffer *out)
{
    const uint64_t *ids = *(const uint64_t *const *)look_at(thing, field->offset);
    pack_array(out, count_of(field, thing));
    for (uint32_t i = 0; i < count_of(field, thing); i++)
        pack_id(out, field->prefix, ids[i]);
}

static void write_records(const field_t *field, const void *thing, bool hidden,
                          msgpack_sbuffer *out)
{
    const char *records = *(const char *const *)look_at(thing, field->offset);
    pack_array(out, count_of(field, thing));
    for (uint32_t i = 0; i < count_of(field, thing); i++)
        schema_write(field->inner, records + i * field->inner->size, hidden, out);
}

static void write_steps(const field_t *field, const void *thing, msgpack_sbuffer *out)
{
    const procedure_t *procedures = *(const procedure_t *const *)look_at(thing, field->offset);
    pack_map(out, count_of(field, thing));
    for (uint32_t i = 0; i < count_of(field, thing); i++) {
        pack_text(out, procedures[i].procedure);
        write_texts(procedures[i].steps, out);
    }
}

static void write_word(const field_t *field, int word, msgpack_sbuffer *out)
{
    if (word < 0 || field->words[word][0] == '\0')
        pack_nil(out);
    else
        pack_string(out, field->words[word]);
}

static void write_hex(uint64_t number, msgpack_sbuffer *out)
{
    char text[17];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)number);
    pack_string(out, text);
}

static void write_raw(text_t encoded, msgpack_sbuffer *out)
{
    if (encoded.data == NULL)
        pack_nil(out);
    else
        pack_raw(out, encoded);
}

void schema_write_field(const field_t *field, const void *thing, bool hidden, msgpack_sbuffer *out)
{
    const void *at = look_at(thing, field->offset);
    switch (field->type) {
    case FIELD_NAME:
    case FIELD_TITLE:
    case FIELD_TEXT:
    case FIELD_WORD:
        pack_text(out, *(const text_t *)at);
        break;
    case FIELD_NAMES:
    case FIELD_LINES:
        write_texts(*(const texts_t *)at, out);
        break;
    case FIELD_BOOL:
    case FIELD_FLAG:
        pack_bool(out, *(const bool *)at);
        break;
    case FIELD_UINT:
    case FIELD_SIZE:
        pack_uint(out, *(const uint64_t *)at);
        break;
    case FIELD_UINT32:
        pack_uint(out, *(const uint32_t *)at);
        break;
    case FIELD_INT:
        pack_int(out, *(const int64_t *)at);
        break;
    case FIELD_NUMBER:
    case FIELD_DURATION:
    case FIELD_TIME:
        pack_number(out, *(const double *)at);
        break;
    case FIELD_ENUM:
        write_word(field, *(const int *)at, out);
        break;
    case FIELD_LABELS:
        pack_labels(out, *(const labels_t *)at);
        break;
    case FIELD_ID:
        pack_id(out, field->prefix, *(const uint64_t *)at);
        break;
    case FIELD_IDS:
        write_ids(field, thing, out);
        break;
    case FIELD_HEX:
        write_hex(*(const uint64_t *)at, out);
        break;
    case FIELD_RECORD:
        schema_write(field->inner, at, hidden, out);
        break;
    case FIELD_RECORDS:
        write_records(field, thing, hidden, out);
        break;
    case FIELD_STEPS:
        write_steps(field, thing, out);
        break;
    case FIELD_RAW:
        write_raw(*(const text_t *)at, out);
        break;
    }
}

static bool is_shown(const field_t *field, const void *thing, bool hidden)
{
    if ((field->flags & FIELD_HIDDEN) != 0 && !hidden)
        return false;
    return field->type != FIELD_FLAG || *(const bool *)look_at(thing, field->offset);
}

static uint32_t count_shown(const schema_t *schema, const void *thing, bool hidden)
{
    uint32_t count = 0;
    for (size_t i = 0; i < schema->count; i++)
        count += is_shown(&schema->fields[i], thing, hidden);
    return count;
}

void schema_write_pairs(const schema_t *schema, const void *thing, bool hidden,
                        msgpack_sbuffer *out)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (!is_shown(&schema->fields[i], thing, hidden))
            continue;
        pack_string(out, schema->fields[i].key);
        schema_write_field(&schema->fields[i], thing, hidden, out);
    }
}

void schema_write_with(const schema_t *schema, const void *thing, uint32_t more,
                       msgpack_sbuffer *out)
{
    pack_map(out, count_shown(schema, thing, false) + more);
    schema_write_pairs(schema, thing, false, out);
}

void schema_write(const schema_t *schema, const void *thing, bool hidden, msgpack_sbuffer *out)
{
    pack_map(out, count_shown(schema, thing, hidden));
    schema_write_pairs(schema, thing, hidden, out);
}

bool schema_equal(const schema_t *schema, const void *a, const void *b)
{
    msgpack_sbuffer one, two;
    msgpack_sbuffer_init(&one);
    msgpack_sbuffer_init(&two);
    schema_write(schema, a, true, &one);
    schema_write(schema, b, true, &two);
    bool equal = one.size == two.size && memcmp(one.data, two.data, one.size) == 0;
    msgpack_sbuffer_destroy(&one);
    msgpack_sbuffer_destroy(&two);
    return equal;
}

/* -- deep copies -- */

static texts_t copy_texts(texts_t texts, arena_t *arena)
{
    text_t *items = arena_take(arena, texts.count * sizeof *items);
    for (size_t i = 0; i < texts.count; i++)
        items[i] = arena_copy(arena, texts.items[i]);
    return (texts_t){items, texts.count};
}

static const void *copy_bytes(const void *bytes, size_t size, arena_t *arena)
{
    void *copy = arena_take(arena, size);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

static void copy_fields(const schema_t *schema, void *copy, arena_t *arena);

static void copy_records(const field_t *field, void *copy, arena_t *arena)
{
    size_t size = field->inner->size;
    const char **at = (const char **)((char *)copy + field->offset);
    char *records = arena_take(arena, count_of(field, copy) * size);
    for (uint32_t i = 0; i < count_of(field, copy); i++) {
        memcpy(records + i * size, *at + i * size, size);
        copy_fields(field->inner, records + i * size, arena);
    }
    *at = records;
}

static void copy_steps(const field_t *field, void *copy, arena_t *arena)
{
    const procedure_t **at = (const procedure_t **)(void *)((char *)copy + field->offset);
    procedure_t *steps = arena_take(arena, count_of(field, copy) * sizeof *steps);
    for (uint32_t i = 0; i < count_of(field, copy); i++) {
        steps[i].procedure = arena_copy(arena, (*at)[i].procedure);
        steps[i].steps = copy_texts((*at)[i].steps, arena);
    }
    *at = steps;
}

/*  What a field points at, taken over into the arena. Fields that point at nothing need nothing. */
static void copy_field(const field_t *field, void *copy, arena_t *arena)
{
    void *at = (char *)copy + field->offset;
    if (field->type == FIELD_NAME || field->type == FIELD_TITLE || field->type == FIELD_TEXT ||
        field->type == FIELD_WORD || field->type == FIELD_RAW)
        *(text_t *)at = arena_copy(arena, *(const text_t *)at);
    else if (field->type == FIELD_NAMES || field->type == FIELD_LINES)
        *(texts_t *)at = copy_texts(*(const texts_t *)at, arena);
    else if (field->type == FIELD_LABELS)
        ((labels_t *)at)->bytes =
            copy_bytes(((const labels_t *)at)->bytes, ((const labels_t *)at)->size, arena);
    else if (field->type == FIELD_IDS)
        *(const void **)at =
            copy_bytes(*(const void *const *)at, count_of(field, copy) * sizeof(uint64_t), arena);
    else if (field->type == FIELD_RECORD)
        copy_fields(field->inner, at, arena);
    else if (field->type == FIELD_RECORDS)
        copy_records(field, copy, arena);
    else if (field->type == FIELD_STEPS)
        copy_steps(field, copy, arena);
}

static void copy_fields(const schema_t *schema, void *copy, arena_t *arena)
{
    for (size_t i = 0; i < schema->count; i++)
        copy_field(&schema->fields[i], copy, arena);
}

void *schema_copy(const schema_t *schema, const void *thing, arena_t *arena)
{
    void *copy = arena_take(arena, schema->size);
    memcpy(copy, thing, schema->size);
    copy_fields(schema, copy, arena);
    return copy;
}
