#include "clients/tocsin/output.h"

#include "proto/cursor.h"
#include "proto/json.h"
#include "proto/must.h"
#include "proto/pack.h"

#include <string.h>

output_t output_of(const call_t *call)
{
    const char *word = call_text(call, OPT_OUTPUT);
    output_t output = OUTPUT_TABLE;
    while (word != NULL && strcmp(options[OPT_OUTPUT].words[output], word) != 0)
        output++;
    return output;
}

static void write_line(cursor_t *cursor, FILE *out)
{
    msgpack_sbuffer text;
    msgpack_sbuffer_init(&text);
    json_write(cursor, &text);
    msgpack_sbuffer_write(&text, "\n", 1);
    fwrite(text.data, 1, text.size, out);
    msgpack_sbuffer_destroy(&text);
}

void output_json(tocsin_value_t value, FILE *out)
{
    cursor_t cursor = cursor_over(value.bytes, value.size);
    write_line(&cursor, out);
}

void output_json_lines(tocsin_value_t items, FILE *out)
{
    cursor_t cursor = cursor_over(items.bytes, items.size);
    value_t head;
    must(cursor_read(&cursor, &head) && head.type == VALUE_ARRAY);
    for (uint32_t i = 0; i < head.as.count; i++)
        write_line(&cursor, out);
}

/*  An array that holds only this thing. */
static tocsin_value_t alone(tocsin_value_t thing, msgpack_sbuffer *out)
{
    pack_array(out, 1);
    pack_raw(out, (text_t){thing.bytes, thing.size});
    return (tocsin_value_t){out->data, out->size};
}

void output_answer(const call_t *call, const char *columns, tocsin_value_t thing, FILE *out)
{
    output_t output = output_of(call);
    msgpack_sbuffer array;
    if (output == OUTPUT_JSON || output == OUTPUT_JSONL) {
        output_json(thing, out);
        return;
    }
    if (output == OUTPUT_TABLE && columns == NULL) {
        output_thing(thing, out);
        return;
    }
    msgpack_sbuffer_init(&array);
    tocsin_value_t items = alone(thing, &array);
    if (output == OUTPUT_CSV)
        output_csv(items, out);
    else
        output_table(columns, items, out);
    msgpack_sbuffer_destroy(&array);
}

void output_list(const call_t *call, const char *columns, tocsin_value_t answer,
                 tocsin_value_t items, FILE *out)
{
    switch (output_of(call)) {
    case OUTPUT_TABLE:
        output_table(columns, items, out);
        break;
    case OUTPUT_JSON:
        output_json(answer, out);
        break;
    case OUTPUT_JSONL:
        output_json_lines(items, out);
        break;
    case OUTPUT_CSV:
        output_csv(items, out);
        break;
    }
}
