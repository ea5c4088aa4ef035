#include "engines/operations/notification_text.h"

#include <string.h>

static const char ellipsis[] = "…";

/*  Bytes of `text` that fit into `room` without breaking a character of UTF-8. */
static size_t whole_bytes(text_t text, size_t room)
{
    size_t size = text.size < room ? text.size : room;
    while (size < text.size && size > 0 && ((unsigned char)text.data[size] & 0xc0) == 0x80)
        size--;
    return size;
}

/*  Once cut it stays cut: what comes later would stand behind a hole. */
void notification_text_add(notification_text_t *self, text_t text)
{
    size_t room = self->size - self->used - (sizeof ellipsis - 1);
    if (self->cut || text.size == 0)
        return;
    size_t size = whole_bytes(text, room);
    memcpy(self->data + self->used, text.data, size);
    self->used += size;
    if (size == text.size)
        return;
    memcpy(self->data + self->used, ellipsis, sizeof ellipsis - 1);
    self->used += sizeof ellipsis - 1;
    self->cut = true;
}

void notification_text_add_line(notification_text_t *self, text_t text)
{
    size_t begin = self->used;
    notification_text_add(self, text);
    for (size_t i = begin; i < self->used; i++)
        if ((unsigned char)self->data[i] < 0x20 || self->data[i] == 0x7f)
            self->data[i] = ' ';
}

/*  The next "${field}" of a template, from `at` on; false at the end, and when a brace stays open.
 */
static bool find_field(text_t template, size_t at, size_t *begin, size_t *end)
{
    for (*begin = at; *begin + 1 < template.size; ++*begin) {
        if (template.data[*begin] != '$' || template.data[*begin + 1] != '{')
            continue;
        const char *brace = memchr(template.data + *begin, '}', template.size - *begin);
        *end = brace == NULL ? template.size : (size_t)(brace - template.data);
        return true;
    }
    return false;
}

bool notification_text_expand(notification_text_t *self, text_t template, field_source_t source)
{
    notification_text_t before = *self;
    size_t at = 0, begin = 0, end = 0;
    while (find_field(template, at, &begin, &end)) {
        notification_text_add(self, (text_t){template.data + at, begin - at});
        text_t field = {template.data + begin + 2, end - begin - 2};
        text_t value = end < template.size ? source.look(source.context, field) : TEXT_NONE;
        if (value.data == NULL) {
            *self = before;
            return false;
        }
        notification_text_add(self, value);
        at = end + 1;
    }
    notification_text_add(self, (text_t){template.data + at, template.size - at});
    return true;
}
