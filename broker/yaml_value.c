#include "broker/yaml_value.h"

#include "proto/cursor.h"
#include "proto/must.h"
#include "proto/pack.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* -- reading -- */

typedef struct {
    yaml_value_t *yaml;
    yaml_document_t *document;
    const char *name;
    FILE *errors;
} reading_t;

static int complain(const reading_t *self, yaml_mark_t mark, const char *what)
{
    fprintf(self->errors, "%s:%zu:%zu: %s\n", self->name, mark.line + 1, mark.column + 1, what);
    return 0;
}

static void add_place(yaml_value_t *self, yaml_mark_t mark)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity * 2 + 64;
        self->places = memory_grow(self->places, self->capacity, sizeof *self->places);
    }
    self->places[self->count++] = (yaml_place_t){.offset = self->packed.size,
                                                 .line = (unsigned)mark.line + 1,
                                                 .column = (unsigned)mark.column + 1};
}

static int is_one_of(text_t text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (text_is(text, *words))
            return 1;
    return 0;
}

static int looks_like_number(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (strchr("0123456789+-.eE", text[i]) == NULL)
            return 0;
    return size > 0;
}

static int pack_number_text(const char *text, size_t size, msgpack_sbuffer *out)
{
    char copy[64], *end;
    if (size >= sizeof copy || !looks_like_number(text, size))
        return 0;
    memcpy(copy, text, size);
    copy[size] = '\0';
    errno = 0;
    long long whole = strtoll(copy, &end, 10);
    if (*end == '\0' && errno == 0) {
        pack_int(out, whole);
        return 1;
    }
    double number = strtod(copy, &end);
    if (*end != '\0' || !isfinite(number))
        return 0;
    pack_number(out, number);
    return 1;
}

void yaml_value_pack_scalar(const char *text, size_t size, int quoted, msgpack_sbuffer *out)
{
    static const char *const nils[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    text_t scalar = {text, size};
    if (!quoted && is_one_of(scalar, nils))
        pack_nil(out);
    else if (!quoted && is_one_of(scalar, trues))
        pack_bool(out, true);
    else if (!quoted && is_one_of(scalar, falses))
        pack_bool(out, false);
    else if (quoted || !pack_number_text(text, size, out))
        pack_text(out, scalar);
}

static int pack_node(reading_t *self, const yaml_node_t *node, unsigned depth);

static int pack_sequence(reading_t *self, const yaml_node_t *node, unsigned depth)
{
    const yaml_node_item_t *item = node->data.sequence.items.start;
    size_t count = (size_t)(node->data.sequence.items.top - item);
    pack_array(&self->yaml->packed, count);
    for (size_t i = 0; i < count; i++)
        if (!pack_node(self, yaml_document_get_node(self->document, item[i]), depth + 1))
            return 0;
    return 1;
}

static int pack_mapping(reading_t *self, const yaml_node_t *node, unsigned depth)
{
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    size_t count = (size_t)(node->data.mapping.pairs.top - pair);
    pack_map(&self->yaml->packed, count);
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *key = yaml_document_get_node(self->document, pair[i].key);
        if (key->type != YAML_SCALAR_NODE)
            return complain(self, key->start_mark, "a key must be plain text");
        add_place(self->yaml, key->start_mark);
        pack_text(&self->yaml->packed,
                  (text_t){(const char *)key->data.scalar.value, key->data.scalar.length});
        if (!pack_node(self, yaml_document_get_node(self->document, pair[i].value), depth + 1))
            return 0;
    }
    return 1;
}

static int pack_node(reading_t *self, const yaml_node_t *node, unsigned depth)
{
    if (depth > YAML_DEPTH)
        return complain(self, node->start_mark, "nested too deep");
    add_place(self->yaml, node->start_mark);
    if (node->type == YAML_SEQUENCE_NODE)
        return pack_sequence(self, node, depth);
    if (node->type == YAML_MAPPING_NODE)
        return pack_mapping(self, node, depth);
    yaml_value_pack_scalar((const char *)node->data.scalar.value, node->data.scalar.length,
                           node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE, &self->yaml->packed);
    return 1;
}

/*  libyaml resolves aliases while it loads a document, so they are looked for before. */
static int refuse_aliases(reading_t *self, const char *text, size_t size)
{
    yaml_parser_t parser;
    yaml_event_t event;
    int good = 1, more = 1;
    must(yaml_parser_initialize(&parser));
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    while (good && more && yaml_parser_parse(&parser, &event)) {
        more = event.type != YAML_STREAM_END_EVENT;
        if (event.type == YAML_ALIAS_EVENT)
            good = complain(self, event.start_mark, "aliases are not supported");
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return good;
}

static int read_document(reading_t *self, yaml_parser_t *parser)
{
    yaml_document_t document, next;
    if (!yaml_parser_load(parser, &document)) {
        yaml_mark_t mark = parser->problem_mark;
        return complain(self, mark, parser->problem == NULL ? "not YAML" : parser->problem);
    }
    self->document = &document;
    const yaml_node_t *root = yaml_document_get_root_node(&document);
    int good = root == NULL || pack_node(self, root, 1);
    if (root != NULL && good) {
        if (!yaml_parser_load(parser, &next)) {
            good = complain(self, parser->problem_mark,
                            parser->problem == NULL ? "not YAML" : parser->problem);
        } else {
            const yaml_node_t *second = yaml_document_get_root_node(&next);
            if (second != NULL)
                good = complain(self, second->start_mark, "only one document is allowed");
            yaml_document_delete(&next);
        }
    }
    yaml_document_delete(&document);
    self->document = NULL;
    return good;
}

int yaml_value_read(yaml_value_t *self, const char *name, const char *text, size_t size,
                    FILE *errors)
{
    *self = (yaml_value_t){.count = 0};
    msgpack_sbuffer_init(&self->packed);
    reading_t reading = {.yaml = self, .name = name, .errors = errors};
    if (!refuse_aliases(&reading, text, size))
        return 0;
    yaml_parser_t parser;
    must(yaml_parser_initialize(&parser));
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    int good = read_document(&reading, &parser);
    yaml_parser_delete(&parser);
    return good;
}

void yaml_value_free(yaml_value_t *self)
{
    msgpack_sbuffer_destroy(&self->packed);
    free(self->places);
    *self = (yaml_value_t){.count = 0};
}

yaml_place_t yaml_value_place(const yaml_value_t *self, const uint8_t *at)
{
    yaml_place_t place = {.line = 1, .column = 1};
    size_t offset = (size_t)(at - (const uint8_t *)self->packed.data);
    for (size_t i = 0; i < self->count && self->places[i].offset <= offset; i++)
        place = self->places[i];
    return place;
}

/*  The value of a key in the map at `at`; the map itself when the key is not there. */
static const uint8_t *find_key(const yaml_value_t *self, const uint8_t *at, const char *key)
{
    cursor_t cursor = {at, (const uint8_t *)self->packed.data + self->packed.size};
    value_t value;
    must(cursor_read(&cursor, &value));
    for (uint32_t i = 0; value.type == VALUE_MAP && i < value.as.count; i++) {
        value_t name;
        must(cursor_read(&cursor, &name));
        if (name.type == VALUE_STR && text_is(name.as.text, key))
            return cursor.at;
        must(cursor_skip(&cursor));
    }
    return at;
}

const uint8_t *yaml_value_find(const yaml_value_t *self, const char *section, size_t index,
                               const char *key)
{
    const uint8_t *list = find_key(self, (const uint8_t *)self->packed.data, section);
    cursor_t cursor = {list, (const uint8_t *)self->packed.data + self->packed.size};
    value_t value;
    must(cursor_read(&cursor, &value));
    if (value.type != VALUE_ARRAY)
        return find_key(self, list, key);
    for (size_t i = 0; i < index; i++)
        must(cursor_skip(&cursor));
    return find_key(self, cursor.at, key);
}

/* -- writing: JSON's flow style inside block mappings is YAML too, and one way of quoting is enough
 * -- */

static void write_text(text_t text, FILE *out)
{
    fputc('"', out);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", out);
        else if (c == '\t')
            fputs("\\t", out);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

/*  The shortest text that reads back as the same number. */
static void write_number(double number, FILE *out)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    fputs(text, out);
}

static void write_scalar(const value_t *value, FILE *out)
{
    switch ((int)value->type) {
    case VALUE_BOOL:
        fputs(value->as.boolean ? "true" : "false", out);
        break;
    case VALUE_UINT:
        fprintf(out, "%llu", (unsigned long long)value->as.u);
        break;
    case VALUE_INT:
        fprintf(out, "%lld", (long long)value->as.i);
        break;
    case VALUE_FLOAT:
        write_number(value->as.f, out);
        break;
    case VALUE_STR:
        write_text(value->as.text, out);
        break;
    default:
        fputs("null", out);
    }
}

static void write_value(cursor_t *cursor, unsigned depth, FILE *out);

static void write_flow(cursor_t *cursor, const value_t *container, FILE *out)
{
    bool map = container->type == VALUE_MAP;
    fputc(map ? '{' : '[', out);
    for (uint32_t i = 0; i < container->as.count; i++) {
        if (i > 0)
            fputs(", ", out);
        write_value(cursor, YAML_DEPTH, out);
        if (!map)
            continue;
        fputs(": ", out);
        write_value(cursor, YAML_DEPTH, out);
    }
    fputc(map ? '}' : ']', out);
}

/*  Two levels of block style, the rest on one line. */
static void write_value(cursor_t *cursor, unsigned depth, FILE *out)
{
    value_t value, key;
    must(cursor_read(cursor, &value));
    if (value.type != VALUE_MAP && value.type != VALUE_ARRAY) {
        write_scalar(&value, out);
    } else if (depth >= 2 || value.as.count == 0) {
        write_flow(cursor, &value, out);
    } else {
        for (uint32_t i = 0; i < value.as.count; i++) {
            fputs(depth == 0 ? "" : "\n  ", out);
            if (value.type == VALUE_MAP) {
                must(cursor_read(cursor, &key) && key.type == VALUE_STR);
                fprintf(out, "%.*s: ", (int)key.as.text.size, key.as.text.data);
                write_value(cursor, depth + 1, out);
            } else {
                fputs("- ", out);
                write_value(cursor, YAML_DEPTH, out);
            }
            if (depth == 0)
                fputc('\n', out);
        }
    }
}

void yaml_value_write(const void *bytes, size_t size, FILE *out)
{
    cursor_t cursor = cursor_over(bytes, size);
    write_value(&cursor, 0, out);
}
